//! Raivo OTP: a list in JSON, which comes in a ZIP archive sealed with the app's own password. All its values are texts.

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "raivo",
    app: "Raivo OTP",
    also: &["raivo-otp"],
    reads: "the exported ZIP, or the JSON in it",
    how: "\
1. In Raivo open \"Settings\", \"Export OTPs to ZIP archive\".
2. Bring the file here, then:  vmfa import raivo-otp-export.zip
   vmfa asks for the password: it is Raivo's master password.
Some versions have written archives with nothing in them: restart the app and export again.",
    seen: Seen::Description,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is_entry = |entry: &Value| entry.get("kind").is_some() && entry.get("timer").is_some();
    document
        .json()
        .and_then(Value::as_array)
        .is_some_and(|entries| entries.iter().any(is_entry))
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let entries = document.json().and_then(Value::as_array);
    let entries = entries.ok_or_else(|| ImportError::damaged("it is not a list in JSON"))?;
    let mut contents = Contents::default();
    for (index, entry) in entries.iter().enumerate() {
        let is_hotp = entry
            .word("kind")
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("hotp"));
        contents.rows.push(Ok(Draft {
            kind: entry.word("kind"),
            issuer: entry.word("issuer"),
            name: entry.word("account"),
            secret: entry.secret("secret"),
            algorithm: entry.word("algorithm"),
            digits: entry.word("digits"),
            period: entry.word("timer").filter(|_| !is_hotp),
            counter: entry.word("counter").filter(|_| is_hotp),
            favorite: entry.flag("pinned"),
            ..draft(format!("entry {}", index + 1))
        }));
    }
    Ok(contents)
}
