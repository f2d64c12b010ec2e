//! A picture's file from any bytes, as far as our own part goes: its format, its bounds, its decoders behind their fence.

use vmfa::account::text::clean;
use vmfa::failure::Fails as _;
use vmfa::qr::scan;

/// Larger pictures are decoded for seconds: other people's code, and no more of ours is met.
const MOST_PIXELS: u64 = 1 << 12;

pub fn run(bytes: &[u8]) {
    if declared(bytes) > MOST_PIXELS {
        return;
    }
    match scan(bytes) {
        Ok(scanned) => {
            assert!(scanned.width > 0 && scanned.height > 0);
            assert!(u64::from(scanned.width) * u64::from(scanned.height) <= 128 << 20);
        }
        Err(error) => {
            let said = error.to_string();
            assert_eq!(clean(&said), said);
            assert!(error.hint().is_none_or(|hint| clean(&hint) == hint));
        }
    }
}

/// How many pixels a PNG, GIF or BMP says that it has; of the others nothing is known here.
fn declared(bytes: &[u8]) -> u64 {
    let number = |at: usize, len: usize, big: bool| {
        let bytes = bytes.get(at..at + len).unwrap_or_default();
        let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if big {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        }
    };
    let sides = match bytes {
        [0x89, b'P', ..] => (number(16, 4, true), number(20, 4, true)),
        [b'G', b'I', b'F', ..] => (number(6, 2, false), number(8, 2, false)),
        [b'B', b'M', ..] => (number(18, 4, false), number(22, 4, false)),
        _ => (0, 0),
    };
    sides.0.saturating_mul(sides.1)
}
