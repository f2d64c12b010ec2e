//! Decrypted entries of pass, gopass and rbw: a password, then lines, one of them with a code.
//!
//! A list of Key URIs is told from an entry by its first line: in a list it is a URI, and a line that is none is one that went
//! wrong. An entry's first line is a password, and its other lines may be anything.

use crate::account::key_uri;
use crate::base32;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::login::{Login, is_uri};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "pass",
    app: "pass (with pass-otp), gopass, rbw",
    also: &["pass-otp", "gopass", "rbw", "password-store"],
    reads: "decrypted entries, one a file: a Key URI on any line, or `totp: SECRET`",
    how: "\
One entry:   pass show AWS/alice | vmfa import -
             gopass show AWS/alice | vmfa import -
             rbw get --full \"Amazon Web Services\" | vmfa import -
A whole store:  vmfa import ~/.password-store
Each entry is opened by your gpg, through a pipe; nothing is written in clear.
A code without a name is called as its entry, AWS/alice.",
    seen: Seen::Description,
    is,
    read,
};

/// Longer than any entry that somebody keeps a password in.
const MAX_ENTRY: usize = 256 * 1024;

/// The fewest bytes of a bare secret: a word behind `totp:` that has fewer is none.
const MIN_SECRET: usize = 5;

fn is(document: &Document<'_>) -> Likeness {
    let Some(text) = document.text().filter(|text| text.len() <= MAX_ENTRY) else {
        return Likeness::No;
    };
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if codes(text).next().is_none() {
        return Likeness::No;
    }
    if is_mostly_uris(text) {
        // Under a heading, too, a list is a list: a line of it that went wrong is to be said.
        return Likeness::Perhaps;
    }
    let begins_a_list = first.contains("://") || first.starts_with('#');
    if !begins_a_list {
        return Likeness::Yes;
    }
    // An entry that is a code and nothing else is a list of one: only that it may have its name from the file.
    let is_nameless = key_uri::read(first).is_ok_and(|draft| draft.label().is_empty());
    let is_one = codes(text).count() == 1 && begins_as_code(first);
    match is_one && is_nameless && !entry_name(document.name()).is_empty() {
        true => Likeness::Yes,
        // Asked for by its name it is an entry; nobody asking, it is a list.
        false => Likeness::Perhaps,
    }
}

