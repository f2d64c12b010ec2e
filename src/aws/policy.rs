//! IAM policies about MFA: read, examined, printed.
//!
//! Whether a policy forces MFA is decided by what its conditions come to for the three callers that there are: a long-term
//! access key, for whose requests `aws:MultiFactorAuthPresent` doesn't exist; a session without MFA, for which it is "false";
//! and a session with MFA. A policy that is right by its looks and wrong for one of the three is the usual mistake.

mod actions;
mod document;
mod enforced;
mod examine;
mod json;
mod operator;
mod pattern;
mod print;
mod session;
#[cfg(test)]
mod tests;

use crate::account::text::clean;
use crate::failure::{Fails, Kind};

pub use document::{Actions, Condition, Document, Effect, Resources, Statement, Use, Value};
pub use enforced::{Lack, lacks_force_mfa};
pub use examine::{Finding, Place, Severity, examine};
pub use print::{DeviceNames, FirstPassword, ForceMfa, Scp, SelfService, force_mfa, scp};

/// The longest text that is read: many times what IAM takes, so that what is too long for it is still examined.
pub const MAX_LEN: usize = 256 << 10;

/// Why a text isn't a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`MAX_LEN`].
    #[error("more than {MAX_LEN} bytes: no policy is that long")]
    TooLong,
    /// Not JSON, or an object with one name twice.
    #[error("not JSON as IAM takes it: {0}")]
    NotJson(String),
    /// JSON, but no policy.
    #[error("not a policy: {0}")]
    NotAPolicy(&'static str),
    /// An element isn't as IAM's grammar has it.
    #[error("{at}: {problem}")]
    Element {
        /// Where: `statement 2, Condition, Bool`.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Fails for PolicyError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooLong | Self::NotJson(_) | Self::NotAPolicy(_) => Some(
                "give the policy document itself, or what `aws iam get-policy-version` or `get-group-policy` prints"
                    .into(),
            ),
            Self::Element { .. } => None,
        }
    }
}

/// Text of a policy as an error or a finding repeats it: harmless to print, and not endless.
fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let clean = clean(text);
    match clean.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean.into_owned(),
    }
}
