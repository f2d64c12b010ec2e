//! GNOME's Authenticator: a list in JSON as andOTP's, without issuers.

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, html};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "gnome-authenticator",
    app: "Authenticator of GNOME",
    also: &["gnome"],
    reads: "backups in JSON, and lists of Key URIs",
    how: "\
1. In Authenticator open the menu, \"Backup/Restore\" (\"Preferences\", \"Backup/Restore\").
2. Choose \"FreeOTP+\" or \"andOTP\" or \"Aegis\": all are read, the encrypted ones with their password.
3. vmfa import backup.json",
    seen: Seen::Files,
    is,
    read,
};

/// Nothing tells such a list from an old one of andOTP: whoever is asked by name has it.
fn is(document: &Document<'_>) -> Likeness {
    let Some(json) = document.json() else {
        return html::if_list_or_page(document);
    };
    let is_entry = |entry: &Value| {
        let has = |key| entry.get(key).is_some();
        has("secret")
            && has("label")
            && has("type")
            && !has("issuer")
            && !has("algo")
            && !has("uri")
    };
    let entries = json.as_array().filter(|entries| !entries.is_empty());
    match entries.is_some_and(|entries| entries.iter().all(is_entry)) {
        true => Likeness::Perhaps,
        false => Likeness::No,
    }
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return html::list_or_page(document);
    };
    let mut contents = Contents::default();
    for (index, entry) in json.as_array().into_iter().flatten().enumerate() {
        let is_hotp = entry
            .word("type")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("hotp"));
        let label = entry.word("label").unwrap_or_default();
        let parts = label.split_once(" - ").or_else(|| label.split_once(':'));
        let (issuer, name) = match parts.filter(|(issuer, _)| !issuer.trim().is_empty()) {
            Some((issuer, name)) => (Some(issuer.to_owned()), name),
            None => (None, label.trim_start_matches(':')),
        };
        contents.rows.push(Ok(Draft {
            kind: entry.word("type"),
            issuer,
            name: Some(name.to_owned()),
            secret: entry.secret("secret"),
            algorithm: entry.word("algorithm"),
            digits: entry.word("digits"),
            period: entry.word("period").filter(|_| !is_hotp),
            counter: entry.word("counter").filter(|_| is_hotp),
            tags: entry
                .list("tags")
                .iter()
                .filter_map(|tag| tag.as_str().map(str::to_owned))
                .collect(),
            ..draft(format!("entry {}", index + 1))
        }));
    }
    Ok(contents)
}
