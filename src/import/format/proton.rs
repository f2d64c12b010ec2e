//! Proton Authenticator: an export in JSON, in clear or sealed under a password. It knows TOTP and Steam.

use serde_json::Value;

use crate::account::{Draft, Refusal, key_uri, present};
use crate::cipher::{Argon2id, Plain, gcm_open};
use crate::import::document::{Document, within};
use crate::import::format::{Format, Likeness, Seen, needed};
use crate::import::json::Loose;
use crate::import::login::titled;
use crate::import::words::in_base64;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "proton-authenticator",
    app: "Proton Authenticator",
    also: &["proton"],
    reads: "exports in JSON, plain or encrypted",
    how: "\
1. In Proton Authenticator open Settings, \"Export\".
2. Set a password if the app offers it: vmfa asks for it. Save the file.
3. Bring the file here, then:  vmfa import proton-authenticator.json",
    seen: Seen::Files,
    is,
    read,
};

const VERSION: u64 = 1;

/// Fixed in the app; the file doesn't say.
const ARGON2ID: Argon2id = Argon2id {
    kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};
const NONCE: usize = 12;
const AAD: &[u8] = b"proton.authenticator.export.v1";

fn is(document: &Document<'_>) -> Likeness {
    document
        .json()
        .is_some_and(|json| json.get("version").is_some() && (is_sealed(json) || is_plain(json)))
        .into()
}

fn is_sealed(json: &Value) -> bool {
    json["salt"].is_string() && json["content"].is_string()
}

fn is_plain(json: &Value) -> bool {
    let entries = json["entries"].as_array();
    entries.is_some_and(|entries| {
        entries.is_empty()
            || entries
                .iter()
                .any(|entry| entry["content"].get("uri").is_some())
    })
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    if !is_sealed(json) {
        return entries(json);
    }
    if let Some(version) = json.number("version").filter(|version| *version != VERSION) {
        return Err(ImportError::Version {
            what: format!("version {version} of Proton Authenticator's encrypted export"),
        });
    }
    let opened = open(json, needed(passphrase)?)?;
    within(&opened, |document| match document.json() {
        Some(json) => entries(json),
        None => Err(ImportError::damaged("what was sealed is not JSON")),
    })
}

fn open(json: &Value, passphrase: &SecretText) -> Result<Plain, ImportError> {
    let salt = in_base64(json, "salt")?;
    let content = in_base64(json, "content")?;
    let (nonce, sealed) = content
        .split_at_checked(NONCE)
        .filter(|_| salt.len() >= 8)
        .ok_or_else(|| ImportError::damaged("a text in it is too short"))?;
    let key = ARGON2ID.derive(passphrase.expose().as_bytes(), &salt, 32)?;
    gcm_open(&key, nonce, AAD, sealed).ok_or(ImportError::WrongPassphrase)
}

fn entries(json: &Value) -> Result<Contents, ImportError> {
    if !json["entries"].is_array() {
        return Err(ImportError::damaged("there are no entries"));
    }
    let mut contents = Contents::default();
    if let Some(version) = json.number("version").filter(|version| *version > VERSION) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {version} of Proton Authenticator's export"
        )));
    }
    for (index, entry) in json.list("entries").iter().enumerate() {
        let place = format!("entry {}", index + 1);
        match entry["content"].secret("uri") {
            Some(uri) => contents.rows.push(account(entry, uri.expose(), place)),
            None => contents.skip(Other::Thing),
        }
    }
    Ok(contents)
}

fn account(entry: &Value, uri: &str, place: String) -> Result<Draft, Refusal> {
    let title = entry["content"].word("name");
    let draft = match key_uri::read(uri) {
        Ok(draft) => draft,
        Err(refusal) => {
            let label = Draft {
                name: title,
                ..Draft::default()
            }
            .label();
            return Err(Refusal {
                place,
                label,
                ..refusal
            });
        }
    };
    // The app shows the name, which may have been changed since; the URI has the first.
    let label = draft.name.clone();
    let shown = title.filter(|title| {
        let title = title.trim_matches([':', ' ']);
        !title.is_empty() && Some(title) != label.as_deref()
    });
    let draft = Draft {
        name: shown.or(draft.name),
        place,
        ..draft
    };
    let note = entry.word("note");
    let note = titled(present(label.as_deref()), &draft, note);
    Ok(Draft { note, ..draft })
}
