//! Many writers at once. `flock` is held by an open file, so threads that each open the vault compete as processes do.

use super::*;
use crate::vault::save::Locking;

const WRITERS: usize = 8;
const ADDS: usize = 25;

/// How many of the 200 accounts are there in the end.
fn survivors(locking: Locking) -> usize {
    let (bench, vault) = Bench::created();
    drop(vault);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let bench = &bench;
            scope.spawn(move || {
                let mut vault = bench.open();
                vault.locking = locking;
                for n in 0..ADDS {
                    let name = format!("{writer} {n}");
                    if locking == Locking::Usual {
                        // A process of its own each time, as the command line is.
                        vault = bench.open();
                    }
                    vault.add(totp(&name, name.as_bytes()), NOW).unwrap();
                    let saved = vault.save(NOW);
                    if locking == Locking::Usual {
                        assert_eq!(saved.unwrap(), Saved::Durable);
                    }
                }
                // The control forgets what it has in memory: only the file counts.
            });
        }
    });
    let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
    locked
        .unlock(&key_file(), Rollback::Accept, NOW)
        .unwrap()
        .live()
        .count()
}

#[test]
fn eight_writers_lose_nothing() {
    assert_eq!(survivors(Locking::Usual), WRITERS * ADDS);
}

/// Each writer keeps its own accounts in memory and merges, so that a loss shows only when its last save is overwritten:
/// the control opens anew each time instead, as the test above does, and takes no lock.
#[test]
fn without_the_lock_something_is_lost() {
    let (bench, vault) = Bench::created();
    drop(vault);
    // One round may be lucky, ten are not.
    for round in 0..10 {
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let bench = &bench;
                scope.spawn(move || {
                    for n in 0..ADDS {
                        let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
                        let Ok(mut vault) = locked.unlock(&key_file(), Rollback::Accept, NOW)
                        else {
                            continue;
                        };
                        vault.locking = Locking::Pretended;
                        let name = format!("{round} {writer} {n}");
                        vault.add(totp(&name, name.as_bytes()), NOW).unwrap();
                        // Sweeping takes away others' files: part of what goes wrong without the lock.
                        drop(vault.save(NOW));
                    }
                });
            }
        });
        let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
        let count = locked
            .unlock(&key_file(), Rollback::Accept, NOW)
            .unwrap()
            .live()
            .count();
        if count < (round + 1) * WRITERS * ADDS {
            return;
        }
    }
    panic!("the lock makes no difference: the test above proves nothing");
}

#[test]
fn where_locks_do_not_work_writers_merge() {
    let (bench, mut ours) = Bench::created();
    let mut theirs = bench.open();
    ours.locking = Locking::Unsupported;
    theirs.locking = Locking::Unsupported;
    for n in 0..5u8 {
        ours.add(totp(&format!("ours {n}"), &[n + 1; 20]), NOW)
            .unwrap();
        theirs
            .add(totp(&format!("theirs {n}"), &[n + 101; 20]), NOW)
            .unwrap();
        assert_eq!(ours.save(NOW).unwrap(), Saved::Durable);
        assert_eq!(theirs.save(NOW).unwrap(), Saved::Durable);
    }
    assert_eq!(bench.open().live().count(), 10);
}

