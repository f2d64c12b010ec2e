//! 2FAuth: an export in JSON, either of its own words or of Key URIs.

use serde_json::Value;

use crate::account::{Draft, Refusal, key_uri};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::json::Loose;
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "2fauth",
    app: "2FAuth",
    also: &["twofauth"],
    reads: "exports in JSON, of its own format and of otpauth URIs",
    how: "\
1. In 2FAuth open \"Manage\", select the accounts, then \"Export\".
2. Choose the \"2FAuth\" format; \"otpauth\" is read too.
3. Bring the file here, then:  vmfa import 2fauth_export.json
4. Erase the file: its secrets are in clear.",
    seen: Seen::Files,
    is,
    read,
};

/// The newest layout that is known.
const SCHEMA: u64 = 1;

fn is(document: &Document<'_>) -> Likeness {
    let is = |json: &Value| {
        let app = json.word("app").unwrap_or_default().to_ascii_lowercase();
        app.starts_with("2fauth") && json["data"].is_array()
    };
    document.json().is_some_and(is).into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let Some(json) = document.json() else {
        return Err(ImportError::damaged("it is not JSON"));
    };
    let mut contents = Contents::default();
    if let Some(schema) = json.number("schema").filter(|schema| *schema > SCHEMA) {
        contents.remarks.push(Remark::NewerVersion(format!(
            "schema {schema} of 2FAuth's export"
        )));
    }
    for (index, entry) in json.list("data").iter().enumerate() {
        let place = format!("entry {}", index + 1);
        contents.rows.push(match entry.secret("uri") {
            Some(uri) => uri_of(uri.expose(), place),
            None => Ok(account(entry, place)),
        });
    }
    Ok(contents)
}

/// 2FAuth decodes a URI before it writes it: a plus in it is meant, where elsewhere it would be a space.
fn uri_of(uri: &str, place: String) -> Result<Draft, Refusal> {
    let is_decoded = !uri.contains('%');
    let uri = SecretText::new(match is_decoded {
        true => uri.replace('+', "%2B"),
        false => uri.to_owned(),
    });
    match key_uri::read(uri.expose()) {
        Ok(draft) => {
            // An ampersand that was decoded cuts the parameter; the label still has all of it.
            let cut = draft.issuer.as_deref().filter(|_| is_decoded);
            let whole = cut.and_then(|issuer| {
                let prefix = draft.label_issuer.as_deref()?;
                prefix
                    .strip_prefix(issuer)?
                    .starts_with('&')
                    .then(|| prefix.to_owned())
            });
            Ok(Draft {
                issuer: whole.or(draft.issuer),
                place,
                ..draft
            })
        }
        Err(refusal) => Err(Refusal { place, ..refusal }),
    }
}

fn account(entry: &Value, place: String) -> Draft {
    let kind = entry.word("otp_type").map(|kind| match kind.as_str() {
        "steamtotp" => "steam".into(),
        _ => kind,
    });
    Draft {
        kind,
        issuer: entry.word("service"),
        name: entry.word("account"),
        secret: entry.secret("secret"),
        algorithm: entry.word("algorithm"),
        digits: entry.word("digits"),
        period: entry.word("period"),
        counter: entry.word("counter"),
        ..draft(place)
    }
}
