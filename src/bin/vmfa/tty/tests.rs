use super::*;

fn keys(mut bytes: &[u8], overdue: bool) -> Vec<Key> {
    let mut keys = Vec::new();
    while let Some((key, len)) = key(bytes, overdue) {
        keys.push(key);
        bytes = &bytes[len..];
    }
    keys
}

#[test]
fn bytes_become_keys() {
    for (bytes, expected) in [
        (&b"a\r"[..], &[Key::Char('a'), Key::Enter][..]),
        (
            "é日😀".as_bytes(),
            &[Key::Char('é'), Key::Char('日'), Key::Char('😀')],
        ),
        (
            b"\x1b[A\x1bOB\x1b[5~\x1b[6~",
            &[Key::Up, Key::Down, Key::PageUp, Key::PageDown],
        ),
        (b"\x1b[1;5Cx", &[Key::Other, Key::Char('x')]),
        (
            b"\x03\x0e\x10\n",
            &[
                Key::Ctrl('c'),
                Key::Ctrl('n'),
                Key::Ctrl('p'),
                Key::Ctrl('j'),
            ],
        ),
        (b"\x7f\x08", &[Key::Backspace, Key::Backspace]),
        (b"\xff\x80a", &[Key::Other, Key::Other, Key::Char('a')]),
    ] {
        assert_eq!(keys(bytes, false), expected, "{bytes:?}");
    }
    // What may go on is waited for, and taken as it is when nothing comes.
    for unfinished in [&b"\x1b"[..], b"\x1b[", b"\x1b[1;", b"\xe6\x97"] {
        assert_eq!(keys(unfinished, false), [], "{unfinished:?}");
    }
    assert_eq!(keys(b"\x1b", true), [Key::Escape]);
    assert_eq!(keys(b"\x1b[1;", true), [Key::Other]);
}
