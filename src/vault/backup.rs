//! Backups: the last generations, each the very file that a save replaced, beside the vault.
//!
//! `<vault>.bak-<generation>`, or `<vault>.bak-<generation>-<n>` when two files of one generation were replaced (after a
//! fork). What stood in the vault's place when a backup was put there, and is no good generation of it, is set aside:
//! `<vault>.damaged-<n>` for a file that is damaged, `<vault>.aside-<n>` for one that may be whole: another vault, or one
//! whose key isn't known then. These are never counted as backups and never deleted by this program.
//!
//! Backups of another vault may stand there too, when a vault was lost and another one came to its path. Only files whose
//! header has this vault's id are counted as its backups and deleted as such; one whose header can't be read is nobody's,
//! and stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::vault::error::VaultError;
use crate::vault::file::{self, MAX_FILE, Place, Temp};
use crate::vault::header::{Header, MAX_START};
use crate::vault::kdf::KdfLimit;
use crate::vault::{Files, open};

/// How many generations are kept.
const KEEP: usize = 5;
const BACKUP: &str = ".bak-";
/// How many files of one generation, and how many damaged ones, are told apart.
const MAX_NAMES: u32 = 1000;

/// A backup of an earlier generation beside the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// Which vault it is of, as its (unverified) header says; none where the header can't be read. To be compared with
    /// [`Locked::vault_id`](crate::vault::Locked::vault_id): another vault's backups may stand beside this one.
    pub vault_id: Option<[u8; 16]>,
    /// The generation it holds, as its (unverified) header says; as its name says where the header can't be read.
    pub generation: u64,
    /// Its size in bytes.
    pub len: u64,
    /// When it was last modified, in seconds since 1970.
    pub modified: u64,
}

/// The backups beside a vault, those of other vaults included, newest generation first.
///
/// # Errors
/// The directory can't be read.
pub fn backups(files: &Files) -> Result<Vec<Backup>, VaultError> {
    let place = Place::of(&files.vault)?;
    let mut found = Vec::new();
    for (suffix, generation) in named(&place)? {
        let path = place.beside(&suffix);
        let about = match fs::symlink_metadata(&path) {
            Ok(about) if !about.is_file() => continue,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            // One that can't be looked at is there all the same.
            about => about.ok(),
        };
        let modified = about
            .as_ref()
            .and_then(|about| about.modified().ok())
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let header = header_of(&path);
        found.push(Backup {
            vault_id: header.as_ref().map(|header| header.vault_id),
            generation: header.map_or(generation, |header| header.generation),
            len: about.map_or(0, |about| about.len()),
            modified: modified.map_or(0, |since| since.as_secs()),
            path,
        });
    }
    found.sort_by(|a, b| {
        b.generation
            .cmp(&a.generation)
            .then_with(|| b.path.cmp(&a.path))
    });
    Ok(found)
}

