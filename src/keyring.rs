//! Access keys: how the rooms above get at the one to sign with, without knowing who seals it.

use crate::failure::Fails;
use crate::secret::SecretText;

/// A long-term access key of AWS, without its secret half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The profile it stands for, as in `~/.aws/config`.
    pub profile: String,
    /// The half that isn't secret: `AKIA…`.
    pub access_key_id: String,
    /// When it came in, in seconds since 1970.
    pub added: u64,
}

/// Gives access keys. Implemented by the open vault, and by the client of an agent that holds one.
///
/// Unlike the secret of an account, an access key has to leave: requests are signed with it.
pub trait Keyring {
    /// Why there is no answer.
    type Error: Fails;

    /// All of them, by profile. Where two copies of a vault each got one for the same profile, both are there: the one that
    /// was put in last comes first, and is the one that is given.
    ///
    /// # Errors
    /// They can't be had.
    fn access_keys(&self) -> Result<Vec<AccessKey>, Self::Error>;

    /// The one that stands for a profile, with its secret half: the one put in last. None where the profile has none.
    ///
    /// # Errors
    /// It can't be had; its seal is damaged.
    fn access_key(&self, profile: &str) -> Result<Option<(AccessKey, SecretText)>, Self::Error>;
}
