//! The contract of whoever holds the vault and talks to the person.

use std::path::Path;
use std::time::Duration;

use crate::account::{Account, AccountId, Summary};
use crate::aws::error::AwsError;
use crate::aws::remote::Keys;
use crate::clock::UnixTime;
use crate::ledger::Ledger;
use crate::otp::{Code, Pair};
use crate::secret::Secret;

/// What the trips to AWS need of the machine they start from. An error of it is told as [`AwsError::Held`].
pub trait Host {
    /// The present moment by this machine's clock.
    ///
    /// # Errors
    /// The clock stands before 1970.
    fn now(&self) -> Result<UnixTime, AwsError>;

    /// The time-based accounts, outside the trash, that have a serial number, the latest first: of two with the same one the
    /// later counts.
    ///
    /// # Errors
    /// They can't be had.
    fn devices(&mut self) -> Result<Vec<Summary>, AwsError>;

    /// Asks the person, where the account wants that, whether its next code or pair may leave. To be called before a step is
    /// claimed: a no must use up none.
    ///
    /// # Errors
    /// The answer was no; there is nobody to ask.
    fn may(&mut self, account: &Summary) -> Result<(), AwsError>;

    /// The code of a time step.
    ///
    /// # Errors
    /// There is none to be had.
    fn code(&mut self, account: &Summary, step: u64) -> Result<Code, AwsError>;

    /// The codes of a time step and of the one before it.
    ///
    /// # Errors
    /// As [`Host::code`].
    fn pair(&mut self, account: &Summary, step: u64) -> Result<Pair, AwsError>;

    /// The access key kept for a profile.
    ///
    /// # Errors
    /// It can't be had.
    fn access_key(&mut self, profile: &str) -> Result<Option<Keys>, AwsError>;

    /// Saves a new account. It is synced to disk when this returns: only then AWS may be told of it.
    ///
    /// # Errors
    /// It isn't certain to be on the disk.
    fn save(&mut self, account: Account) -> Result<Summary, AwsError>;

    /// Puts an account into the trash, with the reason in its note.
    ///
    /// # Errors
    /// It couldn't be saved.
    fn trash(&mut self, id: &AccountId, why: &str) -> Result<(), AwsError>;

    /// What is held under a name, with its expiry.
    ///
    /// # Errors
    /// It can't be read.
    fn recall(&mut self, name: &str) -> Result<Option<(Secret, UnixTime)>, AwsError>;

    /// Holds something under a name until then, sealed.
    ///
    /// # Errors
    /// It can't be stored.
    fn hold(&mut self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), AwsError>;

    /// Forgets what is under a name.
    ///
    /// # Errors
    /// The store can't be changed.
    fn forget(&mut self, name: &str) -> Result<(), AwsError>;

    /// Lets go of whatever others may be waiting for, such as a connection to an agent: a wait of some length comes now.
    fn rest(&mut self);

    /// The ledger of this vault.
    fn ledger(&self) -> Ledger;

    /// A directory of this vault's own, for locks.
    fn locks(&self) -> &Path;

    /// Says something to the person that isn't part of the answer.
    fn tell(&self, text: &str);

    /// Warns the person.
    fn warn(&self, text: &str);

    /// Waits, with a progress line where somebody looks.
    ///
    /// # Errors
    /// As [`Host::now`].
    fn wait(&self, what: &str, span: Duration) -> Result<(), AwsError>;
}
