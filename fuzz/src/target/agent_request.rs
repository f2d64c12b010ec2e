//! A request from any bytes: the first one chooses the verb. What is understood is written as it was read.
use vmfa::agent::protocol::{Head, MAX_FRAME, REQUEST_HEAD, Request};

pub fn run(bytes: &[u8]) {
    let Some((verb, body)) = bytes.split_first() else {
        return;
    };
    if body.len() + REQUEST_HEAD - 4 > MAX_FRAME {
        return;
    }
    let mut head = [0; REQUEST_HEAD];
    let len = body.len() + REQUEST_HEAD - 4;
    head[..4].copy_from_slice(&(len as u32).to_le_bytes());
    head[4] = 1;
    head[6] = *verb;
    let head = Head::read(&head).expect("the length is in bounds");
    let Some(verb) = head.verb else {
        return;
    };
    if let Some(request) = Request::read(verb, body) {
        let frame = request.write(&head.tag).expect("it came in a frame");
        assert_eq!(&frame[REQUEST_HEAD..], body);
        assert_eq!(frame[6], verb as u8);
    }
}
