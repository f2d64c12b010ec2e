//! Saving: lock, read again, merge, encode, verify, replace.

use std::path::PathBuf;

use crate::clock::UnixTime;
use crate::vault::absorb;
use crate::vault::backup::{self, Aside};
use crate::vault::body::{Device, MAX_DEVICES, Rest, SlotKey};
use crate::vault::container::{self, SLOT_IKM, Sealed, Written};
use crate::vault::error::VaultError;
use crate::vault::file::{self, Lock, MAX_FILE, Temp};
use crate::vault::header::{Header, MAX_SLOTS};
use crate::vault::inner;
use crate::vault::merge;
use crate::vault::open::{self, MAX_PASSPHRASES};
use crate::vault::pin;
use crate::vault::record::Record;
use crate::vault::seal::{self, Key};
use crate::vault::slot::Slot;
use crate::vault::unlocked::Unlocked;

/// What a save came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It survives a power cut.
    Durable,
    /// There was nothing to save.
    Unchanged,
    /// It is saved, but the system could not say that it is on disk.
    DurabilityUnknown,
}

/// How often a save begins anew because somebody else was faster. Under a lock that works, once is enough.
const ATTEMPTS: usize = 16;
/// The same, once this value has replaced somebody's save that the file must get back.
const ATTEMPTS_OWED: usize = 10_000;

impl Unlocked {
    /// Saves: lock, read again, merge, replace atomically, verify. Without changes nothing is written.
    ///
    /// # Errors
    /// The vault is gone, damaged, or under keys that this value doesn't know: it is left as it is. The disk is full, read
    /// only or failing: the old vault stays; or, where a program that takes no lock had put another copy there at the last
    /// moment, the new one with that copy kept beside it. The changes stay in memory; saving can be tried again.
    pub fn save(&mut self, now: UnixTime) -> Result<Saved, VaultError> {
        if !self.dirty {
            return Ok(Saved::Unchanged);
        }
        self.commit(now, |_| Ok(()))
    }

    /// Saves with a last change that is made under the lock, after the merge; once more in each attempt.
    pub(super) fn commit(
        &mut self,
        now: UnixTime,
        mut last: impl FnMut(&mut Self) -> Result<(), VaultError>,
    ) -> Result<Saved, VaultError> {
        let lock = self.take_lock()?;
        let is_alone = lock.is_alone();
        if is_alone {
            backup::sweep(&self.place);
            pin::sweep(&self.files.state, &self.header.vault_id);
        }
        let mut attempts = ATTEMPTS;
        let mut taken = Vec::new();
        while attempts > 0 {
            attempts -= 1;
            let bytes = file::read(&self.place.vault, MAX_FILE)
                .map_err(|error| open::with_backups(error, &self.files))?;
            let current =
                Sealed::read(bytes.clone()).map_err(|fault| open::damaged(&self.files, fault))?;
            let (generation, mac) = (current.header.generation, current.mac());
            if mac != self.base_mac {
                self.take_in(current)?;
                self.base_mac = mac;
            }
            last(self)?;
            if !self.dirty {
                return Ok(Saved::Unchanged);
            }
            let (header, written) = self.encode(generation, now)?;
            let mut temp = Temp::write_vault(&self.place, &written, &*self.random)?;
            let is_alone = is_alone && lock.is_in_place(&self.place);
            if !is_alone {
                // Nothing keeps the others away: look once more, as late as can be.
                let now_there = file::read(&self.place.vault, MAX_FILE)?;
                if now_there != bytes {
                    continue;
                }
            }
            let kept = backup::keep(&self.place, &bytes, generation)?;
            if !is_alone && file::read(&kept, MAX_FILE)? != bytes {
                continue;
            }
            // The lock keeps our own savers away, and not a program that syncs the directory.
            if lock.may_meet_others() && temp.swap(&self.place) {
                if let Some(path) = self.take_in_replaced(&mut temp, &bytes, &written)? {
                    taken.push(path);
                    // What stands there now is what this value held until then, and news to nobody.
                    self.base_mac = written.mac;
                    attempts = ATTEMPTS_OWED;
                    continue;
                }
            } else {
                temp.replace(&self.place)?;
            }
            let synced = file::sync_dir(&self.place.dir);
            let back = file::read(&self.place.vault, MAX_FILE);
            if let Ok(back) = &back
                && *back != written.bytes
            {
                match Sealed::read(back.clone()) {
                    // Somebody who takes no lock replaced it after us: merge with that.
                    Ok(other) if other.mac() != written.mac => continue,
                    Ok(_) | Err(_) => {
                        return Err(VaultError::ReadBack {
                            path: self.files.vault.clone(),
                        });
                    }
                }
            }
            self.highest = header.generation;
            self.header = header;
            self.base_mac = written.mac;
            self.disk_dek = None;
            self.removed_slots.clear();
            self.dirty = false;
            self.bases.clear();
            // Where directories can't be synced at all, it isn't less sure than anything else there.
            if synced.is_ok() || synced.as_ref().is_err_and(file::lacks_dir_sync) {
                for path in taken {
                    drop(std::fs::remove_file(path));
                }
            }
            backup::prune(&self.place, &self.header.vault_id);
            self.write_pin();
            drop(lock);
            return Ok(match (synced, back) {
                (Ok(()), Ok(_)) => Saved::Durable,
                (_, _) => Saved::DurabilityUnknown,
            });
        }
        Err(VaultError::Contended {
            path: self.files.vault.clone(),
        })
    }

