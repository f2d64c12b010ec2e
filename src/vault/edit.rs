//! Changing accounts, in memory.

use std::collections::HashMap;

use crate::account::{Account, AccountId, Summary};
use crate::clock::UnixTime;
use crate::otp::{OtpError, Scheme};
use crate::secret::{Secret, SecretText};
use crate::vault::error::VaultError;
use crate::vault::fields::{self, Grown};
use crate::vault::inner::Inner;
use crate::vault::merge;
use crate::vault::record::{ACCOUNT, MAX_RECORD_LEN, MAX_RECORDS, Record, TOMBSTONE};
use crate::vault::seal::{self, Key};
use crate::vault::stamp::Hlc;
use crate::vault::unlocked::{ByName, BySecret, Entry, Unlocked, View};

/// What became of an account that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New(AccountId),
    /// The same secret and parameters were there already under this id: kept once.
    AlreadyThere(AccountId),
    /// The same secret and parameters were in the trash under this id: the account is out of it again, with the name it had.
    Restored(AccountId),
    /// It is new, and another account of the same issuer and name has another secret: both are kept.
    Namesake {
        /// The new one.
        id: AccountId,
        /// The one that was there.
        other: AccountId,
    },
}

/// A record this version can't understand: kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRecord {
    /// Its id.
    pub id: AccountId,
    /// Its type; 1 is an account, 2 an access key, of which something isn't understood.
    pub kind: u8,
}

/// What fields and head may take of a record's bound; the rest is for the seal.
const MAX_FIELDS: usize = MAX_RECORD_LEN - 16 * 1024;

impl Unlocked {
    /// The records that were written by a newer version. They are kept as they are, through every save.
    pub fn unknown_records(&self) -> Vec<UnknownRecord> {
        let unknown = |entry: &Entry| match entry.view() {
            View::Unknown(id) => Some(UnknownRecord {
                id: *id,
                kind: entry.record.kind,
            }),
            View::Account(_) | View::AccessKey(..) | View::Gone(_) => None,
        };
        self.entries.iter().filter_map(unknown).collect()
    }

    /// Unseals one account, trashed or not.
    ///
    /// # Errors
    /// No such account; not understood; its seal is damaged.
    pub fn account(&self, id: &AccountId) -> Result<Account, VaultError> {
        let (entry, summary) = self.entry(id)?;
        let inner = self.unseal(entry)?;
        Ok(Account {
            summary: summary.clone(),
            secret: inner.secret,
            pin: inner.pin,
        })
    }

    pub(super) fn unseal(&self, entry: &Entry) -> Result<Inner, VaultError> {
        Inner::open(&entry.record, &self.dek).ok_or(VaultError::RecordDamaged(*entry.id()))
    }

    pub(super) fn entry(&self, id: &AccountId) -> Result<(&Entry, &Summary), VaultError> {
        let entry = &self.entries[self.position(id)?];
        match entry.view() {
            View::Account(summary) => Ok((entry, summary)),
            View::Unknown(id) => Err(VaultError::NotUnderstood(*id)),
            View::AccessKey(id, _) | View::Gone(id) => Err(VaultError::NoSuchAccount(*id)),
        }
    }

    fn position(&self, id: &AccountId) -> Result<usize, VaultError> {
        // A place noted before a change may be another's now: then all are gone through.
        if let Some(at) = self.places.get(id)
            && self.entries.get(*at).is_some_and(|entry| entry.id() == id)
        {
            return Ok(*at);
        }
        self.entries
            .iter()
            .position(|entry| entry.id() == id)
            .ok_or(VaultError::NoSuchAccount(*id))
    }

    pub(super) fn stamp(&mut self, now: UnixTime) -> Hlc {
        self.top = Hlc::after(self.top, now);
        self.top
    }

    /// Adds an account, unless one is there that gives the same codes. An account in the trash that does is brought back:
    /// whoever adds it wants it, unless it comes from another trash. Of two HOTP counters the greater holds.
    ///
    /// # Errors
    /// An empty secret; something is too long; the vault is full.
    pub fn add(&mut self, account: Account, now: UnixTime) -> Result<Added, VaultError> {
        if account.secret.is_empty() {
            return Err(OtpError::EmptySecret.into());
        }
        let digest = self.digest(&account.secret)?;
        if let Some(there) = self.same_codes(&account, &digest)? {
            let before = self.entry(&there)?.1.clone();
            if let Scheme::Hotp(_) = before.scheme
                && account.summary.counter > before.counter
            {
                // The codes below were given elsewhere. No stamp, as for any counter.
                let mut after = before.clone();
                after.counter = account.summary.counter;
                self.put_summary(before.clone(), after, None)?;
            }
            if before.trashed.is_some() && account.summary.trashed.is_none() {
                self.restore(&there, now)?;
                return Ok(Added::Restored(there));
            }
            return Ok(Added::AlreadyThere(there));
        }
        if self.entries.len() >= MAX_RECORDS {
            return Err(VaultError::Full(MAX_RECORDS));
        }
        let mut summary = account.summary;
        let index = self.by_name.take().unwrap_or_else(|| self.index_names());
        while index.taken.contains(&summary.id) {
            summary.id = AccountId::from_bytes(seal::random(&*self.random)?);
        }
        let label = (summary.issuer.clone(), summary.name.clone());
        let other = index.names.get(&label).copied();
        let id = summary.id;
        summary.conflict = false;
        if let Scheme::Hotp(_) = summary.scheme {
            summary.counter = summary.counter.or(Some(0));
        }
        let fields = checked(fields::write(&summary, &seal::random(&*self.random)?, &[]))?;
        let inner = Inner::new(account.secret, account.pin)?;
        let hlc = self.stamp(now);
        let device = self.device_number();
        let mut record = Record::new(*id.as_bytes(), hlc, device, ACCOUNT, &fields);
        inner.seal_into(&mut record, &self.dek, &*self.random)?;
        self.entries
            .push(Entry::showing(record, View::Account(summary)));
        let mut index = index;
        index.taken.insert(id);
        index.names.entry(label).or_insert(id);
        self.by_name = Some(index);
        if let Some(index) = &mut self.by_secret {
            index.ids.entry(digest).or_default().push(id);
        }
        self.dirty = true;
        Ok(match other {
            Some(other) => Added::Namesake { id, other },
            None => Added::New(id),
        })
    }

