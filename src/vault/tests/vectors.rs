//! `vectors/vault/v1/`: vaults that every later version must open, and single faults that it must refuse.
//!
//! The files are made by this module from a fixed stream of "random" bytes, so the test can show that they are still what
//! the writer writes. Faults behind the MAC are sealed again under the known DEK: each check is tested by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::vault::container::Sealed as SealedFile;
use crate::vault::error::hex;
use crate::vault::record::Record;
use crate::vault::unlocked::Entry;
use faults::bads;
use goods::{Good, goods};

mod faults;
mod goods;

const PASSPHRASE: &str = "correct horse battery staple";
const KEY_FILE: [u8; 48] = *b"a key file of 48 bytes for the vectors of vmfa 1";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/vault/v1"))
}

fn key_file() -> Credential {
    Credential::KeyFile(Secret::new(KEY_FILE.to_vec()))
}

/// A credential as the manifest writes it.
fn credential(value: &Value) -> Credential {
    let text = |name: &str| {
        value
            .get(name)
            .map(|text| SecretText::new(text.as_str().unwrap().into()))
    };
    let file = value
        .get("key_file")
        .map(|_| Secret::new(KEY_FILE.to_vec()));
    match (text("passphrase"), file, text("recovery_code")) {
        (Some(passphrase), None, None) => Credential::Passphrase(passphrase),
        (Some(passphrase), Some(file), None) => Credential::PassphraseAndKeyFile(passphrase, file),
        (None, Some(file), None) => Credential::KeyFile(file),
        (None, None, Some(code)) => Credential::RecoveryCode(code),
        (_, _, _) => panic!("{value}"),
    }
}

fn with_id(mut account: Account, id: u8) -> Account {
    account.summary.id = AccountId::from_bytes([id; 16]);
    account
}

/// All that a vault holds, as JSON.
fn content(vault: &Unlocked) -> Value {
    let accounts: Vec<Value> = vault
        .entries
        .iter()
        .filter_map(Entry::summary)
        .map(|summary| {
            let account = vault.account(&summary.id).unwrap();
            let mut told = json!({
                "id": summary.id.to_string(),
                "issuer": summary.issuer,
                "name": summary.name,
                "label_issuer": summary.label_issuer,
                "type": summary.scheme.name(),
                "algorithm": summary.scheme.algorithm_name(),
                "digits": summary.scheme.digits(),
                "period": summary.scheme.period(),
                "t0": summary.scheme.t0(),
                "counter": summary.counter,
                "tags": summary.tags,
                "note": summary.note,
                "favorite": summary.favorite,
                "serial_number": summary.serial_number,
                "image": summary.image,
                "added": summary.added,
                "trashed": summary.trashed,
                "conflict": summary.conflict,
                "secret": hex(account.secret.expose()),
                "pin": account.pin.as_ref().map(SecretText::expose),
            });
            // Told where it is so: the first vectors are older than this field.
            if summary.confirm {
                told["confirm"] = true.into();
            }
            told
        })
        .collect();
    let unknown: Vec<Value> = vault
        .unknown_records()
        .iter()
        .map(|r| json!({ "id": r.id.to_string(), "type": r.kind }))
        .collect();
    let keys: Vec<Value> = vault
        .access_keys()
        .unwrap()
        .iter()
        .map(|key| {
            let (given, secret) = vault.access_key(&key.profile).unwrap().unwrap();
            assert_eq!(given, *key);
            json!({
                "profile": key.profile,
                "access_key_id": key.access_key_id,
                "added": key.added,
                "secret": secret.expose(),
            })
        })
        .collect();
    let mut told = json!({
        "vault_id": hex(&vault.vault_id()),
        "generation": vault.generation(),
        "accounts": accounts,
        "unknown_records": unknown,
        "tombstones": vault.entries.iter().filter(|entry| entry.record.is_tombstone()).count(),
    });
    // Told where there are any: the first vectors are older than they.
    if !keys.is_empty() {
        told["access_keys"] = keys.into();
    }
    told
}

