//! Tables of logins: the CSV of password managers and browsers, and any other with a column for codes.
//!
//! All are read alike, by the names of their columns; that an app's own names are known serves to name the app. A login
//! without a code is counted. Browsers and some managers export no codes at all, which is said.

mod apps;
mod columns;

pub(super) use apps::{
    APPLE, CHROME, DASHLANE, FIREFOX, LASTPASS, MYKI, NORDPASS, ROBOFORM, ZOHO, has,
};

use crate::account::{Draft, Refusal, key_uri};
use crate::import::document::Document;
use crate::import::format::csv::columns::Columns;
use crate::import::format::{Format, Likeness, Seen, draft, keepass};
use crate::import::login::{Login, is_uri};
use crate::import::table::{Row, Table};
use crate::import::{Contents, ImportError, Remark};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "csv",
    app: "a table of logins (CSV)",
    also: &["table", "keepassxc-csv"],
    reads: "CSV with a column for codes: otpauth, otpurl, totp, 2fa, TimeOtp-Secret-Base32 and the like",
    how: "\
1. In the app export as CSV, with the one-time passwords where it asks.
2. vmfa import export.csv
   The first line has to name the columns. The code may be a Key URI (otpauth://…) or the bare secret; names come from
   columns such as title, name, issuer, username, account, email.
3. Erase the file: its secrets, and passwords, are in clear.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    if document.begins_as_json() || document.xml().is_some() {
        return Likeness::No;
    }
    let Some(table) = document.table() else {
        return Likeness::No;
    };
    let columns = Columns::of(table);
    let is_login = table.names().len() > 1 && (columns.has_password() || columns.has_code());
    let has_uris = || {
        table.names().len() > 1
            && !table.names()[0].starts_with('#')
            && table
                .rows()
                .iter()
                .any(|row| row.cells().count() > 1 && row.cells().any(is_code_uri))
            && !table
                .rows()
                .iter()
                .any(|row| row.cells().count() == 1 && row.cells().any(is_code_uri))
            && !table.names().iter().any(|name| is_uri(name))
    };
    match is_login || has_uris() {
        true => Likeness::Yes,
        false if is_nameless(table) => Likeness::Perhaps,
        false => Likeness::No,
    }
}

/// Whether it has rows as logins are, and no line that names them: old exports of Dashlane begin so.
fn is_nameless(table: &Table) -> bool {
    let rows = table.rows();
    let with_site = rows.iter().filter(|row| {
        let sites = row.cells().filter(|cell| cell.starts_with("http"));
        row.cells().count() >= 4 && sites.count() >= 1
    });
    rows.len() >= 3 && with_site.count() * 2 > rows.len()
}

pub(super) fn read(
    document: &Document<'_>,
    _: Option<&SecretText>,
) -> Result<Contents, ImportError> {
    let table = document
        .table()
        .ok_or_else(|| ImportError::damaged("it is no table"))?;
    let columns = Columns::of(table);
    let mut contents = Contents::default();
    for row in table.rows() {
        let login = columns.login(row);
        let found = codes(&columns, row, &login);
        if !found.is_empty() {
            contents.rows.extend(found);
            continue;
        }
        let more = further_uris(row);
        match more.is_empty() {
            true => contents.skip(columns.other(row)),
            false => more.iter().for_each(|uri| login.add(uri, &mut contents)),
        }
    }
    if contents.rows.is_empty() && contents.texts.is_empty() {
        contents.remarks.push(Remark::NoCodes);
    }
    Ok(contents)
}

/// The codes of a row: those of KeePass's fields, else of the first column for codes that has something in it.
fn codes(columns: &Columns<'_>, row: &Row, login: &Login) -> Vec<Result<Draft, Refusal>> {
    let field = |name: &str| match name {
        // Other apps have columns of this name too, and passwords for once in them.
        "otp" => columns
            .cell(row, name)
            .filter(|cell| is_uri(cell) || cell.contains("key=")),
        _ => columns.cell(row, name),
    };
    let of_keepass = keepass::codes(&field, login);
    if !of_keepass.is_empty() {
        return of_keepass;
    }
    let Some(code) = columns.code(row) else {
        return Vec::new();
    };
    if is_uri(code) {
        return vec![login.account(code)];
    }
    let word = |names: &[&str]| columns.first(row, names).map(str::to_owned);
    vec![Ok(login.named(Draft {
        kind: word(&["type"]).filter(|kind| columns::is_kind(kind)),
        secret: Some(SecretText::new(code.to_owned())),
        algorithm: word(&["algorithm", "algo"]),
        digits: word(&["digits"]),
        period: word(&["period", "interval", "timestep"]),
        counter: word(&["counter"]),
        ..draft(login.place.clone())
    }))]
}