    /// The digest of a secret under this value's own key. The first call unseals every secret once; from then on adding is
    /// a look-up, so that adding many is linear.
    fn digest(&mut self, secret: &Secret) -> Result<[u8; seal::KEY_LEN], VaultError> {
        let index = match self.by_secret.take() {
            Some(index) => index,
            None => self.index_secrets()?,
        };
        let digest = seal::mac(index.key.bytes(), &[secret.expose()]);
        self.by_secret = Some(index);
        Ok(digest)
    }

    fn index_secrets(&self) -> Result<BySecret, VaultError> {
        let key = Key::random(&*self.random)?;
        let mut ids: HashMap<_, Vec<AccountId>> = HashMap::with_capacity(self.entries.len());
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.summary().is_some())
        {
            // One that doesn't open is like none other.
            if let Some(inner) = Inner::open(&entry.record, &self.dek) {
                ids.entry(seal::mac(key.bytes(), &[inner.secret.expose()]))
                    .or_default()
                    .push(*entry.id());
            }
        }
        Ok(BySecret { key, ids })
    }

    fn index_names(&self) -> ByName {
        let names = self
            .live()
            .map(|summary| ((summary.issuer.clone(), summary.name.clone()), summary.id));
        // An id that a record hides behind another one's is taken too.
        let hidden = self
            .records()
            .map(|record| AccountId::from_bytes(record.id));
        ByName {
            names: names.collect(),
            taken: self
                .entries
                .iter()
                .map(|entry| *entry.id())
                .chain(hidden)
                .collect(),
        }
    }

    /// An account that gives the same codes, one that isn't in the trash first.
    fn same_codes(
        &self,
        account: &Account,
        digest: &[u8; seal::KEY_LEN],
    ) -> Result<Option<AccountId>, VaultError> {
        let mut trashed = None;
        let candidates = self
            .by_secret
            .as_ref()
            .and_then(|index| index.ids.get(digest));
        for id in candidates.into_iter().flatten() {
            // Erased since the index was made.
            let Ok((_, summary)) = self.entry(id) else {
                continue;
            };
            if summary.scheme == account.summary.scheme
                && self.account(id)?.gives_same_codes_as(account)
            {
                if summary.trashed.is_none() {
                    return Ok(Some(*id));
                }
                trashed = Some(*id);
            }
        }
        Ok(trashed)
    }

    /// Changes what may be shown: the id, the trash and the conflict mark stay ([`Unlocked::settle`] ends a conflict). Nothing changed is nothing to save. An HOTP
    /// counter set lower here holds unless another copy of the vault still has the higher one: a merge takes the greater.
    ///
    /// # Errors
    /// No such account; not understood; something is too long.
    pub fn change(
        &mut self,
        id: &AccountId,
        now: UnixTime,
        change: impl FnOnce(&mut Summary),
    ) -> Result<(), VaultError> {
        let before = self.entry(id)?.1.clone();
        let mut after = before.clone();
        change(&mut after);
        after.id = before.id;
        after.trashed = before.trashed;
        after.conflict = before.conflict;
        self.put_summary(before, after, Some(now))
    }

    /// Takes the summary in place of the one before; with a stamp, unless only the counter moved.
    pub(super) fn put_summary(
        &mut self,
        before: Summary,
        after: Summary,
        now: Option<UnixTime>,
    ) -> Result<(), VaultError> {
        if before == after {
            return Ok(());
        }
        let at = self.position(&before.id)?;
        let old = self.entries[at].record.fields();
        let fields = checked(fields::write(
            &after,
            &fields::born(old).unwrap_or_default(),
            old,
        ))?;
        if let Some(now) = now {
            let hlc = self.stamp(now);
            let device = self.device_number();
            self.bases.note(&self.entries[at].record, false);
            let record = &mut self.entries[at].record;
            (record.hlc, record.device) = (hlc, device);
        }
        let entry = &mut self.entries[at];
        let mut record = entry.record.clone();
        record.set_fields(&fields);
        *entry = Entry::showing(record, View::Account(after));
        self.by_name = None;
        self.dirty = true;
        Ok(())
    }

    /// Sets or removes the PIN that mOTP and Yandex mix in; the secret is sealed again with it.
    ///
    /// # Errors
    /// No such account; not understood; its seal is damaged; the PIN is too long.
    pub fn set_pin(
        &mut self,
        id: &AccountId,
        pin: Option<SecretText>,
        now: UnixTime,
    ) -> Result<(), VaultError> {
        let mut inner = self.unseal(self.entry(id)?.0)?;
        let same = match (&inner.pin, &pin) {
            (None, None) => true,
            (Some(a), Some(b)) => a.same_as(b),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return Ok(());
        }
        inner.set_pin(pin)?;
        let at = self.position(id)?;
        let (hlc, device) = (self.stamp(now), self.device_number());
        self.bases.note(&self.entries[at].record, true);
        let record = &mut self.entries[at].record;
        inner.seal_into(record, &self.dek, &*self.random)?;
        (record.hlc, record.device) = (hlc, device);
        self.dirty = true;
        Ok(())
    }

    /// Into the trash. One that is there already stays as it is.
    ///
    /// # Errors
    /// No such account; not understood.
    pub fn remove(&mut self, id: &AccountId, now: UnixTime) -> Result<(), VaultError> {
        let before = self.entry(id)?.1.clone();
        let mut after = before.clone();
        after.trashed = before.trashed.or(Some(now.secs()));
        self.put_summary(before, after, Some(now))
    }

    /// Out of the trash.
    ///
    /// # Errors
    /// No such account; not understood.
    pub fn restore(&mut self, id: &AccountId, now: UnixTime) -> Result<(), VaultError> {
        let before = self.entry(id)?.1.clone();
        let mut after = before.clone();
        after.trashed = None;
        self.put_summary(before, after, Some(now))
    }

    /// Gone for good: a tombstone stays for at least 400 days, so that a copy of the vault doesn't bring it back. The backups still
    /// hold it until they are replaced or purged.
    ///
    /// # Errors
    /// No such account; not understood.
    pub fn erase(&mut self, id: &AccountId, now: UnixTime) -> Result<(), VaultError> {
        self.entry(id)?;
        let at = self.position(id)?;
        self.bury(at, now);
        // The other one of a conflict isn't one any more.
        self.mark_again();
        self.dirty = true;
        Ok(())
    }

    /// A tombstone in place of an entry.
    pub(super) fn bury(&mut self, at: usize, now: UnixTime) {
        let (hlc, device) = (self.stamp(now), self.device_number());
        let entry = &mut self.entries[at];
        self.bases.note(&entry.record, false);
        let id = *entry.id();
        let fields = fields::of_tombstone(entry.record.fields());
        let mut record = Record::new(entry.record.id, hlc, device, entry.record.kind, &fields);
        record.flags = TOMBSTONE;
        *entry = Entry::showing(record, View::Gone(id));
    }

    /// Ends a conflict for good: the person has seen the accounts that came under one id with different secrets, and keeps
    /// them. Each stays under the id it is shown by; to be rid of one, erase it instead. It holds through every merge, also
    /// with a copy that was edited since; only a further secret under the same id is a conflict again. An account without
    /// a conflict stays as it is.
    ///
    /// No stamp is needed: the mark grows in a merge, and a stamp would win over somebody's edit. The moment is asked for
    /// so that a later format may keep it.
    ///
    /// # Errors
    /// No such account; not understood.
    pub fn settle(&mut self, id: &AccountId, _now: UnixTime) -> Result<(), VaultError> {
        let (entry, summary) = self.entry(id)?;
        if !summary.conflict {
            return Ok(());
        }
        let shared = entry.record.id;
        let group = self.entries.iter_mut().map(|entry| &mut entry.record);
        for record in group.filter(|record| record.id == shared && !record.is_tombstone()) {
            if fields::born(record.fields()).is_none() {
                // Bytes that are no fields take no mark; no writer writes such.
                continue;
            }
            let grown = fields::grown(record.fields());
            let fields = fields::with_grown(
                record.fields(),
                Grown {
                    settled: true,
                    ..grown
                },
            );
            record.set_fields(&fields);
        }
        self.mark_again();
        self.dirty = true;
        Ok(())
    }

    /// Works out anew which records are in conflict.
    fn mark_again(&mut self) {
        let mut records: Vec<Record> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|entry| entry.record)
            .collect();
        merge::mark_conflicts(&mut records);
        let index = self.by_secret.take();
        self.set_records(records);
        self.by_secret = index;
    }
}

fn checked(fields: Vec<u8>) -> Result<Vec<u8>, VaultError> {
    if fields.len() > MAX_FIELDS {
        return Err(VaultError::TooLong {
            what: "text",
            len: fields.len(),
            max: MAX_FIELDS,
        });
    }
    Ok(fields)
}
