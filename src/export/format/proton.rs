//! Proton Authenticator: JSON with Key URIs in it, in clear or sealed.

use serde_json::{Value, json};

use crate::account::{Account, base64, key_uri};
use crate::base32;
use crate::cipher::{Argon2id, gcm_seal};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Periods, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::{random, uuid_of};
use crate::export::{ExportError, Form, Output, json};
use crate::otp::Scheme;
use crate::secret::{Secret, SecretText};

pub(super) const TARGET: Target = Target {
    id: "proton",
    app: "Proton Authenticator",
    also: &["proton-authenticator"],
    writes: "JSON",
    sealing: Sealing::Either,
    shape: Shape::Text,
    can: Can {
        kinds: &[Kind::Totp, Kind::Steam],
        algorithms: &USUAL,
        digits: &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        periods: Periods::UpTo(65_535),
        tags: Tags::None,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        ..Can::ALL
    },
    read_by: Some("proton"),
    unread: &[],
    how: "\
1. vmfa export --to proton --out proton.json
   asks for a new passphrase; the file can be read only with it.
2. Bring the file to the device.
3. In Proton Authenticator open Settings, \"Import\", \"Proton Authenticator\", choose the file, and type that passphrase.",
    fits: None,
    write,
};

/// The costs that the app has, unchangeable.
const ARGON2ID: Argon2id = Argon2id {
    kib: 19_456,
    passes: 2,
    lanes: 1,
};
const ASSOCIATED: &[u8] = b"proton.authenticator.export.v1";

fn write(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let entries: Vec<Value> = accounts.iter().map(entry).collect();
    let plain = json::text(json!({ "version": 1, "entries": entries }));
    let mut file = match form {
        Form::Plain => plain,
        Form::Sealed(passphrase) => {
            let (salt, nonce) = (random::<16>()?, random::<12>()?);
            let key = ARGON2ID.derive(passphrase.expose().as_bytes(), &salt, 32)?;
            let sealed =
                gcm_seal(&key, &nonce, ASSOCIATED, &plain).ok_or(ExportError::Writer("seal"))?;
            let content = [&nonce[..], &sealed].concat();
            json::text(json!({
                "version": 1,
                "salt": base64::encode(&salt).expose(),
                "content": base64::encode(&content).expose(),
            }))
        }
    };
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn entry(account: &Account) -> Value {
    let summary = &account.summary;
    let (uri, kind) = match summary.scheme {
        Scheme::Steam => {
            let secret = base32::encode(&account.secret);
            let uri = SecretText::new(format!("steam://{}", secret.expose()));
            (uri, "Steam")
        }
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Motp | Scheme::Yandex => {
            (key_uri::write(account), "Totp")
        }
    };
    json!({
        "id": uuid_of(account),
        "content": { "uri": uri.expose(), "entry_type": kind, "name": summary.name },
        "note": (!summary.note.is_empty()).then_some(&summary.note),
    })
}
