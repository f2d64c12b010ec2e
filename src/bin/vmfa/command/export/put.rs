//! An export on the disk: whole and read back, or not at all; for nobody else to read, and in nobody's place.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use vmfa::secret::Secret;

use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::Context;

/// Whether something may be written there.
pub(super) fn may(context: &Context, path: &Path, is_tree: bool, force: bool) -> Outcome {
    let name = context.place.show(path);
    let Ok(there) = fs::symlink_metadata(path) else {
        let folder = folder_of(path);
        return match folder.is_dir() {
            true => Ok(()),
            false => Err(Fault::new(
                Exit::NotFound,
                format!("{}: no such directory", context.place.show(folder)),
            )),
        };
    };
    if is_tree {
        let is_empty =
            there.is_dir() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        return match is_empty {
            true => Ok(()),
            false => Err(
                Fault::usage(format!("{name} is there already, and is left alone"))
                    .hint("name a directory that isn't there yet"),
            ),
        };
    }
    match there.is_dir() {
        true => Err(Fault::usage(format!("{name} is a directory")).hint("name a file in it")),
        false if force => Ok(()),
        false => Err(
            Fault::usage(format!("{name} is there already, and is left alone"))
                .hint("--force replaces it"),
        ),
    }
}

/// A new file of one's own, or standard output for `-`.
pub(in crate::command) fn new_file(context: &Context, path: &Path, bytes: &Secret) -> Outcome {
    if path.as_os_str() == "-" {
        return context.screen.raw(bytes.expose());
    }
    may(context, path, false, false)?;
    file(context, path, bytes, false)
}

/// One file.
pub(super) fn file(context: &Context, path: &Path, bytes: &Secret, force: bool) -> Outcome {
    let name = context.place.show(path);
    let new = Beside::of(path);
    let fail = |error: io::Error| internal(&error).at(&name);
    write(&new.0, bytes).map_err(fail)?;
    again(&new.0, bytes).map_err(|fault| fault.at(&name))?;
    into_place(&new.0, path, force).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Fault::usage(format!("{name} is there already, and is left alone"))
        }
        _ => fail(error),
    })?;
    files::sync_folder(folder_of(path)).map_err(fail)
}

/// A directory of files.
pub(super) fn tree(context: &Context, path: &Path, tree: &[(String, Secret)]) -> Outcome {
    let name = context.place.show(path);
    let fail = |error: io::Error| internal(&error).at(&name);
    let new = Beside::of(path);
    create_folder(&new.0).map_err(fail)?;
    for (inner, bytes) in tree {
        let file = new.0.join(inner);
        let folder = folder_of(&file);
        if !folder.is_dir() {
            create_folder(folder).map_err(fail)?;
        }
        write(&file, bytes).map_err(fail)?;
        files::sync_folder(folder).map_err(fail)?;
        again(&file, bytes).map_err(|fault| fault.at(&name))?;
    }
    // An empty directory gives way, one with something in it doesn't.
    fs::rename(&new.0, path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory => {
            Fault::usage(format!("{name} is there already, and is left alone"))
        }
        _ => fail(error),
    })?;
    files::sync_folder(folder_of(path)).map_err(fail)
}

/// A name beside the one that is meant, and whatever stands there when this is dropped is taken away.
pub(super) struct Beside(pub(super) PathBuf);

impl Beside {
    pub(super) fn of(path: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".vmfa-new-{}", std::process::id()));
        Self(folder_of(path).join(name))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Gone already where it was renamed.
        let _ = match self.0.is_dir() {
            true => fs::remove_dir_all(&self.0),
            false => fs::remove_file(&self.0),
        };
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

fn write(path: &Path, bytes: &Secret) -> io::Result<()> {
    let mut file = files::create_private(path)?;
    file.write_all(bytes.expose())?;
    file.sync_all()
}

/// What is on the disk now, which must be what was written.
fn again(path: &Path, bytes: &Secret) -> Outcome {
    let (mut read, _) = files::read(path, bytes.len() as u64)?;
    let read = Secret::new(std::mem::take(&mut *read));
    match read.same_as(bytes) {
        true => Ok(()),
        false => Err(Fault::new(
            Exit::Internal,
            "what was read back isn't what was written",
        )),
    }
}

/// Under its name, in one step; in the place of another file only where that is wanted.
pub(super) fn into_place(from: &Path, to: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::rename(from, to);
    }
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems don't know it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub(super) fn internal(error: &io::Error) -> Fault {
    Fault::new(Exit::Internal, error.to_string())
}
