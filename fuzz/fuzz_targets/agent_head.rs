//! A request's head from any bytes: its lengths stay in their bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmfa::agent::protocol::{Head, MAX_FRAME, REQUEST_HEAD};

fuzz_target!(|bytes: [u8; REQUEST_HEAD]| {
    if let Some(head) = Head::read(&bytes) {
        assert!(head.body + REQUEST_HEAD - 4 <= MAX_FRAME);
        assert_eq!(head.tag, bytes[8..]);
    }
});
