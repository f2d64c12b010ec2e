//! The lock of whoever listens at an address: it keeps two agents apart, and tells which process has it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::Pid;

use crate::agent::error::AgentError;
use crate::clock::Deadline;

/// More than any number of a process has digits.
const MAX_PID: u64 = 20;

/// Who has the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Nobody,
    /// This process, if it has written its number yet. As long as the lock is held, the number isn't another process's.
    Somebody(Option<Pid>),
}

/// Takes the lock, until what it returns is dropped; an agent that is just ending is waited for so long.
pub(super) fn take(path: &Path, patience: Duration) -> Result<File, AgentError> {
    let in_the_way = || AgentError::InTheWay {
        path: path.into(),
        what: "is no regular file, and is left alone",
    };
    let file = options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => in_the_way(),
            Ok(_) | Err(_) => AgentError::io_at("lock", path)(error),
        })?;
    // A pipe opens as well as a file does.
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(in_the_way());
    }
    let until = Deadline::after(patience);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(fs::TryLockError::WouldBlock) if until.has_passed() => {
                return Err(AgentError::RunsAlready);
            }
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            Err(fs::TryLockError::Error(error)) => {
                return Err(AgentError::io_at("lock", path)(error));
            }
        }
    }
    // Where it can't be written, the agent can't be ended by force: no reason to do without one.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(&file, "{}", std::process::id()));
    Ok(file)
}

/// Who has the lock now.
pub(super) fn holder(path: &Path) -> Holder {
    let Ok(file) = options().open(path) else {
        return Holder::Nobody;
    };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Holder::Nobody;
    }
    // Shared: who else looks at this moment isn't taken for an agent.
    match file.try_lock_shared() {
        Err(fs::TryLockError::WouldBlock) => {}
        Ok(()) | Err(fs::TryLockError::Error(_)) => return Holder::Nobody,
    }
    let mut text = String::new();
    let pid = match file.take(MAX_PID).read_to_string(&mut text) {
        Ok(_) => number(&text),
        Err(_) => None,
    };
    Holder::Somebody(pid)
}

/// Never a number that means several processes, or the system's first one.
fn number(text: &str) -> Option<Pid> {
    let number = text.trim_end().parse().ok().filter(|number| *number > 1)?;
    Pid::from_raw(number)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(
        (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK)
            .bits()
            .cast_signed(),
    );
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_it_is_told_while_it_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.lock");
        assert_eq!(holder(&path), Holder::Nobody);
        let held = take(&path, Duration::ZERO).unwrap();
        let own = Pid::from_raw(std::process::id().cast_signed());
        assert_eq!(holder(&path), Holder::Somebody(own));
        assert!(matches!(
            take(&path, Duration::ZERO),
            Err(AgentError::RunsAlready)
        ));
        assert_eq!(holder(&path), Holder::Somebody(own), "not written over");
        drop(held);
        assert_eq!(holder(&path), Holder::Nobody);
        let held = take(&path, Duration::ZERO).unwrap();
        for text in ["", "-5\n", "0", "1", "no number", "99999999999"] {
            held.set_len(0).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&held, text.as_bytes(), 0).unwrap();
            assert_eq!(holder(&path), Holder::Somebody(None), "{text}");
        }
        drop(held);
    }
}
