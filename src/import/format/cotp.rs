//! cotp: its database, sealed under a password; what it exports in its own words; and a list of Key URIs wrapped in JSON, which
//! other programs write too.

use serde_json::Value;

use crate::account::{Draft, SecretEncoding};
use crate::cipher::{Argon2id, Plain, xchacha_open};
use crate::import::document::{Document, within};
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::json::Loose;
use crate::import::words::in_base64;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "cotp",
    app: "cotp",
    also: &[],
    reads: "the database (db.cotp), and exports in JSON of its own format and of otpauth URIs",
    how: "\
1. The database is ~/.cotp/db.cotp, or where COTP_DB_PATH says.
2. vmfa import ~/.cotp/db.cotp
   vmfa asks for cotp's password.
An export does as well:  cotp export --path exported.cotp  and  vmfa import exported.cotp",
    seen: Seen::Files,
    is,
    read,
};

/// The newest version of the sealed file and of what is in it.
const VERSION: u64 = 1;
const INNER_VERSION: u64 = 2;

/// Fixed in the program; the file doesn't say.
const ARGON2ID: Argon2id = Argon2id {
    kib: 32 * 1024,
    passes: 4,
    lanes: 4,
};

fn is(document: &Document<'_>) -> Likeness {
    document
        .json()
        .is_some_and(|json| is_sealed(json) || is_elements(json) || is_uris(json))
        .into()
}

fn is_sealed(json: &Value) -> bool {
    ["cipher", "nonce", "salt"]
        .iter()
        .all(|key| json[*key].is_string())
}

fn is_elements(json: &Value) -> bool {
    let elements = json["elements"].as_array();
    elements.is_some_and(|elements| {
        elements.is_empty() && json.get("version").is_some()
            || elements
                .iter()
                .any(|element| element.get("secret").is_some())
    })
}

fn is_uris(json: &Value) -> bool {
    uris(json)
        .iter()
        .filter_map(Value::as_str)
        .any(|item| item.contains("://"))
}

/// The URIs: in `items`, or the bare list that a script writes.
fn uris(json: &Value) -> &[Value] {
    json.as_array()
        .filter(|list| list.iter().any(Value::is_string))
        .map_or(json.list("items"), Vec::as_slice)
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    if !is_sealed(json) {
        return Ok(contents_of(json));
    }
    if let Some(version) = json.number("version").filter(|version| *version != VERSION) {
        return Err(ImportError::Version {
            what: format!("version {version} of cotp's database"),
        });
    }
    let opened = open(json, needed(passphrase)?)?;
    within(&opened, |document| match document.json() {
        Some(json) => Ok(contents_of(json)),
        None => Err(ImportError::damaged("what was sealed is not JSON")),
    })
}

fn open(json: &Value, passphrase: &SecretText) -> Result<Plain, ImportError> {
    let (salt, nonce) = (in_base64(json, "salt")?, in_base64(json, "nonce")?);
    let sealed = in_base64(json, "cipher")?;
    if salt.len() < 8 || nonce.len() != 24 || sealed.len() < 16 {
        return Err(ImportError::damaged("a text in it is too short"));
    }
    let key = ARGON2ID.derive(passphrase.expose().as_bytes(), &salt, 32)?;
    xchacha_open(&key, &nonce, b"", &sealed).ok_or(ImportError::WrongPassphrase)
}

fn contents_of(json: &Value) -> Contents {
    let mut contents = Contents::default();
    for (index, item) in uris(json).iter().enumerate() {
        match item.as_str() {
            Some(uri) => contents.texts.push((
                format!("item {}", index + 1),
                SecretText::new(uri.to_owned()),
            )),
            None => contents.skip(Other::Thing),
        }
    }
    // The first version was a bare list.
    let elements = json
        .as_array()
        .filter(|list| list.iter().any(Value::is_object))
        .map_or(json.list("elements"), Vec::as_slice);
    if let Some(version) = json
        .number("version")
        .filter(|version| *version > INNER_VERSION && !elements.is_empty())
    {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {version} of cotp's accounts"
        )));
    }
    for (index, element) in elements.iter().enumerate() {
        let place = format!("element {}", index + 1);
        contents.rows.push(Ok(account(element, place)));
    }
    contents
}

fn account(element: &Value, place: String) -> Draft {
    let kind = element
        .word("type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (is_hotp, is_motp) = (kind == "hotp", kind == "motp");
    Draft {
        issuer: element.word("issuer"),
        name: element.word("label"),
        secret: element.secret("secret"),
        secret_encoding: match is_motp {
            true => SecretEncoding::Hex,
            false => SecretEncoding::Base32,
        },
        algorithm: element.word("algorithm"),
        digits: element.word("digits"),
        period: element.word("period").filter(|_| !is_hotp),
        counter: element.word("counter").filter(|_| is_hotp),
        pin: element.secret("pin"),
        tags: element
            .list("tags")
            .iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        kind: Some(kind),
        ..draft(place)
    }
}
