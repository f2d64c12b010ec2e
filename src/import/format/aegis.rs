//! Aegis: a vault in JSON, in clear or sealed under one or several passphrases.

use serde_json::Value;

use crate::account::{Draft, SecretEncoding, base64};
use crate::cipher::{Plain, Scrypt, gcm_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::json::{Json, Loose};
use crate::import::words::{hexadecimal, piece, tags};
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "aegis",
    app: "Aegis Authenticator",
    also: &[],
    reads: "JSON, plain or encrypted",
    how: "\
1. In Aegis open Settings, \"Import & Export\", \"Export\".
2. Choose the format \"Aegis (.json)\". Leave \"Encrypt the vault\" on: vmfa asks for the vault's password.
3. Bring the file here, then:  vmfa import aegis-export.json
An automatic backup of Aegis is the same file.",
    seen: Seen::Files,
    is,
    read,
};

/// The newest version of the outer format and of what is sealed in it.
const VERSION: u64 = 1;
const DB_VERSION: u64 = 3;

/// A slot that a password opens; others are a raw key and biometrics.
const PASSWORD_SLOT: u64 = 1;

/// More slots than anybody has; each costs a derivation.
const MAX_SLOTS: usize = 8;

/// More groups than an account is in; one may be named again and again.
const MOST_GROUPS: usize = 256;

fn is(document: &Document<'_>) -> Likeness {
    document
        .json()
        .is_some_and(|json| json.get("db").is_some() && json.get("header").is_some())
        .into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    // What is around the database decides how it is opened: a guess at a newer one would call the passphrase wrong.
    if let Some(version) = json.number("version").filter(|version| *version != VERSION) {
        return Err(ImportError::Version {
            what: format!("version {version} of Aegis's file"),
        });
    }
    match &json["db"] {
        Value::String(sealed) => {
            let passphrase = needed(passphrase)?;
            let opened = open(sealed, &json["header"], passphrase)?;
            let db = Json::parse(&opened)?;
            entries(&db)
        }
        db @ Value::Object(_) => entries(db),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(ImportError::damaged("db is neither an object nor a text"))
        }
    }
}

/// The database. A second password, for backups, is a slot of its own, so each is tried.
fn open(sealed: &str, header: &Value, passphrase: &SecretText) -> Result<Plain, ImportError> {
    let sealed = base64::decode(sealed).map_err(|_| ImportError::damaged("db is not base64"))?;
    let mut any = false;
    for slot in header
        .list("slots")
        .iter()
        .filter(|slot| slot.number("type") == Some(PASSWORD_SLOT))
        .take(MAX_SLOTS)
    {
        any = true;
        let cost = |name: &'static str| {
            slot.number(name)
                .ok_or_else(|| ImportError::damaged(format!("a slot has no {name}")))
        };
        let scrypt = Scrypt {
            n: cost("n")?,
            r: cost("r")?,
            p: cost("p")?,
        };
        let salt = hexadecimal(slot, "salt")?;
        let key = scrypt.derive(passphrase.expose().as_bytes(), &salt, 32)?;
        let params = piece(slot, "key_params")?;
        let mut wrapped = hexadecimal(slot, "key")?;
        wrapped.extend_from_slice(&hexadecimal(params, "tag")?);
        let Some(master) = gcm_open(&key, &hexadecimal(params, "nonce")?, b"", &wrapped) else {
            continue;
        };
        let params = piece(header, "params")?;
        let mut text = Plain::new(sealed.expose().to_vec());
        text.extend_from_slice(&hexadecimal(params, "tag")?);
        // The slot opened, so the passphrase is right.
        return gcm_open(&master, &hexadecimal(params, "nonce")?, b"", &text)
            .ok_or_else(|| ImportError::damaged("the database was altered or cut off"));
    }
    match any {
        true => Err(ImportError::WrongPassphrase),
        false => Err(ImportError::BoundTo {
            by: "the phone's biometrics: it has no password",
            instead: "set a password in Aegis, or export without encryption",
        }),
    }
}

fn entries(db: &Value) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    if let Some(version) = db.number("version").filter(|version| *version > DB_VERSION) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {version} of Aegis's database"
        )));
    }
    if !db["entries"].is_array() {
        return Err(ImportError::damaged("the database has no entries"));
    }
    for (index, entry) in db.list("entries").iter().enumerate() {
        let place = format!("entry {}", index + 1);
        contents.rows.push(Ok(account(entry, db, place)));
    }
    Ok(contents)
}

fn account(entry: &Value, db: &Value, place: String) -> Draft {
    let info = &entry["info"];
    let kind = entry.word("type").unwrap_or_default().to_ascii_lowercase();
    let is_motp = kind == "motp";
    Draft {
        issuer: entry.word("issuer"),
        name: entry.word("name"),
        secret: info.secret("secret"),
        // mOTP's too, which elsewhere is hexadecimal.
        secret_encoding: SecretEncoding::Base32,
        // A defect of old versions wrote MD5 for SHA-1; only mOTP has it, and needs no word for it.
        algorithm: info
            .word("algo")
            .filter(|algorithm| !algorithm.eq_ignore_ascii_case("MD5")),
        digits: info.word("digits").filter(|_| !is_motp),
        period: info.word("period").filter(|_| !is_motp),
        counter: info.word("counter"),
        pin: info.secret("pin"),
        tags: groups(entry, db),
        note: entry.word("note"),
        favorite: entry.flag("favorite"),
        kind: Some(match kind.as_str() {
            "steamtotp" => "steam".into(),
            _ => kind,
        }),
        ..draft(place)
    }
}

/// The names of the groups: since version 3 an entry lists their ids, before it had one by name.
fn groups(entry: &Value, db: &Value) -> Vec<String> {
    let ids = entry.list("groups").iter().filter_map(Value::as_str);
    let name = |id: &str| {
        let known = db.list("groups").iter();
        known
            .filter(|group| group["uuid"] == id)
            .find_map(|group| group.tag("name"))
    };
    tags(
        ids.take(MOST_GROUPS)
            .filter_map(name)
            .chain(entry.tag("group")),
    )
}
