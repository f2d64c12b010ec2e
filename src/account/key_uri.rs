//! The Key URI, `otpauth://TYPE/LABEL?PARAMETERS`, and its relatives `apple-otpauth:`, `steam:` and `motp:`.
//!
//! It looks like a URL and is none: apps write raw spaces, `#`, `+` and non-ASCII letters into labels, so a URL parser loses
//! or changes what follows. It is split first and percent-decoded after, once, so that an encoded `&`, `?` or `#` in a
//! label stays what it is.

mod read;
mod split;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use crate::account::draft::holds_uri;
pub use read::read;
pub(crate) use read::{scheme_of, trim};
pub use split::split;
pub use write::write;

/// The longest Key URI in bytes. A QR code holds 2,953; exports carry notes beside.
pub const MAX_LEN: usize = 64 * 1024;
