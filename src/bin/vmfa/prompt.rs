//! Asking a person, on the terminal itself: standard input and output may be pipes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::time::Duration;

#[cfg(unix)]
use vmfa::clock::Deadline;
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};
use crate::print::clean_lines;

/// The longest line that is taken.
const MAX_LINE: usize = 16 << 10;

/// What came of asking somebody for a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    Line(String),
    /// ^D, or the terminal is gone.
    End,
    /// Nothing, for as long as was waited.
    Nothing,
}

/// The terminal a person sits at.
pub(crate) struct Terminal(File);

impl Terminal {
    /// The controlling terminal, if there is one and this process may talk to it; a background job would be stopped.
    pub(crate) fn open() -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open(TTY).ok()?;
        in_foreground(&tty).then_some(Self(tty))
    }

    /// Asks for a line that isn't shown. The echo goes off before the question is asked: what is typed or pasted at once
    /// isn't shown either.
    pub(crate) fn hidden(&self, question: &str) -> Outcome<SecretText> {
        let mut tty = &self.0;
        let quiet = Quiet::new(&self.0)?;
        tty.write_all(clean_lines(question).as_bytes())
            .map_err(broken)?;
        let line = read_hidden(&mut Keys {
            tty: &self.0,
            stop: quiet.stop(),
        });
        drop(quiet);
        let _ = tty.write_all(b"\n");
        line
    }

    /// Asks for a line that is shown.
    pub(crate) fn line(&self, question: &str) -> Outcome<String> {
        let mut tty = &self.0;
        tty.write_all(clean_lines(question).as_bytes())
            .map_err(broken)?;
        let mut bytes = Vec::new();
        let mut byte = [0];
        while bytes.len() < MAX_LINE
            && tty.read(&mut byte).map_err(broken)? == 1
            && byte[0] != b'\n'
        {
            bytes.push(byte[0]);
        }
        String::from_utf8(bytes)
            .map(|line| line.trim().to_owned())
            .map_err(|_| Fault::usage("that is not UTF-8"))
    }

    /// Asks for a line that is shown, of somebody who may leave instead, or go away for so long.
    ///
    /// # Errors
    /// ^C, or another signal that ends a process: whoever holds something open can let go of it first.
    pub(crate) fn typed(&self, question: &str, patience: Option<Duration>) -> Outcome<Typed> {
        let mut tty = &self.0;
        let signals = Held::back();
        let mut keys = Keys {
            tty: &self.0,
            stop: signals.signals(),
        };
        tty.write_all(clean_lines(question).as_bytes())
            .map_err(broken)?;
        match keys.wait(patience).map_err(broken)? {
            Came::Key => {}
            Came::Signal => {
                let _ = tty.write_all(b"\n");
                return Err(Fault::silent(Exit::Interrupted));
            }
            Came::Nothing => {
                let _ = tty.write_all(b"\n");
                return Ok(Typed::Nothing);
            }
        }
        let mut bytes = Vec::new();
        let mut byte = [0];
        let ended = loop {
            if keys.read(&mut byte).map_err(broken)? == 0 {
                break true;
            }
            if byte[0] == b'\n' {
                break false;
            }
            if bytes.len() < MAX_LINE {
                bytes.push(byte[0]);
            }
        };
        if ended {
            let _ = tty.write_all(b"\n");
            if signals.has_come() {
                return Err(Fault::silent(Exit::Interrupted));
            }
            if bytes.is_empty() {
                return Ok(Typed::End);
            }
        }
        String::from_utf8(bytes)
            .map(|line| Typed::Line(line.trim().to_owned()))
            .map_err(|_| Fault::usage("that is not UTF-8"))
    }

    /// Asks a question that is answered by yes or no; no is what silence means.
    pub(crate) fn confirm(&self, question: &str) -> Outcome<bool> {
        let answer = self.line(&format!("{question} [y/N] "))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// The terminal itself, to draw on.
    #[cfg(unix)]
    pub(crate) fn into_file(self) -> File {
        self.0
    }

    /// Says something on the terminal.
    pub(crate) fn say(&self, text: &str) {
        let _ = writeln!(&self.0, "{}", clean_lines(text));
    }
}

#[cfg(unix)]
const TTY: &str = "/dev/tty";
#[cfg(not(unix))]
const TTY: &str = "CON";

fn broken(error: std::io::Error) -> Fault {
    Fault::new(
        Exit::Internal,
        format!("the terminal can't be read: {error}"),
    )
}

