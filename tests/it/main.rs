//! The one integration binary: a binary a file would be linked anew for each. One module a subject.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

#[cfg(feature = "aws")]
mod aws_profiles;
mod cli;
mod evidence;
mod export_round_trip;
mod floors;
mod import_negative;
mod import_samples;
mod life;
mod vault;
