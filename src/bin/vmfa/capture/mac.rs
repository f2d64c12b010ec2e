//! What a Mac's displays show, by the program that macOS has for it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vmfa::qr::MAX_FILE_BYTES;
use vmfa::secret::Secret;

use super::{Failed, Picture, Shot};
use crate::files;

/// As many displays as a Mac drives, and some.
const MOST: usize = 16;

/// A picture of every display. `screencapture` writes nothing but files: into a directory of ours, which is removed after.
pub(super) fn screens() -> Result<Vec<Shot>, Failed> {
    let directory = Directory::new().map_err(|error| Failed::Here(error.to_string()))?;
    let paths: Vec<PathBuf> = (1..=MOST)
        .map(|number| directory.0.join(format!("{number}.png")))
        .collect();
    // A file a display, in order; files for displays that aren't there aren't written.
    let status = Command::new("/usr/sbin/screencapture")
        .args(["-x", "-t", "png"])
        .args(&paths)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Failed::Here(error.to_string()))?;
    let mut shots = Vec::new();
    for (index, path) in paths.iter().enumerate().filter(|(_, path)| path.exists()) {
        let read = files::read(path, MAX_FILE_BYTES);
        let (mut bytes, _) = read.map_err(|fault| Failed::Here(fault.message().to_owned()))?;
        shots.push(Shot {
            name: format!("screen {}", index + 1),
            picture: Picture::File(Secret::new(std::mem::take(&mut *bytes))),
            remark: None,
        });
    }
    if shots.is_empty() {
        return Err(Failed::Here(format!(
            "it gave no picture ({status}); may this terminal record the screen (System Settings, Privacy & Security)?"
        )));
    }
    Ok(shots)
}

/// A directory that nobody else can look into, for as long as it is used.
struct Directory(PathBuf);

impl Directory {
    fn new() -> std::io::Result<Self> {
        let name = format!("vmfa-screen-{}", std::process::id());
        let path = Path::new("/tmp").join(name);
        // One that is there already is an error: somebody else's could be read by them.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let path: &Path = &self.0;
        let _ = std::fs::remove_dir_all(path);
    }
}
