//! The virtual MFA device on its way to AWS: enrolment, sessions, policies.
//!
//! This room decides what is asked of AWS and what its answers mean. It makes no call itself: [`remote`] is the contract of
//! whoever does, and the executable `vmfa-aws`, which alone links the AWS SDK, stands behind it. Nor does it open a vault or
//! ask a person: [`host`] is the contract for that. The words here are AWS's own: serial number, authentication code 1 and 2,
//! token code.

pub mod arn;
pub mod console;
pub mod csv;
pub mod enroll;
pub mod error;
#[cfg(test)]
mod fake;
mod flight;
pub mod host;
pub mod ini;
pub mod manage;
pub mod operation;
pub mod plan;
pub mod policy;
pub mod process;
pub mod profile;
mod refusal;
pub mod remote;
pub mod session;
pub mod status;
mod token;
pub mod wire;

pub use token::BUDGET;

/// A name that tells nobody of what it is made: half of a SHA-256, in hexadecimal.
pub fn hashed(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
