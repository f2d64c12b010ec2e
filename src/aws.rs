//! The virtual MFA device on its way to AWS: enrolment, sessions, policies.
//!
//! This room decides what is asked of AWS and what its answers mean. It makes no call itself: [`remote`] is the contract of
//! whoever does, and the executable `vmfa-aws`, which alone links the AWS SDK, stands behind it. The words here are AWS's own:
//! serial number, authentication code 1 and 2, token code.

pub mod arn;
pub mod operation;
pub mod remote;
pub mod wire;
