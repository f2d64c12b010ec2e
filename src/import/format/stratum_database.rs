//! Stratum's own database, from a rooted phone.

use std::collections::BTreeMap;

use crate::account::{Draft, SecretEncoding};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::sqlite::{self, Row};
use crate::import::words::{tag, tags};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "stratum-database",
    app: "Stratum's (Authenticator Pro's) database",
    also: &["stratum-sqlite", "authenticator-pro-database"],
    reads: "the SQLite database proauth.db3 of a Stratum without a password",
    how: "\
With Stratum at hand, use its backup (vmfa import --help stratum). From a rooted Android phone:
1. Copy /data/data/com.stratumauth.app/files/proauth.db3 here, with proauth.db3-wal if it is there.
   In old versions it is in /data/data/me.jmh.authenticatorpro/files.
2. vmfa import proauth.db3
With a password set in Stratum the database is encrypted with it: take the backup instead.",
    seen: Seen::Description,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    sqlite::names(
        document,
        &["authenticator", "username", "secret", "ranking"],
    )
    .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    let bytes = sqlite::whole(document, &mut contents)?;
    let mut tables = sqlite::open(
        bytes,
        &["authenticator", "category", "authenticatorcategory"],
    )?;
    let bindings = tables.pop().unwrap_or_default();
    let categories = tables.pop().unwrap_or_default();
    let names: BTreeMap<String, String> = categories
        .iter()
        .filter_map(|row| Some((row.word("id")?, tag(&row.word("name")?))))
        .collect();
    for (index, row) in tables.into_iter().flatten().enumerate() {
        let mut draft = account(&row, format!("row {}", index + 1));
        // An authenticator is known there by its secret.
        let mine = bindings.iter().filter(|binding| {
            let secret = binding.word("authenticatorsecret");
            secret.is_some() && secret == row.word("secret")
        });
        draft.tags =
            tags(mine.filter_map(|binding| names.get(&binding.word("categoryid")?).cloned()));
        contents.rows.push(Ok(draft));
    }
    Ok(contents)
}

fn account(row: &Row, place: String) -> Draft {
    let kind = row.word("type").unwrap_or_default();
    let kind = match kind.as_str() {
        "1" => "hotp",
        "2" => "totp",
        "3" => "motp",
        "4" => "steam",
        "5" => "yandex",
        other => other,
    };
    let has_period = kind == "totp";
    let algorithm = row.word("algorithm").unwrap_or_default();
    Draft {
        issuer: row.word("issuer"),
        name: row.word("username"),
        secret: row.word("secret").map(SecretText::new),
        secret_encoding: match kind {
            "motp" => SecretEncoding::Hex,
            _ => SecretEncoding::Base32,
        },
        algorithm: Some(match algorithm.as_str() {
            "0" => "SHA1".into(),
            "1" => "SHA256".into(),
            "2" => "SHA512".into(),
            _ => algorithm,
        }),
        digits: row.word("digits"),
        period: row.word("period").filter(|_| has_period),
        counter: row.word("counter").filter(|_| kind == "hotp"),
        pin: row.word("pin").map(SecretText::new),
        kind: Some(kind.to_owned()),
        ..draft(place)
    }
}
