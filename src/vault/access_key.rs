//! Access keys of AWS: their records, put in, taken out, and given.
//!
//! | type | value |
//! |---|---|
//! | 1 profile, 2 access key id | UTF-8; 1 to 256 bytes, and 16 to 128 letters, digits and underscores |
//! | 11 added | u64, seconds since 1970 |
//! | 13 born, 14 settled | as in an account: see `fields` |
//!
//! The secret access key is sealed in the record as an account's secret is, as text. Fields stand in the order of their types;
//! an unknown one is kept through every edit, and a known one that can't be understood makes the record "not understood".
//!
//! Each key that is put in has a record of its own, and those that it replaces become tombstones. So when two machines put
//! in a key each for one profile and then merge, both are there and both are listed; the one that was put in last is given.

use std::cmp::Reverse;

use crate::account::AccountId;
use crate::account::text::clean;
use crate::clock::UnixTime;
use crate::keyring::{AccessKey, Keyring};
use crate::secret::{Secret, SecretText};
use crate::vault::error::VaultError;
use crate::vault::fields::{self, Born};
use crate::vault::inner::Inner;
use crate::vault::record::{ACCESS_KEY, MAX_RECORDS, Record};
use crate::vault::seal;
use crate::vault::unlocked::{Entry, Unlocked, View};

const PROFILE: u16 = 1;
const ACCESS_KEY_ID: u16 = 2;
const ADDED: u16 = 11;
const BORN: u16 = 13;
const SETTLED: u16 = 14;

/// The longest name of a profile.
const MAX_PROFILE: usize = 256;
/// How long an access key id is, as AWS's API reference bounds it.
const ID_LEN: std::ops::RangeInclusive<usize> = 16..=128;
/// The longest secret access key; today's have 40 characters.
const MAX_SECRET: usize = 256;

/// What became of an access key that was put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutKey {
    /// The profile had none.
    New,
    /// The profile had just this one, with the same secret.
    AlreadyThere,
    /// It took the place of these, which only the backups still hold.
    Replaced(Vec<AccessKey>),
}

