//! What was changed here goes on top of what somebody else saved meanwhile, as if it had been done after that.
//!
//! Two commands at the same time read one file, and each changes something of one account. The lock puts their saves in an
//! order; a merge of whole records would keep the later record alone, and with it the fields as its command had read them.
//! So each record that is changed here is remembered as it was read. When the file turns out to be a newer one, what was
//! changed since is done again on the newer record, with a stamp after it; what somebody erased stays erased.
//!
//! Copies that went apart on two machines have no order but their stamps, and are merged record by record: see `merge`.

use std::collections::{BTreeSet, HashMap};

use crate::account::Summary;
use crate::clock::UnixTime;
use crate::vault::fields::{self, Grown};
use crate::vault::merge::{self, Name};
use crate::vault::record::Record;
use crate::vault::stamp::Hlc;
use crate::vault::unlocked::{Entry, Unlocked, View};

/// The records that were changed here since they were read, as they were then.
#[derive(Default)]
pub(super) struct Bases(HashMap<Name, Base>);

struct Base {
    record: Record,
    /// Whether what is sealed was changed, too.
    is_resealed: bool,
}

impl Bases {
    /// A record is about to be changed.
    pub(super) fn note(&mut self, record: &Record, is_resealed: bool) {
        let base = self.0.entry(merge::name(record)).or_insert_with(|| Base {
            record: record.clone(),
            is_resealed: false,
        });
        base.is_resealed |= is_resealed;
    }

    /// All of it is saved.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Unlocked {
    /// Does again what was changed here, on the records of the file that is there now; under the key of this value.
    pub(super) fn rebase(&mut self, theirs: &[Record]) {
        let mut bases = std::mem::take(&mut self.bases);
        if bases.0.is_empty() {
            return;
        }
        let newest = theirs.iter().map(|record| record.hlc).max();
        self.top = self.top.max(newest.unwrap_or_default());
        let written = |record: &Record| (record.hlc, record.device);
        let names = self.entries.iter().enumerate();
        let places: HashMap<Name, usize> = names
            .map(|(at, entry)| (merge::name(&entry.record), at))
            .collect();
        for record in theirs {
            let name = merge::name(record);
            // An older one was put back by a program that syncs the directory: what was made of it since isn't undone.
            if let (Some(base), Some(at)) = (bases.0.get_mut(&name), places.get(&name))
                && written(record) > written(&base.record)
            {
                self.redo(base, record, *at);
                base.record = record.clone();
            }
        }
        self.bases = bases;
    }

    fn redo(&mut self, base: &Base, theirs: &Record, at: usize) {
        let name = merge::name(theirs);
        let id = *self.entries[at].id();
        let mut record = self.entries[at].record.clone();
        if theirs.is_tombstone() && !record.is_tombstone() {
            self.entries[at] = Entry::new(theirs.clone(), id);
            return;
        }
        if !record.is_tombstone() {
            if let View::Unknown(_) = View::of(theirs, id) {
                // Of a newer version: nothing of ours can be laid on what isn't understood. The later of the two stays, whole.
                return;
            }
            let seen = |record: &Record| match View::of(record, id) {
                View::Account(summary) => Some(summary),
                View::AccessKey(..) | View::Unknown(_) | View::Gone(_) => None,
            };
            let summaries = (seen(&base.record), seen(&record), seen(theirs));
            if let (Some(before), Some(ours), Some(there)) = summaries {
                let changed = on_top(&before, ours, there);
                let fields = fields::write(&changed, &name.1, theirs.fields());
                let ours = record;
                record = theirs.clone();
                // What only grows has grown on either side: a conflict that was settled here, say.
                let grown = fields::grown(ours.fields()).max(fields::grown(theirs.fields()));
                let fields = match fields::is_in_order(&fields) && grown != Grown::default() {
                    true => fields::with_grown(&fields, grown),
                    false => fields,
                };
                record.set_fields(&fields);
                if base.is_resealed
                    && let Some(seal) = ours.seal()
                {
                    record.set_sealed(seal.salt, seal.text);
                }
            }
        }
        // Later than what is there, whatever the clocks were when the two began.
        self.top = Hlc::after(self.top, UnixTime::from_secs(0));
        (record.hlc, record.device) = (self.top, self.device_number());
        self.entries[at] = Entry::new(record, id);
    }
}

/// What is there, with what was changed from `before` to `ours`.
fn on_top(before: &Summary, ours: Summary, mut there: Summary) -> Summary {
    fn take<T: PartialEq>(before: &T, ours: T, there: &mut T) {
        if ours != *before {
            *there = ours;
        }
    }
    let old: BTreeSet<&String> = before.tags.iter().collect();
    let new: BTreeSet<&String> = ours.tags.iter().collect();
    there
        .tags
        .retain(|tag| !old.contains(tag) || new.contains(tag));
    for tag in &ours.tags {
        if !old.contains(tag) && !there.tags.contains(tag) {
            there.tags.push(tag.clone());
        }
    }
    take(&before.issuer, ours.issuer, &mut there.issuer);
    take(&before.name, ours.name, &mut there.name);
    take(
        &before.label_issuer,
        ours.label_issuer,
        &mut there.label_issuer,
    );
    take(&before.scheme, ours.scheme, &mut there.scheme);
    take(&before.note, ours.note, &mut there.note);
    take(&before.favorite, ours.favorite, &mut there.favorite);
    take(&before.confirm, ours.confirm, &mut there.confirm);
    take(
        &before.serial_number,
        ours.serial_number,
        &mut there.serial_number,
    );
    take(&before.image, ours.image, &mut there.image);
    take(&before.trashed, ours.trashed, &mut there.trashed);
    // A counter only grows: whoever set it lower meant the one that was there then.
    there.counter = there.counter.max(ours.counter);
    there
}
