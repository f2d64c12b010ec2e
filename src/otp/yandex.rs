//! Yandex Key: eight letters out of HMAC-SHA-256 under a key made of the PIN and the first 16 bytes of the secret.

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::otp::OtpError;
use crate::otp::code::{Code, Moment};
use crate::otp::hotp::Mac;
use crate::otp::params::Algorithm;
use crate::secret::{Secret, SecretText};

/// The part of the secret that is key; what follows is a user number and a checksum.
const SECRET_LEN: usize = 16;

pub(super) fn key(secret: &Secret, pin: &SecretText) -> Result<Mac, OtpError> {
    let used = secret
        .expose()
        .get(..SECRET_LEN)
        .ok_or(OtpError::YandexSecretShort(secret.len()))?;
    let mut hashed: [u8; 32] = Sha256::new()
        .chain_update(pin.expose())
        .chain_update(used)
        .finalize()
        .into();
    // The app drops a leading zero byte, as a big integer would.
    let key = if hashed[0] == 0 {
        &hashed[1..]
    } else {
        &hashed[..]
    };
    let mac = Mac::new(Algorithm::Sha256, key);
    hashed.zeroize();
    Ok(mac)
}

/// Eight letters, the most significant first, from eight bytes instead of RFC 4226's four.
pub(super) fn code(mac: &Mac, step: u64, moment: Moment) -> Code {
    let output = mac.output(step);
    let bytes = output.as_slice();
    let offset = usize::from(bytes[31] & 15);
    let mut value = 0u64;
    for byte in &bytes[offset..offset + 8] {
        value = value << 8 | u64::from(*byte);
    }
    value &= 0x7fff_ffff_ffff_ffff;
    let mut text = [0; 8];
    for place in text.iter_mut().rev() {
        *place = b'a' + (value % 26) as u8;
        value /= 26;
    }
    Code::from_ascii(&text, moment)
}
