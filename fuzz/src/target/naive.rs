//! The control: a reader of a length and so many bytes, as it is written by whoever believes the length. The fuzzer must find
//! what is wrong with it within its seconds, or it would find nothing in the others either.

pub fn run(bytes: &[u8]) {
    let [b'N', b'A', b'I', b'V', b'E', len, rest @ ..] = bytes else {
        return;
    };
    let value = &rest[..usize::from(*len)];
    std::hint::black_box(value.first());
}
