//! Google Authenticator's own database, of versions before 5.2, from a rooted phone.

use crate::account::{Draft, SecretEncoding};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::sqlite::{self, Row};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "google-database",
    app: "Google Authenticator's database",
    also: &["google-sqlite", "google-root"],
    reads: "the SQLite database of versions before 5.2",
    how: "\
With Google Authenticator at hand, use its QR codes (vmfa import --help google). From a rooted Android phone:
1. Copy /data/data/com.google.android.apps.authenticator2/databases/databases here, with databases-wal if it is there.
2. vmfa import databases
Since version 5.2 the secrets in it are sealed with a key that stays in the phone.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let google = sqlite::names(document, &["accounts", "email", "secret", "counter"]);
    (google && !sqlite::names(document, &["oath_secret_key"])).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    let bytes = sqlite::whole(document, &mut contents)?;
    let tables = sqlite::open(bytes, &["accounts"])?;
    let rows = tables.into_iter().flatten();
    let mut sealed = 0;
    for (index, row) in rows.enumerate() {
        let mut draft = account(&row, format!("row {}", index + 1));
        if row.word("isencrypted").is_some_and(|word| word != "0") {
            // Said of each as a secret that is missing.
            draft.secret = None;
            sealed += 1;
        }
        contents.rows.push(Ok(draft));
    }
    match sealed {
        0 => Ok(contents),
        sealed if sealed < contents.rows.len() => Ok(contents),
        _ => Err(ImportError::BoundTo {
            by: "the phone's key store",
            instead: "use the app's QR codes: \"Transfer accounts\", \"Export accounts\"",
        }),
    }
}

/// A row. The issuer may stand before the name, whether it has a column or not.
fn account(row: &Row, place: String) -> Draft {
    let email = row.word("email").unwrap_or_default();
    let issuer = row.word("issuer").unwrap_or_default();
    let (issuer, name) = match email.split_once(':') {
        Some((prefix, name)) if issuer.is_empty() || issuer == prefix => (prefix, name),
        Some(_) | None => (issuer.as_str(), email.as_str()),
    };
    let is_hotp = row.word("type").as_deref() == Some("1");
    Draft {
        issuer: Some(issuer.to_owned()),
        name: Some(name.to_owned()),
        note: row
            .word("original_name")
            .filter(|original| *original != email && original != name),
        secret: row.word("secret").map(SecretText::new),
        secret_encoding: SecretEncoding::Base32,
        counter: row.word("counter").filter(|_| is_hotp),
        kind: Some(if is_hotp { "hotp" } else { "totp" }.into()),
        ..draft(place)
    }
}
