//! Copies of one vault on several machines, whose clocks are wrong each in its own way, come together in any order.

use super::evidence::tell;
use super::*;
use crate::clock::Stopwatch;
use crate::vault::fields;
use crate::vault::record::Record;
use crate::vault::stamp::Hlc;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Days between machines' clocks and ours: right, a little off, and years behind or ahead.
const CLOCKS: [i64; 6] = [0, 0, 1, -30, -9 * 365, 20 * 365];
const DAY: i64 = 86400;

/// What somebody does on a machine. Accounts are told by their place in the list.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Add(u8),
    /// A secret of its own under an id that others take, too.
    Claim(u8),
    Edit(usize, u8),
    Remove(usize),
    Restore(usize),
    Erase(usize),
    Next(usize),
    Settle(usize),
    Key(u8),
    /// As a newer version may write.
    Unknown(u8),
    /// The machine's clock is set.
    Clock(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => any::<u8>().prop_map(Deed::Add),
        1 => (0u8..3).prop_map(Deed::Claim),
        4 => (0usize..6, any::<u8>()).prop_map(|(at, note)| Deed::Edit(at, note)),
        2 => (0usize..6).prop_map(Deed::Remove),
        1 => (0usize..6).prop_map(Deed::Restore),
        2 => (0usize..6).prop_map(Deed::Erase),
        3 => (0usize..6).prop_map(Deed::Next),
        1 => (0usize..6).prop_map(Deed::Settle),
        1 => (0u8..3).prop_map(Deed::Key),
        1 => (0u8..3).prop_map(Deed::Unknown),
        1 => (-500i64..500).prop_map(Deed::Clock),
    ]
}

#[derive(Debug, Clone)]
struct Machine {
    clock: usize,
    deeds: Vec<Deed>,
}

fn machines(count: usize) -> impl Strategy<Value = Vec<Machine>> {
    let one = (0..CLOCKS.len(), prop::collection::vec(deed(), 0..6));
    let one = one.prop_map(|(clock, deeds)| Machine { clock, deeds });
    prop::collection::vec(one, count)
}

fn days(from: UnixTime, days: i64) -> UnixTime {
    UnixTime::from_secs(from.secs().saturating_add_signed(days * DAY))
}

fn shown(vault: &Unlocked) -> Vec<AccountId> {
    let trash = vault.trash();
    let mut ids: Vec<AccountId> = vault.live().chain(&trash).map(|s| s.id).collect();
    ids.sort();
    ids
}

fn act(vault: &mut Unlocked, machine: usize, deed: Deed, now: &mut UnixTime) {
    let ids = shown(vault);
    let at = |at: usize| ids.get(at % ids.len().max(1)).copied();
    let each = |n: u8| [b'a' + machine as u8, n, 7, 7, 7, 7, 7, 7, 7, 7];
    // What can't be done there isn't done: an edit of nothing, a code of an account without a counter.
    match deed {
        Deed::Add(n) => drop(vault.add(totp("added", &each(n)), *now).unwrap()),
        Deed::Claim(n) => {
            let mut account = hotp("claimed", &each(n));
            account.summary.id = AccountId::from_bytes([n; 16]);
            vault.add(account, *now).unwrap();
        }
        Deed::Edit(n, note) => {
            if let Some(id) = at(n) {
                let set = |summary: &mut Summary| summary.note = format!("{machine} {note}");
                vault.change(&id, *now, set).unwrap();
            }
        }
        Deed::Remove(n) => at(n)
            .into_iter()
            .for_each(|id| vault.remove(&id, *now).unwrap()),
        Deed::Restore(n) => at(n)
            .into_iter()
            .for_each(|id| vault.restore(&id, *now).unwrap()),
        Deed::Erase(n) => at(n)
            .into_iter()
            .for_each(|id| vault.erase(&id, *now).unwrap()),
        Deed::Next(n) => at(n)
            .into_iter()
            .for_each(|id| drop(vault.next_hotp(&id, *now))),
        Deed::Settle(n) => at(n)
            .into_iter()
            .for_each(|id| vault.settle(&id, *now).unwrap()),
        Deed::Key(n) => {
            let id = format!("AKIAIOSFODNN7EXAMP{machine}{n}");
            let secret =
                SecretText::new(format!("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE{machine}{n}"));
            vault.put_access_key("default", &id, secret, *now).unwrap();
        }
        Deed::Unknown(n) => {
            // A type, a field and a flag of tomorrow.
            let mut words = Vec::new();
            fields::put(&mut words, 2, &each(n));
            fields::put(&mut words, 13, &[n; 16]);
            fields::put(&mut words, 999, b"of tomorrow");
            let stamp = Hlc::after(vault.top, *now);
            let device = vault.device_number();
            let mut record = Record::new([100 + n; 16], stamp, device, 77, &words);
            record.set_sealed(&[n; 16], &[machine as u8; 80]);
            vault.take_records(vec![record], &[]);
            vault.dirty = true;
        }
        Deed::Clock(by) => *now = days(*now, by),
    }
    vault.save(*now).unwrap();
}

