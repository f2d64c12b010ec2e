//! The vault as a whole, on real files.

use super::*;
use crate::account::{Account, AccountId, Summary};
use crate::authenticator::Authenticator as _;
use crate::clock::UnixTime;
use crate::failure::{Fails as _, Kind};
use crate::keyring::Keyring as _;
use crate::otp::{Algorithm, Digits, Hotp, Scheme, Totp};
use crate::secret::{Secret, SecretText};
use std::path::Path;

mod adversity;
mod backups;
mod bounds;
mod concurrency;
mod copies;
pub(crate) mod evidence;
mod forks;
mod keys;
mod life;
mod saving;
mod underneath;
mod vectors;

pub(super) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A vault in a directory of its own, opened by a key file: its tests need no Argon2id.
pub(super) struct Bench {
    dir: tempfile::TempDir,
    pub(super) files: Files,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            vault: dir.path().join("v/vault.vmfa"),
            state: dir.path().join("state"),
        };
        Self { dir, files }
    }

    pub(super) fn created() -> (Self, Unlocked) {
        let bench = Self::new();
        let (vault, _) = create(&bench.files, &key_file(), KdfParams::LEAST, NOW).unwrap();
        (bench, vault)
    }

    pub(super) fn open(&self) -> Unlocked {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Unlocked, VaultError> {
        Locked::open(&self.files, KdfLimit::Usual)?.unlock(&key_file(), Rollback::Refuse, NOW)
    }

    /// A copy of a vault elsewhere, on a machine of its own.
    pub(super) fn in_place_of(&self, content: &[u8]) -> Files {
        let files = Files {
            vault: self.dir.path().join("copy.vmfa"),
            state: self.dir.path().join("other state"),
        };
        put(&files.vault, content);
        files
    }

    pub(super) fn open_at(&self, files: &Files) -> Unlocked {
        Locked::open(files, KdfLimit::Usual)
            .unwrap()
            .unlock(&key_file(), Rollback::Refuse, NOW)
            .unwrap()
    }

    fn beside(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.files.vault.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn key_file() -> Credential {
    Credential::KeyFile(Secret::new(vec![0x5a; 40]))
}

pub(super) fn passphrase(text: &str) -> Credential {
    Credential::Passphrase(SecretText::new(text.into()))
}

pub(super) fn totp(name: &str, secret: &[u8]) -> Account {
    account(name, secret, Scheme::Totp(Totp::default()))
}

fn hotp(name: &str, secret: &[u8]) -> Account {
    account(
        name,
        secret,
        Scheme::Hotp(Hotp {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
        }),
    )
}

fn account(name: &str, secret: &[u8], scheme: Scheme) -> Account {
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: "Example".into(),
            name: name.into(),
            label_issuer: None,
            scheme,
            counter: None,
            tags: Vec::new(),
            note: String::new(),
            favorite: false,
            confirm: false,
            serial_number: None,
            image: None,
            added: NOW.secs(),
            trashed: None,
            conflict: false,
        },
        secret: Secret::new(secret.to_vec()),
        pin: None,
    }
}

pub(super) fn new_id(added: Added) -> AccountId {
    match added {
        Added::New(id) => id,
        Added::AlreadyThere(_) | Added::Restored(_) | Added::Namesake { .. } => panic!("{added:?}"),
    }
}

/// Bytes of a file, without the library's own reader.
pub(super) fn bytes(path: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

pub(super) fn put(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn fault(error: VaultError) -> Fault {
    match error {
        VaultError::Damaged { fault, .. } => fault,
        other => panic!("{other}"),
    }
}
