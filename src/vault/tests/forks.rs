//! Two files of one generation; and a pin that somebody altered.

use super::*;
use crate::vault::seal::sha256;

/// Two copies of one vault that were each saved once, apart; the other machine's file is in ours' place, as a program that
/// synchronises folders leaves it. Ours, as it was.
fn forked() -> (Bench, Vec<u8>) {
    let (bench, mut ours) = Bench::created();
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    let mut theirs = bench.open_at(&copy);
    ours.add(totp("ours", b"secret one"), NOW).unwrap();
    ours.save(NOW).unwrap();
    theirs.add(totp("theirs", b"secret two"), NOW).unwrap();
    theirs.save(NOW).unwrap();
    let was = bytes(&bench.files.vault);
    put(&bench.files.vault, &bytes(&copy.vault));
    (bench, was)
}

fn names(vault: &Unlocked) -> Vec<String> {
    let mut names: Vec<String> = vault.live().map(|s| s.name.clone()).collect();
    names.sort();
    names
}

#[test]
fn a_fork_of_one_generation_is_told_until_it_is_settled() {
    let (bench, ours) = forked();
    for _ in 0..2 {
        let vault = bench.open();
        assert!(vault.fork_seen() && !vault.is_changed());
        assert_eq!(names(&vault), ["theirs"]);
    }
    // The person has the other file elsewhere.
    let elsewhere = bench.dir.path().join("conflicted copy");
    put(&elsewhere, &ours);
    let mut vault = bench.open();
    assert!(vault.merge_file(&elsewhere).unwrap());
    vault.save(NOW).unwrap();
    let vault = bench.open();
    assert!(!vault.fork_seen());
    assert_eq!(names(&vault), ["ours", "theirs"]);

    // Or says that this one is right.
    let (bench, _) = forked();
    let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
    locked.unlock(&key_file(), Rollback::Accept, NOW).unwrap();
    assert!(!bench.open().fork_seen());
}

#[test]
fn a_fork_that_a_backup_holds_is_merged() {
    let (bench, ours) = forked();
    put(
        &bench.files.vault.with_file_name("vault.vmfa.bak-2-2"),
        &ours,
    );
    // As often as it is opened, until it is saved.
    for _ in 0..2 {
        let vault = bench.open();
        assert!(!vault.fork_seen() && vault.is_changed());
        assert_eq!(names(&vault), ["ours", "theirs"]);
    }
    bench.open().save(NOW).unwrap();
    let vault = bench.open();
    assert!(!vault.fork_seen() && !vault.is_changed());
    assert_eq!(names(&vault), ["ours", "theirs"]);
}

/// Alters the pin as anybody can who has no key: its check is right, its MAC isn't.
fn poison(bench: &Bench, vault: &Unlocked, change: impl Fn(&mut [u8])) {
    let path = pin::path(&bench.files.state, &vault.vault_id());
    let mut pin = bytes(&path);
    change(&mut pin);
    let at = pin.len() - 8;
    let check = sha256(&[&pin[..at]]);
    pin[at..].copy_from_slice(&check[..8]);
    put(&path, &pin);
}

#[test]
fn a_pin_without_the_key_raises_no_generation() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("a", b"secret one"), NOW).unwrap();
    vault.save(NOW).unwrap();
    let path = pin::path(&bench.files.state, &vault.vault_id());
    let genuine = bytes(&path);
    let device = vault.device;
    let last = |pin: &mut [u8]| {
        pin[24..32].fill(0xff);
        pin[64..80].fill(7);
    };

    // It names this very file: no reason to refuse it.
    poison(&bench, &vault, last);
    let opened = bench.open();
    assert!(opened.device != [7; 16] && opened.device != device);
    assert_eq!(opened.highest, 2);
    assert_eq!(bytes(&path)[..64], genuine[..64]);

    // It names another one: refused until that is accepted, and then it counts no more.
    poison(&bench, &vault, |pin| {
        last(pin);
        pin[32..64].fill(1);
    });
    let poisoned = bytes(&path);
    assert!(matches!(
        bench.try_open(),
        Err(VaultError::RolledBack { .. })
    ));
    let accept = || {
        let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
        locked.unlock(&key_file(), Rollback::Accept, NOW).unwrap()
    };
    let mut vault = accept();
    let old = bytes(&bench.files.vault);
    vault.add(totp("b", b"secret two"), NOW).unwrap();
    vault.save(NOW).unwrap();
    assert_eq!(vault.generation(), 3);
    // An older copy is still told from a newer one.
    put(&bench.files.vault, &old);
    assert!(matches!(
        bench.try_open(),
        Err(VaultError::RolledBack {
            seen: 3,
            found: 2,
            ..
        })
    ));
    // Nor does it raise that of a restored backup.
    put(&path, &poisoned);
    let backup = backups(&bench.files).unwrap()[0].path.clone();
    let restored =
        restore_backup(&bench.files, &backup, &key_file(), KdfLimit::Usual, NOW).unwrap();
    assert_eq!(restored.generation(), 3);
}

#[test]
fn the_last_generation_is_never_used_twice() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("a", b"secret one"), NOW).unwrap();
    vault.highest = u64::MAX;
    let before = bytes(&bench.files.vault);
    let error = vault.save(NOW).unwrap_err();
    assert!(matches!(error, VaultError::LastGeneration));
    assert!(error.hint().is_some());
    assert_eq!(bytes(&bench.files.vault), before);
    // A backup whose header somebody altered doesn't lead there.
    let mut altered = before.clone();
    altered[32..40].fill(0xff);
    put(
        &bench.files.vault.with_file_name("vault.vmfa.bak-9"),
        &altered,
    );
    let good = bench.dir.path().join("good");
    put(&good, &before);
    let restored = restore_backup(&bench.files, &good, &key_file(), KdfLimit::Usual, NOW).unwrap();
    assert_eq!(restored.generation(), 2);
}
