//! Steam: the maFile of Steam Desktop Authenticator and of steamguard-cli, sealed or not, and the files of Steam's own app.

use serde_json::Value;

use crate::account::{Draft, Field, Reason, Refusal, SecretEncoding, key_uri};
use crate::cipher::{Argon2id, Pbkdf2, Plain, cbc_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::json::{Json, Loose};
use crate::import::words::{from_base64, in_base64, piece};
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "steam",
    app: "Steam (Steam Desktop Authenticator, steamguard-cli)",
    also: &["sda", "steamguard", "steamguard-cli", "mafile"],
    reads: "maFile, manifest.json with the files it names, encrypted or not; Steamguard-* of a rooted phone",
    how: "\
Steam Desktop Authenticator: the directory maFiles beside the program is the export.
steamguard-cli: ~/.config/steamguard-cli/maFiles.
1. vmfa import maFiles/manifest.json
   It reads the files that the manifest names; if they are encrypted it asks for their passkey.
Steam's own app, from a rooted Android phone: copy the file Steamguard-… out of
/data/data/com.valvesoftware.android.steam.community/files, then:  vmfa import Steamguard-…
Keep those files: they also confirm trades, and have the revocation code.",
    seen: Seen::Files,
    is,
    read,
};

const MANIFEST: &str = "manifest.json";

/// What the sealing costs in either program; no file says it.
const SDA_ROUNDS: u64 = 50_000;
const ARGON: Argon2id = Argon2id {
    kib: 12 * 1024,
    passes: 3,
    lanes: 12,
};

/// More accounts than any manifest names; each costs a derivation.
const MAX_FILES: usize = 1000;

fn is(document: &Document<'_>) -> Likeness {
    let known = document
        .json()
        .is_some_and(|json| is_account(json) || accounts(json).is_some() || is_manifest(json));
    (known || named_by_manifest(document).is_some()).into()
}

fn is_account(json: &Value) -> bool {
    json.get("shared_secret").is_some()
}

/// What the app keeps for several accounts.
fn accounts(json: &Value) -> Option<Vec<&Value>> {
    let accounts = json.get("accounts")?.as_object()?;
    let accounts: Vec<&Value> = accounts.values().collect();
    accounts
        .iter()
        .any(|one| is_account(one))
        .then_some(accounts)
}

fn is_manifest(json: &Value) -> bool {
    let has = |entry: &Value, key| entry.get(key).is_some();
    json.list("entries").iter().any(|entry| {
        has(entry, "filename")
            && (has(entry, "encryption_iv")
                || has(entry, "encryption")
                || json.get("encrypted").is_some())
    })
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    if let Some(json) = document.json() {
        if is_manifest(json) {
            return manifest(document, json, passphrase);
        }
        match accounts(json) {
            Some(accounts) => {
                for (index, one) in accounts.into_iter().enumerate() {
                    let place = format!("account {}", index + 1);
                    contents.rows.push(Ok(account(one, place)));
                }
            }
            None => contents.rows.push(Ok(account(json, String::new()))),
        }
        return Ok(contents);
    }
    let entry =
        named_by_manifest(document).ok_or_else(|| ImportError::NeedsFile(MANIFEST.into()))?;
    let opened = open(document.bytes(), &entry, passphrase)?;
    contents.rows.push(Ok(account(&opened, String::new())));
    Ok(contents)
}

/// All files that a manifest names.
fn manifest(
    document: &Document<'_>,
    json: &Value,
    passphrase: Option<&SecretText>,
) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    let mut missing = Vec::new();
    let mut failed = None;
    for entry in json.list("entries").iter().take(MAX_FILES) {
        let name = entry.word("filename").unwrap_or_default();
        let Some(bytes) = document.beside().bytes(&name) else {
            missing.push(name);
            continue;
        };
        let opened = match is_sealed(entry) {
            true => open(&bytes, entry, passphrase),
            false => Json::parse(&bytes),
        };
        match opened {
            Ok(opened) => contents.rows.push(Ok(account(&opened, name.clone()))),
            Err(ImportError::NeedsPassphrase) => return Err(ImportError::NeedsPassphrase),
            Err(error) => {
                failed = failed.or(Some(error));
                contents.rows.push(Err(Refusal {
                    place: name.clone(),
                    ..Refusal::of(Field::Secret, Reason::Sealed)
                }));
            }
        }
        contents.read_along.push(name);
    }
    // One file that is broken stops no other; where none opens, it is the passphrase or all of them.
    if let Some(error) = failed.filter(|_| contents.rows.iter().all(Result::is_err)) {
        return Err(error);
    }
    if contents.rows.is_empty()
        && let Some(name) = missing.first()
    {
        return Err(ImportError::NeedsFile(name.clone()));
    }
    for name in missing {
        let what = format!("the manifest names {name}, which isn't beside it");
        contents.remarks.push(Remark::PartMissing(what));
    }
    Ok(contents)
}

