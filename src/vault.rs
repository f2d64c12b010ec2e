//! The vault: locked, unlocked, saved.
//!
//! One file holds everything: a header that anybody can read (slots, generation), its MAC, and one sealed payload. Each
//! slot wraps the same data encryption key (DEK) for one credential; the DEK seals the payload, and each secret once more
//! inside it, so that listing and searching unseal none.
//!
//! [`Locked::open`] reads and bounds the header, [`Locked::unlock`] gives an [`Unlocked`], which changes in memory until
//! [`Unlocked::save`] merges with what others wrote meanwhile and replaces the file as a whole.
//!
//! | file | subject |
//! |---|---|
//! | `error`, `cursor` | what goes wrong; reading bytes of exact lengths |
//! | `seal`, `kdf`, `recovery` | the cipher suite; Argon2id; the recovery code |
//! | `slot`, `header`, `container` | the outer format |
//! | `body`, `record`, `fields`, `inner` | the payload; a record; its fields; its sealed secret |
//! | `stamp`, `merge`, `absorb` | when a record was written; two sets of records become one; another copy is taken in |
//! | `rebase` | what was changed here goes on top of what somebody saved meanwhile |
//! | `file`, `save`, `backup`, `restore`, `pin`, `copies`, `examine`, `dangers` | on disk |
//! | `create`, `open`, `unlocked` | a new vault; unlocking; an open vault in memory |
//! | `edit`, `keys`, `codes` | changing accounts; changing slots and keys; codes |
//! | `access_key` | access keys of AWS: records, changing them, giving them |
//! | `cache`, `held` | sessions held beside the vault; a vault that an agent holds |

mod absorb;
mod access_key;
mod backup;
mod body;
mod cache;
mod codes;
mod container;
mod copies;
mod create;
mod cursor;
mod dangers;
mod edit;
mod error;
mod examine;
mod fields;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod header;
#[cfg(unix)]
mod held;
mod inner;
mod kdf;
mod keys;
mod merge;
mod open;
mod pin;
mod rebase;
mod record;
mod recovery;
mod restore;
mod save;
mod seal;
mod slot;
mod stamp;
mod unlocked;

use std::path::PathBuf;

pub use access_key::{PutKey, WhichKeys};
pub use backup::{Backup, backups, purge_backups};
pub use copies::{Copy, News, copies};
pub use create::create;
pub use dangers::dangers;
pub use edit::{Added, UnknownRecord};
pub use error::{Fault, Typo, VaultError};
pub use examine::{Finding, Severity, examine};
#[cfg(unix)]
pub(crate) use held::{Mark, summary_from_bytes, summary_to_bytes};
pub use kdf::{KdfLimit, KdfParams};
pub use open::Locked;
pub use restore::{backup_slots, restore_backup};
pub use save::Saved;
pub use slot::{Credential, SlotInfo, SlotKind};
pub use unlocked::Unlocked;

/// Where a vault and what belongs to it are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The vault file itself; lock, ledger and backups stand beside it.
    pub vault: PathBuf,
    /// The directory of the rollback pins.
    pub state: PathBuf,
}

impl Files {
    /// The ledger beside the vault (symlinks of the vault resolved).
    pub fn ledger(&self) -> PathBuf {
        self.beside(".ledger")
    }

    /// The lock beside the vault.
    pub fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        match file::Place::of(&self.vault) {
            Ok(place) => place.beside(suffix),
            // The vault can't be had either, which will be said; this path will do until then.
            Err(_) => {
                let mut name = self.vault.clone().into_os_string();
                name.push(suffix);
                name.into()
            }
        }
    }
}

/// What to do about a vault older than one already seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// Refuse it.
    Refuse,
    /// The person says it is right, as after restoring a backup.
    Accept,
}

#[cfg(test)]
pub(crate) mod tests;