    /// After a swap: when what was replaced isn't `expected`, somebody saved at the last moment. It is merged, and a save must
    /// follow; until that is done it is kept, as a backup and where this says. When it can't be merged, it is put back.
    fn take_in_replaced(
        &mut self,
        temp: &mut Temp,
        expected: &[u8],
        written: &Written,
    ) -> Result<Option<PathBuf>, VaultError> {
        let taken = file::read(temp.path(), MAX_FILE).and_then(|replaced| {
            if replaced == expected {
                return Ok(None);
            }
            let other = Sealed::read(replaced.clone())
                .map_err(|fault| open::damaged(&self.files, fault))?;
            let generation = other.header.generation;
            self.take_in(other)?;
            self.dirty = true;
            backup::keep_from(&self.place, temp.path(), &replaced, generation)?;
            // Backups go in time, and another save may not come soon.
            backup::set_aside_from(&self.place, temp.path(), &replaced, Aside::Unknown).map(Some)
        });
        if taken.is_err() {
            let is_back = temp.swap(&self.place)
                && file::read(temp.path(), MAX_FILE).is_ok_and(|back| back == written.bytes);
            if !is_back {
                // It can't be put back, or something else stood there by then: at least it isn't deleted.
                backup::move_aside(&self.place, temp)?;
            }
        }
        taken
    }

    /// The file to be written, and its header.
    ///
    /// A tombstone goes when it is 400 days older than both the clock and the latest stamp that was read from a file. One
    /// save under a clock that is far ahead drops none, so what was erased doesn't come back from an old copy.
    fn encode(&mut self, on_disk: u64, now: UnixTime) -> Result<(Header, Written), VaultError> {
        let now = UnixTime::from_secs(now.secs().min(self.read_top.secs()));
        self.entries
            .retain(|entry| !merge::is_expired(&entry.record, now));
        self.entries
            .sort_by_cached_key(|entry| merge::name(&entry.record));
        let mut header = self.header.clone();
        let before = self.highest.max(on_disk);
        header.generation = before.checked_add(1).ok_or(VaultError::LastGeneration)?;
        let records = self.entries.iter().map(|entry| &entry.record);
        let written = container::write(&mut header, records, &self.rest, &self.dek, &*self.random)?;
        Ok((header, written))
    }

