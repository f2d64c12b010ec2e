//! Stratum, which was Authenticator Pro: a backup in JSON, in clear or sealed in two ways. Its page and its list of Key URIs
//! are like others (`html`, `uris`).

use std::collections::HashMap;

use serde_json::Value;

use crate::account::{Draft, MAX_TAGS, SecretEncoding};
use crate::cipher::{Argon2id, Pbkdf2, Plain, cbc_open, gcm_open};
use crate::import::document::{Document, within};
use crate::import::format::{Format, Likeness, Seen, draft, html, needed};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "stratum",
    app: "Stratum (Authenticator Pro)",
    also: &["authenticator-pro", "authpro"],
    reads: "backups (.authpro, .stratum, JSON) plain or encrypted, HTML, URI lists",
    how: "\
1. In Stratum open the menu, \"Settings\", \"Backup\" (in older versions \"Backup\" in the menu itself).
2. Choose \"Backup to file\" and a password: vmfa asks for it. \"HTML\" and \"Plain text\" are read too.
3. Bring the file here, then:  vmfa import backup.authpro
Automatic backups are the same kind of file.",
    seen: Seen::Files,
    is,
    read,
};

/// What a file sealed by present versions begins with, and one of earlier versions.
const STRONG: &[u8] = b"AUTHENTICATORPRO";
const LEGACY: &[u8] = b"AuthenticatorPro";

/// Fixed in the app; the file doesn't say.
const ARGON2ID: Argon2id = Argon2id {
    kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};
const ROUNDS: u64 = 64_000;

fn is(document: &Document<'_>) -> Likeness {
    let bytes = document.bytes();
    if bytes.starts_with(STRONG) || bytes.starts_with(LEGACY) {
        return Likeness::Yes;
    }
    match document.json() {
        Some(json) => json["Authenticators"].is_array().into(),
        None => html::if_list_or_page(document),
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let bytes = document.bytes();
    let opened = if let Some(sealed) = bytes.strip_prefix(STRONG) {
        strong(sealed, needed(passphrase)?)?
    } else if let Some(sealed) = bytes.strip_prefix(LEGACY) {
        legacy(sealed, needed(passphrase)?)?
    } else {
        return match document.json() {
            Some(json) => Ok(backup(json)),
            None => html::list_or_page(document),
        };
    };
    within(&opened, |document| match document.json() {
        Some(json) if json["Authenticators"].is_array() => Ok(backup(json)),
        Some(_) => Err(ImportError::damaged("there are no Authenticators in it")),
        // What CBC opens with a wrong key is no JSON.
        None => Err(ImportError::WrongPassphrase),
    })
}

fn too_short() -> ImportError {
    ImportError::damaged("it ends before what was sealed")
}

fn strong(bytes: &[u8], passphrase: &SecretText) -> Result<Plain, ImportError> {
    let (salt, rest) = bytes.split_at_checked(16).ok_or_else(too_short)?;
    let (nonce, sealed) = rest.split_at_checked(12).ok_or_else(too_short)?;
    if sealed.len() <= 16 {
        return Err(too_short());
    }
    let key = ARGON2ID.derive(passphrase.expose().as_bytes(), salt, 32)?;
    gcm_open(&key, nonce, b"", sealed).ok_or(ImportError::WrongPassphrase)
}

fn legacy(bytes: &[u8], passphrase: &SecretText) -> Result<Plain, ImportError> {
    let (salt, rest) = bytes.split_at_checked(20).ok_or_else(too_short)?;
    let (iv, sealed) = rest.split_at_checked(16).ok_or_else(too_short)?;
    if sealed.is_empty() || !sealed.len().is_multiple_of(16) {
        return Err(too_short());
    }
    let key = Pbkdf2::Sha1.derive(passphrase.expose().as_bytes(), salt, ROUNDS, 32)?;
    cbc_open(&key, iv, sealed)
        .filter(|opened| std::str::from_utf8(opened).is_ok())
        .ok_or(ImportError::WrongPassphrase)
}

fn backup(json: &Value) -> Contents {
    let mut contents = Contents::default();
    let categories = categories(json);
    for (index, entry) in json.list("Authenticators").iter().enumerate() {
        let place = format!("authenticator {}", index + 1);
        contents.rows.push(Ok(account(entry, &categories, place)));
    }
    contents
}

fn account(entry: &Value, categories: &Categories<'_>, place: String) -> Draft {
    let kind = match entry.word("Type").unwrap_or_default().as_str() {
        "1" => "hotp".into(),
        "2" => "totp".into(),
        "3" => "motp".into(),
        "4" => "steam".into(),
        "5" => "yandex".into(),
        other => format!("no. {other}"),
    };
    let algorithm = match entry.word("Algorithm").unwrap_or_default().as_str() {
        "" | "0" => "SHA1".into(),
        "1" => "SHA256".into(),
        "2" => "SHA512".into(),
        other => format!("no. {other}"),
    };
    let is_hotp = kind == "hotp";
    Draft {
        issuer: entry.word("Issuer"),
        name: entry.word("Username"),
        secret: entry.secret("Secret"),
        // mOTP's is text of its own, in hexadecimal.
        secret_encoding: match kind.as_str() {
            "motp" => SecretEncoding::AsUsual,
            _ => SecretEncoding::Base32,
        },
        algorithm: Some(algorithm),
        digits: entry.word("Digits"),
        // Each kind has a number for what it has no use for.
        period: entry.word("Period").filter(|_| !is_hotp),
        counter: entry.word("Counter").filter(|_| is_hotp),
        pin: entry.secret("Pin"),
        tags: entry["Secret"]
            .as_str()
            .and_then(|secret| categories.get(secret))
            .cloned()
            .unwrap_or_default(),
        kind: Some(kind),
        ..draft(place)
    }
}

/// The names of each account's categories. An account is known by its secret there.
type Categories<'a> = HashMap<&'a str, Vec<String>>;

fn categories(backup: &Value) -> Categories<'_> {
    let named = backup.list("Categories").iter();
    let names: HashMap<&str, String> = named
        .filter_map(|category| Some((category["Id"].as_str()?, category.tag("Name")?)))
        .collect();
    let mut categories = Categories::new();
    for link in backup.list("AuthenticatorCategories") {
        let name = link["CategoryId"].as_str().and_then(|id| names.get(id));
        if let (Some(secret), Some(name)) = (link["AuthenticatorSecret"].as_str(), name) {
            let names = categories.entry(secret).or_default();
            if names.len() <= MAX_TAGS && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    categories
}
