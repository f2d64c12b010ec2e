//! The files that AWS's tools share, read whole and replaced whole: the old one stays as a backup, and a power cut leaves
//! the old or the new.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use vmfa::aws::ini::{Ini, MAX_BYTES};
use vmfa::aws::profile;
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::place::Place;

/// More backups than anybody wants; then somebody should look.
const MOST_BACKUPS: u32 = 999;

/// One of the two files, as it was when it was read.
pub(crate) struct AwsFile {
    kind: profile::File,
    /// Where it is in the end: a symbolic link to it stays one.
    path: PathBuf,
    /// As a person writes the path.
    shown: String,
    was: Option<(Zeroizing<Vec<u8>>, Metadata)>,
}

impl AwsFile {
    /// Reads it. A file that isn't there is as good as an empty one.
    ///
    /// # Errors
    /// It can't be read; it is a link to nothing; it is no file, or too large.
    pub(crate) fn read(place: &Place, path: &Path, kind: profile::File) -> Outcome<Self> {
        let shown = place.show(path);
        let fail = |error: io::Error| internal(&error).at(&shown);
        let path = match std::fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if std::fs::symlink_metadata(path).is_ok() {
                    return Err(Fault::usage("a symbolic link to nothing").at(&shown));
                }
                std::path::absolute(path).map_err(fail)?
            }
            Err(error) => return Err(fail(error)),
        };
        let was = contents(&path).map_err(|fault| fault.at(&shown))?;
        Ok(Self {
            kind,
            path,
            shown,
            was,
        })
    }

    /// What it holds.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.was.as_ref().map_or(&[], |(bytes, _)| bytes)
    }

    /// What it says; none where there is no file.
    ///
    /// # Errors
    /// The line that AWS's tools couldn't read, either.
    pub(crate) fn ini(&self) -> Outcome<Option<Ini>> {
        let Some((bytes, _)) = &self.was else {
            return Ok(None);
        };
        let read = Ini::read(bytes).map_err(|error| Fault::from(error).at(&self.shown))?;
        Ok(Some(read))
    }

    /// Replaces it, and says where the old one is kept. Nothing is written where nothing changes.
    ///
    /// # Errors
    /// Somebody changed the file since it was read; it can't be written. Then it is as it was.
    pub(crate) fn replace(&self, new: &[u8]) -> Outcome<Option<PathBuf>> {
        if self.was.is_some() && new == self.bytes() {
            return Ok(None);
        }
        self.replaced(new).map_err(|fault| fault.at(&self.shown))
    }

    fn replaced(&self, new: &[u8]) -> Outcome<Option<PathBuf>> {
        let fail = |error: io::Error| internal(&error);
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        create_folder(folder).map_err(fail)?;
        let beside = self.beside(&format!("vmfa-new-{}", std::process::id()));
        let written = self.write(&beside, new).map_err(fail);
        let done = written.and_then(|()| {
            let backup = self.back_up()?;
            self.is_as_it_was()?;
            std::fs::rename(&beside, &self.path).map_err(fail)?;
            files::sync_folder(folder).map_err(fail)?;
            Ok(backup)
        });
        if done.is_err() {
            // Gone already where it was renamed.
            let _ = std::fs::remove_file(&beside);
        }
        done
    }

    /// `config.vmfa-…`, in the same folder.
    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(end);
        self.path.with_file_name(name)
    }

    /// A new file with the owner and the mode of the old one; keys are for nobody else's eyes, whatever the mode was.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = files::create_private(path)?;
        let written = file.write_all(bytes).and_then(|()| self.dress(&file));
        let written = written.and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = std::fs::remove_file(path);
        }
        written
    }

    #[cfg(unix)]
    fn dress(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        let Some((_, old)) = &self.was else {
            return Ok(());
        };
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
        let mode = match self.kind {
            profile::File::Config => old.mode() & 0o777,
            profile::File::Credentials => 0o600,
        };
        file.set_permissions(std::fs::Permissions::from_mode(mode))
    }

    #[cfg(not(unix))]
    fn dress(&self, _file: &File) -> io::Result<()> {
        Ok(())
    }

    fn back_up(&self) -> Outcome<Option<PathBuf>> {
        let Some((old, _)) = &self.was else {
            return Ok(None);
        };
        for number in 1..=MOST_BACKUPS {
            let path = self.beside(&format!("vmfa-backup-{number}"));
            match self.write(&path, old) {
                Ok(()) => return Ok(Some(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(internal(&error)),
            }
        }
        Err(Fault::usage(format!("there are {MOST_BACKUPS} backups")).hint("remove the old ones"))
    }

    fn is_as_it_was(&self) -> Outcome {
        let now = contents(&self.path)?;
        let same = match (&now, &self.was) {
            (None, None) => true,
            (Some((now, _)), Some((was, _))) => now == was,
            (None, Some(_)) | (Some(_), None) => false,
        };
        match same {
            true => Ok(()),
            false => Err(Fault::new(
                Exit::Offline,
                "somebody else changed it meanwhile, and it is left alone",
            )
            .hint("try again")),
        }
    }
}

/// What the file holds now, if it is there.
fn contents(path: &Path) -> Outcome<Option<(Zeroizing<Vec<u8>>, Metadata)>> {
    match files::read(path, MAX_BYTES as u64) {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.exit() == Exit::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn internal(error: &io::Error) -> Fault {
    Fault::new(Exit::Internal, error.to_string())
}

/// `~/.aws`, if it isn't there: for nobody else.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use profile::File::{Config, Credentials};

    fn file(path: &Path, kind: profile::File) -> AwsFile {
        AwsFile::read(&Place::read(), path, kind).unwrap()
    }

    fn put(path: &Path, bytes: &[u8], mode: u32) {
        let _ = std::fs::remove_file(path);
        files::create_private(path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn is(path: &Path, bytes: &[u8], mode: u32) {
        let (found, metadata) = contents(path).unwrap().unwrap();
        assert_eq!(
            (&**found, metadata.permissions().mode() & 0o777),
            (bytes, mode)
        );
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_the_old_one_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        put(&path, b"one", 0o640);
        let backup = file(&path, Config).replace(b"two").unwrap().unwrap();
        assert_eq!(backup.file_name().unwrap(), "config.vmfa-backup-1");
        is(&path, b"two", 0o640);
        is(&backup, b"one", 0o640);
        let second = file(&path, Config).replace(b"three").unwrap().unwrap();
        is(&second, b"two", 0o640);
        is(&backup, b"one", 0o640);
        assert!(file(&path, Config).replace(b"three").unwrap().is_none());
        assert_eq!(
            names(folder.path()),
            ["config", "config.vmfa-backup-1", "config.vmfa-backup-2"]
        );
    }

    #[test]
    fn keys_are_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        put(&path, b"one", 0o644);
        let backup = file(&path, Credentials).replace(b"two").unwrap().unwrap();
        is(&path, b"two", 0o600);
        is(&backup, b"one", 0o600);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("config"));
        put(&real, b"one", 0o600);
        symlink("real", &link).unwrap();
        file(&link, Config).replace(b"two").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        is(&real, b"two", 0o600);
        std::fs::remove_file(&real).unwrap();
        assert!(AwsFile::read(&Place::read(), &link, Config).is_err());
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        put(&path, b"one", 0o600);
        let read = file(&path, Config);
        put(&path, b"other", 0o600);
        assert_eq!(read.replace(b"two").unwrap_err().exit(), Exit::Offline);
        is(&path, b"other", 0o600);
        let none = file(&folder.path().join("new"), Config);
        put(&folder.path().join("new"), b"x", 0o600);
        assert_eq!(none.replace(b"two").unwrap_err().exit(), Exit::Offline);
        let rest = names(folder.path());
        assert!(
            !rest.iter().any(|name| name.contains("vmfa-new")),
            "{rest:?}"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".aws/config");
        let new = file(&path, Config);
        assert!(new.ini().unwrap().is_none() && new.bytes().is_empty());
        assert!(new.replace(b"[a]\n").unwrap().is_none());
        is(&path, b"[a]\n", 0o600);
        assert_eq!(names(path.parent().unwrap()), ["config"]);
    }
}
