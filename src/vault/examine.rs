//! What `doctor` says about the files, without a key.

use std::fs;
use std::path::Path;

use crate::vault::Files;
use crate::vault::backup::{self, Aside, Backup, backups};
use crate::vault::copies::{MAX_COPIES, copies, overlooked};
use crate::vault::dangers::{dangers, of_file};
use crate::vault::error::{VaultError, shown};
use crate::vault::file::{self, MAX_FILE, Place};
use crate::vault::header::Header;
use crate::vault::{open, pin};

/// Something `doctor` has to say about the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub text: String,
    /// What to do, if anything.
    pub advice: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All is well.
    Fine,
    /// Worth mending.
    Warning,
    /// Something is lost or about to be.
    Problem,
}

impl Finding {
    fn fine(text: String) -> Self {
        Self {
            severity: Severity::Fine,
            text,
            advice: None,
        }
    }

    pub(super) fn warning(text: String, advice: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text,
            advice: Some(advice.into()),
        }
    }

    fn problem(text: String, advice: Option<String>) -> Self {
        Self {
            severity: Severity::Problem,
            text,
            advice,
        }
    }

    fn of(error: &VaultError) -> Self {
        use crate::failure::Fails as _;
        let advice = match error {
            // The usual hint is to ask for these very findings.
            VaultError::Io { path, source, .. }
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                let dir = file::parent(path);
                Some(format!(
                    "it has {}, its directory {} has {}: give them to the user who runs this, or run vmfa as their owner",
                    access(path),
                    shown(&dir),
                    access(&dir)
                ))
            }
            other => other.hint(),
        };
        Self::problem(error.to_string(), advice)
    }
}

/// Looks at permissions, owner, directory, lock, backups (do their headers parse), other copies, ledger, leftovers of
/// interrupted saves, pin; no key needed. Nothing is changed.
pub fn examine(files: &Files) -> Vec<Finding> {
    let place = match Place::of(&files.vault) {
        Ok(place) => place,
        Err(error) => return vec![Finding::of(&error)],
    };
    let mut findings = Vec::new();
    let header = vault(files, &place, &mut findings);
    directory(&place.dir, &mut findings);
    findings.extend(dangers(files));
    lock(&place, &mut findings);
    let vault_id = header.as_ref().map(|header| header.vault_id);
    all_backups(files, &place, vault_id, &mut findings);
    other_copies(files, header.is_some(), &mut findings);
    ledger(&place, &mut findings);
    leftovers(&place, &mut findings);
    if let Some(header) = &header {
        pinned(files, &place, header, &mut findings);
    }
    findings
}

/// Mode and owner in words.
#[cfg(unix)]
fn access(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    match fs::metadata(path) {
        Ok(found) => format!("mode {:04o}, owner {}", found.mode() & 0o7777, found.uid()),
        Err(e) => format!("a mode and owner that can't be seen ({e})"),
    }
}

#[cfg(not(unix))]
fn access(_path: &Path) -> String {
    "the access rights of this system".into()
}

fn vault(files: &Files, place: &Place, findings: &mut Vec<Finding>) -> Option<Header> {
    let read = open::read_bytes(&files.vault).and_then(|bytes| {
        let len = bytes.len();
        let fault = |fault| VaultError::Damaged {
            path: files.vault.clone(),
            fault,
        };
        Ok((Header::read(&bytes).map_err(fault)?.0, len))
    });
    match read {
        Ok((header, len)) => {
            let (slots, generation) = (header.slots.len(), header.generation);
            let path = shown(&place.vault);
            findings.push(Finding::fine(format!(
                "{path}: generation {generation}, {slots} slots, {len} bytes, {}",
                access(&place.vault)
            )));
            Some(header)
        }
        Err(error) => {
            findings.push(Finding::of(&open::with_backups(error, files)));
            None
        }
    }
}

fn directory(dir: &Path, findings: &mut Vec<Finding>) {
    let path = shown(dir);
    match fs::metadata(dir) {
        Ok(_) => findings.push(Finding::fine(format!(
            "the directory {path}: {}",
            access(dir)
        ))),
        Err(e) => {
            findings.push(Finding::problem(
                format!("the directory {path} can't be read: {e}"),
                None,
            ));
            return;
        }
    }
    #[cfg(unix)]
    {
        let writes = rustix::fs::access(
            dir,
            rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
        );
        if let Err(e) = writes {
            findings.push(Finding::problem(
                format!("the directory {path} can't be written ({e}), so nothing can be saved"),
                Some(format!(
                    "it has {}, and this is user {}: give it to the right user, or see whether the file system is read-only",
                    access(dir),
                    rustix::process::geteuid().as_raw()
                )),
            ));
        }
    }
}

fn lock(place: &Place, findings: &mut Vec<Finding>) {
    let path = place.beside(".lock");
    if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
        findings.push(Finding::problem(
            format!(
                "the lock {} is no regular file, so nothing can be saved",
                shown(&path)
            ),
            Some("look at what stands there and move it away".into()),
        ));
    }
}

