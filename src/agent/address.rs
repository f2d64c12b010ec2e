//! Where an agent is.

use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::agent::error::AgentError;
use crate::agent::peer;
use crate::agent::protocol::Tag;

/// Where the agent of a vault listens, and which vault that is.
#[derive(Debug, Clone)]
pub struct Address {
    directory: PathBuf,
    socket: PathBuf,
    tag: Tag,
}

/// Whether a vault is the one that this person usually has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    /// It has the socket whose name everybody knows.
    Yes,
    /// It has a socket of its own beside that one.
    No,
}

impl Address {
    /// The address of a vault's agent: in `runtime` (`$XDG_RUNTIME_DIR`), else in a directory under the state directory.
    /// The vault is told by its path as named, made absolute.
    pub fn new(runtime: Option<&Path>, state: &Path, vault: &Path, usual: Usual) -> Self {
        let directory = match runtime {
            Some(runtime) => runtime.join("vmfa"),
            None => state.join("agent"),
        };
        let vault = std::path::absolute(vault).unwrap_or_else(|_| vault.to_owned());
        let digest = ring::digest::digest(&ring::digest::SHA256, vault.as_os_str().as_bytes());
        let mut tag = Tag::default();
        tag.copy_from_slice(&digest.as_ref()[..16]);
        let socket = match usual {
            Usual::Yes => "agent.sock".to_owned(),
            Usual::No => {
                let name: String = tag[..8].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("agent-{name}.sock")
            }
        };
        Self {
            socket: directory.join(socket),
            directory,
            tag,
        }
    }

    /// The socket's path.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The directory that holds it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Which vault is meant.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// The lock that keeps two agents from listening at one address.
    pub(super) fn lock(&self) -> PathBuf {
        self.socket.with_extension("lock")
    }

    /// Sees to it that the directory is there, and that it is ours alone.
    pub(super) fn make_directory(&self) -> Result<(), AgentError> {
        if let Some(parent) = self.directory.parent() {
            fs::create_dir_all(parent).map_err(AgentError::io("directory"))?;
        }
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(AgentError::io("directory")(error))
            }
            Ok(()) | Err(_) => peer::is_private(&self.directory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vault_has_an_address_of_its_own() {
        let at = |runtime: Option<&str>, vault: &str, usual| {
            Address::new(
                runtime.map(Path::new),
                Path::new("/state"),
                Path::new(vault),
                usual,
            )
        };
        let usual = at(Some("/run/user/7"), "/v", Usual::Yes);
        assert_eq!(usual.socket(), Path::new("/run/user/7/vmfa/agent.sock"));
        assert_eq!(usual.lock(), Path::new("/run/user/7/vmfa/agent.lock"));
        let (one, two) = (
            at(Some("/run/user/7"), "/a", Usual::No),
            at(Some("/run/user/7"), "/b", Usual::No),
        );
        assert_ne!(one.socket(), two.socket());
        assert_ne!(one.tag(), two.tag());
        assert_eq!(
            at(None, "/v", Usual::Yes).directory(),
            Path::new("/state/agent")
        );
    }
}
