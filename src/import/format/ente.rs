//! Ente Auth: an export sealed under a password, and the list in JSON. The plain text is a list of Key URIs like others
//! (`uris`), and the page one of codes to scan (`html`).

use serde_json::Value;

use crate::account::{Draft, Refusal};
use crate::cipher::{Argon2id, Plain, secretstream_open};
use crate::import::document::{Document, within};
use crate::import::format::{Format, Likeness, Seen, html, needed};
use crate::import::json::Loose;
use crate::import::words::{in_base64, piece};
use crate::import::{Contents, ImportError, Other, read_text};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "ente",
    app: "Ente Auth",
    also: &["ente-auth"],
    reads: "exports: encrypted, plain text, HTML, JSON",
    how: "\
1. In Ente Auth open Settings, \"Data\", \"Export codes\".
2. Choose \"Ente Encrypted export\" and set a password: vmfa asks for it. \"Plain text\" and \"HTML\" are read too.
3. Bring the file here, then:  vmfa import ente-auth-codes.txt
The trash is in the export; those accounts come in as trashed.",
    seen: Seen::Files,
    is,
    read,
};

const VERSION: u64 = 1;

fn is(document: &Document<'_>) -> Likeness {
    match document.json() {
        Some(json) => (is_sealed(json) || json.list("items").iter().any(is_item)).into(),
        None => html::if_list_or_page(document),
    }
}

fn is_sealed(json: &Value) -> bool {
    ["kdfParams", "encryptedData", "encryptionNonce"]
        .iter()
        .all(|key| json.get(key).is_some())
}

fn is_item(item: &Value) -> bool {
    item["rawData"].is_string()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return html::list_or_page(document);
    };
    if !is_sealed(json) {
        return Ok(items(json));
    }
    if let Some(version) = json.number("version").filter(|version| *version != VERSION) {
        return Err(ImportError::Version {
            what: format!("version {version} of Ente's encrypted export"),
        });
    }
    let opened = open(json, needed(passphrase)?)?;
    within(&opened, |document| match document.json() {
        Some(json) => Ok(items(json)),
        None => html::list_or_page(document),
    })
}

/// The one message of the stream. Memory is in bytes, where others say KiB.
fn open(json: &Value, passphrase: &SecretText) -> Result<Plain, ImportError> {
    let params = piece(json, "kdfParams")?;
    let cost = |name: &'static str| {
        params
            .number(name)
            .ok_or_else(|| ImportError::damaged(format!("kdfParams has no {name}")))
    };
    let argon2id = Argon2id {
        kib: cost("memLimit")? / 1024,
        passes: cost("opsLimit")?,
        lanes: 1,
    };
    let salt = in_base64(params, "salt")?;
    let header = in_base64(json, "encryptionNonce")?;
    let sealed = in_base64(json, "encryptedData")?;
    // What is asked for is refused first: it says more of a file than that a text in it is short.
    argon2id.check()?;
    if salt.len() < 8 || header.len() != 24 || sealed.len() <= 17 {
        return Err(ImportError::damaged("a text in it is too short"));
    }
    let key = argon2id.derive(passphrase.expose().as_bytes(), &salt, 32)?;
    secretstream_open(&key, &header, &sealed).ok_or(ImportError::WrongPassphrase)
}

fn items(json: &Value) -> Contents {
    let mut contents = Contents::default();
    for (index, item) in json.list("items").iter().enumerate() {
        let place = format!("item {}", index + 1);
        let Some(uri) = item.secret("rawData") else {
            contents.skip(Other::Thing);
            continue;
        };
        match read_text(uri.expose()) {
            // One part of a migration waits for the others.
            Ok(read) if read.part.is_some() => contents.texts.push((place, uri)),
            Ok(read) => contents
                .rows
                .extend(read.drafts.into_iter().map(|row| match row {
                    Ok(draft) => Ok(shown(draft, &item["display"], place.clone())),
                    Err(refusal) => Err(Refusal {
                        place: place.clone(),
                        ..refusal
                    }),
                })),
            Err(refusal) => contents.rows.push(Err(Refusal { place, ..refusal })),
        }
    }
    contents
}

/// What the list says beside the URI, which mostly says it too.
fn shown(mut draft: Draft, display: &Value, place: String) -> Draft {
    draft.favorite |= display.flag("pinned");
    draft.trashed |= display.flag("trashed");
    for tag in display.list("tags").iter().filter_map(Value::as_str) {
        if !draft.tags.iter().any(|known| known == tag) {
            draft.tags.push(tag.to_owned());
        }
    }
    draft.note = draft.note.or_else(|| display.word("note"));
    draft.place = place;
    draft
}
