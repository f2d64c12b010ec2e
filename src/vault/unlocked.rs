//! An open vault in memory: what it holds, and what it shows.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::account::{AccountId, Summary};
use crate::keyring::AccessKey;
use crate::vault::Files;
use crate::vault::access_key;
use crate::vault::body::{Device, MAX_DEVICES, Rest};
use crate::vault::error::VaultError;
use crate::vault::fields;
use crate::vault::file::Place;
use crate::vault::header::Header;
use crate::vault::merge;
use crate::vault::open::find_dek;
use crate::vault::pin::{self, Pin};
use crate::vault::rebase::Bases;
use crate::vault::record::{ACCESS_KEY, ACCOUNT, CONFLICT, Record};
use crate::vault::seal::{KEY_LEN, Key, Randomness, VaultKeys};
use crate::vault::slot::{Credential, Slot, SlotInfo};
use crate::vault::stamp::Hlc;

/// A record and what it shows.
pub(super) struct Entry {
    pub(super) record: Record,
    id: AccountId,
    /// Read from the record when it is first asked for: who wants one account of ten thousand reads few.
    view: OnceLock<Box<View>>,
}

/// What a record shows.
pub(super) enum View {
    Account(Summary),
    AccessKey(AccountId, AccessKey),
    /// Kept, not understood.
    Unknown(AccountId),
    /// A tombstone.
    Gone(AccountId),
}

impl View {
    pub(super) fn of(record: &Record, id: AccountId) -> Self {
        if record.is_tombstone() {
            return Self::Gone(id);
        }
        let view = match record.kind {
            ACCOUNT if record.has_known_flags() => {
                let is_conflict = record.flags & CONFLICT != 0;
                fields::read(record.fields(), id, is_conflict).map(Self::Account)
            }
            ACCESS_KEY if record.has_known_flags() => {
                access_key::read(record.fields()).map(|key| Self::AccessKey(id, key))
            }
            _newer => None,
        };
        view.unwrap_or(Self::Unknown(id))
    }

    fn id(&self) -> &AccountId {
        match self {
            Self::Account(summary) => &summary.id,
            Self::AccessKey(id, _) | Self::Unknown(id) | Self::Gone(id) => id,
        }
    }

    fn summary(&self) -> Option<&Summary> {
        match self {
            Self::Account(summary) => Some(summary),
            Self::AccessKey(..) | Self::Unknown(_) | Self::Gone(_) => None,
        }
    }
}

impl Entry {
    /// A record as it was read.
    pub(super) fn new(record: Record, id: AccountId) -> Self {
        Self {
            record,
            id,
            view: OnceLock::new(),
        }
    }

    /// A record that was just made, and what it shows.
    pub(super) fn showing(record: Record, view: View) -> Self {
        let id = *view.id();
        let view = OnceLock::from(Box::new(view));
        Self { record, id, view }
    }

    pub(super) fn id(&self) -> &AccountId {
        &self.id
    }

    pub(super) fn view(&self) -> &View {
        self.view
            .get_or_init(|| Box::new(View::of(&self.record, self.id)))
    }

    pub(super) fn summary(&self) -> Option<&Summary> {
        self.view().summary()
    }

    /// The access key, if it is one. Records of other types aren't read for that.
    pub(super) fn access_key(&self) -> Option<&AccessKey> {
        if self.record.kind != ACCESS_KEY {
            return None;
        }
        match self.view() {
            View::AccessKey(_, key) => Some(key),
            View::Account(_) | View::Unknown(_) | View::Gone(_) => None,
        }
    }

    /// As [`Entry::summary`], without keeping it: a copy, if it is wanted.
    fn summary_if(&self, wanted: impl FnOnce(&Summary) -> bool) -> Option<Summary> {
        let is_live = |summary: &&Summary| summary.trashed.is_none();
        match self.view.get() {
            Some(view) => view
                .summary()
                .filter(is_live)
                .filter(|summary| wanted(summary))
                .cloned(),
            None => match View::of(&self.record, self.id) {
                View::Account(summary) => {
                    (is_live(&&summary) && wanted(&summary)).then_some(summary)
                }
                View::AccessKey(..) | View::Unknown(_) | View::Gone(_) => None,
            },
        }
    }
}

