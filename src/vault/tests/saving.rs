//! What is on disk before, during and after a save.

use super::*;

fn add_and_save(vault: &mut Unlocked, name: &str) {
    vault.add(totp(name, name.as_bytes()), NOW).unwrap();
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
}

#[test]
fn five_backups_are_kept_and_each_is_what_was_replaced() {
    let (bench, mut vault) = Bench::created();
    let mut generations = vec![bytes(&bench.files.vault)];
    for n in 0..8 {
        add_and_save(&mut vault, &format!("account {n}"));
        generations.push(bytes(&bench.files.vault));
    }
    let found = backups(&bench.files).unwrap();
    assert_eq!(
        found
            .iter()
            .map(|backup| backup.generation)
            .collect::<Vec<_>>(),
        [8, 7, 6, 5, 4]
    );
    for backup in &found {
        assert_eq!(
            bytes(&backup.path),
            generations[backup.generation as usize - 1]
        );
        assert_eq!(
            backup.len,
            generations[backup.generation as usize - 1].len() as u64
        );
    }
    assert_eq!(vault.generation(), 9);
}

#[test]
fn ten_and_a_hundred_accounts_have_one_size() {
    let (bench, mut vault) = Bench::created();
    add_and_save(&mut vault, "one");
    let len = bytes(&bench.files.vault).len();
    for n in 0..40 {
        vault
            .add(totp(&format!("account {n}"), &[n + 1; 20]), NOW)
            .unwrap();
    }
    vault.save(NOW).unwrap();
    assert_eq!(bytes(&bench.files.vault).len(), len);
}

#[test]
#[cfg(unix)]
fn files_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (bench, mut vault) = Bench::created();
    std::fs::set_permissions(&bench.files.vault, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        examine(&bench.files)
            .iter()
            .any(|f| f.severity == Severity::Warning && f.text.contains("0644"))
    );
    add_and_save(&mut vault, "alice");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let dir = bench.files.vault.parent().unwrap();
    assert_eq!(mode(dir), 0o700);
    assert_eq!(mode(&bench.files.state), 0o700);
    assert_eq!(mode(&bench.files.vault), 0o600);
    assert_eq!(mode(&bench.files.lock()), 0o600);
    for entry in std::fs::read_dir(&bench.files.state).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
#[cfg(unix)]
fn a_linked_vault_is_saved_through_its_link() {
    let (bench, vault) = Bench::created();
    drop(vault);
    let link = bench.dir.path().join("link");
    let second = bench.dir.path().join("second");
    std::os::unix::fs::symlink("v/vault.vmfa", &link).unwrap();
    std::os::unix::fs::symlink("link", &second).unwrap();
    let files = Files {
        vault: second.clone(),
        state: bench.files.state.clone(),
    };
    assert_eq!(files.ledger().file_name().unwrap(), "vault.vmfa.ledger");
    let mut vault = Locked::open(&files, KdfLimit::Usual)
        .unwrap()
        .unlock(&key_file(), Rollback::Refuse, NOW)
        .unwrap();
    add_and_save(&mut vault, "alice");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::symlink_metadata(&second).unwrap().is_symlink());
    assert_eq!(bench.open().live().count(), 1);
    // A new vault may be made where a link points to nothing yet.
    let dangling = bench.dir.path().join("dangling");
    std::os::unix::fs::symlink("v/other.vmfa", &dangling).unwrap();
    let files = Files {
        vault: dangling,
        state: bench.files.state.clone(),
    };
    create(&files, &key_file(), KdfParams::LEAST, NOW).unwrap();
    assert!(bench.dir.path().join("v/other.vmfa").is_file());
    // A loop is refused.
    std::os::unix::fs::symlink("loop", bench.dir.path().join("loop")).unwrap();
    let files = Files {
        vault: bench.dir.path().join("loop"),
        state: bench.files.state.clone(),
    };
    assert!(create(&files, &key_file(), KdfParams::LEAST, NOW).is_err());
}

