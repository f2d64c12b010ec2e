//! OTP Auth for iOS (Roland Moers): an archive sealed under a key that all have, and inside it another under the password.

use crate::account::Draft;
use crate::cipher::{Digest, Pbkdf2, Plain, cbc_open, cbc_open_unpadded};
use crate::import::archiver::{self, Archive, Object};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::words::tag;
use crate::import::{Contents, ImportError};
use crate::secret::{Secret, SecretText};

pub(super) const FORMAT: Format = Format {
    id: "otp-auth",
    app: "OTP Auth (iOS, Roland Moers)",
    also: &["otpauth-ios", "otpauthdb"],
    reads: "the encrypted backup (.otpauthdb) and the encrypted file of one account (.otpauth)",
    how: "\
1. In OTP Auth on the iPhone open Settings, \"Backups\", choose a backup (or \"Create Backup\"), and share it to this computer.
   One account alone: open it, \"Share\", \"Encrypted File\".
2. vmfa import backup.otpauthdb
   It asks for the password that is set in OTP Auth's settings.",
    seen: Seen::Files,
    is,
    read,
};

/// What the keys are made of that every copy of the app has: for a backup and for one account.
const NAMES: [&str; 2] = ["Authenticator", "OTPAuth"];
/// The bytes of a block.
const BLOCK: usize = 16;

fn is(document: &Document<'_>) -> Likeness {
    outer_key(document.bytes()).is_some().into()
}

/// The key that opens the first block to what an archive begins with.
fn outer_key(bytes: &[u8]) -> Option<Plain> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
        return None;
    }
    let first = &bytes[..BLOCK];
    NAMES
        .iter()
        .map(|name| Digest::Sha256.of(&[name.as_bytes()]))
        .find(|key| {
            cbc_open_unpadded(key, &[0; BLOCK], first)
                .is_some_and(|first| first.starts_with(archiver::MAGIC))
        })
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let broken = || ImportError::damaged("the outer archive");
    let key = outer_key(document.bytes()).ok_or_else(broken)?;
    let outer = cbc_open(&key, &[0; BLOCK], document.bytes()).ok_or_else(broken)?;
    let outer = Archive::new(&outer)?;
    let inner = open(outer.root(), passphrase)?;
    let inner = Archive::new(&inner)?;
    let root = inner.root();
    let mut contents = Contents::default();
    let Some(folders) = root.get("Folders") else {
        contents.rows.push(Ok(account(root, None, String::new())));
        return Ok(contents);
    };
    let folders = folders.list();
    for folder in folders.iter().take(MOST_FOLDERS) {
        // Everybody has one: it says nothing.
        let tag = (folders.len() > 1)
            .then(|| folder.get("name")?.word().map(|name| tag(&name)))
            .flatten();
        let accounts = folder.get("accounts").map(|list| list.list());
        for one in accounts.unwrap_or_default() {
            // Lists may name one object many times.
            if contents.rows.len() == MOST_ACCOUNTS {
                return Err(ImportError::damaged(
                    "it names more accounts than anybody has",
                ));
            }
            let place = format!("account {}", contents.rows.len() + 1);
            contents.rows.push(Ok(account(one, tag.clone(), place)));
        }
    }
    Ok(contents)
}

/// More accounts than anybody has.
const MOST_ACCOUNTS: usize = 20_000;
/// More folders than anybody has.
const MOST_FOLDERS: usize = 1_000;

/// What the password seals: in older files with a digest of it, in newer ones as RNCryptor does.
fn open(root: Object<'_>, passphrase: Option<&SecretText>) -> Result<Plain, ImportError> {
    let sealed = root
        .get("WrappedData")
        .or_else(|| root.get("Data"))
        .and_then(|data| data.bytes())
        .ok_or_else(|| ImportError::damaged("nothing is sealed in it"))?;
    let password = needed(passphrase)?.expose().as_bytes();
    let text_or_bytes = |object: Object<'_>| match object.bytes() {
        Some(bytes) => Some(bytes),
        None => object.word().map(|word| Plain::new(word.into_bytes())),
    };
    let iv = root.get("IV").and_then(text_or_bytes);
    let salt = root.get("Salt").and_then(text_or_bytes);
    let (Some(iv), Some(salt)) = (iv, salt) else {
        return rncryptor(&sealed, password);
    };
    let key = Digest::Sha256.of(&[&salt, b"-", password]);
    let iv = Digest::Sha1.of(&[&iv]);
    // Nothing authenticates it: that an archive comes out says that the password was right.
    cbc_open(&key, &iv[..BLOCK], &sealed)
        .filter(|inner| inner.starts_with(archiver::MAGIC))
        .ok_or(ImportError::WrongPassphrase)
}

/// RNCryptor's format, version 3, and 2, which differs in how it took passwords that are not ASCII.
fn rncryptor(sealed: &[u8], password: &[u8]) -> Result<Plain, ImportError> {
    const HEAD: usize = 34;
    const MAC: usize = 32;
    const ROUNDS: u64 = 10_000;
    let short = || ImportError::damaged("what is sealed in it is cut off");
    match sealed {
        [2 | 3, 1, ..] | [2 | 3] => {}
        [version, ..] => {
            return Err(ImportError::Version {
                what: format!("version {version} of RNCryptor"),
            });
        }
        [] => return Err(short()),
    }
    let end = sealed
        .len()
        .checked_sub(MAC)
        .filter(|end| *end > HEAD)
        .ok_or_else(short)?;
    let (text, mac) = sealed.split_at(end);
    let derive = |salt: &[u8]| Pbkdf2::Sha1.derive(password, salt, ROUNDS, 32);
    if !Digest::Sha256.authenticates(&derive(&text[10..18])?, &[text], mac) {
        return Err(ImportError::WrongPassphrase);
    }
    let key = derive(&text[2..10])?;
    cbc_open(&key, &text[18..HEAD], &text[HEAD..])
        .ok_or_else(|| ImportError::damaged("what is sealed in it"))
}

fn account(one: Object<'_>, tag: Option<String>, place: String) -> Draft {
    let word = |key: &str| one.get(key)?.word();
    let kind = word("type").unwrap_or_default();
    let is_hotp = kind == "1";
    Draft {
        issuer: word("issuer"),
        name: word("label"),
        secret_bytes: one
            .get("secret")
            .and_then(|secret| secret.bytes())
            .map(|secret| Secret::new(secret.to_vec())),
        algorithm: word("algorithm").map(|number| match number.as_str() {
            "0" | "1" => "SHA1".into(),
            "2" => "SHA256".into(),
            "3" => "SHA512".into(),
            "4" => "MD5".into(),
            _ => number,
        }),
        digits: word("digits"),
        period: word("period").filter(|_| !is_hotp),
        counter: word("counter").filter(|_| is_hotp),
        tags: tag.into_iter().collect(),
        kind: Some(match kind.as_str() {
            "1" => "hotp".into(),
            "" | "2" => "totp".into(),
            _ => kind,
        }),
        ..draft(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rncryptor_tells_cut_off_from_wrong_and_from_unknown() {
        let class = |bytes: &[u8]| rncryptor(bytes, b"x").err().map(|error| error.class());
        let mut whole = vec![3, 1];
        whole.resize(98, 7);
        for end in 0..=66 {
            assert_eq!(class(&whole[..end]), Some("bad_file"), "{end}");
        }
        assert_eq!(class(&whole), Some("wrong_password"));
        whole[0] = 4;
        assert_eq!(class(&whole), Some("bad_version"));
    }
}
