//! From a file to an open vault.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::vault::backup::backups;
use crate::vault::container::{self, Sealed};
use crate::vault::error::{Fault, VaultError};
use crate::vault::file::{self, MAX_FILE, Place};
use crate::vault::header::{Header, MAX_START};
use crate::vault::kdf::KdfLimit;
use crate::vault::merge;
use crate::vault::pin::{self, Pin};
use crate::vault::seal::{self, KEY_LEN, Key, Randomness, SystemRandomness};
use crate::vault::slot::{Credential, Slot, SlotInfo, Tried};
use crate::vault::unlocked::Unlocked;
use crate::vault::{Files, Rollback};

/// At most this many passphrase slots are tried: each costs a key derivation.
pub(super) const MAX_PASSPHRASES: usize = 4;

/// How often a vault that seems to be an older one is looked at before it is refused, and the pause between.
const LOOKS: usize = 40;
const PAUSE: Duration = Duration::from_millis(10);

/// A vault whose header was read and bounded, and nothing more.
pub struct Locked {
    files: Files,
    place: Place,
    sealed: Sealed,
    limit: KdfLimit,
    random: Arc<dyn Randomness>,
}

impl Locked {
    /// Reads the file and checks all that can be checked without a key.
    ///
    /// # Errors
    /// No such file; not a regular file (a FIFO, directory or device is refused without waiting); too large; empty; not a
    /// vault; cut off; bytes too many; a newer major version; an unknown critical extension; cost out of bounds; above the
    /// usual cost without [`KdfLimit::High`].
    pub fn open(files: &Files, limit: KdfLimit) -> Result<Self, VaultError> {
        Self::open_with(files, limit, Arc::new(SystemRandomness))
    }

    pub(super) fn open_with(
        files: &Files,
        limit: KdfLimit,
        random: Arc<dyn Randomness>,
    ) -> Result<Self, VaultError> {
        let place = Place::of(&files.vault)?;
        // The path as given: it is the one that the person knows.
        let sealed = read(&files.vault, limit).map_err(|error| with_backups(error, files))?;
        Ok(Self {
            files: files.clone(),
            place,
            sealed,
            limit,
            random,
        })
    }

    /// The slots, as the (not yet verified) header lists them.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.sealed.header.slots.iter().map(Slot::info).collect()
    }

    /// Counts the saves.
    pub fn generation(&self) -> u64 {
        self.sealed.header.generation
    }

    /// Random, given once when the vault was made: the same for all of its copies and generations.
    pub fn vault_id(&self) -> [u8; 16] {
        self.sealed.header.vault_id
    }

    /// Opens it. The moment isn't needed to open format 1; it is asked for so that a later format may.
    ///
    /// # Errors
    /// No slot takes the credential (wrong passphrase), or one does and the rest is damaged; rolled back.
    pub fn unlock(
        self,
        credential: &Credential,
        rollback: Rollback,
        _now: UnixTime,
    ) -> Result<Unlocked, VaultError> {
        let (dek, slot) = find_dek(&self.sealed.header, credential, &self.files)?;
        self.unlock_with(dek, Some(slot), rollback, _now)
    }

    /// Opens it with the key itself.
    pub(super) fn unlock_with(
        self,
        dek: Key,
        slot: Option<[u8; 8]>,
        rollback: Rollback,
        _now: UnixTime,
    ) -> Result<Unlocked, VaultError> {
        // A slot that gave the key belongs to this header. A key from elsewhere may be that of before a change of keys.
        if slot.is_none() && !self.sealed.is_under(&dek) {
            return Err(VaultError::ChangedKeys {
                path: self.files.vault.clone(),
            });
        }
        let mut sealed = self.sealed;
        let id = sealed.header.vault_id;
        let found = pin::read(&self.files.state, &id);
        if let pin::Found::Pin(seen) = &found
            && is_behind(&sealed, seen)
        {
            // While the key was derived, another process may have saved: then the pin is right and we are late.
            let looks = match rollback {
                Rollback::Refuse => LOOKS,
                Rollback::Accept => 1,
            };
            match read_until(&self.files, self.limit, looks, |now| !is_behind(now, seen)) {
                Ok(newer) if newer.header.vault_id == id && !is_behind(&newer, seen) => {
                    if !newer.is_under(&dek) {
                        return Err(VaultError::ChangedKeys {
                            path: self.files.vault.clone(),
                        });
                    }
                    sealed = newer;
                }
                Ok(_) | Err(_) if rollback == Rollback::Refuse => {
                    return Err(VaultError::RolledBack {
                        path: self.files.vault.clone(),
                        seen: seen.generation,
                        found: sealed.header.generation,
                    });
                }
                Ok(_) | Err(_) => {}
            }
        }
        let mac = sealed.mac();
        let (header, records, rest) = sealed
            .open(&dek)
            .map_err(|fault| damaged(&self.files, fault))?;
        let keys = container::known_keys(&rest, &dek, &id);
        let pin = pin::read_genuine(&self.files.state, &id, keys);
        let (seen, device) = match &pin {
            Some(pin) => (pin.generation, pin.device),
            None => (0, seal::random(&*self.random)?),
        };
        let is_fork = |pin: &Pin| pin.generation == header.generation && pin.header_mac != mac;
        let other = match rollback {
            Rollback::Refuse => pin.filter(is_fork).map(|pin| pin.header_mac),
            Rollback::Accept => None,
        };
        let mut vault = Unlocked::assemble(
            self.files,
            self.place,
            header,
            rest,
            dek,
            device,
            self.random,
        );
        vault.highest = vault.highest.max(seen);
        vault.base_mac = mac;
        vault.opened_by = slot;
        vault.set_records(merge::merge(records, Vec::new()));
        vault.read_top = vault.top;
        if let Some(other) = other {
            vault.fork_seen = !vault.merge_backup(&other);
        }
        // With a fork, the pin goes on telling of it until a save has both, or the person has accepted this one.
        let is_settled = other.is_none() || !(vault.fork_seen || vault.dirty);
        if is_settled && vault.header.generation >= seen || rollback == Rollback::Accept {
            vault.write_pin();
        }
        Ok(vault)
    }
}

