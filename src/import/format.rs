//! The table of formats: one file a format, one row each.
//!
//! A format tells whether a file is its own by what is in it, never by its name, and maps what it finds to the words of a
//! [`Draft`]. It decodes no secret: that is the draft's.

mod aegis;
mod andotp;
mod authenticator_plus;
mod authme;
mod authy;
mod battlenet;
mod bitwarden;
mod cotp;
mod csv;
mod cxf;
mod duo;
mod enpass;
mod ente;
mod extension;
mod freeotp;
mod freeotpplus;
mod gnome;
mod google_database;
mod html;
mod keepass;
mod keeper;
mod lastpass;
mod microsoft;
mod named;
mod onepassword;
mod otp_auth;
mod otpclient;
mod pass;
mod picture;
mod proton;
mod protonpass;
mod raivo;
mod steam;
mod stratum;
mod stratum_database;
mod totp_authenticator;
mod twofactor;
mod twofas;
mod twofauth;
mod uris;
mod winauth;

use crate::account::Draft;
use crate::account::ZeroMeans;
use crate::import::document::Document;
use crate::import::sqlite;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

/// A kind of file that accounts are read from.
pub struct Format {
    /// The word after `--from`.
    pub id: &'static str,
    /// The app, as people call it, and what of it if there are several.
    pub app: &'static str,
    /// Other words that mean it.
    pub also: &'static [&'static str],
    /// What the app writes: the kinds of file that are read.
    pub reads: &'static str,
    /// How to get the export out of that app, a step a line.
    pub how: &'static str,
    /// How sure it is that the app's own files are read.
    pub seen: Seen,
    /// Whether a file is of this format.
    pub(crate) is: fn(&Document<'_>) -> Likeness,
    /// What is in the file.
    pub(crate) read: fn(&Document<'_>, Option<&SecretText>) -> Result<Contents, ImportError>,
}

/// What a format was tried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Files that the app itself wrote.
    Files,
    /// The app's source or its documentation; the files were made after it.
    Description,
}

/// Whether a file is of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It can't be.
    No,
    /// Nothing in it says so, and nothing against it: only opening it tells.
    Perhaps,
    /// It says so.
    Yes,
}

impl From<bool> for Likeness {
    fn from(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

/// Every format, the more particular before the more general: the first that knows a file has it.
pub static FORMATS: &[&Format] = &[
    &picture::FORMAT,
    &aegis::FORMAT,
    &twofas::FORMAT,
    &bitwarden::FORMAT,
    &ente::FORMAT,
    &proton::FORMAT,
    &stratum::FORMAT,
    &lastpass::FORMAT,
    &raivo::FORMAT,
    &twofauth::FORMAT,
    &extension::FORMAT,
    &cotp::FORMAT,
    &authme::FORMAT,
    &duo::FORMAT,
    &twofactor::FORMAT,
    &cxf::FORMAT,
    &enpass::FORMAT,
    &keeper::FORMAT,
    &gnome::FORMAT,
    &named::FORMAT,
    &freeotp::FORMAT,
    &freeotpplus::FORMAT,
    &andotp::FORMAT,
    &otpclient::FORMAT,
    &keepass::FORMAT,
    &onepassword::FORMAT,
    &onepassword::OPVAULT,
    &protonpass::FORMAT,
    &csv::LASTPASS,
    &csv::APPLE,
    &csv::DASHLANE,
    &csv::MYKI,
    &csv::ZOHO,
    &csv::NORDPASS,
    &csv::ROBOFORM,
    &csv::FIREFOX,
    &csv::CHROME,
    &otp_auth::FORMAT,
    &winauth::FORMAT,
    &steam::FORMAT,
    &totp_authenticator::FORMAT,
    &authy::FORMAT,
    &battlenet::FORMAT,
    &microsoft::FORMAT,
    &stratum_database::FORMAT,
    &google_database::FORMAT,
    &authenticator_plus::FORMAT,
    &html::FORMAT,
    &csv::FORMAT,
    &pass::FORMAT,
    &uris::FORMAT,
];

/// The format that a word means: its id or another name of it, in any case.
pub fn by_id(word: &str) -> Option<&'static Format> {
    let is = |name: &&str| name.eq_ignore_ascii_case(word);
    FORMATS
        .iter()
        .copied()
        .find(|format| is(&format.id) || format.also.iter().any(&is))
}

/// A draft of a file's own: its place, and a zero that means the default, since files have no other way to leave a number out.
pub(crate) fn draft(place: String) -> Draft {
    Draft {
        place,
        zero_means: ZeroMeans::TheDefault,
        ..Draft::default()
    }
}

/// Whether it can be sealed without a mark: neither mostly text nor mostly nothing, and not marked as something else. Bytes
/// without order are text in two of five, and zero in one of 256.
fn is_like_sealed(document: &Document<'_>) -> bool {
    let bytes = document.bytes();
    let share = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count();
    let text = share(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'));
    let nothing = share(|byte| *byte == 0);
    document.text().is_none()
        && !bytes.starts_with(sqlite::MAGIC)
        && text < bytes.len() / 4 * 3
        && nothing <= bytes.len() / 4
}

/// The passphrase, where one is needed.
fn needed(passphrase: Option<&SecretText>) -> Result<&SecretText, ImportError> {
    passphrase.ok_or(ImportError::NeedsPassphrase)
}

#[cfg(test)]
mod tests;
