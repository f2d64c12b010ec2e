//! A new vault.

use std::sync::Arc;

use crate::clock::UnixTime;
use crate::secret::SecretText;
use crate::vault::Files;
use crate::vault::backup::{self, backups};
use crate::vault::body::Rest;
use crate::vault::container;
use crate::vault::error::VaultError;
use crate::vault::file::{self, MAX_FILE, Place, Temp};
use crate::vault::header::{self, Header};
use crate::vault::kdf::KdfParams;
use crate::vault::recovery;
use crate::vault::seal::{self, KEY_LEN, Key, Randomness, SystemRandomness};
use crate::vault::slot::Credential;
use crate::vault::unlocked::Unlocked;

/// Makes a new vault, saved durably before this returns, and its recovery code. Missing directories are made, for the owner
/// alone.
///
/// # Errors
/// A file is there already; backups stand where its own would, so that an earlier vault is missing here rather than none
/// needed; it can't be written. Then nothing is there that wasn't before.
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
    if place.dir.exists() && !backups(files)?.is_empty() {
        return Err(VaultError::BackupsThere {
            path: files.vault.clone(),
        });
    }
    let (mut vault, code) = build(files, place, credential, kdf, random)?;
    file::make_dirs(&vault.place.dir)?;
    vault.place = Place::of(&files.vault)?;
    let held = file::lock(&vault.place, || {})?;
    if held.is_alone() {
        backup::sweep(&vault.place);
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
    Temp::write_vault(&vault.place, &written, &*vault.random)?
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
