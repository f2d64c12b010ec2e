//! FreeOTP 2: a Java map of JSON texts, each secret sealed by itself under a master key. And FreeOTP 1's preferences.

use std::collections::HashMap;

use serde_json::Value;

use crate::account::{Draft, Field, Reason, Refusal, Warning};
use crate::cipher::{Pbkdf2, Plain, gcm_open};
use crate::import::document::Document;
use crate::import::format::freeotpplus::{account, is_preferences, preferences, secret};
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::java;
use crate::import::json::{Json, Loose};
use crate::import::words::piece;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "freeotp",
    app: "FreeOTP",
    also: &["freeotp2", "freeotp1"],
    reads: "externalBackup.xml of FreeOTP 2 (no XML in spite of its name), tokens.xml of FreeOTP 1",
    how: "\
1. In FreeOTP for Android open the menu, \"Backup\", and choose where externalBackup.xml goes.
   It is sealed with the password that FreeOTP asked for when the first token was added.
2. Bring the file here, then:  vmfa import externalBackup.xml
FreeOTP 1 has no export; from a rooted phone take
/data/data/org.fedorahosted.freeotp/shared_prefs/tokens.xml. FreeOTP for iOS has none either: add each account again.",
    seen: Seen::Files,
    is,
    read,
};

const MASTER: &str = "masterKey";
const TOKEN: &str = "-token";

fn is(document: &Document<'_>) -> Likeness {
    (document.bytes().starts_with(&java::MAGIC) || is_preferences(document)).into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if !document.bytes().starts_with(&java::MAGIC) {
        return preferences(document);
    }
    let map = java::map(document.bytes())?;
    let texts: Vec<(&str, &str)> = map
        .iter()
        .filter_map(|(key, value)| Some((key.as_ref()?.as_str(), value.as_ref()?.as_str())))
        .collect();
    let by_name: HashMap<&str, &str> = texts.iter().rev().copied().collect();
    let text_of = |name: &str| by_name.get(name).copied();
    let master = text_of(MASTER).ok_or_else(|| ImportError::damaged("it has no master key"))?;
    let master = master_key(&*Json::parse(master.as_bytes())?, passphrase)?;
    let mut contents = Contents::default();
    for (name, text) in &texts {
        if *name == MASTER {
            continue;
        }
        let place = format!("token {}", contents.rows.len() + 1);
        let row = match name.strip_suffix(TOKEN) {
            // What a token says, and no key to it: told as an account without a secret.
            Some(id) if text_of(id).is_none() => Ok(token(Some(text), place).unwrap_or_else(draft)),
            Some(_) => continue,
            None => sealed(text, text_of(&format!("{name}{TOKEN}")), &master, place),
        };
        contents.rows.push(row);
    }
    Ok(contents)
}

/// The key under which each token's is sealed.
fn master_key(master: &Value, passphrase: Option<&SecretText>) -> Result<Plain, ImportError> {
    let algorithm = master.word("mAlgorithm").unwrap_or_default();
    let kdf = match algorithm.to_ascii_lowercase().as_str() {
        "pbkdf2withhmacsha1" => Pbkdf2::Sha1,
        "pbkdf2withhmacsha256" => Pbkdf2::Sha256,
        "pbkdf2withhmacsha512" => Pbkdf2::Sha512,
        _ => {
            return Err(ImportError::Version {
                what: "the key derivation of this FreeOTP".into(),
            });
        }
    };
    let key = Key::of(piece(master, "mEncryptedKey")?)?;
    let salt = master
        .bytes("mSalt")
        .ok_or_else(|| ImportError::damaged("mSalt is missing"))?;
    let rounds = master
        .number("mIterations")
        .ok_or_else(|| ImportError::damaged("mIterations is missing"))?;
    let passphrase = needed(passphrase)?.expose().as_bytes();
    let outer = kdf.derive(passphrase, &salt, rounds, 32)?;
    key.open(&outer).ok_or(ImportError::WrongPassphrase)
}

/// One token with its key. A version of the app wrote damaged ones: those are told, and the others come in.
fn sealed(
    text: &str,
    token_text: Option<&str>,
    master: &[u8],
    place: String,
) -> Result<Draft, Refusal> {
    let key = Json::parse(text.as_bytes())
        .and_then(|outer| Json::parse(outer.word("key").unwrap_or_default().as_bytes()))
        .and_then(|key| Key::of(&key));
    let opened = key
        .ok()
        .and_then(|key| Some((key.open(master)?, key.algorithm())));
    let mut draft = match token(token_text, place) {
        Ok(draft) => draft,
        Err(place) => Draft {
            // The key is there and nothing says of what: its algorithm is known, the rest is the usual.
            warnings: vec![
                Warning::LeftOut(Field::Label),
                Warning::LeftOut(Field::Digits),
            ],
            ..draft(place)
        },
    };
    let Some((opened, algorithm)) = opened else {
        return Err(Refusal {
            label: draft.label(),
            place: draft.place,
            field: Field::Secret,
            reason: Reason::Sealed,
        });
    };
    draft.algorithm = draft.algorithm.or(algorithm);
    draft.secret_bytes = Some(secret(opened));
    Ok(draft)
}

