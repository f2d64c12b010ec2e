//! Frames on a socket: bounded in length and in time.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use crate::agent::protocol::{Head, MAX_FRAME, REPLY_HEAD, REQUEST_HEAD};
use crate::clock::Deadline;

/// How long the other end may take for a frame: to begin it, and to end it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Why no frame came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFrame {
    /// The other end has closed, before or within a frame.
    Closed,
    /// It took too long.
    Late,
    /// The length is out of bounds.
    Length,
    /// The socket failed.
    Failed,
}

/// Reads until `bytes` is full.
fn read_exact(stream: &UnixStream, bytes: &mut [u8], until: Deadline) -> Result<(), NoFrame> {
    let mut have = 0;
    while have < bytes.len() {
        have += read_some(stream, &mut bytes[have..], until)?;
    }
    Ok(())
}

/// Reads what there is, at least a byte.
fn read_some(mut stream: &UnixStream, bytes: &mut [u8], until: Deadline) -> Result<usize, NoFrame> {
    loop {
        let left = until.left();
        if left.is_zero() {
            return Err(NoFrame::Late);
        }
        stream
            .set_read_timeout(Some(left))
            .map_err(|_| NoFrame::Failed)?;
        match stream.read(bytes) {
            Ok(0) => return Err(NoFrame::Closed),
            Ok(more) => return Ok(more),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(NoFrame::Late),
                ErrorKind::ConnectionReset => return Err(NoFrame::Closed),
                _ => return Err(NoFrame::Failed),
            },
        }
    }
}

/// Writes all of a frame.
pub(super) fn write(
    mut stream: &UnixStream,
    frame: &[u8],
    patience: Duration,
) -> Result<(), NoFrame> {
    let until = Deadline::after(patience);
    let mut rest = frame;
    stream
        .set_write_timeout(Some(patience))
        .map_err(|_| NoFrame::Failed)?;
    while !rest.is_empty() {
        if until.has_passed() {
            return Err(NoFrame::Late);
        }
        // `send` without SIGPIPE: Rust's runtime ignores that signal in every program.
        match stream.write(rest) {
            Ok(0) => return Err(NoFrame::Closed),
            Ok(written) => rest = &rest[written..],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(NoFrame::Late),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => return Err(NoFrame::Closed),
                _ => return Err(NoFrame::Failed),
            },
        }
    }
    Ok(())
}

/// Whether the other end is gone for good: nobody there would hear an answer. What it said before may still be unread.
pub(super) fn has_hung_up(stream: &UnixStream) -> bool {
    let mut end = [PollFd::new(stream, PollFlags::empty())];
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    poll(&mut end, Some(&Timespec::default())).is_ok() && end[0].revents().intersects(gone)
}

/// What was read of a connection and not yet used. Wiped, since keys and sessions pass through it.
pub(super) struct Inbox {
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
    have: usize,
}

