//! What scripts write that get accounts out of Authy and the like: names with a secret or a Key URI, in JSON.

use serde_json::Value;

use crate::account::{Draft, Refusal, key_uri, present};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::login::titled;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "authy-script",
    app: "scripts that export Authy",
    also: &["named-secrets", "authy-json"],
    reads: "JSON: a list of names with secret or uri, or decrypted_authenticator_tokens",
    how: "\
Authy has no export. The usual way is to set the accounts up again at the site that each is of, by a new QR code.
Whoever has what a script got out of it (decrypted_tokens.json, or a list with name and secret):
1. vmfa import decrypted_tokens.json
2. Erase the file: its secrets are in clear.
A list of Key URIs, which other scripts write, is read too.",
    seen: Seen::Description,
    is,
    read,
};

/// Where a proxy's script puts what it has opened.
const OPENED: &str = "decrypted_authenticator_tokens";

/// Words for a secret.
const SECRETS: [&str; 4] = ["secret", "decrypted_seed", "decryptedSeed", "seed"];

fn is(document: &Document<'_>) -> Likeness {
    let is_named = |entry: &Value| entry.get("name").is_some() && entry.get("kind").is_none();
    let is_entry = |entry: &Value| {
        let begins = |uri: &Value| {
            let uri = uri.as_str().unwrap_or_default().trim_start();
            uri.get(..8)
                .is_some_and(|start| start.eq_ignore_ascii_case("otpauth:"))
        };
        begins(&entry["uri"]) || SECRETS.iter().any(|key| entry[*key].is_string())
    };
    let Some(entries) = document.json().map(entries) else {
        return Likeness::No;
    };
    (entries.iter().all(is_named) && entries.iter().any(is_entry)).into()
}

fn entries(json: &Value) -> &[Value] {
    match json.as_array() {
        Some(entries) => entries,
        None => json.list(OPENED),
    }
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    for (index, entry) in entries(json).iter().enumerate() {
        let place = format!("entry {}", index + 1);
        let uri = entry
            .secret("uri")
            .filter(|uri| !uri.expose().trim().is_empty());
        contents.rows.push(match uri {
            Some(uri) => of_uri(entry, uri.expose(), place),
            None => Ok(of_words(entry, place)),
        });
    }
    Ok(contents)
}

fn of_uri(entry: &Value, uri: &str, place: String) -> Result<Draft, Refusal> {
    let title = entry.word("name");
    let draft = match key_uri::read(uri) {
        Ok(draft) => draft,
        Err(refusal) => return Err(Refusal { place, ..refusal }),
    };
    let has_name = present(draft.name.as_deref()).is_some();
    let draft = Draft {
        name: draft.name.filter(|_| has_name).or_else(|| title.clone()),
        place,
        ..draft
    };
    let note = draft.note.clone();
    Ok(Draft {
        note: titled(title.as_deref(), &draft, note),
        ..draft
    })
}

/// The name may have the issuer before it.
fn of_words(entry: &Value, place: String) -> Draft {
    let name = entry.word("name").unwrap_or_default();
    let issuer = entry
        .word("issuer")
        .filter(|issuer| !issuer.trim().is_empty());
    let rest = issuer.as_deref().and_then(|issuer| {
        let rest = name.strip_prefix(issuer)?.trim_start();
        rest.strip_prefix([':', '-']).map(str::trim)
    });
    Draft {
        kind: entry.word("type").or_else(|| entry.word("otp_type")),
        name: Some(rest.unwrap_or(&name).to_owned()),
        issuer,
        secret: SECRETS.iter().find_map(|key| entry.secret(key)),
        algorithm: entry.word("algorithm"),
        digits: entry.word("digits"),
        period: entry.word("period"),
        counter: entry.word("counter"),
        ..draft(place)
    }
}
