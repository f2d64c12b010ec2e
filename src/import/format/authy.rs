//! Authy: the preferences of its Android app, and the answers of its server as people have recorded them.

use serde_json::Value;

use crate::account::{Draft, Field, Reason, Refusal, SecretEncoding};
use crate::cipher::{CipherError, Cost, Pbkdf2, cbc_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::json::{Json, Loose};
use crate::import::prefs;
use crate::import::words::{from_base64, from_hex};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "authy",
    app: "Authy",
    also: &["twilio"],
    reads: "the preferences (XML) of the Android app from a rooted phone; recorded answers of its server (JSON)",
    how: "\
Authy has no export, and its desktop app is gone. From a rooted Android phone:
1. Copy these here from /data/data/com.authy.authy/shared_prefs/
   com.authy.storage.tokens.authenticator.key.xml
   com.authy.storage.tokens.authy.key.xml
2. vmfa import com.authy.storage.tokens.authenticator.key.xml com.authy.storage.tokens.authy.key.xml
   It asks for Authy's backup password.
Without root: open each web site's security settings, turn two-factor authentication off and on again, and scan the code here.",
    seen: Seen::Files,
    is,
    read,
};

/// Accounts of other issuers, and those of Authy's own protocol.
const PREFERENCES: [&str; 2] = [
    "com.authy.storage.tokens.authenticator.key",
    "com.authy.storage.tokens.authy.key",
];
/// The same in the server's answers, sealed and opened by somebody's program.
const ANSWERS: [&str; 2] = ["authenticator_tokens", "decrypted_authenticator_tokens"];

/// How dear the key was for many years; newer answers say.
const ROUNDS: u64 = 1000;

fn is(document: &Document<'_>) -> Likeness {
    let preferences = PREFERENCES
        .iter()
        .any(|name| prefs::value(document, name).is_some());
    let answers = document
        .json()
        .is_some_and(|json| ANSWERS.iter().any(|name| json[*name].is_array()));
    (preferences || answers).into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let mut lists = Vec::new();
    for name in PREFERENCES {
        if let Some(list) = prefs::value(document, name) {
            lists.push(Json::parse(list.as_bytes())?);
        }
    }
    let mut tokens: Vec<&Value> = lists
        .iter()
        .filter_map(|list| list.as_array())
        .flatten()
        .collect();
    if let Some(json) = document.json() {
        tokens.extend(ANSWERS.iter().flat_map(|name| json.list(name)));
    }
    let mut contents = Contents::default();
    let (mut opened, mut shut) = (0, 0);
    let mut budget = MOST_ROUNDS;
    for (index, token) in tokens.into_iter().enumerate() {
        let mut draft = account(token, format!("token {}", index + 1));
        if draft.secret.is_none()
            && let Some(sealed) = first(token, &["encryptedSecret", "encrypted_seed"])
        {
            draft.secret = open(token, &sealed, needed(passphrase)?, &mut budget)?;
            match draft.secret {
                Some(_) => opened += 1,
                None => shut += 1,
            }
            if draft.secret.is_none() {
                contents.rows.push(Err(Refusal {
                    label: draft.label(),
                    place: draft.place,
                    field: Field::Secret,
                    reason: Reason::Sealed,
                }));
                continue;
            }
        }
        contents.rows.push(Ok(draft));
    }
    // One key for all: where it opens none it is the wrong one.
    match (opened, shut) {
        (0, 1..) => Err(ImportError::WrongPassphrase),
        _ => Ok(contents),
    }
}

/// The iterations of all tokens together: each has a salt of its own. A thousand of the app's own take a million.
const MOST_ROUNDS: u64 = 20_000_000;

/// The secret's text. Only the padding and that it is base32 say that the key was right.
fn open(
    token: &Value,
    sealed: &str,
    passphrase: &SecretText,
    budget: &mut u64,
) -> Result<Option<SecretText>, ImportError> {
    let Some(sealed) = from_base64(sealed) else {
        return Ok(None);
    };
    let rounds = token.number("key_derivation_iterations").unwrap_or(ROUNDS);
    *budget = budget.checked_sub(rounds).ok_or(CipherError::OutOfRange {
        cost: Cost::Iterations,
        asked: rounds,
        least: 1,
        most: *budget,
    })?;
    let salt = token.word("salt").unwrap_or_default();
    let key = Pbkdf2::Sha1.derive(passphrase.expose().as_bytes(), salt.as_bytes(), rounds, 32)?;
    let iv = token.word("unique_iv").and_then(|iv| from_hex(&iv));
    let opened = match &iv {
        Some(iv) => cbc_open(&key, iv, &sealed),
        None => cbc_open(&key, &[0; 16], &sealed),
    };
    let text = opened.and_then(|opened| SecretText::from_utf8(opened.to_vec()));
    Ok(text.filter(|text| {
        let is_base32 =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b' ' | b'-');
        text.expose().trim().bytes().all(is_base32)
    }))
}

