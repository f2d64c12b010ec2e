//! What others on this machine could do to the vault, as its mode, owner and directory say.

use crate::vault::Files;
use crate::vault::examine::Finding;
use crate::vault::file::Place;

/// What is wrong with mode and owner of the vault and its directory: two looks at the disk, so cheap that every opening
/// can afford them. All are warnings; nothing where all is well or there is no vault.
pub fn dangers(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Ok(place) = Place::of(&files.vault) {
        of_directory(&place.dir, &mut findings);
        of_file(&place.vault, "the vault", &mut findings);
    }
    findings
}

/// Whoever may write to a directory may put another file in the vault's place, or delete it.
#[cfg(unix)]
fn of_directory(dir: &std::path::Path, findings: &mut Vec<Finding>) {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(dir) else {
        return;
    };
    let path = super::error::shown(dir);
    // A group with its user's number is the user's own, by the convention of most Linux distributions: nobody else is in it.
    let own_group = found.gid() == found.uid();
    let others = if own_group { 0o002 } else { 0o022 };
    if found.mode() & others != 0 && found.mode() & STICKY == 0 {
        findings.push(Finding::warning(
            format!(
                "others may write to the directory {path} (mode {:04o}), so they may replace or delete the vault",
                found.mode() & 0o7777
            ),
            format!("chmod go-w {path}"),
        ));
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us && found.uid() != ROOT {
        findings.push(Finding::warning(
            format!(
                "the directory {path} belongs to user {}, who may replace or delete the vault of user {us}",
                found.uid()
            ),
            "run vmfa as that user, or keep the vault in a directory of your own",
        ));
    }
}

/// Mode and owner of a file that is nobody else's business.
#[cfg(unix)]
pub(super) fn of_file(path: &std::path::Path, what: &str, findings: &mut Vec<Finding>) {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(path) else {
        return;
    };
    let path = super::error::shown(path);
    let may = match (found.mode() & 0o044 != 0, found.mode() & 0o022 != 0) {
        (true, true) => Some("read and write it"),
        (true, false) => Some("read it"),
        (false, true) => Some("write it"),
        (false, false) => None,
    };
    if let Some(may) = may {
        findings.push(Finding::warning(
            format!(
                "{what} {path} has mode {:04o}: others may {may}",
                found.mode() & 0o7777
            ),
            format!("chmod 600 {path}"),
        ));
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        findings.push(Finding::warning(
            format!(
                "{what} {path} belongs to user {}, not to user {us} who runs this",
                found.uid()
            ),
            "run vmfa as that user, or give the file to the right one with chown",
        ));
    }
}

#[cfg(unix)]
const STICKY: u32 = 0o1000;
#[cfg(unix)]
const ROOT: u32 = 0;

#[cfg(not(unix))]
fn of_directory(_dir: &std::path::Path, _findings: &mut Vec<Finding>) {}

#[cfg(not(unix))]
pub(super) fn of_file(_path: &std::path::Path, _what: &str, _findings: &mut Vec<Finding>) {}
