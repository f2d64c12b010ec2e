//! Slots and keys.

use super::*;

fn unlock(bench: &Bench, credential: &Credential) -> Result<Unlocked, VaultError> {
    Locked::open(&bench.files, KdfLimit::Usual)?.unlock(credential, Rollback::Refuse, NOW)
}

fn both() -> Credential {
    Credential::PassphraseAndKeyFile(SecretText::new("both".into()), Secret::new(vec![1; 32]))
}

#[test]
fn every_kind_of_slot_opens_and_only_with_its_own() {
    let (bench, mut vault) = Bench::created();
    vault.add(totp("alice", b"secret one"), NOW).unwrap();
    vault
        .add_slot(&passphrase("one"), KdfParams::LEAST)
        .unwrap();
    vault
        .add_slot(&passphrase("two"), KdfParams::LEAST)
        .unwrap();
    vault.add_slot(&both(), KdfParams::LEAST).unwrap();
    let (_, code) = vault.add_recovery().unwrap();
    vault.save(NOW).unwrap();
    for credential in [
        key_file(),
        passphrase("one"),
        passphrase("two"),
        both(),
        Credential::RecoveryCode(code),
    ] {
        assert_eq!(unlock(&bench, &credential).unwrap().live().count(), 1);
    }
    let wrong_file =
        Credential::PassphraseAndKeyFile(SecretText::new("both".into()), Secret::new(vec![2; 32]));
    for credential in [
        passphrase("both"),
        wrong_file,
        Credential::KeyFile(Secret::new(vec![0x5a; 41])),
    ] {
        assert!(matches!(
            unlock(&bench, &credential),
            Err(VaultError::WrongPassphrase(_))
        ));
    }
    assert!(matches!(
        unlock(&bench, &Credential::KeyFile(Secret::new(vec![0; 31]))),
        Err(VaultError::KeyFileShort(31))
    ));
    assert!(matches!(
        unlock(&bench, &passphrase("")),
        Err(VaultError::EmptyPassphrase)
    ));
    // A mistyped code is told from a wrong one.
    let typed = |text: &str| {
        unlock(
            &bench,
            &Credential::RecoveryCode(SecretText::new(text.into())),
        )
        .err()
        .unwrap()
    };
    assert!(matches!(
        typed("AAAAA-BBBBB"),
        VaultError::RecoveryTypo(Typo::Length(10))
    ));
    let other = Bench::new();
    let (_, wrong) = create(&other.files, &key_file(), KdfParams::LEAST, NOW).unwrap();
    assert!(matches!(
        typed(wrong.expose()),
        VaultError::WrongPassphrase(_)
    ));
}

#[test]
fn a_fifth_passphrase_and_a_seventeenth_slot_are_refused() {
    let (_bench, mut vault) = Bench::created();
    for n in 0..4 {
        vault
            .add_slot(&passphrase(&format!("{n}")), KdfParams::LEAST)
            .unwrap();
    }
    let before = vault.rest.slot_keys.len();
    assert!(matches!(
        vault.add_slot(&passphrase("5"), KdfParams::LEAST),
        Err(VaultError::TooManySlots { max: 4, .. })
    ));
    while vault.slots().len() < 16 {
        vault.add_recovery().unwrap();
    }
    assert!(matches!(
        vault.add_recovery(),
        Err(VaultError::TooManySlots { max: 16, .. })
    ));
    assert_eq!(vault.rest.slot_keys.len(), before + 10);
    vault.save(NOW).unwrap();
}

#[test]
fn a_changed_passphrase_changes_the_keys() {
    let bench = Bench::new();
    let (mut vault, code) =
        create(&bench.files, &passphrase("old"), KdfParams::LEAST, NOW).unwrap();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let dek = *vault.dek.bytes();
    vault
        .change_passphrase(&passphrase("new"), KdfParams::LEAST)
        .unwrap();
    assert_ne!(dek, *vault.dek.bytes());
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
    assert!(matches!(
        unlock(&bench, &passphrase("old")),
        Err(VaultError::WrongPassphrase(_))
    ));
    let mut vault = unlock(&bench, &passphrase("new")).unwrap();
    assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
    // The recovery code still opens it: it was wrapped again from its sealed key material.
    let by_code = unlock(&bench, &Credential::RecoveryCode(code)).unwrap();
    assert_eq!(by_code.account(&id).unwrap().secret.expose(), b"secret one");
    // The key before is kept for older copies.
    let before = vault.rest.previous[0]
        .open(&vault.dek, container::PREVIOUS_DEK, &vault.vault_id())
        .unwrap();
    assert_eq!(*before, dek);
    // The backups open with the old passphrase until they are purged.
    let newest = &backups(&bench.files).unwrap()[0];
    let old = Files {
        vault: newest.path.clone(),
        state: bench.dir.path().join("elsewhere"),
    };
    assert!(
        Locked::open(&old, KdfLimit::Usual)
            .unwrap()
            .unlock(&passphrase("old"), Rollback::Refuse, NOW)
            .is_ok()
    );
    assert_eq!(purge_backups(&bench.files).unwrap(), 2);
    assert!(backups(&bench.files).unwrap().is_empty());
    for n in 0..10 {
        vault
            .change_passphrase(&passphrase(&format!("new {n}")), KdfParams::LEAST)
            .unwrap();
    }
    assert_eq!(vault.rest.previous.len(), 8);
    vault.save(NOW).unwrap();
    assert!(unlock(&bench, &passphrase("new 9")).is_ok());
}

