//! Sessions held beside the vault: sealed under its key, each in a file of its own in the state directory.
//!
//! ```text
//! "VMFAKEEP" | u64 expiry in seconds since 1970 | u16 milliseconds | salt[16] | sealed blob | tag[16]
//! ```
//!
//! HKDF label "vmfa/v1 session"; the name under which the blob is held, and the expiry, are the seal's name, so that neither
//! one blob for another nor a longer life can be slipped in. The file's name is an HMAC of the blob's: it tells nobody which
//! profiles there are. A session is worth one more call to AWS, not a promise: what can't be opened counts as never held.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::keep::Keep;
use crate::secret::Secret;
use crate::vault::error::{VaultError, hex};
use crate::vault::file::{self, Place};
use crate::vault::seal::{self, Key, Randomness, SALT_LEN, Sealed, VaultKeys};
use crate::vault::unlocked::Unlocked;

const MAGIC: &[u8; 8] = b"VMFAKEEP";
const LABEL: &[u8] = b"vmfa/v1 session";
const HEAD: usize = 8 + 8 + 2;
/// No session is longer.
const MAX: u64 = 256 << 10;
/// The suffix of a held session's file.
const SUFFIX: &str = ".session";

/// A session as its file will hold it.
pub(crate) struct SealedSession {
    directory: PathBuf,
    path: PathBuf,
    bytes: Vec<u8>,
    random: Arc<dyn Randomness>,
}

impl SealedSession {
    /// Writes it; it is on disk afterwards.
    ///
    /// # Errors
    /// The system refused.
    pub(crate) fn write(self) -> Result<(), VaultError> {
        file::make_dirs(&self.directory)?;
        let place = Place::of(&self.path)?;
        file::Temp::write(&place, &self.bytes, &*self.random)?.replace(&place)
    }
}

impl Unlocked {
    fn sessions(&self) -> PathBuf {
        let id = hex(&self.vault_id());
        self.files.state.join(format!("{id}.sessions"))
    }

    fn session(&self, name: &str) -> PathBuf {
        let key = VaultKeys::new(&self.dek, &self.vault_id()).session_names();
        let name = seal::mac(key.bytes(), &[name.as_bytes()]);
        self.sessions()
            .join(format!("{}{SUFFIX}", hex(&name[..16])))
    }

    /// Seals a session without writing it: what comes after that needs no key, and may wait for a disk.
    ///
    /// # Errors
    /// It is too long; the system has no random numbers.
    pub(crate) fn seal_session(
        &self,
        name: &str,
        blob: &Secret,
        until: UnixTime,
    ) -> Result<SealedSession, VaultError> {
        let bytes = sealed(blob, name, until, &self.dek, &*self.random)?;
        if bytes.len() as u64 > MAX {
            return Err(VaultError::TooLong {
                what: "session",
                len: blob.len(),
                max: MAX as usize,
            });
        }
        Ok(SealedSession {
            directory: self.sessions(),
            path: self.session(name),
            bytes,
            random: Arc::clone(&self.random),
        })
    }

    /// Deletes what has expired.
    fn sweep_sessions(&self, now: UnixTime) {
        for entry in fs::read_dir(self.sessions())
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let read = file::read(&path, MAX).ok();
            let until = read.and_then(|bytes| expiry(&bytes));
            // Without a whole head it may be one that another process writes at this moment.
            if until.is_some_and(|until| until <= now) {
                drop(fs::remove_file(path));
            }
        }
    }
}

impl Keep for Unlocked {
    type Error = VaultError;

    fn hold(&self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), VaultError> {
        self.seal_session(name, blob, until)?.write()
    }

