//! LastPass Authenticator: an export in JSON. It knows TOTP, and accounts that are confirmed by a push message.

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::login::titled;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "lastpass-authenticator",
    app: "LastPass Authenticator",
    also: &["lastpass-auth"],
    reads: "exports in JSON",
    how: "\
1. In LastPass Authenticator open Settings, \"Transfer accounts\", \"Export accounts to file\".
2. Bring the file here, then:  vmfa import lastpass_authenticator.json
3. Erase the file: its secrets are in clear.
The vault of the LastPass password manager is another file: export it as CSV.",
    seen: Seen::Files,
    is,
    read,
};

/// The newest version that is known.
const VERSION: u64 = 3;

fn is(document: &Document<'_>) -> Likeness {
    let is = |json: &Value| {
        let mut accounts = json.list("accounts").iter();
        accounts.any(|account| account.get("issuerName").is_some())
            || json.get("localDeviceId").is_some() && json["accounts"].is_array()
    };
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    if let Some(version) = json.number("version").filter(|version| *version > VERSION) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {version} of LastPass Authenticator's export"
        )));
    }
    for (index, entry) in json.list("accounts").iter().enumerate() {
        let has_secret = entry
            .secret("secret")
            .is_some_and(|secret| !secret.expose().trim().is_empty());
        if !has_secret && entry.flag("pushNotification") {
            contents.skip(Other::Push);
            continue;
        }
        let place = format!("account {}", index + 1);
        contents.rows.push(Ok(account(entry, json, place)));
    }
    Ok(contents)
}

fn account(entry: &Value, file: &Value, place: String) -> Draft {
    let draft = Draft {
        issuer: entry.word("issuerName"),
        name: entry.word("userName"),
        secret: entry.secret("secret"),
        algorithm: entry.word("algorithm"),
        digits: entry.word("digits"),
        period: entry.word("timeStep"),
        tags: folder(entry, file).into_iter().collect(),
        favorite: entry.flag("isFavorite"),
        ..draft(place)
    };
    // What the QR code said, where the person has renamed the account.
    let first = Draft {
        issuer: entry.word("originalIssuerName"),
        name: entry.word("originalUserName"),
        ..Draft::default()
    };
    Draft {
        note: titled(Some(&first.label()), &draft, None),
        ..draft
    }
}

/// The name of the folder. Number 0 is that of accounts in none.
fn folder(entry: &Value, file: &Value) -> Option<String> {
    let id = entry["folderData"]
        .number("folderId")
        .filter(|id| *id != 0)?;
    let mut folders = file.list("folders").iter();
    folders
        .find(|folder| folder.number("id") == Some(id))?
        .tag("name")
}
