//! Codes out, keys never: what the rooms above ask of an open vault, wherever it is held.

use crate::account::{AccountId, Summary};
use crate::clock::UnixTime;
use crate::failure::Fails;
use crate::otp::{Code, Pair, Pairing};

/// Gives codes and summaries. Implemented by the open vault, and by the client of an agent that holds one.
pub trait Authenticator {
    /// Why there is no answer.
    type Error: Fails;

    /// Every account that isn't in the trash, without secrets.
    ///
    /// # Errors
    /// The accounts can't be had.
    fn summaries(&self) -> Result<Vec<Summary>, Self::Error>;

    /// The code of a time-based account at a moment.
    ///
    /// # Errors
    /// No such account, a counter-based one, or a moment before its T0.
    fn code_at(&self, id: &AccountId, now: UnixTime) -> Result<Code, Self::Error>;

    /// The code of a time step, such as one that the ledger has handed out as fresh.
    ///
    /// # Errors
    /// As [`Authenticator::code_at`].
    fn code_of_step(&self, id: &AccountId, step: u64) -> Result<Code, Self::Error>;

    /// The codes of two consecutive time steps, the earlier first.
    ///
    /// # Errors
    /// As [`Authenticator::code_at`]; or the account has no such step.
    fn pair_at(&self, id: &AccountId, now: UnixTime, pairing: Pairing)
    -> Result<Pair, Self::Error>;

    /// The next code of a counter-based account. Its counter is advanced **and on disk** before the code is returned, so
    /// that no code is ever given twice.
    ///
    /// # Errors
    /// No such account, a time-based one, or the counter couldn't be saved.
    fn next_hotp(&mut self, id: &AccountId, now: UnixTime) -> Result<Code, Self::Error>;
}
