//! The vault: locked, unlocked, saved. (stub; the face on which the terminal stands)

use std::path::{Path, PathBuf};

use crate::account::{Account, AccountId, Summary};
use crate::authenticator::Authenticator;
use crate::clock::UnixTime;
use crate::failure::{Fails, Kind};
use crate::otp::{Code, Pair, Pairing};
use crate::secret::{Secret, SecretText};

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
        todo!()
    }
}

/// The cost of Argon2id, within the bounds that every reader of the format accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    m_kib: u32,
    t: u32,
    p: u8,
}

impl KdfParams {
    /// 64 MiB, t = 3, p = 4: RFC 9106's second choice.
    pub const DEFAULT: Self = Self {
        m_kib: 65536,
        t: 3,
        p: 4,
    };
    /// # Errors
    /// Outside m 19 MiB..1 GiB, t 1..64, p 1..16.
    pub fn new(_m_kib: u32, _t: u32, _p: u32) -> Result<Self, VaultError> {
        todo!()
    }
    /// KiB, passes, lanes
    pub fn get(&self) -> (u32, u32, u8) {
        (self.m_kib, self.t, self.p)
    }
}

/// Whether a header may ask for more than 256 MiB or m*t above 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KdfLimit {
    /// Refuse above 256 MiB or m*t above 4 GiB.
    Usual,
    /// Up to the format's own bounds.
    High,
}

/// What to do about a vault older than one already seen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// Refuse it.
    Refuse,
    /// The person says it is right, as after restoring a backup.
    Accept,
}

/// What opens a vault.
pub enum Credential {
    /// Slot type 1.
    Passphrase(SecretText),
    /// Slot type 1 with the key-file flag: both are needed.
    PassphraseAndKeyFile(SecretText, Secret),
    /// Slot type 2: the content of a key file of at least 32 bytes.
    KeyFile(Secret),
    /// Slot type 3, as shown by `init`; case, spaces and dashes don't matter.
    RecoveryCode(SecretText),
}

/// What a slot is, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// 8 bytes, shown as 16 hexadecimal digits.
    pub id: [u8; 8],
    /// Its type.
    pub kind: SlotKind,
}

/// A slot's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Passphrase, with its cost, and whether a key file is needed too.
    Passphrase {
        /// cost
        kdf: KdfParams,
        /// both needed
        with_key_file: bool,
    },
    /// Key file.
    KeyFile,
    /// Recovery code.
    Recovery,
    /// A type this version doesn't know: skipped, kept.
    Unknown(u8),
}

/// Why the vault can't be had. (The full enum says what and where.)
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// stub
    #[error("stub")]
    Stub,
}

impl Fails for VaultError {
    fn kind(&self) -> Kind {
        todo!()
    }
}

/// A vault whose header was read and bounded, and nothing more.
pub struct Locked {}

impl Locked {
    /// Reads the file and checks all that can be checked without a key.
    ///
    /// # Errors
    /// No such file; not a regular file; not a vault; cut off; a newer major version; cost out of bounds; ...
    pub fn open(_files: &Files, _limit: KdfLimit) -> Result<Self, VaultError> {
        todo!()
    }
    /// The slots, as the (not yet verified) header lists them.
    pub fn slots(&self) -> Vec<SlotInfo> {
        todo!()
    }
    /// Counts the saves.
    pub fn generation(&self) -> u64 {
        todo!()
    }
    /// Opens it.
    ///
    /// # Errors
    /// No slot takes the credential (wrong passphrase), or one does and the rest is damaged; rolled back.
    pub fn unlock(
        self,
        _credential: &Credential,
        _rollback: Rollback,
        _now: UnixTime,
    ) -> Result<Unlocked, VaultError> {
        todo!()
    }
}

/// An open vault: the index in clear, the secrets still sealed, changes in memory until [`Unlocked::save`].
pub struct Unlocked {}

/// What became of an account that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New(AccountId),
    /// The same secret and parameters were there already under this id: kept once.
    AlreadyThere(AccountId),
    /// It is new, and another account of the same issuer and name has another secret: both are kept.
    Namesake {
        /// The new one.
        id: AccountId,
        /// The one that was there.
        other: AccountId,
    },
}

/// What a save came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It survives a power cut.
    Durable,
    /// There was nothing to save.
    Unchanged,
    /// It is saved, but the system could not say that it is on disk.
    DurabilityUnknown,
}

/// A record this version can't understand: kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "stub")]
pub struct UnknownRecord {
    pub id: AccountId,
    pub kind: u8,
}

