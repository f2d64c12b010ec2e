//! A vault that an agent holds: opened with its key, held for hours, read again when the file has changed.

use std::fs;

use crate::account::{AccountId, Summary};
use crate::clock::UnixTime;
use crate::secret::Secret;
use crate::secret::page::Guard;
use crate::vault::error::VaultError;
use crate::vault::fields;
use crate::vault::file::io;
use crate::vault::kdf::KdfLimit;
use crate::vault::open::Locked;
use crate::vault::seal::Key;
use crate::vault::unlocked::{Unlocked, View};
use crate::vault::{Files, Rollback};

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    /// The present one of the vault's file, links followed; none where nothing can be seen.
    pub(crate) fn of(files: &Files) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = fs::metadata(&files.vault).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            len: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// The key of a vault that is held, on the page where it lies, to read the vault a second time: a save works on that one,
/// and may wait for a disk or for another program while the first one goes on answering.
pub(crate) struct HeldKey {
    files: Files,
    dek: Key,
}

impl HeldKey {
    /// Reads the vault.
    ///
    /// # Errors
    /// As [`Unlocked::open_held`].
    pub(crate) fn open(self, now: UnixTime) -> Result<Unlocked, VaultError> {
        Unlocked::open_with_key(&self.files, self.dek, now)
    }
}

impl Unlocked {
    /// The DEK, to be handed to an agent and to nobody else.
    pub(crate) fn key_for_agent(&self) -> Secret {
        Secret::new(self.dek.bytes().to_vec())
    }

    /// Opens the vault with a key that an agent was handed, and keeps the key where no other process can read it.
    ///
    /// # Errors
    /// As [`Locked::open`] and [`Locked::unlock`]; the key isn't that of the vault (any more).
    pub(crate) fn open_held(
        files: &Files,
        key: &Secret,
        now: UnixTime,
    ) -> Result<(Self, Guard), VaultError> {
        let changed = || VaultError::ChangedKeys {
            path: files.vault.clone(),
        };
        let (key, guard) = Key::from_slice(key.expose())
            .ok_or_else(changed)?
            .on_page()
            .map_err(|error| io("keep the key of", &files.vault, error))?;
        Ok((Self::open_with_key(files, key, now)?, guard))
    }

    /// Reads the vault again with the key that is held. When that can't be done, the key is gone with everything else.
    ///
    /// # Errors
    /// As [`Unlocked::open_held`].
    pub(crate) fn read_again(self, now: UnixTime) -> Result<Self, VaultError> {
        let Self { files, dek, .. } = self;
        Self::open_with_key(&files, dek, now)
    }

    /// The vault as its file is now, opened with the same key: what somebody else saved since is in it. This one stays as it
    /// is.
    ///
    /// # Errors
    /// As [`Locked::open`] and [`Locked::unlock`]; the key isn't that of the vault any more.
    pub fn read_anew(&self, now: UnixTime) -> Result<Self, VaultError> {
        self.held_key().open(now)
    }

    /// What another reading of the vault needs.
    pub(crate) fn held_key(&self) -> HeldKey {
        HeldKey {
            files: self.files.clone(),
            dek: self.dek.share(),
        }
    }

    /// The accounts outside the trash, and how many records aren't understood; nothing of it is kept in the vault itself.
    pub(crate) fn survey(&self) -> (Vec<Summary>, usize) {
        let (mut live, mut unknown) = (Vec::with_capacity(self.entries.len()), 0);
        for entry in &self.entries {
            match View::of(&entry.record, *entry.id()) {
                View::Account(summary) if summary.trashed.is_none() => live.push(summary),
                View::Account(_) | View::AccessKey(..) | View::Gone(_) => {}
                View::Unknown(_) => unknown += 1,
            }
        }
        (live, unknown)
    }

    /// An account outside the trash.
    ///
    /// # Errors
    /// No such account, or it is in the trash.
    pub(crate) fn summary(&self, id: &AccountId) -> Result<&Summary, VaultError> {
        let (_, summary) = self.entry(id)?;
        match summary.trashed {
            Some(_) => Err(VaultError::InTrash(*id)),
            None => Ok(summary),
        }
    }

    /// Notes where each account stands, so that finding one by its id doesn't go through all.
    pub(crate) fn note_places(&mut self) {
        let places = self.entries.iter().enumerate();
        self.places = places.map(|(at, entry)| (*entry.id(), at)).collect();
    }

    fn open_with_key(files: &Files, key: Key, now: UnixTime) -> Result<Self, VaultError> {
        // Nothing is derived here, so no slot's cost matters.
        Locked::open(files, KdfLimit::High)?.unlock_with(key, None, Rollback::Refuse, now)
    }
}

/// A summary as bytes, for the agent's protocol: the same fields as in a record.
pub(crate) fn summary_to_bytes(summary: &Summary) -> Vec<u8> {
    fields::write(summary, &fields::Born::default(), &[])
}

/// The summary that such bytes tell; none where they tell none.
pub(crate) fn summary_from_bytes(bytes: &[u8], id: AccountId, conflict: bool) -> Option<Summary> {
    fields::read(bytes, id, conflict)
}
