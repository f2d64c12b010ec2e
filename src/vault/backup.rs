//! Backups: the last generations, each the very file that a save replaced, beside the vault.
//!
//! `<vault>.bak-<generation>`, or `<vault>.bak-<generation>-<n>` when two files of one generation were replaced (after a
//! fork); `<vault>.damaged-<n>` for a file that didn't parse when a backup was put in its place: that one is never deleted
//! by this program.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::vault::Files;
use crate::vault::error::VaultError;
use crate::vault::file::{self, MAX_FILE, Place};
use crate::vault::header::{Header, MAX_HEADER_LEN};

/// How many generations are kept.
const KEEP: usize = 5;
const BACKUP: &str = ".bak-";
const DAMAGED: &str = ".damaged-";
/// How many files of one generation, and how many damaged ones, are told apart.
const MAX_NAMES: u32 = 1000;

/// A backup of an earlier generation beside the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// The generation it holds, as its (unverified) header says; as its name says where the header can't be read.
    pub generation: u64,
    /// Its size in bytes.
    pub len: u64,
    /// When it was last modified, in seconds since 1970.
    pub modified: u64,
}

/// The backups beside a vault, newest generation first.
///
/// # Errors
/// The directory can't be read.
pub fn backups(files: &Files) -> Result<Vec<Backup>, VaultError> {
    let place = Place::of(&files.vault)?;
    let mut found = Vec::new();
    for (suffix, generation) in named(&place)? {
        let path = place.beside(&suffix);
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        if !about.is_file() {
            continue;
        }
        let modified = about
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        found.push(Backup {
            generation: generation_of(&path).unwrap_or(generation),
            len: about.len(),
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

/// Deletes the backups: they still open with an old passphrase. Damaged files that were set aside stay: what can't be read
/// is never deleted.
///
/// # Errors
/// One can't be deleted.
pub fn purge_backups(files: &Files) -> Result<usize, VaultError> {
    let place = Place::of(&files.vault)?;
    let held = file::lock(&place)?;
    let mut count = 0;
    for backup in backups(files)? {
        fs::remove_file(&backup.path).map_err(|e| file::io("delete", &backup.path, e))?;
        count += 1;
    }
    // Files that come back after a power cut can be purged again.
    drop(file::sync_dir(&place.dir));
    drop(held);
    Ok(count)
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

/// The generation in a file's header. Only the start is parsed, so this says nothing about the rest.
fn generation_of(path: &std::path::Path) -> Option<u64> {
    let bytes = file::read(path, MAX_FILE).ok()?;
    debug_assert!(MAX_HEADER_LEN < MAX_FILE as usize);
    Header::read(&bytes)
        .ok()
        .map(|(header, _)| header.generation)
}

/// Keeps the file that is about to be replaced: a hard link, so that it is the same bytes on disk without a copy; a copy
/// where there are no links.
pub(super) fn keep(place: &Place, bytes: &[u8], generation: u64) -> Result<(), VaultError> {
    keep_as(place, bytes, |n| match n {
        1 => format!("{BACKUP}{generation}"),
        n => format!("{BACKUP}{generation}-{n}"),
    })
}

/// Keeps a file that doesn't parse. Returns where.
pub(super) fn keep_damaged(place: &Place, bytes: &[u8]) -> Result<(), VaultError> {
    keep_as(place, bytes, |n| format!("{DAMAGED}{n}"))
}

fn keep_as(place: &Place, bytes: &[u8], name: impl Fn(u32) -> String) -> Result<(), VaultError> {
    let mut last = place.vault.clone();
    for n in 1..=MAX_NAMES {
        let path = place.beside(&name(n));
        match fs::hard_link(&place.vault, &path) {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => match file::create_new(&path) {
                Ok(file) => {
                    return file::write_all(file, bytes).map_err(|e| {
                        // A copy that isn't whole is no backup.
                        drop(fs::remove_file(&path));
                        file::io("back up to", &path, e)
                    });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(file::io("back up to", &path, e)),
            },
        }
        // A save that was killed after this step left the same bytes here already.
        if file::read(&path, MAX_FILE).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        last = path;
    }
    Err(file::io(
        "back up to",
        &last,
        io::Error::from(io::ErrorKind::AlreadyExists),
    ))
}

/// Deletes all but the latest backups. A failure is no reason to call the save failed.
pub(super) fn prune(place: &Place) {
    let Ok(mut named) = named(place) else { return };
    named.sort_by(|a, b| {
        b.1.cmp(&a.1)
            .then_with(|| b.0.len().cmp(&a.0.len()))
            .then_with(|| b.0.cmp(&a.0))
    });
    for (suffix, _) in named.iter().skip(KEEP) {
        let path = place.beside(suffix);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            drop(fs::remove_file(path));
        }
    }
}

/// The highest generation among the backups.
pub(super) fn highest(place: &Place) -> u64 {
    named(place)
        .unwrap_or_default()
        .into_iter()
        .map(|(_, generation)| generation)
        .max()
        .unwrap_or(0)
}

/// The damaged files that were set aside.
pub(super) fn damaged(place: &Place) -> Vec<PathBuf> {
    let is_ours = |suffix: &&String| {
        suffix
            .strip_prefix(DAMAGED)
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
    };
    let suffixes = place.suffixes().unwrap_or_default();
    suffixes
        .iter()
        .filter(is_ours)
        .map(|suffix| place.beside(suffix))
        .collect()
}
