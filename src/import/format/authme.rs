//! Authme: a list in text, four words an account, in base64 in JSON. It knows TOTP of the usual kind alone.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::account::Draft;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::words::in_base64;
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "authme",
    app: "Authme",
    also: &[],
    reads: "exports (.authme) that aren't encrypted",
    how: "\
1. In Authme open \"Export\", \"Export Authme file\".
2. vmfa import export.authme
3. Erase the file: its secrets are in clear.",
    seen: Seen::Description,
    is,
    read,
};

/// The newest version that is known.
const VERSION: u64 = 3;

fn is(document: &Document<'_>) -> Likeness {
    let is = |json: &Value| json.get("role").is_some() && json["codes"].is_string();
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    if json.flag("encrypted") {
        return Err(ImportError::BoundTo {
            by: "Authme: it is sealed with a key of Authme's own",
            instead: "in Authme use \"Export\", which writes a file in clear",
        });
    }
    let mut contents = Contents::default();
    if let Some(version) = json.number("version").filter(|version| *version > VERSION) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "version {version} of Authme's export"
        )));
    }
    let codes = in_base64(json, "codes")?;
    let text =
        std::str::from_utf8(&codes).map_err(|_| ImportError::damaged("codes is not text"))?;
    for (index, block) in blocks(text).into_iter().enumerate() {
        contents.rows.push(Ok(Draft {
            issuer: block.issuer,
            name: block.name,
            secret: block.secret,
            ..draft(format!("account {}", index + 1))
        }));
    }
    Ok(contents)
}

/// The words of one account.
#[derive(Default)]
struct Block {
    name: Option<String>,
    issuer: Option<String>,
    secret: Option<SecretText>,
}

/// One account ends where a word comes that it has already, or its type, which is the last.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let key = key.trim().to_ascii_lowercase();
        let value = Zeroizing::new(value.trim().to_owned());
        let is_known = |block: &Block| match key.as_str() {
            "name" => block.name.is_some(),
            "issuer" => block.issuer.is_some(),
            _ => block.secret.is_some(),
        };
        match key.as_str() {
            "name" | "issuer" | "secret" => {
                if !is_open || blocks.last().is_none_or(is_known) {
                    blocks.push(Block::default());
                    is_open = true;
                }
                let Some(block) = blocks.last_mut() else {
                    continue;
                };
                match key.as_str() {
                    "name" => block.name = Some(value.to_string()),
                    "issuer" => block.issuer = Some(value.to_string()),
                    _ => block.secret = Some(SecretText::new(value.to_string())),
                }
            }
            "type" => is_open = false,
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_with_their_type_or_where_a_word_repeats() {
        let text = "\nName:   a:b \r\nSecret: AA \nIssuer: X \nType:   OTP_TOTP\n\n\nName: c\nSecret: BB\nName: d\nno colon\nSecret: CC\nType: x\nType: x\nIssuer: Z";
        let found: Vec<(Option<String>, Option<String>, Option<String>)> = blocks(text)
            .into_iter()
            .map(|block| {
                let secret = block.secret.map(|secret| secret.expose().to_owned());
                (block.name, block.issuer, secret)
            })
            .collect();
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(
            found,
            [
                (word("a:b"), word("X"), word("AA")),
                (word("c"), None, word("BB")),
                (word("d"), None, word("CC")),
                (None, word("Z"), None),
            ]
        );
    }
}
