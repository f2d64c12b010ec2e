//! A secret as people type it: RFC 4648 section 6 under a reader that forgives what does no harm.
//!
//! Case, spaces, dashes, underscores, plus signs and padding don't matter, and every length that holds a byte is taken,
//! also those that RFC 4648 never writes: Google Authenticator drops the bits left over, so such secrets exist. What
//! could mean two things is refused: 0, 1, 8 and 9 look like letters but are none, and nobody here guesses which.

use zeroize::Zeroizing;

use crate::failure::{Fails, Kind};
use crate::secret::{Secret, SecretText};

/// The most characters a secret may have, spaces and padding included. The longest seen in the wild has 154.
pub const MAX_CHARACTERS: usize = 4096;

/// Why a text is no base32 secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base32Error {
    /// Nothing but spaces, dashes and padding.
    #[error("the secret is empty")]
    Empty,
    /// A single character: five bits, less than a byte.
    #[error("the secret is too short: it holds no whole byte")]
    TooShort,
    /// More than [`MAX_CHARACTERS`].
    #[error("the secret is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// A character outside the alphabet; the position counts characters from 1.
    #[error("character {position}, {character:?}, is not base32")]
    Character {
        /// Counted in characters of the text as given, from 1.
        position: usize,
        /// The character itself: it is not part of a base32 secret.
        character: char,
    },
    /// A letter after padding: two secrets, or two pieces of one, run together.
    #[error("character {position} follows the padding, where a secret ends")]
    AfterPadding {
        /// Counted in characters of the text as given, from 1.
        position: usize,
    },
}

impl Fails for Base32Error {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Character { character, .. } => {
                let looks_like = match character {
                    '0' => "'0' looks like the letter O",
                    '1' => "'1' looks like the letters I and L",
                    '8' => "'8' looks like the letter B",
                    '9' => "'9' looks like the letter G",
                    _ => return Some("base32 has the letters A to Z and the digits 2 to 7".into()),
                };
                Some(format!(
                    "{looks_like}; base32 has the letters A to Z and the digits 2 to 7"
                ))
            }
            Self::Empty | Self::TooShort | Self::TooLong | Self::AfterPadding { .. } => None,
        }
    }
}

/// The bytes that a text stands for.
///
/// # Errors
/// No character at all, less than a byte, too many characters, or one that is not base32, with its position.
pub fn decode(text: &str) -> Result<Secret, Base32Error> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len().min(MAX_CHARACTERS)));
    let mut padded = false;
    for (index, character) in text.chars().enumerate() {
        if index == MAX_CHARACTERS {
            return Err(Base32Error::TooLong);
        }
        match character.to_ascii_uppercase() {
            'A'..='Z' | '2'..='7' if padded => {
                return Err(Base32Error::AfterPadding {
                    position: index + 1,
                });
            }
            letter @ ('A'..='Z' | '2'..='7') => letters.push(letter),
            // Before the first letter it pads nothing.
            '=' => padded = !letters.is_empty(),
            '-' | '_' | '+' | '\u{200b}' | '\u{feff}' => {}
            space if space.is_whitespace() => {}
            _ => {
                return Err(Base32Error::Character {
                    position: index + 1,
                    character,
                });
            }
        }
    }
    if letters.is_empty() {
        return Err(Base32Error::Empty);
    }
    // Left-over bits are dropped here, so that the crate below is only ever given the lengths it is specified for.
    let bytes = letters.len() * 5 / 8;
    letters.truncate((bytes * 8).div_ceil(5));
    if letters.is_empty() {
        return Err(Base32Error::TooShort);
    }
    let alphabet = base32::Alphabet::Rfc4648 { padding: false };
    let decoded =
        base32::decode(alphabet, &letters).expect("only letters of the alphabet are left");
    Ok(Secret::new(decoded))
}