#[test]
#[cfg(unix)]
fn no_link_is_followed_for_the_lock() {
    let (bench, mut vault) = Bench::created();
    let victim = bench.dir.path().join("victim");
    put(&victim, b"precious");
    std::fs::remove_file(bench.files.lock()).unwrap();
    std::os::unix::fs::symlink(&victim, bench.files.lock()).unwrap();
    vault.add(totp("alice", b"secret one"), NOW).unwrap();
    assert!(matches!(vault.save(NOW), Err(VaultError::OddLock { .. })));
    assert_eq!(bytes(&victim), b"precious");
    assert!(
        examine(&bench.files)
            .iter()
            .any(|f| f.severity == Severity::Problem && f.text.contains("lock"))
    );
}

#[test]
fn creating_never_replaces() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.files.vault.parent().unwrap()).unwrap();
    put(&bench.files.vault, b"anything");
    let error = create(&bench.files, &key_file(), KdfParams::LEAST, NOW)
        .err()
        .unwrap();
    assert!(matches!(error, VaultError::Exists { .. }));
    assert_eq!(bytes(&bench.files.vault), b"anything");

    // Of eight at once, one makes it.
    let bench = Bench::new();
    let made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    create(&bench.files, &key_file(), KdfParams::LEAST, NOW)
                        .map(|(v, _)| v.vault_id())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let winners: Vec<_> = made.iter().filter_map(|made| made.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1);
    assert!(
        made.iter()
            .filter_map(|made| made.as_ref().err())
            .all(|e| matches!(e, VaultError::Exists { .. }))
    );
    assert_eq!(bench.open().vault_id(), *winners[0]);
    assert_eq!(bench.beside(), ["vault.vmfa", "vault.vmfa.lock"]);
}

#[test]
fn leftovers_of_killed_saves_are_swept_and_nothing_else() {
    let (bench, mut vault) = Bench::created();
    let dir = bench.files.vault.parent().unwrap();
    for name in [
        "vault.vmfa.tmp-0123456789abcdef",
        "vault.vmfa.tmp-mine",
        "vault.vmfa.tmp-0123456789ABCDEF",
        "other.tmp-0123456789abcdef",
    ] {
        put(&dir.join(name), b"x");
    }
    assert!(
        examine(&bench.files)
            .iter()
            .any(|f| f.text.contains("1 temporary files"))
    );
    add_and_save(&mut vault, "alice");
    assert_eq!(
        bench.beside(),
        [
            "other.tmp-0123456789abcdef",
            "vault.vmfa",
            "vault.vmfa.bak-1",
            "vault.vmfa.lock",
            "vault.vmfa.tmp-0123456789ABCDEF",
            "vault.vmfa.tmp-mine"
        ]
    );
}

