//! Microsoft Authenticator's own database, from a rooted phone.

use crate::account::{Draft, SecretEncoding};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::sqlite::{self, Row};
use crate::import::{Contents, ImportError, Other};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "microsoft",
    app: "Microsoft Authenticator",
    also: &["microsoft-authenticator", "phonefactor"],
    reads: "the database PhoneFactor with PhoneFactor-wal beside it",
    how: "\
Microsoft Authenticator has no export, and its cloud backup goes only to itself. From a rooted Android phone:
1. Copy /data/data/com.azure.authenticator/databases/PhoneFactor here, with PhoneFactor-wal: without it new accounts are missing.
2. vmfa import PhoneFactor
Without root: open each web site's security settings and add an authenticator app again. For a work account say
\"I want to use a different authenticator app\" at https://mysignins.microsoft.com/security-info.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    sqlite::names(document, &["accounts", "oath_secret_key"]).into()
}

/// Which accounts have codes.
const USUAL: &str = "0";
const WORK: &str = "1";

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    let bytes = sqlite::whole(document, &mut contents)?;
    let tables = sqlite::open(bytes, &["accounts"])?;
    let mut sealed = 0;
    for (index, row) in tables.into_iter().flatten().enumerate() {
        let has_secret = row.says("oath_secret_key");
        let is_sealed = !has_secret && row.says("encrypted_oath_secret_key");
        let kind = row.word("account_type").unwrap_or_default();
        if !(has_secret || is_sealed) || kind != USUAL && kind != WORK {
            contents.skip(Other::Push);
            continue;
        }
        sealed += usize::from(is_sealed);
        let draft = account(&row, kind == WORK, format!("row {}", index + 1));
        contents.rows.push(Ok(draft));
    }
    match sealed {
        0 => Ok(contents),
        sealed if sealed < contents.rows.len() => Ok(contents),
        _ => Err(ImportError::BoundTo {
            by: "the phone's key store",
            instead: "add an authenticator app again in each web site's security settings",
        }),
    }
}

fn account(row: &Row, is_work: bool, place: String) -> Draft {
    Draft {
        issuer: row.word("name"),
        name: row.word("username"),
        secret: row
            .word("oath_secret_key")
            .filter(|secret| !secret.trim().is_empty())
            .map(SecretText::new),
        secret_encoding: match is_work {
            true => SecretEncoding::Base64,
            false => SecretEncoding::Base32,
        },
        digits: is_work.then(|| "8".into()),
        ..draft(place)
    }
}
