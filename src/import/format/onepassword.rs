//! 1Password: the export 1PUX, its CSV, and the older vault in a directory, OPVault.

mod opvault;

pub(super) use opvault::OPVAULT;

use serde_json::Value;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, csv};
use crate::import::json::Loose;
use crate::import::login::Login;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "1password",
    app: "1Password",
    also: &["1pux", "onepassword"],
    reads: "1PUX, CSV",
    how: "\
1. In the desktop app (the others have no export) choose on a Mac \"File\", \"Export\", on Windows and Linux the three dots at the
   top of the sidebar, \"Export\"; then the account, and the format 1PUX: it has all codes of an item, CSV has one.
2. vmfa import 1PasswordExport.1pux
3. Erase the file: its passwords are in clear.",
    seen: Seen::Description,
    is,
    read,
};

/// The columns of its CSV; older ones lack the last.
const COLUMNS: [&str; 6] = [
    "title", "username", "password", "otpauth", "favorite", "archived",
];

fn is(document: &Document<'_>) -> Likeness {
    let has_vaults = |json: &Value| {
        json.list("accounts")
            .iter()
            .any(|account| account["vaults"].is_array())
    };
    match document.json() {
        Some(json) => has_vaults(json).into(),
        None => csv::has(document, &COLUMNS),
    }
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return csv::read(document, passphrase);
    };
    let mut contents = Contents::default();
    let mut number = 0;
    for account in json.list("accounts") {
        for vault in account.list("vaults") {
            let name = vault["attrs"].tag("name").unwrap_or_default();
            for item in vault.list("items") {
                number += 1;
                // Older files have each in a wrapper.
                let item = item.get("item").unwrap_or(item);
                read_item(item, &name, number, &mut contents);
            }
        }
    }
    if contents.rows.is_empty() {
        contents.remarks.push(Remark::NoCodes);
    }
    Ok(contents)
}

fn read_item(item: &Value, vault: &str, number: usize, contents: &mut Contents) {
    let (overview, details) = (&item["overview"], &item["details"]);
    let mut tags = vec![vault.to_owned()];
    tags.extend(words(overview.list("tags")));
    if item.word("state").is_some_and(|state| state == "archived") {
        tags.push("archived".into());
    }
    let mut login = Login {
        // It may hold anything: passwords, recovery codes.
        note: None,
        title: overview.word("title").unwrap_or_default(),
        user: user(details.list("loginFields")),
        tags,
        favorite: item.number("favIndex").is_some_and(|index| index > 0),
        place: format!("item {number}"),
    };
    let fields = details.list("sections").iter();
    let codes: Vec<(SecretText, String)> = fields
        .flat_map(|section| section.list("fields"))
        .filter_map(|field| {
            let code = field["value"].secret("totp")?;
            let title = field.word("title").unwrap_or_default();
            Some((code, title)).filter(|(code, _)| says(code))
        })
        .collect();
    if codes.is_empty() {
        let category = item.word("categoryUuid").unwrap_or_default();
        contents.skip(other(&category));
    }
    add_all(&mut login, &codes, contents);
}

/// Adds the codes of one item. Where it has several, the title of a code's field tells it from the others, if the code itself
/// has no name.
fn add_all(login: &mut Login, codes: &[(SecretText, String)], contents: &mut Contents) {
    let user = login.user.clone();
    for (index, (code, title)) in codes.iter().enumerate() {
        let title = title.trim();
        login.user = match (codes.len(), title) {
            (1, _) | (_, "") => user.clone(),
            _ if index == 0 => user.clone(),
            _ if user.is_empty() => title.to_owned(),
            _ => format!("{user} ({title})"),
        };
        login.add(code.expose(), contents);
    }
}

fn says(code: &SecretText) -> bool {
    !code.expose().trim().is_empty()
}

fn words(list: &[Value]) -> impl Iterator<Item = String> {
    list.iter().filter_map(Value::as_str).map(str::to_owned)
}

/// The user name among the fields of a login.
fn user(fields: &[Value]) -> String {
    let mut names = fields
        .iter()
        .filter(|field| field["designation"] == "username");
    names
        .find_map(|field| field.word("value"))
        .unwrap_or_default()
}

/// What an item without a code is, by 1Password's numbers.
fn other(category: &str) -> Other {
    match category {
        "001" | "005" => Other::Login,
        "003" => Other::Note,
        "002" | "004" | "101" | "103" | "105" | "106" | "107" | "108" => Other::Card,
        "100" | "112" | "114" => Other::Key,
        _ => Other::Thing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::within;

    fn read_text(text: &str) -> Contents {
        within(text.as_bytes(), |document| {
            assert_eq!(is(document), Likeness::Yes);
            read(document, None)
        })
        .unwrap()
    }

    #[test]
    fn every_code_of_an_item_comes_in_under_a_name_of_its_own() {
        let contents = read_text(
            r#"{"accounts":[{"vaults":[{"attrs":{"name":"V"},"items":[
            {"item":{"state":"archived","favIndex":2,"categoryUuid":"001",
              "overview":{"title":"Site","tags":["work"]},
              "details":{"loginFields":[{"designation":"username","value":"me"}],"sections":[
                {"fields":[{"title":"one-time password","value":{"totp":"JBSWY3DPEHPK3PXP"}},
                           {"title":"backup","value":{"totp":"GEZDGNBVGY3TQOJQ"}},
                           {"title":"empty","value":{"totp":""}},
                           {"title":"pin","value":{"concealed":"1"}}]}]}}},
            {"categoryUuid":"003","overview":{"title":"A note"},"details":{"sections":null}},
            null, 7]}]}]}"#,
        );
        let told: Vec<_> = contents
            .rows
            .iter()
            .flatten()
            .map(|draft| {
                (
                    draft.issuer.as_deref(),
                    draft.name.as_deref(),
                    draft.favorite,
                    draft.tags.join(" "),
                )
            })
            .collect();
        let tags = "V work archived".to_owned();
        assert_eq!(
            told,
            [
                (Some("Site"), Some("me"), true, tags.clone()),
                (Some("Site"), Some("me (backup)"), true, tags),
            ]
        );
        assert_eq!(contents.skipped[&Other::Note], 1);
        assert_eq!(contents.skipped[&Other::Thing], 2);
    }

    #[test]
    fn an_export_without_codes_says_so() {
        let contents = read_text(r#"{"accounts":[{"vaults":[]}]}"#);
        assert_eq!(contents.remarks, [Remark::NoCodes]);
    }
}