/// Three lines or more that begin with some scheme, and more than half of all: no entry has as many addresses.
fn is_mostly_uris(text: &str) -> bool {
    let begins = |line: &&str| {
        let scheme = line.trim_start_matches(['#', ' ']).split_once("://");
        scheme.is_some_and(|(scheme, _)| {
            (1..=20).contains(&scheme.len())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let uris = lines().filter(begins).count();
    uris >= 3 && uris * 2 > lines().count()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let text = document
        .text()
        .ok_or_else(|| ImportError::damaged("it is not text"))?;
    let mut contents = Contents::default();
    for (line, kind, code) in codes(text) {
        let login = Login {
            user: entry_name(document.name()).to_owned(),
            place: format!("line {}", line + 1),
            ..Login::default()
        };
        let before = contents.rows.len();
        login.add(code, &mut contents);
        if let Some(Ok(draft)) = contents.rows.get_mut(before) {
            draft.kind = draft.kind.take().or(kind.map(str::to_owned));
        }
    }
    Ok(contents)
}

/// The codes of an entry: the line from 0, the type where its key says one, and the code.
fn codes(text: &str) -> impl Iterator<Item = (usize, Option<&'static str>, &str)> {
    text.lines().enumerate().flat_map(|(number, line)| {
        let bare = keyed(line).map(|(kind, code)| (number, Some(kind), code));
        let uris = key_uri::split(after_key(line))
            .filter(|piece| begins_as_code(piece))
            .map(move |piece| (number, None, piece));
        bare.into_iter().chain(uris)
    })
}

/// A line `totp: SECRET`, as gopass has it and rbw shows it.
fn keyed(line: &str) -> Option<(&'static str, &str)> {
    let (key, value) = line.split_once(':')?;
    let kind = match key.trim().to_ascii_lowercase().as_str() {
        "totp" | "otp" | "totp secret" => "totp",
        "hotp" => "hotp",
        _ => return None,
    };
    let value = value.trim();
    let is_secret =
        !is_uri(value) && base32::decode(value).is_ok_and(|secret| secret.len() >= MIN_SECRET);
    is_secret.then_some((kind, value))
}

/// The line without a key before a URI, such as in `otp: otpauth://…`. A URI's own scheme is no key.
fn after_key(line: &str) -> &str {
    match line.split_once(':') {
        Some((_, value)) if !begins_as_code(line) && begins_as_code(value) => value.trim(),
        Some(_) | None => line,
    }
}

fn begins_as_code(text: &str) -> bool {
    let schemes = [
        "otpauth://",
        "otpauth-migration://",
        "apple-otpauth://",
        "steam://",
        "motp://",
    ];
    schemes.iter().any(|scheme| {
        text.trim_start()
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// The name of an entry: its path in the store. A file that somebody saved as `.txt` may be called anything, and standard input
/// has no name.
fn entry_name(name: &str) -> &str {
    let name = name.strip_suffix(".gpg").unwrap_or(name);
    let is_saved = [".txt", ".text", ".md", ".uri", ".otp", ".json", ".csv"]
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    match is_saved || name == "-" {
        true => "",
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Alone, Source};

    fn look(name: &str, text: &str) -> (Likeness, Vec<String>) {
        let source = Source {
            name,
            bytes: text.as_bytes(),
            beside: &Alone,
        };
        let document = Document::new(&source).unwrap();
        let read = read(&document, None).unwrap();
        let told = read.rows.iter().map(|row| match row {
            Ok(draft) => format!("{} {}", draft.kind.as_deref().unwrap_or("-"), draft.label()),
            Err(refusal) => refusal.class().to_owned(),
        });
        (is(&document), told.collect())
    }

    const URI: &str = "otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP";
    const NAMELESS: &str = "otpauth://hotp?secret=JBSWY3DPEHPK3PXP&counter=7";

    #[test]
    fn an_entry_has_its_code_on_any_line_and_its_name_from_its_path() {
        for text in [
            format!("hunter2\nlogin: x\n{URI}\nnote: y\n"),
            format!("hunter2\notp: {URI}"),
        ] {
            assert_eq!(
                look("x", &text),
                (Likeness::Yes, vec!["totp A:b".into()]),
                "{text}"
            );
        }
        for (text, told) in [
            (
                "pw\n---\ntotp: JBSWY3DPEHPK3PXP\nuser: bob",
                "totp AWS/alice",
            ),
            (
                "pw\nTOTP Secret: JBSW Y3DP EHPK 3PXP\nUsername: b",
                "totp AWS/alice",
            ),
            ("pw\nhotp: JBSWY3DPEHPK3PXP", "hotp AWS/alice"),
            (NAMELESS, "hotp AWS/alice"),
        ] {
            assert_eq!(
                look("AWS/alice", text),
                (Likeness::Yes, vec![told.into()]),
                "{text}"
            );
        }
        assert_eq!(look("saved.txt", "pw\ntotp: JBSWY3DPEHPK3PXP").1, ["totp "]);
    }

    #[test]
    fn a_list_is_none_whatever_went_wrong_in_it() {
        for text in [
            format!("{URI}\nThis is an intruder line\n{URI}"),
            format!("# my codes\n{URI}"),
            format!("https://example.com/\n{URI}"),
            format!("\n{URI}\notpuath://totp/C:d?secret=JBSWY3DPEHPK3PXP\n"),
            format!("My codes\n{URI}\n# {URI}\notpuath://totp/C:d?secret=JBSWY3DPEHPK3PXP\n"),
            "otpauth://totp/Bad?secret=".into(),
            "hunter2\nuser: x".into(),
            "pw\ntotp: no".into(),
            "totp notes\nnothing here".into(),
        ] {
            assert_ne!(look("", &text).0, Likeness::Yes, "{text}");
        }
        // Two codes: whose the name of the file would be, nothing says.
        let two = format!("{NAMELESS}\n{NAMELESS}");
        assert_ne!(look("AWS/alice", &two).0, Likeness::Yes);
    }
}
