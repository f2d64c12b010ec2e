//! Duo Mobile, which has no export: the file of accounts that it keeps on the phone.

use serde_json::Value;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError, Other};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "duo",
    app: "Duo Mobile",
    also: &["duo-mobile"],
    reads: "accounts.json of a rooted Android phone",
    how: "\
Duo Mobile has no export. Accounts with a code of six digits can be set up again at the site that they are of, by a new QR code:
that is the usual way. On a rooted Android phone its own file can be read:
1. adb shell su -c cat /data/data/com.duosecurity.duomobile/files/duokit/accounts.json > accounts.json
2. vmfa import accounts.json
3. Erase the file: its secrets are in clear.
Accounts that are confirmed by a push message have no code to bring along.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is_entry = |entry: &Value| {
        entry.get("accountType").is_some()
            && (entry.get("otpGenerator").is_some() || entry.get("pkey").is_some())
    };
    let entries = document.json().and_then(Value::as_array);
    entries
        .is_some_and(|entries| entries.iter().any(is_entry))
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let entries = document.json().and_then(Value::as_array);
    let entries = entries.ok_or_else(|| ImportError::damaged("it is not a list in JSON"))?;
    let mut contents = Contents::default();
    for (index, entry) in entries.iter().enumerate() {
        let generator = &entry["otpGenerator"];
        let Some(secret) = generator.secret("otpSecret") else {
            contents.skip(Other::Push);
            continue;
        };
        let counter = generator.word("counter");
        contents.rows.push(Ok(Draft {
            kind: Some(if counter.is_some() { "hotp" } else { "totp" }.into()),
            name: entry.word("name"),
            secret: Some(secret),
            counter,
            ..draft(format!("account {}", index + 1))
        }));
    }
    Ok(contents)
}