/// Which access keys are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichKeys<'a> {
    /// All that stand for this profile.
    OfProfile(&'a str),
    /// Those with this access key id, for whichever profile.
    WithId(&'a str),
}

impl Unlocked {
    /// Puts in the access key that stands for a profile from now on. The ones before it go for good, as an account that is
    /// erased; whoever wants one of them back finds it in the backups.
    ///
    /// The profile's name is cleaned of what steers a terminal, and of white space at its ends.
    ///
    /// # Errors
    /// Profile, id or secret is empty, too long or of other characters than such have: [`VaultError::OddAccessKey`]; the
    /// vault is full.
    pub fn put_access_key(
        &mut self,
        profile: &str,
        access_key_id: &str,
        secret: SecretText,
        now: UnixTime,
    ) -> Result<PutKey, VaultError> {
        let key = AccessKey {
            profile: checked_profile(profile)?,
            access_key_id: checked_id(access_key_id)?,
            added: now.secs(),
        };
        let secret = checked_secret(&secret)?;
        let there = self.places_of(WhichKeys::OfProfile(&key.profile));
        let same = there.iter().copied().find(|at| {
            let entry = &self.entries[*at];
            is_of(entry, WhichKeys::WithId(&key.access_key_id))
                && Inner::open(&entry.record, &self.dek)
                    .is_some_and(|inner| inner.secret.same_as(&secret))
        });
        match same {
            Some(_) if there.len() == 1 => return Ok(PutKey::AlreadyThere),
            // It is there beside others: the last one again, from now on.
            Some(at) => self.renew_access_key(at, key, now),
            None => self.push_access_key(key, secret, now)?,
        }
        let replaced = there.into_iter().filter(|at| Some(*at) != same);
        let replaced = self.bury_access_keys(replaced.collect(), now);
        self.dirty = true;
        Ok(if replaced.is_empty() {
            PutKey::New
        } else {
            PutKey::Replaced(replaced)
        })
    }

    /// Takes access keys out for good: see [`Unlocked::erase`]. Gives those that went.
    ///
    /// # Errors
    /// There is none such.
    pub fn remove_access_key(
        &mut self,
        which: WhichKeys<'_>,
        now: UnixTime,
    ) -> Result<Vec<AccessKey>, VaultError> {
        let cleaned;
        let which = match which {
            WhichKeys::OfProfile(profile) => {
                cleaned = cleaned_profile(profile);
                WhichKeys::OfProfile(&cleaned)
            }
            WhichKeys::WithId(_) => which,
        };
        let places = self.places_of(which);
        if places.is_empty() {
            let (WhichKeys::OfProfile(text) | WhichKeys::WithId(text)) = which;
            return Err(VaultError::NoSuchAccessKey(clean(text).into_owned()));
        }
        let removed = self.bury_access_keys(places, now);
        self.dirty = true;
        Ok(removed)
    }

    /// The access keys whose seal is damaged: each is unsealed for that.
    pub fn damaged_access_keys(&self) -> Vec<AccessKey> {
        let keys = self.access_key_entries();
        keys.filter(|(entry, _)| self.unseal_access_key(entry).is_none())
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// The profile's present one with its stamp renewed; what this version doesn't know of it stays.
    fn renew_access_key(&mut self, at: usize, key: AccessKey, now: UnixTime) {
        let (hlc, device) = (self.stamp(now), self.device_number());
        let entry = &mut self.entries[at];
        let id = *entry.id();
        let mut record = entry.record.clone();
        let before = record.fields();
        let fields = write(&key, &fields::born(before).unwrap_or_default(), before);
        record.set_fields(&fields);
        (record.hlc, record.device) = (hlc, device);
        *entry = Entry::showing(record, View::AccessKey(id, key));
    }

    fn push_access_key(
        &mut self,
        key: AccessKey,
        secret: Secret,
        now: UnixTime,
    ) -> Result<(), VaultError> {
        if self.entries.len() >= MAX_RECORDS {
            return Err(VaultError::Full(MAX_RECORDS));
        }
        // Random, and so nobody else's: see `Unlocked::add`, which takes ids that were given elsewhere.
        let id = AccountId::from_bytes(seal::random(&*self.random)?);
        let fields = write(&key, &seal::random(&*self.random)?, &[]);
        let (hlc, device) = (self.stamp(now), self.device_number());
        let mut record = Record::new(*id.as_bytes(), hlc, device, ACCESS_KEY, &fields);
        Inner::new(secret, None)?.seal_into(&mut record, &self.dek, &*self.random)?;
        let view = View::AccessKey(id, key);
        self.entries.push(Entry::showing(record, view));
        if let Some(index) = &mut self.by_name {
            index.taken.insert(id);
        }
        Ok(())
    }

    fn bury_access_keys(&mut self, places: Vec<usize>, now: UnixTime) -> Vec<AccessKey> {
        let keys = places.iter().filter_map(|at| {
            let key = self.entries[*at].access_key();
            key.cloned()
        });
        let keys = keys.collect();
        for at in places {
            self.bury(at, now);
        }
        keys
    }

    /// Where such keys stand among the entries.
    fn places_of(&self, which: WhichKeys<'_>) -> Vec<usize> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter(|(_, entry)| is_of(entry, which))
            .map(|(at, _)| at)
            .collect()
    }

    fn access_key_entries(&self) -> impl Iterator<Item = (&Entry, &AccessKey)> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| Some((entry, entry.access_key()?)))
    }

    fn unseal_access_key(&self, entry: &Entry) -> Option<SecretText> {
        let inner = Inner::open(&entry.record, &self.dek)?;
        SecretText::from_utf8(inner.secret.expose().to_vec())
    }
}

impl Keyring for Unlocked {
    type Error = VaultError;

    fn access_keys(&self) -> Result<Vec<AccessKey>, VaultError> {
        let mut keys: Vec<(&Entry, &AccessKey)> = self.access_key_entries().collect();
        keys.sort_by_key(|(entry, key)| (&key.profile, Reverse(put_in(entry))));
        Ok(keys.into_iter().map(|(_, key)| key.clone()).collect())
    }

    fn access_key(&self, profile: &str) -> Result<Option<(AccessKey, SecretText)>, VaultError> {
        let profile = cleaned_profile(profile);
        let keys = self.access_key_entries();
        let of_profile = keys.filter(|(_, key)| key.profile == profile);
        let Some((entry, key)) = of_profile.max_by_key(|(entry, _)| put_in(entry)) else {
            return Ok(None);
        };
        // One from before is no answer where the last one can't be opened: it may have been replaced for a reason.
        let secret = self.unseal_access_key(entry).ok_or_else(|| {
            let access_key_id = key.access_key_id.clone();
            VaultError::AccessKeyDamaged(access_key_id)
        })?;
        Ok(Some((key.clone(), secret)))
    }
}