/// The first of these that says something. The app and its server write the same words in two manners.
fn first(token: &Value, names: &[&str]) -> Option<String> {
    let mut words = names.iter().filter_map(|name| token.word(name));
    words.find(|word| !word.trim().is_empty())
}

fn account(token: &Value, place: String) -> Draft {
    let (issuer, name) = label(token);
    let original = first(token, &["originalName", "original_name"]);
    // Authy's own protocol: hexadecimal secrets and a new code every ten seconds.
    let native = first(token, &["secretSeed", "secret_seed"]);
    let is_native = native.is_some();
    let plain = || first(token, &["decryptedSecret", "decrypted_seed"]);
    Draft {
        issuer,
        note: original.filter(|original| !original.ends_with(&name)),
        name: Some(name),
        secret: native.or_else(plain).map(SecretText::new),
        secret_encoding: match is_native {
            true => SecretEncoding::Hex,
            false => SecretEncoding::Base32,
        },
        digits: token.word("digits").or(is_native.then(|| "7".into())),
        period: is_native.then(|| "10".into()),
        ..draft(place)
    }
}

/// Authy shows one name for both, and remembers what the code said when it was scanned.
fn label(token: &Value) -> (Option<String>, String) {
    let name = token.word("name").unwrap_or_default();
    if first(token, &["secretSeed", "secret_seed"]).is_some() {
        return (Some(name), String::new());
    }
    let scanned = || {
        let original = first(token, &["originalName", "original_name"])?;
        let (issuer, _) = original.split_once(':')?;
        Some(issuer.to_owned())
    };
    let shown = || {
        let (issuer, _) = name.split_once(" - ")?;
        Some(issuer.to_owned())
    };
    let kind = || {
        let kind = first(token, &["accountType", "account_type"])?;
        if kind == "authenticator" {
            return None;
        }
        let mut characters = kind.chars();
        let initial = characters.next()?.to_uppercase();
        Some(initial.chain(characters).collect())
    };
    let issuer = first(token, &["originalIssuer", "original_issuer", "issuer"])
        .or_else(scanned)
        .or_else(shown)
        .or_else(kind);
    let rest = issuer
        .as_deref()
        .filter(|issuer| !issuer.is_empty())
        .and_then(|issuer| name.strip_prefix(issuer))
        .map(|rest| rest.trim_start_matches([':', ' ', '-']).to_owned());
    (issuer, rest.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::within;
    use serde_json::json;

    #[test]
    fn a_protocol_of_its_own_and_issuers_out_of_names() {
        let text = json!({ "decrypted_authenticator_tokens": [
            { "name": "Twitch", "secret_seed": "00ff", "digits": 7 },
            { "name": "Shop - me", "decrypted_seed": "AA", "digits": "6" },
            { "name": "me", "accountType": "facebook", "decryptedSecret": "AA" },
        ]});
        let contents = within(text.to_string().as_bytes(), |document| read(document, None));
        let rows = contents.ok().unwrap().rows;
        let told: Vec<String> = rows
            .into_iter()
            .map(|row| {
                let draft = row.ok().unwrap();
                let word = |word: Option<String>| word.unwrap_or_default();
                format!(
                    "{}|{}|{}|{}",
                    word(draft.issuer),
                    word(draft.name),
                    word(draft.digits),
                    word(draft.period)
                )
            })
            .collect();
        assert_eq!(told, ["Twitch||7|10", "Shop|me|6|", "Facebook|me||"]);
    }

    #[test]
    fn a_wrong_password_a_bomb_and_no_password() {
        let of = |token: Value, passphrase: Option<&str>| {
            let text = json!({ "authenticator_tokens": [token] }).to_string();
            let passphrase = passphrase.map(|word| SecretText::new(word.into()));
            within(text.as_bytes(), |document| {
                read(document, passphrase.as_ref())
            })
            .err()
            .map(|error| error.class())
        };
        let sealed = json!({ "encrypted_seed": "94mk0erEKRYU7UKn4o6WAPWR/gQkyrNIxPWIZcXHeWc=", "salt": "z01fjH2vyzYks49nxaOTp8M39eMOjxT4" });
        assert_eq!(of(sealed.clone(), None), Some("need_password"));
        assert_eq!(of(sealed.clone(), Some("x")), Some("wrong_password"));
        assert_eq!(of(sealed.clone(), Some("testtest")), None);
        let mut bomb = sealed;
        bomb["key_derivation_iterations"] = 1_000_000_000_000u64.into();
        assert_eq!(of(bomb, Some("x")), Some("kdf_params_out_of_range"));
    }
}