/// An open vault: the index in clear, the secrets still sealed, changes in memory until [`Unlocked::save`].
pub struct Unlocked {
    pub(super) files: Files,
    pub(super) place: Place,
    pub(super) header: Header,
    pub(super) entries: Vec<Entry>,
    pub(super) rest: Rest,
    pub(super) dek: Key,
    /// The DEK of the file on disk, when ours has changed since.
    pub(super) disk_dek: Option<Key>,
    /// HEADER_MAC of the file last read or written.
    pub(super) base_mac: [u8; KEY_LEN],
    /// The highest generation ever seen here.
    pub(super) highest: u64,
    /// The latest stamp of all records.
    pub(super) top: Hlc,
    /// The latest stamp that was read from a file: not one of this value's own, which a wrong clock may have made.
    pub(super) read_top: Hlc,
    /// The slot that took the credential.
    pub(super) opened_by: Option<[u8; 8]>,
    /// Slots removed since the file was read: a merge doesn't bring them back.
    pub(super) removed_slots: Vec<[u8; 8]>,
    /// What was changed since the file was read, as it was then.
    pub(super) bases: Bases,
    pub(super) device: [u8; 16],
    pub(super) dirty: bool,
    /// Where a restored backup's predecessor was put, if it is none of the backups.
    pub(super) set_aside: Option<PathBuf>,
    /// Told when a save waits for another program.
    pub(super) on_wait: Option<OnWait>,
    /// Whether another file of this generation was seen, and is nowhere to be found.
    pub(super) fork_seen: bool,
    /// Why the rollback pin couldn't be written the last time.
    pub(super) pin_problem: Option<String>,
    /// Accounts by a keyed digest of their secrets, made when the first one is added.
    pub(super) by_secret: Option<BySecret>,
    /// Accounts by issuer and name, and the ids that are taken; made when the first one is added.
    pub(super) by_name: Option<ByName>,
    /// Where accounts stand among the entries, for who asks for many; made by [`Unlocked::note_places`].
    pub(super) places: HashMap<AccountId, usize>,
    pub(super) random: Arc<dyn Randomness>,
    #[cfg(test)]
    pub(super) locking: crate::vault::save::Locking,
}

/// What is called while a save waits.
type OnWait = Box<dyn Fn() + Send + Sync>;

/// Accounts by a digest of their secrets under a key that lives as long as this value.
pub(super) struct BySecret {
    pub(super) key: Key,
    pub(super) ids: HashMap<[u8; KEY_LEN], Vec<AccountId>>,
}

/// The accounts outside the trash by issuer and name, and every id in use.
pub(super) struct ByName {
    pub(super) names: HashMap<(String, String), AccountId>,
    pub(super) taken: HashSet<AccountId>,
}