/// What orders the keys of a profile: when each was put in, and the same on every machine. Stamps rather than `added`, since
/// a clock may have gone back between two of them.
fn put_in(entry: &Entry) -> impl Ord + use<> {
    let record = &entry.record;
    (record.hlc, record.device, record.id)
}

fn is_of(entry: &Entry, which: WhichKeys<'_>) -> bool {
    entry.access_key().is_some_and(|key| match which {
        WhichKeys::OfProfile(profile) => key.profile == profile,
        WhichKeys::WithId(access_key_id) => key.access_key_id == access_key_id,
    })
}

fn cleaned_profile(profile: &str) -> String {
    clean(profile).trim().to_owned()
}

fn checked_profile(profile: &str) -> Result<String, VaultError> {
    let profile = cleaned_profile(profile);
    match profile.len() {
        0 => Err(odd("the profile's name is empty")),
        1..=MAX_PROFILE => Ok(profile),
        _ => Err(odd("the profile's name has more than 256 bytes")),
    }
}

fn checked_id(access_key_id: &str) -> Result<String, VaultError> {
    if is_id(access_key_id) {
        Ok(access_key_id.to_owned())
    } else {
        Err(odd(
            "its id is not 16 to 128 letters, digits and underscores",
        ))
    }
}

fn is_id(text: &str) -> bool {
    let is_in_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ID_LEN.contains(&text.len()) && text.bytes().all(is_in_one)
}

fn checked_secret(secret: &SecretText) -> Result<Secret, VaultError> {
    let bytes = secret.expose().as_bytes();
    if bytes.is_empty() {
        return Err(odd("its secret is empty"));
    }
    if bytes.len() > MAX_SECRET {
        return Err(odd("its secret has more than 256 characters"));
    }
    if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(odd("its secret has a character that no access key has"));
    }
    Ok(Secret::new(bytes.to_vec()))
}

fn odd(what: &'static str) -> VaultError {
    VaultError::OddAccessKey(what)
}

/// The key that the fields tell; nothing when one of them can't be understood.
pub(super) fn read(bytes: &[u8]) -> Option<AccessKey> {
    let (mut profile, mut access_key_id, mut added) = (None, None, None);
    let mut seen = 0u16;
    for field in fields::fields(bytes) {
        let (kind, value) = field?;
        if !is_known(kind) {
            continue;
        }
        if seen & 1 << kind != 0 {
            // A second one of a field that there is once: a writer from the future means something by it.
            return None;
        }
        seen |= 1 << kind;
        match kind {
            PROFILE if (1..=MAX_PROFILE).contains(&value.len()) => {
                profile = Some(fields::text(value)?);
            }
            ACCESS_KEY_ID => access_key_id = fields::text(value).filter(|text| is_id(text)),
            ADDED => added = Some(fields::u64_of(value)?),
            BORN if value.len() == size_of::<Born>() => {}
            SETTLED if value.is_empty() => {}
            _malformed => return None,
        }
    }
    Some(AccessKey {
        profile: profile?,
        access_key_id: access_key_id?,
        added: added?,
    })
}

/// The fields of a key, with those of `before` that this version doesn't know or a key doesn't tell, and its `born`.
pub(super) fn write(key: &AccessKey, born: &Born, before: &[u8]) -> Vec<u8> {
    let added = key.added.to_le_bytes();
    let mut all: Vec<(u16, &[u8])> = vec![
        (PROFILE, key.profile.as_bytes()),
        (ACCESS_KEY_ID, key.access_key_id.as_bytes()),
        (ADDED, &added),
        (BORN, born),
    ];
    let before = fields::fields(before).map_while(|field| field);
    all.extend(before.filter(|(kind, _)| !is_known(*kind) || *kind == SETTLED));
    // Stable: several of one type stay as they were.
    all.sort_by_key(|(kind, _)| *kind);
    let mut out = Vec::with_capacity(160);
    for (kind, value) in all {
        fields::put(&mut out, kind, value);
    }
    out
}

const fn is_known(kind: u16) -> bool {
    matches!(kind, PROFILE | ACCESS_KEY_ID | ADDED | BORN | SETTLED)
}

#[cfg(test)]
mod tests;
