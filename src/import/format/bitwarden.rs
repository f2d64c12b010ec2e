//! Bitwarden: the vault and the authenticator app, in JSON and CSV. A JSON export can be sealed under a password of its own,
//! or under the key of the account, which never leaves Bitwarden.

use ring::digest;
use serde_json::Value;

use crate::cipher::{Argon2id, Digest, Pbkdf2, Plain, cbc_open, hkdf_expand};
use crate::import::document::{Document, within};
use crate::import::format::{Format, Likeness, Seen, needed};
use crate::import::json::Loose;
use crate::import::login::{Login, is_uri};
use crate::import::table::Table;
use crate::import::words::{from_base64, piece, tags};
use crate::import::{Contents, ImportError, Other};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "bitwarden",
    app: "Bitwarden and Bitwarden Authenticator",
    also: &["bitwarden-authenticator", "vaultwarden"],
    reads: "JSON, plain or password protected, and CSV",
    how: "\
The vault (also on a server of your own, such as Vaultwarden):
1. In the web vault or the browser extension open \"Tools\", \"Export vault\" (in the extension: \"Settings\", \"Vault options\").
2. Choose the file format \".json (Encrypted)\" and the export type \"Password protected\": vmfa asks for that password.
   \"Account restricted\" can't be opened by anybody but Bitwarden. \".json\" and \".csv\" are in clear.
The app Bitwarden Authenticator: \"Settings\", \"Export\", as JSON or CSV.
3. vmfa import bitwarden_export.json",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    if let Some(json) = document.json() {
        return is_export(json).into();
    }
    document
        .table()
        .is_some_and(|table| table.has(&["login_totp", "name"]))
        .into()
}

fn is_export(json: &Value) -> bool {
    let items = json.list("items");
    let numbered = |item: &Value| {
        item["type"].is_u64()
            && item
                .get("fields")
                .is_none_or(|fields| fields.is_array() || fields.is_null())
    };
    match &json["encrypted"] {
        Value::Bool(_) => {
            json["items"].is_array()
                || json["data"].is_string()
                || json.get("encKeyValidation_DO_NOT_EDIT").is_some()
        }
        // The oldest don't say whether they are encrypted.
        Value::Null => !items.is_empty() && items.iter().all(numbered),
        Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if let Some(json) = document.json() {
        return vault(json, passphrase);
    }
    match document.table() {
        Some(table) => Ok(rows(table)),
        None => Err(ImportError::damaged("it is neither JSON nor CSV")),
    }
}

fn vault(json: &Value, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    if !json.flag("encrypted") {
        return items(json);
    }
    if !json.flag("passwordProtected") {
        return Err(ImportError::BoundTo {
            by: "the Bitwarden account that wrote it: it is \"account restricted\"",
            instead: "export again as \".json (Encrypted)\", \"Password protected\"",
        });
    }
    let opened = open(json, needed(passphrase)?)?;
    within(&opened, |document| match document.json() {
        Some(json) => items(json),
        None => Err(ImportError::damaged("what was sealed is not JSON")),
    })
}

/// The vault, sealed under a key of the password. A short text is sealed beside it, to tell a wrong password from damage.
fn open(json: &Value, passphrase: &SecretText) -> Result<Plain, ImportError> {
    let passphrase = passphrase.expose().as_bytes();
    // The salt is the text as it stands, not what its base64 says.
    let salt = json.word("salt").unwrap_or_default();
    let cost = |name: &'static str| {
        let word = json.word(name).unwrap_or_default();
        // Below zero is as much out of range as zero.
        let number = if word.starts_with('-') {
            Some(0)
        } else {
            json.number(name)
        };
        number.ok_or_else(|| ImportError::damaged(format!("{name} is missing")))
    };
    let key = match cost("kdfType")? {
        0 => Pbkdf2::Sha256.derive(passphrase, salt.as_bytes(), cost("kdfIterations")?, 32)?,
        1 => {
            let salt = digest::digest(&digest::SHA256, salt.as_bytes());
            let argon2id = Argon2id {
                kib: cost("kdfMemory")?.saturating_mul(1024),
                passes: cost("kdfIterations")?,
                lanes: cost("kdfParallelism")?,
            };
            argon2id.derive(passphrase, salt.as_ref(), 32)?
        }
        other => {
            return Err(ImportError::Version {
                what: format!("key derivation no. {other} of Bitwarden's export"),
            });
        }
    };
    let keys = (hkdf_expand(&key, b"enc"), hkdf_expand(&key, b"mac"));
    if let Some(check) = json["encKeyValidation_DO_NOT_EDIT"].as_str() {
        let check = Sealed::of(check)?;
        if !check.is_genuine(&keys) {
            return Err(ImportError::WrongPassphrase);
        }
    }
    let data = piece(json, "data")?.as_str().unwrap_or_default();
    let data = Sealed::of(data)?;
    if !data.is_genuine(&keys) {
        return Err(match json["encKeyValidation_DO_NOT_EDIT"].is_string() {
            true => ImportError::damaged("the vault was altered or cut off"),
            false => ImportError::WrongPassphrase,
        });
    }
    cbc_open(&keys.0, &data.iv, &data.text)
        .ok_or_else(|| ImportError::damaged("what was sealed has no end"))
}

