//! Which time steps were handed out as fresh, per account: one truth for all processes.
//!
//! A small text file, a line an account, replaced whole under a lock. The lock is held on a file of its own beside it: a lock
//! on the ledger itself would be a lock on the file that the replacement has just taken away.

mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod record;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::account::AccountId;
use crate::clock::UnixTime;
use crate::failure::{Fails, Kind};
use crate::ledger::file::Locking;
use crate::ledger::record::Record;

/// A small file beside the vault. It holds no secret and can be lost without harm: a service that has seen a code refuses it,
/// and the next one comes with the next step.
pub struct Ledger {
    path: PathBuf,
    locking: Locking,
    patience: Duration,
}

/// How long another process may hold the ledger before a claim gives up. A claim holds it for milliseconds: who holds it for
/// longer is stopped or hangs, and nobody should hang with it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far from the present step a claim reaches at most, in steps either way; a caller who asks for more gets this. It keeps
/// the steps within reach fewer than the steps remembered, so that none within reach is ever forgotten.
pub const MAX_WITHIN: u32 = 30;

/// How many steps are remembered for an account, in the order in which they were claimed. While the clock is steady, what was
/// claimed since a step within reach lies within 121 steps.
const REMEMBERED: usize = 128;

/// How many accounts are remembered: those claimed for last.
const ACCOUNTS: usize = 16_384;

/// What a claim for an unused step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This step is the caller's alone: it is recorded as used.
    Step(u64),
    /// Every step within the tolerance is used. When this step is the present one, the same claim finds an unused step,
    /// unless somebody else claims it first; before, it doesn't. Nothing is recorded.
    WaitFor(u64),
}

/// What a claim for a code that goes to a service with a budget came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// This step is the caller's alone, and the attempt is counted.
    Step(u64),
    /// As [`Claim::WaitFor`].
    WaitFor(u64),
    /// The budget is used up until then.
    Spent(UnixTime),
}

/// How many attempts a service allows for a device within a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// So many.
    pub attempts: usize,
    /// Within so many seconds.
    pub seconds: u64,
}

/// Which steps were handed out, at one moment.
pub struct HandedOut(Record);

impl HandedOut {
    /// Whether somebody was given the code of this step.
    pub fn has(&self, id: &AccountId, step: u64) -> bool {
        self.0.is_used(id, step)
    }
}

/// Why the ledger can't answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file, its lock or its directory can't be read or written.
    #[error("the ledger {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file system has no locks, so another process could hand out the same step.
    #[error("the ledger can't be locked: {path}: {source}")]
    NoLock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process holds the lock for longer than a claim takes.
    #[error("the ledger is in use by another process: {path}")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// A directory, a device, a pipe or a symbolic link stands there.
    #[error("the ledger {0} is not a regular file")]
    NotAFile(PathBuf),
    /// Something else stands there. It is not overwritten.
    #[error("{0} is not a ledger")]
    Foreign(PathBuf),
    /// Some lines can't be read. A claim drops them and keeps the others.
    #[error("the ledger {path} is damaged in {lines} of its lines")]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// How many.
        lines: usize,
    },
}

impl Fails for LedgerError {
    fn kind(&self) -> Kind {
        match self {
            Self::Io { .. } | Self::NoLock { .. } => Kind::Internal,
            Self::Busy { .. } => Kind::Conflict,
            Self::NotAFile(_) | Self::Foreign(_) => Kind::Usage,
            Self::Damaged { .. } => Kind::Damaged,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::NoLock { .. } => Some(
                "put the vault on a file system with locks, or ask for a code without `--fresh`"
                    .into(),
            ),
            Self::Busy { .. } => Some(
                "see that no other vmfa is stopped or hanging, then try again; or ask for a code without `--fresh`".into(),
            ),
            Self::NotAFile(_) | Self::Foreign(_) => {
                Some("move it away; the ledger is made anew".into())
            }
            Self::Damaged { .. } => Some("nothing to do: the next claim mends it".into()),
        }
    }
}