#[test]
fn an_older_copy_is_refused_until_it_is_accepted() {
    let (bench, mut vault) = Bench::created();
    let old = bytes(&bench.files.vault);
    add_and_save(&mut vault, "alice");
    add_and_save(&mut vault, "bob");
    put(&bench.files.vault, &old);
    let error = bench.try_open().err().unwrap();
    assert!(
        matches!(
            error,
            VaultError::RolledBack {
                seen: 3,
                found: 1,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        examine(&bench.files)
            .iter()
            .any(|f| f.severity == Severity::Problem && f.text.contains("generation 3"))
    );
    let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
    let accepted = locked.unlock(&key_file(), Rollback::Accept, NOW).unwrap();
    assert_eq!(accepted.generation(), 1);
    // Said once, it holds; and the next save is above all that was seen.
    let mut vault = bench.open();
    add_and_save(&mut vault, "carol");
    assert_eq!(vault.generation(), 4);
    assert_eq!(bench.open().live().count(), 1);
}

#[test]
fn an_older_copy_from_before_a_change_of_keys_is_refused_too() {
    let (bench, mut vault) = Bench::created();
    let old = bytes(&bench.files.vault);
    let extra = vault
        .add_slot(&passphrase("extra"), KdfParams::LEAST)
        .unwrap();
    vault.remove_slot(&extra.id).unwrap();
    vault.save(NOW).unwrap();
    put(&bench.files.vault, &old);
    assert!(matches!(
        bench.try_open(),
        Err(VaultError::RolledBack { .. })
    ));
}

#[test]
fn a_lost_or_damaged_pin_is_written_anew() {
    let (bench, mut vault) = Bench::created();
    add_and_save(&mut vault, "alice");
    let path = pin::path(&bench.files.state, &vault.vault_id());
    let good = bytes(&path);
    for bad in [&good[..50], b"", &[0; 120]] {
        put(&path, bad);
        assert!(
            examine(&bench.files)
                .iter()
                .any(|f| f.severity == Severity::Warning && f.text.contains("pin"))
        );
        bench.open();
        assert_eq!(bytes(&path)[..64], good[..64]);
    }
    std::fs::remove_file(&path).unwrap();
    bench.open();
    assert_eq!(bytes(&path)[..64], good[..64]);
    // A state directory that can't be: the vault opens and saves all the same.
    let files = Files {
        vault: bench.files.vault.clone(),
        state: bench.files.vault.join("impossible"),
    };
    let mut vault = Locked::open(&files, KdfLimit::Usual)
        .unwrap()
        .unlock(&key_file(), Rollback::Refuse, NOW)
        .unwrap();
    assert!(vault.pin_problem().unwrap().contains("impossible"));
    add_and_save(&mut vault, "bob");
    assert!(vault.pin_problem().is_some());
    // The pin that stayed behind is told, until it is written.
    let behind = || {
        let findings = examine(&bench.files);
        findings.iter().any(|f| {
            f.severity == Severity::Warning
                && f.text
                    .contains("knows generation 2, and the vault is generation 3")
        })
    };
    assert!(behind());
    assert_eq!(bench.open().pin_problem(), None);
    assert!(!behind());
}

#[test]
fn a_fork_is_merged() {
    let (bench, mut ours) = Bench::created();
    let base = bytes(&bench.files.vault);
    let id = new_id(ours.add(totp("alice", b"secret one"), NOW).unwrap());
    ours.save(NOW).unwrap();
    // Somebody else went on from the same generation, elsewhere.
    put(&bench.files.vault, &base);
    let mut theirs = Locked::open(&bench.files, KdfLimit::Usual)
        .unwrap()
        .unlock(&key_file(), Rollback::Accept, NOW)
        .unwrap();
    theirs.add(totp("bob", b"secret two"), NOW).unwrap();
    theirs.save(NOW).unwrap();
    ours.change(&id, NOW, |summary| summary.note = "n".into())
        .unwrap();
    ours.save(NOW).unwrap();
    assert_eq!(bench.open().live().count(), 2);
}

#[test]
fn a_backup_takes_the_place_of_a_damaged_a_missing_and_a_good_vault() {
    let (bench, mut vault) = Bench::created();
    for n in 0..3 {
        add_and_save(&mut vault, &format!("account {n}"));
    }
    let newest = backups(&bench.files).unwrap()[0].path.clone();
    let restore =
        |path: &Path| restore_backup(&bench.files, path, &key_file(), KdfLimit::Usual, NOW);

    put(&bench.files.vault, b"ruined");
    let restored = restore(&newest).unwrap();
    assert_eq!((restored.generation(), restored.live().count()), (5, 2));
    assert_eq!(
        bytes(&bench.files.vault.with_file_name("vault.vmfa.damaged-1")),
        b"ruined"
    );
    assert_eq!(bench.open().live().count(), 2);

    std::fs::remove_file(&bench.files.vault).unwrap();
    assert_eq!(restore(&newest).unwrap().generation(), 6);
    assert_eq!(bench.open().live().count(), 2);

    let before = bytes(&bench.files.vault);
    let oldest = backups(&bench.files).unwrap().pop().unwrap();
    let mut restored = restore(&oldest.path).unwrap();
    assert_eq!((restored.generation(), restored.live().count()), (7, 0));
    assert_eq!(
        bytes(&backups(&bench.files).unwrap()[0].path),
        before,
        "what was there is a backup now"
    );
    add_and_save(&mut restored, "later");

    // What doesn't open isn't put anywhere.
    let there = bytes(&bench.files.vault);
    let bad = bench.dir.path().join("bad");
    let mut broken = there.clone();
    *broken.last_mut().unwrap() ^= 1;
    put(&bad, &broken);
    assert_eq!(fault(restore(&bad).err().unwrap()), Fault::Payload);
    assert_eq!(bytes(&bench.files.vault), there);
    assert!(
        examine(&bench.files)
            .iter()
            .any(|f| f.text.contains("damaged-1"))
    );
}

#[test]
fn a_directory_open_to_others_is_told() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let (bench, _vault) = Bench::created();
        let dir = bench.files.vault.parent().unwrap();
        let told = || {
            examine(&bench.files)
                .iter()
                .any(|f| f.text.contains("others may write"))
        };
        assert!(!told());
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(told());
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(!told(), "like /tmp");
    }
}

