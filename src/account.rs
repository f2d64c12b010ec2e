//! Accounts: a [`Summary`] holds no secret, an [`Account`] does, a [`Draft`] is loose words that become an account or a
//! [`Refusal`].

pub mod base64;
mod draft;
pub mod key_uri;
pub(crate) mod percent;
pub mod query;
mod summary;
pub mod text;
pub mod typed;

pub(crate) use draft::present;
pub use draft::{
    Draft, Drafted, Field, MAX_LABEL, MAX_NOTE, MAX_PIN, MAX_TAGS, Reason, Refusal, SecretEncoding,
    Warning, ZeroMeans,
};
pub use summary::{AccountId, Summary};

use crate::otp::{Generator, OtpError};
use crate::secret::{Secret, SecretText};

/// A summary together with the secret it stands for.
pub struct Account {
    /// All that may be shown.
    pub summary: Summary,
    /// The shared secret, K of RFC 4226.
    pub secret: Secret,
    /// The PIN that mOTP and Yandex mix in.
    pub pin: Option<SecretText>,
}

impl Account {
    /// The secret made ready for codes.
    ///
    /// # Errors
    /// As [`Generator::new`].
    pub fn generator(&self) -> Result<Generator, OtpError> {
        Generator::new(&self.summary.scheme, &self.secret, self.pin.as_ref())
    }

    /// Whether two accounts give the same codes: same scheme, secret and PIN, whatever they are called. An HOTP counter
    /// doesn't count: it moves.
    pub fn gives_same_codes_as(&self, other: &Self) -> bool {
        let pins_agree = match (&self.pin, &other.pin) {
            (None, None) => true,
            (Some(a), Some(b)) => a.same_as(b),
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.summary.scheme == other.summary.scheme
            && self.secret.same_as(&other.secret)
            && pins_agree
    }
}
