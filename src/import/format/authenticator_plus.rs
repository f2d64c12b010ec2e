//! Authenticator Plus: its database, sealed by SQLCipher 3. Its other export, a list of Key URIs in an archive, is read as that.

use crate::account::{Draft, SecretEncoding};
use crate::cipher::{Digest, Pbkdf2, Plain, cbc_open_unpadded};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, is_like_sealed, needed};
use crate::import::sqlite::{self, Row};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "authenticator-plus",
    app: "Authenticator Plus",
    also: &["authenticatorplus"],
    reads: "the encrypted database (authplus.db); an archive of Accounts.txt is read too",
    how: "\
1. In Authenticator Plus open Settings, \"Backup and Restore\".
2. \"Backup to SD card\" writes authplus.db, sealed with the app's master password. \"Export as Text and HTML\" writes an archive
   with a password, where the app still does that: newer versions of Android stop it.
3. Bring the file here, then:  vmfa import authplus.db
   A database that isn't recognized:  vmfa import --from authenticator-plus FILE",
    seen: Seen::Description,
    is,
    read,
};

/// SQLCipher 3: pages of 1024 bytes, at the end of each 48 for an IV and a MAC; the salt stands where SQLite's magic would.
const PAGE: usize = 1024;
const RESERVE: usize = 48;
const IV: usize = 16;
const MAC: usize = 20;
const SALT: usize = 16;
const ROUNDS: u64 = 64_000;
/// The key of the MACs comes from the other one, with another salt.
const MAC_ROUNDS: u64 = 2;
const MAC_SALT_MASK: u8 = 0x3a;

fn is(document: &Document<'_>) -> Likeness {
    match is_like_sealed(document) && document.bytes().len().is_multiple_of(PAGE) {
        true => Likeness::Perhaps,
        false => Likeness::No,
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let passphrase = needed(passphrase)?;
    let bytes = open(document.bytes(), passphrase)?;
    let tables = sqlite::open(bytes, &["accounts"])?;
    let mut contents = Contents::default();
    for (index, row) in tables.into_iter().flatten().enumerate() {
        let place = format!("row {}", index + 1);
        contents.rows.push(Ok(account(&row, place)));
    }
    Ok(contents)
}

/// The database in clear. The first page's MAC says whether the passphrase is right, the others' whether it is whole.
fn open(sealed: &[u8], passphrase: &SecretText) -> Result<Plain, ImportError> {
    let salt = sealed
        .get(..SALT)
        .ok_or_else(|| ImportError::damaged("the database is cut off"))?;
    let key = Pbkdf2::Sha1.derive(passphrase.expose().as_bytes(), salt, ROUNDS, 32)?;
    let mac_salt: Vec<u8> = salt.iter().map(|byte| byte ^ MAC_SALT_MASK).collect();
    let mac_key = Pbkdf2::Sha1.derive(&key, &mac_salt, MAC_ROUNDS, 32)?;
    let mut database = Plain::new(Vec::with_capacity(sealed.len()));
    for (index, page) in sealed.chunks_exact(PAGE).enumerate() {
        let start = if index == 0 { SALT } else { 0 };
        let (text, reserve) = page[start..].split_at(PAGE - RESERVE - start);
        let number = (index as u32 + 1).to_le_bytes();
        let parts = [text, &reserve[..IV], &number];
        if !Digest::Sha1.authenticates(&mac_key, &parts, &reserve[IV..IV + MAC]) {
            return Err(match index {
                0 => ImportError::WrongPassphrase,
                _ => ImportError::damaged(format!("page {} of the database", index + 1)),
            });
        }
        let text = cbc_open_unpadded(&key, &reserve[..IV], text)
            .ok_or_else(|| ImportError::damaged("a page of the database"))?;
        if index == 0 {
            database.extend_from_slice(sqlite::MAGIC);
        }
        database.extend_from_slice(&text);
        database.extend_from_slice(reserve);
    }
    Ok(database)
}

fn account(row: &Row, place: String) -> Draft {
    /// Battle.net's, in hexadecimal and eight digits long.
    const BATTLE_NET: &str = "2";
    let kind = row.word("type").unwrap_or_default();
    let is_battle_net = kind == BATTLE_NET;
    let is_hotp = kind == "1";
    let issuer = row.word("issuer").filter(|issuer| !issuer.is_empty());
    let prefix = || {
        let original = row.word("original_name")?;
        let (issuer, _) = original.split_once(':')?;
        Some(issuer.to_owned())
    };
    Draft {
        issuer: match is_battle_net {
            true => Some("Battle.net".into()),
            false => issuer.or_else(prefix),
        },
        name: row.word("email"),
        secret: row.word("secret").map(SecretText::new),
        secret_encoding: match is_battle_net {
            true => SecretEncoding::Hex,
            false => SecretEncoding::Base32,
        },
        digits: is_battle_net.then(|| "8".into()),
        counter: row.word("counter").filter(|_| is_hotp),
        tags: row
            .word("category")
            .filter(|category| category != "All Accounts")
            .into_iter()
            .collect(),
        kind: Some(match kind.as_str() {
            "" | "0" | BATTLE_NET => "totp".into(),
            "1" => "hotp".into(),
            _ => kind,
        }),
        ..draft(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_length_panics_and_a_wrong_passphrase_is_called_one() {
        let passphrase = SecretText::new("x".into());
        for len in [0, 15, 16, PAGE] {
            let class = open(&vec![7; len], &passphrase).map(|plain| plain.len());
            let class = class.map_err(|error| error.class());
            match len {
                0 | 15 => assert_eq!(class, Err("bad_file")),
                16 => assert_eq!(class, Ok(0)),
                _ => assert_eq!(class, Err("wrong_password")),
            }
        }
    }
}