/// What differs from the base, as `offset:hex` words and the length; bases are of about the same length.
fn patch(base: &[u8], bytes: &[u8]) -> Value {
    let mut edits: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if base.get(at) == Some(byte) {
            continue;
        }
        match edits.last_mut() {
            // A few equal bytes between two differences cost less than a new edit.
            Some((from, run)) if at - (*from + run.len()) < 4 => {
                run.extend_from_slice(&bytes[*from + run.len()..=at]);
            }
            Some(_) | None => edits.push((at, vec![*byte])),
        }
    }
    let mut text = String::new();
    for (at, run) in edits {
        let _ = write!(
            text,
            "{}{at}:{}",
            if text.is_empty() { "" } else { " " },
            hex(&run)
        );
    }
    json!({ "len": bytes.len(), "edits": text })
}

fn unpatch(base: &[u8], patch: &Value) -> Vec<u8> {
    let mut bytes = base.to_vec();
    bytes.resize(patch["len"].as_u64().unwrap() as usize, 0);
    for edit in patch["edits"].as_str().unwrap().split_whitespace() {
        let (at, digits) = edit.split_once(':').unwrap();
        let at: usize = at.parse().unwrap();
        for (n, pair) in digits.as_bytes().chunks(2).enumerate() {
            bytes[at + n] = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        }
    }
    bytes
}

/// Every file of the folder but its README.
fn made() -> BTreeMap<String, Vec<u8>> {
    let goods = goods();
    let mut files = BTreeMap::new();
    files.insert("key_file.bin".into(), KEY_FILE.to_vec());
    for (name, good) in &goods {
        files.insert(format!("{name}.vmfa"), good.bytes.clone());
        let about = json!({ "opens_with": good.opens_with, "content": good.content });
        files.insert(format!("{name}.json"), format!("{about:#}\n").into_bytes());
    }
    let mut lines = String::new();
    for bad in bads(&goods) {
        let line = json!({
            "name": bad.name,
            "base": format!("{}.vmfa", bad.base),
            "patch": patch(&goods[bad.base].bytes, &bad.bytes),
            "credential": bad.credential,
            "expect": bad.expect,
        });
        let _ = writeln!(lines, "{line}");
    }
    files.insert("faults.jsonl".into(), lines.into_bytes());
    files
}

#[test]
fn the_writer_still_writes_the_vectors() {
    let mut differing = Vec::new();
    let new = std::env::temp_dir().join("vmfa-vault-vectors");
    for (name, content) in made() {
        let path = folder().join(&name);
        if !path.exists() || !is_same(&name, &bytes(&path), &content) {
            std::fs::create_dir_all(&new).unwrap();
            put(&new.join(&name), &content);
            differing.push(name);
        }
    }
    // A changed format must not go unnoticed: who means it copies the files and says so in the change log.
    assert!(
        differing.is_empty(),
        "differ from vectors/vault/v1, the new ones are in {}: {differing:?}",
        new.display()
    );
}

/// JSON is compared by what it says, not by the order of its keys.
fn is_same(name: &str, a: &[u8], b: &[u8]) -> bool {
    let values = |bytes: &[u8]| -> Vec<Value> {
        serde_json::Deserializer::from_slice(bytes)
            .into_iter()
            .map(Result::unwrap)
            .collect()
    };
    if name.contains(".json") {
        values(a) == values(b)
    } else {
        a == b
    }
}

