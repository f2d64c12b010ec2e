//! Aegis: a vault in JSON, in clear or sealed under a password. The target that most other apps read too.

use serde_json::{Value, json};

use crate::account::{Account, base64};
use crate::base32;
use crate::cipher::{Scrypt, gcm_seal};
use crate::clock::UnixTime;
use crate::export::can::{Can, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::{group_of, groups, hex, random, uuid, uuid_of};
use crate::export::{ExportError, Form, Output, json};
use crate::secret::{Secret, SecretText};

pub(super) const TARGET: Target = Target {
    id: "aegis",
    app: "Aegis Authenticator",
    also: &[],
    writes: "JSON, as Aegis's own vault",
    sealing: Sealing::Either,
    shape: Shape::Text,
    can: Can {
        algorithms: &USUAL,
        trash: false,
        prefix: false,
        image: false,
        ..Can::ALL
    },
    read_by: Some("aegis"),
    unread: &[],
    how: "\
1. vmfa export --to aegis --out aegis.json
   asks for a new passphrase; the file can be read only with it.
2. Bring the file to the phone.
3. In Aegis open Settings, \"Import & Export\", \"Import from file\", choose \"Aegis\", then the file, and type that passphrase.
Stratum, Ente Auth, Proton Authenticator, 2FAS and Bitwarden Authenticator read Aegis's files too, some of them
only those that were made with --plaintext.",
    fits: None,
    write,
};

/// The costs that Aegis itself sets.
const SCRYPT: Scrypt = Scrypt {
    n: 1 << 15,
    r: 8,
    p: 1,
};

fn write(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let db = database(accounts)?;
    let file = match form {
        Form::Plain => json!({
            "version": 1,
            "header": { "slots": null, "params": null },
            "db": db,
        }),
        Form::Sealed(passphrase) => sealed(&json::text(db), passphrase)?,
    };
    Ok(Output::File(Secret::new(std::mem::take(&mut *json::text(
        file,
    )))))
}

/// A random master key seals the database; the passphrase's key seals the master key, in a slot.
fn sealed(db: &[u8], passphrase: &SecretText) -> Result<Value, ExportError> {
    let failed = || ExportError::Writer("seal");
    let master = Secret::new(random::<32>()?.to_vec());
    let salt = random::<32>()?;
    let key = SCRYPT.derive(passphrase.expose().as_bytes(), &salt, 32)?;
    let (slot_nonce, nonce) = (random::<12>()?, random::<12>()?);
    let wrapped = gcm_seal(&key, &slot_nonce, b"", master.expose()).ok_or_else(failed)?;
    let (wrapped, slot_tag) = wrapped.split_at(master.len());
    let sealed = gcm_seal(master.expose(), &nonce, b"", db).ok_or_else(failed)?;
    let (sealed, tag) = sealed.split_at(db.len());
    Ok(json!({
        "version": 1,
        "header": {
            "slots": [{
                "type": 1,
                "uuid": uuid(random()?),
                "key": hex(wrapped),
                "key_params": { "nonce": hex(&slot_nonce), "tag": hex(slot_tag) },
                "n": SCRYPT.n,
                "r": SCRYPT.r,
                "p": SCRYPT.p,
                "salt": hex(&salt),
                "repaired": true,
                "is_backup": false,
            }],
            "params": { "nonce": hex(&nonce), "tag": hex(tag) },
        },
        "db": base64::encode(sealed).expose(),
    }))
}

fn database(accounts: &[Account]) -> Result<Value, ExportError> {
    let groups = groups(accounts)?;
    let entries: Vec<Value> = accounts
        .iter()
        .map(|account| entry(account, &groups))
        .collect();
    let groups: Vec<Value> = groups
        .iter()
        .map(|(name, uuid)| json!({ "uuid": uuid, "name": name }))
        .collect();
    Ok(json!({ "version": 3, "entries": entries, "groups": groups, "icons_optimized": true }))
}

fn entry(account: &Account, groups: &[(String, String)]) -> Value {
    let summary = &account.summary;
    let scheme = &summary.scheme;
    let mut info = json!({
        "secret": base32::encode(&account.secret).expose(),
        "algo": scheme.algorithm_name(),
        "digits": scheme.digits(),
    });
    match (scheme.period(), summary.counter) {
        (_, Some(counter)) => info["counter"] = json!(counter),
        (Some(period), None) => info["period"] = json!(period),
        (None, None) => info["counter"] = json!(0),
    }
    if scheme.takes_pin() {
        info["pin"] = json!(account.pin.as_ref().map_or("", |pin| pin.expose()));
    }
    let ids = summary.tags.iter().filter_map(|tag| group_of(groups, tag));
    json!({
        "type": scheme.name(),
        "uuid": uuid_of(account),
        "name": summary.name,
        "issuer": summary.issuer,
        "note": summary.note,
        "favorite": summary.favorite,
        "icon": null,
        "info": info,
        "groups": ids.collect::<Vec<_>>(),
    })
}
