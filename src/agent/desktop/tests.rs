//! Buses that mean ill, or are broken: nobody waits for them for longer than was said, and nothing is a yes.
//!
//! What honest buses say is tested from outside, in `tests/agent`.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::*;
use crate::desktop::wire::{Method, Values};

fn question() -> Question {
    Question {
        title: "Give a code of GitHub:me?".into(),
        text: String::new(),
    }
}

/// What comes of a question put to a bus that does this with everybody who connects.
fn asked_of(bus: impl Fn(UnixStream) -> std::io::Result<()> + Send + 'static) -> Answer {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        listener
            .incoming()
            .for_each(|stream| drop(bus(stream.unwrap())))
    });
    ask_at(&path)
}

fn ask_at(path: &Path) -> Answer {
    let address = format!("unix:path={}", path.display());
    ask(&address, &question(), Duration::from_millis(700), &|| true)
}

/// Lets somebody in, as a bus does, and reads the call of `Hello`.
fn greeted(mut stream: &UnixStream) -> std::io::Result<()> {
    let mut bytes = [0; 4096];
    let _ = stream.read(&mut bytes)?;
    stream.write_all(b"OK 0123456789abcdef\r\n")?;
    let _ = stream.read(&mut bytes)?;
    Ok(())
}

/// Until the other side hangs up.
fn waits(mut stream: &UnixStream) -> std::io::Result<()> {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes)? > 0 {}
    Ok(())
}

/// A message that looks like a call, for nobody.
fn message() -> Vec<u8> {
    let method = Method {
        destination: ":1.1",
        path: "/",
        interface: "a.b",
        member: "C",
    };
    method.call(1, &Values::default())
}

#[test]
fn a_bus_that_says_nothing_or_no_or_nonsense_gives_no_answer() {
    let sayings: [&[u8]; 6] = [
        b"",
        b"REJECTED EXTERNAL\r\n",
        b"\r\n",
        b"OK",
        &[b'x'; 100_000],
        &[0; 100],
    ];
    for saying in sayings {
        let bus = move |mut stream: UnixStream| {
            stream.write_all(saying)?;
            waits(&stream)
        };
        assert_eq!(asked_of(bus), Answer::CannotAsk, "{saying:?}");
    }
    assert_eq!(
        asked_of(|stream| stream.shutdown(std::net::Shutdown::Both)),
        Answer::CannotAsk
    );
}

#[test]
fn a_bus_that_greets_and_then_talks_nonsense_gives_no_answer() {
    let endless = {
        let mut fixed = message();
        fixed.truncate(16);
        // 100 MB are announced, which is allowed.
        fixed[4..8].copy_from_slice(&100_000_000_u32.to_le_bytes());
        fixed
    };
    let sayings = [Vec::new(), vec![b'x'; 4096], message(), endless];
    for saying in sayings {
        let said = saying.clone();
        let bus = move |stream: UnixStream| {
            greeted(&stream)?;
            (&stream).write_all(&said)?;
            waits(&stream)
        };
        assert_eq!(asked_of(bus), Answer::CannotAsk, "{saying:?}");
    }
}

#[test]
fn a_bus_that_never_stops_talking_is_not_listened_to_for_ever() {
    for piece in [message().repeat(1000), {
        let mut long = message();
        long[4..8].copy_from_slice(&1_000_000_u32.to_le_bytes());
        long.resize(long.len() + 1_000_000, 0);
        long
    }] {
        let bus = move |stream: UnixStream| {
            greeted(&stream)?;
            loop {
                (&stream).write_all(&piece)?;
            }
        };
        assert_eq!(asked_of(bus), Answer::CannotAsk);
    }
}

#[test]
fn a_bus_that_lets_nobody_in_is_not_waited_for() {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    let address = SocketAddrUnix::new(&path).unwrap();
    let new = || {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
    };
    let listener = new();
    bind(&listener, &address).unwrap();
    listen(&listener, 0).unwrap();
    let mut queued = Vec::new();
    let refusal = loop {
        let client = new();
        match connect(&client, &address) {
            Ok(()) => queued.push(client),
            Err(error) => break error,
        }
    };
    assert_eq!(refusal, rustix::io::Errno::AGAIN, "the queue is full");
    assert_eq!(ask_at(&path), Answer::CannotAsk);
}

#[test]
fn a_bus_that_hangs_up_is_not_stormed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let (came, comes) = mpsc::channel();
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for _stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = came.send(());
        }
    });
    let buses = Buses {
        system: Some(format!("unix:path={}", path.display())),
        session: None,
    };
    watch(&buses, 0, |_| {});
    // It comes back: after 100 ms, 200 ms, 400 ms and 800 ms.
    for _ in 0..4 {
        comes.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    let before = count.load(Ordering::SeqCst);
    thread::sleep(Duration::from_millis(300));
    // However late we look, at most one of its pauses of half a second and more ends within these.
    let after = count.load(Ordering::SeqCst);
    assert!(after <= before + 1, "{before}, then {after}");
}

#[test]
fn without_buses_nothing_is_watched_and_nobody_asked() {
    watch(&Buses::default(), 0, |_| {});
    assert_eq!(
        ask("", &question(), Duration::from_secs(60), &|| true),
        Answer::CannotAsk
    );
    assert_eq!(
        ask(
            "tcp:host=localhost,port=1",
            &question(),
            Duration::from_secs(60),
            &|| true
        ),
        Answer::CannotAsk
    );
}
