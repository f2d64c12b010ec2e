//! The vault as a file: read with bounds, replaced as a whole or not at all.
//!
//! The order of a save is write to a new file, fsync it, link the old one as a backup, rename, fsync the directory. An
//! fsync that fails is never tried again on the same file: the kernel may have dropped the dirty pages and would report
//! success the second time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::vault::container::Written;
use crate::vault::error::{VaultError, hex};
use crate::vault::seal::{self, KEY_LEN, Randomness};

/// No vault of 100,000 records comes near it; reading stops here whatever a file claims.
pub(super) const MAX_FILE: u64 = 256 << 20;
/// How often a symbolic link is followed.
const MAX_LINKS: usize = 40;
/// Waiting for the lock: 10 ms at a time, a minute in all.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
const LOCK_PAUSES: usize = 6000;
/// After a second somebody may wonder.
const LOCK_PATIENCE: usize = 100;
/// How often the lock is taken anew because its file was deleted meanwhile.
const RELOCKS: usize = 100;

/// Where a vault really is: symbolic links resolved, so that what stands beside it stands beside the real file, and a save
/// replaces the file and not the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) vault: PathBuf,
    pub(super) dir: PathBuf,
    name: OsString,
}

impl Place {
    /// # Errors
    /// A loop of links; a path that names no file.
    pub(super) fn of(path: &Path) -> Result<Self, VaultError> {
        let mut path = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
            if !is_link {
                return Self::of_real(&path);
            }
            let to = fs::read_link(&path).map_err(|e| io("follow the link", &path, e))?;
            path = parent(&path).join(to);
        }
        Err(io(
            "follow the link",
            &path,
            io::Error::other("too many symbolic links"),
        ))
    }

    fn of_real(path: &Path) -> Result<Self, VaultError> {
        let name = match path.file_name() {
            Some(name) => name.to_owned(),
            None => {
                return Err(VaultError::NotAFile {
                    path: path.into(),
                    what: "a directory",
                });
            }
        };
        let dir = parent(path);
        // A directory that isn't there yet is made by `create`, and missed by everything else in its own words.
        let dir = fs::canonicalize(&dir).unwrap_or(dir);
        Ok(Self {
            vault: dir.join(&name),
            dir,
            name,
        })
    }

    /// The vault's name in its directory.
    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// A file beside the vault whose name is the vault's and a suffix.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.name.clone();
        name.push(suffix);
        self.dir.join(name)
    }

    /// The files beside the vault whose names are the vault's and a suffix; the suffixes.
    pub(super) fn suffixes(&self) -> Result<Vec<String>, VaultError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(|e| io("list", &self.dir, e))? {
            let entry = entry.map_err(|e| io("list", &self.dir, e))?;
            if let Some(suffix) = suffix(&entry.file_name(), &self.name) {
                found.push(suffix);
            }
        }
        Ok(found)
    }
}

/// What follows `name` in `file`; only text, for our own suffixes are.
fn suffix(file: &OsStr, name: &OsStr) -> Option<String> {
    let rest = file
        .as_encoded_bytes()
        .strip_prefix(name.as_encoded_bytes())?;
    (!rest.is_empty())
        .then(|| std::str::from_utf8(rest).ok().map(String::from))
        .flatten()
}

/// The directory of a path; that of a bare name is the present one.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.into(),
        Some(_) | None => PathBuf::from("."),
    }
}

pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> VaultError {
    VaultError::Io {
        action,
        path: path.into(),
        source,
    }
}

/// Reads a regular file of at most `max` bytes. Anything else is refused without waiting for it: a FIFO would block for
/// ever, and opening a device can have effects of its own.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, VaultError> {
    read_if(path, max, 0, |_, _| Ok(()))
}

