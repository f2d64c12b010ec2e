//! Accounts come, change and go.

use super::*;

#[test]
fn what_was_saved_is_there_again() {
    let bench = Bench::new();
    let (mut vault, code) = create(
        &bench.files,
        &passphrase("correct horse"),
        KdfParams::LEAST,
        NOW,
    )
    .unwrap();
    let id = new_id(
        vault
            .add(totp("alice", b"12345678901234567890"), NOW)
            .unwrap(),
    );
    let hotp_id = new_id(
        vault
            .add(hotp("bob", b"12345678901234567890"), NOW)
            .unwrap(),
    );
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    assert_eq!(vault.save(NOW).unwrap(), Saved::Unchanged);

    for credential in [passphrase("correct horse"), Credential::RecoveryCode(code)] {
        let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
        assert_eq!((locked.generation(), locked.slots().len()), (2, 2));
        let vault = locked.unlock(&credential, Rollback::Refuse, NOW).unwrap();
        assert_eq!(vault.live().count(), 2);
        // RFC 6238 appendix B, shortened to six digits.
        assert_eq!(
            vault
                .code_at(&id, UnixTime::from_secs(59))
                .unwrap()
                .as_str(),
            "287082"
        );
        assert!(matches!(
            vault.code_at(&hotp_id, NOW),
            Err(VaultError::Otp(_))
        ));
        assert!(vault.confirms(&passphrase("correct horse")).unwrap());
        assert!(!vault.confirms(&passphrase("wrong horse")).unwrap());
        assert!(!vault.confirms(&key_file()).unwrap());
    }
    let wrong = Locked::open(&bench.files, KdfLimit::Usual).unwrap().unlock(
        &passphrase("x"),
        Rollback::Refuse,
        NOW,
    );
    assert_eq!(wrong.err().unwrap().kind(), Kind::WrongPassphrase);
    let absent = Locked::open(&bench.files, KdfLimit::Usual).unwrap().unlock(
        &key_file(),
        Rollback::Refuse,
        NOW,
    );
    assert!(matches!(absent, Err(VaultError::NoSlotFor { .. })));
}

