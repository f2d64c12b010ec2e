//! FreeOTP+: tokens in JSON. FreeOTP 1 and the preferences of both have the same tokens in XML.

use std::collections::HashMap;

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::{Json, Loose};
use crate::import::prefs;
use crate::import::{Contents, ImportError};
use crate::secret::{Secret, SecretText};

pub(super) const FORMAT: Format = Format {
    id: "freeotpplus",
    app: "FreeOTP+",
    also: &["freeotp+", "freeotp-plus"],
    reads: "JSON (\"Export JSON Format\"), and tokens.xml of the app's preferences",
    how: "\
1. In FreeOTP+ open the menu, \"Export\", \"Export JSON Format\".
   (\"Export Key URI Format\" is read too, as a list of Key URIs, and loses names that you changed.)
2. Bring the file here, then:  vmfa import freeotp-backup.json
3. Erase the file: its secrets are in clear.",
    seen: Seen::Files,
    is,
    read,
};

/// What an app wrote where the label should have been filled in.
const UNFILLED: &str = "{token.label}";

fn is(document: &Document<'_>) -> Likeness {
    let json = document
        .json()
        .is_some_and(|json| json["tokens"].is_array() && json.get("tokenOrder").is_some());
    (json || is_preferences(document)).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return preferences(document);
    };
    let mut contents = Contents::default();
    for (index, token) in json.list("tokens").iter().enumerate() {
        let place = format!("token {}", index + 1);
        let order = json.list("tokenOrder").get(index).and_then(Value::as_str);
        let mut draft = account(token, order, place);
        draft.secret_bytes = token.bytes("secret").map(secret);
        contents.rows.push(Ok(draft));
    }
    Ok(contents)
}

/// Whether it is the preferences of FreeOTP 1 or of FreeOTP+: each token a text in JSON, under its label.
pub(super) fn is_preferences(document: &Document<'_>) -> bool {
    let Some(values) = prefs::values(document) else {
        return false;
    };
    let is_token = |text: &str| {
        text.trim_start().starts_with('{')
            && Json::parse(text.as_bytes()).is_ok_and(|token| {
                token.get("secret").is_some_and(Value::is_array) && token.get("type").is_some()
            })
    };
    values
        .iter()
        .any(|(name, value)| *name == "tokenOrder" || is_token(value))
}

/// Reads those.
pub(super) fn preferences(document: &Document<'_>) -> Result<Contents, ImportError> {
    let values = prefs::values(document)
        .ok_or_else(|| ImportError::damaged("it is neither JSON nor an app's preferences"))?;
    let order = values
        .iter()
        .find(|(name, _)| *name == "tokenOrder")
        .and_then(|(_, order)| Json::parse(order.as_bytes()).ok());
    let names = order.as_ref().and_then(|order| order.as_array());
    let places: HashMap<&str, usize> = names
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .enumerate()
        .rev()
        .filter_map(|(place, name)| Some((name.as_str()?, place)))
        .collect();
    let mut tokens: Vec<(&str, &str)> = values
        .iter()
        .filter(|(name, value)| *name != "tokenOrder" && value.trim_start().starts_with('{'))
        .copied()
        .collect();
    tokens.sort_by_key(|(name, _)| places.get(name).copied().unwrap_or(usize::MAX));
    let mut contents = Contents::default();
    for (index, (name, text)) in tokens.into_iter().enumerate() {
        let place = format!("token {}", index + 1);
        let Ok(token) = Json::parse(text.as_bytes()) else {
            // Without its text nothing but the name is known; the secret is missing, which is said of it.
            contents.rows.push(Ok(Draft {
                name: Some(name.to_owned()),
                ..draft(place)
            }));
            continue;
        };
        let mut draft = account(&token, Some(name), place);
        draft.secret_bytes = token.bytes("secret").map(secret);
        contents.rows.push(Ok(draft));
    }
    Ok(contents)
}

/// A token of FreeOTP, old or new, or of FreeOTP+, without its secret. `key` is `issuer:label` as another place has it.
pub(super) fn account(token: &Value, key: Option<&str>, place: String) -> Draft {
    let kind = token.word("type").unwrap_or_default().to_ascii_lowercase();
    let present = |word: &str| token.word(word).filter(|word| !word.trim().is_empty());
    let issuers = ["issuerAlt", "issuerExt", "issuerInt"].map(present);
    let issuer = issuers.iter().flatten().next().cloned();
    let other_issuer = issuers
        .into_iter()
        .flatten()
        .find(|other| Some(other) != issuer.as_ref());
    let mut label = present("label");
    if label.as_deref() == Some(UNFILLED) {
        let behind = |key: &str| match key.split_once(':') {
            Some((_, label)) => label.to_owned(),
            None => key.to_owned(),
        };
        label = key.map(behind);
    }
    // A name that the person gave is shown; the first one is kept beside it.
    let (name, note) = match present("labelAlt") {
        Some(name) if Some(&name) != label.as_ref() => (Some(name), label),
        Some(_) | None => (label, None),
    };
    let is_steam = matches!(kind.as_str(), "" | "totp")
        && issuer
            .as_deref()
            .is_some_and(|issuer| issuer.trim().eq_ignore_ascii_case("steam"));
    Draft {
        issuer,
        label_issuer: other_issuer,
        name,
        note,
        algorithm: token.word("algo"),
        digits: token.word("digits"),
        period: token.word("period").filter(|_| kind != "hotp"),
        // A token that was never used counts from -1 in some versions: its next counter is 0.
        counter: token
            .word("counter")
            .filter(|_| kind == "hotp")
            .map(|counter| {
                if counter.trim() == "-1" {
                    "0".into()
                } else {
                    counter
                }
            }),
        image: present("image").filter(|image| image.starts_with("http")),
        kind: Some(if is_steam { "steam".into() } else { kind }),
        ..draft(place)
    }
}

/// Bytes as a secret.
pub(super) fn secret(bytes: crate::cipher::Plain) -> Secret {
    Secret::new(bytes.to_vec())
}
