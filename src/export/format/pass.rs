//! pass, gopass and what reads their entries: a directory of texts, each a Key URI.

use std::collections::HashSet;

use crate::account::{Account, key_uri};
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::{ExportError, Form, Output};
use crate::secret::Secret;

pub(super) const TARGET: Target = Target {
    id: "pass",
    app: "pass (pass-otp), gopass",
    also: &["pass-otp", "gopass", "password-store"],
    writes: "a directory with a text for each account, to be taken in by `pass insert`",
    sealing: Sealing::Never,
    shape: Shape::Tree,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp],
        algorithms: &USUAL,
        digits: &[6, 7, 8],
        tags: Tags::None,
        note: false,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        ..Can::ALL
    },
    read_by: Some("uris"),
    unread: &[],
    how: "\
1. vmfa export --to pass --plaintext --out otp
2. cd otp && find . -type f | while read -r file; do
       name=${file#./}; pass insert --multiline \"otp/${name%.txt}\" < \"$file\"; done
3. Erase the directory: its secrets are in clear.  Then:  pass otp otp/GitHub/alice",
    fits: None,
    write,
};

/// The longest part of a path, in bytes: most file systems have 255 with the ending.
const MOST_BYTES: usize = 200;

fn write(accounts: &[Account], _: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let mut taken = HashSet::new();
    let mut files = Vec::with_capacity(accounts.len());
    for account in accounts {
        let path = path(account, &mut taken);
        let uri = key_uri::write(account);
        let mut text = Vec::with_capacity(uri.expose().len() + 1);
        text.extend_from_slice(uri.expose().as_bytes());
        text.push(b'\n');
        files.push((path, Secret::new(text)));
    }
    Ok(Output::Tree(files))
}

/// `issuer/name.txt`, each once, also where a file system takes capitals for small letters.
fn path(account: &Account, taken: &mut HashSet<String>) -> String {
    let (issuer, name) = (part(&account.summary.issuer), part(&account.summary.name));
    let stem = match (issuer.as_str(), name.as_str()) {
        ("", "") => "account".to_owned(),
        ("", only) | (only, "") => only.to_owned(),
        (issuer, name) => format!("{issuer}/{name}"),
    };
    let mut path = format!("{stem}.txt");
    let mut number = 2;
    while !taken.insert(path.to_lowercase()) {
        path = format!("{stem} {number}.txt");
        number += 1;
    }
    path
}

/// A word as a part of a path: nothing in it that a file system or a shell takes for more than a letter.
fn part(word: &str) -> String {
    let mut part = String::new();
    for character in word.trim_start_matches(['.', '-', ' ']).chars() {
        let character = match character {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '$' | '`' | '\'' => '_',
            other if other.is_control() => '_',
            other => other,
        };
        if part.len() + character.len_utf8() > MOST_BYTES {
            break;
        }
        part.push(character);
    }
    part.trim_end_matches(['.', ' ']).to_owned()
}
