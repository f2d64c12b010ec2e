//! Bytes and text that wipe themselves and never print.
//!
//! Neither type has `Debug`, `Display`, `Clone` or `PartialEq`: a structure that holds one can't derive them either,
//! so a secret can't reach a log, an error or a panic message by accident.

pub(crate) mod json;
#[cfg(unix)]
pub mod page;
#[cfg(unix)]
pub mod process;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Secret bytes, such as the shared secret K of RFC 4226 or a key. Wiped when dropped.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes the bytes over. The vector's spare capacity is wiped before it is given back.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        // `into_boxed_slice` may move the bytes to a smaller allocation and free the old one unwiped: move them ourselves.
        let exact: Box<[u8]> = bytes.as_slice().into();
        bytes.zeroize();
        Self(Zeroizing::new(exact))
    }

    /// The bytes. The name is long on purpose: every use is a place to look at in a review.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both hold the same bytes; the time taken depends on the lengths only.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }

    /// A second copy, on purpose.
    pub fn duplicate(&self) -> Self {
        Self(Zeroizing::new(self.expose().into()))
    }
}

/// Secret text, such as a passphrase or the text of a QR code. Wiped when dropped.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over; its spare capacity is wiped.
    pub fn new(mut text: String) -> Self {
        let exact = String::from(text.as_str());
        text.zeroize();
        Self(Zeroizing::new(exact))
    }

    /// Text from bytes that must be UTF-8; bytes that aren't are wiped and given up.
    pub fn from_utf8(bytes: Vec<u8>) -> Option<Self> {
        match String::from_utf8(bytes) {
            Ok(text) => Some(Self::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                None
            }
        }
    }

    /// The text. Every use is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no character.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both hold the same text; the time taken depends on the lengths only.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// A second copy, on purpose.
    pub fn duplicate(&self) -> Self {
        Self(Zeroizing::new(String::from(self.expose())))
    }
}

/// Wipes the stack below the caller, where calls that have returned left keys in their variables, and the vector registers:
/// what belongs to other crates can't wipe itself. For a process that lives on with secrets gone, and at the end of one.
///
/// 64 KiB: several times what any code needs that works with a key.
#[inline(never)]
pub fn wipe_stack() {
    let mut stack = [0u8; 64 << 10];
    std::hint::black_box(&mut stack);
    #[cfg(unix)]
    page::registers::wipe();
}

/// As [`wipe_stack`], but 1 MiB: for a thread that decoded pictures or archives, which goes deeper. It must have as much.
#[inline(never)]
pub fn wipe_deep_stack() {
    let mut stack = [0u8; 1 << 20];
    std::hint::black_box(&mut stack);
    wipe_stack();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_of_content_and_length() {
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert!(secret.same_as(&secret.duplicate()));
        assert!(!secret.same_as(&Secret::new(b"1234567890123456789".to_vec())));
        assert!(!secret.same_as(&Secret::new(b"12345678901234567891".to_vec())));
    }

    #[test]
    fn text_that_is_not_utf8_is_given_up() {
        assert!(SecretText::from_utf8(vec![0xff]).is_none());
        assert_eq!(
            SecretText::from_utf8(b"ok".to_vec()).map(|t| t.expose().len()),
            Some(2)
        );
    }
}