#[test]
#[cfg(unix)]
fn every_opening_can_tell_what_others_could_do() {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let (bench, vault) = Bench::created();
    let dir = bench.files.vault.parent().unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = || -> Vec<String> {
        let found = dangers(&bench.files);
        assert!(
            found
                .iter()
                .all(|f| f.severity == Severity::Warning && f.advice.is_some())
        );
        let all = examine(&bench.files);
        assert!(
            found.iter().all(|f| all.contains(f)),
            "examine tells no less"
        );
        found.into_iter().map(|finding| finding.text).collect()
    };
    assert!(told().is_empty());
    for (bits, words) in [
        (0o644, "others may read it"),
        (0o620, "others may write it"),
        (0o666, "others may read and write it"),
    ] {
        mode(&bench.files.vault, bits);
        assert!(
            told()[0].ends_with(words) && told().len() == 1,
            "{:?}",
            told()
        );
    }
    mode(&bench.files.vault, 0o600);
    for (bits, is_told) in [
        (0o702, true),
        (0o777, true),
        (0o1777, false),
        (0o755, false),
    ] {
        mode(dir, bits);
        assert_eq!(told().len(), usize::from(is_told), "{bits:o}");
        assert!(told().iter().all(|text| text.contains("others may write")));
    }
    // Only who is root can try this.
    if rustix::process::geteuid().is_root() {
        mode(dir, 0o775);
        chown(dir, Some(0), Some(7)).unwrap();
        assert!(told()[0].contains("others may write"), "{:?}", told());
        chown(dir, Some(4711), Some(4711)).unwrap();
        assert!(told()[0].contains("user 4711") && told().len() == 1);
        chown(&bench.files.vault, Some(4711), None).unwrap();
        assert!(told()[1].contains("belongs to user 4711"));
    }
    drop(vault);
    std::fs::remove_dir_all(dir).unwrap();
    assert!(dangers(&bench.files).is_empty());
}

#[test]
fn a_bare_name_is_in_the_present_directory() {
    let place = file::Place::of(Path::new("vault.vmfa")).unwrap();
    let here = std::fs::canonicalize(".").unwrap();
    assert_eq!(
        (place.vault, place.dir),
        (here.join("vault.vmfa"), here.clone())
    );
    let files = Files {
        vault: "vault.vmfa".into(),
        state: "state".into(),
    };
    assert_eq!(files.ledger(), here.join("vault.vmfa.ledger"));
}

/// The body of [`a_full_disk_leaves_the_old_vault`], in a process whose signal and limit it may change. By itself it does
/// nothing.
#[test]
#[cfg(unix)]
fn in_a_process_of_its_own() {
    if !std::env::args().any(|argument| argument == "--exact") {
        return;
    }
    use rustix::process::{Resource, Rlimit, setrlimit};
    let (bench, mut vault) = Bench::created();
    add_and_save(&mut vault, "alice");
    let (there, beside) = (bytes(&bench.files.vault), bench.beside());
    vault.add(totp("bob", b"secret two"), NOW).unwrap();
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: Some(9000),
            maximum: None,
        },
    )
    .unwrap();
    let error = vault.save(NOW).unwrap_err();
    assert!(
        matches!(
            error,
            VaultError::Io {
                action: "write",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("make room"));
    assert_eq!(bytes(&bench.files.vault), there);
    assert_eq!(bench.beside(), beside);
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: None,
            maximum: None,
        },
    )
    .unwrap();
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    assert_eq!(bench.open().live().count(), 2);
}

#[test]
#[cfg(unix)]
fn a_full_disk_leaves_the_old_vault() {
    // A write beyond the limit is a signal unless it is ignored, and an error then: EFBIG, after a short write.
    let command = "trap '' XFSZ; exec \"$0\" --exact vault::tests::saving::in_a_process_of_its_own";
    let exe = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .arg(exe)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