#[test]
fn every_good_vector_opens_with_each_credential() {
    let dir = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "vmfa") {
            continue;
        }
        let about: Value = serde_json::from_slice(&bytes(&path.with_extension("json"))).unwrap();
        for with in about["opens_with"].as_array().unwrap() {
            let files = Files {
                vault: path.clone(),
                state: dir.path().join("state"),
            };
            let locked = Locked::open(&files, KdfLimit::Usual).unwrap();
            let vault = locked
                .unlock(&credential(with), Rollback::Refuse, NOW)
                .unwrap();
            assert_eq!(content(&vault), about["content"], "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 37);
}

#[test]
fn every_fault_is_refused_as_expected() {
    let dir = tempfile::tempdir().unwrap();
    let list = bytes(&folder().join("faults.jsonl"));
    let mut count = 0;
    for line in list
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let fault: Value = serde_json::from_slice(line).unwrap();
        let base = bytes(&folder().join(fault["base"].as_str().unwrap()));
        let path = dir.path().join("vault.vmfa");
        put(&path, &unpatch(&base, &fault["patch"]));
        let files = Files {
            vault: path,
            state: dir.path().join("state"),
        };
        let opened = Locked::open(&files, KdfLimit::Usual).and_then(|locked| {
            locked.unlock(&credential(&fault["credential"]), Rollback::Refuse, NOW)
        });
        let found = match opened {
            Ok(_) => "ok",
            Err(VaultError::Damaged { fault, .. }) => fault.name(),
            Err(VaultError::WrongPassphrase(_) | VaultError::NoSlotFor { .. }) => {
                "wrong-passphrase"
            }
            Err(VaultError::CostlyKdf { .. }) => "costly-kdf",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(
            found,
            fault["expect"].as_str().unwrap(),
            "{}",
            fault["name"]
        );
        count += 1;
    }
    assert!(count > 90, "{count} faults");
}

/// What is from the future stays, byte for byte, through an edit and a save by this version.
#[test]
fn what_is_unknown_outlives_a_save() {
    for name in [
        "unknown_record",
        "unknown_scheme",
        "unknown_field",
        "unknown_slot",
        "unknown_extension",
        "newer_minor",
    ] {
        let bench = Bench::new();
        std::fs::create_dir_all(bench.files.vault.parent().unwrap()).unwrap();
        put(
            &bench.files.vault,
            &bytes(&folder().join(format!("{name}.vmfa"))),
        );
        let open = || {
            Locked::open(&bench.files, KdfLimit::Usual)
                .unwrap()
                .unlock(&key_file(), Rollback::Refuse, NOW)
                .unwrap()
        };
        let mut vault = open();
        let id = AccountId::from_bytes([0xa1; 16]);
        vault
            .change(&id, NOW, |summary| summary.note = "edited".into())
            .unwrap();
        let before: Vec<Record> = vault
            .records()
            .filter(|record| record.id != [0xa1; 16])
            .cloned()
            .collect();
        vault.save(NOW).unwrap();
        let mut after = open();
        let kept: Vec<Record> = after
            .records()
            .filter(|record| record.id != [0xa1; 16])
            .cloned()
            .collect();
        assert_eq!(kept, before);
        assert_eq!(
            after.unknown_records().len(),
            usize::from(matches!(name, "unknown_record" | "unknown_scheme"))
        );
        assert!(after.slots().len() == if name == "unknown_slot" { 3 } else { 2 });
        assert_eq!(
            after.header.extensions.len(),
            usize::from(name == "unknown_extension")
        );
        assert_eq!(
            after.header.minor,
            if name == "newer_minor" { 7 } else { 0 }
        );
        let fields = after
            .records()
            .find(|record| record.id == [0xa1; 16])
            .unwrap()
            .fields()
            .to_vec();
        let has_field = fields
            .windows(19)
            .any(|window| window == b"a field of tomorrow");
        assert_eq!(has_field, name == "unknown_field");
        // It can't be edited by accident, and nothing else is stopped by it.
        let unknown = AccountId::from_bytes([0xc3; 16]);
        if name == "unknown_record" {
            assert!(matches!(
                after.account(&unknown),
                Err(VaultError::NotUnderstood(_))
            ));
            assert!(matches!(
                after.remove(&unknown, NOW),
                Err(VaultError::NotUnderstood(_))
            ));
            // A new DEK seals it again all the same.
            after
                .change_passphrase(&passphrase("x"), KdfParams::LEAST)
                .unwrap_err();
            let extra = after.add_recovery().unwrap().0;
            after.remove_slot(&extra.id).unwrap();
            let record = after
                .records()
                .find(|record| record.id == [0xc3; 16])
                .unwrap();
            let inner = inner::Inner::open(record, &after.dek).unwrap();
            assert_eq!(inner.secret.expose(), b"from the future");
        }
        if name == "unknown_slot" {
            let extra = after.add_recovery().unwrap().0;
            assert!(matches!(
                after.remove_slot(&extra.id),
                Err(VaultError::SlotStuck(_))
            ));
            after.save(NOW).unwrap();
            assert!(after.slots().contains(&extra), "nothing was half done");
        }
        assert!(after.code_at(&id, NOW).is_ok());
    }
}
