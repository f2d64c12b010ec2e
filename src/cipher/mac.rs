//! Codes that say whether a text was altered.

use ring::hmac;

/// Whether `tag` is the HMAC-SHA256 (RFC 2104) of the texts, one behind the other. Compared in constant time.
pub fn hmac_sha256_is(key: &[u8], texts: &[&[u8]], tag: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, &texts.concat(), tag).is_ok()
}