#[test]
fn no_counter_is_given_twice() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(
        vault
            .add(hotp("alice", b"12345678901234567890"), NOW)
            .unwrap(),
    );
    vault.save(NOW).unwrap();
    let mut codes: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS)
            .map(|_| {
                let bench = &bench;
                scope.spawn(move || {
                    let mut vault = bench.open();
                    (0..5)
                        .map(|_| vault.next_hotp(&id, NOW).unwrap().as_str().to_owned())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(codes.len(), 40);
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 40);
    assert_eq!(bench.open().live().next().unwrap().counter, Some(40));
    // RFC 4226 appendix D: the first ten.
    for code in [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ] {
        assert!(codes.iter().any(|given| given == code));
    }
}

#[test]
fn edits_of_two_are_merged_by_the_latest() {
    let (bench, mut ours) = Bench::created();
    let id = new_id(ours.add(hotp("alice", b"secret one"), NOW).unwrap());
    let other = new_id(ours.add(totp("bob", b"secret two"), NOW).unwrap());
    ours.save(NOW).unwrap();
    let mut theirs = bench.open();
    theirs.next_hotp(&id, NOW).unwrap();
    theirs.next_hotp(&id, NOW).unwrap();
    theirs.erase(&other, NOW).unwrap();
    theirs
        .change(&id, NOW.plus_secs(5), |summary| {
            summary.note = "theirs".into()
        })
        .unwrap();
    theirs.save(NOW).unwrap();
    ours.change(&id, NOW.plus_secs(9), |summary| {
        summary.note = "ours".into()
    })
    .unwrap();
    ours.save(NOW.plus_secs(9)).unwrap();
    let vault = bench.open();
    let summary = vault.live().next().unwrap();
    assert_eq!((summary.note.as_str(), summary.counter), ("ours", Some(2)));
    assert_eq!(vault.live().count(), 1, "what was erased stays erased");
}

#[test]
fn edits_of_two_fields_are_both_kept_and_the_last_save_of_one_wins() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault
        .change(&id, NOW, |summary| {
            summary.tags = vec!["kept".into(), "dropped".into()]
        })
        .unwrap();
    vault.save(NOW).unwrap();
    // Each has read the same file; whose clock is ahead doesn't matter.
    for (ours_at, theirs_at) in [(5, 9), (9, 5)] {
        let (mut ours, mut theirs) = (bench.open(), bench.open());
        let tag = format!("theirs {theirs_at}");
        theirs
            .change(&id, NOW.plus_secs(theirs_at), |summary| {
                summary.tags.push(tag.clone());
                summary.tags.retain(|tag| tag != "dropped");
                summary.name = "of both, first".into();
            })
            .unwrap();
        theirs.save(NOW.plus_secs(theirs_at)).unwrap();
        ours.change(&id, NOW.plus_secs(ours_at), |summary| {
            summary.tags.push(format!("ours {ours_at}"));
            summary.note = format!("ours {ours_at}");
            summary.name = format!("of both, last, {ours_at}");
        })
        .unwrap();
        ours.set_pin(&id, Some(SecretText::new("1234".into())), NOW)
            .unwrap();
        ours.save(NOW.plus_secs(ours_at)).unwrap();
        let vault = bench.open();
        let summary = vault.live().next().unwrap();
        assert_eq!(summary.name, format!("of both, last, {ours_at}"));
        assert_eq!(summary.note, format!("ours {ours_at}"));
        for tag in [tag, format!("ours {ours_at}"), "kept".into()] {
            assert!(summary.tags.contains(&tag), "{tag}: {:?}", summary.tags);
        }
        assert!(!summary.tags.contains(&"dropped".to_owned()));
        let account = vault.account(&id).unwrap();
        assert_eq!(account.secret.expose(), b"secret one");
        assert_eq!(account.pin.unwrap().expose(), "1234");
    }
}

#[test]
fn what_one_erases_while_another_edits_it_is_gone() {
    for (erased_at, edited_at) in [(5, 9), (9, 5)] {
        for erased_first in [true, false] {
            let (bench, mut vault) = Bench::created();
            let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
            vault.save(NOW).unwrap();
            let (mut ours, mut theirs) = (bench.open(), bench.open());
            let at = NOW.plus_secs(erased_at);
            ours.erase(&id, at).unwrap();
            let later = NOW.plus_secs(edited_at);
            let edit = |summary: &mut Summary| summary.note = "edited".into();
            theirs.change(&id, later, edit).unwrap();
            if erased_first {
                ours.save(at).unwrap();
                theirs.save(later).unwrap();
            } else {
                theirs.save(later).unwrap();
                ours.save(at).unwrap();
            }
            let vault = bench.open();
            let which = (erased_at, edited_at, erased_first);
            assert_eq!(vault.live().count(), 0, "{which:?}");
        }
    }
}

#[test]
fn an_edit_made_while_the_keys_change_is_done_again_on_theirs() {
    let (bench, mut vault) = Bench::created();
    let id = new_id(vault.add(totp("alice", b"secret one"), NOW).unwrap());
    vault.save(NOW).unwrap();
    let (mut ours, mut theirs) = (bench.open(), bench.open());
    theirs
        .change(&id, NOW.plus_secs(9), |summary| summary.favorite = true)
        .unwrap();
    theirs.save(NOW.plus_secs(9)).unwrap();
    ours.change(&id, NOW, |summary| summary.note = "ours".into())
        .unwrap();
    let slot = ours.add_recovery().unwrap().0;
    ours.remove_slot(&slot.id).unwrap();
    ours.save(NOW).unwrap();
    let vault = bench.open();
    let summary = vault.live().next().unwrap();
    assert_eq!((summary.note.as_str(), summary.favorite), ("ours", true));
    assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
}

#[test]
fn two_secrets_of_one_id_are_both_kept() {
    let (bench, mut ours) = Bench::created();
    let mut theirs = bench.open();
    let id = AccountId::from_bytes([7; 16]);
    for (vault, secret) in [(&mut ours, b"secret one"), (&mut theirs, b"secret two")] {
        let mut account = totp("alice", secret);
        account.summary.id = id;
        assert_eq!(new_id(vault.add(account, NOW).unwrap()), id);
    }
    ours.save(NOW).unwrap();
    theirs.save(NOW).unwrap();
    let mut vault = bench.open();
    let mut secrets: Vec<Vec<u8>> = vault
        .live()
        .map(|s| vault.account(&s.id).unwrap().secret.expose().to_vec())
        .collect();
    secrets.sort();
    assert_eq!(secrets, [b"secret one", b"secret two"]);
    assert!(vault.live().all(|summary| summary.conflict));
    let ids: Vec<AccountId> = vault.live().map(|summary| summary.id).collect();
    assert!(ids[0] != ids[1] && ids.contains(&id));
    // The ids stay whatever is edited, and erasing one settles it.
    let derived = *ids.iter().find(|other| **other != id).unwrap();
    vault
        .change(&derived, NOW.plus_secs(1), |summary| {
            summary.note = "edited".into()
        })
        .unwrap();
    vault.save(NOW).unwrap();
    let mut vault = bench.open();
    assert_eq!(
        vault.live().map(|summary| summary.id).collect::<Vec<_>>(),
        ids
    );
    vault.erase(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    let vault = bench.open();
    let left = vault.live().next().unwrap();
    assert_eq!(
        (left.id, left.conflict, left.note.as_str()),
        (derived, false, "edited")
    );
    assert!(vault.code_at(&derived, NOW).is_ok());
}

/// Two copies of a vault in which two secrets came under one id: one file, and another elsewhere.
fn in_conflict() -> (Bench, Files, AccountId) {
    let (bench, mut ours) = Bench::created();
    let mut theirs = bench.open();
    let id = AccountId::from_bytes([7; 16]);
    for (vault, secret) in [(&mut ours, b"secret one"), (&mut theirs, b"secret two")] {
        let mut account = totp("alice", secret);
        account.summary.id = id;
        vault.add(account, NOW).unwrap();
        vault.save(NOW).unwrap();
    }
    assert!(bench.open().live().all(|summary| summary.conflict));
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    (bench, copy, id)
}

fn conflicts(vault: &Unlocked) -> usize {
    vault.live().filter(|summary| summary.conflict).count()
}

#[test]
fn a_settled_conflict_stays_settled() {
    let (bench, copy, id) = in_conflict();
    let mut vault = bench.open();
    let ids: Vec<AccountId> = vault.live().map(|summary| summary.id).collect();
    vault.settle(&id, NOW).unwrap();
    assert_eq!(conflicts(&vault), 0);
    assert_eq!(vault.save(NOW).unwrap(), Saved::Durable);
    vault.settle(&id, NOW).unwrap();
    assert_eq!(vault.save(NOW).unwrap(), Saved::Unchanged);

    // A copy that knows nothing of it edits both accounts, later.
    let later = NOW.plus_secs(500);
    let mut theirs = bench.open_at(&copy);
    assert_eq!(conflicts(&theirs), 2);
    for id in &ids {
        theirs
            .change(id, later, |summary| summary.note = "theirs".into())
            .unwrap();
    }
    theirs.save(later).unwrap();
    let mut vault = bench.open();
    assert!(vault.merge_file(&copy.vault).unwrap());
    vault.save(later).unwrap();
    let mut vault = bench.open();
    assert_eq!(conflicts(&vault), 0);
    assert!(vault.live().all(|summary| summary.note == "theirs"));
    assert_eq!(vault.live().map(|s| s.id).collect::<Vec<_>>(), ids);
    let mut secrets: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| vault.account(id).unwrap().secret.expose().to_vec())
        .collect();
    secrets.sort();
    assert_eq!(secrets, [b"secret one", b"secret two"]);
    // The copy learns it too; a later edit here keeps it.
    assert!(theirs.merge_file(&bench.files.vault).unwrap());
    assert_eq!(conflicts(&theirs), 0);
    vault
        .change(&ids[1], later, |summary| summary.note = "ours".into())
        .unwrap();
    vault.save(later).unwrap();
    assert_eq!(conflicts(&bench.open()), 0);
}

#[test]
fn a_further_secret_under_a_settled_id_is_a_conflict_again() {
    let (bench, _, id) = in_conflict();
    let mut vault = bench.open();
    let third = bench.in_place_of(&bytes(&bench.files.vault));
    vault.settle(&id, NOW).unwrap();
    vault.save(NOW).unwrap();
    // In the third copy the id was never given before.
    let mut elsewhere = bench.open_at(&third);
    elsewhere.set_records(Vec::new());
    let mut account = totp("alice", b"secret three");
    account.summary.id = id;
    assert_eq!(new_id(elsewhere.add(account, NOW).unwrap()), id);
    let (records, devices) = (
        elsewhere.records().cloned().collect(),
        elsewhere.rest.devices.clone(),
    );
    vault.take_records(records, &devices);
    assert_eq!((vault.live().count(), conflicts(&vault)), (3, 3));
    let any = vault.live().next().unwrap().id;
    vault.settle(&any, NOW).unwrap();
    assert_eq!(conflicts(&vault), 0);
}

#[test]
#[cfg(unix)]
fn a_deleted_lock_leaves_no_two_alone() {
    let (bench, _vault) = Bench::created();
    let place = file::Place::of(&bench.files.vault).unwrap();
    // The first one's file was deleted: it isn't alone any more once another one holds the new file.
    let first = file::lock(&place, || {}).unwrap();
    assert!(first.is_in_place(&place));
    std::fs::remove_file(bench.files.lock()).unwrap();
    let second = file::lock(&place, || {}).unwrap();
    assert!(second.is_in_place(&place) && !first.is_in_place(&place));
    drop((first, second));

    // One who waits for a file that was deleted gets the new one.
    let first = file::lock(&place, || {}).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let lock = file::lock(&place, || {}).unwrap();
            assert!(lock.is_in_place(&place));
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        std::fs::remove_file(bench.files.lock()).unwrap();
        drop(first);
        waiting.join().unwrap();
    });
    assert!(bench.files.lock().is_file());
}

