//! Bitwarden: logins with a code each, as JSON (in clear or under a password) or CSV.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::account::{Account, base64, key_uri};
use crate::base32;
use crate::cipher::{Pbkdf2, cbc_seal, hkdf_expand};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::{group_of, groups, random, title, uuid, uuid_of};
use crate::export::{ExportError, Form, Output, json};
use crate::otp::Scheme;
use crate::secret::{Secret, SecretText};

const CAN: Can = Can {
    kinds: &[Kind::Totp, Kind::Steam],
    algorithms: &USUAL,
    tags: Tags::First,
    trash: false,
    prefix: false,
    image: false,
    no_issuer: false,
    ..Can::ALL
};

pub(super) const JSON: Target = Target {
    id: "bitwarden",
    app: "Bitwarden, Vaultwarden",
    also: &["bitwarden-json", "vaultwarden"],
    writes: "JSON; encrypted, it is Bitwarden's \"password protected\" kind",
    sealing: Sealing::Either,
    shape: Shape::Text,
    can: CAN,
    read_by: Some("bitwarden"),
    unread: &[],
    how: "\
1. vmfa export --to bitwarden --out bitwarden.json
   asks for a new passphrase; the file can be read only with it.
2. In Bitwarden's web vault open \"Tools\", \"Import data\", choose \"Bitwarden (json)\" and the file, and type that passphrase.
   Each account becomes a login of its own.
For the app Bitwarden Authenticator say --plaintext: it reads files in clear alone (Settings, \"Import\").",
    fits: None,
    write: write_json,
};

pub(super) const CSV: Target = Target {
    id: "bitwarden-csv",
    app: "Bitwarden, and password managers that read its CSV",
    also: &[],
    writes: "CSV",
    sealing: Sealing::Never,
    shape: Shape::Text,
    can: CAN,
    read_by: Some("bitwarden"),
    unread: &[],
    how: "\
1. vmfa export --to bitwarden-csv --plaintext --out bitwarden.csv
2. In the other program choose the import of Bitwarden's CSV.
3. Erase the file: its secrets are in clear.",
    fits: None,
    write: write_csv,
};

/// Bitwarden's own default of PBKDF2.
const ROUNDS: u64 = 600_000;

fn totp(account: &Account) -> SecretText {
    match account.summary.scheme {
        Scheme::Steam => {
            let secret = base32::encode(&account.secret);
            SecretText::new(format!("steam://{}", secret.expose()))
        }
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Motp | Scheme::Yandex => {
            key_uri::write(account)
        }
    }
}

fn write_json(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let ids = groups(accounts)?;
    let first: Vec<&String> = accounts
        .iter()
        .filter_map(|account| account.summary.tags.first())
        .collect();
    let folders: Vec<Value> = ids
        .iter()
        .filter(|(name, _)| first.contains(&name))
        .map(|(name, id)| json!({ "id": id, "name": name }))
        .collect();
    let items: Vec<Value> = accounts.iter().map(|account| item(account, &ids)).collect();
    let plain = json::text(json!({ "encrypted": false, "folders": folders, "items": items }));
    let mut file = match form {
        Form::Plain => plain,
        Form::Sealed(passphrase) => json::text(sealed(&plain, passphrase)?),
    };
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn item(account: &Account, folders: &[(String, String)]) -> Value {
    let summary = &account.summary;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let tag = summary.tags.first();
    json!({
        "id": uuid_of(account),
        "organizationId": null,
        "folderId": tag.and_then(|tag| group_of(folders, tag)),
        "type": 1,
        "reprompt": 0,
        "name": title(account),
        "notes": some(&summary.note),
        "favorite": summary.favorite,
        "login": {
            "uris": [],
            "username": some(&summary.name),
            "password": null,
            "totp": totp(account).expose(),
        },
        "collectionIds": null,
    })
}

/// One key for encrypting and one for the MAC are drawn from the passphrase's; a random text sealed under them tells a wrong
/// passphrase from damage.
fn sealed(plain: &[u8], passphrase: &SecretText) -> Result<Value, ExportError> {
    // The salt is the text itself, not what it might be base64 of.
    let salt = base64::encode(&random::<16>()?);
    let key = Pbkdf2::Sha256.derive(
        passphrase.expose().as_bytes(),
        salt.expose().as_bytes(),
        ROUNDS,
        32,
    )?;
    let (enc, mac) = (hkdf_expand(&key, b"enc"), hkdf_expand(&key, b"mac"));
    let seal = |plain: &[u8]| -> Result<String, ExportError> {
        let iv = random::<16>()?;
        let sealed = cbc_seal(&enc, &iv, plain).ok_or(ExportError::Writer("seal"))?;
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(&mac).map_err(|_| ExportError::Writer("seal"))?;
        hmac.update(&iv);
        hmac.update(&sealed);
        let tag = hmac.finalize().into_bytes();
        let words = [&iv[..], &sealed, &tag].map(base64::encode);
        let words: Vec<&str> = words.iter().map(SecretText::expose).collect();
        Ok(format!("2.{}", words.join("|")))
    };
    Ok(json!({
        "encrypted": true,
        "passwordProtected": true,
        "salt": salt.expose(),
        "kdfType": 0,
        "kdfIterations": ROUNDS,
        "kdfMemory": null,
        "kdfParallelism": null,
        "encKeyValidation_DO_NOT_EDIT": seal(uuid(random()?).as_bytes())?,
        "data": seal(plain)?,
    }))
}

fn write_csv(accounts: &[Account], _: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let failed = |_| ExportError::Writer("table");
    // The writer's own buffer is small and its target never grows: each row is at most its words, quoted.
    let len = |account: &Account| {
        let summary = &account.summary;
        let texts = summary.issuer.len() * 5 + summary.name.len() * 5 + summary.note.len() * 2;
        texts
            + summary.tags.iter().map(String::len).sum::<usize>() * 2
            + account.secret.len() * 4
            + 512
    };
    let room = accounts.iter().map(len).sum::<usize>() + 256;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let mut writer = csv::Writer::from_writer(&mut *text);
    writer
        .write_record([
            "folder",
            "favorite",
            "type",
            "name",
            "notes",
            "fields",
            "reprompt",
            "login_uri",
            "login_username",
            "login_password",
            "login_totp",
        ])
        .map_err(failed)?;
    for account in accounts {
        let summary = &account.summary;
        let tag = summary.tags.first().map_or("", String::as_str);
        let favorite = if summary.favorite { "1" } else { "" };
        let totp = totp(account);
        writer
            .write_record([
                tag,
                favorite,
                "login",
                title(account),
                &summary.note,
                "",
                "0",
                "",
                &summary.name,
                "",
                totp.expose(),
            ])
            .map_err(failed)?;
    }
    writer.flush().map_err(|_| ExportError::Writer("table"))?;
    drop(writer);
    Ok(Output::File(Secret::new(std::mem::take(&mut *text))))
}
