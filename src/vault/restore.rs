//! Putting a backup in the vault's place.

use std::path::Path;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::vault::container;
use crate::vault::error::{Fault, VaultError};
use crate::vault::file::{self, MAX_FILE, Place, Temp};
use crate::vault::header::Header;
use crate::vault::kdf::KdfLimit;
use crate::vault::merge;
use crate::vault::open;
use crate::vault::pin;
use crate::vault::seal::{self, Randomness, SystemRandomness};
use crate::vault::slot::Credential;
use crate::vault::unlocked::Unlocked;
use crate::vault::{Files, backup};

/// Puts a backup, or any vault file that opens with `credential`, in the vault's place; what stood there (even a damaged
/// file) becomes a backup itself. Refuses a file that doesn't open. The generation continues above the highest one seen.
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
    let sealed = open::read(backup, limit)?;
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
    let held = file::lock(&place)?;
    if held.is_alone() {
        file::sweep(&place);
    }
    let current = match file::read(&place.vault, MAX_FILE) {
        Ok(bytes) => Some(bytes),
        Err(VaultError::Missing { .. }) => None,
        Err(other) => return Err(other),
    };
    let present = current
        .as_ref()
        .map(|bytes| Header::read(bytes).map(|(header, _)| header));
    let (seen, device) = match pin::read(&files.state, &header.vault_id) {
        pin::Found::Pin(pin) => (pin.generation, pin.device),
        pin::Found::Nothing | pin::Found::Damaged => (0, seal::random(&*random)?),
    };
    let on_disk = match &present {
        Some(Ok(present)) => present.generation,
        Some(Err(_)) | None => 0,
    };
    let highest = header
        .generation
        .max(seen)
        .max(on_disk)
        .max(backup::highest(&place, &header.vault_id));
    let mut vault = Unlocked::assemble(files.clone(), place, header, rest, dek, device, random);
    vault.opened_by = Some(slot);
    vault.highest = highest;
    vault.set_records(merge::merge(records, Vec::new()));

    vault.header.generation = highest.saturating_add(1);
    let mut header = vault.header.clone();
    let written = container::write(
        &mut header,
        vault.records(),
        &vault.rest,
        &vault.dek,
        &*vault.random,
    )?;
    let temp = Temp::write(&vault.place, &written.bytes, &*vault.random)?;
    match (&current, present) {
        (Some(bytes), Some(Ok(present))) => backup::keep(&vault.place, bytes, present.generation)?,
        (Some(bytes), Some(Err(Fault::Empty))) if bytes.is_empty() => {}
        (Some(bytes), _) => backup::keep_damaged(&vault.place, bytes)?,
        (None, _) => {}
    }
    temp.replace(&vault.place)?;
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
