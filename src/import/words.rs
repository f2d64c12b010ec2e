//! Pieces of a file that its reader needs to be there: said by name where they aren't.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::account::percent::hex;
use crate::account::{Draft, MAX_LABEL, MAX_TAGS, base64};
use crate::cipher::Plain;
use crate::import::json::Loose;
use crate::import::{Contents, ImportError};

/// A member that has to be there.
///
/// # Errors
/// It isn't.
pub(crate) fn piece<'a>(value: &'a Value, key: &str) -> Result<&'a Value, ImportError> {
    value
        .get(key)
        .filter(|piece| !piece.is_null())
        .ok_or_else(|| ImportError::damaged(format!("{key} is missing")))
}

/// A member that is a text in hexadecimal, as bytes.
///
/// # Errors
/// It is missing, or is something else.
pub(crate) fn hexadecimal(value: &Value, key: &str) -> Result<Plain, ImportError> {
    let text = Zeroizing::new(value.word(key).unwrap_or_default());
    from_hex(&text).ok_or_else(|| ImportError::damaged(format!("{key} is not hexadecimal")))
}

/// A member that is a text in base64, as bytes.
///
/// # Errors
/// It is missing, or is something else.
pub(crate) fn in_base64(value: &Value, key: &str) -> Result<Plain, ImportError> {
    let text = Zeroizing::new(value.word(key).unwrap_or_default());
    from_base64(&text).ok_or_else(|| ImportError::damaged(format!("{key} is not base64")))
}

/// A word that many accounts may share, as much of it as the draft looks at: what is longer would be copied for each of them.
pub(crate) fn tag(word: &str) -> String {
    // One character more than is kept, so that the draft still says that it was cut.
    word.chars().take(MAX_LABEL + 1).collect()
}

/// At most as many tags as the draft looks at, each once.
pub(crate) fn tags(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for word in words {
        if tags.len() > MAX_TAGS {
            break;
        }
        if !tags.contains(&word) {
            tags.push(word);
        }
    }
    tags
}

/// The accounts of a list, one an element.
///
/// # Errors
/// It is no list.
pub(crate) fn listed(
    json: &Value,
    account: impl Fn(&Value, String) -> Draft,
) -> Result<Contents, ImportError> {
    let entries = json
        .as_array()
        .ok_or_else(|| ImportError::damaged("it is not a list"))?;
    let places = (1..).map(|number| format!("entry {number}"));
    let rows = entries.iter().zip(places);
    Ok(Contents {
        rows: rows
            .map(|(entry, place)| Ok(account(entry, place)))
            .collect(),
        ..Contents::default()
    })
}

/// Base64 of either alphabet, with padding or without, as bytes; none if there are none.
pub(crate) fn from_base64(text: &str) -> Option<Plain> {
    let bytes = base64::decode(text.trim()).ok()?;
    (!bytes.is_empty()).then(|| Zeroizing::new(bytes.expose().to_vec()))
}

/// Bytes in base64's usual alphabet, without padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    let padded = base64::encode(bytes);
    padded.expose().trim_end_matches('=').to_owned()
}

/// Pairs of hexadecimal digits, as bytes; none if there are none.
pub(crate) fn from_hex(text: &str) -> Option<Plain> {
    let digits = text.trim().as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    let byte = |pair: &[u8]| Some(hex(pair[0])? << 4 | hex(pair[1])?);
    pairs
        .map(byte)
        .collect::<Option<Vec<u8>>>()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_back() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"\xfb\xff\xbf\x01", "+/+/AQ"),
        ] {
            assert_eq!(to_base64(bytes), text);
        }
        assert_eq!(
            from_base64("+/+/AQ").unwrap().as_slice(),
            b"\xfb\xff\xbf\x01"
        );
    }
}