fn all_backups(
    files: &Files,
    place: &Place,
    vault_id: Option<[u8; 16]>,
    findings: &mut Vec<Finding>,
) {
    match backups(files) {
        Ok(found) => {
            for backup in found.iter().filter(|backup| backup.vault_id.is_none()) {
                findings.push(Finding::warning(
                    format!(
                        "the backup {} can't be read as a vault",
                        shown(&backup.path)
                    ),
                    "it is left alone: delete it when you need nothing from it",
                ));
            }
            let (ours, others): (Vec<&Backup>, Vec<&Backup>) = found
                .iter()
                .filter(|backup| backup.vault_id.is_some())
                .partition(|backup| vault_id.is_none() || backup.vault_id == vault_id);
            let newest = ours
                .first()
                .map(|backup| format!(", the newest of generation {}", backup.generation));
            findings.push(Finding::fine(format!(
                "{} backups{}",
                ours.len(),
                newest.unwrap_or_default()
            )));
            if !others.is_empty() {
                findings.push(Finding::warning(
                    format!("{} backups of another vault stand beside this one", others.len()),
                    "they are left alone: move them away, or delete them when you need nothing from them",
                ));
            }
            for backup in &found {
                of_file(&backup.path, "the backup", findings);
            }
        }
        Err(error) => findings.push(Finding::of(&error)),
    }
    for why in Aside::ALL {
        let what = match why {
            Aside::Damaged => "a damaged vault",
            Aside::Unknown => "another vault, or a copy of this one,",
        };
        for path in backup::aside(place, why) {
            findings.push(Finding::warning(
                format!(
                    "{} is {what} that was set aside when a backup was restored, or when a save met it",
                    shown(&path)
                ),
                "`vmfa backup merge` takes in what is missing here from a copy; delete it when you need nothing from it",
            ));
        }
    }
}

fn other_copies(files: &Files, is_readable: bool, findings: &mut Vec<Finding>) {
    for copy in copies(files) {
        let path = shown(&copy.path);
        let word = copy.word();
        findings.push(match is_readable {
            true => Finding::warning(
                format!(
                    "{path} is another copy of this vault, of generation {}: a program that syncs the directory leaves such files where two machines changed the vault",
                    copy.generation
                ),
                format!("`vmfa backup merge {word}` takes in what is missing here, and says whether it can be deleted then"),
            ),
            false => Finding::warning(
                format!("{path} is a vault, of generation {}", copy.generation),
                format!("`vmfa backup restore {word}` puts it in the vault's place"),
            ),
        });
    }
    let more = overlooked(files);
    if more > 0 {
        findings.push(Finding::warning(
            format!(
                "{more} more files are called like copies of this vault, and were not looked into: only the {MAX_COPIES} that were written last"
            ),
            "take in or delete those that were, then run `vmfa doctor` again",
        ));
    }
}

fn ledger(place: &Place, findings: &mut Vec<Finding>) {
    let path = place.beside(".ledger");
    if let Ok(found) = fs::symlink_metadata(&path) {
        if found.is_file() {
            of_file(&path, "the ledger", findings);
        } else {
            findings.push(Finding::problem(
                format!("the ledger {} is no regular file", shown(&path)),
                Some("look at what stands there and move it away".into()),
            ));
        }
    }
}

fn leftovers(place: &Place, findings: &mut Vec<Finding>) {
    let count = place.suffixes().map_or(0, |found| {
        found.iter().filter(|suffix| file::is_temp(suffix)).count()
    });
    if count > 0 {
        findings.push(Finding::warning(
            format!("{count} temporary files of interrupted saves stand beside the vault"),
            "the next save removes them; nothing needs to be done",
        ));
    }
}

fn pinned(files: &Files, place: &Place, header: &Header, findings: &mut Vec<Finding>) {
    let path = shown(&pin::path(&files.state, &header.vault_id));
    let next = "it is written anew when the vault is opened next";
    match pin::read(&files.state, &header.vault_id) {
        pin::Found::Nothing => {
            findings.push(Finding::warning(
                format!("there is no rollback pin at {path}"),
                next,
            ));
        }
        pin::Found::Damaged => findings.push(Finding::warning(
            format!("the rollback pin {path} is damaged"),
            next,
        )),
        pin::Found::Pin(pin) => {
            let is_same = file::read(&place.vault, MAX_FILE).is_ok_and(|bytes| {
                Header::read(&bytes).is_ok_and(|(_, layout)| layout.mac(&bytes) == pin.header_mac)
            });
            if header.generation < pin.generation && !is_same {
                findings.push(Finding::problem(
                    format!(
                        "the vault is generation {}, but generation {} was seen here: an older copy has been put in its place",
                        header.generation, pin.generation
                    ),
                    Some("if you restored it yourself, open it with --accept-rollback; else look at the backups".into()),
                ));
            } else if pin.generation < header.generation {
                findings.push(Finding::warning(
                    format!(
                        "the rollback pin {path} knows generation {}, and the vault is generation {}: it was saved on another machine, or the pin couldn't be written",
                        pin.generation, header.generation
                    ),
                    next,
                ));
            } else {
                findings.push(Finding::fine(format!(
                    "the rollback pin knows generation {}",
                    pin.generation
                )));
            }
        }
    }
    #[cfg(unix)]
    if files.state.exists()
        && let Err(e) = rustix::fs::access(
            &files.state,
            rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
        )
    {
        findings.push(Finding::warning(
            format!(
                "the directory of the rollback pin {} can't be written ({e}), so an older copy of the vault may not be noticed",
                shown(&files.state)
            ),
            format!(
                "it has {}, and this is user {}",
                access(&files.state),
                rustix::process::geteuid().as_raw()
            ),
        ));
    }
    let count = pin::leftovers(&files.state, &header.vault_id);
    if count > 0 {
        findings.push(Finding::warning(
            format!("{count} temporary files of the pin"),
            "the next save removes them",
        ));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_told_with_its_mode_and_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let finding = Finding::of(&file::io("read", &dir.path().join("absent"), denied));
        let advice = finding.advice.unwrap();
        let us = rustix::process::geteuid().as_raw();
        assert!(!advice.contains("doctor"), "{advice}");
        assert!(
            advice.contains("mode 0711") && advice.contains(&format!("owner {us}")),
            "{advice}"
        );
    }
}
