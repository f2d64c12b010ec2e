//! Authenticator.cc, the browser extension: a map of entries in JSON, in clear or sealed in the three ways that its versions
//! had. Its backup as text is a list of Key URIs like others (`uris`).

use std::collections::HashMap;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::account::{Draft, Field, Reason, Refusal, SecretEncoding};
use crate::cipher::{Argon2id, cryptojs_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, html, needed};
use crate::import::json::{Json, Loose};
use crate::import::words::{from_base64, to_base64};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "authenticator.cc",
    app: "Authenticator.cc (browser extension \"Authenticator\")",
    also: &["authenticator-cc", "authenticator-extension"],
    reads: "backups as text or JSON, plain or with a password, of all versions",
    how: "\
1. Open the extension, the gear, \"Backup\".
2. Choose \"Download Password-Protected Backup\", which is there once a password is set under \"Security\": vmfa asks for it.
   \"Download Backup File\" is read too.
3. vmfa import authenticator.json
The copies that it puts on Dropbox, Google Drive or OneDrive are the same kind of file.",
    seen: Seen::Description,
    is,
    read,
};

/// Fixed in the extension; the file doesn't say.
const ARGON2ID: Argon2id = Argon2id {
    kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};

/// More keys than anybody has; each costs a derivation.
const MAX_KEYS: usize = 16;

fn is(document: &Document<'_>) -> Likeness {
    match document.json() {
        Some(json) => json
            .as_object()
            .is_some_and(|entries| entries.values().any(is_entry))
            .into(),
        None => html::if_list_or_page(document),
    }
}

fn is_entry(value: &Value) -> bool {
    is_sealed_whole(value)
        || value["secret"].is_string()
            && (value.get("hash").is_some() || value["dataType"] == "OTPStorage")
}

/// Version 3 seals an entry as a whole, the ones before only its secret.
fn is_sealed_whole(value: &Value) -> bool {
    value["dataType"] == "EncOTPStorage" && value["data"].is_string()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return html::list_or_page(document);
    };
    let entries = json
        .as_object()
        .ok_or_else(|| ImportError::damaged("it is not a map"))?;
    let mut entries: Vec<&Value> = entries.values().filter(|value| is_entry(value)).collect();
    entries.sort_by_key(|entry| entry.number("index").unwrap_or(u64::MAX));
    let mut keys = Keys {
        json,
        passphrase,
        of_secrets: None,
        of_entries: HashMap::new(),
    };
    let (mut sealed, mut opened) = (0, 0);
    let mut contents = Contents::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("entry {}", index + 1);
        let is_sealed = is_sealed_whole(entry) || entry.flag("encrypted");
        sealed += usize::from(is_sealed);
        let row = keys.open(entry)?;
        opened += usize::from(is_sealed && row.is_some());
        contents.rows.push(match row {
            Some(Entry { secret, whole }) => Ok(match &whole {
                Some(whole) => account(whole, secret, place),
                None => account(entry, secret, place),
            }),
            None => {
                let label = account(entry, None, String::new()).label();
                let refusal = Refusal::of(Field::Secret, Reason::Sealed);
                Err(Refusal {
                    place,
                    label,
                    ..refusal
                })
            }
        });
    }
    // Nothing in an entry says whether what came out is right; of a wrong passphrase one in 256 comes out as something.
    if sealed > 0 && opened * 2 < sealed {
        return Err(ImportError::WrongPassphrase);
    }
    Ok(contents)
}

/// What was sealed of an entry.
struct Entry {
    /// Its secret's text.
    secret: Option<SecretText>,
    /// All of it, where all of it was sealed.
    whole: Option<Json>,
}

/// The passphrases that a passphrase leads to.
struct Keys<'a> {
    json: &'a Value,
    passphrase: Option<&'a SecretText>,
    /// Of the secrets of version 2.
    of_secrets: Option<SecretText>,
    /// Of the entries of version 3, by the key's id; none for a key that isn't there.
    of_entries: HashMap<String, Option<SecretText>>,
}