/// Makes a new vault, saved durably before this returns, and its recovery code.
///
/// # Errors
/// A file is there already, or it can't be written.
pub fn create(
    _files: &Files,
    _credential: &Credential,
    _kdf: KdfParams,
    _now: UnixTime,
) -> Result<(Unlocked, SecretText), VaultError> {
    todo!()
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "stub")]
impl Unlocked {
    pub fn trash(&self) -> Vec<Summary> {
        todo!()
    }
    pub fn unknown_records(&self) -> Vec<UnknownRecord> {
        todo!()
    }
    pub fn generation(&self) -> u64 {
        todo!()
    }
    pub fn slots(&self) -> Vec<SlotInfo> {
        todo!()
    }
    /// Unseals one account, trashed or not.
    pub fn account(&self, _id: &AccountId) -> Result<Account, VaultError> {
        todo!()
    }
    pub fn add(&mut self, _account: Account, _now: UnixTime) -> Result<Added, VaultError> {
        todo!()
    }
    /// Changes what may be shown: the id, the trash and the conflict mark stay.
    pub fn change(
        &mut self,
        _id: &AccountId,
        _now: UnixTime,
        _change: impl FnOnce(&mut Summary),
    ) -> Result<(), VaultError> {
        todo!()
    }
    pub fn set_pin(
        &mut self,
        _id: &AccountId,
        _pin: Option<SecretText>,
        _now: UnixTime,
    ) -> Result<(), VaultError> {
        todo!()
    }
    /// Into the trash.
    pub fn remove(&mut self, _id: &AccountId, _now: UnixTime) -> Result<(), VaultError> {
        todo!()
    }
    /// Out of the trash.
    pub fn restore(&mut self, _id: &AccountId, _now: UnixTime) -> Result<(), VaultError> {
        todo!()
    }
    /// Gone for good: a tombstone stays.
    pub fn erase(&mut self, _id: &AccountId, _now: UnixTime) -> Result<(), VaultError> {
        todo!()
    }
    /// Adds a slot (no DEK rotation). A passphrase slot costs `kdf`.
    pub fn add_slot(
        &mut self,
        _credential: &Credential,
        _kdf: KdfParams,
    ) -> Result<SlotInfo, VaultError> {
        todo!()
    }
    /// Adds a recovery slot and returns its code, to be shown once.
    pub fn add_recovery(&mut self) -> Result<(SlotInfo, SecretText), VaultError> {
        todo!()
    }
    /// Removes a slot and rotates the DEK. The last slot can't be removed.
    pub fn remove_slot(&mut self, _id: &[u8; 8]) -> Result<(), VaultError> {
        todo!()
    }
    /// Replaces the passphrase slot that opened the vault (or the only one), and rotates the DEK.
    pub fn change_passphrase(
        &mut self,
        _new: &Credential,
        _kdf: KdfParams,
    ) -> Result<(), VaultError> {
        todo!()
    }
    /// Whether the credential opens this vault: asked again before a secret is shown.
    pub fn confirms(&self, _credential: &Credential) -> Result<bool, VaultError> {
        todo!()
    }
    /// Saves: lock, read again, merge, replace atomically, verify.
    pub fn save(&mut self, _now: UnixTime) -> Result<Saved, VaultError> {
        todo!()
    }
}

impl Authenticator for Unlocked {
    type Error = VaultError;
    fn summaries(&self) -> Result<Vec<Summary>, VaultError> {
        todo!()
    }
    fn code_at(&self, _id: &AccountId, _now: UnixTime) -> Result<Code, VaultError> {
        todo!()
    }
    fn code_of_step(&self, _id: &AccountId, _step: u64) -> Result<Code, VaultError> {
        todo!()
    }
    fn pair_at(
        &self,
        _id: &AccountId,
        _now: UnixTime,
        _pairing: Pairing,
    ) -> Result<Pair, VaultError> {
        todo!()
    }
    fn next_hotp(&mut self, _id: &AccountId, _now: UnixTime) -> Result<Code, VaultError> {
        todo!()
    }
}

/// A backup of an earlier generation beside the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// The generation it holds, as its (unverified) header says.
    pub generation: u64,
    /// Its size in bytes.
    pub len: u64,
    /// When it was last modified, in seconds since 1970.
    pub modified: u64,
}

/// The backups beside a vault, newest generation first.
///
/// # Errors
/// The directory can't be read.
pub fn backups(_files: &Files) -> Result<Vec<Backup>, VaultError> {
    todo!()
}

/// Deletes the backups (they still open with an old passphrase).
///
/// # Errors
/// One can't be deleted.
pub fn purge_backups(_files: &Files) -> Result<usize, VaultError> {
    todo!()
}

/// Puts a backup, or any vault file that opens with `credential`, in the vault's place; what stood there (even a damaged
/// file) becomes a backup itself. Refuses a file that doesn't open. The generation continues above the highest one seen.
///
/// # Errors
/// The backup doesn't open; the vault can't be written.
pub fn restore_backup(
    _files: &Files,
    _backup: &Path,
    _credential: &Credential,
    _limit: KdfLimit,
    _now: UnixTime,
) -> Result<Unlocked, VaultError> {
    todo!()
}

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

/// Looks at permissions, owner, directory, lock, backups (do their headers parse), ledger, leftovers of interrupted saves, pin; no key needed.
pub fn examine(_files: &Files) -> Vec<Finding> {
    todo!()
}