/// A directory with the first copy, and how the others are called.
struct Machines {
    bench: Bench,
    copies: usize,
}

impl Machines {
    fn files(&self, at: usize) -> Files {
        Files {
            vault: self.bench.dir.path().join(format!("copy-{at}/vault.vmfa")),
            state: self.bench.dir.path().join(format!("state-{at}")),
        }
    }

    /// One vault, copied to each machine, on which somebody did something.
    fn after(machines: &[Machine]) -> Self {
        let (bench, mut vault) = Bench::created();
        for n in 0..3 {
            vault
                .add(hotp(&format!("counter {n}"), &[n + 1; 20]), NOW)
                .unwrap();
            vault
                .add(totp(&format!("steps {n}"), &[n + 51; 20]), NOW)
                .unwrap();
        }
        vault.save(NOW).unwrap();
        let made = Self {
            bench,
            copies: machines.len(),
        };
        for (at, machine) in machines.iter().enumerate() {
            let files = made.files(at);
            std::fs::create_dir(files.vault.parent().unwrap()).unwrap();
            put(&files.vault, &bytes(&made.bench.files.vault));
            let mut vault = made.bench.open_at(&files);
            let mut now = days(NOW, CLOCKS[machine.clock]);
            for deed in &machine.deeds {
                act(&mut vault, at, *deed, &mut now);
            }
        }
        made
    }

    /// The first one takes in the others in this order, each time through a file; what is there then.
    fn together(&self, order: &[usize]) -> Vec<Vec<u8>> {
        let all = self.merged(order);
        let vault = self.bench.open_at(&all);
        records(&vault)
    }

    fn merged(&self, order: &[usize]) -> Files {
        let name: String = order.iter().map(usize::to_string).collect();
        let files = Files {
            vault: self.bench.dir.path().join(format!("merged-{name}.vmfa")),
            state: self.bench.dir.path().join(format!("state-merged-{name}")),
        };
        // What was merged in this order before isn't to be remembered: begun anew, it would be a rollback.
        let _ = std::fs::remove_dir_all(&files.state);
        put(&files.vault, &bytes(&self.files(order[0]).vault));
        for other in &order[1..] {
            let mut vault = self.bench.open_at(&files);
            vault.merge_file(&self.files(*other).vault).unwrap();
            vault.save(NOW).unwrap();
        }
        files
    }
}

/// All that can be told apart but the seals: a record that is taken in is sealed anew.
fn records(vault: &Unlocked) -> Vec<Vec<u8>> {
    let bytes = |record: &Record| {
        let (stamp, device) = (record.hlc, record.device);
        let mut bare = Record::new(record.id, stamp, device, record.kind, record.fields());
        bare.flags = record.flags;
        let mut bytes = Vec::new();
        bare.write(&mut bytes);
        bytes
    };
    vault.records().map(bytes).collect()
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..count {
        let longer = all.into_iter().flat_map(|order: Vec<usize>| {
            let next = (0..count)
                .filter(|at| !order.contains(at))
                .collect::<Vec<_>>();
            next.into_iter()
                .map(move |at| [order.clone(), vec![at]].concat())
        });
        all = longer.collect();
    }
    all
}

fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The same cases each time.
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Merges that were judged, and those of them in which a clock was wrong.
fn in_every_order(count: usize, cases: u32) -> (u64, u64) {
    let (merges, lies) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let judged = runner(cases).run(&machines(count), |machines| {
        let made = Machines::after(&machines);
        let set = |machine: &Machine| machine.deeds.iter().any(|d| matches!(d, Deed::Clock(_)));
        let wrong = machines
            .iter()
            .any(|machine| CLOCKS[machine.clock] != 0 || set(machine));
        let first: Vec<usize> = (0..made.copies).collect();
        let wanted = made.together(&first);
        for order in orders(count).into_iter().filter(|order| *order != first) {
            prop_assert_eq!(&made.together(&order), &wanted, "{:?}", order);
            merges.set(merges.get() + 1);
            lies.set(lies.get() + u64::from(wrong));
        }
        // Once more changes nothing, and pairs come to the same as one after the other.
        let all = made.merged(&first);
        let mut vault = made.bench.open_at(&all);
        for at in 0..made.copies {
            vault.merge_file(&made.files(at).vault).unwrap();
        }
        // A tombstone past its days comes along once more, and goes with the save.
        vault.save(NOW).unwrap();
        prop_assert_eq!(&records(&vault), &wanted);
        let left = made.merged(&first[..2]);
        let right = made.merged(&first[2..]);
        let mut pairs = made.bench.open_at(&left);
        pairs.merge_file(&right.vault).unwrap();
        prop_assert_eq!(records(&pairs), wanted);
        // Whatever its clock says, who has seen everything is heard.
        for machine in &machines {
            let now = days(NOW, CLOCKS[machine.clock]);
            let mut vault = made.bench.open_at(&all);
            let Some(id) = shown(&vault).first().copied() else {
                continue;
            };
            vault
                .change(&id, now, |summary| summary.note = "the last word".into())
                .unwrap();
            let said = records(&vault);
            for at in 0..made.copies {
                vault.merge_file(&made.files(at).vault).unwrap();
            }
            prop_assert_eq!(records(&vault), said);
        }
        Ok(())
    });
    judged.unwrap();
    (merges.get(), lies.get())
}

#[test]
fn three_and_four_copies_come_to_the_same_in_every_order() {
    let watch = Stopwatch::start();
    let three = in_every_order(3, 40);
    let four = in_every_order(4, 8);
    let (merges, lies) = (three.0 + four.0, three.1 + four.1);
    tell(
        "merge",
        &[("cases", merges), ("faults", lies), ("losses", 0)],
        watch,
    );
    assert!(lies > merges / 4, "the clocks are right too often");
}

/// A copy that learnt of an erasure and forgot it after 400 days, and one that did not forget: it comes to the same.
#[test]
fn what_was_erased_long_ago_stays_away_wherever_it_was_learnt() {
    let (bench, mut ours) = Bench::created();
    let id = new_id(ours.add(totp("gone", b"secret one"), NOW).unwrap());
    ours.save(NOW).unwrap();
    ours.erase(&id, NOW).unwrap();
    ours.save(NOW).unwrap();
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    let mut theirs = bench.open_at(&copy);
    let late = NOW.plus_secs(401 * 86400);
    for n in 0..2 {
        ours.add(totp("here", &[n + 1; 20]), late).unwrap();
        ours.save(late).unwrap();
        // A stamp that was read from a file, not this process's own clock, lets it go.
        ours = bench.open();
    }
    assert_eq!(ours.entries.len(), 2, "the tombstone is gone here");
    assert_eq!(theirs.entries.len(), 1, "and there it isn't");
    assert!(ours.merge_file(&copy.vault).unwrap());
    assert!(theirs.merge_file(&bench.files.vault).unwrap());
    assert_eq!(records(&ours), records(&theirs));
    assert!(shown(&ours).len() == 2 && ours.account(&id).is_err());
    ours.save(late).unwrap();
    assert_eq!(
        bench.open().entries.len(),
        2,
        "and goes again with the next save"
    );
}

/// The file that all copies are merged into opens under a key changed meanwhile, too.
#[test]
fn copies_come_together_across_changes_of_the_key() {
    let (bench, mut ours) = Bench::created();
    let id = new_id(ours.add(hotp("counter", b"secret one"), NOW).unwrap());
    ours.save(NOW).unwrap();
    let copy = bench.in_place_of(&bytes(&bench.files.vault));
    let mut theirs = bench.open_at(&copy);
    for _ in 0..3 {
        theirs.next_hotp(&id, NOW).unwrap();
    }
    for _ in 0..8 {
        let slot = ours.add_recovery().unwrap().0;
        ours.save(NOW).unwrap();
        ours.remove_slot(&slot.id).unwrap();
        ours.save(NOW).unwrap();
        assert!(ours.merge_file(&copy.vault).is_ok());
    }
    ours.save(NOW).unwrap();
    assert_eq!(bench.open().live().next().unwrap().counter, Some(3));
    // Of keys before the last eight nothing is known.
    let slot = ours.add_recovery().unwrap().0;
    ours.remove_slot(&slot.id).unwrap();
    assert!(matches!(
        ours.merge_file(&copy.vault),
        Err(VaultError::ChangedKeys { .. })
    ));
}
