//! Backups of this vault and of another one at the same path.

use super::*;

/// How many backups there are of a vault, newest first.
fn of(bench: &Bench, vault_id: [u8; 16]) -> Vec<u64> {
    backups(&bench.files)
        .unwrap()
        .iter()
        .filter(|backup| backup.vault_id == Some(vault_id))
        .map(|backup| backup.generation)
        .collect()
}

fn add_and_save(vault: &mut Unlocked, n: u8) {
    vault
        .add(totp(&format!("account {n}"), &[n + 1; 20]), NOW)
        .unwrap();
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
}

/// A vault of generation 8 with five backups, whose own file is lost.
fn lost() -> (Bench, [u8; 16]) {
    let (bench, mut vault) = Bench::created();
    (0..7).for_each(|n| add_and_save(&mut vault, n));
    assert_eq!(of(&bench, vault.vault_id()), [7, 6, 5, 4, 3]);
    std::fs::remove_file(&bench.files.vault).unwrap();
    (bench, vault.vault_id())
}

#[test]
fn no_new_vault_is_made_beside_the_backups_of_a_lost_one() {
    let (bench, lost) = lost();
    let before = bench.beside();
    let error = create(&bench.files, &key_file(), KdfParams::LEAST, NOW)
        .err()
        .unwrap();
    assert!(matches!(error, VaultError::BackupsThere { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.hint().unwrap().contains("vmfa backup restore"));
    assert_eq!(bench.beside(), before);
    // The way that the hint names.
    let newest = backups(&bench.files).unwrap()[0].path.clone();
    let vault = restore_backup(&bench.files, &newest, &key_file(), KdfLimit::Usual, NOW).unwrap();
    assert_eq!((vault.vault_id(), vault.live().count()), (lost, 6));
}

#[test]
fn saves_and_a_purge_touch_no_backup_of_another_vault() {
    let (bench, lost) = lost();
    // Another vault comes to the path all the same: by a copy, or by an older program.
    let (elsewhere, other) = Bench::created();
    put(&bench.files.vault, &bytes(&elsewhere.files.vault));
    // And what nobody can read, under a name that would be the oldest of all.
    let odd = bench.files.vault.with_file_name("vault.vmfa.bak-0");
    put(&odd, b"no vault");
    let mut vault = bench.open();
    (0..7).for_each(|n| add_and_save(&mut vault, n));
    assert_eq!(of(&bench, lost), [7, 6, 5, 4, 3]);
    assert_eq!(of(&bench, other.vault_id()), [7, 6, 5, 4, 3]);
    let told = |text: &str| examine(&bench.files).iter().any(|f| f.text.contains(text));
    assert!(told("5 backups, the newest of generation 7"));
    assert!(told("5 backups of another vault"));

    assert_eq!(purge_backups(&bench.files).unwrap(), 5);
    assert_eq!(of(&bench, lost), [7, 6, 5, 4, 3]);
    assert!(of(&bench, other.vault_id()).is_empty());
    assert!(odd.is_file());
    // Without a vault, backups are all there is.
    std::fs::remove_file(&bench.files.vault).unwrap();
    assert!(purge_backups(&bench.files).is_err());
    assert_eq!(of(&bench, lost), [7, 6, 5, 4, 3]);
}

#[test]
fn a_restored_vault_goes_on_above_its_own_generations_only() {
    let (bench, lost) = lost();
    let (elsewhere, mut other) = Bench::created();
    (0..20).for_each(|n| add_and_save(&mut other, n));
    let theirs = bench.files.vault.with_file_name("vault.vmfa.bak-21");
    put(&theirs, &bytes(&elsewhere.files.vault));
    std::fs::remove_dir_all(&bench.files.state).unwrap();
    let own = backups(&bench.files).unwrap();
    let own = own.iter().find(|b| b.vault_id == Some(lost)).unwrap();
    let vault = restore_backup(&bench.files, &own.path, &key_file(), KdfLimit::Usual, NOW).unwrap();
    assert_eq!(vault.generation(), 8);
}

#[test]
fn a_backup_that_is_cut_off_pushes_no_good_one_out() {
    let (bench, mut vault) = Bench::created();
    (0..5).for_each(|n| add_and_save(&mut vault, n));
    let whole = bytes(&bench.files.vault);
    let cut = bench.files.vault.with_file_name("vault.vmfa.bak-99");
    put(&cut, &whole[..whole.len() - 1]);
    add_and_save(&mut vault, 5);
    assert_eq!(of(&bench, vault.vault_id()), [6, 5, 4, 3, 2]);
    assert!(cut.is_file());
}

fn restore(bench: &Bench, path: &Path, credential: &Credential) -> Unlocked {
    restore_backup(&bench.files, path, credential, KdfLimit::Usual, NOW).unwrap()
}

fn aside(bench: &Bench, suffix: &str) -> std::path::PathBuf {
    bench
        .files
        .vault
        .with_file_name(format!("vault.vmfa{suffix}"))
}

#[test]
fn a_vault_whose_payload_is_damaged_counts_as_no_backup() {
    let (bench, mut vault) = Bench::created();
    (0..6).for_each(|n| add_and_save(&mut vault, n));
    let good = of(&bench, vault.vault_id());
    for round in 1..8 {
        // The header is well; the payload isn't.
        let mut broken = bytes(&bench.files.vault);
        *broken.last_mut().unwrap() ^= round;
        put(&bench.files.vault, &broken);
        let newest = backups(&bench.files).unwrap()[0].path.clone();
        let restored = restore(&bench, &newest, &key_file());
        let path = aside(&bench, &format!(".damaged-{round}"));
        assert_eq!(restored.set_aside(), Some(path.as_path()));
        assert_eq!(bytes(&path), broken);
        assert_eq!(of(&bench, vault.vault_id()), good, "none was pushed out");
        assert_eq!(bench.open().live().count(), 5);
    }
    // Nor does a header that was altered, though its slots are well.
    let mut broken = bytes(&bench.files.vault);
    broken[16 + 16] ^= 4;
    put(&bench.files.vault, &broken);
    let newest = backups(&bench.files).unwrap()[0].path.clone();
    let restored = restore(&bench, &newest, &key_file());
    assert_eq!(restored.set_aside(), Some(&*aside(&bench, ".damaged-8")));
    assert_eq!(of(&bench, vault.vault_id()), good);
    assert_eq!(restored.generation(), 15);
}

#[test]
fn another_vault_in_the_way_is_set_aside_whole() {
    let (bench, lost) = lost();
    let (elsewhere, other) = Bench::created();
    let theirs = bytes(&elsewhere.files.vault);
    put(&bench.files.vault, &theirs);
    let newest = backups(&bench.files).unwrap()[0].path.clone();
    let mut restored = restore(&bench, &newest, &key_file());
    let path = aside(&bench, ".aside-1");
    assert_eq!(restored.set_aside(), Some(path.as_path()));
    (10..18).for_each(|n| add_and_save(&mut restored, n));
    purge_backups(&bench.files).unwrap();
    assert_eq!(bytes(&path), theirs);
    assert!(of(&bench, lost).is_empty() && of(&bench, other.vault_id()).is_empty());
    let told = |f: &Finding| f.severity == Severity::Warning && f.text.contains("aside-1");
    assert!(examine(&bench.files).iter().any(told));
}

#[test]
fn a_generation_under_other_keys_is_a_backup_if_it_opens() {
    let (bench, mut vault) = Bench::created();
    vault
        .add_slot(&passphrase("first"), KdfParams::LEAST)
        .unwrap();
    add_and_save(&mut vault, 0);
    let mut vault = Locked::open(&bench.files, KdfLimit::Usual)
        .unwrap()
        .unlock(&passphrase("first"), Rollback::Refuse, NOW)
        .unwrap();
    vault
        .change_passphrase(&passphrase("second"), KdfParams::LEAST)
        .unwrap();
    vault.save(NOW).unwrap();
    let (current, old) = (bytes(&bench.files.vault), backups(&bench.files).unwrap());
    // Generation 2 opens with the first passphrase, and nothing then tells whether the present one is whole.
    let restored = restore(&bench, &old[0].path, &passphrase("first"));
    let path = aside(&bench, ".aside-1");
    assert_eq!(restored.set_aside(), Some(path.as_path()));
    assert_eq!(bytes(&path), current);
    // The key file opens both. And what was set aside knows the key of what is there now.
    put(&bench.files.vault, &current);
    let restored = restore(&bench, &old[0].path, &key_file());
    assert_eq!(restored.set_aside(), None);
    let generations = of(&bench, vault.vault_id());
    assert!(generations.contains(&3), "{generations:?}");
    let back = restore(&bench, &path, &passphrase("second"));
    assert_eq!(back.set_aside(), None);
    assert_eq!(back.live().count(), 1);
}

#[test]
fn a_missing_vault_points_to_its_backups_and_a_missing_backup_to_no_new_vault() {
    let hint = |error: VaultError| error.hint().unwrap();
    let (bench, _) = lost();
    let missing = Locked::open(&bench.files, KdfLimit::Usual).err().unwrap();
    assert!(matches!(missing, VaultError::Missing { backups: 5, .. }));
    assert!(hint(missing).starts_with("`vmfa backup restore GENERATION`"));
    let problem = examine(&bench.files).swap_remove(0);
    assert!(problem.advice.unwrap().contains("backup restore"));
    let nothing = Bench::new();
    let missing = Locked::open(&nothing.files, KdfLimit::Usual).err().unwrap();
    assert!(hint(missing).starts_with("`vmfa init`"));

    let absent = bench.files.vault.with_file_name("absent");
    let errors = [
        restore_backup(&bench.files, &absent, &key_file(), KdfLimit::Usual, NOW).err(),
        backup_slots(&absent, KdfLimit::Usual).err(),
        Bench::created().1.merge_file(&absent).err(),
    ];
    for error in errors.map(Option::unwrap) {
        assert!(matches!(error, VaultError::NoSuchBackup { .. }), "{error}");
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(!hint(error).contains("init"));
    }
    let there = &backups(&bench.files).unwrap()[0].path;
    assert_eq!(backup_slots(there, KdfLimit::Usual).unwrap().len(), 2);
}

#[test]
fn a_vault_that_can_not_be_read_makes_way_for_a_backup() {
    let (bench, mut vault) = Bench::created();
    add_and_save(&mut vault, 0);
    let newest = backups(&bench.files).unwrap()[0].path.clone();
    for round in 1..3 {
        // Larger than any vault; without any block on disk.
        std::fs::OpenOptions::new()
            .write(true)
            .open(&bench.files.vault)
            .unwrap()
            .set_len(300 << 20)
            .unwrap();
        let restored = restore(&bench, &newest, &key_file());
        let path = aside(&bench, &format!(".damaged-{round}"));
        assert_eq!(restored.set_aside(), Some(path.as_path()));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 300 << 20);
        assert_eq!(bench.open().live().count(), 0);
    }
}

#[test]
fn a_restored_backup_gives_no_code_again() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(hotp("h", b"12345678901234567890"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let old = bench.dir.path().join("old");
    put(&old, &bytes(&bench.files.vault));
    let next = |vault: &mut Unlocked| vault.next_hotp(&id, NOW).unwrap().as_str().to_owned();
    // RFC 4226 appendix D.
    let given: Vec<String> = (0..3).map(|_| next(&mut vault)).collect();
    assert_eq!(given, ["755224", "287082", "359152"]);
    let mut vault = restore(&bench, &old, &key_file());
    assert_eq!(next(&mut vault), "969429");
    // Neither when the keys were changed since.
    let extra = vault.add_slot(&passphrase("extra"), KdfParams::LEAST);
    vault.remove_slot(&extra.unwrap().id).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = restore(&bench, &old, &key_file());
    assert_eq!(next(&mut vault), "338314");
    // Nor when a later copy, under a later key, takes the place of an earlier one.
    let later = bench.dir.path().join("later");
    put(&later, &bytes(&bench.files.vault));
    let mut vault = restore(&bench, &old, &key_file());
    assert_eq!(next(&mut vault), "254676");
    let mut vault = restore(&bench, &later, &key_file());
    assert_eq!(next(&mut vault), "287922");
    // What was erased keeps its counter in the tombstone.
    vault.erase(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let mut vault = restore(&bench, &old, &key_file());
    assert_eq!(next(&mut vault), "162583");
}

#[test]
fn a_second_backup_restored_gives_no_code_again() {
    let (bench, mut vault) = Bench::created();
    let add = |vault: &mut Unlocked, name: &str| {
        let id = new_id(vault.add(hotp(name, name.as_bytes()), NOW).unwrap());
        vault.save(NOW).unwrap();
        id
    };
    vault.add(totp("other", b"secret two"), NOW).unwrap();
    vault.save(NOW).unwrap();
    let id = add(&mut vault, "alice");
    let kept = |nth: usize| backups(&bench.files).unwrap()[nth].path.clone();
    for _ in 0..2 {
        vault.next_hotp(&id, NOW).unwrap();
    }
    let restore = |path: &Path| {
        restore_backup(&bench.files, path, &key_file(), KdfLimit::Usual, NOW).unwrap()
    };
    // From before the account was there; then from right after it came.
    let (with, without) = (kept(1), kept(2));
    assert_eq!(restore(&without).live().count(), 1);
    let vault = restore(&with);
    let back = vault.live().find(|summary| summary.id == id).unwrap();
    assert_eq!(back.counter, Some(2));
}