/// A text that Bitwarden sealed: `2.IV|TEXT|MAC`, where 2 is AES-256-CBC with HMAC-SHA256.
struct Sealed {
    iv: Plain,
    text: Plain,
    mac: Plain,
}

impl Sealed {
    fn of(words: &str) -> Result<Self, ImportError> {
        let (kind, rest) = words
            .split_once('.')
            .ok_or_else(|| ImportError::damaged("a sealed text doesn't say its cipher"))?;
        if kind.trim() != "2" {
            return Err(ImportError::Version {
                what: "the cipher of Bitwarden's export".into(),
            });
        }
        let mut parts = rest.split('|').map(from_base64);
        let mut part = || {
            parts
                .next()
                .flatten()
                .ok_or_else(|| ImportError::damaged("a sealed text is not three texts in base64"))
        };
        Ok(Self {
            iv: part()?,
            text: part()?,
            mac: part()?,
        })
    }

    fn is_genuine(&self, keys: &(Plain, Plain)) -> bool {
        Digest::Sha256.authenticates(&keys.1, &[&self.iv, &self.text], &self.mac)
    }
}

/// Which kind of item a number means.
const LOGIN: u64 = 1;

fn items(json: &Value) -> Result<Contents, ImportError> {
    if !json["items"].is_array() {
        return Err(ImportError::damaged("the vault has no items"));
    }
    let mut contents = Contents::default();
    for (index, item) in json.list("items").iter().enumerate() {
        let codes = codes(item);
        if codes.is_empty() {
            contents.skip(kind(item));
        } else if item.get("deletedDate").is_some_and(|date| !date.is_null()) {
            contents.skip(Other::Trashed);
        } else {
            for code in codes {
                let place = format!("item {}", index + 1);
                login(item, json, place).add(code, &mut contents);
            }
        }
    }
    Ok(contents)
}

/// The one-time password of a login; and Key URIs that somebody put into fields of his own, as for a second one.
fn codes(item: &Value) -> Vec<&str> {
    let login = item["login"]["totp"].as_str();
    let fields = item.list("fields").iter().filter_map(|field| {
        field["value"].as_str().filter(|value| {
            let start = value.trim_start().get(..10).unwrap_or_default();
            start.eq_ignore_ascii_case("otpauth://")
        })
    });
    let mut codes: Vec<&str> = Vec::new();
    for code in login.into_iter().chain(fields) {
        if !code.trim().is_empty() && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn kind(item: &Value) -> Other {
    match item.number("type") {
        Some(LOGIN) if !item["login"].list("fido2Credentials").is_empty() => Other::Passkey,
        Some(LOGIN) => Other::Login,
        Some(2) => Other::Note,
        Some(3 | 4) => Other::Card,
        Some(5) => Other::Key,
        Some(_) | None => Other::Thing,
    }
}

/// More folders and collections than an item is in.
const MOST_FOLDERS: usize = 256;

fn login(item: &Value, json: &Value, place: String) -> Login {
    let mut ids = vec![&item["folderId"]];
    ids.extend(item.list("collectionIds"));
    let name = |id: &&Value| {
        let known = json.list("folders").iter().chain(json.list("collections"));
        known
            .filter(|folder| !id.is_null() && folder["id"] == **id)
            .find_map(|folder| folder.tag("name"))
    };
    Login {
        title: item.word("name").unwrap_or_default(),
        user: item["login"].word("username").unwrap_or_default(),
        tags: tags(ids.iter().take(MOST_FOLDERS).filter_map(name)),
        note: item.word("notes"),
        favorite: item.flag("favorite"),
        place,
    }
}

fn rows(table: &Table) -> Contents {
    let mut contents = Contents::default();
    for row in table.rows() {
        let cell = |name| table.cell(row, &[name]).map(str::to_owned);
        let Some(words) = table.cell(row, &["login_totp"]) else {
            let is_note = cell("type").is_some_and(|kind| kind.eq_ignore_ascii_case("note"));
            contents.skip(match is_note {
                true => Other::Note,
                false => Other::Login,
            });
            continue;
        };
        let login = Login {
            title: cell("name").unwrap_or_default(),
            user: cell("login_username").unwrap_or_default(),
            // An organisation's export names several collections, and no folder.
            tags: cell("folder")
                .into_iter()
                .chain(
                    cell("collections")
                        .iter()
                        .flat_map(|all| all.split(',').map(str::to_owned)),
                )
                .collect(),
            note: cell("notes"),
            favorite: cell("favorite").is_some_and(|word| word == "1"),
            place: format!("line {}", row.line),
        };
        let before = contents.rows.len();
        login.add(words, &mut contents);
        // Bitwarden Authenticator writes three cells that its first line doesn't name; beside a URI they say the same again.
        let unnamed: Vec<&str> = row.cells().skip(table.names().len()).collect();
        if let ([issuer, period, digits], Some(Ok(draft))) =
            (unnamed.as_slice(), contents.rows.get_mut(before))
            && !is_uri(words)
            && [period, digits]
                .iter()
                .all(|number| number.trim().parse::<u32>().is_ok())
        {
            draft.period = Some((*period).to_owned());
            draft.digits = Some((*digits).to_owned());
            if !issuer.trim().is_empty() {
                draft.issuer = Some((*issuer).to_owned());
            }
        }
    }
    contents
}
