//! What other programs hand over: a text, a picture, an export of an app, an archive of them.
//!
//! [`read`] takes a file, finds its format by what is in it, and gives [`Contents`]: drafts and refusals, texts that are to be
//! read together with those of other files ([`collect`]), and what was left aside. [`FORMATS`] is the table.

mod archive;
mod archiver;
mod collect;
mod contents;
mod document;
mod error;
mod format;
mod java;
mod json;
mod kdbx;
mod login;
mod migration;
mod prefs;
mod protobuf;
mod sniff;
mod source;
mod sqlite;
mod table;
mod words;
mod xml;

pub use collect::{Batch, Collected, collect};
pub use contents::{Contents, Other, Remark};
pub use error::ImportError;
pub use format::{FORMATS, Format, Seen, by_id};
pub use sniff::{Reading, read};
pub use source::{Alone, Beside, Source};

use crate::account::key_uri::{self, scheme_of};
use crate::account::{Draft, Field, Refusal};

/// One text of a QR code or one line of a list, as accounts.
pub struct Read {
    /// Each account found, or why not.
    pub drafts: Vec<Result<Draft, Refusal>>,
    /// Set for one part of a Google Authenticator migration.
    pub part: Option<Part>,
}

/// Which part of a migration in several QR codes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Common to the parts of one export.
    pub batch_id: i32,
    /// From 0.
    pub index: u32,
    /// How many parts there are, at least 1.
    pub size: u32,
}

/// Reads one text: a Key URI, or a Google Authenticator migration. An account in it that can't be used is a refusal in its
/// place and stops nothing else.
///
/// # Errors
/// The text is neither, or a migration of which nothing can be read.
pub fn read_text(text: &str) -> Result<Read, Refusal> {
    let text = key_uri::trim(text);
    if scheme_of(text).as_deref() == Some("otpauth-migration") {
        return migration::read(text);
    }
    match key_uri::read(text) {
        Ok(draft) => Ok(Read {
            drafts: vec![Ok(draft)],
            part: None,
        }),
        Err(refusal) if refusal.field == Field::Uri => Err(refusal),
        Err(refusal) => Ok(Read {
            drafts: vec![Err(refusal)],
            part: None,
        }),
    }
}

#[cfg(test)]
mod tests;
