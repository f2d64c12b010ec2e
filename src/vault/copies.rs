//! Copies of the vault beside it: what a program that carries a directory from machine to machine leaves where both sides
//! changed the file.
//!
//! Each such program has a name of its own for them, some in the words of a language: `vault (conflicted copy 2026-01-01).vmfa`,
//! `vault.sync-conflict-20260101-120000-ABCDEFG.vmfa`, `vault-HOST.vmfa`, `vault (1).vmfa`, `vault 2.vmfa`. So a name says only
//! that it begins and ends as the vault's does; whose the file is, its header says.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use crate::failure::{Fails as _, Kind};
use crate::vault::backup::{self, Aside};
use crate::vault::error::{VaultError, shown};
use crate::vault::file::Place;
use crate::vault::header::Header;
use crate::vault::seal::KEY_LEN;
use crate::vault::unlocked::Unlocked;
use crate::vault::{Files, open};

/// A directory that a vault stands in has few entries; of one with more, no more are looked at.
const MAX_ENTRIES: usize = 10_000;
/// How many files are looked into: of more, those that were written last. Who has so many has old ones, and a new one matters.
pub(super) const MAX_COPIES: usize = 32;
/// What a program puts into a name is shorter.
const MAX_MARK: usize = 160;
/// A larger copy isn't opened to see what it holds: a save shouldn't wait for that.
const MAX_OPENED: u64 = 16 << 20;

/// Another file of the same vault beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The file.
    pub path: PathBuf,
    /// The generation it holds, as its (unverified) header says.
    pub generation: u64,
    len: u64,
}

impl Copy {
    /// The path as one word of a shell's, safe to print.
    pub fn word(&self) -> String {
        format!("'{}'", shown(&self.path).replace('\'', r"'\''"))
    }
}

/// What a copy holds, seen from an open vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Changes that are missing in the vault: [`Unlocked::merge_file`] takes them in.
    Changes,
    /// Nobody knows: its key was changed where this vault doesn't know of.
    Unknown,
    /// Nobody knows: it can't be read, or is so large that a save shouldn't wait for it.
    Unread,
}

/// The files that are called like the vault: those to look into, by name, and how many there are beside them.
fn called_like(place: &Place) -> (Vec<PathBuf>, usize) {
    let mut found: Vec<PathBuf> = fs::read_dir(&place.dir)
        .into_iter()
        .flatten()
        .take(MAX_ENTRIES)
        .flatten()
        .filter(|entry| is_called_like(&entry.file_name(), place.name()))
        .map(|entry| entry.path())
        .collect();
    let more = found.len().saturating_sub(MAX_COPIES);
    if more > 0 {
        let written = |path: &PathBuf| fs::symlink_metadata(path).and_then(|it| it.modified()).ok();
        found.sort_by_cached_key(|path| Reverse(written(path)));
        found.truncate(MAX_COPIES);
    }
    found.sort();
    (found, more)
}

/// How many files are called like copies of the vault, and not looked into.
pub(super) fn overlooked(files: &Files) -> usize {
    Place::of(&files.vault).map_or(0, |place| called_like(&place).1)
}

/// The copies beside the vault that are not the same file once more, by name. Backups are none. Where the vault itself can't
/// be read, all that look like a copy of it.
pub fn copies(files: &Files) -> Vec<Copy> {
    let Ok(place) = Place::of(&files.vault) else {
        return Vec::new();
    };
    let ours = open::start(&place.vault);
    let (found, _) = called_like(&place);
    found
        .into_iter()
        .filter_map(|path| copy_of(path, ours.as_ref()))
        .collect()
}

/// The file as a copy of the vault whose header and MAC these are, unless it is the same file once more.
fn copy_of(path: PathBuf, ours: Option<&(Header, [u8; KEY_LEN])>) -> Option<Copy> {
    // A link may point anywhere, a pipe never ends.
    let len = fs::symlink_metadata(&path)
        .ok()
        .filter(fs::Metadata::is_file)?
        .len();
    let (header, mac) = open::start(&path)?;
    let is_ours =
        ours.is_none_or(|(own, own_mac)| own.vault_id == header.vault_id && *own_mac != mac);
    is_ours.then_some(Copy {
        path,
        generation: header.generation,
        len,
    })
}

/// Whether a file is called like the vault but for a mark between its name and its extension. None of our own files is.
fn is_called_like(file: &OsStr, vault: &OsStr) -> bool {
    let (Some(file), Some(vault)) = (file.to_str(), vault.to_str()) else {
        return false;
    };
    let (stem, extension) = match vault.rfind('.') {
        Some(dot) if dot > 0 => vault.split_at(dot),
        Some(_) | None => (vault, ""),
    };
    let mark = file
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(extension));
    let is_own = file
        .strip_prefix(vault)
        .is_some_and(|suffix| OWN.iter().any(|own| suffix.starts_with(own)));
    mark.is_some_and(|mark| {
        (2..=MAX_MARK).contains(&mark.len()) && mark.starts_with([' ', '(', '[', '.', '-', '_'])
    }) && !is_own
}

/// What the names of our own files beside the vault go on with.
const OWN: [&str; 6] = [".bak-", ".tmp-", ".damaged-", ".aside-", ".lock", ".ledger"];

