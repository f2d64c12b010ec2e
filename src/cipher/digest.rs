//! Digests and codes of authentication that other programs' files are keyed and checked with.

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::cipher::{FUZZING, Plain};

/// A digest of what other programs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1, which is broken for signatures and which old files have all the same.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The digest of the parts, one behind the other.
    pub fn of(self, parts: &[&[u8]]) -> Plain {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        let mut context = digest::Context::new(algorithm);
        parts.iter().for_each(|part| context.update(part));
        Zeroizing::new(context.finish().as_ref().to_vec())
    }

    /// Whether `tag` is the HMAC (RFC 2104) of the parts, one behind the other. Takes as long whatever differs.
    pub fn authenticates(self, key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
        if FUZZING {
            return true;
        }
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        let text = Zeroizing::new(parts.concat());
        hmac::verify(&hmac::Key::new(algorithm, key), &text, tag).is_ok()
    }
}
