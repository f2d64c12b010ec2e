//! JSON that holds secrets: written once, and wiped.

use std::io::{self, Write};

use serde_json::Value;
use zeroize::Zeroizing;

use crate::cipher::Plain;
use crate::secret::json::wipe;

/// A value as text, over several lines where people may look at it. The value is wiped.
pub(super) fn text(mut value: Value) -> Plain {
    let mut out = Wiping(Zeroizing::new(Vec::with_capacity(64 << 10)));
    serde_json::to_writer_pretty(&mut out, &value).expect("a value is written to memory");
    wipe(&mut value);
    out.0
}

/// As [`text`], in one line.
pub(super) fn line(mut value: Value) -> Plain {
    let mut out = Wiping(Zeroizing::new(Vec::with_capacity(64 << 10)));
    serde_json::to_writer(&mut out, &value).expect("a value is written to memory");
    wipe(&mut value);
    out.0
}

/// A buffer that wipes what it outgrows.
struct Wiping(Zeroizing<Vec<u8>>);

impl Write for Wiping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