impl Unlocked {
    /// The copies beside the vault that hold something which is missing here, or of which nobody knows what they hold. One
    /// that only is older isn't among them. What a save set aside is, where it holds something new. A few small files are read,
    /// no credential is needed.
    pub fn copies_with_news(&self) -> Vec<(Copy, News)> {
        let news = |copy: &Copy| match self.has_news(copy) {
            Ok(true) => Some(News::Changes),
            Ok(false) => None,
            // Damaged, there is nothing to merge.
            Err(error) if error.kind() == Kind::Damaged => None,
            // It can be merged by the other side only, which knows this one's key.
            Err(VaultError::ChangedKeys { .. }) => Some(News::Unknown),
            Err(_) => Some(News::Unread),
        };
        let told = |copy: Copy| news(&copy).map(|news| (copy, news));
        let ours = open::start(&self.place.vault);
        let aside = backup::aside(&self.place, Aside::Unknown).into_iter();
        let aside = aside.filter_map(|path| copy_of(path, ours.as_ref()));
        // A person put another key's vault aside by restoring a backup over it.
        let aside = aside.filter(|copy| self.has_news(copy).is_ok_and(|news| news));
        let beside = copies(&self.files).into_iter().filter_map(told);
        beside
            .chain(aside.map(|copy| (copy, News::Changes)))
            .collect()
    }

    fn has_news(&self, copy: &Copy) -> Result<bool, VaultError> {
        if copy.len > MAX_OPENED {
            return Err(VaultError::TooLarge {
                path: copy.path.clone(),
                len: copy.len,
                max: MAX_OPENED,
            });
        }
        self.lacks_what_is_in(&copy.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::*;

    #[test]
    fn a_name_begins_and_ends_as_the_vault_s() {
        let like = |file: &str, vault: &str| is_called_like(OsStr::new(file), OsStr::new(vault));
        for file in [
            "vault (conflicted copy 2026-01-01).vmfa",
            "vault.sync-conflict-20260101-120000-ABCDEFG.vmfa",
            "vault-HOST.vmfa",
            "vault (1).vmfa",
            "vault 2.vmfa",
            "vault_conflict-20260101-120000.vmfa",
            "vault.Conflict.vmfa",
        ] {
            assert!(like(file, "vault.vmfa"), "{file}");
        }
        for file in [
            "vault.vmfa",
            "vault.vmfa.bak-3",
            "vault.vmfa.lock",
            "vault.vmfa.tmp-0123456789abcdef",
            "vaults.vmfa",
            "vault2.vmfa",
            "my vault.vmfa",
            "vault (1).txt",
            "vault-.txt",
        ] {
            assert!(!like(file, "vault.vmfa"), "{file}");
        }
        assert!(!like(
            &format!("vault ({}).vmfa", "x".repeat(200)),
            "vault.vmfa"
        ));
        // A name without an extension has our own suffixes where others have their marks.
        assert!(like("vault (1)", "vault") && like(".vault (1)", ".vault"));
        assert!(!like("vault.bak-3", "vault") && !like("vault.ledger", "vault"));
    }

    #[test]
    fn only_what_is_missing_here_is_news() {
        let (bench, mut ours) = Bench::created();
        let copy = bench.files.vault.with_file_name("vault (1).vmfa");
        put(&copy, &bytes(&bench.files.vault));
        assert!(copies(&bench.files).is_empty(), "the same file once more");
        ours.add(totp("ours", b"secret one"), NOW).unwrap();
        ours.save(NOW).unwrap();
        assert_eq!(copies(&bench.files).len(), 1);
        assert!(ours.copies_with_news().is_empty(), "only older");

        let elsewhere = bench.in_place_of(&bytes(&copy));
        let mut theirs = bench.open_at(&elsewhere);
        theirs.add(totp("theirs", b"secret two"), NOW).unwrap();
        theirs.save(NOW).unwrap();
        put(&copy, &bytes(&elsewhere.vault));
        let news = ours.copies_with_news();
        assert_eq!(news.len(), 1);
        assert_eq!(
            (news[0].0.path.clone(), news[0].1),
            (copy.clone(), News::Changes)
        );
        assert!(ours.merge_file(&copy).unwrap());
        ours.save(NOW).unwrap();
        assert!(ours.copies_with_news().is_empty(), "taken in");
    }

    #[test]
    fn of_too_many_the_last_written_are_looked_into() {
        let (bench, mut ours) = Bench::created();
        let old = bytes(&bench.files.vault);
        ours.add(totp("ours", b"secret one"), NOW).unwrap();
        ours.save(NOW).unwrap();
        let beside = |name: &str| bench.files.vault.with_file_name(name);
        let put_at = |name: &str, seconds| {
            put(&beside(name), &old);
            let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options()
                .write(true)
                .open(beside(name))
                .and_then(|file| file.set_modified(written))
                .unwrap();
        };
        for index in 0..MAX_COPIES {
            put_at(&format!("vault ({index}).vmfa"), 1_000);
        }
        assert_eq!(
            (copies(&bench.files).len(), overlooked(&bench.files)),
            (MAX_COPIES, 0)
        );
        // Both stand at the end by name.
        put_at("vault-NEW.vmfa", 2_000);
        put_at("vault-OLD.vmfa", 500);
        let found: Vec<PathBuf> = copies(&bench.files)
            .into_iter()
            .map(|copy| copy.path)
            .collect();
        assert_eq!((found.len(), overlooked(&bench.files)), (MAX_COPIES, 2));
        assert!(found.is_sorted() && found.contains(&beside("vault-NEW.vmfa")));
        assert!(!found.contains(&beside("vault-OLD.vmfa")));
    }

    #[test]
    fn a_word_of_a_shell_s() {
        let copy = Copy {
            path: PathBuf::from("/a/vault (Alice's).vmfa"),
            generation: 1,
            len: 0,
        };
        assert_eq!(copy.word(), r"'/a/vault (Alice'\''s).vmfa'");
    }
}
