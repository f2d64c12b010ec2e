//! Against another implementation's writer, the crate `keepass`: what it seals opens, and what is done to it is told.

use keepass::config::{CompressionConfig, KdfConfig, OuterCipherConfig};
use keepass::db::Value;
use keepass::{Database, DatabaseKey};

use super::*;
use crate::cipher::CipherError;

const PASSPHRASE: &str = "test 鍵";

fn words(text: &str) -> SecretText {
    SecretText::new(text.into())
}

/// A database of one entry, cheap to open.
fn sealed(change: impl FnOnce(&mut Database), key_file: Option<&[u8]>) -> Vec<u8> {
    let mut database = Database::new();
    database.config.kdf_config = KdfConfig::Aes { rounds: 10 };
    let mut entry = database.root_mut();
    let mut entry = entry.add_entry();
    entry.set_unprotected("Title", "Site");
    entry.set("otp", Value::protected("otpauth://totp?secret=JBSWY3DP"));
    entry.set("Password", Value::protected("hunter2"));
    change(&mut database);
    let mut key = DatabaseKey::new().with_password(PASSPHRASE);
    if let Some(mut file) = key_file {
        key = key.with_keyfile(&mut file).unwrap();
    }
    let mut bytes = Vec::new();
    database.save(&mut bytes, key).unwrap();
    bytes
}

fn values(root: &Element) -> Vec<(String, String)> {
    let group = root.child("Root").unwrap().child("Group").unwrap();
    let entry = group.child("Entry").unwrap();
    let text = |field: &Element, name: &str| field.child(name).unwrap().text.to_string();
    let mut values: Vec<_> = entry
        .all("String")
        .map(|field| (text(field, "Key"), text(field, "Value")))
        .collect();
    values.sort();
    values
}

fn assert_opens(bytes: &[u8], key_file: Option<&[u8]>) {
    let root = open(bytes, &words(PASSPHRASE), key_file).ok().unwrap();
    let expected = [
        ("Password", "hunter2"),
        ("Title", "Site"),
        ("otp", "otpauth://totp?secret=JBSWY3DP"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(values(&root), expected);
}

#[track_caller]
fn refused(bytes: &[u8]) -> ImportError {
    open(bytes, &words(PASSPHRASE), None).err().unwrap()
}

#[test]
fn every_cipher_opens_packed_and_not() {
    for cipher in [
        OuterCipherConfig::AES256,
        OuterCipherConfig::Twofish,
        OuterCipherConfig::ChaCha20,
    ] {
        for packing in [CompressionConfig::None, CompressionConfig::GZip] {
            let cipher = cipher.clone();
            let bytes = sealed(
                |database| {
                    database.config.outer_cipher_config = cipher;
                    database.config.compression_config = packing;
                },
                None,
            );
            assert_opens(&bytes, None);
        }
    }
    let argon2 = sealed(
        |database| {
            let mut kdf = keepass::config::DatabaseConfig::default().kdf_config;
            if let KdfConfig::Argon2 {
                iterations, memory, ..
            } = &mut kdf
            {
                (*iterations, *memory) = (2, 64 * 1024);
            }
            database.config.kdf_config = kdf;
        },
        None,
    );
    assert_opens(&argon2, None);
}

#[test]
fn key_files_of_every_kind_open() {
    let hexadecimal = "00".repeat(16) + &"5a".repeat(16);
    let first = "<?xml version=\"1.0\"?><KeyFile><Meta><Version>1.00</Version></Meta>\
        <Key><Data>AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=</Data></Key></KeyFile>";
    let second = format!(
        "<?xml version=\"1.0\"?><KeyFile><Meta><Version>2.0</Version></Meta>\
        <Key><Data Hash=\"0\">{hexadecimal}</Data></Key></KeyFile>"
    );
    let files: [&[u8]; 5] = [
        b"anything at all",
        &[7; 32],
        hexadecimal.as_bytes(),
        first.as_bytes(),
        second.as_bytes(),
    ];
    for file in files {
        let bytes = sealed(|_| {}, Some(file));
        assert_opens(&bytes, Some(file));
        assert_eq!(refused(&bytes), ImportError::WrongPassphrase);
    }
    let empty = b"<KeyFile><Key></Key></KeyFile>";
    let opened = open(&sealed(|_| {}, None), &words(""), Some(empty));
    assert_eq!(opened.err().unwrap().class(), "bad_file");
}

#[test]
fn a_wrong_passphrase_is_told_from_every_damage() {
    let bytes = sealed(|_| {}, None);
    let wrong = open(&bytes, &words("test"), None).err();
    assert_eq!(wrong, Some(ImportError::WrongPassphrase));
    for at in 0..bytes.len() {
        let error = refused(&bytes[..at]);
        assert_eq!(error.class(), "bad_file", "cut off at {at}: {error}");
    }
    let header = Header::read(&bytes).ok().unwrap().len;
    for at in (0..bytes.len()).step_by(3) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let class = open(&altered, &words(PASSPHRASE), None)
            .map_err(|error| error.class())
            .err();
        let is_mac = (header + HASH..header + 2 * HASH).contains(&at);
        match class {
            // The MAC of the header alone can't be told from a wrong passphrase.
            Some("wrong_password") => assert!(is_mac, "{at}"),
            Some("bad_file" | "bad_version" | "kdf_params_out_of_range") => assert!(!is_mac),
            other => panic!("{at}: {other:?}"),
        }
    }
}

/// The header's piece behind a name in its dictionary, set to another number.
fn with_number(bytes: &[u8], name: &[u8], number: u64) -> Vec<u8> {
    let mut key = (name.len() as u32).to_le_bytes().to_vec();
    key.extend(name);
    let at = bytes
        .windows(key.len())
        .position(|piece| piece == key)
        .unwrap()
        + key.len();
    let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut changed = bytes.to_vec();
    changed[at + 4..at + 4 + len].copy_from_slice(&number.to_le_bytes()[..len]);
    changed
}

#[test]
fn a_key_too_dear_is_refused_before_anything_is_asked_of_the_machine() {
    let aes = sealed(|_| {}, None);
    let argon2 = sealed(
        |database| database.config = keepass::config::DatabaseConfig::default(),
        None,
    );
    for (bytes, name, number) in [
        (&aes, &b"R"[..], u64::MAX),
        (&argon2, b"M", 1 << 50),
        (&argon2, b"M", 0),
        (&argon2, b"I", u64::MAX),
        (&argon2, b"I", 0),
        (&argon2, b"P", u64::from(u32::MAX)),
        (&argon2, b"P", 0),
    ] {
        let error = refused(&with_number(bytes, name, number));
        assert!(
            matches!(error, ImportError::Cost(CipherError::OutOfRange { .. })),
            "{error}"
        );
    }
    assert_eq!(
        refused(&with_number(&argon2, b"V", 0x99)).class(),
        "bad_version"
    );
}

#[test]
fn what_unpacks_without_end_is_stopped() {
    let much = sealed(
        |database| {
            let mut root = database.root_mut();
            let mut entry = root.add_entry();
            entry.set_unprotected("Notes", "a".repeat(MAX_MEMBER as usize + 1));
        },
        None,
    );
    assert!(much.len() < 1 << 20);
    let error = refused(&much);
    assert_eq!(error, ImportError::ArchiveTooLarge { max: MAX_MEMBER });
}
