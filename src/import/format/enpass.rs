//! Enpass: an export in JSON.

use serde_json::Value;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::json::Loose;
use crate::import::login::Login;
use crate::import::words::tags;
use crate::import::{Contents, ImportError, Other};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "enpass",
    app: "Enpass",
    also: &[],
    reads: "exports in JSON",
    how: "\
1. In Enpass on a computer open the menu, \"File\", \"Export\".
2. Choose the format \".json\".
3. vmfa import enpass.json
4. Erase the file: all of its passwords are in clear.",
    seen: Seen::Description,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is = |json: &Value| {
        let mut items = json.list("items").iter();
        json.get("encrypted").is_none()
            && items.any(|item| {
                item["fields"].is_array()
                    && item.get("title").is_some()
                    && item.get("login").is_none()
            })
    };
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    for (index, item) in json.list("items").iter().enumerate() {
        let fields = item.list("fields").iter();
        // A field may be empty, and one that was deleted may still be there.
        let fields = || fields.clone().filter(|field| !field.flag("deleted"));
        let of = |kind: &str| {
            let mut values = fields()
                .filter(|field| field["type"] == kind)
                .filter_map(|field| field["value"].as_str());
            values.find(|value| !value.trim().is_empty())
        };
        let codes: Vec<&str> = fields()
            .filter(|field| field["type"] == "totp")
            .filter_map(|field| field["value"].as_str())
            .filter(|code| !code.trim().is_empty())
            .collect();
        if codes.is_empty() {
            contents.skip(kind(item));
            continue;
        }
        if item.flag("trashed") {
            contents.skip(Other::Trashed);
            continue;
        }
        for code in codes {
            let login = Login {
                title: item.word("title").unwrap_or_default(),
                user: of("username")
                    .or_else(|| of("email"))
                    .unwrap_or_default()
                    .to_owned(),
                tags: folders(item, json),
                note: item.word("note"),
                place: format!("item {}", index + 1),
                ..Login::default()
            };
            login.add(code, &mut contents);
        }
    }
    Ok(contents)
}

fn kind(item: &Value) -> Other {
    match item["category"].as_str() {
        Some("login" | "password") => Other::Login,
        Some("note") => Other::Note,
        Some("creditcard" | "identity" | "finance" | "travel") => Other::Card,
        Some("license" | "computer") => Other::Key,
        Some(_) | None => Other::Thing,
    }
}

fn folders(item: &Value, json: &Value) -> Vec<String> {
    let name = |id: &Value| {
        let mut folders = json.list("folders").iter();
        folders
            .find(|folder| !id.is_null() && &folder["uuid"] == id)?
            .tag("title")
    };
    tags(item.list("folders").iter().take(256).filter_map(name))
}
