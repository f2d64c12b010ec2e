//! Stratum, once Authenticator Pro: a backup in JSON, in clear or sealed.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::account::Account;
use crate::base32;
use crate::cipher::{Argon2id, gcm_seal};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::{group_of, groups, hex_secret, random};
use crate::export::{ExportError, Form, Output, json};
use crate::otp::Scheme;
use crate::secret::{Secret, SecretText};

pub(super) const TARGET: Target = Target {
    id: "stratum",
    app: "Stratum (Authenticator Pro)",
    also: &["authenticator-pro", "authpro"],
    writes: "a backup (.authpro)",
    sealing: Sealing::Either,
    shape: Shape::Binary,
    can: Can {
        algorithms: &USUAL,
        digits: &[6, 7, 8, 9, 10],
        note: false,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        twins: false,
        ..Can::ALL
    },
    read_by: Some("stratum"),
    unread: &[],
    how: "\
1. vmfa export --to stratum --out backup.authpro
   asks for a new passphrase; the file can be read only with it.
2. Bring the file to the phone.
3. In Stratum open the menu, \"Restore\", choose the file, and type that passphrase.",
    fits: None,
    write,
};

/// The costs that the app has, unchangeable.
const ARGON2ID: Argon2id = Argon2id {
    kib: 65_536,
    passes: 3,
    lanes: 4,
};
const MAGIC: &[u8] = b"AUTHENTICATORPRO";

fn write(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let mut plain = json::line(backup(accounts)?);
    let mut file = match form {
        Form::Plain => std::mem::take(&mut plain),
        Form::Sealed(passphrase) => {
            let (salt, iv) = (random::<16>()?, random::<12>()?);
            let key = ARGON2ID.derive(passphrase.expose().as_bytes(), &salt, 32)?;
            let sealed = gcm_seal(&key, &iv, b"", &plain).ok_or(ExportError::Writer("seal"))?;
            Zeroizing::new([MAGIC, &salt, &iv, &sealed].concat())
        }
    };
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn backup(accounts: &[Account]) -> Result<Value, ExportError> {
    let groups = groups(accounts)?;
    // The app's ids of categories have eight characters.
    let groups: Vec<(String, String)> = groups
        .into_iter()
        .map(|(name, id)| (name, id[..8].to_owned()))
        .collect();
    let mut bindings = Vec::new();
    for account in accounts {
        let secret = secret(account);
        let tags = account.summary.tags.iter();
        for id in tags.filter_map(|tag| group_of(&groups, tag)) {
            bindings.push(json!({
                "CategoryId": id,
                "AuthenticatorSecret": secret.expose(),
                "Ranking": bindings.len(),
            }));
        }
    }
    let entries: Vec<Value> = accounts.iter().enumerate().map(entry).collect();
    let categories: Vec<Value> = groups
        .iter()
        .enumerate()
        .map(|(index, (name, id))| json!({ "Id": id, "Name": name, "Ranking": index }))
        .collect();
    Ok(json!({
        "Authenticators": entries,
        "Categories": categories,
        "AuthenticatorCategories": bindings,
        "CustomIcons": [],
    }))
}

/// mOTP's is text there, whatever it stands for.
fn secret(account: &Account) -> SecretText {
    match account.summary.scheme {
        Scheme::Motp => hex_secret(account),
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Yandex => {
            base32::encode(&account.secret)
        }
    }
}

fn entry((index, account): (usize, &Account)) -> Value {
    let summary = &account.summary;
    let scheme = &summary.scheme;
    let kind = match Kind::of(scheme) {
        Kind::Hotp => 1,
        Kind::Totp => 2,
        Kind::Motp => 3,
        Kind::Steam => 4,
        Kind::Yandex => 5,
    };
    let algorithm = match scheme.algorithm_name() {
        "SHA256" => 1,
        "SHA512" => 2,
        _ => 0,
    };
    json!({
        "Type": kind,
        "Icon": null,
        "Issuer": summary.issuer,
        "Username": summary.name,
        "Secret": secret(account).expose(),
        "Pin": account.pin.as_ref().map(SecretText::expose),
        "Algorithm": algorithm,
        "Digits": scheme.digits(),
        "Period": scheme.period().unwrap_or(30),
        "Counter": summary.counter.unwrap_or_default(),
        "CopyCount": 0,
        "Ranking": index,
    })
}
