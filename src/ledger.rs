//! Which time step was last handed out as fresh, per account: one truth for all processes. (stub)

use std::path::PathBuf;

use crate::account::AccountId;
use crate::failure::{Fails, Kind};

/// A small file beside the vault. It holds no secret and can be lost without harm.
pub struct Ledger {
    #[expect(dead_code, reason = "stub")]
    path: PathBuf,
}

/// What a claim for an unused step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This step is the caller's alone: it is recorded as used.
    Step(u64),
    /// Every step within the tolerance is used: try again when this step begins.
    WaitFor(u64),
}

/// Why the ledger can't answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// stub
    #[error("{path}: {source}")]
    Io {
        /// stub
        path: PathBuf,
        /// stub
        source: std::io::Error,
    },
}

impl Fails for LedgerError {
    fn kind(&self) -> Kind {
        Kind::Internal
    }
}

impl Ledger {
    /// The ledger at a path; the file need not exist.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Claims an unused step among `current - within ..= current + within`, nearest first, for one caller of all processes.
    ///
    /// # Errors
    /// stub
    pub fn claim(
        &self,
        _id: &AccountId,
        _current: u64,
        _within: u32,
    ) -> Result<Claim, LedgerError> {
        todo!()
    }

    /// Records steps as used, as a pair that was shown for enabling a device.
    ///
    /// # Errors
    /// stub
    pub fn mark(&self, _id: &AccountId, _steps: &[u64]) -> Result<(), LedgerError> {
        todo!()
    }

    /// Accounts and steps recorded, for `doctor`.
    ///
    /// # Errors
    /// stub
    pub fn check(&self) -> Result<usize, LedgerError> {
        todo!()
    }
}
