//! Putting a backup in the vault's place.

use std::path::Path;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::vault::backup::Aside;
use crate::vault::body::Rest;
use crate::vault::container::{self, Sealed};
use crate::vault::error::{Fault, VaultError};
use crate::vault::file::{self, MAX_FILE, Place, Temp};
use crate::vault::kdf::KdfLimit;
use crate::vault::merge;
use crate::vault::open;
use crate::vault::pin;
use crate::vault::record::Record;
use crate::vault::seal::{self, Key, Randomness, SystemRandomness};
use crate::vault::slot::{Credential, Slot, SlotInfo};
use crate::vault::unlocked::Unlocked;
use crate::vault::{Files, backup};

/// The slots of a backup, or of any vault file, as its (not yet verified) header lists them: which credential to ask for
/// before [`restore_backup`].
///
/// # Errors
/// As [`Locked::open`](crate::vault::Locked::open), but a missing file is a missing backup.
pub fn backup_slots(backup: &Path, limit: KdfLimit) -> Result<Vec<SlotInfo>, VaultError> {
    let sealed = open::read_copy(backup, limit)?;
    Ok(sealed.header.slots.iter().map(Slot::info).collect())
}

/// Puts a backup, or any vault file that opens with `credential`, in the vault's place. Refuses a file that doesn't open.
/// The generation continues above the highest one seen.
///
/// What stood there becomes a backup itself if it is a generation of the same vault that opens completely, with the keys
/// known to the backup or with `credential`. Anything else, a file that can't be read included, is set aside under a name
/// that no save and no purge deletes: [`Unlocked::set_aside`] says where.
///
/// HOTP counters are the greatest ones of the backup, of what stood there and of the other backups, as far as these open: a
/// code once given isn't given again, also when a second backup follows the first.
///
/// # Errors
/// The backup doesn't open; the vault can't be written.
pub fn restore_backup(
    files: &Files,
    backup: &Path,
    credential: &Credential,
    limit: KdfLimit,
    _now: UnixTime,
) -> Result<Unlocked, VaultError> {
    let random: Arc<dyn Randomness> = Arc::new(SystemRandomness);
    let sealed = open::read_copy(backup, limit)?;
    let from = Files {
        vault: backup.into(),
        state: files.state.clone(),
    };
    let (dek, slot) = open::find_dek(&sealed.header, credential, &from)?;
    let (header, records, rest) = sealed
        .open(&dek)
        .map_err(|fault| open::damaged(&from, fault))?;

    let place = Place::of(&files.vault)?;
    file::make_dirs(&place.dir)?;
    let place = Place::of(&place.vault)?;
    let held = file::lock(&place, || {})?;
    if held.is_alone() {
        backup::sweep(&place);
    }
    let mut unreadable = false;
    let current = match file::read(&place.vault, MAX_FILE) {
        Ok(bytes) => Some(bytes),
        Err(VaultError::Missing { .. }) => None,
        // Larger than any vault, or on a failing disk: it is what the backup is for.
        Err(VaultError::TooLarge { .. } | VaultError::Io { .. }) => {
            unreadable = true;
            None
        }
        Err(other) => return Err(other),
    };
    let present = match &current {
        Some(bytes) => judge(
            bytes,
            &header.vault_id,
            &dek,
            &rest,
            credential,
            limit,
            files,
        ),
        None => Present::Nothing,
    };
    let keys = container::known_keys(&rest, &dek, &header.vault_id);
    let (seen, device) = match pin::read_genuine(&files.state, &header.vault_id, keys) {
        Some(pin) => (pin.generation, pin.device),
        None => (0, seal::random(&*random)?),
    };
    let on_disk = match &present {
        Present::Generation(generation, _) => *generation,
        Present::Aside(_) | Present::Nothing => 0,
    };
    let highest = header
        .generation
        .max(seen)
        .max(on_disk)
        .max(backup::highest(&place, &header.vault_id));
    let mut vault = Unlocked::assemble(files.clone(), place, header, rest, dek, device, random);
    vault.opened_by = Some(slot);
    vault.highest = highest;
    let mut records = merge::merge(records, Vec::new());
    if let Present::Generation(_, there) = &present {
        merge::raise_counters(&mut records, there);
    }
    for seen in in_backups(files, &vault, credential, limit) {
        merge::raise_counters(&mut records, &seen);
    }
    vault.set_records(records);
    vault.read_top = vault.top;

    vault.header.generation = highest.checked_add(1).ok_or(VaultError::LastGeneration)?;
    let mut header = vault.header.clone();
    let written = container::write(
        &mut header,
        vault.records(),
        &vault.rest,
        &vault.dek,
        &*vault.random,
    )?;
    let mut temp = Temp::write_vault(&vault.place, &written, &*vault.random)?;
    if unreadable {
        vault.set_aside = Some(backup::set_aside_unread(&vault.place)?);
    }
    match (&current, present) {
        (Some(bytes), Present::Generation(generation, _)) => {
            backup::keep(&vault.place, bytes, generation)?;
        }
        (Some(bytes), Present::Aside(why)) => {
            vault.set_aside = Some(backup::set_aside(&vault.place, bytes, why)?);
        }
        (Some(_), Present::Nothing) | (None, _) => {}
    }
    if current.is_none() && !unreadable {
        // Not over what another program may have put there meanwhile.
        temp.place_new(&vault.place, &written.bytes)?;
    } else if temp.swap(&vault.place) {
        // It may have put something there since it was read.
        let is_known = match (file::read(temp.path(), MAX_FILE), &current) {
            (Ok(there), Some(read)) => there == *read,
            (Ok(_), None) => false,
            (Err(_), read) => read.is_none(),
        };
        if !is_known {
            vault.set_aside = Some(backup::move_aside(&vault.place, &mut temp)?);
        }
    } else {
        temp.replace(&vault.place)?;
    }
    let synced = file::sync_dir(&vault.place.dir);
    if file::read(&vault.place.vault, MAX_FILE)? != written.bytes {
        return Err(VaultError::ReadBack {
            path: files.vault.clone(),
        });
    }
    match synced {
        Ok(()) => {}
        Err(e) if file::lacks_dir_sync(&e) => {}
        Err(e) => return Err(file::io("make durable", &vault.place.dir, e)),
    }
    vault.header = header;
    vault.highest = vault.header.generation;
    vault.base_mac = written.mac;
    vault.write_pin();
    drop(held);
    Ok(vault)
}

