//! The apps whose tables are known by their columns, and how to get the export out of each.

use crate::import::document::Document;
use crate::import::format::csv::read;
use crate::import::format::{Format, Likeness, Seen};

/// Whether the file is a table with these columns.
pub(in crate::import::format) fn has(document: &Document<'_>, names: &[&str]) -> Likeness {
    let is_text = !document.begins_as_json();
    let table = document.table().filter(|_| is_text);
    table.is_some_and(|table| table.has(names)).into()
}

pub(in crate::import::format) const LASTPASS: Format = Format {
    id: "lastpass-vault",
    app: "LastPass, the password manager",
    also: &["lastpass-csv"],
    reads: "CSV of the vault",
    how: "\
1. In the browser's extension open \"Account\", \"Fix a problem yourself\", \"Export vault items\", \"Export data for use anywhere\";
   or in the vault on the web \"Advanced Options\", \"Export\". Confirm in the mail that comes.
   Where the file has no column totp, the codes are in LastPass Authenticator, which has an export of its own.
2. Save it as lastpass.csv.
3. vmfa import lastpass.csv
4. Erase the file: its passwords are in clear.",
    seen: Seen::Description,
    is: |document| has(document, &["url", "username", "extra", "name", "grouping", "fav"]),
    read,
};

pub(in crate::import::format) const APPLE: Format = Format {
    id: "apple",
    app: "Apple Passwords, Safari",
    also: &["apple-passwords", "safari", "icloud-keychain"],
    reads: "CSV; Safari's ZIP with it",
    how: "\
On a Mac (iPhone and iPad export it from Safari: Settings, Apps, Safari, \"Export\", \"Passwords\"):
1. Open Passwords, choose \"File\", \"Export All Passwords to File...\", confirm.
   In Safari: \"File\", \"Export Browsing Data to File...\", with \"Passwords\".
2. vmfa import Passwords.csv
3. Erase the file: its passwords are in clear.",
    seen: Seen::Description,
    is: |document| {
        has(
            document,
            &["title", "url", "username", "password", "notes", "otpauth"],
        )
    },
    read,
};

pub(in crate::import::format) const DASHLANE: Format = Format {
    id: "dashlane",
    app: "Dashlane",
    also: &[],
    reads: "CSV, and the ZIP with it",
    how: "\
1. In the web app open \"My account\", \"Settings\", \"Export data\", \"Export to CSV\".
2. vmfa import dashlane-credential-export.zip
   Or its credentials.csv alone: the other tables in it have no codes.
3. Erase the file: its passwords are in clear.",
    seen: Seen::Description,
    is: |document| {
        has(
            document,
            &["username", "username2", "title", "password", "category"],
        )
    },
    read,
};

pub(in crate::import::format) const MYKI: Format = Format {
    id: "myki",
    app: "Myki",
    also: &[],
    reads: "CSV",
    how: "\
The service ended in 2022; its exports are read still.
1. vmfa import myki.csv
   The column twofaSecret has the codes.",
    seen: Seen::Files,
    is: |document| has(document, &["nickname", "additionalinfo", "twofasecret"]),
    read,
};

pub(in crate::import::format) const ZOHO: Format = Format {
    id: "zoho-vault",
    app: "Zoho Vault",
    also: &["zoho"],
    reads: "CSV; it has no one-time passwords",
    how: "\
Zoho Vault's export has no one-time passwords in it: set each account up again, or read its QR code from the account's site.
A CSV is read all the same, for Key URIs in its notes:
1. In Zoho Vault open \"Settings\", \"Export Secrets\", and choose the general CSV.
2. vmfa import zoho.csv",
    seen: Seen::Files,
    is: |document| has(document, &["secret name", "secret url", "secretdata"]),
    read,
};

pub(in crate::import::format) const NORDPASS: Format = Format {
    id: "nordpass",
    app: "NordPass",
    also: &[],
    reads: "CSV; it has no one-time passwords",
    how: "\
NordPass's export has no one-time passwords in it: set each account up again, or read its QR code from the account's site.
A CSV is read all the same, for Key URIs in its notes:
1. In NordPass open \"Settings\", \"Import and export\", \"Export items\".
2. vmfa import nordpass.csv",
    seen: Seen::Files,
    is: |document| has(document, &["name", "url", "username", "password", "cardholdername"]),
    read,
};

pub(in crate::import::format) const ROBOFORM: Format = Format {
    id: "roboform",
    app: "RoboForm",
    also: &[],
    reads: "CSV",
    how: "\
1. In RoboForm open \"Options\", \"Account & Data\", \"Export\", and choose CSV.
2. vmfa import roboform.csv
   Codes are in it only where a login has a field \"TOTP KEY$\".
3. Erase the file: its passwords are in clear.",
    seen: Seen::Files,
    is: |document| has(document, &["name", "url", "login", "pwd"]),
    read,
};

pub(in crate::import::format) const FIREFOX: Format = Format {
    id: "firefox",
    app: "Firefox, its passwords",
    also: &["firefox-passwords"],
    reads: "CSV; it has no one-time passwords",
    how: "\
Firefox keeps no one-time passwords. A CSV of its passwords is read all the same, and said to have none:
1. Open about:logins, the menu, \"Export Passwords...\".
2. vmfa import logins.csv",
    seen: Seen::Files,
    is: |document| has(document, &["url", "username", "password", "httprealm", "guid"]),
    read,
};

pub(in crate::import::format) const CHROME: Format = Format {
    id: "chrome",
    app: "Chrome, Edge, Brave, Vivaldi, their passwords",
    also: &["edge", "brave", "vivaldi", "google-passwords"],
    reads: "CSV; it has no one-time passwords",
    how: "\
These browsers keep no one-time passwords. A CSV of their passwords is read all the same, and said to have none:
1. Open chrome://password-manager/settings, \"Export passwords\".
2. vmfa import passwords.csv
The codes of Google Authenticator are another thing: see `vmfa import --help qr`.",
    seen: Seen::Files,
    is: |document| {
        let is_plain = document.table().is_some_and(|table| table.names().len() <= 5);
        match is_plain {
            true => has(document, &["name", "url", "username", "password"]),
            false => Likeness::No,
        }
    },
    read,
};
