//! Keeper: an export in JSON.

use serde_json::Value;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::json::Loose;
use crate::import::login::Login;
use crate::import::words::tags;
use crate::import::{Contents, ImportError, Other};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "keeper",
    app: "Keeper",
    also: &[],
    reads: "exports in JSON",
    how: "\
1. In Keeper's web vault or desktop app open the menu of your account, \"Settings\", \"Export\".
2. Choose the format \".json\", \"Export Now\".
3. vmfa import keeper.json
4. Erase the file: all of its passwords are in clear.",
    seen: Seen::Description,
    is,
    read,
};

/// Keys of custom fields begin with one of these where a one-time password is in them: now, and in old exports.
const CODES: [&str; 2] = ["$oneTimeCode", "TFC:Keeper"];

fn is(document: &Document<'_>) -> Likeness {
    let is_record = |record: &Value| {
        record.get("custom_fields").is_some()
            || record.get("$type").is_some()
            || record.get("login_url").is_some()
    };
    document
        .json()
        .is_some_and(|json| json.list("records").iter().any(is_record))
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    for (index, record) in json.list("records").iter().enumerate() {
        let codes = codes(&record["custom_fields"]);
        if codes.is_empty() {
            contents.skip(kind(record));
        }
        for code in codes {
            let login = Login {
                title: record.word("title").unwrap_or_default(),
                user: record.word("login").unwrap_or_default(),
                tags: folders(record),
                note: record.word("notes"),
                place: format!("record {}", index + 1),
                ..Login::default()
            };
            login.add(code, &mut contents);
        }
    }
    Ok(contents)
}

/// The one-time passwords: a text each, or a list of them.
fn codes(fields: &Value) -> Vec<&str> {
    let fields = fields.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| CODES.iter().any(|code| key.starts_with(code)))
        .flat_map(|(_, value)| match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        })
        .filter_map(Value::as_str)
        .filter(|code| !code.trim().is_empty())
        .collect()
}

fn kind(record: &Value) -> Other {
    match record["$type"].as_str() {
        Some("login" | "general") | None => Other::Login,
        Some("encryptedNotes" | "file") => Other::Note,
        Some("bankCard" | "bankAccount" | "contact" | "address" | "passport" | "driverLicense") => {
            Other::Card
        }
        Some("sshKeys" | "softwareLicense" | "serverCredentials") => Other::Key,
        Some(_) => Other::Thing,
    }
}

/// Own folders and shared ones.
fn folders(record: &Value) -> Vec<String> {
    let name = |folder: &Value| {
        let shared = || folder.tag("shared_folder");
        folder.tag("folder").or_else(shared)
    };
    tags(record.list("folders").iter().filter_map(name))
}
