//! Two sets of records become one, in whatever order and however often they meet.
//!
//! A record is known by its id **and** its `born` field: two records that share an id but were born apart hold different
//! secrets, and both are kept. Within one such pair the greatest by (stamp, device, content) wins, and an HOTP counter is
//! the greatest of both whichever side wins: a code once given is never given again. Each of the two is a maximum, so the
//! merge is commutative, associative and idempotent. Tombstones keep the counter for the same reason.
//!
//! Secrets that share an id are a conflict until a person settles it: each of them is marked as settled then, and that mark
//! grows like the counter, from no to yes and never back, whichever side wins. So no edit of another copy, however late,
//! brings the conflict back; only another secret does, which bears no mark yet. Nothing else changes: ids, stamps and
//! counters stay as they are.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::account::AccountId;
use crate::clock::UnixTime;
use crate::vault::fields::{self, Born, Grown};
use crate::vault::record::{CONFLICT, Record};
use crate::vault::seal;

/// How long a tombstone is kept: a copy of the vault that comes back after a year still learns what was erased.
const TOMBSTONE_SECS: u64 = 400 * 86400;

/// What a record is known by.
pub(super) type Name = ([u8; 16], Born);

/// The name of a record. Bytes that are no fields have no `born`; no writer writes such.
pub(super) fn name(record: &Record) -> Name {
    (record.id, fields::born(record.fields()).unwrap_or_default())
}

/// Merges records, each set in any order. The result is in the order of names, one record each.
pub(super) fn merge(ours: Vec<Record>, theirs: Vec<Record>) -> Vec<Record> {
    if theirs.is_empty() && ours.is_sorted_by(|a, b| a.id < b.id) {
        // A file just read, as a rule: every id once, in order. Nothing to merge.
        let mut records = ours;
        records
            .iter_mut()
            .for_each(|record| record.flags &= !CONFLICT);
        return records;
    }
    let mut named: Vec<(Name, Record)> = ours
        .into_iter()
        .chain(theirs)
        .map(|record| (name(&record), record))
        .collect();
    // Stable, and linear on runs that are already sorted, as every saved vault is.
    named.sort_by_key(|(name, _)| *name);
    let mut merged: Vec<(Name, Record)> = Vec::with_capacity(named.len());
    for (name, record) in named {
        match merged.last_mut() {
            Some((last, kept)) if *last == name => join(kept, record),
            Some(_) | None => merged.push((name, record)),
        }
    }
    let mut records: Vec<Record> = merged.into_iter().map(|(_, record)| record).collect();
    mark_conflicts(&mut records);
    records
}

/// Raises counters to those that records of the same names have in another copy of the vault: whichever copy a person goes
/// back to, a code once given isn't given again.
pub(super) fn raise_counters(records: &mut [Record], seen: &[Record]) {
    let mut counters: HashMap<Name, u64> = HashMap::new();
    for record in seen {
        if let Some(counter) = fields::counter(record.fields()) {
            let highest = counters.entry(name(record)).or_default();
            *highest = (*highest).max(counter);
        }
    }
    for record in records {
        let mut grown = fields::grown(record.fields());
        let counter = counters.get(&name(record)).copied();
        if fields::is_in_order(record.fields()) && grown.counter < counter {
            grown.counter = counter;
            let fields = fields::with_grown(record.fields(), grown);
            record.set_fields(&fields);
        }
    }
}

/// The greater of two records of one name takes the place, with what has grown in either.
fn join(kept: &mut Record, other: Record) {
    if *kept == other {
        return;
    }
    let grown = fields::grown(kept.fields()).max(fields::grown(other.fields()));
    if order(kept, &other) == Ordering::Less {
        *kept = other;
    }
    if grown != Grown::default() {
        // Written anew even where it stays the same: two encodings of the same fields must come out as one.
        let fields = fields::with_grown(kept.fields(), grown);
        kept.set_fields(&fields);
    }
}

/// A total order on everything but what grows and the conflict mark, which are worked out apart. Bytes that are no fields
/// in order come before all others: they have no counter to hand on.
fn order(a: &Record, b: &Record) -> Ordering {
    let key = |record: &Record| {
        let is_well_formed = fields::is_in_order(record.fields());
        (
            is_well_formed,
            record.hlc,
            record.device,
            record.flags & !CONFLICT,
            record.kind,
        )
    };
    let content = |record: &Record| match fields::is_in_order(record.fields()) {
        true => fields::with_grown(record.fields(), Grown::default()),
        false => record.fields().to_vec(),
    };
    key(a)
        .cmp(&key(b))
        .then_with(|| content(a).cmp(&content(b)))
        .then_with(|| a.sealed().cmp(b.sealed()))
}

/// Marks the records whose id more than one living secret claims, unless that is settled for all of them. Records are in
/// the order of names.
pub(super) fn mark_conflicts(records: &mut [Record]) {
    for group in records.chunk_by_mut(|a, b| a.id == b.id) {
        let is_conflict = group.len() > 1 && is_conflict(group);
        for record in group.iter_mut() {
            if is_conflict && !record.is_tombstone() {
                record.flags |= CONFLICT;
            } else {
                record.flags &= !CONFLICT;
            }
        }
    }
}

fn is_conflict(group: &[Record]) -> bool {
    let living = || group.iter().filter(|record| !record.is_tombstone());
    living().count() > 1 && living().any(|record| !fields::grown(record.fields()).settled)
}

/// The id under which a record is shown. The first by `born` of those that share an id keeps it; each other one gets an id
/// that depends on nothing but its name, so that every copy of the vault arrives at the same.
pub(super) fn shown_id(record: &Record, is_first: bool) -> AccountId {
    if is_first {
        return AccountId::from_bytes(record.id);
    }
    let (id, born) = name(record);
    let hash = seal::sha256(&[b"vmfa/v1 conflict", &id, &born]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    AccountId::from_bytes(bytes)
}

/// Whether a tombstone has been kept for long enough.
pub(super) fn is_expired(record: &Record, now: UnixTime) -> bool {
    record.is_tombstone() && record.hlc.secs().saturating_add(TOMBSTONE_SECS) < now.secs()
}

#[cfg(test)]
mod tests;
