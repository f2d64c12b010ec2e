//! From a file to an open vault.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::account::{AccountId, Summary};
use crate::clock::UnixTime;
use crate::secret::SecretText;
use crate::vault::body::{Device, MAX_DEVICES, Rest, SlotKey};
use crate::vault::container::{self, SLOT_IKM, Sealed};
use crate::vault::error::{Fault, VaultError};
use crate::vault::fields;
use crate::vault::file::{self, MAX_FILE, Place, Temp};
use crate::vault::header::{self, Header};
use crate::vault::kdf::{KdfLimit, KdfParams};
use crate::vault::merge;
use crate::vault::pin::{self, Pin};
use crate::vault::record::{CONFLICT, Record};
use crate::vault::seal::{self, KEY_LEN, Key, Randomness, SystemRandomness, VaultKeys};
use crate::vault::slot::{Credential, Ikm, Slot, SlotInfo, SlotKind, Tried};
use crate::vault::stamp::Hlc;
use crate::vault::{Files, Rollback, recovery};

/// At most this many passphrase slots are tried: each costs a key derivation.
pub(super) const MAX_PASSPHRASES: usize = 4;

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
        let sealed = read(&files.vault, limit)?;
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
        let mut sealed = self.sealed;
        let id = sealed.header.vault_id;
        let mut found = pin::read(&self.files.state, &id);
        if let pin::Found::Pin(seen) = &found
            && is_behind(&sealed, seen)
        {
            // While the key was derived, another process may have saved: then the pin is right and we are late.
            match read(&self.files.vault, self.limit) {
                Ok(newer) if newer.header.vault_id == id && !is_behind(&newer, seen) => {
                    if !newer.is_under(&dek) {
                        return Err(VaultError::ChangedKeys {
                            path: self.files.vault.clone(),
                        });
                    }
                    sealed = newer;
                    found = pin::read(&self.files.state, &id);
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
        let (seen, device) = match &found {
            pin::Found::Pin(pin) => (pin.generation, pin.device),
            pin::Found::Nothing | pin::Found::Damaged => (0, seal::random(&*self.random)?),
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
        vault.opened_by = Some(slot);
        vault.set_records(merge::merge(records, Vec::new()));
        if vault.header.generation >= seen || rollback == Rollback::Accept {
            vault.write_pin();
        }
        Ok(vault)
    }
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
    let bytes = file::read(path, MAX_FILE)?;
    let sealed = Sealed::read(bytes).map_err(|fault| VaultError::Damaged {
        path: path.into(),
        fault,
    })?;
    let mut costs = sealed.header.slots.iter().filter_map(Slot::kdf);
    if limit == KdfLimit::Usual
        && let Some(costly) = costs.find(|kdf| !kdf.is_usual())
    {
        let (m_kib, t, _) = costly.get();
        return Err(VaultError::CostlyKdf { m_kib, t });
    }
    Ok(sealed)
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

/// A record and what it shows.
pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) view: View,
}

/// What a record shows.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are accounts: a box each would only cost"
)]
pub(super) enum View {
    Account(Summary),
    /// Kept, not understood.
    Unknown(AccountId),
    /// A tombstone.
    Gone(AccountId),
}

impl Entry {
    pub(super) fn new(record: Record, id: AccountId) -> Self {
        let view = if record.is_tombstone() {
            View::Gone(id)
        } else {
            let summary = record
                .is_account()
                .then(|| fields::read(record.fields(), id, record.flags & CONFLICT != 0));
            summary.flatten().map_or(View::Unknown(id), View::Account)
        };
        Self { record, view }
    }

    pub(super) fn id(&self) -> &AccountId {
        match &self.view {
            View::Account(summary) => &summary.id,
            View::Unknown(id) | View::Gone(id) => id,
        }
    }

    pub(super) fn summary(&self) -> Option<&Summary> {
        match &self.view {
            View::Account(summary) => Some(summary),
            View::Unknown(_) | View::Gone(_) => None,
        }
    }
}

/// An open vault: the index in clear, the secrets still sealed, changes in memory until [`Unlocked::save`].
pub struct Unlocked {
    pub(super) files: Files,
    pub(super) place: Place,
    pub(super) header: Header,
    pub(super) entries: Vec<Entry>,
    pub(super) rest: Rest,
    pub(super) dek: Key,
    /// The DEK of the file on disk, when ours has changed since.
    pub(super) disk_dek: Option<Key>,
    /// HEADER_MAC of the file last read or written.
    pub(super) base_mac: [u8; KEY_LEN],
    /// The highest generation ever seen here.
    pub(super) highest: u64,
    /// The latest stamp of all records.
    pub(super) top: Hlc,
    /// The slot that took the credential.
    pub(super) opened_by: Option<[u8; 8]>,
    /// Slots removed since the file was read: a merge doesn't bring them back.
    pub(super) removed_slots: Vec<[u8; 8]>,
    pub(super) device: [u8; 16],
    pub(super) dirty: bool,
    /// Accounts by a keyed digest of their secrets, made when the first one is added.
    pub(super) by_secret: Option<BySecret>,
    /// Accounts by issuer and name, and the ids that are taken; made when the first one is added.
    pub(super) by_name: Option<ByName>,
    pub(super) random: Arc<dyn Randomness>,
    #[cfg(test)]
    pub(super) locking: crate::vault::save::Locking,
}

