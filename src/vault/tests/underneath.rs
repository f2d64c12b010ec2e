//! Files that a program which takes no lock puts in the vault's place while somebody works on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::vault::fields;
use crate::vault::seal::{Randomness, SystemRandomness};
use crate::vault::stamp::Hlc;

/// As such a program does: whole, by a rename.
fn put_there(path: &Path, bytes: &[u8]) {
    let new = path.with_file_name("in-flight");
    put(&new, bytes);
    std::fs::rename(&new, path).unwrap();
}

/// The bytes of a copy that was changed elsewhere.
fn changed_elsewhere(bench: &Bench, change: impl FnOnce(&mut Unlocked)) -> Vec<u8> {
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    let mut theirs = bench.open_at(&copy);
    change(&mut theirs);
    theirs.save(NOW.plus_secs(3)).unwrap();
    bytes(&copy.vault)
}

fn add(name: &'static str, secret: &'static [u8]) -> impl FnOnce(&mut Unlocked) {
    move |vault| {
        vault.add(totp(name, secret), NOW).unwrap();
    }
}

fn names(vault: &Unlocked) -> Vec<String> {
    let mut names: Vec<String> = vault.live().map(|it| it.name.clone()).collect();
    names.sort();
    names
}

/// Whether a file beside the vault, or the vault itself, has these bytes.
fn is_kept(bench: &Bench, wanted: &[u8]) -> bool {
    let dir = bench.files.vault.parent().unwrap();
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .any(|path| path.is_file() && bytes(&path) == wanted)
}

/// Puts a file in the vault's place when a save first asks for random numbers, and has none to give from some request on.
struct Meanwhile {
    asked: AtomicUsize,
    none_from: usize,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Meanwhile {
    fn begin(vault: &mut Unlocked, bytes: Vec<u8>, none_from: usize) {
        let path = vault.files.vault.clone();
        let asked = AtomicUsize::new(0);
        vault.random = Arc::new(Self {
            asked,
            none_from,
            path,
            bytes,
        });
    }
}

impl Randomness for Meanwhile {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => put_there(&self.path, &self.bytes),
            asked if asked >= self.none_from => return Err(VaultError::NoRandomness),
            _ => {}
        }
        SystemRandomness.fill(out)
    }
}

#[test]
fn an_older_file_takes_nothing_back() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let fork = changed_elsewhere(&bench, add("bob", b"secret two"));
    let (mut first, later) = (bench.open(), NOW.plus_secs(5));
    first
        .change(&id, later, |summary| summary.note = "kept".into())
        .unwrap();
    let pin = Some(SecretText::new("1234".into()));
    first.set_pin(&id, pin, later).unwrap();
    first.save(later).unwrap();
    let mut ours = bench.open();
    put_there(&bench.files.vault, &fork);
    ours.change(&id, NOW.plus_secs(9), |summary| summary.favorite = true)
        .unwrap();
    ours.save(NOW.plus_secs(9)).unwrap();
    let vault = bench.open();
    let account = vault.account(&id).unwrap();
    assert_eq!(account.summary.note, "kept");
    assert!(account.summary.favorite);
    assert_eq!(account.pin.unwrap().expose(), "1234");
    assert_eq!(names(&vault), ["alice", "bob"]);
}

#[test]
fn an_older_erasure_erases_nothing_that_was_changed_since() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let fork = changed_elsewhere(&bench, |theirs| theirs.erase(&id, NOW).unwrap());
    let mut first = bench.open();
    first
        .change(&id, NOW.plus_secs(5), |summary| {
            summary.note = "kept".into();
        })
        .unwrap();
    first.save(NOW.plus_secs(5)).unwrap();
    let mut ours = bench.open();
    put_there(&bench.files.vault, &fork);
    ours.change(&id, NOW.plus_secs(9), |summary| summary.favorite = true)
        .unwrap();
    ours.save(NOW.plus_secs(9)).unwrap();
    let account = bench.open().account(&id).unwrap();
    assert_eq!(account.summary.note, "kept");
    assert!(account.summary.favorite);
}

#[test]
fn what_a_save_meets_at_the_last_moment_is_laid_under_it() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let fork = changed_elsewhere(&bench, |theirs| {
        theirs
            .change(&id, NOW.plus_secs(3), |summary| {
                summary.note = "theirs".into();
            })
            .unwrap();
    });
    let mut ours = bench.open();
    ours.change(&id, NOW.plus_secs(9), |summary| summary.favorite = true)
        .unwrap();
    Meanwhile::begin(&mut ours, fork, usize::MAX);
    ours.save(NOW.plus_secs(9)).unwrap();
    let account = bench.open().account(&id).unwrap();
    assert_eq!(account.summary.note, "theirs");
    assert!(account.summary.favorite);
    let aside = |name: &String| name.contains(".aside-");
    assert!(
        !bench.beside().iter().any(aside),
        "it is taken in, and gone"
    );
}

