//! The ledger's file and its lock on disk.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use crate::ledger::LedgerError;
use crate::ledger::record::{NotALedger, Record};

/// What the lock file's name ends with. It stays: whoever deleted it would let two processes lock two files.
pub(super) const LOCK: &str = ".lock";

/// What the name of the file ends with that is about to replace the ledger.
pub(super) const NEW: &str = ".new";

/// More than the accounts and steps that are remembered can take.
const MAX_LEN: u64 = 64 << 20;

/// Whether the lock is really taken. Only a test goes without, to see that it is what keeps processes apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    Held,
    #[cfg(test)]
    Skipped,
}

/// A path with something behind its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Waits for the lock, but not for ever; it is given back when the file is dropped, or by the system when the process dies.
pub(super) fn lock(
    ledger: &Path,
    locking: Locking,
    patience: Duration,
) -> Result<Option<File>, LedgerError> {
    match locking {
        Locking::Held => {}
        #[cfg(test)]
        Locking::Skipped => return Ok(None),
    }
    let path = beside(ledger, LOCK);
    let fails = |source| LedgerError::Io {
        path: path.clone(),
        source,
    };
    let mut options = OpenOptions::new();
    let file = open(options.read(true).write(true).create(true), &path)
        .map_err(|error| not_a_file(error, &path))?;
    if !file.metadata().map_err(fails)?.is_file() {
        return Err(LedgerError::NotAFile(path));
    }
    // A first attempt that doesn't wait tells whether there are locks at all.
    let locked = match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => match wait(file, patience) {
            Some(locked) => locked,
            None => return Err(LedgerError::Busy { path }),
        },
        Err(TryLockError::Error(source)) => Err(source),
    };
    match locked {
        Ok(file) => Ok(Some(file)),
        Err(source) => Err(LedgerError::NoLock { path, source }),
    }
}

/// Waits for the lock; none if it doesn't come in time. The system's own waiting has no end, so a thread does it: asking
/// again and again would let a process that claims without a pause starve the others. A thread that nobody waits for any
/// more gives the lock back as soon as it has it.
fn wait(file: File, patience: Duration) -> Option<io::Result<File>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let waiting = std::thread::Builder::new().spawn(move || {
        let locked = loop {
            match file.lock() {
                // `flock` may be interrupted by a signal whose handler returns.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
                Ok(()) => break Ok(file),
            }
        };
        let _ = sender.send(locked);
    });
    match waiting {
        Ok(_) => receiver.recv_timeout(patience).ok(),
        Err(error) => Some(Err(error)),
    }
}

/// What the ledger says; a missing one says nothing.
pub(super) fn read(path: &Path) -> Result<Record, LedgerError> {
    let fails = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let file = match open(OpenOptions::new().read(true), path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
        Err(error) => return Err(not_a_file(error, path)),
    };
    let metadata = file.metadata().map_err(fails)?;
    if !metadata.is_file() {
        return Err(LedgerError::NotAFile(path.to_owned()));
    }
    if metadata.len() > MAX_LEN {
        return Err(LedgerError::Foreign(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_LEN).read_to_end(&mut bytes).map_err(fails)?;
    Record::from_text(&bytes).map_err(|NotALedger| LedgerError::Foreign(path.to_owned()))
}

/// Puts a whole new text in the ledger's place. The caller holds the lock.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), LedgerError> {
    let new = beside(path, NEW);
    let written = write_new(&new, text).and_then(|()| std::fs::rename(&new, path));
    written.map_err(|source| {
        // Left behind it would do no harm, as the next one clears it away; but a full disk is better off without it.
        let _ = std::fs::remove_file(&new);
        LedgerError::Io {
            path: path.to_owned(),
            source,
        }
    })?;
    // The rename is what other processes see. Whether it also outlives a power cut is up to the directory; a file system
    // that can't say so does no harm here.
    if let Some(directory) = path.parent().map(|parent| {
        if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        }
    }) {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(())
}

fn write_new(new: &Path, text: &str) -> io::Result<()> {
    // One that an interrupted process left behind: only the holder of the lock writes it, so it is nobody's.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = open(OpenOptions::new().write(true).create_new(true), new)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// Opens without following a symbolic link and without waiting for a pipe's other end; what is made is the owner's alone.
#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options
        .mode(0o600)
        .custom_flags(flags.bits() as i32)
        .open(path)
}

#[cfg(not(unix))]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

/// A link, a directory or a pipe shows itself already when it is opened.
fn not_a_file(error: io::Error, path: &Path) -> LedgerError {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => LedgerError::NotAFile(path.to_owned()),
        Ok(_) | Err(_) => LedgerError::Io {
            path: path.to_owned(),
            source: error,
        },
    }
}
