//! Files that a person names: read within bounds and without waiting for ever, written for nobody else to read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};

/// The content of a file, of at most `most` bytes. The error says what is wrong, not which file.
///
/// # Errors
/// No such file; a directory, device or named pipe; larger than `most`.
pub(crate) fn read(path: &Path, most: u64) -> Outcome<(Zeroizing<Vec<u8>>, Metadata)> {
    let metadata = std::fs::metadata(path).map_err(fault)?;
    if let Some(what) = not_readable(path, &metadata) {
        return Err(Fault::usage(format!("{what}, not a file")));
    }
    // What says itself that it is too large isn't read as far as it may be.
    if metadata.is_file() && metadata.len() > most {
        return Err(too_large(most));
    }
    // Room for all of it and for its end: a buffer that grows is there twice for a while.
    let room = metadata.len().min(most) as usize + 1;
    let bytes = read_all(File::open(path).map_err(fault)?, most, room)?;
    Ok((bytes, metadata))
}

/// All of standard input, of at most `most` bytes. Not through `stdin()`, which keeps a buffer of its own that nobody wipes.
pub(crate) fn read_stdin(most: u64) -> Outcome<Zeroizing<Vec<u8>>> {
    read_all(own_stdin().map_err(fault)?, most, 0).map_err(|fault| fault.at("standard input"))
}

#[cfg(unix)]
fn own_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn own_stdin() -> io::Result<io::Stdin> {
    Ok(io::stdin())
}

fn fault(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::new(Exit::NotFound, "no such file"),
        _ => Fault::new(Exit::Internal, error.to_string()),
    }
}

/// Reads to the end, into a buffer that has this much room at first. One that has become too small is wiped, not just given
/// back.
fn read_all(mut from: impl Read, most: u64, room: usize) -> Outcome<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; room.max(64 << 10)]);
    let mut len = 0;
    loop {
        match from.read(&mut bytes[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fault(error)),
        }
        if len as u64 > most {
            return Err(too_large(most));
        }
        if len == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; len * 2]);
            larger[..len].copy_from_slice(&bytes);
            bytes = larger;
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

fn too_large(most: u64) -> Fault {
    Fault::usage(format!("more than {most} bytes"))
}

/// What is no file, or would make us wait for ever.
fn not_readable(path: &Path, metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_dir() {
        return Some("a directory");
    }
    if metadata.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        // A shell's `<(command)` is a pipe with somebody at its other end.
        if kind.is_fifo() && (path.starts_with("/dev/fd") || path.starts_with("/proc")) {
            return None;
        }
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    let _ = path;
    Some("a device")
}

/// A file that didn't exist before and that nobody else can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes what was put into a directory durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems can't sync a directory; the files in it are synced.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_whole_and_bounded() {
        let long = vec![7; 300_000];
        let read = |most| {
            read_all(long.as_slice(), most, 0)
                .map(|bytes| bytes.len())
                .ok()
        };
        assert_eq!(read(300_000), Some(300_000));
        assert_eq!(read(299_999), None);
        assert_eq!(
            read_all(&b""[..], 1, 2).map(|bytes| bytes.len()).ok(),
            Some(0)
        );
    }
}
