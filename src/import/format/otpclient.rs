//! OTPClient: its database, sealed in one of three ways, and the same list in clear.

use serde_json::Value;

use crate::account::{Draft, SecretEncoding};
use crate::cipher::{Argon2id, Pbkdf2, Plain, gcm_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, is_like_sealed, needed};
use crate::import::json::{Json, Loose};
use crate::import::words::listed;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "otpclient",
    app: "OTPClient",
    also: &[],
    reads: "the database (.enc), versions 1 to 3, and the same list as JSON",
    how: "\
OTPClient's database is its own export: no step in the app is needed.
1. See in OTPClient's settings where the database lies; usually it is ~/NewDatabase.enc.
2. vmfa import ~/NewDatabase.enc
   It asks for the database's password. A database of before 2023 that isn't recognized:
   vmfa import --from otpclient FILE
OTPClient also exports the lists of Aegis, andOTP, FreeOTP+ and others, which are read as such.",
    seen: Seen::Description,
    is,
    read,
};

const MAGIC: &[u8] = b"OTPClient";
/// The bytes of the IV and of the salt. The IV of this GCM has 16 bytes where others have 12.
const IV: usize = 16;
const SALT: usize = 32;
const TAG: usize = 16;
/// The first version says nothing of its cost.
const V1_ROUNDS: u64 = 100_000;

fn is(document: &Document<'_>) -> Likeness {
    let bytes = document.bytes();
    let is_entry = |entry: &Value| {
        let has = |key| entry.get(key).is_some();
        has("secret") && has("label") && has("type") && has("algo")
    };
    let entries = document.json().and_then(Value::as_array);
    if bytes.starts_with(MAGIC) || entries.is_some_and(|entries| entries.iter().any(is_entry)) {
        return Likeness::Yes;
    }
    match is_like_sealed(document) && bytes.len() > IV + SALT + TAG {
        true => Likeness::Perhaps,
        false => Likeness::No,
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if let Some(json) = document.json() {
        return listed(json, account);
    }
    let sealed = Sealed::of(document.bytes())?;
    let passphrase = needed(passphrase)?.expose();
    let mut opened = sealed.open(passphrase.as_bytes())?;
    let characters = passphrase.chars().count();
    if opened.is_none() && characters < passphrase.len() {
        // Old builds took the number of characters for the number of bytes, and so used only the first bytes.
        opened = sealed.open(&passphrase.as_bytes()[..characters])?;
    }
    let opened = opened.ok_or(ImportError::WrongPassphrase)?;
    listed(&*Json::parse(&opened)?, account)
}

/// How a file is sealed.
struct Sealed<'a> {
    kdf: Kdf,
    salt: &'a [u8],
    iv: &'a [u8],
    /// All that stands before the ciphertext; it is authenticated too.
    head: &'a [u8],
    text: &'a [u8],
}

enum Kdf {
    Pbkdf2,
    Argon2id(Argon2id),
}

impl<'a> Sealed<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let short = || ImportError::damaged("the database is cut off in its head");
        if !bytes.starts_with(MAGIC) {
            let (head, text) = bytes.split_at_checked(IV + SALT).ok_or_else(short)?;
            let (iv, salt) = head.split_at(IV);
            return Ok(Self {
                kdf: Kdf::Pbkdf2,
                salt,
                iv,
                head,
                text,
            });
        }
        // Version 2 is a C structure: the number begins at the next multiple of four, the low byte first.
        let number = |at: usize, read: fn([u8; 4]) -> u32| {
            let four = bytes.get(at..at + 4)?;
            Some(u64::from(read(four.try_into().ok()?)))
        };
        let three = number(9, u32::from_be_bytes).ok_or_else(short)?;
        let two = number(12, u32::from_le_bytes).ok_or_else(short)?;
        let (start, len, read): (_, _, fn([u8; 4]) -> u32) = match (three, two) {
            (3, _) => (13, 73, u32::from_be_bytes),
            (_, 2) => (16, 76, u32::from_le_bytes),
            (other, _) => {
                return Err(ImportError::Version {
                    what: format!("version {other} of OTPClient's database"),
                });
            }
        };
        let (head, text) = bytes.split_at_checked(len).ok_or_else(short)?;
        let costs = start + IV + SALT;
        let cost = |index: usize| number(costs + index * 4, read).ok_or_else(short);
        Ok(Self {
            kdf: Kdf::Argon2id(Argon2id {
                passes: cost(0)?,
                kib: cost(1)?,
                lanes: cost(2)?,
            }),
            salt: &head[start + IV..costs],
            iv: &head[start..start + IV],
            head,
            text,
        })
    }

    /// None for a wrong passphrase.
    fn open(&self, passphrase: &[u8]) -> Result<Option<Plain>, ImportError> {
        let key = match self.kdf {
            Kdf::Pbkdf2 => Pbkdf2::Sha512.derive(passphrase, self.salt, V1_ROUNDS, 32)?,
            Kdf::Argon2id(argon) => argon.derive(passphrase, self.salt, 32)?,
        };
        Ok(gcm_open(&key, self.iv, self.head, self.text))
    }
}

/// Steam has no type of its own: it is what TOTP of the issuer Steam is.
fn account(entry: &Value, place: String) -> Draft {
    let kind = entry.word("type").unwrap_or_default().to_ascii_lowercase();
    let issuer = entry.word("issuer");
    let is_steam = matches!(kind.as_str(), "" | "totp")
        && issuer
            .as_deref()
            .is_some_and(|issuer| issuer.trim().eq_ignore_ascii_case("steam"));
    Draft {
        issuer,
        name: entry.word("label"),
        secret: entry.secret("secret"),
        secret_encoding: SecretEncoding::Base32,
        algorithm: entry.word("algo"),
        digits: entry.word("digits"),
        period: entry.word("period").filter(|_| kind != "hotp"),
        counter: entry.word("counter").filter(|_| kind == "hotp"),
        tags: entry.word("group").into_iter().collect(),
        kind: Some(if is_steam { "steam".into() } else { kind }),
        ..draft(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(version: u32, costs: [u32; 3]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend([7; IV + SALT]);
        costs
            .iter()
            .for_each(|cost| bytes.extend(cost.to_be_bytes()));
        bytes.extend([9; 40]);
        bytes
    }

    #[test]
    fn a_cost_without_bounds_an_unknown_version_and_a_cut_are_told_apart() {
        let open = |bytes: &[u8]| Sealed::of(bytes).and_then(|sealed| sealed.open(b"x"));
        let costly = open(&head(3, [u32::MAX, u32::MAX, 4]));
        assert_eq!(
            costly.err().map(|error| error.class()),
            Some("kdf_params_out_of_range")
        );
        let newer = open(&head(4, [1, 8, 1]));
        assert_eq!(newer.err().map(|error| error.class()), Some("bad_version"));
        let whole = head(3, [1, 8, 1]);
        for end in 0..whole.len() {
            let bytes = &whole[..end];
            if bytes.starts_with(MAGIC) && end < 73 {
                assert_eq!(
                    open(bytes).err().map(|e| e.class()),
                    Some("bad_file"),
                    "{end}"
                );
            }
        }
        assert!(matches!(open(&whole), Ok(None)));
    }
}
