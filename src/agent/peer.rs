//! Who is at the other end, and who has made the directory.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::agent::error::AgentError;
use crate::clock::Deadline;

/// This process's user.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Connects, and waits no longer than so for a listener whose queue is full.
///
/// # Errors
/// [`AgentError::NotRunning`] where nobody listens, [`AgentError::Silent`] where nobody takes connections in.
pub(super) fn connect(path: &Path, patience: Duration) -> Result<UnixStream, AgentError> {
    let until = Deadline::after(patience);
    loop {
        match try_connect(path) {
            Ok(stream) => return Ok(stream),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    return Err(AgentError::NotRunning);
                }
                io::ErrorKind::WouldBlock if until.has_passed() => return Err(AgentError::Silent),
                io::ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(5)),
                io::ErrorKind::Interrupted => {}
                _ => return Err(AgentError::io_at("socket", path)(error)),
            },
        }
    }
}

/// Where the queue is full, the usual call waits for ever.
#[cfg(target_os = "linux")]
fn try_connect(path: &Path) -> io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Elsewhere it is refused then.
#[cfg(not(target_os = "linux"))]
fn try_connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path)
}

/// Nobody but ourselves may be at the other end: neither client nor agent says a word before this.
pub(super) fn is_ourselves(stream: &UnixStream) -> Result<(), AgentError> {
    let uid = uid(stream).map_err(AgentError::io("socket"))?;
    if uid == own_uid() {
        Ok(())
    } else {
        Err(AgentError::OtherUser(uid))
    }
}

#[cfg(target_os = "linux")]
fn uid(stream: &UnixStream) -> std::io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

#[cfg(not(target_os = "linux"))]
fn uid(stream: &UnixStream) -> std::io::Result<u32> {
    Ok(nix::unistd::getpeereid(stream)?.0.as_raw())
}

/// A directory of ours that nobody else may enter, and no link to one: in any other, somebody else could put a socket.
///
/// # Errors
/// It isn't; [`AgentError::NotRunning`] where there is none.
pub(super) fn is_private(directory: &Path) -> Result<(), AgentError> {
    let wrong = |what| AgentError::Directory {
        path: directory.to_owned(),
        what,
    };
    let found = match fs::symlink_metadata(directory) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(AgentError::NotRunning);
        }
        Err(error) => return Err(AgentError::io_at("directory", directory)(error)),
    };
    if found.is_symlink() {
        return Err(wrong("is a symbolic link"));
    }
    if !found.is_dir() {
        return Err(wrong("is no directory"));
    }
    if found.uid() != own_uid() {
        return Err(wrong("belongs to another user"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(wrong("is open to others"));
    }
    Ok(())
}
