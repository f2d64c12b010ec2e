//! The configuration's file.

use std::fs::Metadata;
use std::path::Path;

use super::Config;
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::place::Place;

/// The largest file that is read.
const MOST: u64 = 64 << 10;

impl Config {
    /// What the person's file says; the default where there is none.
    ///
    /// # Errors
    /// The file can't be read, is wrong, or could have been written by somebody else.
    pub(crate) fn load(place: &Place) -> Outcome<Self> {
        match place.config_file() {
            Some(path) => of_file(&path).map_err(|fault| fault.at(&place.show(&path))),
            None => Ok(Self::default()),
        }
    }
}

fn of_file(path: &Path) -> Outcome<Config> {
    let (bytes, metadata) = match files::read(path, MOST) {
        Err(fault) if fault.exit() == Exit::NotFound => return Ok(Config::default()),
        read => read?,
    };
    is_ones_own(&metadata)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::usage("not UTF-8"))?;
    Ok(Config::read(text)?)
}

/// Who writes this file can keep the interface from locking. A group may: on many systems each person is a group of their own,
/// and files are the group's to write by default.
#[cfg(unix)]
fn is_ones_own(metadata: &Metadata) -> Outcome {
    use std::os::unix::fs::MetadataExt as _;
    const OTHERS_WRITE: u32 = 0o002;
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(Fault::usage(
            "the configuration belongs to another user, who could keep vmfa from locking",
        )
        .hint("make a copy of your own; VMFA_CONFIG names another file"));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(Fault::usage(
            "anybody may write the configuration, and could keep vmfa from locking",
        )
        .hint("`chmod o-w` on it, after a look at what it says"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_ones_own(_metadata: &Metadata) -> Outcome {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_read_within_bounds_and_only_if_ones_own() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config.toml");
        assert_eq!(of_file(&path).ok(), Some(Config::default()));
        let said = |bytes: &[u8], mode: u32| {
            let mut file = std::fs::File::create(&path).expect("made");
            file.write_all(bytes).expect("written");
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).expect("set");
            of_file(&path)
                .map(|config| config.privacy)
                .map_err(|fault| fault.message().to_owned())
        };
        assert_eq!(said(b"privacy = true\n", 0o644), Ok(true));
        assert_eq!(said(b"privacy = true\n", 0o664), Ok(true));
        let anybody = "anybody may write the configuration, and could keep vmfa from locking";
        assert_eq!(said(b"privacy = true\n", 0o646), Err(anybody.into()));
        assert_eq!(said(b"# \xff\n", 0o644), Err("not UTF-8".into()));
        let most = [b"#".repeat(MOST as usize - 1), b"\n".to_vec()].concat();
        assert_eq!(said(&most, 0o644), Ok(false));
        let more = [most, b"\n".to_vec()].concat();
        assert_eq!(said(&more, 0o644), Err("more than 65536 bytes".into()));
        let directory = of_file(directory.path()).map_err(|fault| fault.message().to_owned());
        assert_eq!(directory, Err("a directory, not a file".into()));
    }
}