    /// Merges what somebody else wrote since this value was read.
    ///
    /// Under one DEK, slots are only ever added (removing one changes the DEK), so their union is right. When this value
    /// has changed the DEK, the file on disk is still under the one before: its new slots are wrapped again from their key
    /// material, except those removed here. A file under any other DEK means that somebody else changed the keys: this
    /// value's slots and passphrase are out of date, and it must not write.
    fn take_in(&mut self, theirs: Sealed) -> Result<(), VaultError> {
        let vault_id = self.header.vault_id;
        if theirs.header.vault_id != vault_id {
            return Err(VaultError::ChangedKeys {
                path: self.files.vault.clone(),
            });
        }
        let theirs_dek = match &self.disk_dek {
            _ if theirs.is_under(&self.dek) => &self.dek,
            Some(before) if theirs.is_under(before) => before,
            Some(_) | None => {
                return Err(VaultError::ChangedKeys {
                    path: self.files.vault.clone(),
                });
            }
        };
        let resealed = !std::ptr::eq(theirs_dek, &self.dek);
        let (header, mut records, rest) = theirs
            .open(theirs_dek)
            .map_err(|fault| open::damaged(&self.files, fault))?;
        let (slots, slot_keys) = self.joined_slots(header.slots, &rest, theirs_dek, resealed)?;
        if resealed {
            records = absorb::unseen(&self.entries, records);
            for record in &mut records {
                inner::reseal(record, theirs_dek, &self.dek, &*self.random)?;
            }
        }
        let top = records.iter().map(|record| record.hlc).max();
        self.read_top = self.read_top.max(top.unwrap_or_default());
        self.rebase(&records);
        self.take_records(records, &rest.devices);
        self.rest.slot_keys = slot_keys;
        self.header.slots = slots;
        // Never changed here: the file on disk knows best.
        self.header.extensions = header.extensions;
        self.header.minor = self.header.minor.max(header.minor);
        self.highest = self.highest.max(header.generation);
        Ok(())
    }

    /// Our slots and theirs, which are under `theirs_dek`, and the sealed keys of both. `resealed` where that isn't our DEK.
    pub(super) fn joined_slots(
        &self,
        theirs: Vec<Slot>,
        rest: &Rest,
        theirs_dek: &Key,
        resealed: bool,
    ) -> Result<(Vec<Slot>, Vec<SlotKey>), VaultError> {
        let vault_id = self.header.vault_id;
        let mut slots = self.header.slots.clone();
        let mut slot_keys = self.rest.slot_keys.clone();
        for mut slot in theirs {
            let is_known = slots.iter().any(|known| known.id == slot.id)
                || self.removed_slots.contains(&slot.id);
            if is_known {
                continue;
            }
            let key = rest.slot_keys.iter().find(|key| key.slot == slot.id);
            match container::slot_ikm(rest, &slot.id, theirs_dek) {
                Some(ikm) if resealed => {
                    slot.wrap(&ikm, &vault_id, &self.dek, &*self.random)?;
                    let ikm =
                        seal::Sealed::new(&self.dek, SLOT_IKM, &slot.id, &ikm, &*self.random)?;
                    slot_keys.push(SlotKey { slot: slot.id, ikm });
                }
                None if resealed => return Err(VaultError::SlotStuck(slot.id)),
                Some(_) | None => slot_keys.extend(key.cloned()),
            }
            slots.push(slot);
        }
        if slots.len() > MAX_SLOTS {
            return Err(VaultError::TooManySlots {
                what: "slots",
                max: MAX_SLOTS,
            });
        }
        let passphrases = |slots: &[Slot]| slots.iter().filter(|slot| slot.kdf().is_some()).count();
        let count = passphrases(&slots);
        if count > MAX_PASSPHRASES && count > passphrases(&self.header.slots) {
            // A fifth would be there and never be tried.
            return Err(VaultError::TooManySlots {
                what: "passphrase slots",
                max: MAX_PASSPHRASES,
            });
        }
        Ok((slots, slot_keys))
    }

    /// Merges records that are sealed under our DEK, and the devices that wrote them.
    pub(super) fn take_records(&mut self, records: Vec<Record>, devices: &[Device]) {
        let new: Vec<Device> = devices
            .iter()
            .filter(|device| !self.rest.devices.contains(device))
            .copied()
            .collect();
        self.rest.devices.extend(new);
        self.rest.devices.sort_unstable();
        self.rest.devices.truncate(MAX_DEVICES);
        let ours: Vec<Record> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|entry| entry.record)
            .collect();
        self.set_records(merge::merge(ours, records));
    }

    fn take_lock(&self) -> Result<Lock, VaultError> {
        #[cfg(test)]
        match self.locking {
            Locking::Usual => {}
            Locking::Pretended => return Ok(Lock::Pretended),
            Locking::Unsupported => return Ok(Lock::Unsupported),
        }
        file::lock(&self.place, || {
            if let Some(say) = &self.on_wait {
                say();
            }
        })
    }
}

/// For tests: what happens on file systems without locks, and what would happen if savers didn't care.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    Usual,
    /// As if the lock had been taken.
    Pretended,
    /// As on a file system without locks.
    Unsupported,
}