/// Key URIs that stand in other columns: in a note, in a field of the person's own.
fn further_uris(row: &Row) -> Vec<&str> {
    row.cells()
        .flat_map(str::lines)
        .flat_map(key_uri::split)
        .filter(|piece| is_code_uri(piece))
        .collect()
}

fn is_code_uri(text: &str) -> bool {
    let text = text.trim_start();
    ["otpauth://", "otpauth-migration://", "apple-otpauth://"]
        .iter()
        .any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document::within;

    fn told(text: &str) -> (Vec<String>, usize, bool) {
        let contents = within(text.as_bytes(), |document| {
            assert_ne!(is(document), Likeness::No, "{text}");
            read(document, None)
        })
        .unwrap();
        let rows = contents.rows.iter().map(|row| match row {
            Ok(draft) => {
                let secret = draft.secret.as_ref().map_or("", |secret| secret.expose());
                let digits = draft.digits.as_deref().unwrap_or("-");
                format!("{} {secret} {digits} {}", draft.label(), draft.place)
            }
            Err(refusal) => refusal.class().to_owned(),
        });
        let skipped = contents.skipped.values().sum();
        let says_none = contents.remarks.contains(&Remark::NoCodes);
        (rows.collect(), skipped, says_none)
    }

    #[test]
    fn a_bare_secret_is_a_code_only_where_no_password_may_be_meant() {
        let code = "name,issuer,secret,digits\nme,Site,JBSWY3DP,8\n";
        let expected = vec!["Site:me JBSWY3DP 8 line 2".to_owned()];
        assert_eq!(told(code), (expected, 0, false));
        let password = "name,secret,type,password\nme,JBSWY3DP,login,x\n";
        assert_eq!(told(password), (vec![], 1, true));
    }

    #[test]
    fn codes_stand_in_notes_and_in_fields_of_their_own() {
        let note = "name,url,username,password,note\nSite,,me,x,\"mine:\notpauth://totp/?secret=JBSWY3DP\"\n";
        assert_eq!(told(note).0, ["Site:me JBSWY3DP - line 2"]);
        let roboform = "Name,Url,Login,Pwd,Note,Folder,Rf_fields\n\
            Site,,me,x,,,User$:txt:me,TOTP KEY$:txt:JBSWY3DP\nOther,,me,x,,,User$:txt:me\n";
        assert_eq!(
            told(roboform),
            (vec!["Site:me JBSWY3DP - line 2".into()], 1, false)
        );
    }

    #[test]
    fn a_short_row_and_a_row_without_names_are_rows_all_the_same() {
        let table =
            "title,username,totp\nSite\n,,JBSWY3DP\nSite,me,otpauth://totp?secret=,more,and more\n";
        let (rows, skipped, _) = told(table);
        assert_eq!((rows.len(), skipped), (2, 1));
        assert_eq!(rows[0], " JBSWY3DP - line 3");
    }

    #[test]
    fn a_table_that_names_no_columns_is_logins_if_it_looks_so() {
        let row = "\"Site\",\"https://example.com\",\"me\",\"pass,word\",\"\"\n";
        assert_eq!(
            told(&format!("\"empty entry\"\n{}", row.repeat(3))),
            (vec![], 3, true)
        );
    }

    #[test]
    fn a_list_of_key_uris_is_no_table() {
        for text in [
            "otpauth://totp/a?secret=JBSWY3DP,otpauth://totp/b?secret=JBSWY3DP\n",
            "# mine, and others\notpauth://totp/a?secret=JBSWY3DP\n",
            "hunter2\notpauth://totp/a?secret=JBSWY3DP\n",
            "[\"password\",\"totp\"]",
        ] {
            let likeness = within(text.as_bytes(), |document| Ok(is(document)));
            assert_eq!(likeness, Ok(Likeness::No), "{text}");
        }
    }
}
