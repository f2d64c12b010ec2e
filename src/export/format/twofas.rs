//! 2FAS: a backup in JSON, schema 4, its services in clear or sealed.

use serde_json::{Map, Value, json};

use crate::account::{Account, base64};
use crate::base32;
use crate::cipher::{Pbkdf2, gcm_seal};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Periods, Tags};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::{group_of, groups, random, title};
use crate::export::{ExportError, Form, Output, json};
use crate::secret::{Secret, SecretText};

pub(super) const TARGET: Target = Target {
    id: "2fas",
    app: "2FAS Auth",
    also: &["twofas"],
    writes: "a backup (.2fas)",
    sealing: Sealing::Either,
    shape: Shape::Text,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp, Kind::Steam],
        digits: &[5, 6, 7, 8],
        periods: Periods::Only(&[10, 30, 60, 90]),
        counter: i32::MAX as u64,
        tags: Tags::First,
        note: false,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        no_issuer: false,
        ..Can::ALL
    },
    read_by: Some("2fas"),
    unread: &[],
    how: "\
1. vmfa export --to 2fas --out backup.2fas
   asks for a new passphrase; the file can be read only with it.
2. Bring the file to the phone.
3. In 2FAS open Settings, \"2FAS Backup\", \"Import\" (on iOS \"Import from file\"), choose the file, and type that passphrase.",
    fits: None,
    write,
};

/// The iterations of PBKDF2 that the app uses; it reads nothing else.
const ROUNDS: u64 = 10_000;

/// What the app seals beside the services, to know a right password by.
const REFERENCE: &str = "tRViSsLKzd86Hprh4ceC2OP7xazn4rrt4xhfEUbOjxLX8Rc3mkISXE0lWbmnWfggogbBJhtYgpK6fMl1D6mtsy92R3HkdGfwuXbzLebqVFJsR7IZ2w58t938iymwG4824igYy1wi6n2WDpO1Q1P69zwJGs2F5a1qP4MyIiDSD7NCV2OvidXQCBnDlGfmz0f1BQySRkkt4ryiJeCjD2o4QsveJ9uDBUn8ELyOrESv5R5DMDkD4iAF8TXU7KyoJujd";

fn write(accounts: &[Account], form: Form<'_>, now: UnixTime) -> Result<Output, ExportError> {
    let millis = now
        .secs()
        .saturating_mul(1000)
        .saturating_add(now.subsec_millis().into());
    let ids = groups(accounts)?;
    let services = accounts.iter().enumerate();
    let services: Vec<Value> = services
        .map(|(index, account)| service(account, index, millis, &ids))
        .collect();
    let first: Vec<&String> = accounts
        .iter()
        .filter_map(|account| account.summary.tags.first())
        .collect();
    let groups: Vec<Value> = ids
        .iter()
        .filter(|(name, _)| first.contains(&name))
        .map(
            |(name, id)| json!({ "id": id, "name": name, "isExpanded": true, "updatedAt": millis }),
        )
        .collect();
    let mut file = json!({
        "services": services,
        "groups": groups,
        "updatedAt": millis,
        "schemaVersion": 4,
        "appVersionCode": 5_000_012,
        "appVersionName": "5.0.12",
        "appOrigin": "android",
    });
    if let Form::Sealed(passphrase) = form {
        let services = json::line(std::mem::replace(&mut file["services"], json!([])));
        // One key for both, as the app does it; each has a nonce of its own.
        let salt = random::<256>()?;
        let key = Pbkdf2::Sha256.derive(passphrase.expose().as_bytes(), &salt, ROUNDS, 32)?;
        let sealed = |plain: &[u8]| -> Result<Value, ExportError> {
            let nonce = random::<12>()?;
            let sealed = gcm_seal(&key, &nonce, b"", plain).ok_or(ExportError::Writer("seal"))?;
            let words = [&sealed[..], &salt, &nonce].map(base64::encode);
            let words: Vec<&str> = words.iter().map(SecretText::expose).collect();
            Ok(json!(words.join(":")))
        };
        file["servicesEncrypted"] = sealed(&services)?;
        file["reference"] = sealed(REFERENCE.as_bytes())?;
    }
    Ok(Output::File(Secret::new(std::mem::take(&mut *json::line(
        file,
    )))))
}

fn service(account: &Account, index: usize, millis: u64, groups: &[(String, String)]) -> Value {
    let summary = &account.summary;
    let scheme = &summary.scheme;
    let kind = match Kind::of(scheme) {
        Kind::Hotp => "HOTP",
        Kind::Steam => "STEAM",
        Kind::Totp | Kind::Motp | Kind::Yandex => "TOTP",
    };
    let mut otp = Map::new();
    let mut put = |key: &str, value: Value| otp.insert(key.to_owned(), value);
    // With the issuer before it, as the app has it, also where there is nothing behind.
    put(
        "label",
        json!(format!("{}:{}", summary.issuer, summary.name)),
    );
    put("account", json!(summary.name));
    if !summary.issuer.is_empty() {
        put("issuer", json!(summary.issuer));
    }
    put("digits", json!(scheme.digits()));
    put("period", json!(scheme.period().unwrap_or(30)));
    put("algorithm", json!(scheme.algorithm_name()));
    if let Some(counter) = summary.counter {
        put("counter", json!(counter));
    }
    put("tokenType", json!(kind));
    put("source", json!("Manual"));
    let letters: String = title(account).chars().take(2).collect();
    let mut service = json!({
        "name": title(account),
        "secret": base32::encode(&account.secret).expose(),
        "updatedAt": millis,
        "otp": otp,
        "order": { "position": index },
        "icon": {
            "selected": "Label",
            "label": { "text": letters.to_uppercase(), "backgroundColor": "Orange" },
            // The app's picture for a service that it doesn't know.
            "iconCollection": { "id": "a5b3fb65-4ec5-43e6-8ec1-49e24ca9e7ad" },
        },
    });
    let tag = summary.tags.first();
    if let Some(id) = tag.and_then(|tag| group_of(groups, tag)) {
        service["groupId"] = json!(id);
    }
    service
}