/// Where the system swaps two files in one step (Linux), nothing that was called saved is lost without locks either.
#[test]
#[cfg(target_os = "linux")]
fn without_locks_what_was_called_saved_is_there() {
    let (bench, vault) = Bench::created();
    drop(vault);
    let open = || {
        let locked = Locked::open(&bench.files, KdfLimit::Usual).unwrap();
        locked.unlock(&key_file(), Rollback::Accept, NOW)
    };
    let saved: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                {
                    let open = &open;
                    scope.spawn(move || {
                        let mut saved = Vec::new();
                        for n in 0..ADDS {
                            // The pin may be ahead of what was just read: then it is read again.
                            let Ok(mut vault) = open() else { continue };
                            vault.locking = Locking::Unsupported;
                            let name = format!("{writer} {n}");
                            vault.add(totp(&name, name.as_bytes()), NOW).unwrap();
                            match vault.save(NOW) {
                                Ok(_) => saved.push(name),
                                Err(error) => assert_eq!(error.kind(), Kind::Conflict, "{error}"),
                            }
                        }
                        saved
                    })
                }
            })
            .collect();
        let all = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap());
        all.collect()
    });
    let vault = open().unwrap();
    let there: Vec<String> = vault.live().map(|s| s.name.clone()).collect();
    let lost: Vec<_> = saved.iter().filter(|name| !there.contains(name)).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        saved.len()
    );
    assert!(
        saved.len() > WRITERS * ADDS / 2,
        "{} were saved",
        saved.len()
    );
}