fn is_sealed(entry: &Value) -> bool {
    entry.get("encryption").is_some_and(Value::is_object) || entry["encryption_iv"].is_string()
}

/// A manifest is a line for each account; it is looked at for each file beside it.
const MAX_MANIFEST: usize = 256 * 1024;

/// What the manifest beside a sealed file says of it. A maFile is named by a number; whoever keeps several directories in one
/// puts a word before it and before the manifest.
fn named_by_manifest(document: &Document<'_>) -> Option<Value> {
    let text = document.text()?;
    if document.begins_as_json() || !text.is_ascii() {
        return None;
    }
    let name = document.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let word = stem.trim_end_matches(|character: char| character.is_ascii_digit());
    let own = &name[word.len()..];
    let manifest = [MANIFEST.to_owned(), format!("{word}{MANIFEST}")]
        .iter()
        .find_map(|manifest| document.beside().bytes(manifest))
        .filter(|manifest| manifest.len() <= MAX_MANIFEST)?;
    let manifest = Json::parse(&manifest).ok()?;
    let entry = manifest.list("entries").iter().find(|entry| {
        let file = entry["filename"].as_str();
        is_sealed(entry) && (file == Some(name) || file == Some(own))
    });
    entry.cloned()
}

/// A sealed file. CBC authenticates nothing: that JSON comes out says that the key was right.
fn open(bytes: &[u8], entry: &Value, passphrase: Option<&SecretText>) -> Result<Json, ImportError> {
    let seal = Seal::of(entry)?;
    let sealed = std::str::from_utf8(bytes)
        .ok()
        .and_then(from_base64)
        .ok_or_else(|| ImportError::damaged("a sealed file is not base64"))?;
    let passphrase = needed(passphrase)?.expose().as_bytes();
    let key = match seal.kdf {
        Kdf::Sda => Pbkdf2::Sha1.derive(passphrase, &seal.salt, SDA_ROUNDS, 32)?,
        Kdf::Argon2id => ARGON.derive(passphrase, &seal.salt, 32)?,
    };
    let opened = cbc_open(&key, &seal.iv, &sealed).ok_or(ImportError::WrongPassphrase)?;
    Json::parse(&opened).map_err(|_| ImportError::WrongPassphrase)
}

/// How a file is sealed.
struct Seal {
    kdf: Kdf,
    iv: Plain,
    salt: Plain,
}

enum Kdf {
    Sda,
    Argon2id,
}

impl Seal {
    fn of(entry: &Value) -> Result<Self, ImportError> {
        let Some(encryption) = entry.get("encryption").filter(|seal| seal.is_object()) else {
            return Ok(Self {
                kdf: Kdf::Sda,
                iv: in_base64(entry, "encryption_iv")?,
                salt: in_base64(entry, "encryption_salt")?,
            });
        };
        let scheme = piece(encryption, "scheme")?.as_str().unwrap_or_default();
        Ok(Self {
            kdf: match scheme {
                "LegacySdaCompatible" => Kdf::Sda,
                "Argon2idAes256" => Kdf::Argon2id,
                _ => {
                    return Err(ImportError::Version {
                        what: "the encryption of this manifest".into(),
                    });
                }
            },
            iv: in_base64(encryption, "iv")?,
            salt: in_base64(encryption, "salt")?,
        })
    }
}

/// One account. Some files have its name only in the Key URI, whose secret is the same in base32.
fn account(json: &Value, place: String) -> Draft {
    let uri = json.word("uri").unwrap_or_default();
    let of_uri = key_uri::read(&uri).ok();
    let name = json
        .word("account_name")
        .filter(|name| !name.trim().is_empty())
        .or_else(|| of_uri.as_ref()?.name.clone());
    let shared = json
        .secret("shared_secret")
        .filter(|secret| !secret.expose().trim().is_empty());
    let (secret, secret_encoding) = match (shared, of_uri) {
        (Some(shared), _) => (Some(shared), SecretEncoding::Base64),
        (None, Some(uri)) => (uri.secret, SecretEncoding::AsUsual),
        (None, None) => (None, SecretEncoding::AsUsual),
    };
    Draft {
        kind: Some("steam".into()),
        issuer: Some("Steam".into()),
        name,
        secret,
        secret_encoding,
        ..draft(place)
    }
}
