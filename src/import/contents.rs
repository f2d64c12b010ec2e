//! What one file holds, before drafts become accounts.

use std::collections::BTreeMap;
use std::fmt;

use crate::account::text::clean;
use crate::account::{Draft, Refusal};
use crate::secret::SecretText;

/// What a file holds.
#[derive(Default)]
pub struct Contents {
    /// Each account found, or why not.
    pub rows: Vec<Result<Draft, Refusal>>,
    /// Key URIs and migrations with their places. They are read together with those of other files, since the parts of a
    /// migration come in several ([`collect`](crate::import::collect)).
    pub texts: Vec<(String, SecretText)>,
    /// What else was there and is none of an authenticator's business, by type.
    pub skipped: BTreeMap<Other, usize>,
    /// What the person should hear.
    pub remarks: Vec<Remark>,
    /// The names of other files of the directory that were read along: to read them by themselves would be twice.
    pub read_along: Vec<String>,
}

impl Contents {
    /// Counts one thing that isn't taken.
    pub(crate) fn skip(&mut self, other: Other) {
        *self.skipped.entry(other).or_default() += 1;
    }

    /// Whether nothing at all was found.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.texts.is_empty() && self.skipped.is_empty()
    }
}

/// What exports hold besides accounts with codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Other {
    /// A login without a one-time password.
    Login,
    /// A passkey.
    Passkey,
    /// A note.
    Note,
    /// A card, a bank account, an identity.
    Card,
    /// An SSH key, an API credential, a licence.
    Key,
    /// An account that is confirmed by a push message and has no codes.
    Push,
    /// In the trash of a password manager.
    Trashed,
    /// A file of an archive or a directory that holds no accounts.
    File,
    /// Whatever else.
    Thing,
}

impl Other {
    /// Its name, in the singular and in the plural.
    pub fn name(self, count: usize) -> &'static str {
        let (one, many) = match self {
            Self::Login => ("password without a code", "passwords without a code"),
            Self::Passkey => ("passkey", "passkeys"),
            Self::Note => ("note", "notes"),
            Self::Card => ("card or identity", "cards or identities"),
            Self::Key => ("key", "keys"),
            Self::Push => ("push account without codes", "push accounts without codes"),
            Self::Trashed => ("trashed entry", "trashed entries"),
            Self::File => ("other file", "other files"),
            Self::Thing => ("other entry", "other entries"),
        };
        if count == 1 { one } else { many }
    }

    /// A stable word, for programs.
    pub fn class(self) -> &'static str {
        match self {
            Self::Login => "password",
            Self::Passkey => "passkey",
            Self::Note => "note",
            Self::Card => "card",
            Self::Key => "key",
            Self::Push => "push",
            Self::Trashed => "trashed",
            Self::File => "file",
            Self::Thing => "other",
        }
    }
}

/// What the person should hear about a file that was read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Its version is newer than what is known: what is understood was read.
    NewerVersion(String),
    /// The picture is cut off: there may have been more codes in it.
    DamagedPicture,
    /// The file ends before it should, or a part of it is broken.
    PartMissing(String),
    /// It isn't in UTF-8: what wasn't understood is marked.
    OtherEncoding,
    /// It is what it should be, and holds no one-time passwords.
    NoCodes,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerVersion(what) => write!(
                f,
                "{} is newer than what is known here; what is understood was read: compare the number of accounts",
                clean(what)
            ),
            Self::DamagedPicture => {
                f.write_str("the picture is damaged or cut off; there may be more codes in it")
            }
            Self::PartMissing(what) => write!(f, "{}", clean(what)),
            Self::OtherEncoding => f.write_str(
                "some letters of it are not in UTF-8 and were replaced by a mark; see to the names",
            ),
            Self::NoCodes => f.write_str("it holds no one-time passwords"),
        }
    }
}
