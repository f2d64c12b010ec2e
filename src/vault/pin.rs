//! The rollback pin: what this machine has seen of a vault, so that an older copy put in its place is noticed.
//!
//! ```text
//! "VMFAPIN1" | vault_id[16] | u64 generation | header_mac[32] | device[16] | mac[32] | check[8]
//! ```
//!
//! `generation` is the highest one seen, `header_mac` that of the file last read or written, `device` names this machine in
//! the vault. `mac` is HMAC under a key derived from the DEK; `check` is the start of a SHA-256 and tells a damaged pin from
//! one whose MAC is under a key that an old copy of the vault doesn't know yet: the latter still counts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::vault::error::{VaultError, hex};
use crate::vault::file::{self, Place};
use crate::vault::seal::{self, KEY_LEN, Key, Randomness, VaultKeys};

const MAGIC: &[u8; 8] = b"VMFAPIN1";
pub(super) const LEN: usize = 8 + 16 + 8 + 32 + 16 + 32 + 8;

/// What a pin says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) generation: u64,
    pub(super) header_mac: [u8; KEY_LEN],
    pub(super) device: [u8; 16],
}

/// What there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// Cut off, altered, unreadable: no reason to refuse the vault, it is written anew.
    Damaged,
    Pin(Pin),
}

pub(super) fn path(state: &Path, vault_id: &[u8; 16]) -> PathBuf {
    state.join(format!("{}.pin", hex(vault_id)))
}

/// Reads the pin of a vault. Its MAC isn't looked at: whoever can write it can delete it too, and an old copy of the vault
/// may lack the key.
pub(super) fn read(state: &Path, vault_id: &[u8; 16]) -> Found {
    match file::read(&path(state, vault_id), LEN as u64) {
        Ok(bytes) => match parse(&bytes, vault_id) {
            Some(pin) => Found::Pin(pin),
            None => Found::Damaged,
        },
        Err(VaultError::Missing { .. }) => Found::Nothing,
        Err(_) => Found::Damaged,
    }
}

/// Reads the pin of a vault if its MAC is right under one of these DEKs. Only such a one is believed what it says; another
/// one may at most be a reason to refuse an older vault.
pub(super) fn read_genuine(
    state: &Path,
    vault_id: &[u8; 16],
    mut deks: impl Iterator<Item = Key>,
) -> Option<Pin> {
    let bytes = file::read(&path(state, vault_id), LEN as u64).ok()?;
    let pin = parse(&bytes, vault_id)?;
    deks.any(|dek| encode(&pin, vault_id, &VaultKeys::new(&dek, vault_id).pin()) == bytes)
        .then_some(pin)
}

pub(super) fn parse(bytes: &[u8], vault_id: &[u8; 16]) -> Option<Pin> {
    if bytes.len() != LEN
        || !bytes.starts_with(MAGIC)
        || bytes[8..24] != *vault_id
        || bytes[LEN - 8..] != check(bytes)
    {
        return None;
    }
    Some(Pin {
        generation: u64::from_le_bytes(bytes[24..32].try_into().ok()?),
        header_mac: bytes[32..64].try_into().ok()?,
        device: bytes[64..80].try_into().ok()?,
    })
}

pub(super) fn check(bytes: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&seal::sha256(&[&bytes[..LEN - 8]])[..8]);
    check
}

/// The pin's bytes.
pub(super) fn encode(pin: &Pin, vault_id: &[u8; 16], key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LEN);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(vault_id);
    bytes.extend_from_slice(&pin.generation.to_le_bytes());
    bytes.extend_from_slice(&pin.header_mac);
    bytes.extend_from_slice(&pin.device);
    let mac = seal::mac(key.bytes(), &[&bytes]);
    bytes.extend_from_slice(&mac);
    bytes.extend_from_slice(&[0; 8]);
    let check = check(&bytes);
    bytes[LEN - 8..].copy_from_slice(&check);
    bytes
}

/// Replaces the pin atomically, mode 0600, unless it says the same already.
///
/// # Errors
/// The state directory can't be written. The vault itself is well then.
pub(super) fn write(
    state: &Path,
    vault_id: &[u8; 16],
    pin: &Pin,
    key: &Key,
    from: &dyn Randomness,
) -> Result<(), VaultError> {
    let path = path(state, vault_id);
    let bytes = encode(pin, vault_id, key);
    if file::read(&path, LEN as u64).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    file::make_dirs(state)?;
    let place = Place::of(&path)?;
    file::Temp::write(&place, &bytes, from)?.replace(&place)
}

/// Pins and what interrupted writes left in the state directory, for `examine`: suffixes of temporary files included.
pub(super) fn leftovers(state: &Path, vault_id: &[u8; 16]) -> usize {
    let Ok(place) = Place::of(&path(state, vault_id)) else {
        return 0;
    };
    place.suffixes().map_or(0, |found| {
        found.iter().filter(|suffix| file::is_temp(suffix)).count()
    })
}

/// Deletes what interrupted writes of this pin left behind.
pub(super) fn sweep(state: &Path, vault_id: &[u8; 16]) {
    if let Ok(place) = Place::of(&path(state, vault_id)) {
        for suffix in place
            .suffixes()
            .unwrap_or_default()
            .iter()
            .filter(|suffix| file::is_temp(suffix))
        {
            drop(fs::remove_file(place.beside(suffix)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::seal::FixedRandomness;

    #[test]
    fn a_pin_reads_back_and_any_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let random = FixedRandomness::new("pin");
        let key = Key::random(&random).unwrap();
        let pin = Pin {
            generation: 7,
            header_mac: [1; 32],
            device: [2; 16],
        };
        let id = [9; 16];
        assert_eq!(read(dir.path(), &id), Found::Nothing);
        write(dir.path(), &id, &pin, &key, &random).unwrap();
        assert_eq!(read(dir.path(), &id), Found::Pin(pin.clone()));
        let bytes = encode(&pin, &id, &key);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 4;
            assert_eq!(parse(&other, &id), None, "byte {at}");
            assert_eq!(parse(&bytes[..at], &id), None);
        }
    }
}