/// Reads bytes as keys until Enter: the terminal hands them over one by one, so editing is ours.
fn read_hidden(tty: &mut impl Read) -> Outcome<SecretText> {
    // Never grows, so no copy of a passphrase is left behind by a reallocation.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    let mut byte = Zeroizing::new([0]);
    loop {
        if tty.read(byte.as_mut()).map_err(broken)? == 0 {
            return Err(Fault::new(Exit::Interrupted, "the terminal was closed"));
        }
        match byte[0] {
            b'\r' | b'\n' => break,
            // ^C, and ^D on an empty line.
            3 => return Err(Fault::silent(Exit::Interrupted)),
            4 if line.is_empty() => return Err(Fault::silent(Exit::Interrupted)),
            // ^H and Backspace take the last character back, with all its UTF-8 bytes.
            8 | 127 => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // ^U and ^W take back everything: where a word of it began can't be seen.
            21 | 23 => line.clear(),
            // An escape sequence, such as an arrow key: CSI up to its final byte.
            27 => skip_escape(tty)?,
            byte if byte < 32 => {}
            byte if line.len() < MAX_LINE => line.push(byte),
            _ => {
                return Err(Fault::usage(format!(
                    "a line of more than {MAX_LINE} bytes"
                )));
            }
        }
    }
    SecretText::from_utf8(line.to_vec()).ok_or_else(|| Fault::usage("what was typed is not UTF-8"))
}

fn skip_escape(tty: &mut impl Read) -> Outcome {
    let mut byte = [0];
    if tty.read(&mut byte).map_err(broken)? == 1 && (byte[0] == b'[' || byte[0] == b'O') {
        while tty.read(&mut byte).map_err(broken)? == 1 && !(0x40..=0x7e).contains(&byte[0]) {}
    }
    Ok(())
}

#[cfg(unix)]
fn in_foreground(tty: &File) -> bool {
    rustix::termios::tcgetpgrp(tty).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn in_foreground(_tty: &File) -> bool {
    true
}

/// The keys of the terminal, until a signal asks to stop.
struct Keys<'a> {
    tty: &'a File,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such signals"))]
    stop: Option<&'a Signals>,
}

impl Read for Keys<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        if let Some(signals) = self.stop
            && signals.come_before(self.tty)?
        {
            // As if the terminal had been closed: the caller gives it back and ends.
            return Ok(0);
        }
        self.tty.read(into)
    }
}

/// From here on somebody else answers to the signals that end a process.
#[cfg(all(unix, feature = "tui"))]
pub(crate) fn signals_are_taken() {
    if let Some(signals) = Signals::taken_over() {
        signals.let_end(false);
    }
}

/// What came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Key,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no such signals"))]
    Signal,
    #[cfg_attr(not(unix), expect(dead_code, reason = "nobody can wait for so long"))]
    Nothing,
}

impl Keys<'_> {
    /// Waits for a key, for so long at most.
    fn wait(&self, patience: Option<Duration>) -> std::io::Result<Came> {
        #[cfg(unix)]
        if let Some(signals) = self.stop {
            return signals.wait(self.tty, patience);
        }
        let _ = patience;
        Ok(Came::Key)
    }
}

/// Signals that would end the process are held back for as long as this lives.
struct Held(Option<&'static Signals>);

#[cfg(unix)]
impl Held {
    fn back() -> Self {
        let signals = Signals::taken_over();
        if let Some(signals) = signals {
            signals.let_end(false);
        }
        Self(signals)
    }

    fn signals(&self) -> Option<&'static Signals> {
        self.0
    }

    fn has_come(&self) -> bool {
        self.0.is_some_and(Signals::has_come)
    }
}

#[cfg(unix)]
impl Drop for Held {
    fn drop(&mut self) {
        if let Some(signals) = self.0 {
            signals.let_end(true);
        }
    }
}

#[cfg(not(unix))]
impl Held {
    fn back() -> Self {
        Self(None)
    }

    fn signals(&self) -> Option<&'static Signals> {
        self.0
    }

    fn has_come(&self) -> bool {
        false
    }
}