#[test]
fn one_secret_is_kept_once_and_namesakes_are_told_apart() {
    let (_bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    assert_eq!(
        vault.add(totp("other name", b"secret one"), NOW).unwrap(),
        Added::AlreadyThere(id)
    );
    let Added::Namesake { id: second, other } =
        vault.add(totp("alice", b"secret two"), NOW).unwrap()
    else {
        panic!()
    };
    assert_eq!(other, id);
    assert_ne!(second, id);
    // Other parameters give other codes.
    assert!(matches!(
        vault.add(hotp("carol", b"secret one"), NOW).unwrap(),
        Added::New(_)
    ));
    // The same id again: never reused.
    let mut again = totp("dave", b"secret three");
    again.summary.id = id;
    assert_ne!(new_id(vault.add(again, NOW).unwrap()), id);
    // From the trash it comes back.
    vault.remove(&id, NOW).unwrap();
    assert_eq!(vault.trash().len(), 1);
    assert!(matches!(
        vault.code_at(&id, NOW),
        Err(VaultError::InTrash(_))
    ));
    assert_eq!(
        vault.add(totp("alice", b"secret one"), NOW).unwrap(),
        Added::Restored(id)
    );
    assert!(vault.trash().is_empty());
    assert!(matches!(
        vault.add(totp("empty", b""), NOW),
        Err(VaultError::Otp(_))
    ));
}

#[test]
fn trash_restore_and_erase() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.remove(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert_eq!(vault.trash()[0].trashed, Some(NOW.secs()));
    assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
    vault.restore(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert_eq!(vault.live().count(), 1);
    vault.erase(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert!(matches!(
        vault.account(&id),
        Err(VaultError::NoSuchAccount(_))
    ));
    assert_eq!(
        (
            vault.live().count(),
            vault.trash().len(),
            vault.entries.len()
        ),
        (0, 0, 1)
    );
    // The tombstone goes after 400 days, with the second save: the first one's clock might be wrong.
    let later = NOW.plus_secs(401 * 86400);
    vault.add(totp("bob", b"secret two"), later).unwrap();
    vault.save(later).unwrap();
    vault.add(totp("carol", b"secret three"), later).unwrap();
    vault.save(later).unwrap();
    let mut vault = bench.open();
    assert_eq!(vault.entries.len(), 3);
    vault.add(totp("dave", b"secret four"), later).unwrap();
    vault.save(later).unwrap();
    assert_eq!(bench.open().entries.len(), 3);
}

#[test]
fn one_save_under_a_clock_far_ahead_brings_back_nothing_erased() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("gone", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    vault.erase(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let ahead = NOW.plus_secs(10 * 365 * 86400);
    vault.add(totp("other", b"secret two"), ahead).unwrap();
    vault.save(ahead).unwrap();
    // Nor does the next one, whose clock is right again.
    let mut vault = bench.open();
    vault.add(totp("third", b"secret three"), NOW).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    vault.merge_file(&copy.vault).unwrap();
    assert!(vault.live().all(|summary| summary.name != "gone"));
}

#[test]
fn a_change_keeps_what_it_must_not_touch() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault
        .change(&id, NOW, |summary| {
            summary.name = "renamed".into();
            summary.tags = vec!["work".into()];
            summary.id = AccountId::from_bytes([0; 16]);
            summary.trashed = Some(1);
            summary.conflict = true;
        })
        .unwrap();
    vault.save(NOW).unwrap();
    vault.change(&id, NOW, |_| {}).unwrap();
    assert_eq!(vault.save(NOW).unwrap(), Saved::Unchanged);
    let vault = bench.open();
    let summary = vault.live().next().unwrap();
    assert_eq!(
        (
            summary.id,
            summary.name.as_str(),
            summary.trashed,
            summary.conflict
        ),
        (id, "renamed", None, false)
    );
    assert_eq!(summary.tags, ["work"]);
}

#[test]
fn a_pin_is_sealed_with_its_secret() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(
        vault
            .add(account("moo", b"0123456789abcdef", Scheme::Motp), NOW)
            .unwrap(),
    );
    assert!(matches!(vault.code_at(&id, NOW), Err(VaultError::Otp(_))));
    vault
        .set_pin(&id, Some(SecretText::new("1234".into())), NOW)
        .unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert!(vault.code_at(&id, NOW).is_ok());
    vault
        .set_pin(&id, Some(SecretText::new("1234".into())), NOW)
        .unwrap();
    assert!(!vault.is_changed());
    assert_eq!(vault.account(&id).unwrap().pin.unwrap().expose(), "1234");
}

#[test]
fn too_much_is_refused() {
    let (_bench, mut vault) = Bench::created();
    assert!(matches!(
        vault.add(totp("a", &[1; 8193]), NOW),
        Err(VaultError::TooLong { .. })
    ));
    let mut long = totp("a", b"secret");
    long.summary.note = "x".repeat(1 << 20);
    assert!(matches!(
        vault.add(long, NOW),
        Err(VaultError::TooLong { .. })
    ));
    assert_eq!(vault.live().count(), 0);
    assert!(vault.add(totp("a", &[1; 8192]), NOW).is_ok());
}

#[test]
fn adding_again_never_turns_a_counter_back_and_trash_brings_nothing_back() {
    let (bench, mut vault) = Bench::created();
    let add = |vault: &mut Unlocked, counter, trashed| {
        let mut account = hotp("alice", b"12345678901234567890");
        (account.summary.counter, account.summary.trashed) = (counter, trashed);
        vault.add(account, NOW).unwrap()
    };
    let id = new_id(add(&mut vault, Some(10), None));
    for (counter, then) in [(Some(50), 50), (Some(20), 50), (None, 50), (Some(51), 51)] {
        assert_eq!(add(&mut vault, counter, None), Added::AlreadyThere(id));
        assert_eq!(vault.live().next().unwrap().counter, Some(then));
    }
    vault.save(NOW).unwrap();
    assert_eq!(bench.open().live().next().unwrap().counter, Some(51));
    vault.remove(&id, NOW).unwrap();
    assert_eq!(add(&mut vault, Some(60), Some(5)), Added::AlreadyThere(id));
    assert_eq!(vault.live().count(), 0);
    let there = &vault.trash()[0];
    assert_eq!((there.trashed, there.counter), (Some(NOW.secs()), Some(60)));
    assert_eq!(add(&mut vault, Some(70), None), Added::Restored(id));
    assert_eq!(vault.live().next().unwrap().counter, Some(70));
}
