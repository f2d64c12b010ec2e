//! TOTP Authenticator (BinaryBoot): base64 of a sealed JSON, of which nothing tells whose it is; and the app's preferences.

use serde_json::Value;

use crate::account::{Draft, SecretEncoding};
use crate::cipher::{Digest, Plain, cbc_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::{Json, Loose};
use crate::import::prefs;
use crate::import::words::from_base64;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "totp-authenticator",
    app: "TOTP Authenticator (BinaryBoot)",
    also: &["totpauthenticator", "binaryboot"],
    reads: "the encrypted backup (.encrypt), and the app's preferences (XML) from a rooted phone",
    how: "\
1. In TOTP Authenticator open the menu, \"Backup\", \"Create backup\", and give a password or none.
2. Bring the file here, then:  vmfa import totp_authenticator.encrypt
   A file that isn't recognized:  vmfa import --from totp-authenticator FILE",
    seen: Seen::Files,
    is,
    read,
};

const PREFERENCES: &str = "STATIC_TOTP_CODES_LIST";

/// The password of those who gave none.
const DEFAULT_PASSWORD: &str = "TotpAuthenticator";

/// The bytes of a block.
const BLOCK: usize = 16;

fn is(document: &Document<'_>) -> Likeness {
    if prefs::value(document, PREFERENCES).is_some() {
        return Likeness::Yes;
    }
    let is_base64 = |text: &str| {
        text.trim().bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n')
        })
    };
    let is_sealed = document.text().is_some_and(|text| {
        is_base64(text) && from_base64(text).is_some_and(|bytes| bytes.len().is_multiple_of(BLOCK))
    });
    match is_sealed {
        true => Likeness::Perhaps,
        false => Likeness::No,
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if let Some(list) = prefs::value(document, PREFERENCES) {
        return entries(&*Json::parse(list.as_bytes())?);
    }
    let sealed = from_base64(document.text().unwrap_or_default())
        .ok_or_else(|| ImportError::damaged("it is not base64"))?;
    let given = passphrase.and_then(|passphrase| open(&sealed, passphrase.expose()));
    match given.or_else(|| open(&sealed, DEFAULT_PASSWORD)) {
        Some(list) => entries(&list),
        None if passphrase.is_some() => Err(ImportError::WrongPassphrase),
        None => Err(ImportError::NeedsPassphrase),
    }
}

/// The list. It stands as text where an object has the name of its one member.
fn open(sealed: &[u8], password: &str) -> Option<Json> {
    let key = Digest::Sha256.of(&[password.as_bytes()]);
    let opened: Plain = cbc_open(&key, &[0; BLOCK], sealed)?;
    let outer = Json::parse(&opened).ok()?;
    if outer.is_array() {
        return Some(outer);
    }
    let list = outer.as_object()?.keys().next()?;
    Json::parse(list.as_bytes())
        .ok()
        .filter(|list| list.is_array())
}

fn entries(list: &Value) -> Result<Contents, ImportError> {
    let list = list
        .as_array()
        .ok_or_else(|| ImportError::damaged("it holds no list"))?;
    let mut contents = Contents::default();
    for (index, entry) in list.iter().enumerate() {
        let place = format!("entry {}", index + 1);
        contents.rows.push(Ok(account(entry, place)));
    }
    Ok(contents)
}

fn account(entry: &Value, place: String) -> Draft {
    Draft {
        issuer: entry.word("issuer").filter(|issuer| issuer != "Unknown"),
        name: entry.word("name"),
        secret: entry.secret("key"),
        secret_encoding: match entry.number("base") {
            Some(16) => SecretEncoding::Hex,
            Some(64) => SecretEncoding::Base64,
            Some(_) | None => SecretEncoding::Base32,
        },
        digits: entry.word("digits"),
        period: entry.word("period"),
        favorite: entry.flag("isFavorite"),
        ..draft(place)
    }
}
