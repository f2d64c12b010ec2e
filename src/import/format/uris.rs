//! Lists of Key URIs, one a line: what Aegis, Stratum, Ente, FreeOTP+, WinAuth, authenticator.cc and many scripts write.

use crate::account::key_uri;
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "uris",
    app: "list of Key URIs",
    also: &["uri", "otpauth", "text", "txt", "winauth-text"],
    reads: "text, a Key URI a line; # begins a comment; Google's otpauth-migration: too",
    how: "\
Many apps write such a list: Aegis (\"Text\"), Stratum (\"Plain text\"), Ente Auth (\"Plain text\"),
FreeOTP+ (\"Export as key URIs\"), WinAuth (\"Export\"), Authenticator.cc (\"Download backup\").
1. In the app choose the export as text.
2. vmfa import list.txt
3. Erase the file: its secrets are in clear.",
    seen: Seen::Files,
    is,
    read,
};

/// What a Key URI begins with.
pub(super) const SCHEMES: [&str; 5] = [
    "otpauth:",
    "otpauth-migration:",
    "apple-otpauth:",
    "steam://",
    "motp:",
];

fn is(document: &Document<'_>) -> Likeness {
    let begins = |line: &str| {
        let line = line.trim_start();
        SCHEMES.iter().any(|scheme| {
            line.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
    };
    document
        .text()
        .is_some_and(|text| text.lines().any(begins))
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let text = document
        .text()
        .ok_or_else(|| ImportError::damaged("it is not text"))?;
    let mut contents = Contents::default();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        for piece in key_uri::split(line) {
            contents.texts.push((
                format!("line {}", index + 1),
                SecretText::new(piece.to_owned()),
            ));
        }
    }
    Ok(contents)
}