#[test]
fn a_removed_slot_opens_nothing_any_more() {
    let (bench, mut vault) = Bench::created();
    let slots = vault.slots();
    let extra = vault
        .add_slot(&passphrase("extra"), KdfParams::LEAST)
        .unwrap();
    vault.save(NOW).unwrap();
    vault.remove_slot(&extra.id).unwrap();
    vault.save(NOW).unwrap();
    assert!(matches!(
        unlock(&bench, &passphrase("extra")),
        Err(VaultError::NoSlotFor { .. })
    ));
    let mut vault = unlock(&bench, &key_file()).unwrap();
    vault.remove_slot(&slots[1].id).unwrap();
    assert!(matches!(
        vault.remove_slot(&slots[0].id),
        Err(VaultError::LastSlot)
    ));
    assert!(matches!(
        vault.remove_slot(&[0; 8]),
        Err(VaultError::NoSuchSlot(_))
    ));
    assert!(matches!(
        vault.change_passphrase(&passphrase("x"), KdfParams::LEAST),
        Err(VaultError::WhichPassphrase(0))
    ));
    assert!(matches!(
        vault.change_passphrase(&key_file(), KdfParams::LEAST),
        Err(VaultError::NotAPassphrase(_))
    ));
    vault.save(NOW).unwrap();
    assert!(unlock(&bench, &key_file()).is_ok());
}

#[test]
fn whoever_missed_a_change_of_keys_writes_nothing() {
    let (bench, mut ours) = Bench::created();
    let mut theirs = bench.open();
    let extra = theirs
        .add_slot(&passphrase("extra"), KdfParams::LEAST)
        .unwrap();
    theirs.remove_slot(&extra.id).unwrap();
    theirs.save(NOW).unwrap();
    let there = bytes(&bench.files.vault);
    ours.add(totp("alice", b"secret one"), NOW).unwrap();
    let error = ours.save(NOW).unwrap_err();
    assert!(matches!(error, VaultError::ChangedKeys { .. }));
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(bytes(&bench.files.vault), there);
}

#[test]
fn slots_added_by_two_are_both_kept() {
    let (bench, mut ours) = Bench::created();
    let mut theirs = bench.open();
    ours.add_slot(&passphrase("ours"), KdfParams::LEAST)
        .unwrap();
    theirs
        .add_slot(&passphrase("theirs"), KdfParams::LEAST)
        .unwrap();
    theirs.add(totp("alice", b"secret one"), NOW).unwrap();
    theirs.save(NOW).unwrap();
    ours.save(NOW).unwrap();
    for text in ["ours", "theirs"] {
        assert_eq!(unlock(&bench, &passphrase(text)).unwrap().live().count(), 1);
    }
}

#[test]
fn a_change_of_keys_takes_along_what_others_added_meanwhile() {
    let (bench, mut ours) = Bench::created();
    let doomed = ours.slots()[1].id;
    let mine = new_id(ours.add(totp("mine", b"secret two"), NOW).unwrap());
    let mut theirs = bench.open();
    theirs
        .add_slot(&passphrase("theirs"), KdfParams::LEAST)
        .unwrap();
    let id = new_id(theirs.add(totp("alice", b"secret one"), NOW).unwrap());
    theirs.save(NOW).unwrap();
    ours.remove_slot(&doomed).unwrap();
    ours.save(NOW).unwrap();
    let vault = unlock(&bench, &passphrase("theirs")).unwrap();
    assert_eq!(vault.slots().len(), 2, "the removed slot stays removed");
    assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
    assert_eq!(vault.account(&mine).unwrap().secret.expose(), b"secret two");
}