/// RFC 4648 section 6, upper case, without padding.
pub fn encode(secret: &Secret) -> SecretText {
    let mut text = String::with_capacity(secret.len().div_ceil(5) * 8);
    for chunk in secret.expose().chunks(5) {
        // Whole groups only: for others the crate allocates too little, and its vector leaves an unwiped copy as it grows.
        let mut group = Zeroizing::new([0; 5]);
        group[..chunk.len()].copy_from_slice(chunk);
        let letters = Zeroizing::new(base32::encode(
            base32::Alphabet::Rfc4648 { padding: false },
            &*group,
        ));
        text.push_str(&letters[..(chunk.len() * 8).div_ceil(5)]);
    }
    SecretText::new(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes, or the error, in a form that can be compared.
    fn read(text: &str) -> Result<Vec<u8>, Base32Error> {
        decode(text).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn rfc_4648_section_10() {
        let mut rows = 0;
        for row in include_str!("../vectors/rfc4648.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (plain, encoded) = row.split_once('\t').unwrap();
            let secret = Secret::new(plain.as_bytes().to_vec());
            assert_eq!(
                encode(&secret).expose(),
                encoded.trim_end_matches('='),
                "{plain:?}"
            );
            if plain.is_empty() {
                assert_eq!(read(encoded), Err(Base32Error::Empty));
            } else {
                assert_eq!(read(encoded), Ok(plain.as_bytes().to_vec()), "{encoded}");
                assert_eq!(
                    read(&encoded.to_lowercase()),
                    Ok(plain.as_bytes().to_vec()),
                    "{encoded}"
                );
            }
            rows += 1;
        }
        assert_eq!(rows, 7);
    }

    #[test]
    fn what_does_no_harm_is_forgiven() {
        for text in [
            "JBSWY3DPEHPK3PXP",
            "jbsw y3dp ehpk 3pxp",
            "jbsw-y3dp_ehpk+3pxp",
            "JBSWY3DP\u{a0}EHPK\u{200b}3PXP====",
            "\u{feff}\tJBSWY3DPEHPK3PXP\r\n",
        ] {
            assert_eq!(
                read(text),
                Ok(b"Hello!\xde\xad\xbe\xef".to_vec()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_letter_after_padding_is_another_secret() {
        for text in ["MY======MY======", "MY= MY", "=MY=MY"] {
            let position = text.rfind('M').map(|at| at + 1).unwrap();
            assert_eq!(read(text), Err(Base32Error::AfterPadding { position }));
        }
        for text in ["MY======", "MY= = =", "=MY=", "MY\n=-="] {
            assert_eq!(read(text), Ok(b"f".to_vec()), "{text:?}");
        }
        assert_eq!(
            read("MY=1"),
            Err(Base32Error::Character {
                position: 4,
                character: '1'
            })
        );
    }

    #[test]
    fn odd_lengths_lose_the_bits_left_over() {
        assert_eq!(read("QWERTYUIOP"), read("QWERTYUIOM"));
        assert_eq!(read("SECRETO"), Ok(vec![0x91, 0x05, 0x12, 0x4d]));
        assert_eq!(read("MACPASSMACPASS234"), read("MACPASSMACPASS23"));
        assert_eq!(read("AA"), Ok(vec![0]));
        assert_eq!(read("AAA"), Ok(vec![0]));
        assert_eq!(read("MZXW6Y"), Ok(b"foo".to_vec()));
    }

    #[test]
    fn nothing_and_next_to_nothing_are_refused() {
        for text in ["", "  ", "====", "- _ +", "\u{200b}"] {
            assert_eq!(read(text), Err(Base32Error::Empty), "{text:?}");
        }
        assert_eq!(read("A"), Err(Base32Error::TooShort));
        assert_eq!(read("A======="), Err(Base32Error::TooShort));
        assert!(read(&"A".repeat(MAX_CHARACTERS)).is_ok());
        assert_eq!(
            read(&"A".repeat(MAX_CHARACTERS + 1)),
            Err(Base32Error::TooLong)
        );
        assert_eq!(
            read(&" ".repeat(MAX_CHARACTERS + 1)),
            Err(Base32Error::TooLong)
        );
    }

    #[test]
    fn a_wrong_character_is_told_with_its_place_in_the_text_as_given() {
        let error = decode("ab-c d1fg").err().unwrap();
        assert_eq!(error.to_string(), "character 7, '1', is not base32");
        assert!(error.hint().unwrap().contains("I and L"));
        for (text, hint) in [
            ("0", "letter O"),
            ("8", "letter B"),
            ("9", "letter G"),
            ("!", "A to Z"),
        ] {
            assert!(
                decode(text).err().unwrap().hint().unwrap().contains(hint),
                "{text}"
            );
        }
        // Characters that steer a terminal are told by their number.
        assert_eq!(
            decode("A\u{1b}").err().unwrap().to_string(),
            "character 2, '\\u{1b}', is not base32"
        );
        assert_eq!(
            decode("\u{202e}A").err().unwrap().to_string(),
            "character 1, '\\u{202e}', is not base32"
        );
        // Positions count characters, not bytes; letters of other scripts are not mapped.
        assert_eq!(
            read("\u{a0}Ａ"),
            Err(Base32Error::Character {
                position: 2,
                character: 'Ａ'
            })
        );
        assert!(
            read("ſ").is_err(),
            "a long s is upper-cased to S by Unicode, not by us"
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            let text = encode(&Secret::new(bytes.clone()));
            prop_assert_eq!(read(text.expose()), Ok(bytes));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = read(&text);
        }
    }
}
