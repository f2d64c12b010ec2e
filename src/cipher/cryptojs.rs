//! CryptoJS's AES with a passphrase, which is OpenSSL's container of old: `Salted__`, a salt, and AES-256-CBC under a key and
//! IV that MD5 makes of passphrase and salt. Cheap to guess; it is read, never written.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::cipher::{Plain, cbc_open};

/// What the container begins with.
const MAGIC: &[u8] = b"Salted__";

/// Opens a container. None for what is none, and for a passphrase that leaves no padding; one wrong passphrase in 256 leaves one.
pub fn cryptojs_open(passphrase: &[u8], sealed: &[u8]) -> Option<Plain> {
    let (salt, text) = sealed.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    let made = bytes_to_key(passphrase, salt);
    cbc_open(&made[..32], &made[32..], text)
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round: 32 bytes of key and 16 of IV.
fn bytes_to_key(passphrase: &[u8], salt: &[u8]) -> Zeroizing<[u8; 48]> {
    let mut made = Zeroizing::new([0; 48]);
    for part in 0..3 {
        let mut hash = Md5::new();
        if part > 0 {
            hash.update(&made[(part - 1) * 16..part * 16]);
        }
        hash.update(passphrase);
        hash.update(salt);
        made[part * 16..(part + 1) * 16].copy_from_slice(&hash.finalize());
    }
    made
}
