//! The laws of the merge, on records from domains so small that ids, stamps and secrets collide all the time.

use proptest::prelude::*;

use super::*;
use crate::clock::Stopwatch;
use crate::vault::fields::put;
use crate::vault::record::{ACCOUNT, TOMBSTONE};
use crate::vault::stamp::Hlc;
use crate::vault::tests::evidence::tell;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

fn record() -> impl Strategy<Value = Record> {
    (
        (0u8..3, 0u8..3),
        (0u64..4, 0u16..2),
        (0u8..4, prop_oneof![4 => Just(ACCOUNT), 1 => Just(9u8)]),
        (
            // Lengths that no writer writes, and as many as there are, in any place.
            prop::collection::vec(
                (
                    0u64..4,
                    prop_oneof![6 => Just(8usize), 1 => Just(2), 1 => Just(9), 1 => Just(0)],
                    any::<bool>(),
                ),
                0..3,
            ),
            0u8..3,
            prop::option::weighted(0.2, 0u8..2),
        ),
        (0u8..2, prop::bool::weighted(0.3)),
    )
        .prop_map(
            |((id, born), (hlc, device), (flags, kind), (counters, name, odd), (seal, settled))| {
                let mut fields = Vec::new();
                let put_counters = |fields: &mut Vec<u8>, late| {
                    for (counter, len, _) in counters.iter().filter(|(_, _, l)| *l == late) {
                        let mut value = counter.to_le_bytes().to_vec();
                        value.resize(*len, 0);
                        put(fields, 5, &value);
                    }
                };
                put(&mut fields, 2, &[b'a' + name]);
                put_counters(&mut fields, false);
                if born > 0 {
                    put(&mut fields, 13, &[born; 16]);
                }
                if settled {
                    put(&mut fields, 14, &[]);
                }
                put_counters(&mut fields, true);
                if seal == 1 && name == 1 {
                    put(&mut fields, 14, &[7]);
                }
                if let Some(odd) = odd {
                    // No fields: a lone byte too many.
                    fields.push(odd);
                }
                let mut record = Record::new([id; 16], Hlc(hlc), device, kind, &fields);
                record.flags = flags;
                if flags & TOMBSTONE == 0 {
                    record.set_sealed(&[seal; 16], &[seal; 80]);
                }
                record
            },
        )
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(record(), 0..8)
}

/// What can be told apart: everything.
fn shown(records: &[Record]) -> Vec<Vec<u8>> {
    let bytes = |record: &Record| {
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        bytes
    };
    records.iter().map(bytes).collect()
}