impl Keys<'_> {
    /// An entry as it is in clear; none if its key doesn't open it.
    fn open(&mut self, entry: &Value) -> Result<Option<Entry>, ImportError> {
        if is_sealed_whole(entry) {
            let Some(key) = self.of_entry(&entry.word("keyId").unwrap_or_default())? else {
                return Ok(None);
            };
            let whole = open(&entry.secret("data"), key)
                .and_then(|text| Json::parse(text.expose().as_bytes()).ok());
            return Ok(whole.map(|whole| Entry {
                secret: whole.secret("secret"),
                whole: Some(whole),
            }));
        }
        let secret = entry.secret("secret");
        if !entry.flag("encrypted") {
            return Ok(Some(Entry {
                secret,
                whole: None,
            }));
        }
        let opened = open(&secret, self.of_secret()?);
        Ok(opened.map(|secret| Entry {
            secret: Some(secret),
            whole: None,
        }))
    }

    /// Version 2 has a random passphrase for the secrets, sealed under the person's; version 1 has the person's for all.
    fn of_secret(&mut self) -> Result<&SecretText, ImportError> {
        let passphrase = needed(self.passphrase)?;
        let sealed = self.json["key"]
            .secret("enc")
            .or_else(|| self.json.secret("enc"));
        if sealed.is_none() {
            return Ok(passphrase);
        }
        if self.of_secrets.is_none() {
            self.of_secrets = open(&sealed, passphrase);
        }
        self.of_secrets.as_ref().ok_or(ImportError::WrongPassphrase)
    }

    /// Version 3 derives one for each key in the file. It is the hash in base64, as a text.
    fn of_entry(&mut self, id: &str) -> Result<Option<&SecretText>, ImportError> {
        let passphrase = needed(self.passphrase)?;
        if !self.of_entries.contains_key(id) && self.of_entries.len() < MAX_KEYS {
            let key = match self.json.get(id).and_then(|key| key.word("salt")) {
                Some(salt) if salt.len() >= 8 => {
                    // The salt is the text as it stands.
                    let hash =
                        ARGON2ID.derive(passphrase.expose().as_bytes(), salt.as_bytes(), 32)?;
                    Some(SecretText::new(to_base64(&hash)))
                }
                Some(_) | None => None,
            };
            self.of_entries.insert(id.to_owned(), key);
        }
        Ok(self.of_entries.get(id).and_then(Option::as_ref))
    }
}

fn open(sealed: &Option<SecretText>, passphrase: &SecretText) -> Option<SecretText> {
    let sealed = from_base64(sealed.as_ref()?.expose())?;
    let opened = cryptojs_open(passphrase.expose().as_bytes(), &sealed)?;
    SecretText::from_utf8(opened.to_vec())
}

fn account(entry: &Value, secret: Option<SecretText>, place: String) -> Draft {
    let mut kind = entry.word("type").unwrap_or_default().to_ascii_lowercase();
    let secret = secret.map(|secret| match prefixed(secret.expose()) {
        Some((prefix, rest)) => {
            kind = prefix.into();
            SecretText::new(rest.to_owned())
        }
        None => secret,
    });
    let is_hex = matches!(kind.as_str(), "hex" | "hhex")
        || secret
            .as_ref()
            .is_some_and(|secret| only_hex(secret.expose()));
    let (scheme, digits) = match kind.as_str() {
        "battle" => ("totp", Some("8".into())),
        "hex" => ("totp", entry.word("digits")),
        "hhex" => ("hotp", entry.word("digits")),
        other => (other, entry.word("digits")),
    };
    let is_hotp = scheme == "hotp";
    Draft {
        kind: Some(scheme.into()),
        // Behind the issuer stands where the extension fills the code in.
        issuer: entry
            .word("issuer")
            .map(|issuer| match issuer.split_once("::") {
                Some((issuer, _)) => issuer.to_owned(),
                None => issuer,
            }),
        name: entry.word("account"),
        secret,
        secret_encoding: match is_hex {
            true => SecretEncoding::Hex,
            false => SecretEncoding::Base32,
        },
        algorithm: entry.word("algorithm"),
        digits,
        period: entry.word("period").filter(|_| !is_hotp),
        counter: entry.word("counter").filter(|_| is_hotp),
        favorite: entry.flag("pinned"),
        ..draft(place)
    }
}

/// Old versions wrote the type before the secret.
fn prefixed(secret: &str) -> Option<(&'static str, &str)> {
    let prefixes = [("blz-", "battle"), ("bliz-", "battle"), ("stm-", "steam")];
    prefixes.into_iter().find_map(|(prefix, kind)| {
        let (start, rest) = secret.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some((kind, rest))
    })
}

/// The extension takes a secret that can't be base32 for hexadecimal, where it can be that.
fn only_hex(secret: &str) -> bool {
    let base32 = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7');
    let letters = Zeroizing::new(secret.trim().trim_end_matches('=').to_owned());
    !letters.is_empty()
        && letters.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !letters.bytes().all(base32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_only_be_hexadecimal_is() {
        for (secret, is) in [
            ("0123456789abcdef", true),
            ("abcdef", false),
            ("GEZDGNBV", false),
            ("234567", false),
            ("", false),
            ("é0", false),
        ] {
            assert_eq!(only_hex(secret), is, "{secret}");
        }
        assert_eq!(prefixed("BLZ-ab"), Some(("battle", "ab")));
        assert_eq!(prefixed("stm-"), Some(("steam", "")));
        assert_eq!(prefixed("é"), None);
    }
}