/// Wherever the saving stops after it has met another's file, that file is somewhere, and the next opening tells of it.
#[test]
fn what_a_save_met_outlives_its_failing() {
    let mut met = 0;
    for none_from in 1.. {
        let (bench, mut vault) = Bench::created();
        vault.add(totp("alice", b"secret one"), NOW).unwrap();
        vault.save(NOW).unwrap();
        let fork = changed_elsewhere(&bench, add("bob", b"secret two"));
        let mut ours = bench.open();
        ours.add(totp("carol", b"secret three"), NOW).unwrap();
        Meanwhile::begin(&mut ours, fork.clone(), none_from);
        let saved = ours.save(NOW);
        drop(ours);
        let mut next = bench.open();
        if saved.is_ok() {
            assert_eq!(names(&next), ["alice", "bob", "carol"]);
            assert!(met > 0, "no save failed after the other's file was met");
            return;
        }
        assert!(is_kept(&bench, &fork), "request {none_from}");
        if names(&next) == ["alice", "carol"] {
            met += 1;
            let news = next.copies_with_news();
            assert_eq!(news.len(), 1, "request {none_from}");
            for number in 0..6u8 {
                next.add(totp("more", &[number + 1; 20]), NOW).unwrap();
                next.save(NOW).unwrap();
            }
            assert!(is_kept(&bench, &fork));
            assert!(next.merge_file(&news[0].0.path).unwrap());
        }
    }
}

/// A save was killed with another's file in its hands.
#[test]
fn what_a_killed_save_had_in_its_hands_is_kept() {
    for ahead in [0, 9] {
        let (bench, mut vault) = Bench::created();
        vault.add(totp("alice", b"secret one"), NOW).unwrap();
        vault.save(NOW).unwrap();
        let copy = bench.in_place_of(&bytes(&bench.files.vault));
        let mut theirs = bench.open_at(&copy);
        for number in 0..3 + 9 - ahead {
            theirs.add(totp("bob", &[number + 50; 20]), NOW).unwrap();
            theirs.save(NOW).unwrap();
        }
        let fork = bytes(&copy.vault);
        for number in 0..ahead {
            vault.add(totp("carol", &[number + 1; 20]), NOW).unwrap();
            vault.save(NOW).unwrap();
        }
        let hands = bench
            .files
            .vault
            .with_file_name("vault.vmfa.tmp-0123456789abcdef");
        put(&hands, &fork);
        for number in 0..7u8 {
            vault.add(totp("dave", &[number + 90; 20]), NOW).unwrap();
            vault.save(NOW).unwrap();
        }
        assert!(!hands.exists() && is_kept(&bench, &fork), "{ahead} ahead");
        assert_eq!(vault.copies_with_news().len(), 1);
    }
}

/// As long as there is no vault, what a killed save left may be all of it.
#[test]
fn nothing_whole_is_removed_where_no_vault_is() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("alice", b"secret one"), NOW).unwrap();
    vault.save(NOW).unwrap();
    let whole = bytes(&bench.files.vault);
    let beside = |digits: &str| {
        let name = format!("vault.vmfa.tmp-{digits}");
        bench.files.vault.with_file_name(name)
    };
    put(&beside("0123456789abcdef"), &whole);
    put(&beside("0123456789abcdee"), &whole[..whole.len() / 2]);
    let backup = bench.files.vault.with_file_name("elsewhere");
    put(&backup, &whole);
    std::fs::remove_file(&bench.files.vault).unwrap();
    restore_backup(&bench.files, &backup, &key_file(), KdfLimit::Usual, NOW).unwrap();
    assert!(beside("0123456789abcdef").exists() && !beside("0123456789abcdee").exists());
}

#[test]
fn what_a_newer_version_wrote_later_stays_whole() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let (mut ours, mut theirs) = (bench.open(), bench.open());
    let record = &mut theirs.entries[0].record;
    let mut words = Vec::new();
    for (kind, value) in fields::fields(record.fields()).map(Option::unwrap) {
        // A scheme that this version doesn't know.
        fields::put(&mut words, kind, if kind == 4 { &[6] } else { value });
    }
    record.set_fields(&words);
    record.hlc = Hlc::after(record.hlc, NOW.plus_secs(50));
    theirs.dirty = true;
    theirs.save(NOW.plus_secs(50)).unwrap();
    ours.change(&id, NOW.plus_secs(9), |summary| summary.favorite = true)
        .unwrap();
    ours.save(NOW.plus_secs(60)).unwrap();
    assert_eq!(bench.open().unknown_records().len(), 1);
}

#[test]
fn a_way_in_that_a_copy_has_is_taken_in() {
    let (bench, mut ours) = Bench::created();
    let copy = bench.files.vault.with_file_name("vault (1).vmfa");
    let files = bench.in_place_of(&bytes(&bench.files.vault));
    let mut theirs = bench.open_at(&files);
    let (_, code) = theirs.add_recovery().unwrap();
    theirs.save(NOW).unwrap();
    put(&copy, &bytes(&files.vault));
    assert_eq!(ours.copies_with_news().len(), 1);
    assert!(ours.merge_file(&copy).unwrap());
    ours.save(NOW).unwrap();
    assert!(ours.copies_with_news().is_empty());
    let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
    let opened = locked.unlock(&Credential::RecoveryCode(code), Rollback::Refuse, NOW);
    assert!(opened.is_ok());
}