impl Unlocked {
    /// A vault without records, as if just read.
    pub(super) fn assemble(
        files: Files,
        place: Place,
        header: Header,
        rest: Rest,
        dek: Key,
        device: [u8; 16],
        random: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            files,
            place,
            highest: header.generation,
            header,
            entries: Vec::new(),
            rest,
            dek,
            disk_dek: None,
            base_mac: [0; KEY_LEN],
            top: Hlc::default(),
            read_top: Hlc::default(),
            opened_by: None,
            removed_slots: Vec::new(),
            bases: Bases::default(),
            device,
            dirty: false,
            set_aside: None,
            on_wait: None,
            fork_seen: false,
            pin_problem: None,
            by_secret: None,
            by_name: None,
            places: HashMap::new(),
            random,
            #[cfg(test)]
            locking: crate::vault::save::Locking::Usual,
        }
    }

    /// Every account that isn't in the trash, without a copy.
    pub fn live(&self) -> impl Iterator<Item = &Summary> {
        self.known().filter(|summary| summary.trashed.is_none())
    }

    /// Copies of those accounts outside the trash that are wanted, in the order of [`Unlocked::live`]. The others are looked
    /// at and not kept, which takes less time and memory than to keep them all.
    pub fn live_where(&self, mut wanted: impl FnMut(&Summary) -> bool) -> Vec<Summary> {
        let entries = self.entries.iter();
        entries
            .filter_map(|entry| entry.summary_if(&mut wanted))
            .collect()
    }

    /// The accounts in the trash.
    pub fn trash(&self) -> Vec<Summary> {
        self.known()
            .filter(|summary| summary.trashed.is_some())
            .cloned()
            .collect()
    }

    fn known(&self) -> impl Iterator<Item = &Summary> {
        self.entries.iter().filter_map(Entry::summary)
    }

    /// Counts the saves.
    pub fn generation(&self) -> u64 {
        self.header.generation
    }

    /// Random, given once when the vault was made.
    pub fn vault_id(&self) -> [u8; 16] {
        self.header.vault_id
    }

    /// The slots, removed and added ones included that aren't saved yet.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.header.slots.iter().map(Slot::info).collect()
    }

    /// The slot that took the credential; none right after the vault was made by a caller who knows it, or when that slot
    /// was removed since.
    pub fn opened_by(&self) -> Option<SlotInfo> {
        let id = self.opened_by?;
        self.header
            .slots
            .iter()
            .find(|slot| slot.id == id)
            .map(Slot::info)
    }

    /// Right after a backup was restored: where the file is that stood in the vault's place, if it was no good generation of
    /// this vault (damaged, another vault, or under a key that wasn't known). It is never counted as a backup and never
    /// deleted.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Has `say` called when a save has waited for another program's lock for a second: once in each save. It gives up after
    /// a minute.
    pub fn on_wait(&mut self, say: impl Fn() + Send + Sync + 'static) {
        self.on_wait = Some(Box::new(say));
    }

    /// Why the rollback pin couldn't be written when the vault was last opened, made or saved: a warning for the person, in
    /// words that are safe for a terminal. The vault itself is well.
    pub fn pin_problem(&self) -> Option<&str> {
        self.pin_problem.as_deref()
    }

    /// Whether another file of the same generation was in the vault's place when this machine last saw it, and no backup
    /// beside it still holds that file: two programs went on from one generation apart, as happens when a folder is
    /// synchronised, and what the other one wrote is missing here. A warning for the person, who may have that file
    /// elsewhere and can merge it. It is told at each opening, until the vault is saved or opened with
    /// [`Rollback::Accept`](crate::vault::Rollback).
    ///
    /// Where a backup holds the other file, it was merged in memory, and the next save keeps both.
    pub fn fork_seen(&self) -> bool {
        self.fork_seen
    }

    /// Whether there is something to save.
    pub fn is_changed(&self) -> bool {
        self.dirty
    }

    /// Whether the credential opens this vault: asked again before a secret is shown.
    ///
    /// # Errors
    /// A recovery code with a typing error; no memory for the key derivation; an empty passphrase. A credential that fits
    /// no slot, or fits and is wrong, is `false`.
    pub fn confirms(&self, credential: &Credential) -> Result<bool, VaultError> {
        match find_dek(&self.header, credential, &self.files) {
            Ok(_) => Ok(true),
            Err(VaultError::WrongPassphrase(_) | VaultError::NoSlotFor { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Wipes the keys at once, and leaves the accounts, whose secrets are sealed, to the end of the process: for whoever is
    /// about to end. Giving back the memory of ten thousand accounts one by one takes longer than opening them.
    pub fn close(mut self) {
        // Their own memory is given back, and wiped with it, in one piece: a field that is empty keeps what stood on the stack
        // where the entry was made, and that may have been a key. What they point to, text and sealed bytes, stays.
        std::mem::take(&mut self.entries)
            .into_iter()
            .for_each(std::mem::forget);
    }

    /// Takes records (in the order of names, conflicts marked) in place of the present ones.
    pub(super) fn set_records(&mut self, records: Vec<Record>) {
        let mut entries: Vec<Entry> = Vec::with_capacity(records.len());
        for record in records {
            self.top = self.top.max(record.hlc);
            let is_first = entries
                .last()
                .is_none_or(|last| last.record.id != record.id);
            let id = merge::shown_id(&record, is_first);
            entries.push(Entry::new(record, id));
        }
        self.entries = entries;
        self.by_secret = None;
        self.by_name = None;
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.entries.iter().map(|entry| &entry.record)
    }

    /// This machine's number in the vault; it gets one with its first change.
    pub(super) fn device_number(&mut self) -> u16 {
        if let Some(device) = self
            .rest
            .devices
            .iter()
            .find(|device| device.id == self.device)
        {
            return device.number;
        }
        let last = self
            .rest
            .devices
            .iter()
            .map(|device| device.number)
            .max()
            .unwrap_or(0);
        match last.checked_add(1) {
            Some(number) if self.rest.devices.len() < MAX_DEVICES => {
                self.rest.devices.push(Device {
                    number,
                    id: self.device,
                });
                number
            }
            // 0 is everybody's: ties are decided by content then.
            Some(_) | None => 0,
        }
    }

    /// Notes what was seen. A pin that can't be written is no reason to refuse anything, but it is told.
    pub(super) fn write_pin(&mut self) {
        let pin = Pin {
            generation: self.highest,
            header_mac: self.base_mac,
            device: self.device,
        };
        let key = VaultKeys::new(&self.dek, &self.header.vault_id).pin();
        let written = pin::write(
            &self.files.state,
            &self.header.vault_id,
            &pin,
            &key,
            &*self.random,
        );
        self.pin_problem = written.err().map(|error| {
            format!("{error}; so an older copy in the vault's place would not be noticed")
        });
    }
}
