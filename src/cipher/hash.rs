//! Hashes and message authentication codes over several pieces, as other programs bind their files with them.

use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::cipher::Plain;

/// SHA-256 of the pieces, one after the other.
pub fn sha256(pieces: &[&[u8]]) -> Plain {
    hashed(&digest::SHA256, pieces)
}

/// SHA-512 of the pieces, one after the other.
pub fn sha512(pieces: &[&[u8]]) -> Plain {
    hashed(&digest::SHA512, pieces)
}

fn hashed(algorithm: &'static digest::Algorithm, pieces: &[&[u8]]) -> Plain {
    let mut context = digest::Context::new(algorithm);
    pieces.iter().for_each(|piece| context.update(piece));
    Zeroizing::new(context.finish().as_ref().to_vec())
}

/// Whether this is the HMAC-SHA256 of the pieces, told in constant time.
pub fn hmac_sha256_is(key: &[u8], pieces: &[&[u8]], tag: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let text = Zeroizing::new(pieces.concat());
    hmac::verify(&key, &text, tag).is_ok()
}
