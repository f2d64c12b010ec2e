//! Ente Auth: Key URIs with its own words in a parameter, in clear or sealed.

use serde_json::json;
use zeroize::Zeroizing;

use crate::account::percent::encode_into;
use crate::account::{Account, base64, key_uri};
use crate::cipher::{Argon2id, Plain, secretstream_seal};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::words::random;
use crate::export::{ExportError, Form, Output, json};
use crate::secret::Secret;

pub(super) const TARGET: Target = Target {
    id: "ente",
    app: "Ente Auth",
    also: &["ente-auth"],
    writes: "a text of Key URIs; encrypted, Ente's JSON",
    sealing: Sealing::Either,
    shape: Shape::Text,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp, Kind::Steam],
        algorithms: &USUAL,
        prefix: false,
        image: false,
        ..Can::ALL
    },
    read_by: Some("ente"),
    unread: &[],
    how: "\
1. vmfa export --to ente --out ente.txt
   asks for a new passphrase; the file can be read only with it.
2. Bring the file to the device.
3. In Ente Auth open Settings, \"Data\", \"Import codes\", \"Ente Encrypted export\", choose the file, and type that passphrase.
   (A file made with --plaintext: \"Plain text\".)",
    fits: None,
    write,
};

/// libsodium's "moderate" memory, and a pass more than its passes.
const ARGON2ID: Argon2id = Argon2id {
    kib: 256 << 10,
    passes: 4,
    lanes: 1,
};

fn write(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let mut text = lines(accounts);
    let mut file = match form {
        Form::Plain => std::mem::take(&mut text),
        Form::Sealed(passphrase) => {
            let salt = random::<16>()?;
            let key = ARGON2ID.derive(passphrase.expose().as_bytes(), &salt, 32)?;
            let (header, sealed) =
                secretstream_seal(&key, &text).ok_or(ExportError::Writer("seal"))?;
            json::text(json!({
                "version": 1,
                "kdfParams": {
                    "memLimit": ARGON2ID.kib * 1024,
                    "opsLimit": ARGON2ID.passes,
                    "salt": base64::encode(&salt).expose(),
                },
                "encryptedData": base64::encode(&sealed).expose(),
                "encryptionNonce": base64::encode(&header).expose(),
            }))
        }
    };
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn lines(accounts: &[Account]) -> Plain {
    let lines: Vec<Zeroizing<String>> = accounts.iter().map(line).collect();
    let len = lines.iter().map(|line| line.len() + 1).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(len));
    for line in &lines {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    text
}

fn line(account: &Account) -> Zeroizing<String> {
    let summary = &account.summary;
    let display = json::line(json!({
        "pinned": summary.favorite,
        "trashed": summary.trashed.is_some(),
        "lastUsedAt": 0,
        "tapCount": 0,
        "tags": summary.tags,
        "note": summary.note,
        "position": 0,
        "iconSrc": "",
        "iconID": "",
    }));
    let display = String::from_utf8_lossy(&display);
    let uri = key_uri::write(account);
    let mut line = Zeroizing::new(String::with_capacity(
        uri.expose().len() + display.len() * 3 + 16,
    ));
    line.push_str(uri.expose());
    line.push_str("&codeDisplay=");
    encode_into(&display, &mut line);
    line
}