/// The records of each backup of this vault that opens, with the keys that it knows or with the credential.
fn in_backups(
    files: &Files,
    vault: &Unlocked,
    credential: &Credential,
    limit: KdfLimit,
) -> Vec<Vec<Record>> {
    let id = vault.header.vault_id;
    let mut keys: Vec<Key> = container::known_keys(&vault.rest, &vault.dek, &id).collect();
    let found = backup::backups(files).unwrap_or_default();
    let own = found.iter().filter(|one| one.vault_id == Some(id));
    let records = own.filter_map(|one| {
        let sealed = open::read_copy(&one.path, limit).ok()?;
        if !keys.iter().any(|key| sealed.is_under(key)) {
            // One derivation for all that are under the same key.
            keys.push(open::find_dek(&sealed.header, credential, files).ok()?.0);
        }
        let key = keys.iter().find(|key| sealed.is_under(key))?;
        Some(sealed.open(key).ok()?.1)
    });
    records.collect()
}

/// What stands in the vault's place.
enum Present {
    /// No file, or an empty one.
    Nothing,
    /// A generation of the same vault, whole, and its records.
    Generation(u64, Vec<Record>),
    /// Nothing that may count as a backup.
    Aside(Aside),
}

/// Judges what is about to be replaced by a vault with this id, key and earlier keys.
fn judge(
    bytes: &[u8],
    vault_id: &[u8; 16],
    dek: &Key,
    rest: &Rest,
    credential: &Credential,
    limit: KdfLimit,
    files: &Files,
) -> Present {
    let sealed = match Sealed::read(bytes.to_vec()) {
        Ok(sealed) => sealed,
        Err(Fault::Empty) => return Present::Nothing,
        // Written by a newer version, as far as one can see.
        Err(Fault::Newer { .. } | Fault::CriticalExtension(_) | Fault::Suite(_)) => {
            return Present::Aside(Aside::Unknown);
        }
        Err(_) => return Present::Aside(Aside::Damaged),
    };
    if sealed.header.vault_id != *vault_id {
        return Present::Aside(Aside::Unknown);
    }
    let known = container::known_keys(rest, dek, vault_id).find(|key| sealed.is_under(key));
    let key = known.or_else(|| {
        open::within(&sealed.header, limit).ok()?;
        let (key, _) = open::find_dek(&sealed.header, credential, files).ok()?;
        Some(key)
    });
    let generation = sealed.header.generation;
    match key.map(|key| sealed.open(&key)) {
        Some(Ok((_, records, _))) => Present::Generation(generation, records),
        Some(Err(_)) => Present::Aside(Aside::Damaged),
        None => Present::Aside(Aside::Unknown),
    }
}