/// Deletes this vault's backups: they still open with an old passphrase. Another vault's stay, and so does what isn't a vault
/// any more. Says how many were deleted.
///
/// # Errors
/// The vault itself is gone or its header can't be read: then its backups are all there is, and none is deleted. One can't
/// be deleted, or the disk doesn't say whose it is: the others are gone then.
pub fn purge_backups(files: &Files) -> Result<usize, VaultError> {
    let place = Place::of(&files.vault)?;
    let held = file::lock(&place, || {})?;
    let vault = open::read(&files.vault, KdfLimit::High);
    let vault = vault.map_err(|error| open::with_backups(error, files))?;
    let vault_id = vault.header.vault_id;
    let mut count = 0;
    if held.is_alone() {
        // What a killed save left there opens with the same.
        sweep(&place);
    }
    let mut failed = None;
    for backup in backups(files)? {
        let deleted = whose(&backup).and_then(|whose| {
            if whose != Some(vault_id) {
                return Ok(false);
            }
            fs::remove_file(&backup.path).map_err(|e| file::io("delete", &backup.path, e))?;
            Ok(true)
        });
        match deleted {
            Ok(true) => count += 1,
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
    }
    // Files that come back after a power cut can be purged again.
    drop(file::sync_dir(&place.dir));
    drop(held);
    failed.map_or(Ok(count), Err)
}

/// Whose a backup is; where that wasn't seen, one more look tells what isn't a vault from what can't be read now.
fn whose(backup: &Backup) -> Result<Option<[u8; 16]>, VaultError> {
    if backup.vault_id.is_some() {
        return Ok(backup.vault_id);
    }
    let (start, len) = match file::read_start(&backup.path, MAX_START) {
        Err(VaultError::Missing { .. }) => return Ok(None),
        read => read?,
    };
    let header = Header::read_start(&start, len).ok();
    Ok(header.map(|(header, _)| header.vault_id))
}

/// The suffixes that name backups, with the generation in the name.
fn named(place: &Place) -> Result<Vec<(String, u64)>, VaultError> {
    let generation = |suffix: &str| {
        let name = suffix.strip_prefix(BACKUP)?;
        let (generation, n) = name.split_once('-').unwrap_or((name, "1"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        (digits(generation) && digits(n))
            .then(|| generation.parse().ok())
            .flatten()
    };
    let suffixes = place.suffixes()?;
    Ok(suffixes
        .into_iter()
        .filter_map(|suffix| generation(&suffix).map(|g| (suffix, g)))
        .collect())
}

/// A file's header. Only the start is read, so this says nothing about the rest but its length.
pub(super) fn header_of(path: &Path) -> Option<Header> {
    let (start, len) = file::read_start(path, MAX_START).ok()?;
    Header::read_start(&start, len)
        .ok()
        .map(|(header, _)| header)
}

/// Keeps the file that is about to be replaced: a hard link, so that it is the same bytes on disk without a copy; a copy
/// where there are no links.
pub(super) fn keep(place: &Place, bytes: &[u8], generation: u64) -> Result<PathBuf, VaultError> {
    keep_from(place, &place.vault, bytes, generation)
}

/// As [`keep`], a file that stood in the vault's place and stands elsewhere now.
pub(super) fn keep_from(
    place: &Place,
    from: &Path,
    bytes: &[u8],
    generation: u64,
) -> Result<PathBuf, VaultError> {
    keep_as(place, from, bytes, |n| match n {
        1 => format!("{BACKUP}{generation}"),
        n => format!("{BACKUP}{generation}-{n}"),
    })
}

/// Why a file is no backup of this vault, and is kept all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// It doesn't parse, or its own key doesn't open it.
    Damaged,
    /// It is another vault, or it is under a key that isn't known: it may well be whole.
    Unknown,
}

impl Aside {
    pub(super) const ALL: [Self; 2] = [Self::Damaged, Self::Unknown];

    fn suffix(self) -> &'static str {
        match self {
            Self::Damaged => ".damaged-",
            Self::Unknown => ".aside-",
        }
    }
}

/// Keeps a file that is no backup of this vault, for good. Returns where.
pub(super) fn set_aside(place: &Place, bytes: &[u8], why: Aside) -> Result<PathBuf, VaultError> {
    set_aside_from(place, &place.vault, bytes, why)
}

/// As [`set_aside`], a file that stood in the vault's place and stands elsewhere now.
pub(super) fn set_aside_from(
    place: &Place,
    from: &Path,
    bytes: &[u8],
    why: Aside,
) -> Result<PathBuf, VaultError> {
    keep_as(place, from, bytes, |n| format!("{}{n}", why.suffix()))
}

/// Keeps what another program had put in the vault's place at the very moment of a save, for good; under its present name where
/// no other can be had.
pub(super) fn move_aside(place: &Place, temp: &mut Temp) -> Result<PathBuf, VaultError> {
    let kept = file::read(temp.path(), MAX_FILE)
        .and_then(|bytes| set_aside_from(place, temp.path(), &bytes, Aside::Unknown));
    if kept.is_err() {
        temp.stay();
    }
    kept
}

/// Removes what killed saves left behind, under the lock alone. What such a save had just taken out of the vault's place, and
/// another program may have put there a moment before, is set aside, unless it is a backup already. As long as the vault isn't
/// there, or can't be read, nothing that is whole is removed: it may be all there is.
pub(super) fn sweep(place: &Place) {
    for path in file::temps(place) {
        let Some((header, mac)) = open::start(&path) else {
            // Half of a file that never was the vault.
            drop(fs::remove_file(path));
            continue;
        };
        if header_of(&place.vault).is_none() {
            continue;
        }
        let is_kept = file::was_written_as(&path, &mac)
            || file::read(&path, MAX_FILE).is_ok_and(|bytes| {
                is_backup(place, &bytes, header.generation)
                    || set_aside_from(place, &path, &bytes, Aside::Unknown).is_ok()
            });
        if is_kept {
            drop(fs::remove_file(path));
        }
    }
}

/// Whether a backup holds the very same.
fn is_backup(place: &Place, bytes: &[u8], generation: u64) -> bool {
    let named = named(place).unwrap_or_default();
    let mut same = named.iter().filter(|(_, of)| *of == generation);
    same.any(|(suffix, _)| file::read(&place.beside(suffix), MAX_FILE).is_ok_and(|it| it == bytes))
}

/// Keeps a file that can't be read as a damaged one, without looking at it. Returns where.
pub(super) fn set_aside_unread(place: &Place) -> Result<PathBuf, VaultError> {
    let mut failed = io::Error::from(io::ErrorKind::AlreadyExists);
    let mut path = place.vault.clone();
    for n in 1..=MAX_NAMES {
        path = place.beside(&format!("{}{n}", Aside::Damaged.suffix()));
        match fs::hard_link(&place.vault, &path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(_) if fs::symlink_metadata(&path).is_ok() => continue,
            // A file system without hard links: the vault is missing until the backup is put there, a moment later.
            Err(_) => match fs::rename(&place.vault, &path) {
                Ok(()) => return Ok(path),
                Err(e) => failed = e,
            },
        }
        break;
    }
    Err(file::io("set aside as", &path, failed))
}

fn keep_as(
    place: &Place,
    from: &Path,
    bytes: &[u8],
    name: impl Fn(u32) -> String,
) -> Result<PathBuf, VaultError> {
    let mut last = place.vault.clone();
    for n in 1..=MAX_NAMES {
        let path = place.beside(&name(n));
        match fs::hard_link(from, &path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => match file::create_new(&path) {
                Ok(file) => {
                    return match file::write_all(file, bytes) {
                        Ok(()) => Ok(path),
                        Err(e) => {
                            // A copy that isn't whole is no backup.
                            drop(fs::remove_file(&path));
                            Err(file::io("back up to", &path, e))
                        }
                    };
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(file::io("back up to", &path, e)),
            },
        }
        // A save that was killed after this step left the same bytes here already.
        if file::read(&path, MAX_FILE).is_ok_and(|found| found == bytes) {
            return Ok(path);
        }
        last = path;
    }
    Err(file::io(
        "back up to",
        &last,
        io::Error::from(io::ErrorKind::AlreadyExists),
    ))
}

/// Deletes all but the latest backups of this vault. A failure is no reason to call the save failed.
pub(super) fn prune(place: &Place, vault_id: &[u8; 16]) {
    let mut ours = generations(place, vault_id);
    ours.sort_by(|a, b| {
        b.0.cmp(&a.0)
            .then_with(|| b.1.len().cmp(&a.1.len()))
            .then_with(|| b.1.cmp(&a.1))
    });
    for (_, suffix) in ours.iter().skip(KEEP) {
        drop(fs::remove_file(place.beside(suffix)));
    }
}

/// Nobody saves this often. The header of a backup isn't verified here: one that says more was altered.
const MAX_GENERATION: u64 = 1 << 63;

/// The highest generation among this vault's backups.
pub(super) fn highest(place: &Place, vault_id: &[u8; 16]) -> u64 {
    let ours = generations(place, vault_id);
    ours.iter()
        .map(|(generation, _)| *generation)
        .filter(|generation| *generation < MAX_GENERATION)
        .max()
        .unwrap_or(0)
}

/// This vault's backups: generation and suffix. The header says whose and which it is; a name says little.
fn generations(place: &Place, vault_id: &[u8; 16]) -> Vec<(u64, String)> {
    let is_file = |suffix: &str| {
        fs::symlink_metadata(place.beside(suffix)).is_ok_and(|found| found.is_file())
    };
    let ours = |(suffix, _): (String, u64)| {
        let header = is_file(&suffix).then(|| header_of(&place.beside(&suffix)))??;
        (header.vault_id == *vault_id).then_some((header.generation, suffix))
    };
    let named = named(place).unwrap_or_default();
    named.into_iter().filter_map(ours).collect()
}

/// The files that were set aside.
pub(super) fn aside(place: &Place, why: Aside) -> Vec<PathBuf> {
    let is_ours = |suffix: &&String| {
        suffix
            .strip_prefix(why.suffix())
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
    };
    let suffixes = place.suffixes().unwrap_or_default();
    suffixes
        .iter()
        .filter(is_ours)
        .map(|suffix| place.beside(suffix))
        .collect()
}