fn merged(a: &[Record], b: &[Record]) -> Vec<Record> {
    merge(a.to_vec(), b.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_two_does_not_matter(a in records(), b in records()) {
        prop_assert_eq!(shown(&merged(&a, &b)), shown(&merged(&b, &a)));
    }

    #[test]
    fn the_order_of_three_does_not_matter(a in records(), b in records(), c in records()) {
        let left = merged(&merged(&a, &b), &c);
        let right = merged(&a, &merged(&b, &c));
        prop_assert_eq!(shown(&left), shown(&right));
    }

    #[test]
    fn twice_is_once(a in records(), b in records()) {
        let once = merged(&a, &b);
        prop_assert_eq!(shown(&merged(&once, &once)), shown(&once));
        prop_assert_eq!(shown(&merged(&once, &a)), shown(&once));
        prop_assert_eq!(shown(&merged(&once, &[])), shown(&once));
    }

    #[test]
    fn nothing_is_lost_and_no_counter_goes_back(a in records(), b in records()) {
        let once = merged(&a, &b);
        for record in a.iter().chain(&b) {
            let kept: Vec<&Record> = once.iter().filter(|kept| name(kept) == name(record)).collect();
            prop_assert_eq!(kept.len(), 1);
            prop_assert!(fields::counter(kept[0].fields()) >= fields::counter(record.fields()));
            prop_assert!(fields::grown(kept[0].fields()).settled >= fields::grown(record.fields()).settled);
            prop_assert!(order(kept[0], record) != Ordering::Less);
        }
        let total: usize = once.len();
        let mut names: Vec<Name> = a.iter().chain(&b).map(name).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(total, names.len());
    }

    #[test]
    fn shown_ids_are_unique(a in records(), b in records()) {
        let once = merged(&a, &b);
        let mut last = None;
        let mut ids: Vec<AccountId> = once
            .iter()
            .map(|record| shown_id(record, last.replace(record.id) != Some(record.id)))
            .collect();
        ids.sort();
        let count = ids.len();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }

    #[test]
    fn exactly_the_living_that_share_an_id_unsettled_are_marked(a in records(), b in records()) {
        let once = merged(&a, &b);
        for record in &once {
            let living: Vec<_> = once.iter().filter(|other| other.id == record.id && !other.is_tombstone()).collect();
            let unsettled = living.iter().any(|other| !fields::grown(other.fields()).settled);
            prop_assert_eq!(record.flags & CONFLICT != 0, !record.is_tombstone() && living.len() > 1 && unsettled);
        }
    }
}

/// How two sets become one.
type Merge = fn(&[Record], &[Record]) -> Vec<Record>;

/// How many of so many triples of sets break a law: the order of two, the order of three, twice is once, no counter goes
/// back.
fn broken(merge: Merge, cases: u64) -> u64 {
    let mut runner = TestRunner::deterministic();
    let mut broken = 0;
    for _ in 0..cases {
        let triple = (records(), records(), records());
        let (a, b, c) = triple.new_tree(&mut runner).unwrap().current();
        let once = merge(&a, &b);
        let commutes = shown(&once) == shown(&merge(&b, &a));
        let associates = shown(&merge(&once, &c)) == shown(&merge(&a, &merge(&b, &c)));
        let again = merge(&once, &once);
        let rests = shown(&merge(&again, &a)) == shown(&once);
        let counts = a.iter().chain(&b).all(|record| {
            let kept = once.iter().find(|kept| name(kept) == name(record));
            kept.is_some_and(|kept| {
                fields::counter(kept.fields()) >= fields::counter(record.fields())
            })
        });
        broken += u64::from(!(commutes && associates && rests && counts));
    }
    broken
}

#[test]
fn the_laws_hold_in_any_order_any_number_of_times() {
    let watch = Stopwatch::start();
    const CASES: u64 = 4096;
    let losses = broken(merged, CASES);
    tell(
        "merge",
        &[("cases", CASES), ("faults", CASES), ("losses", losses)],
        watch,
    );
    assert_eq!(losses, 0);
}

/// Takes theirs, whatever it says.
fn theirs(a: &[Record], b: &[Record]) -> Vec<Record> {
    joined(a, b, |_, _| true)
}

/// Takes what the wall clock calls later, and of two at the same time ours.
fn by_the_wall(a: &[Record], b: &[Record]) -> Vec<Record> {
    joined(a, b, |ours, theirs| ours.hlc < theirs.hlc)
}

fn joined(a: &[Record], b: &[Record], is_better: fn(&Record, &Record) -> bool) -> Vec<Record> {
    let mut by_name: std::collections::BTreeMap<Name, Record> = std::collections::BTreeMap::new();
    for record in a.iter().chain(b) {
        match by_name.get(&name(record)) {
            Some(kept) if !is_better(kept, record) => {}
            Some(_) | None => drop(by_name.insert(name(record), record.clone())),
        }
    }
    by_name.into_values().collect()
}

#[test]
fn a_naive_merge_breaks_them() {
    let watch = Stopwatch::start();
    let lost: Vec<u64> = [theirs as Merge, by_the_wall]
        .map(|merge| broken(merge, 512))
        .to_vec();
    tell("merge", &[("control", lost.iter().sum())], watch);
    assert!(lost.iter().all(|lost| *lost > 0), "{lost:?}");
}

#[test]
fn a_tombstone_expires_after_400_days() {
    let now = UnixTime::from_secs(1_800_000_000);
    let mut record = Record::new([1; 16], Hlc::at(now), 0, ACCOUNT, &[]);
    assert!(!is_expired(&record, now.plus_secs(1000 * 86400)));
    record.flags = TOMBSTONE;
    assert!(!is_expired(&record, now.plus_secs(400 * 86400)));
    assert!(is_expired(&record, now.plus_secs(400 * 86400 + 1)));
    assert!(
        !is_expired(&record, UnixTime::from_secs(0)),
        "a clock that went backwards"
    );
}
