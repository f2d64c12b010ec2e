//! What the columns of a table of logins are, by their names.

use crate::import::Other;
use crate::import::login::{Login, is_uri};
use crate::import::table::{Row, Table};

/// Columns for codes, the surest first.
const CODES: [&str; 25] = [
    "otpauth",
    "otpurl",
    "otpsecret",
    "totp",
    "login_totp",
    "totpuri",
    "totp uri",
    "totp_uri",
    "totp secret",
    "totp_secret",
    "totpsecret",
    "2fa",
    "2fa secret",
    "2fa_secret",
    "2fasecret",
    "twofasecret",
    "mfa",
    "mfa_secret",
    "otp_secret",
    "otp secret",
    "two factor code",
    "two-factor code",
    "one-time password",
    "one_time_password",
    "authenticator key",
];

/// Columns of KeePass's own fields, which say how the secret is written.
const KEEPASS: [&str; 9] = [
    "totp seed",
    "timeotp-secret",
    "timeotp-secret-base32",
    "timeotp-secret-hex",
    "timeotp-secret-base64",
    "hmacotp-secret",
    "hmacotp-secret-base32",
    "hmacotp-secret-hex",
    "hmacotp-secret-base64",
];

const TITLES: [&str; 7] = [
    "title",
    "issuer",
    "service",
    "name",
    "nickname",
    "secret name",
    "site",
];

const USERS: [&str; 15] = [
    "username",
    "login_username",
    "user name",
    "login name",
    "login",
    "user",
    "account",
    "account name",
    "email",
    "e-mail",
    "mail",
    "username2",
    "username3",
    "label",
    "name",
];

const PASSWORDS: [&str; 6] = [
    "password",
    "login_password",
    "pwd",
    "secretdata",
    "pass",
    "passwd",
];

/// The columns of a table.
pub(super) struct Columns<'a> {
    table: &'a Table,
    title: Option<&'static str>,
}

/// The first of these names that the table has.
fn named(table: &Table, names: &[&'static str]) -> Option<&'static str> {
    names
        .iter()
        .copied()
        .find(|name| table.column(name).is_some())
}

/// Whether a word is a type of code, as scripts write it.
pub(super) fn is_kind(word: &str) -> bool {
    ["totp", "hotp", "steam"]
        .iter()
        .any(|kind| word.trim().eq_ignore_ascii_case(kind))
}

impl<'a> Columns<'a> {
    pub(super) fn of(table: &'a Table) -> Self {
        // In KeePass 1 and where there is no other title, the account is the title.
        let title = named(table, &TITLES).or_else(|| {
            let is_title = named(table, &USERS).is_some_and(|user| user != "account");
            named(table, &["account"]).filter(|_| is_title)
        });
        Self { table, title }
    }

    pub(super) fn has_password(&self) -> bool {
        named(self.table, &PASSWORDS).is_some()
    }

    /// Whether there is a column for codes.
    pub(super) fn has_code(&self) -> bool {
        named(self.table, &CODES).is_some()
            || named(self.table, &KEEPASS).is_some()
            || self.has_secret()
    }

    /// Whether the column `secret` is a code's: where there is a password too, it may be anything.
    fn has_secret(&self) -> bool {
        let others = ["issuer", "digits", "period", "counter", "algorithm", "type"];
        self.table.has(&["secret"]) && !self.has_password() && named(self.table, &others).is_some()
    }

    /// A cell by the name of its column, in any case.
    pub(super) fn cell<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        let column = self.table.column(&name.to_lowercase())?;
        row.cell(column).filter(|cell| !cell.trim().is_empty())
    }

    /// The first of these that has something in it.
    pub(super) fn first<'r>(&self, row: &'r Row, names: &[&str]) -> Option<&'r str> {
        self.table.cell(row, names).map(str::trim)
    }

    /// The code of a row.
    pub(super) fn code<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let uri = |name: &&str| self.first(row, &[name]).filter(|cell| is_otp_uri(cell));
        if let Some(code) = self.first(row, &CODES) {
            return Some(code);
        }
        if let Some(uri) = ["url", "secret", "otp", "uri", "key", "link"]
            .iter()
            .find_map(uri)
        {
            return Some(uri);
        }
        if let Some(code) = of_roboform(row) {
            return Some(code);
        }
        self.first(row, &["secret"]).filter(|_| self.has_secret())
    }

    /// What the row says of its login.
    pub(super) fn login(&self, row: &Row) -> Login {
        let title = self.title.and_then(|title| self.first(row, &[title]));
        let users: Vec<&str> = USERS
            .iter()
            .copied()
            .filter(|user| Some(*user) != self.title)
            .collect();
        let user = self.first(row, &users).unwrap_or_default();
        let site = || {
            let url = self.first(
                row,
                &["url", "website", "web site", "login_uri", "secret url"],
            );
            url.filter(|url| !is_otp_uri(url)).map(host)
        };
        Login {
            title: title.or_else(site).unwrap_or_default().to_owned(),
            user: user.to_owned(),
            place: format!("line {}", row.line),
            ..Login::default()
        }
    }

    /// What a row without a code is.
    pub(super) fn other(&self, row: &Row) -> Other {
        let kind = self
            .first(row, &["type"])
            .unwrap_or_default()
            .to_lowercase();
        let is_note_of_lastpass = self.first(row, &["url"]) == Some("http://sn");
        match kind.as_str() {
            "note" | "securenote" | "secure note" => Other::Note,
            "card" | "creditcard" | "credit_card" | "identity" | "bankaccount" => Other::Card,
            "passkey" => Other::Passkey,
            "sshkey" | "ssh" => Other::Key,
            _ if is_note_of_lastpass => Other::Note,
            _ => Other::Login,
        }
    }
}

fn is_otp_uri(cell: &str) -> bool {
    is_uri(cell)
        && ["otpauth", "apple-otpauth", "steam:", "motp:"]
            .iter()
            .any(|scheme| cell.to_ascii_lowercase().starts_with(scheme))
}

/// RoboForm writes fields one a cell, behind the last column: `TOTP KEY$:txt:SECRET`, or with commas.
fn of_roboform(row: &Row) -> Option<&str> {
    let field = row.cells().find(|cell| {
        cell.get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case("TOTP KEY$"))
    })?;
    let rest = field.get(9..)?;
    if let Some(at) = rest.find("otpauth:") {
        return rest.get(at..);
    }
    let secret = rest.rsplit([':', ',']).next()?.trim();
    Some(secret).filter(|secret| !secret.is_empty())
}

/// The host of a web address, without its `www.`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}
