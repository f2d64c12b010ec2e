//! andOTP: a JSON list, in clear or sealed by a passphrase, of which nothing in the sealed file tells.

use serde_json::Value;

use crate::account::{Draft, SecretEncoding};
use crate::cipher::{Digest, Pbkdf2, Plain, gcm_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, is_like_sealed, needed};
use crate::import::json::{Json, Loose};
use crate::import::words::listed;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "andotp",
    app: "andOTP",
    also: &[],
    reads: "JSON, plain or encrypted with a password (.json.aes), new and old; the same list of GNOME Authenticator",
    how: "\
1. In andOTP open the menu, \"Backups\".
2. Choose \"Backup (encrypted)\" and a password; \"Backup (plain-text)\" is read too.
   For \"Backup (OpenPGP)\":  gpg -d otp_accounts.json.gpg | vmfa import -
3. Bring the file here, then:  vmfa import otp_accounts.json.aes
   A file of \"andOTP\" that isn't recognized:  vmfa import --from andotp FILE",
    seen: Seen::Files,
    is,
    read,
};

/// The bytes of a nonce and of a tag.
const NONCE: usize = 12;
const TAG: usize = 16;
/// The bytes of the salt of the newer encryption, which follows the number of iterations.
const SALT: usize = 12;

fn is(document: &Document<'_>) -> Likeness {
    let is_entry = |entry: &Value| {
        let has = |key| entry.get(key).is_some();
        has("secret") && has("label") && !has("algo") && !has("uri") && !has("kind")
    };
    let entries = document.json().and_then(Value::as_array);
    if entries.is_some_and(|entries| entries.iter().any(is_entry)) {
        return Likeness::Yes;
    }
    match is_like_sealed(document) && document.bytes().len() > NONCE + TAG {
        true => Likeness::Perhaps,
        false => Likeness::No,
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if let Some(json) = document.json() {
        return listed(json, account);
    }
    let passphrase = needed(passphrase)?;
    let opened = open(document.bytes(), passphrase).ok_or(ImportError::WrongPassphrase)?;
    listed(&*Json::parse(&opened)?, account)
}

/// The newer encryption begins with a number of iterations, the older with a random nonce. A number that is dearer than any
/// is taken as such a nonce.
fn open(bytes: &[u8], passphrase: &SecretText) -> Option<Plain> {
    let passphrase = passphrase.expose().as_bytes();
    let newer = || {
        let (iterations, rest) = bytes.split_first_chunk::<4>()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let iterations = u64::from(u32::from_be_bytes(*iterations));
        let key = Pbkdf2::Sha1.derive(passphrase, salt, iterations, 32).ok()?;
        gcm_open(&key, nonce, b"", sealed)
    };
    let older = || {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        gcm_open(&Digest::Sha256.of(&[passphrase]), nonce, b"", sealed)
    };
    newer().or_else(older)
}

fn account(entry: &Value, place: String) -> Draft {
    let kind = entry.word("type").unwrap_or_default().to_ascii_lowercase();
    let label = entry.word("label").unwrap_or_default();
    let (issuer, name) = parted(entry.word("issuer"), &label);
    Draft {
        issuer,
        name: Some(name),
        secret: entry.secret("secret"),
        secret_encoding: match kind.as_str() {
            "motp" => SecretEncoding::Base32OfHex,
            _ => SecretEncoding::Base32,
        },
        algorithm: entry.word("algorithm"),
        digits: entry.word("digits"),
        period: entry.word("period").filter(|_| kind != "hotp"),
        counter: entry.word("counter").filter(|_| kind == "hotp"),
        pin: entry.secret("pin"),
        tags: entry
            .list("tags")
            .iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        kind: Some(kind),
        ..draft(place)
    }
}

/// Old versions knew no issuer and put it into the label, as `issuer - name` or `issuer:name`. The name may repeat it, or begin
/// with its colon.
fn parted(issuer: Option<String>, label: &str) -> (Option<String>, String) {
    let (issuer, label) = match issuer {
        Some(issuer) => (Some(issuer), label),
        None => label
            .split_once(" - ")
            .or_else(|| label.split_once(':'))
            .filter(|(issuer, _)| !issuer.trim().is_empty())
            .map_or((None, label), |(issuer, name)| (Some(issuer.into()), name)),
    };
    let named = issuer.as_deref().filter(|issuer| !issuer.is_empty());
    let repeated = named.and_then(|issuer| {
        let start = label.get(..issuer.len())?;
        let rest = label[issuer.len()..].strip_prefix(':')?;
        start.eq_ignore_ascii_case(issuer).then_some(rest)
    });
    let name = repeated
        .or_else(|| label.strip_prefix(':'))
        .unwrap_or(label);
    let name = name.to_owned();
    (issuer, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::within;
    use crate::import::sqlite;

    #[test]
    fn labels_of_every_version() {
        for (issuer, label, expected) in [
            (None, "GitHub - alice", (Some("GitHub"), "alice")),
            (None, "GitHub:alice:b", (Some("GitHub"), "alice:b")),
            (None, "GitHub - GitHub:alice", (Some("GitHub"), "alice")),
            (None, "alice", (None, "alice")),
            (None, ":alice", (None, "alice")),
            (None, "", (None, "")),
            (Some("GitHub"), "github:alice", (Some("GitHub"), "alice")),
            (Some("GitHub"), ":alice", (Some("GitHub"), "alice")),
            (Some("GitHub"), "a:b", (Some("GitHub"), "a:b")),
            (Some("GitHub"), "GitHubber", (Some("GitHub"), "GitHubber")),
            (Some(""), ":alice", (Some(""), "alice")),
            (Some("日"), "é:x", (Some("日"), "é:x")),
        ] {
            let (found, name) = parted(issuer.map(str::to_owned), label);
            assert_eq!((found.as_deref(), name.as_str()), expected, "{label}");
        }
    }

    #[test]
    fn what_is_marked_or_mostly_text_is_not_taken_for_sealed() {
        let like = |bytes: &[u8]| within(bytes, |document| Ok(is(document))).ok();
        let sealed: Vec<u8> = (0..4096u32)
            .map(|i| (i * i % 251) as u8 ^ i as u8)
            .collect();
        assert_eq!(like(&sealed), Some(Likeness::Perhaps));
        let marked = [sqlite::MAGIC, &sealed].concat();
        assert_eq!(like(&marked), Some(Likeness::No));
        let latin1 = [&b"a text of another time: caf"[..], &[0xe9; 3]].concat();
        assert_eq!(like(&latin1), Some(Likeness::No));
        assert_eq!(
            like(&[&[0xff; 40][..], &[0; 40]].concat()),
            Some(Likeness::No)
        );
    }

    #[test]
    fn no_length_and_no_cost_is_believed() {
        let passphrase = SecretText::new("x".into());
        for len in 0..80 {
            for byte in [0, 0xff] {
                assert!(open(&vec![byte; len], &passphrase).is_none());
            }
        }
    }
}
