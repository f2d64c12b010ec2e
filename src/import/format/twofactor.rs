//! The add-on "Two-Factor Authenticator" of Firefox: names and keys in JSON.

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "firefox-two-factor",
    app: "the Firefox add-on Two-Factor Authenticator",
    also: &["two-factor-addon"],
    reads: "backups in JSON",
    how: "\
1. Open the add-on, its settings, \"Export\".
2. vmfa import otp_list.json
3. Erase the file: its secrets are in clear.",
    seen: Seen::Description,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is_entry = |entry: &Value| entry.get("key").is_some() || entry.get("secret").is_some();
    document
        .json()
        .is_some_and(|json| json.list("otp_list").iter().any(is_entry))
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    for (index, entry) in json.list("otp_list").iter().enumerate() {
        contents.rows.push(Ok(Draft {
            issuer: entry.word("issuer"),
            name: entry.word("name"),
            secret: entry.secret("key").or_else(|| entry.secret("secret")),
            ..draft(format!("entry {}", index + 1))
        }));
    }
    Ok(contents)
}
