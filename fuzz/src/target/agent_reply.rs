//! A reply from any bytes: what is understood is written and read again, and says the same.
use vmfa::agent::protocol::{MAX_FRAME, Reply};

pub fn run(bytes: &[u8]) {
    if bytes.len() > MAX_FRAME {
        return;
    }
    if let Some(reply) = Reply::read(bytes) {
        let once = reply.write();
        assert!(once.len() <= MAX_FRAME + 4);
        let again = Reply::read(&once[4..]).expect("our own words");
        assert_eq!(again.write().as_slice(), once.as_slice());
    }
}