/// What a token says, or its place back if it says nothing.
fn token(text: Option<&str>, place: String) -> Result<Draft, String> {
    match text.map(|text| Json::parse(text.as_bytes())) {
        Some(Ok(token)) if token.is_object() => Ok(account(&token, None, place)),
        Some(_) | None => Err(place),
    }
}

/// A key sealed with AES-GCM.
struct Key {
    nonce: Plain,
    /// Which key it is, authenticated along with it: `AES` for the master key, `HmacSHA1` and the like for a token's.
    name: String,
    sealed: Plain,
}

impl Key {
    fn of(key: &Value) -> Result<Self, ImportError> {
        let cipher = key.word("mCipher").unwrap_or_default();
        if !cipher.eq_ignore_ascii_case("AES/GCM/NoPadding") {
            return Err(ImportError::Version {
                what: "the cipher of this FreeOTP".into(),
            });
        }
        let bytes = |name: &str| {
            key.bytes(name)
                .ok_or_else(|| ImportError::damaged(format!("{name} is missing")))
        };
        Ok(Self {
            nonce: nonce(&bytes("mParameters")?)
                .ok_or_else(|| ImportError::damaged("mParameters has no nonce"))?,
            name: key.word("mToken").unwrap_or_default(),
            sealed: bytes("mCipherText")?,
        })
    }

    fn open(&self, key: &[u8]) -> Option<Plain> {
        gcm_open(key, &self.nonce, self.name.as_bytes(), &self.sealed)
    }

    /// The algorithm of a token's key, where the token leaves it out.
    fn algorithm(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase();
        name.starts_with("hmac").then_some(name)
    }
}

/// The nonce in the DER of Java's GCM parameters (RFC 5084): an octet string, in newer Android followed by the length of the
/// tag, both in a sequence.
fn nonce(der: &[u8]) -> Option<Plain> {
    let string = match der {
        [0x30, len, inner @ ..] if usize::from(*len) <= inner.len() => inner,
        other => other,
    };
    match string {
        [0x04, len, rest @ ..] => Some(Plain::new(rest.get(..usize::from(*len))?.to_vec())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_of_either_der_and_of_no_damaged_one() {
        let bare: Vec<u8> = [&[4, 12][..], &[7; 12]].concat();
        let both: Vec<u8> = [&[0x30, 17, 4, 12][..], &[7; 12], &[2, 1, 16]].concat();
        assert_eq!(nonce(&bare).unwrap().as_slice(), [7; 12]);
        assert_eq!(nonce(&both).unwrap().as_slice(), [7; 12]);
        for end in 0..bare.len() {
            assert!(nonce(&bare[..end]).is_none(), "{end}");
        }
        for end in 0..both.len() - 3 {
            assert!(nonce(&both[..end]).is_none(), "{end}");
        }
        assert!(nonce(&[0x30, 0xff, 4, 0xff]).is_none());
    }

    #[test]
    fn a_bomb_and_an_unknown_cipher_are_no_wrong_passphrase() {
        let key = serde_json::json!({ "mCipher": "AES/GCM/NoPadding", "mCipherText": [1], "mParameters": [4, 0], "mToken": "AES" });
        let master = |algorithm: &str, rounds: u64, key: &Value| {
            let master = serde_json::json!({ "mAlgorithm": algorithm, "mIterations": rounds, "mSalt": [1, -2], "mEncryptedKey": key });
            let passphrase = SecretText::new("x".into());
            master_key(&master, Some(&passphrase))
                .err()
                .map(|error| error.class())
        };
        let sha1 = "PBKDF2withHmacSHA1";
        assert_eq!(master(sha1, 1 << 40, &key), Some("kdf_params_out_of_range"));
        assert_eq!(master("scrypt", 1, &key), Some("bad_version"));
        assert_eq!(master(sha1, 1, &key), Some("wrong_password"));
        let mut other = key.clone();
        other["mCipher"] = "AES/CBC".into();
        assert_eq!(master(sha1, 1, &other), Some("bad_version"));
    }
}
