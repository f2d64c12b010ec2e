//! A request's head from any bytes: its lengths stay in their bounds.
use vmfa::agent::protocol::{Head, MAX_FRAME, REQUEST_HEAD};

pub fn run(bytes: &[u8]) {
    let Some(bytes) = bytes.first_chunk::<REQUEST_HEAD>() else {
        return;
    };
    if let Some(head) = Head::read(bytes) {
        assert!(head.body + REQUEST_HEAD - 4 <= MAX_FRAME);
        assert_eq!(head.tag, bytes[8..]);
    }
}
