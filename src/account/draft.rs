//! Loose words in, an account or a refusal out. (stub)

use crate::account::Account;
use crate::clock::UnixTime;
use crate::failure::{Fails, Kind};
use crate::secret::{Secret, SecretText};

/// Whether `0` for digits or period is an error (Key URI) or means the default (files of other apps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroMeans {
    /// As in a Key URI.
    #[default]
    Error,
    /// As in 2FAS, LastPass and OTP Auth files.
    TheDefault,
}

/// An account in the words in which it was found. None or empty means the default.
#[derive(Default)]
#[expect(missing_docs, reason = "stub")]
pub struct Draft {
    pub kind: Option<String>,
    pub issuer: Option<String>,
    pub name: Option<String>,
    pub label_issuer: Option<String>,
    /// Base32 text as found.
    pub secret: Option<SecretText>,
    /// Or the bytes, where the source has bytes.
    pub secret_bytes: Option<Secret>,
    pub algorithm: Option<String>,
    pub digits: Option<String>,
    pub period: Option<String>,
    pub counter: Option<String>,
    pub t0: Option<String>,
    pub pin: Option<SecretText>,
    pub tags: Vec<String>,
    pub note: Option<String>,
    pub favorite: bool,
    pub trashed: bool,
    pub serial_number: Option<String>,
    pub image: Option<String>,
    pub zero_means: ZeroMeans,
    /// Where it was found, such as "row 14" or "line 3"; empty when there is but one.
    pub place: String,
}

/// An account made from a draft, and what was odd about it.
#[expect(missing_docs, reason = "stub")]
pub struct Drafted {
    pub account: Account,
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// # Errors
    /// A refusal that says which field is wrong, where and why.
    pub fn into_account(self, _now: UnixTime) -> Result<Drafted, Refusal> {
        todo!()
    }
}

/// Odd, but taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "stub")]
pub enum Warning {
    WeakSecret { bits: usize },
    MissingCounter,
    LongPeriod(u32),
    InvalidUtf8(Field),
    Cleaned(Field),
}

/// Which word of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "stub")]
pub enum Field {
    Uri,
    Type,
    Label,
    Issuer,
    Secret,
    Algorithm,
    Digits,
    Period,
    Counter,
    T0,
    Pin,
}

/// Why a word is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "stub")]
pub enum Reason {
    Missing,
}

/// A draft that can't be an account: where, which word, why. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "stub")]
pub struct Refusal {
    pub place: String,
    pub label: String,
    pub field: Field,
    pub reason: Reason,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for Refusal {}
impl Fails for Refusal {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}
