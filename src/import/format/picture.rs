//! Pictures of QR codes: Google Authenticator's export, a code that a web site shows.

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen};
use crate::import::{Contents, ImportError, Remark};
use crate::qr;
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "qr",
    app: "Google Authenticator, and any QR code",
    also: &["google", "google-authenticator", "picture", "screenshot"],
    reads: "pictures (PNG, JPEG, WebP, GIF, BMP, TIFF) with one QR code or several",
    how: "\
1. On the phone, open Google Authenticator, then the menu, \"Transfer accounts\", \"Export accounts\".
2. Choose the accounts. It shows one QR code for ten accounts, and says \"1 of 3\" when there are more.
3. Photograph each code with a web cam or another phone, or take a screenshot where the app allows one
   (on iPhone it does; on Android photograph it), and bring the pictures here.
4. vmfa import part1.png part2.png part3.png
   The order doesn't matter; a part that is missing is named.",
    seen: Seen::Files,
    is,
    read,
};

/// What files begin with that are pictures, those included that are only told from others to say how to convert them.
fn is(document: &Document<'_>) -> Likeness {
    let bytes = document.bytes();
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let riff = begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let heif = bytes.get(4..8) == Some(b"ftyp");
    let is = begins(b"\x89PNG")
        || begins(b"\xff\xd8\xff")
        || begins(b"GIF8")
        || begins(b"BM") && document.text().is_none()
        || begins(b"II*\0")
        || begins(b"MM\0*")
        || begins(b"%PDF")
        || riff
        || heif;
    is.into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let scanned = qr::scan(document.bytes())?;
    if scanned.texts.is_empty() {
        return Err(ImportError::NoCode);
    }
    let many = scanned.texts.len() > 1;
    let mut contents = Contents::default();
    for (index, text) in scanned.texts.into_iter().enumerate() {
        let place = if many {
            format!("QR code {}", index + 1)
        } else {
            String::new()
        };
        contents.texts.push((place, text));
    }
    if scanned.damaged {
        contents.remarks.push(Remark::DamagedPicture);
    }
    Ok(contents)
}
