//! Taking in another copy of the same vault: a fork that was copied away and changed, or a backup.

use std::collections::HashSet;
use std::path::Path;

use crate::vault::backup::Aside;
use crate::vault::body::Rest;
use crate::vault::container::{self, Sealed};
use crate::vault::error::VaultError;
use crate::vault::header::Header;
use crate::vault::inner;
use crate::vault::kdf::KdfLimit;
use crate::vault::merge::{self, Name};
use crate::vault::record::{CONFLICT, Record};
use crate::vault::seal::{KEY_LEN, Key};
use crate::vault::slot::Slot;
use crate::vault::stamp::Hlc;
use crate::vault::unlocked::{Entry, Unlocked};
use crate::vault::{Files, backup, open};

/// Another copy of a vault, opened.
struct Other {
    header: Header,
    records: Vec<Record>,
    rest: Rest,
    dek: Key,
    /// Its key is the vault's of now, not an earlier one.
    is_under_ours: bool,
}

impl Unlocked {
    /// Merges the records of another copy of this vault, in memory; no credential is needed, for its key is ours or one of
    /// the eight before. Of a copy under our key its slots are taken, too: under one key slots are only ever added. Those of
    /// an earlier key may have been removed since, and stay away. Says whether anything is new.
    ///
    /// # Errors
    /// The file can't be read; it is damaged; it is another vault, or its key was changed where this one doesn't know of;
    /// there would be more slots than a vault may have.
    pub fn merge_file(&mut self, copy: &Path) -> Result<bool, VaultError> {
        let Other {
            header,
            records,
            rest,
            dek,
            is_under_ours,
        } = self.open_other(copy)?;
        let generation = header.generation;
        let count = self.header.slots.len();
        if is_under_ours {
            let (slots, slot_keys) = self.joined_slots(header.slots, &rest, &dek, false)?;
            (self.header.slots, self.rest.slot_keys) = (slots, slot_keys);
        }
        let mut new = unseen(&self.entries, records);
        for record in &mut new {
            inner::reseal(record, &dek, &self.dek, &*self.random)?;
        }
        let before: Vec<Record> = self.records().cloned().collect();
        self.take_records(new, &rest.devices);
        self.highest = self.highest.max(generation);
        let is_new = self.header.slots.len() > count || !self.records().eq(before.iter());
        self.dirty |= is_new;
        Ok(is_new)
    }

    fn open_other(&self, path: &Path) -> Result<Other, VaultError> {
        // Nothing is derived from a passphrase here, so its cost doesn't matter.
        let theirs = open::read_copy(path, KdfLimit::High)?;
        let dek = self
            .key_of(&theirs)
            .ok_or_else(|| VaultError::ChangedKeys { path: path.into() })?;
        let is_under_ours = theirs.is_under(&self.dek);
        let from = Files {
            vault: path.into(),
            state: self.files.state.clone(),
        };
        let (header, records, rest) = theirs
            .open(&dek)
            .map_err(|fault| open::damaged(&from, fault))?;
        Ok(Other {
            header,
            records,
            rest,
            dek,
            is_under_ours,
        })
    }

    /// Whether another copy holds something that is missing here: a change of a record, or a way in. None of it is kept.
    /// That something was erased there which was never here, or is long forgotten, is no change.
    ///
    /// # Errors
    /// As [`Self::merge_file`].
    pub(super) fn lacks_what_is_in(&self, copy: &Path) -> Result<bool, VaultError> {
        let mut theirs = self.open_other(copy)?;
        let is_known = |slot: &Slot| self.header.slots.iter().any(|ours| ours.id == slot.id);
        if theirs.is_under_ours && !theirs.header.slots.iter().all(is_known) {
            return Ok(true);
        }
        let before: Vec<Record> = self.records().cloned().collect();
        let ours: HashSet<Name> = before.iter().map(merge::name).collect();
        theirs
            .records
            .retain(|record| !record.is_tombstone() || ours.contains(&merge::name(record)));
        let merged = merge::merge(before.clone(), unseen(&self.entries, theirs.records));
        Ok(merged != before)
    }

    /// Merges, in memory, the backup beside the vault whose HEADER_MAC this is. Says whether one is there and opens.
    pub(super) fn merge_backup(&mut self, mac: &[u8; KEY_LEN]) -> bool {
        let (id, found) = (self.header.vault_id, backup::backups(&self.files));
        let found = found.unwrap_or_default().into_iter();
        let backups = found.filter(|one| one.vault_id == Some(id));
        // A save that was killed may have left it as no backup.
        let aside = backup::aside(&self.place, Aside::Unknown);
        let mut paths = backups.map(|one| one.path).chain(aside);
        paths.any(|path| {
            open::read_copy(&path, KdfLimit::High).is_ok_and(|copy| copy.mac() == *mac)
                && self.merge_file(&path).is_ok()
        })
    }

    /// The key of a copy, if it is ours or an earlier one.
    pub(super) fn key_of(&self, theirs: &Sealed) -> Option<Key> {
        let id = self.header.vault_id;
        if theirs.header.vault_id != id {
            return None;
        }
        container::known_keys(&self.rest, &self.dek, &id).find(|key| theirs.is_under(key))
    }
}

/// The records that aren't there already. One that differs by its seal alone was only sealed again under another key.
pub(super) fn unseen(ours: &[Entry], theirs: Vec<Record>) -> Vec<Record> {
    type Told = (Name, Hlc, u16, u8, u8, Box<[u8]>);
    let told = |record: &Record| -> Told {
        let flags = record.flags & !CONFLICT;
        (
            merge::name(record),
            record.hlc,
            record.device,
            flags,
            record.kind,
            record.fields().into(),
        )
    };
    let known: HashSet<Told> = ours.iter().map(|entry| told(&entry.record)).collect();
    theirs
        .into_iter()
        .filter(|record| !known.contains(&told(record)))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::vault::KdfParams;
    use crate::vault::tests::*;

    #[test]
    fn a_fork_from_before_a_change_of_keys_is_merged_once() {
        let (bench, mut ours) = Bench::created();
        let id = new_id(ours.add(totp("alice", b"secret one"), NOW).unwrap());
        ours.save(NOW).unwrap();
        let copy = bench.in_place_of(&bytes(&bench.files.vault));
        let mut theirs = bench.open_at(&copy);
        let other = new_id(theirs.add(totp("bob", b"secret two"), NOW).unwrap());
        theirs.save(NOW).unwrap();

        let extra = ours
            .add_slot(&passphrase("extra"), KdfParams::LEAST)
            .unwrap();
        ours.remove_slot(&extra.id).unwrap();
        ours.save(NOW).unwrap();
        assert!(ours.merge_file(&copy.vault).unwrap());
        assert!(!ours.merge_file(&copy.vault).unwrap());
        ours.save(NOW).unwrap();
        let vault = bench.open();
        assert_eq!(vault.live().count(), 2);
        assert_eq!(vault.account(&id).unwrap().secret.expose(), b"secret one");
        assert_eq!(
            vault.account(&other).unwrap().secret.expose(),
            b"secret two"
        );
        // Another vault, or a key that was changed elsewhere, is refused.
        let (elsewhere, _) = Bench::created();
        assert!(ours.merge_file(&elsewhere.files.vault).is_err());
        let mut old = bench.open_at(&copy);
        assert!(old.merge_file(&bench.files.vault).is_err());
    }
}
