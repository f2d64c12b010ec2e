//! Base64, RFC 4648 sections 4 and 5, as Steam, Google Authenticator's migration and terminals write it.

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretText};

/// Why a text is no base64: the position, in characters from 1, of what doesn't belong, or of the end where a character
/// is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBase64 {
    pub(crate) position: usize,
}

/// Both alphabets, also mixed; padding may be absent; line ends and tabs are skipped. A space is not: it is what a
/// form decoder makes of `+`, and skipping it would give other bytes. Bits left over at the end are dropped.
pub(crate) fn decode(text: &str) -> Result<Secret, NotBase64> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    let (mut bits, mut held, mut letters, mut padded) = (0u32, 0u32, 0usize, false);
    for (index, character) in text.chars().enumerate() {
        let here = NotBase64 {
            position: index + 1,
        };
        let value = match character {
            'A'..='Z' => u32::from(character) - u32::from('A'),
            'a'..='z' => u32::from(character) - u32::from('a') + 26,
            '0'..='9' => u32::from(character) - u32::from('0') + 52,
            '+' | '-' => 62,
            '/' | '_' => 63,
            '=' => {
                padded = true;
                continue;
            }
            '\r' | '\n' | '\t' => continue,
            _ => return Err(here),
        };
        if padded {
            return Err(here);
        }
        letters += 1;
        bits = bits << 6 | value;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // One letter alone holds six bits: something is cut off.
    if letters % 4 == 1 {
        return Err(NotBase64 {
            position: text.chars().count() + 1,
        });
    }
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// RFC 4648 section 4, with padding.
pub fn encode(bytes: &[u8]) -> SecretText {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            text.push(match place <= group.len() {
                true => char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]),
                false => '=',
            });
        }
    }
    SecretText::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, NotBase64> {
        decode(text).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn rfc_4648_section_10() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(read(encoded), Ok(plain.as_bytes().to_vec()));
            assert_eq!(encode(plain.as_bytes()).expose(), encoded);
            assert_eq!(
                read(encoded.trim_end_matches('=')),
                Ok(plain.as_bytes().to_vec())
            );
        }
    }

    #[test]
    fn both_alphabets_and_nothing_else() {
        assert_eq!(read("-_+/"), Ok(vec![0xfb, 0xff, 0xbf]));
        assert_eq!(read("Zm\r\n9\tv\n"), Ok(b"foo".to_vec()));
        assert_eq!(read("Zm 9v"), Err(NotBase64 { position: 3 }));
        assert_eq!(read("Zm9!"), Err(NotBase64 { position: 4 }));
        assert_eq!(read("Zg==Zg=="), Err(NotBase64 { position: 5 }));
        assert_eq!(read("Zm9vY"), Err(NotBase64 { position: 6 }));
    }
}
