//! WinAuth: its text, where it differs from other lists of Key URIs, and its own file winauth.xml.

mod text;
mod xml;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "winauth",
    app: "WinAuth",
    also: &[],
    reads: "the exported text, also in a ZIP archive with a password, and winauth.xml in clear or with a password",
    how: "\
1. In WinAuth click the cog wheel, \"Export\", and choose the file; give a password for a ZIP archive, or none.
2. Bring the file here, then:  vmfa import winauth-2024-01-01.zip
WinAuth's own file, %APPDATA%\\WinAuth\\winauth.xml, is read too, if it is protected by a password alone: what Windows or a
YubiKey protects opens only there.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is_xml = document
        .xml()
        .is_some_and(|root| root.name.eq_ignore_ascii_case("WinAuth"));
    (is_xml || document.text().is_some_and(text::is)).into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    match (document.xml(), document.text()) {
        (Some(root), _) => xml::read(root, passphrase),
        (None, Some(text)) => Ok(text::read(text)),
        (None, None) => Err(ImportError::damaged("it is not text")),
    }
}
