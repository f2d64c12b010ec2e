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
        let tag = tag_of(vault.as_os_str().as_bytes());
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
            fs::create_dir_all(parent).map_err(AgentError::io_at("directory", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(AgentError::io_at("directory", &self.directory)(error))
            }
            Ok(()) | Err(_) => peer::is_private(&self.directory),
        }
    }
}

/// FNV-1a with 128 bits (RFC 9923). It tells paths apart and protects nothing; a SHA-256 would first ask the processor what it
/// can, which on a virtual machine takes longer than all the rest of a question to the agent.
fn tag_of(path: &[u8]) -> Tag {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = (1 << 88) + 0x13b;
    let hash = path.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    });
    hash.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Landon Curt Noll's reference values.
    #[test]
    fn a_tag_is_the_hash_that_it_says() {
        let hex = |text: &str| u128::from_be_bytes(tag_of(text.as_bytes()));
        assert_eq!(hex(""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(hex("a"), 0xd228cb696f1a8caf78912b704e4a8964);
        assert_eq!(hex("foobar"), 0x343e1662793c64bf6f0d3597ba446f18);
    }

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