/// Accounts by a digest of their secrets under a key that lives as long as this value.
pub(super) struct BySecret {
    pub(super) key: Key,
    pub(super) ids: HashMap<[u8; KEY_LEN], Vec<AccountId>>,
}

/// The accounts outside the trash by issuer and name, and every id in use.
pub(super) struct ByName {
    pub(super) names: HashMap<(String, String), AccountId>,
    pub(super) taken: HashSet<AccountId>,
}

impl Unlocked {
    /// A vault without records, as if just read.
    pub(super) fn assemble(
        files: Files,
        place: Place,
        header: Header,
        rest: Rest,
        dek: Key,
        device: [u8; 16],
        random: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            files,
            place,
            highest: header.generation,
            header,
            entries: Vec::new(),
            rest,
            dek,
            disk_dek: None,
            base_mac: [0; KEY_LEN],
            top: Hlc::default(),
            opened_by: None,
            removed_slots: Vec::new(),
            device,
            dirty: false,
            by_secret: None,
            by_name: None,
            random,
            #[cfg(test)]
            locking: crate::vault::save::Locking::Usual,
        }
    }

    /// Every account that isn't in the trash, without a copy.
    pub fn live(&self) -> impl Iterator<Item = &Summary> {
        self.known().filter(|summary| summary.trashed.is_none())
    }

    /// The accounts in the trash.
    pub fn trash(&self) -> Vec<Summary> {
        self.known()
            .filter(|summary| summary.trashed.is_some())
            .cloned()
            .collect()
    }

    fn known(&self) -> impl Iterator<Item = &Summary> {
        self.entries.iter().filter_map(Entry::summary)
    }

    /// Counts the saves.
    pub fn generation(&self) -> u64 {
        self.header.generation
    }

    /// Random, given once when the vault was made.
    pub fn vault_id(&self) -> [u8; 16] {
        self.header.vault_id
    }

    /// The slots, removed and added ones included that aren't saved yet.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.header.slots.iter().map(Slot::info).collect()
    }

    /// The slot that took the credential; none right after the vault was made by a caller who knows it, or when that slot
    /// was removed since.
    pub fn opened_by(&self) -> Option<SlotInfo> {
        let id = self.opened_by?;
        self.header
            .slots
            .iter()
            .find(|slot| slot.id == id)
            .map(Slot::info)
    }

    /// Whether there is something to save.
    pub fn is_changed(&self) -> bool {
        self.dirty
    }

    /// Whether the credential opens this vault: asked again before a secret is shown.
    ///
    /// # Errors
    /// A recovery code with a typing error; no memory for the key derivation; an empty passphrase. A credential that fits
    /// no slot, or fits and is wrong, is `false`.
    pub fn confirms(&self, credential: &Credential) -> Result<bool, VaultError> {
        match find_dek(&self.header, credential, &self.files) {
            Ok(_) => Ok(true),
            Err(VaultError::WrongPassphrase(_) | VaultError::NoSlotFor { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Takes records (in the order of names, conflicts marked) in place of the present ones.
    pub(super) fn set_records(&mut self, records: Vec<Record>) {
        let mut entries: Vec<Entry> = Vec::with_capacity(records.len());
        for record in records {
            self.top = self.top.max(record.hlc);
            let is_first = entries
                .last()
                .is_none_or(|last| last.record.id != record.id);
            let id = merge::shown_id(&record, is_first);
            entries.push(Entry::new(record, id));
        }
        self.entries = entries;
        self.by_secret = None;
        self.by_name = None;
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.entries.iter().map(|entry| &entry.record)
    }

    /// This machine's number in the vault; it gets one with its first change.
    pub(super) fn device_number(&mut self) -> u16 {
        if let Some(device) = self
            .rest
            .devices
            .iter()
            .find(|device| device.id == self.device)
        {
            return device.number;
        }
        let last = self
            .rest
            .devices
            .iter()
            .map(|device| device.number)
            .max()
            .unwrap_or(0);
        match last.checked_add(1) {
            Some(number) if self.rest.devices.len() < MAX_DEVICES => {
                self.rest.devices.push(Device {
                    number,
                    id: self.device,
                });
                number
            }
            // 0 is everybody's: ties are decided by content then.
            Some(_) | None => 0,
        }
    }

    /// Notes what was seen. A pin that can't be written is no reason to refuse anything: `examine` tells.
    pub(super) fn write_pin(&self) {
        let pin = Pin {
            generation: self.highest,
            header_mac: self.base_mac,
            device: self.device,
        };
        let key = VaultKeys::new(&self.dek, &self.header.vault_id).pin();
        drop(pin::write(
            &self.files.state,
            &self.header.vault_id,
            &pin,
            &key,
            &*self.random,
        ));
    }
}

/// Makes a new vault, saved durably before this returns, and its recovery code. Missing directories are made, for the owner
/// alone.
///
/// # Errors
/// A file is there already, or it can't be written; then nothing is there that wasn't before.
pub fn create(
    files: &Files,
    credential: &Credential,
    kdf: KdfParams,
    now: UnixTime,
) -> Result<(Unlocked, SecretText), VaultError> {
    create_with(files, credential, kdf, now, Arc::new(SystemRandomness))
}

pub(super) fn create_with(
    files: &Files,
    credential: &Credential,
    kdf: KdfParams,
    _now: UnixTime,
    random: Arc<dyn Randomness>,
) -> Result<(Unlocked, SecretText), VaultError> {
    let place = Place::of(&files.vault)?;
    let exists = std::fs::symlink_metadata(&place.vault).is_ok();
    if exists {
        // Before the key derivation: the person needn't wait for it. The link below is what really keeps it safe.
        return Err(VaultError::Exists {
            path: files.vault.clone(),
        });
    }
    let (mut vault, code) = build(files, place, credential, kdf, random)?;
    file::make_dirs(&vault.place.dir)?;
    vault.place = Place::of(&files.vault)?;
    let held = file::lock(&vault.place)?;
    if held.is_alone() {
        file::sweep(&vault.place);
    }
    let entries = std::mem::take(&mut vault.entries);
    let records = entries.iter().map(|entry| &entry.record);
    let written = container::write(
        &mut vault.header,
        records,
        &vault.rest,
        &vault.dek,
        &*vault.random,
    )?;
    vault.entries = entries;
    Temp::write(&vault.place, &written.bytes, &*vault.random)?
        .place_new(&vault.place, &written.bytes)?;
    match file::sync_dir(&vault.place.dir) {
        Ok(()) => {}
        // It can't be done better here, and no vault at all is worse.
        Err(e) if file::lacks_dir_sync(&e) => {}
        Err(e) => {
            // Still locked, new, and nobody has been told of it.
            drop(std::fs::remove_file(&vault.place.vault));
            return Err(file::io("make durable", &vault.place.dir, e));
        }
    }
    if file::read(&vault.place.vault, MAX_FILE)? != written.bytes {
        return Err(VaultError::ReadBack {
            path: files.vault.clone(),
        });
    }
    vault.base_mac = written.mac;
    vault.write_pin();
    drop(held);
    Ok((vault, code))
}

/// A vault in memory: one slot for the credential, one for a recovery code.
fn build(
    files: &Files,
    place: Place,
    credential: &Credential,
    kdf: KdfParams,
    random: Arc<dyn Randomness>,
) -> Result<(Unlocked, SecretText), VaultError> {
    let vault_id = seal::random(&*random)?;
    let dek = Key::random(&*random)?;
    let header = Header {
        minor: header::MINOR,
        vault_id,
        generation: 1,
        payload_salt: [0; KEY_LEN],
        payload_len: 0,
        slots: Vec::new(),
        extensions: Vec::new(),
    };
    let device = seal::random(&*random)?;
    let mut vault = Unlocked::assemble(
        files.clone(),
        place,
        header,
        Rest::default(),
        dek,
        device,
        random,
    );
    let slot = vault.insert_slot(credential, kdf)?;
    vault.opened_by = Some(slot.id);
    let code = recovery::write(&recovery::new(&*vault.random)?);
    vault.insert_slot(&Credential::RecoveryCode(code.duplicate()), kdf)?;
    vault.device_number();
    Ok((vault, code))
}

impl Unlocked {
    /// Makes a slot for a credential and keeps its key material, sealed.
    pub(super) fn insert_slot(
        &mut self,
        credential: &Credential,
        kdf: KdfParams,
    ) -> Result<SlotInfo, VaultError> {
        if self.header.slots.len() >= header::MAX_SLOTS {
            return Err(VaultError::TooManySlots {
                what: "slots",
                max: header::MAX_SLOTS,
            });
        }
        let (slot, ikm) = Slot::new(
            credential,
            kdf,
            &self.header.vault_id,
            &self.dek,
            &*self.random,
        )?;
        let info = slot.info();
        let passphrases = self
            .header
            .slots
            .iter()
            .filter(|slot| slot.kdf().is_some())
            .count();
        if matches!(info.kind, SlotKind::Passphrase { .. }) && passphrases >= MAX_PASSPHRASES {
            return Err(VaultError::TooManySlots {
                what: "passphrase slots",
                max: MAX_PASSPHRASES,
            });
        }
        let key = self.seal_slot_key(slot.id, &ikm)?;
        self.rest.slot_keys.push(key);
        self.header.slots.push(slot);
        Ok(info)
    }

    pub(super) fn seal_slot_key(&self, slot: [u8; 8], ikm: &Ikm) -> Result<SlotKey, VaultError> {
        let ikm = seal::Sealed::new(&self.dek, SLOT_IKM, &slot, ikm, &*self.random)?;
        Ok(SlotKey { slot, ikm })
    }
}
