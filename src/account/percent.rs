//! Percent-encoding, RFC 3986 section 2.1, as the Key URI uses it.

use zeroize::Zeroizing;

/// What `+` stands for: a query written by a form encoder has it for a space, a label and base64 have it for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    Literal,
    Space,
}

/// A decoded text, and whether some of its bytes were no UTF-8.
pub(crate) struct Decoded {
    pub(crate) text: Zeroizing<String>,
    pub(crate) invalid_utf8: bool,
}

/// Decodes once. A `%` that two hexadecimal digits don't follow stays as it is; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode(text: &str, plus: Plus) -> Decoded {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                (Some(_) | None, _) => b'%',
            },
            (b'+', _) if plus == Plus::Space => b' ',
            (other, _) => *other,
        });
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Decoded {
            text: Zeroizing::new(text.to_owned()),
            invalid_utf8: false,
        },
        Err(_) => Decoded {
            text: Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()),
            invalid_utf8: true,
        },
    }
}

/// Appends a text with everything outside RFC 3986's unreserved characters encoded; a space becomes `%20`.
pub(crate) fn encode_into(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_escape_stays_text() {
        for (encoded, decoded) in [
            ("a%3ab%3A", "a:b:"),
            ("100%", "100%"),
            ("%", "%"),
            ("%4", "%4"),
            ("%ZZ%4Z", "%ZZ%4Z"),
            ("%%41", "%A"),
            ("%2541", "%41"),
            ("a+b", "a+b"),
        ] {
            assert_eq!(*decode(encoded, Plus::Literal).text, decoded, "{encoded}");
        }
        assert_eq!(*decode("a+b%2B", Plus::Space).text, "a b+");
        let broken = decode("x%FFy", Plus::Literal);
        assert_eq!(
            (broken.text.as_str(), broken.invalid_utf8),
            ("x\u{fffd}y", true)
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in any::<String>()) {
            let mut encoded = String::new();
            encode_into(&text, &mut encoded);
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(&*decode(&encoded, Plus::Literal).text, &text);
            prop_assert_eq!(&*decode(&encoded, Plus::Space).text, &text);
        }
    }
}
