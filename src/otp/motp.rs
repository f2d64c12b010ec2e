//! Mobile-OTP: the first six hexadecimal digits of MD5 over time step, secret and PIN. Its step is ten seconds.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::otp::code::{Code, Moment};
use crate::secret::{Secret, SecretText};

/// Secret and PIN as they go into the hash, one behind the other.
pub(super) struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// The secret enters as the lower-case hexadecimal text in which it is handed out.
    pub(super) fn new(secret: &Secret, pin: &SecretText) -> Self {
        let mut text = Zeroizing::new(Vec::with_capacity(secret.len() * 2 + pin.expose().len()));
        for byte in secret.expose() {
            text.push(HEX[usize::from(byte >> 4)]);
            text.push(HEX[usize::from(byte & 15)]);
        }
        text.extend_from_slice(pin.expose().as_bytes());
        Self(text)
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(super) fn code(key: &Key, step: u64, moment: Moment) -> Code {
    let hashed = Md5::new()
        .chain_update(step.to_string())
        .chain_update(key.0.as_slice())
        .finalize();
    let mut text = [0; 6];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hashed) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    Code::from_ascii(&text, moment)
}