/// As [`read`]; what `check` refuses by the file's first `start` bytes and its length is read no further, so that it takes no
/// memory.
pub(super) fn read_if(
    path: &Path,
    max: u64,
    start: usize,
    check: impl FnOnce(&[u8], u64) -> Result<(), VaultError>,
) -> Result<Vec<u8>, VaultError> {
    let (file, len) = open_regular(path)?;
    if len > max {
        return Err(VaultError::TooLarge {
            path: path.into(),
            len,
            max,
        });
    }
    let mut bytes = Vec::new();
    let mut file = file.take(start as u64);
    if len > start as u64 && start > 0 {
        file.read_to_end(&mut bytes)
            .map_err(|e| io("read", path, e))?;
        check(&bytes, len)?;
    }
    file.set_limit(max + 1 - bytes.len() as u64);
    bytes.reserve_exact((len as usize + 1).saturating_sub(bytes.len()));
    file.read_to_end(&mut bytes)
        .map_err(|e| io("read", path, e))?;
    if bytes.len() as u64 > max {
        return Err(VaultError::TooLarge {
            path: path.into(),
            len: bytes.len() as u64,
            max,
        });
    }
    Ok(bytes)
}

/// The first bytes of a regular file, at most `max` of them, and how many it has in all.
pub(super) fn read_start(path: &Path, max: usize) -> Result<(Vec<u8>, u64), VaultError> {
    let (file, len) = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(max as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| io("read", path, e))?;
    Ok((bytes, len))
}

/// Opens a regular file to read it; its size.
fn open_regular(path: &Path) -> Result<(File, u64), VaultError> {
    let mut options = OpenOptions::new();
    options.read(true);
    nonblocking(&mut options, false);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(VaultError::Missing {
                path: path.into(),
                backups: 0,
            });
        }
        Err(e) => {
            // A socket can't be opened at all: say what it is.
            return Err(match fs::metadata(path) {
                Ok(found) if !found.is_file() => VaultError::NotAFile {
                    path: path.into(),
                    what: kind_of(&found),
                },
                Ok(_) | Err(_) => io("read", path, e),
            });
        }
    };
    let found = file.metadata().map_err(|e| io("read", path, e))?;
    if !found.is_file() {
        return Err(VaultError::NotAFile {
            path: path.into(),
            what: kind_of(&found),
        });
    }
    Ok((file, found.len()))
}

fn kind_of(found: &fs::Metadata) -> &'static str {
    if found.is_dir() {
        return "a directory";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = found.file_type();
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    "no regular file"
}

/// Neither waits for the other end of a FIFO nor makes a terminal ours; with `own` it doesn't follow a last link either.
#[cfg(unix)]
fn nonblocking(options: &mut OpenOptions, own: bool) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if own {
        flags |= OFlags::NOFOLLOW;
    }
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn nonblocking(_options: &mut OpenOptions, _own: bool) {}

/// Only the owner reads and writes.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_options: &mut OpenOptions) {}

/// The lock that keeps two savers apart. The file stays for good. Where somebody deletes it all the same, two processes
/// could lock two files: so whoever got the lock looks whether it is still the one at the path, and again before it
/// replaces the vault ([`Lock::is_in_place`]).
pub(super) enum Lock {
    /// Held until dropped.
    Held(File),
    /// This file system has no locks: savers must read back what they wrote.
    /// Where the system can't swap two files in one step either ([`Temp::swap`]), a save of another one that falls between
    /// the last look and the rename, and was read back before it, is lost.
    Unsupported,
    /// For the test that shows what the lock is for.
    #[cfg(test)]
    Pretended,
}

impl Lock {
    /// Whether nobody else saves meanwhile.
    pub(super) fn is_alone(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::Unsupported => false,
            #[cfg(test)]
            Self::Pretended => true,
        }
    }

    /// Whether something else may stand in the vault's place when it is replaced, so that one has to look.
    pub(super) fn may_meet_others(&self) -> bool {
        match self {
            Self::Held(_) | Self::Unsupported => true,
            #[cfg(test)]
            Self::Pretended => false,
        }
    }

    /// Whether the file that is locked is still the one at the lock's path.
    pub(super) fn is_in_place(&self, place: &Place) -> bool {
        match self {
            Self::Held(file) => is_at(file, &place.beside(".lock")),
            Self::Unsupported => true,
            #[cfg(test)]
            Self::Pretended => true,
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        (_, _) => false,
    }
}