/// Signals that end a process. While a hidden line is typed they end it only after the terminal was given back.
#[cfg(unix)]
pub(crate) struct Signals {
    /// Can be read from once one came.
    pub(crate) came: std::os::unix::net::UnixStream,
    may_end: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

#[cfg(not(unix))]
struct Signals;

#[cfg(unix)]
impl Signals {
    /// Takes the signals over, once and for all: outside of a prompt they do what they always do.
    pub(crate) fn taken_over() -> Option<&'static Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        static SIGNALS: std::sync::OnceLock<Option<Signals>> = std::sync::OnceLock::new();
        let make = || {
            let (came, tell) = std::os::unix::net::UnixStream::pair().ok()?;
            let may_end = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
            for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
                let condition = std::sync::Arc::clone(&may_end);
                signal_hook::flag::register_conditional_default(signal, condition).ok()?;
                signal_hook::low_level::pipe::register(signal, tell.try_clone().ok()?).ok()?;
            }
            Some(Self { came, may_end })
        };
        SIGNALS.get_or_init(make).as_ref()
    }

    pub(crate) fn let_end(&self, may: bool) {
        self.may_end.store(may, std::sync::atomic::Ordering::SeqCst);
    }

    /// Waits for a key or a signal.
    fn come_before(&self, tty: &File) -> std::io::Result<bool> {
        Ok(self.wait(tty, None)? == Came::Signal)
    }

    /// Waits for a key or a signal, for so long at most.
    fn wait(&self, tty: &File, patience: Option<Duration>) -> std::io::Result<Came> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let until = patience.map(Deadline::after);
        loop {
            let mut waited = [
                PollFd::new(&self.came, PollFlags::IN),
                PollFd::new(tty, PollFlags::IN),
            ];
            let left = until.and_then(|until| Timespec::try_from(until.left()).ok());
            match poll(&mut waited, left.as_ref()) {
                Ok(0) => return Ok(Came::Nothing),
                Ok(_) if waited[0].revents().is_empty() => return Ok(Came::Key),
                Ok(_) => return Ok(Came::Signal),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether a signal has come that nobody has followed yet.
    fn has_come(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut waited = [PollFd::new(&self.came, PollFlags::IN)];
        poll(&mut waited, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

/// Keeps what is typed off the screen, and gives the terminal back as it was, also when a panic passes through or a signal
/// comes.
#[cfg(unix)]
struct Quiet<'a> {
    tty: &'a File,
    before: rustix::termios::Termios,
    signals: Option<&'static Signals>,
}

#[cfg(unix)]
impl<'a> Quiet<'a> {
    fn new(tty: &'a File) -> Outcome<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(tty).map_err(|error| broken(error.into()))?;
        let signals = Signals::taken_over();
        if let Some(signals) = signals {
            signals.let_end(false);
        }
        let mut quiet = before.clone();
        // ISIG off too: ^C arrives as a byte.
        quiet.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        let guard = Self {
            tty,
            before,
            signals,
        };
        tcsetattr(tty, OptionalActions::Drain, &quiet).map_err(|error| broken(error.into()))?;
        Ok(guard)
    }

    fn stop(&self) -> Option<&'static Signals> {
        self.signals
    }
}

#[cfg(unix)]
impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(
            self.tty,
            rustix::termios::OptionalActions::Drain,
            &self.before,
        );
        if let Some(signals) = self.signals {
            signals.let_end(true);
        }
    }
}

#[cfg(not(unix))]
struct Quiet;

#[cfg(not(unix))]
impl Quiet {
    fn new(_tty: &File) -> Outcome<Self> {
        Err(Fault::new(
            Exit::Internal,
            "a hidden prompt is not built for this system",
        )
        .hint("use --passphrase-file"))
    }

    fn stop(&self) -> Option<&'static Signals> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> String {
        read_hidden(&mut &keys[..]).map_or_else(
            |fault| format!("{:?}", fault.exit()),
            |line| line.expose().to_owned(),
        )
    }

    #[test]
    fn keys_edit_the_hidden_line() {
        assert_eq!(typed(b"secret\n"), "secret");
        assert_eq!(typed(b"secrex\x7ft\r"), "secret");
        assert_eq!(typed("ab\u{e9}\x7f\x7fc\n".as_bytes()), "ac");
        assert_eq!(typed(b"wrong\x15right\n"), "right");
        assert_eq!(typed(b"a\x1b[Db\x1bOAc\n"), "abc");
        assert_eq!(typed(b"\x7f\x7fa\n"), "a");
        assert_eq!(typed(b"abc\x03"), "Interrupted");
        assert_eq!(typed(b"\x04"), "Interrupted");
        assert_eq!(typed(b"abc"), "Interrupted");
        assert_eq!(typed(b"\xff\n"), "Usage");
    }
}