impl Ledger {
    /// The ledger at a path; the file need not exist.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            locking: Locking::Held,
            patience: PATIENCE,
        }
    }

    /// Claims an unused step among `current - within ..= current + within` for one caller of all processes, the nearest
    /// first and of two as near the earlier. The claim is on disk before this returns. `within` counts up to [`MAX_WITHIN`].
    ///
    /// Only the steps recorded count, not their order: after the clock has leapt back no step is given again, and one that was
    /// claimed while it stood far ahead blocks nothing but itself.
    ///
    /// # Errors
    /// The ledger can't be locked, read or written; another process holds it for 10 s; something else stands in its place.
    /// Nothing is claimed then.
    pub fn claim(&self, id: &AccountId, current: u64, within: u32) -> Result<Claim, LedgerError> {
        let within = u64::from(within.min(MAX_WITHIN));
        self.change(|record| {
            let used = |step: u64| record.is_used(id, step);
            let Some(step) = nearest_first(current, within).find(|step| !used(*step)) else {
                let unused = (current.saturating_add(within)..u64::MAX).find(|step| !used(*step));
                return (
                    Change::None,
                    Claim::WaitFor(unused.unwrap_or(u64::MAX).saturating_sub(within)),
                );
            };
            record.mark(id, &[step]);
            (Change::Made, Claim::Step(step))
        })
    }

    /// As [`Ledger::claim`], for a service that counts attempts: none is made beyond its budget. The attempt is counted when it
    /// is claimed; `now` is the present moment on a clock that isn't corrected, the same for all processes.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    pub fn claim_attempt(
        &self,
        id: &AccountId,
        current: u64,
        within: u32,
        now: UnixTime,
        budget: Budget,
    ) -> Result<Attempt, LedgerError> {
        let within = u64::from(within.min(MAX_WITHIN));
        self.change(|record| {
            let mut attempts = record.attempts(id);
            // What lies ahead was counted while the clock stood there: it says nothing.
            attempts.retain(|at| *at <= now.secs() && now.secs() - at < budget.seconds);
            if attempts.len() >= budget.attempts {
                // So many must have left the window that one more fits in.
                let oldest = attempts[attempts.len() - budget.attempts];
                let free = UnixTime::from_secs(oldest.saturating_add(budget.seconds));
                return (Change::None, Attempt::Spent(free));
            }
            let used = |step: u64| record.is_used(id, step);
            let Some(step) = nearest_first(current, within).find(|step| !used(*step)) else {
                let unused = (current.saturating_add(within)..u64::MAX).find(|step| !used(*step));
                let step = unused.unwrap_or(u64::MAX).saturating_sub(within);
                return (Change::None, Attempt::WaitFor(step));
            };
            attempts.push(now.secs());
            record.mark(id, &[step]);
            record.set_attempts(id, attempts);
            (Change::Made, Attempt::Step(step))
        })
    }

    /// Claims the present step and the one before it, for a pair of codes: for one caller of all processes, on disk before this
    /// returns. Where one of them was used, there is a wait for the first two that weren't: other steps than the present ones
    /// would tell the other side a clock that is off.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    #[cfg(feature = "aws")]
    pub fn claim_pair(&self, id: &AccountId, current: u64) -> Result<Claim, LedgerError> {
        self.change(|record| {
            let free = |step: u64| {
                let before = step.checked_sub(1);
                !record.is_used(id, step) && before.is_some_and(|step| !record.is_used(id, step))
            };
            if !free(current) {
                let next = (current..u64::MAX).find(|step| free(*step));
                return (Change::None, Claim::WaitFor(next.unwrap_or(u64::MAX)));
            }
            record.mark(id, &[current - 1, current]);
            (Change::Made, Claim::Step(current))
        })
    }

    /// Records steps as used, as a pair that was shown for enabling a device. On disk before this returns.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    pub fn mark(&self, id: &AccountId, steps: &[u64]) -> Result<(), LedgerError> {
        if steps.is_empty() {
            return Ok(());
        }
        self.change(|record| {
            record.mark(id, steps);
            (Change::Made, ())
        })
    }

    /// How many accounts have steps recorded, for `doctor`. A ledger that isn't there has none.
    ///
    /// # Errors
    /// It can't be read, something else stands in its place, or it is damaged: a claim would mend that.
    pub fn check(&self) -> Result<usize, LedgerError> {
        // Reading needs no lock: the file is replaced whole, so what stands there is always one state.
        let record = file::read(&self.path)?;
        match record.damaged_lines() {
            0 => Ok(record.accounts()),
            lines => Err(LedgerError::Damaged {
                path: self.path.clone(),
                lines,
            }),
        }
    }

    /// What was handed out, as the file says now; nothing where there is no ledger yet. For whoever shows a code and wants to
    /// say that another program was given it.
    ///
    /// # Errors
    /// It can't be read, or something else stands in its place.
    pub fn handed_out(&self) -> Result<HandedOut, LedgerError> {
        Ok(HandedOut(file::read(&self.path)?))
    }

    /// The files that belong to a ledger at this path, itself first: for whoever looks for what is left behind.
    pub fn files_of(path: &Path) -> [PathBuf; 3] {
        [
            path.to_owned(),
            file::beside(path, file::LOCK),
            file::beside(path, file::NEW),
        ]
    }

    /// Holds a lock on a file of its own, which is made where there is none and stays; until the guard is dropped, or the
    /// process ends. For what only one process should do at a time.
    ///
    /// # Errors
    /// As [`Ledger::claim`]; another process holds it for longer than `patience`.
    #[cfg(feature = "aws")]
    pub(crate) fn lock_beside(
        path: &Path,
        patience: Duration,
    ) -> Result<Option<std::fs::File>, LedgerError> {
        file::lock(path, Locking::Held, patience)
    }

    /// Reads, changes and writes under the lock.
    fn change<T>(&self, change: impl FnOnce(&mut Record) -> (Change, T)) -> Result<T, LedgerError> {
        let lock = file::lock(&self.path, self.locking, self.patience)?;
        let mut record = file::read(&self.path)?;
        let (made, answer) = change(&mut record);
        match made {
            Change::Made => file::replace(&self.path, &record.to_text())?,
            Change::None => {}
        }
        drop(lock);
        Ok(answer)
    }
}

/// Whether there is something to write.
enum Change {
    Made,
    None,
}

/// current, current - 1, current + 1, current - 2 and so on, as far as there are such steps.
fn nearest_first(current: u64, within: u64) -> impl Iterator<Item = u64> {
    std::iter::once(Some(current))
        .chain((1..=within).flat_map(move |distance| {
            [current.checked_sub(distance), current.checked_add(distance)]
        }))
        .flatten()
}
