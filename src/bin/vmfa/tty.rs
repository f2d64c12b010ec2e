//! Keys one by one from the terminal, and the terminal given back as it was: at the end, on a panic, by a signal, on ^Z.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::fault::{Exit, Fault, Outcome};
use crate::prompt::{Signals, Terminal};

/// A key as it was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    /// With the control key; the letter in lower case.
    Ctrl(char),
    Enter,
    Backspace,
    Escape,
    Up,
    Down,
    PageUp,
    PageDown,
    /// One that means nothing here.
    Other,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Key(Key),
    /// The terminal has another size.
    Resized,
    /// The person, or whoever sends the signal, wants the shell back for a while.
    Suspend,
    /// The terminal was closed, or a signal wants an end.
    End,
    /// So much time has passed, or the other thing that was waited for has come.
    Time,
}

/// The terminal in raw mode.
pub(crate) struct Keyboard {
    tty: File,
    before: Termios,
    ends: Option<&'static Signals>,
    others: Option<Others>,
    /// Bytes that no key was made of yet.
    bytes: Vec<u8>,
}

/// Signals that don't end anything.
struct Others {
    came: UnixStream,
    resized: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

/// How long the rest of an escape sequence may take: more, and it was the key itself.
const ESCAPE: Duration = Duration::from_millis(40);

impl Keyboard {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// It can't be asked how it is.
    pub(crate) fn new(terminal: Terminal) -> Outcome<Self> {
        let tty = terminal.into_file();
        let before = tcgetattr(&tty).map_err(broken)?;
        let ends = Signals::taken_over();
        if let Some(ends) = ends {
            ends.let_end(false);
        }
        let keyboard = Self {
            tty,
            before,
            ends,
            others: Others::new().ok(),
            bytes: Vec::new(),
        };
        keyboard.raw()?;
        Ok(keyboard)
    }

    fn raw(&self) -> Outcome {
        let mut raw = self.before.clone();
        // ISIG off too: ^C and ^Z arrive as keys. What is printed stays as it was, so that a line feed begins a line.
        raw.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::ISIG
            | LocalModes::IEXTEN;
        raw.input_modes -= InputModes::ICRNL | InputModes::IXON | InputModes::INLCR;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.tty, OptionalActions::Drain, &raw).map_err(broken)
    }

    /// Draws.
    ///
    /// # Errors
    /// The terminal has gone.
    pub(crate) fn draw(&mut self, text: &str) -> Outcome {
        self.tty
            .write_all(text.as_bytes())
            .map_err(|_| Fault::silent(Exit::Interrupted))
    }

    /// Columns and lines; what terminals had for decades where it doesn't say.
    pub(crate) fn size(&self) -> (usize, usize) {
        let size = rustix::termios::tcgetwinsize(&self.tty).ok();
        let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()))
    }

    /// Gives the terminal back and stops, until somebody says to go on. A process that isn't its group's first is no job of
    /// its own: it may be the command of a `$(…)`, where a shell would wait for it for ever; it doesn't stop.
    ///
    /// # Errors
    /// The terminal can't be taken over again.
    pub(crate) fn suspend(&mut self) -> Outcome {
        use rustix::process::{Signal, getpgrp, getpid, kill_process_group};
        if getpgrp() != getpid() {
            return Ok(());
        }
        let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
        let _ = kill_process_group(getpgrp(), Signal::STOP);
        self.raw()
    }

    /// Waits for something: a key, a signal, the time, or that `other` can be read or has broken.
    pub(crate) fn next(
        &mut self,
        time: Option<Duration>,
        other: &[(BorrowedFd<'_>, PollFlags)],
    ) -> Event {
        loop {
            if let Some(event) = self.others.as_ref().and_then(Others::take) {
                return event;
            }
            let escape_waits = self.bytes.first() == Some(&0x1b);
            if let Some((key, len)) = key(&self.bytes, !escape_waits) {
                self.bytes.drain(..len);
                return match key {
                    Key::Ctrl('z') => Event::Suspend,
                    key => Event::Key(key),
                };
            }
            let span = if escape_waits { Some(ESCAPE) } else { time };
            match self.wait(span, other) {
                Ready::Tty => {
                    let mut bytes = [0; 256];
                    match self.tty.read(&mut bytes) {
                        Ok(count) if count > 0 => self.bytes.extend(&bytes[..count]),
                        Ok(_) | Err(_) => return Event::End,
                    }
                }
                Ready::End => return Event::End,
                Ready::Signal => {}
                Ready::Time if escape_waits => {
                    if let Some((key, len)) = key(&self.bytes, true) {
                        self.bytes.drain(..len);
                        return Event::Key(key);
                    }
                    self.bytes.clear();
                }
                Ready::Time => return Event::Time,
            }
        }
    }

    fn wait(&self, span: Option<Duration>, other: &[(BorrowedFd<'_>, PollFlags)]) -> Ready {
        let mut fds = vec![PollFd::new(&self.tty, PollFlags::IN)];
        let ends = self.ends.map(|ends| ends.came.as_fd());
        let others = self.others.as_ref().map(|others| others.came.as_fd());
        // A signal that couldn't be taken over is watched by nobody: the terminal stands in for it.
        fds.push(PollFd::from_borrowed_fd(
            ends.unwrap_or(self.tty.as_fd()),
            PollFlags::IN,
        ));
        fds.push(PollFd::from_borrowed_fd(
            others.unwrap_or(self.tty.as_fd()),
            PollFlags::IN,
        ));
        fds.extend(
            other
                .iter()
                .map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)),
        );
        let span = span.and_then(|span| Timespec::try_from(span).ok());
        match poll(&mut fds, span.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ready::Signal,
            Err(_) => return Ready::End,
            Ok(_) => {}
        }
        let is = |at: usize| !fds[at].revents().is_empty();
        match (ends.is_some() && is(1), others.is_some() && is(2), is(0)) {
            (true, _, _) => Ready::End,
            (_, true, _) => Ready::Signal,
            (_, _, true) => Ready::Tty,
            (false, false, false) => Ready::Time,
        }
    }
}

/// What can be read from.
enum Ready {
    Tty,
    Signal,
    End,
    Time,
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
        if let Some(ends) = self.ends {
            ends.let_end(true);
        }
    }
}

