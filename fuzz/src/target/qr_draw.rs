//! A text drawn as a QR code and read again: it is the same text.

use vmfa::qr::{Drawing, RenderError, ScanError, scan};
use vmfa::secret::SecretText;

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let drawing = match Drawing::new(&SecretText::new(text.into())) {
        Ok(drawing) => drawing,
        Err(RenderError::TooLong(len)) => return assert!(len == text.len() && len > 1600),
        Err(error) => panic!("{error}"),
    };
    let (columns, lines) = drawing.terminal_size();
    assert!(columns <= 185 && lines <= 93);
    assert_eq!(drawing.half_blocks().expose().lines().count(), lines);
    assert!(
        drawing.svg().expose().ends_with("</svg>\n") || drawing.svg().expose().ends_with("</svg>")
    );
    assert!(drawing.png(0).is_err() && drawing.png(u32::MAX).is_err());
    // A control character, or a text without a character, is nobody's label: an engine may take the bytes for another script.
    if text.is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return;
    }
    let png = drawing.png(3).expect("three pixels a module");
    // A look ends at a deadline, before which a busy machine may not have begun: nothing found is no answer at first.
    for left in (0..20).rev() {
        let scanned = match scan(png.expose()) {
            Err(ScanError::TookTooLong | ScanError::NoThread) if left > 0 => continue,
            scanned => scanned.expect("our own picture"),
        };
        let texts: Vec<&str> = scanned.texts.iter().map(SecretText::expose).collect();
        if texts.is_empty() && left > 0 {
            continue;
        }
        assert_eq!(texts, [text]);
        return;
    }
}
