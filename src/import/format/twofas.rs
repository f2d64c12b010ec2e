//! 2FAS: a backup in JSON, its services in clear or sealed under a password.

use serde_json::Value;

use crate::account::Draft;
use crate::cipher::{Pbkdf2, Plain, gcm_open};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft, needed};
use crate::import::json::{Json, Loose};
use crate::import::login::titled;
use crate::import::words::from_base64;
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "2fas",
    app: "2FAS Auth",
    also: &["twofas", "2fas-auth"],
    reads: "backups (.2fas, JSON) of all versions, plain or with a password",
    how: "\
1. In 2FAS open Settings, \"2FAS Backup\", \"Export\".
2. Leave the password on: vmfa asks for it. Share or save the file.
3. Bring the file here, then:  vmfa import 2fas-backup.2fas",
    seen: Seen::Files,
    is,
    read,
};

/// The newest version that is known.
const VERSION: u64 = 4;

/// Fixed in the app; the file doesn't say.
const ROUNDS: u64 = 10_000;

fn is(document: &Document<'_>) -> Likeness {
    let is = |json: &Value| {
        json.get("schemaVersion").is_some()
            && (json["services"].is_array() || json["servicesEncrypted"].is_string())
    };
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    if let Some(version) = json
        .number("schemaVersion")
        .filter(|version| *version > VERSION)
    {
        contents.remarks.push(Remark::NewerVersion(format!(
            "schema {version} of 2FAS's backup"
        )));
    }
    let sealed = json["servicesEncrypted"]
        .as_str()
        .filter(|sealed| !sealed.trim().is_empty());
    let Some(sealed) = sealed else {
        services(&json["services"], json, &mut contents)?;
        return Ok(contents);
    };
    let opened = open(sealed, json["reference"].as_str(), needed(passphrase)?)?;
    let opened = Json::parse(&opened)?;
    services(&opened, json, &mut contents)?;
    Ok(contents)
}

/// Ciphertext and tag, salt, nonce.
struct Sealed {
    text: Plain,
    salt: Plain,
    nonce: Plain,
}

impl Sealed {
    fn of(words: &str) -> Option<Self> {
        let mut parts = words.split(':').map(from_base64);
        Some(Self {
            text: parts.next()??,
            salt: parts.next()??,
            nonce: parts.next()??,
        })
    }

    fn open(&self, passphrase: &SecretText) -> Result<Option<Plain>, ImportError> {
        let passphrase = passphrase.expose().as_bytes();
        let key = Pbkdf2::Sha256.derive(passphrase, &self.salt, ROUNDS, 32)?;
        Ok(gcm_open(&key, &self.nonce, b"", &self.text))
    }
}

/// The services. The file has a second text under the same passphrase, the reference: where that opens, the passphrase is right.
fn open(
    sealed: &str,
    reference: Option<&str>,
    passphrase: &SecretText,
) -> Result<Plain, ImportError> {
    let sealed = Sealed::of(sealed)
        .ok_or_else(|| ImportError::damaged("servicesEncrypted is not three texts in base64"))?;
    if let Some(opened) = sealed.open(passphrase)? {
        return Ok(opened);
    }
    let is_right = match reference.and_then(Sealed::of) {
        Some(reference) => reference.open(passphrase)?.is_some(),
        None => false,
    };
    Err(match is_right {
        true => ImportError::damaged("the services were altered or cut off"),
        false => ImportError::WrongPassphrase,
    })
}

fn services(services: &Value, file: &Value, contents: &mut Contents) -> Result<(), ImportError> {
    let services = services
        .as_array()
        .ok_or_else(|| ImportError::damaged("services is not a list"))?;
    for (index, service) in services.iter().enumerate() {
        let place = format!("service {}", index + 1);
        contents.rows.push(Ok(account(service, file, place)));
    }
    Ok(())
}

fn account(service: &Value, file: &Value, place: String) -> Draft {
    let otp = &service["otp"];
    let word = |key| otp.word(key).filter(|word| !word.trim().is_empty());
    let title = service.word("name");
    let issuer = word("issuer").or_else(|| title.clone());
    let draft = Draft {
        kind: word("tokenType"),
        name: word("account").or_else(|| {
            let label = word("label")?;
            Some(without_prefix(&label, issuer.as_deref()).to_owned())
        }),
        issuer,
        secret: service.secret("secret"),
        algorithm: word("algorithm"),
        digits: word("digits"),
        period: word("period"),
        counter: word("counter"),
        tags: group(service, file).into_iter().collect(),
        ..draft(place)
    };
    Draft {
        note: titled(title.as_deref(), &draft, None),
        ..draft
    }
}

/// The account name of a label, which the first versions wrote with the issuer before it.
fn without_prefix<'a>(label: &'a str, issuer: Option<&str>) -> &'a str {
    match label.split_once(':') {
        Some((prefix, name)) if Some(prefix.trim()) == issuer.map(str::trim) => name.trim(),
        Some(_) | None => label,
    }
}

/// The name of the group. iOS writes the ids in capitals in one place and not in the other.
fn group(service: &Value, file: &Value) -> Option<String> {
    let id = service.word("groupId")?;
    let is = |group: &&Value| {
        group
            .word("id")
            .is_some_and(|other| other.eq_ignore_ascii_case(&id))
    };
    file.list("groups").iter().find(is)?.tag("name")
}
