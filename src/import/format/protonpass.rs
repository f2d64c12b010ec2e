//! Proton Pass: its export in JSON, alone or in a ZIP, and its CSV.

use serde_json::Value;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, csv};
use crate::import::json::Loose;
use crate::import::login::Login;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "protonpass",
    app: "Proton Pass",
    also: &["proton-pass"],
    reads: "JSON, alone or in a ZIP; CSV",
    how: "\
1. In the web app or the desktop app open \"Settings\", \"Export\". Choose the format ZIP without encryption, or CSV.
   (The format PGP is for gpg: open it with `gpg -d FILE.pgp > data.json`, and import that.)
2. vmfa import \"Proton Pass_export.zip\"
3. Erase the file: its passwords are in clear.
Proton Authenticator, the other app, has an export of its own.",
    seen: Seen::Description,
    is,
    read,
};

/// The state of an item in the trash.
const TRASHED: u64 = 2;

fn is(document: &Document<'_>) -> Likeness {
    match document.json() {
        Some(json) => (json["vaults"].is_object() && json.get("version").is_some()).into(),
        None => csv::has(document, &["type", "name", "email", "totp", "vault"]),
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return csv::read(document, passphrase);
    };
    let vaults = json["vaults"]
        .as_object()
        .ok_or_else(|| ImportError::damaged("it has no vaults"))?;
    let mut contents = Contents::default();
    let mut number = 0;
    for vault in vaults.values() {
        let name = vault.tag("name").unwrap_or_default();
        for item in vault.list("items") {
            number += 1;
            match item.number("state") {
                Some(TRASHED) => contents.skip(Other::Trashed),
                Some(_) | None => read_item(item, &name, number, &mut contents),
            }
        }
    }
    if contents.rows.is_empty() {
        contents.remarks.push(Remark::NoCodes);
    }
    Ok(contents)
}

fn read_item(item: &Value, vault: &str, number: usize, contents: &mut Contents) {
    let (data, content) = (&item["data"], &item["data"]["content"]);
    let names = ["itemUsername", "username", "itemEmail"];
    let mut login = Login {
        title: data["metadata"].word("name").unwrap_or_default(),
        user: names
            .iter()
            .filter_map(|name| content.word(name))
            .find(|name| !name.trim().is_empty())
            .unwrap_or_default(),
        tags: vec![vault.to_owned()],
        place: format!("item {number}"),
        ..Login::default()
    };
    let says = |code: &SecretText| !code.expose().trim().is_empty();
    let first = content.secret("totpUri").filter(says);
    // A custom item has its fields in sections.
    let sections = content.list("sections").iter();
    let fields = data
        .list("extraFields")
        .iter()
        .chain(sections.flat_map(|section| section.list("sectionFields")));
    let more: Vec<(SecretText, String)> = fields
        .filter(|field| field["type"] == "totp")
        .filter_map(|field| {
            let code = field["data"].secret("totpUri").filter(says)?;
            Some((code, field.word("fieldName").unwrap_or_default()))
        })
        .collect();
    if first.is_none() && more.is_empty() {
        contents.skip(other(&data.word("type").unwrap_or_default()));
    }
    if let Some(code) = &first {
        login.add(code.expose(), contents);
    }
    let title = std::mem::take(&mut login.title);
    for (code, field) in more {
        // The name of a field says for what its code is, where the code has no name.
        login.title = match (field.trim(), title.trim()) {
            ("", title) => title.to_owned(),
            (field, "") => field.to_owned(),
            (field, title) => format!("{title} - {field}"),
        };
        login.add(code.expose(), contents);
    }
}

/// What an item without a code is.
fn other(kind: &str) -> Other {
    match kind {
        "login" => Other::Login,
        "note" => Other::Note,
        "creditCard" | "identity" => Other::Card,
        "sshKey" => Other::Key,
        _ => Other::Thing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::within;

    #[test]
    fn codes_of_other_fields_come_in_and_what_is_none_is_counted() {
        let text = r#"{"version":"1.30.0","vaults":{"a":{"name":"V","items":[
            {"state":1,"data":{"type":"login","metadata":{"name":"Site"},
              "content":{"itemEmail":"me@example.com","itemUsername":"","totpUri":"JBSWY3DPEHPK3PXP"},
              "extraFields":[{"fieldName":"admin","type":"totp","data":{"totpUri":"GEZDGNBVGY3TQOJQ"}},
                             {"fieldName":"x","type":"text","data":{"content":"y"}},
                             {"fieldName":"x","type":"totp","data":null}]}},
            {"state":2,"data":{"type":"login","content":{"totpUri":"JBSWY3DPEHPK3PXP"}}},
            {"state":1,"data":{"type":"creditCard","content":null}}, null]}}}"#;
        let contents = within(text.as_bytes(), |document| {
            assert_eq!(is(document), Likeness::Yes);
            read(document, None)
        })
        .unwrap();
        let told: Vec<_> = contents
            .rows
            .iter()
            .flatten()
            .map(|draft| (draft.issuer.as_deref(), draft.name.as_deref()))
            .collect();
        let user = Some("me@example.com");
        assert_eq!(told, [(Some("Site"), user), (Some("Site - admin"), user)]);
        let skipped: Vec<_> = contents.skipped.into_iter().collect();
        assert_eq!(
            skipped,
            [(Other::Card, 1), (Other::Trashed, 1), (Other::Thing, 1)]
        );
    }
}