    fn recall(&self, name: &str, now: UnixTime) -> Result<Option<(Secret, UnixTime)>, VaultError> {
        let bytes = match file::read(&self.session(name), MAX) {
            Ok(bytes) => bytes,
            Err(VaultError::Missing { .. } | VaultError::TooLarge { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if expiry(&bytes).is_some_and(|until| until <= now) {
            self.sweep_sessions(now);
            return Ok(None);
        }
        Ok(unsealed(&bytes, name, &self.dek))
    }

    fn forget(&self, name: &str) -> Result<(), VaultError> {
        let path = self.session(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(file::io("delete", &path, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// What a file holds under this name, and until when; nothing where it can't be opened.
pub(super) fn unsealed(bytes: &[u8], name: &str, dek: &Key) -> Option<(Secret, UnixTime)> {
    let until = expiry(bytes)?;
    let (head, rest) = bytes.split_at(HEAD);
    let (salt, text) = rest.split_at_checked(SALT_LEN)?;
    let mut blob = seal::open_sealed(dek, LABEL, &sealed_name(name, head), salt, text)?;
    Some((Secret::new(std::mem::take(&mut *blob)), until))
}

/// The bytes of a file that holds this.
pub(super) fn sealed(
    blob: &Secret,
    name: &str,
    until: UnixTime,
    dek: &Key,
    from: &dyn Randomness,
) -> Result<Vec<u8>, VaultError> {
    let head = head(until);
    let sealed = Sealed::new(dek, LABEL, &sealed_name(name, &head), blob.expose(), from)?;
    let mut bytes = Vec::with_capacity(HEAD + SALT_LEN + sealed.text.len());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&sealed.salt);
    bytes.extend_from_slice(&sealed.text);
    Ok(bytes)
}

fn head(until: UnixTime) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&until.secs().to_le_bytes());
    head[16..].copy_from_slice(&until.subsec_millis().to_le_bytes());
    head
}

fn expiry(bytes: &[u8]) -> Option<UnixTime> {
    let head = bytes.get(..HEAD)?.strip_prefix(MAGIC)?;
    let (secs, millis) = head.split_first_chunk()?;
    UnixTime::from_parts(
        u64::from_le_bytes(*secs),
        u16::from_le_bytes(millis.try_into().ok()?),
    )
}

fn sealed_name(name: &str, head: &[u8]) -> Vec<u8> {
    [head, name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::Bench;

    const NOON: UnixTime = UnixTime::from_secs(1_700_000_000);

    #[test]
    fn a_session_is_given_until_it_expires() {
        let (_bench, vault) = Bench::created();
        let blob = Secret::new(b"ASIA and a token".to_vec());
        let until = NOON.plus_secs(3600);
        assert!(vault.recall("admin", NOON).unwrap().is_none());
        vault.hold("admin", &blob, until).unwrap();
        let (held, expiry) = vault.recall("admin", NOON).unwrap().unwrap();
        assert!(held.same_as(&blob) && expiry == until);
        assert!(vault.recall("other", NOON).unwrap().is_none());
        assert!(vault.recall("admin", until).unwrap().is_none(), "expired");
        assert!(vault.recall("admin", NOON).unwrap().is_none(), "swept");
        vault.hold("admin", &blob, until).unwrap();
        vault.forget("admin").unwrap();
        vault.forget("admin").unwrap();
        assert!(vault.recall("admin", NOON).unwrap().is_none());
    }

    #[test]
    fn no_byte_of_the_file_can_be_another_and_nothing_stands_in_clear() {
        let (_bench, vault) = Bench::created();
        let blob = Secret::new(b"a session token in clear".to_vec());
        vault.hold("admin", &blob, NOON.plus_secs(3600)).unwrap();
        let path = vault.session("admin");
        let bytes = file::read(&path, MAX).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"a sessio"));
        assert!(!path.to_string_lossy().contains("admin"));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            crate::vault::tests::put(&path, &other);
            assert!(vault.recall("admin", NOON).unwrap().is_none(), "byte {at}");
        }
        // Another name's blob in this one's place.
        vault.hold("other", &blob, NOON.plus_secs(3600)).unwrap();
        fs::copy(vault.session("other"), &path).unwrap();
        assert!(vault.recall("admin", NOON).unwrap().is_none());
    }
}