/// Elsewhere a file that is open can't be deleted.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

/// Takes the lock beside the vault; once more when its file was deleted while we waited. `on_wait` is called once if that
/// takes longer than a second.
pub(super) fn lock(place: &Place, on_wait: impl FnOnce()) -> Result<Lock, VaultError> {
    let mut on_wait = Some(on_wait);
    for _ in 0..RELOCKS {
        let lock = lock_once(place, &mut on_wait)?;
        if lock.is_in_place(place) {
            return Ok(lock);
        }
    }
    Err(VaultError::Busy {
        path: place.beside(".lock"),
    })
}

fn lock_once(place: &Place, on_wait: &mut Option<impl FnOnce()>) -> Result<Lock, VaultError> {
    let path = place.beside(".lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    nonblocking(&mut options, true);
    let file = match options.open(&path) {
        Ok(file) => file,
        Err(e) => {
            return Err(match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => VaultError::OddLock {
                    path,
                    what: "a symbolic link",
                },
                Ok(found) if !found.is_file() => VaultError::OddLock {
                    path,
                    what: kind_of(&found),
                },
                Ok(_) | Err(_) => io("open the lock", &path, e),
            });
        }
    };
    let found = file.metadata().map_err(|e| io("open the lock", &path, e))?;
    if !found.is_file() {
        return Err(VaultError::OddLock {
            path,
            what: kind_of(&found),
        });
    }
    for pause in 0..LOCK_PAUSES {
        if pause == LOCK_PATIENCE
            && let Some(on_wait) = on_wait.take()
        {
            on_wait();
        }
        match file.try_lock() {
            Ok(()) => return Ok(Lock::Held(file)),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::Error(e)) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(fs::TryLockError::Error(e)) if lacks_locks(&e) => return Ok(Lock::Unsupported),
            Err(fs::TryLockError::Error(e)) => return Err(io("lock", &path, e)),
        }
    }
    Err(VaultError::Busy { path })
}

#[cfg(unix)]
fn lacks_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let number = error.raw_os_error();
    [
        Errno::NOLCK,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
        Errno::NOSYS,
        Errno::INVAL,
    ]
    .iter()
    .any(|known| Some(known.raw_os_error()) == number)
}

#[cfg(not(unix))]
fn lacks_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// A new file beside the vault, deleted again unless it is put in place.
pub(super) struct Temp {
    path: PathBuf,
    placed: bool,
}

const TEMP: &str = ".tmp-";

impl Temp {
    /// Writes and fsyncs a new file of mode 0600 in the vault's directory.
    pub(super) fn write(
        place: &Place,
        bytes: &[u8],
        from: &dyn Randomness,
    ) -> Result<Self, VaultError> {
        Self::named(place, bytes, &seal::random::<8>(from)?)
    }

    /// As [`Self::write`], a vault. Its name says what was written there, so that it is told from what was swapped in for it.
    pub(super) fn write_vault(
        place: &Place,
        written: &Written,
        from: &dyn Randomness,
    ) -> Result<Self, VaultError> {
        let mut name = seal::random::<8>(from)?;
        name[4..].copy_from_slice(named_after(&written.mac));
        Self::named(place, &written.bytes, &name)
    }

    fn named(place: &Place, bytes: &[u8], name: &[u8; 8]) -> Result<Self, VaultError> {
        let path = place.beside(&format!("{TEMP}{}", hex(name)));
        let file = create_new(&path).map_err(|e| io("write", &path, e))?;
        let temp = Self {
            path,
            placed: false,
        };
        write_all(file, bytes).map_err(|e| io("write", &temp.path, e))?;
        Ok(temp)
    }

