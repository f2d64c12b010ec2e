//! The FIDO Alliance's Credential Exchange Format 1.0, as password managers hand their items to each other.

use serde_json::Value;

use crate::account::{Draft, MAX_TAGS};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::{Loose, word_of};
use crate::import::login::titled;
use crate::import::words::tag;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "cxf",
    app: "Credential Exchange Format (FIDO)",
    also: &["fido", "credential-exchange"],
    reads: "JSON that isn't encrypted",
    how: "\
1. In a password manager that offers it, export as \"Credential Exchange Format\" (CXF).
2. vmfa import export.json
3. Erase the file: its secrets are in clear.
What apps hand to each other directly never is a file, and can't be read.",
    seen: Seen::Description,
    is,
    read,
};

/// The version that is known.
const MAJOR: u64 = 1;

fn is(document: &Document<'_>) -> Likeness {
    let is_account = |account: &Value| {
        let mut items = account.list("items").iter();
        items.any(|item| item["credentials"].is_array())
    };
    let is = |json: &Value| {
        json.get("exporterRpId").is_some() && json["accounts"].is_array()
            || json.list("accounts").iter().any(is_account)
            || is_account(json)
    };
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    let major = json["version"].number("major");
    if let Some(major) = major.filter(|major| *major > MAJOR) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {major} of the Credential Exchange Format"
        )));
    }
    // One account may stand by itself.
    let alone = std::slice::from_ref(json);
    let accounts = match json["accounts"].as_array() {
        Some(accounts) => accounts,
        None => alone,
    };
    for account in accounts {
        for item in account.list("items") {
            put(item, account, &mut contents);
        }
    }
    Ok(contents)
}

fn put(item: &Value, account: &Value, contents: &mut Contents) {
    let credentials = item.list("credentials");
    let is = |credential: &&Value, kind: &str| credential["type"] == kind;
    let codes = || {
        credentials
            .iter()
            .filter(|credential| is(credential, "totp"))
    };
    if codes().next().is_none() {
        contents.skip(kind(credentials));
        return;
    }
    let user = credentials
        .iter()
        .find(|credential| is(credential, "basic-auth"))
        .and_then(|basic| text(&basic["username"]));
    for code in codes() {
        let place = format!("item {}", contents.rows.len() + 1);
        let title = item.word("title");
        let issuer = code
            .word("issuer")
            .filter(|issuer| !issuer.trim().is_empty());
        let draft = Draft {
            issuer: issuer.or_else(|| title.clone()),
            name: text(&code["username"]).or_else(|| user.clone()),
            secret: text(&code["secret"]).map(SecretText::new),
            algorithm: code.word("algorithm"),
            digits: code.word("digits"),
            period: code.word("period"),
            tags: tags(item, account),
            favorite: item.flag("favorite"),
            ..draft(place)
        };
        contents.rows.push(Ok(Draft {
            note: titled(title.as_deref(), &draft, None),
            ..draft
        }));
    }
}

/// A text, which may be a field that says of what kind it is.
fn text(value: &Value) -> Option<String> {
    let text = word_of(value).or_else(|| value.word("value"))?;
    (!text.trim().is_empty()).then_some(text)
}

fn kind(credentials: &[Value]) -> Other {
    let kinds = credentials
        .iter()
        .filter_map(|credential| credential["type"].as_str())
        .map(|kind| match kind {
            "passkey" => Other::Passkey,
            "basic-auth" => Other::Login,
            "note" => Other::Note,
            "credit-card" | "address" | "identity-document" | "passport" | "drivers-license"
            | "person-name" => Other::Card,
            "ssh-key" | "api-key" | "generated-password" | "wifi" => Other::Key,
            _ => Other::Thing,
        });
    kinds.min().unwrap_or(Other::Thing)
}

/// The item's own, and the titles of the collections that name it.
fn tags(item: &Value, account: &Value) -> Vec<String> {
    let own = item
        .list("tags")
        .iter()
        .take(MAX_TAGS)
        .filter_map(|word| word.as_str().map(tag));
    let holds = |collection: &&Value| {
        let links = collection.list("items").iter();
        item["id"].is_string()
            && links
                .into_iter()
                .any(|link| link == &item["id"] || link["item"] == item["id"])
    };
    let mut tags: Vec<String> = own.collect();
    let mut rest: Vec<&Value> = account.list("collections").iter().collect();
    while let Some(collection) = rest.pop() {
        if holds(&collection) {
            tags.extend(collection.tag("title"));
            if tags.len() > MAX_TAGS {
                break;
            }
        }
        rest.extend(collection.list("subCollections"));
    }
    tags
}