/// Reads the file again, until it is right or was looked at so often: without locks a save that comes late stands in the
/// vault's place for a moment, until it has taken in the one that it replaced.
fn read_until(
    files: &Files,
    limit: KdfLimit,
    looks: usize,
    is_right: impl Fn(&Sealed) -> bool,
) -> Result<Sealed, VaultError> {
    let mut found = read(&files.vault, limit);
    for _ in 1..looks {
        if found.as_ref().is_ok_and(&is_right) {
            break;
        }
        std::thread::sleep(PAUSE);
        found = read(&files.vault, limit);
    }
    found
}

/// Whether a file is an older one than the pin has seen. The very file that the pin names isn't: an accepted rollback.
fn is_behind(sealed: &Sealed, pin: &Pin) -> bool {
    sealed.header.generation < pin.generation && sealed.mac() != pin.header_mac
}

pub(super) fn damaged(files: &Files, fault: Fault) -> VaultError {
    VaultError::Damaged {
        path: files.vault.clone(),
        fault,
    }
}

/// Reads a file and its header, within bounds.
pub(super) fn read(path: &std::path::Path, limit: KdfLimit) -> Result<Sealed, VaultError> {
    let damaged = |fault| VaultError::Damaged {
        path: path.into(),
        fault,
    };
    let sealed = Sealed::read(read_bytes(path)?).map_err(damaged)?;
    within(&sealed.header, limit)?;
    Ok(sealed)
}

/// A file's header and its MAC; only the start is read.
pub(super) fn start(path: &std::path::Path) -> Option<(Header, [u8; KEY_LEN])> {
    let (start, len) = file::read_start(path, MAX_START).ok()?;
    let (header, layout) = Header::read_start(&start, len).ok()?;
    let mac = layout.mac(&start);
    Some((header, mac))
}

/// A vault's bytes. A large file whose start already shows that it is none, or not a whole one, isn't read for that.
pub(super) fn read_bytes(path: &std::path::Path) -> Result<Vec<u8>, VaultError> {
    file::read_if(path, MAX_FILE, MAX_START, |start, len| {
        let read = Header::read_start(start, len).map(drop);
        read.map_err(|fault| VaultError::Damaged {
            path: path.into(),
            fault,
        })
    })
}

/// A missing vault, with what stands beside it.
pub(super) fn with_backups(error: VaultError, files: &Files) -> VaultError {
    match error {
        VaultError::Missing { path, .. } => VaultError::Missing {
            path,
            backups: backups(files).map_or(0, |found| found.len()),
        },
        other => other,
    }
}

/// As [`read`], a file that isn't the vault's own.
pub(super) fn read_copy(path: &std::path::Path, limit: KdfLimit) -> Result<Sealed, VaultError> {
    read(path, limit).map_err(|error| match error {
        VaultError::Missing { path, .. } => VaultError::NoSuchBackup { path },
        other => other,
    })
}

/// Refuses slots that cost more than they may.
pub(super) fn within(header: &Header, limit: KdfLimit) -> Result<(), VaultError> {
    let mut costs = header.slots.iter().filter_map(Slot::kdf);
    if limit == KdfLimit::Usual
        && let Some(costly) = costs.find(|kdf| !kdf.is_usual())
    {
        let (m_kib, t, _) = costly.get();
        return Err(VaultError::CostlyKdf { m_kib, t });
    }
    Ok(())
}

/// Tries the slots that are for this kind of credential. A wrong credential is told apart from damage by the slot's
/// commitment: it fails in every slot for a wrong one.
pub(super) fn find_dek(
    header: &Header,
    credential: &Credential,
    files: &Files,
) -> Result<(Key, [u8; 8]), VaultError> {
    let mut tried = 0;
    let mut broken = None;
    for (n, slot) in header
        .slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| credential.fits(slot))
    {
        if slot.kdf().is_some() && tried >= MAX_PASSPHRASES {
            break;
        }
        tried += 1;
        match slot.try_credential(credential, &header.vault_id)? {
            Tried::Dek(dek) => return Ok((dek, slot.id)),
            Tried::NotThis => {}
            Tried::Damaged => broken = Some(n + 1),
        }
    }
    if let Some(n) = broken {
        return Err(damaged(files, Fault::WrappedKey(n)));
    }
    if tried == 0 {
        let names: Vec<&str> = header
            .slots
            .iter()
            .map(|slot| slot.info().kind.name())
            .collect();
        return Err(VaultError::NoSlotFor {
            given: credential.name(),
            slots: names.join(", "),
        });
    }
    Err(VaultError::WrongPassphrase(credential.name()))
}