    /// Puts the file in the vault's place.
    pub(super) fn replace(mut self, place: &Place) -> Result<(), VaultError> {
        // Root would replace a device, where a link leads to one.
        match fs::symlink_metadata(&place.vault) {
            Ok(found) if !found.is_file() => {
                return Err(VaultError::NotAFile {
                    path: place.vault.clone(),
                    what: kind_of(&found),
                });
            }
            Ok(_) | Err(_) => {}
        }
        fs::rename(&self.path, &place.vault).map_err(|e| io("replace", &place.vault, e))?;
        self.placed = true;
        Ok(())
    }

    /// Swaps the file with the vault in one step, so that what was really replaced can be looked at; this value's path
    /// holds that then, and it is deleted with it. False where the system can't do that.
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    pub(super) fn swap(&self, place: &Place) -> bool {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, &self.path, CWD, &place.vault, RenameFlags::EXCHANGE).is_ok()
    }

    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    pub(super) fn swap(&self, _place: &Place) -> bool {
        false
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// It isn't deleted with this value.
    pub(super) fn stay(&mut self) {
        self.placed = true;
    }

    /// Puts the file in the vault's place unless something is there: `link` fails then, whoever comes at the same moment.
    pub(super) fn place_new(self, place: &Place, bytes: &[u8]) -> Result<(), VaultError> {
        let exists = || VaultError::Exists {
            path: place.vault.clone(),
        };
        match fs::hard_link(&self.path, &place.vault) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
            // A file system without hard links: write it once more, in place but only where nothing is.
            Err(_) => match create_new(&place.vault) {
                Ok(file) => write_all(file, bytes).map_err(|e| {
                    // It is ours, it is new and it is broken.
                    drop(fs::remove_file(&place.vault));
                    io("write", &place.vault, e)
                }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
                Err(e) => Err(io("write", &place.vault, e)),
            },
        }
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.placed {
            // Nothing can be done about a failure; the next save sweeps it.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn named_after(mac: &[u8; KEY_LEN]) -> &[u8] {
    &mac[..4]
}

/// Whether the temporary file at this path was written as the vault that has this MAC.
pub(super) fn was_written_as(path: &Path, mac: &[u8; KEY_LEN]) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.ends_with(&hex(named_after(mac))))
}

/// What killed saves left behind.
pub(super) fn temps(place: &Place) -> Vec<PathBuf> {
    let suffixes = place.suffixes().unwrap_or_default();
    suffixes
        .iter()
        .filter(|suffix| is_temp(suffix))
        .map(|suffix| place.beside(suffix))
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file()))
        .collect()
}

/// Whether a suffix is that of a temporary file of ours.
pub(super) fn is_temp(suffix: &str) -> bool {
    suffix.strip_prefix(TEMP).is_some_and(|digits| {
        digits.len() == 16
            && digits
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A file that wasn't there, of mode 0600.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path)
}

pub(super) fn write_all(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the entries of a directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Whether a directory's fsync failed because this file system has none, rather than because the disk did.
#[cfg(unix)]
pub(super) fn lacks_dir_sync(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let number = error.raw_os_error();
    [Errno::INVAL, Errno::NOTSUP, Errno::NOSYS]
        .iter()
        .any(|known| Some(known.raw_os_error()) == number)
}

#[cfg(not(unix))]
pub(super) fn lacks_dir_sync(_error: &io::Error) -> bool {
    true
}

/// Makes the directories that are missing, for the owner alone, durably.
pub(super) fn make_dirs(dir: &Path) -> Result<(), VaultError> {
    let missing: Vec<&Path> = dir
        .ancestors()
        .take_while(|dir| *dir != Path::new("") && !dir.exists())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(dir)
        .map_err(|e| io("make the directory", dir, e))?;
    for dir in missing {
        match sync_dir(&parent(dir)) {
            Ok(()) => {}
            Err(e) if lacks_dir_sync(&e) => {}
            Err(e) => return Err(io("make the directory", dir, e)),
        }
    }
    Ok(())
}
