//! Steam Guard's codes: TOTP with SHA-1 and 30 s, written in an alphabet of 26 that leaves out look-alikes.

use crate::otp::code::{Code, Moment};
use crate::otp::hotp::{self, Mac};

const ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";

/// Five characters, the least significant first.
pub(super) fn code(mac: &Mac, step: u64, moment: Moment) -> Code {
    let mut value = hotp::truncate(mac.output(step).as_slice());
    let mut text = [0; 5];
    for place in &mut text {
        *place = ALPHABET[(value % 26) as usize];
        value /= 26;
    }
    Code::from_ascii(&text, moment)
}
