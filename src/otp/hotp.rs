//! HOTP, RFC 4226 section 5.

use hmac::Hmac;
use hmac::digest::{FixedOutput, KeyInit, Update};

use crate::otp::code::{Code, Moment};
use crate::otp::params::{Algorithm, Digits};

/// An HMAC with its key schedule done: inner and outer pad are already hashed in.
pub(super) enum Mac {
    Sha1(Hmac<sha1::Sha1>),
    Sha224(Hmac<sha2::Sha224>),
    Sha256(Hmac<sha2::Sha256>),
    Sha384(Hmac<sha2::Sha384>),
    Sha512(Hmac<sha2::Sha512>),
}

/// The longest HMAC output here, that of SHA-512.
const MAX_OUTPUT: usize = 64;

/// An HMAC output of up to 64 bytes.
pub(super) struct Output {
    bytes: [u8; MAX_OUTPUT],
    len: usize,
}

impl Output {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Mac {
    pub(super) fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        // RFC 2104: a key of any length is a valid HMAC key; only the `digest` trait's type says otherwise.
        fn keyed<M: KeyInit>(secret: &[u8]) -> M {
            M::new_from_slice(secret).expect("HMAC takes a key of any length")
        }
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(keyed(secret)),
            Algorithm::Sha224 => Self::Sha224(keyed(secret)),
            Algorithm::Sha256 => Self::Sha256(keyed(secret)),
            Algorithm::Sha384 => Self::Sha384(keyed(secret)),
            Algorithm::Sha512 => Self::Sha512(keyed(secret)),
        }
    }

    /// RFC 4226 section 5.2, step 1: the counter is hashed as eight bytes, high-order first.
    pub(super) fn output(&self, counter: u64) -> Output {
        fn finish<M: Clone + Update + FixedOutput>(mac: &M, counter: u64) -> Output {
            let mut mac = mac.clone();
            mac.update(&counter.to_be_bytes());
            let hashed = mac.finalize_fixed();
            let mut output = Output {
                bytes: [0; MAX_OUTPUT],
                len: hashed.len(),
            };
            output.bytes[..hashed.len()].copy_from_slice(&hashed);
            output
        }
        match self {
            Self::Sha1(mac) => finish(mac, counter),
            Self::Sha224(mac) => finish(mac, counter),
            Self::Sha256(mac) => finish(mac, counter),
            Self::Sha384(mac) => finish(mac, counter),
            Self::Sha512(mac) => finish(mac, counter),
        }
    }
}

/// RFC 4226 section 5.3: the low nibble of the last byte picks four bytes; the top bit is masked so that signed and
/// unsigned arithmetic agree.
pub(super) fn truncate(output: &[u8]) -> u32 {
    let offset = usize::from(output[output.len() - 1] & 0x0f);
    let picked = [
        output[offset],
        output[offset + 1],
        output[offset + 2],
        output[offset + 3],
    ];
    u32::from_be_bytes(picked) & 0x7fff_ffff
}

/// RFC 4226 section 5.3, step 3: the value modulo 10^digits. In 64 bits, since 10^10 doesn't fit in 32.
pub(super) fn code(mac: &Mac, counter: u64, digits: Digits, moment: Moment) -> Code {
    let value = u64::from(truncate(mac.output(counter).as_slice()));
    Code::from_number(
        value % 10u64.pow(u32::from(digits.get())),
        digits.get(),
        moment,
    )
}
