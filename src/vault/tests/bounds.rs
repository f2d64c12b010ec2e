//! What no reader takes is never written.

use super::*;
use crate::vault::header::Extension;
use crate::vault::merge;
use crate::vault::record::{ACCOUNT, MAX_RECORD_LEN, Record, TOMBSTONE};
use crate::vault::stamp::Hlc;

/// Saves what can't be saved; nothing on disk changes, and the changes stay.
fn refused(bench: &Bench, vault: &mut Unlocked) -> VaultError {
    let (before, beside) = (bytes(&bench.files.vault), bench.beside());
    let error = vault.save(NOW).unwrap_err();
    assert_eq!(bytes(&bench.files.vault), before);
    assert_eq!(bench.beside(), beside);
    assert!(vault.is_changed());
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.hint().is_some(), "{error}");
    error
}

#[test]
fn a_vault_larger_than_any_reader_takes_is_refused_until_it_is_smaller() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("precious", b"a secret"), NOW).unwrap();
    vault.save(NOW).unwrap();
    let ids: Vec<AccountId> = (0..262u32)
        .map(|n| {
            let mut account = totp(&n.to_string(), &n.to_be_bytes());
            account.summary.note = "x".repeat(1_030_000);
            new_id(vault.add(account, NOW).unwrap())
        })
        .collect();
    let error = refused(&bench, &mut vault);
    assert!(matches!(error, VaultError::FullBytes { len, max } if len > max));
    let shorten = |vault: &mut Unlocked, ids: &[AccountId]| {
        for id in ids {
            vault.change(id, NOW, |s| s.note.clear()).unwrap();
        }
    };
    // The records alone would fit now. With padding, header and tags they don't.
    shorten(&mut vault, &ids[..4]);
    let len: usize = vault.records().map(Record::encoded_len).sum();
    assert!((len as u64) < file::MAX_FILE);
    let error = refused(&bench, &mut vault);
    assert!(matches!(error, VaultError::FullBytes { len, max } if len > max));
    shorten(&mut vault, &ids[4..]);
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    assert_eq!(bench.open().live().count(), 263);
}

fn tombstone(n: u32) -> Record {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    let mut record = Record::new(id, Hlc::at(NOW), 1, ACCOUNT, &[]);
    record.flags = TOMBSTONE;
    record
}

#[test]
fn too_many_records_by_a_merge_are_refused() {
    let (bench, mut ours) = Bench::created();
    ours.set_records(merge::merge((0..99_999).map(tombstone).collect(), vec![]));
    ours.dirty = true;
    ours.save(NOW).unwrap();
    let mut theirs = bench.open();
    ours.add(totp("a", b"secret one"), NOW).unwrap();
    theirs.add(totp("b", b"secret two"), NOW).unwrap();
    theirs.save(NOW).unwrap();
    let error = refused(&bench, &mut ours);
    assert!(matches!(error, VaultError::Full(100_000)), "{error}");
}

#[test]
fn a_record_or_a_header_that_is_too_long_is_refused() {
    let (bench, mut vault) = Bench::created();
    let fields = vec![0; MAX_RECORD_LEN];
    let mut long = Record::new([1; 16], Hlc::at(NOW), 1, ACCOUNT, &fields);
    long.flags = TOMBSTONE;
    vault.set_records(vec![long]);
    vault.dirty = true;
    let error = refused(&bench, &mut vault);
    assert!(
        matches!(error, VaultError::TooLong { what: "record", .. }),
        "{error}"
    );
    vault.set_records(Vec::new());
    vault.header.extensions.push(Extension {
        kind: 1,
        value: vec![0; 65_400],
    });
    let error = refused(&bench, &mut vault);
    assert!(matches!(error, VaultError::HeaderFull { .. }), "{error}");
}

#[test]
fn no_fifth_passphrase_comes_by_a_merge() {
    let (bench, mut ours) = Bench::created();
    for n in 0..3 {
        let credential = passphrase(&format!("passphrase {n}"));
        ours.add_slot(&credential, KdfParams::LEAST).unwrap();
    }
    ours.save(NOW).unwrap();
    let mut theirs = bench.open();
    let fourth = ours.add_slot(&passphrase("ours"), KdfParams::LEAST);
    theirs
        .add_slot(&passphrase("theirs"), KdfParams::LEAST)
        .unwrap();
    theirs.save(NOW).unwrap();
    let error = refused(&bench, &mut ours);
    assert!(
        matches!(error, VaultError::TooManySlots { max: 4, .. }),
        "{error}"
    );
    // As the hint says.
    ours.remove_slot(&fourth.unwrap().id).unwrap();
    assert_eq!(ours.save(NOW).unwrap(), Saved::Durable);
    let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
    locked
        .unlock(&passphrase("theirs"), Rollback::Refuse, NOW)
        .unwrap();
}
