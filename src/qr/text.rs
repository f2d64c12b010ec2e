//! The bytes in a code to text.

use crate::secret::SecretText;

/// The text that the bytes most likely are, when nothing says which characters they stand for.
///
/// ISO/IEC 18004 makes them ISO 8859-1; what is found in the world is UTF-8, and Shift JIS from Japanese programs. Bytes that
/// happen to be UTF-8 beyond ASCII are UTF-8, for other encodings hit upon its pattern very seldom.
pub(super) fn guessed(bytes: &[u8]) -> SecretText {
    utf8(bytes)
        .or_else(|| shift_jis(bytes))
        .unwrap_or_else(|| latin(bytes))
}

/// The text, if the bytes are UTF-8.
pub(super) fn utf8(bytes: &[u8]) -> Option<SecretText> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(SecretText::new(text.to_owned()))
}

/// The text, if the bytes are Shift JIS and the outcome looks Japanese.
pub(super) fn shift_jis(bytes: &[u8]) -> Option<SecretText> {
    encoding_rs::SHIFT_JIS
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| SecretText::new(text.into_owned()))
        .filter(|text| is_japanese(text.expose()))
}

/// ISO 8859-1, in the form that Windows writes it: every byte is a character.
fn latin(bytes: &[u8]) -> SecretText {
    SecretText::new(
        encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    )
}

/// Whether characters beyond ASCII stand in runs and are kana or kanji: read as Shift JIS, a lone accented letter of a
/// western language swallows the letter after it and gives a lone kanji.
fn is_japanese(text: &str) -> bool {
    let mut run = 0;
    let mut longest = 0;
    for c in text.chars() {
        let japanese = matches!(c, '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ff01}'..='\u{ff9f}');
        if !japanese && !c.is_ascii() && !matches!(c, '\u{80}'..='\u{2fff}') {
            return false;
        }
        run = if japanese { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(bytes: &[u8]) -> String {
        guessed(bytes).expose().to_owned()
    }

    #[test]
    fn utf8_shift_jis_and_latin_are_told_apart() {
        let name = "otpauth://totp/株式会社サンプル:山田太郎?secret=A";
        assert_eq!(guess(name.as_bytes()), name);
        assert_eq!(guess(&encoding_rs::SHIFT_JIS.encode(name).0), name);
        let half = "ﾃｽﾄ:admin";
        assert_eq!(guess(&encoding_rs::SHIFT_JIS.encode(half).0), half);
        let western = "otpauth://totp/Société Générale:rené@exämple";
        assert_eq!(guess(&encoding_rs::WINDOWS_1252.encode(western).0), western);
    }

    #[test]
    fn any_bytes_give_a_text() {
        assert_eq!(guess(&[0xff, 0xfe, 0x00]), "ÿþ\0");
    }
}
