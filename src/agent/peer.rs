//! Who is at the other end, and who has made the directory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::agent::error::AgentError;

/// This process's user.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
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
        Err(error) => return Err(AgentError::io("directory")(error)),
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
