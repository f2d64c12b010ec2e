//! Blowfish, as WinAuth's database uses it.

use blowfish::Blowfish;
use blowfish::cipher::BlockCipherDecrypt as _;
use zeroize::Zeroizing;

use crate::cipher::{FUZZING, Plain, unsealed};

/// The bytes of a block.
const BLOCK: usize = 8;

/// Opens Blowfish without chaining (ECB), with ISO 10126 padding: random bytes, and how many they are as the last. A key may
/// be longer than Blowfish takes elsewhere; of it the first 72 bytes matter. Nothing authenticates this: a wrong key is seen
/// by its padding, one time in 32 not at all. None for lengths that can't be.
pub fn blowfish_open(key: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, 0);
    }
    if key.is_empty() || sealed.is_empty() || !sealed.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut cipher: Blowfish = Blowfish::bc_init_state();
    cipher.bc_expand_key(key);
    let mut text = Zeroizing::new(sealed.to_vec());
    for block in text.chunks_exact_mut(BLOCK) {
        cipher.decrypt_block(block.try_into().ok()?);
    }
    let padding = usize::from(*text.last()?);
    if !(1..=BLOCK).contains(&padding) {
        return None;
    }
    let len = text.len() - padding;
    text.truncate(len);
    Some(text)
}