impl Others {
    fn new() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGTSTP, SIGWINCH};
        let (came, tell) = UnixStream::pair()?;
        came.set_nonblocking(true)?;
        let mut others = Self {
            came,
            resized: Arc::default(),
            stop: Arc::default(),
            ids: Vec::new(),
        };
        for (signal, flag) in [(SIGWINCH, &others.resized), (SIGTSTP, &others.stop)] {
            let ids = [
                signal_hook::flag::register(signal, Arc::clone(flag))?,
                signal_hook::low_level::pipe::register(signal, tell.try_clone()?)?,
            ];
            others.ids.extend(ids);
        }
        Ok(others)
    }

    fn take(&self) -> Option<Event> {
        let mut bytes = [0; 64];
        while matches!((&self.came).read(&mut bytes), Ok(count) if count > 0) {}
        if self.stop.swap(false, Ordering::SeqCst) {
            return Some(Event::Suspend);
        }
        self.resized
            .swap(false, Ordering::SeqCst)
            .then_some(Event::Resized)
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

fn broken(error: rustix::io::Errno) -> Fault {
    Fault::new(
        Exit::Internal,
        format!("the terminal can't be used: {error}"),
    )
}

/// The first key in the bytes that a terminal sent, and how many of them it is; none while its rest is still to come. When
/// that is `overdue`, whatever is there is a key.
fn key(bytes: &[u8], overdue: bool) -> Option<(Key, usize)> {
    let first = *bytes.first()?;
    match first {
        b'\r' => Some((Key::Enter, 1)),
        0x7f | 8 => Some((Key::Backspace, 1)),
        0x1b => escape(bytes, overdue),
        1..=26 => Some((Key::Ctrl(char::from(first - 1 + b'a')), 1)),
        0 | 0x1c..=0x1f => Some((Key::Other, 1)),
        _ => {
            let len = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            if bytes.len() < len && !overdue {
                return None;
            }
            let text = std::str::from_utf8(bytes.get(..len)?).ok();
            let character = text.and_then(|text| text.chars().next());
            Some(character.map_or((Key::Other, 1), |character| (Key::Char(character), len)))
        }
    }
}

fn escape(bytes: &[u8], overdue: bool) -> Option<(Key, usize)> {
    let unfinished = overdue.then_some((Key::Escape, 1));
    match bytes.get(1) {
        None => unfinished,
        Some(b'[' | b'O') => {
            let rest = &bytes[2..];
            let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
                return overdue.then_some((Key::Other, bytes.len()));
            };
            let key = match (&rest[..end], rest[end]) {
                (b"", b'A') => Key::Up,
                (b"", b'B') => Key::Down,
                (b"5", b'~') => Key::PageUp,
                (b"6", b'~') => Key::PageDown,
                (_, _) => Key::Other,
            };
            Some((key, 2 + end + 1))
        }
        // Escape, and then another key; or that key with Alt.
        Some(_) => Some((Key::Escape, 1)),
    }
}