/// Most requests are far shorter.
const USUAL: usize = 2048;

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: Zeroizing::new(vec![0; USUAL]),
            used: 0,
            have: 0,
        }
    }

    /// For another connection: nothing of the last one stays.
    pub(super) fn clear(&mut self) {
        self.bytes[..self.have].fill(0);
        std::hint::black_box(self.bytes.as_slice());
        (self.used, self.have) = (0, 0);
    }

    /// Reads until `wanted` bytes are there that weren't used.
    fn fill(&mut self, stream: &UnixStream, wanted: usize, until: Deadline) -> Result<(), NoFrame> {
        let whole = self.have - self.used;
        if whole >= wanted {
            return Ok(());
        }
        if self.used > 0 {
            self.bytes.copy_within(self.used..self.have, 0);
            self.bytes[whole..self.have].fill(0);
            (self.used, self.have) = (0, whole);
        }
        if self.bytes.len() < wanted {
            let mut larger = Zeroizing::new(vec![0; wanted]);
            larger[..whole].copy_from_slice(&self.bytes[..whole]);
            self.bytes = larger;
        }
        while self.have < wanted {
            self.have += read_some(stream, &mut self.bytes[self.have..], until)?;
        }
        Ok(())
    }

    /// The next request: it must begin within `begins`, and end within [`PATIENCE`] from there.
    pub(super) fn request(
        &mut self,
        stream: &UnixStream,
        begins: Duration,
    ) -> Result<(Head, &[u8]), NoFrame> {
        if self.have - self.used < 1 {
            self.fill(stream, 1, Deadline::after(begins))?;
        }
        let until = Deadline::after(PATIENCE);
        self.fill(stream, REQUEST_HEAD, until)?;
        let head = self.bytes[self.used..]
            .first_chunk()
            .and_then(Head::read)
            .ok_or(NoFrame::Length)?;
        self.body(stream, head, REQUEST_HEAD, until)
    }

    /// The body behind a head that somebody else has read.
    pub(super) fn rest_of(
        &mut self,
        stream: &UnixStream,
        head: Head,
    ) -> Result<(Head, &[u8]), NoFrame> {
        self.body(stream, head, 0, Deadline::after(PATIENCE))
    }

    fn body(
        &mut self,
        stream: &UnixStream,
        head: Head,
        before: usize,
        until: Deadline,
    ) -> Result<(Head, &[u8]), NoFrame> {
        let len = before + head.body;
        self.fill(stream, len, until)?;
        let from = self.used + before;
        self.used += len;
        Ok((head, &self.bytes[from..self.used]))
    }
}

/// Reads exactly a request's head and nothing behind it: the body may be for another process. The head's bytes too.
pub(super) fn read_head(stream: &UnixStream) -> Result<(Head, [u8; REQUEST_HEAD]), NoFrame> {
    let mut bytes = [0; REQUEST_HEAD];
    read_exact(stream, &mut bytes[..1], Deadline::after(PATIENCE))?;
    read_exact(stream, &mut bytes[1..], Deadline::after(PATIENCE))?;
    let head = Head::read(&bytes).ok_or(NoFrame::Length)?;
    Ok((head, bytes))
}

/// Whether so many bytes come within [`PATIENCE`]. None of them is read, nor looked at.
pub(super) fn is_there(stream: &UnixStream, len: usize) -> bool {
    let until = Deadline::after(PATIENCE);
    loop {
        let have = rustix::io::ioctl_fionread(stream).unwrap_or(0);
        if have >= len as u64 {
            return true;
        }
        if until.has_passed() || is_ended(stream) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether nothing more can come: the other end has closed, or it was shown out.
#[cfg(target_os = "linux")]
fn is_ended(stream: &UnixStream) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::new(stream, PollFlags::RDHUP)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&at_once)).is_err() || !fds[0].revents().is_empty()
}

/// Elsewhere that is known only when the time is over.
#[cfg(not(target_os = "linux"))]
fn is_ended(_stream: &UnixStream) -> bool {
    false
}

/// Reads a body of `len` bytes behind a head.
pub(super) fn read_body(stream: &UnixStream, len: usize) -> Result<Zeroizing<Vec<u8>>, NoFrame> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    read_exact(stream, &mut bytes, Deadline::after(PATIENCE))?;
    Ok(bytes)
}

/// The next reply, what follows its length.
pub(super) fn read_reply(
    stream: &UnixStream,
    inbox: &mut Inbox,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, NoFrame> {
    let until = Deadline::after(patience);
    inbox.fill(stream, 4, until)?;
    let len = inbox.bytes[inbox.used..]
        .first_chunk()
        .map_or(0, |len| u32::from_le_bytes(*len) as usize);
    if !(REPLY_HEAD - 4..=MAX_FRAME).contains(&len) {
        return Err(NoFrame::Length);
    }
    inbox.fill(stream, 4 + len, until)?;
    let frame = inbox.bytes[inbox.used + 4..inbox.used + 4 + len].to_vec();
    inbox.used += 4 + len;
    Ok(Zeroizing::new(frame))
}
