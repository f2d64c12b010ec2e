//! What can go wrong with a vault, and what a person can do about it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::account::AccountId;
use crate::account::text::clean;
use crate::failure::{Fails, Kind};
use crate::otp::OtpError;

/// Why the vault can't be had, or can't be changed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Nothing stands at the path.
    #[error("there is no vault at {}", shown(.path))]
    Missing {
        /// Where one was looked for.
        path: PathBuf,
        /// How many backups stand beside it, as far as that was looked at.
        backups: usize,
    },
    /// The file to be restored or merged isn't there.
    #[error("there is no file {}", shown(.path))]
    NoSuchBackup {
        /// The path as given.
        path: PathBuf,
    },
    /// A directory, FIFO, socket or device: it is refused without reading from it.
    #[error("{} is {what}, not a vault file", shown(.path))]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// More bytes than any vault has.
    #[error("{} has {len} bytes; a vault has at most {max}", shown(.path))]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// Its size.
        len: u64,
        /// The bound.
        max: u64,
    },
    /// The bytes are not what a vault writer once wrote.
    #[error("{}: {fault}", shown(.path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        fault: Fault,
    },
    /// A passphrase slot asks for more than is given without being asked.
    #[error(
        "the vault asks for {m_kib} KiB of memory and {t} passes to be opened, above the usual limit"
    )]
    CostlyKdf {
        /// Memory in KiB.
        m_kib: u32,
        /// Passes.
        t: u32,
    },
    /// Parameters that no reader of the format takes.
    #[error(
        "a key derivation of {m_kib} KiB, {t} passes, {p} lanes: it takes 19456 to 1048576 KiB, 1 to 64 passes, 1 to 16 lanes"
    )]
    KdfParams {
        /// Memory in KiB.
        m_kib: u32,
        /// Passes.
        t: u32,
        /// Lanes.
        p: u32,
    },
    /// No slot of the credential's kind took it.
    #[error("the {0} doesn't open the vault")]
    WrongPassphrase(&'static str),
    /// The vault has no slot for this kind of credential.
    #[error("the vault has no slot for a {given}; it opens with: {slots}")]
    NoSlotFor {
        /// What was given.
        given: &'static str,
        /// What there is.
        slots: String,
    },
    /// The check characters of a recovery code tell a typing error apart from a wrong code.
    #[error("the recovery code has a typing error: {0}")]
    RecoveryTypo(Typo),
    /// RFC 9106 has no use for it, and neither has a person.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A passphrase longer than anybody types.
    #[error("the passphrase has {0} bytes; at most 65536 are taken")]
    LongPassphrase(usize),
    /// Too short to be a key.
    #[error("the key file has {0} bytes; at least 32 are needed")]
    KeyFileShort(usize),
    /// The file is older than one already seen here.
    #[error("{} is generation {found}, but generation {seen} was seen here before", shown(.path))]
    RolledBack {
        /// The vault.
        path: PathBuf,
        /// The highest generation seen.
        seen: u64,
        /// The generation found.
        found: u64,
    },
    /// Another process changed the passphrase or removed a slot since this one opened the vault.
    #[error("another program changed the keys of {} meanwhile; nothing was written", shown(.path))]
    ChangedKeys {
        /// The vault.
        path: PathBuf,
    },
    /// Somebody else has held the lock for too long.
    #[error("another program has held the lock {} for a minute; nothing was written", shown(.path))]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// Without working locks, others were faster every time.
    #[error("{} was changed by others at every attempt to save it", shown(.path))]
    Contended {
        /// The vault.
        path: PathBuf,
    },
    /// Something other than our lock file stands in its place.
    #[error("the lock {} is {what}; nothing was written", shown(.path))]
    OddLock {
        /// The lock file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A new vault never replaces anything.
    #[error("{} exists already; nothing was written", shown(.path))]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// Nothing stands at the path, but backups of a vault stand beside it.
    #[error("{} is missing, but backups of it are there; no new vault was made", shown(.path))]
    BackupsThere {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error("can't {action} {}: {source}", shown(.path))]
    Io {
        /// What was tried, such as "write".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was written does not read back.
    #[error("{} does not read back as it was written; the generation before is in its backup", shown(.path))]
    ReadBack {
        /// The vault.
        path: PathBuf,
    },
    /// Our own output did not open: a fault of this program. Nothing was written.
    #[error("the vault to be written does not open again ({0}); nothing was written")]
    SelfCheck(&'static str),
    /// The system has no random numbers to give.
    #[error("the system has no random numbers to give")]
    NoRandomness,
    /// The key derivation's memory can't be had.
    #[error("the key derivation needs {m_kib} KiB of memory, which can't be had")]
    NoMemory {
        /// KiB.
        m_kib: u32,
    },
    /// No account by that id.
    #[error("there is no account {0}")]
    NoSuchAccount(AccountId),
    /// The account is in the trash and gives no codes.
    #[error("the account {0} is in the trash")]
    InTrash(AccountId),
    /// A record from a newer version: kept as it is.
    #[error("the record {0} was written by a newer version and is kept as it is")]
    NotUnderstood(AccountId),
    /// The sealed secret of one record doesn't open; all others are well.
    #[error("the sealed secret of account {0} is damaged")]
    RecordDamaged(AccountId),
    /// No access key of that profile or id.
    #[error("the vault has no access key {0:?}")]
    NoSuchAccessKey(String),
    /// The sealed secret of one access key doesn't open, or isn't text.
    #[error("the sealed secret of access key {0} is damaged")]
    AccessKeyDamaged(String),
    /// Profile, id or secret isn't what such are.
    #[error("that is no access key to keep: {0}")]
    OddAccessKey(&'static str),
    /// Something of an account is longer than a record may be.
    #[error("the account's {what} has {len} bytes; at most {max} fit")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Its size.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The vault is full.
    #[error("a vault holds at most {0} records")]
    Full(usize),
    /// The vault would be larger than any reader takes.
    #[error("the vault would have {len} bytes, and a vault has at most {max}; nothing was written")]
    FullBytes {
        /// What it would have at least.
        len: u64,
        /// The bound.
        max: u64,
    },
    /// Slots and extensions would be longer than any reader takes.
    #[error(
        "the vault's header would have {len} bytes, and at most {max} fit; nothing was written"
    )]
    HeaderFull {
        /// What it would have.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The generation is the last one that 64 bits count: nobody saves this often, so another program wrote it.
    #[error("the vault's generation can't be counted further; nothing was written")]
    LastGeneration,
    /// No slot by that id.
    #[error("there is no slot {}", hex(.0))]
    NoSuchSlot([u8; 8]),
    /// Without a slot nobody could open the vault again.
    #[error("the last slot that opens the vault can't be removed")]
    LastSlot,
    /// The format's bound.
    #[error("a vault has at most {max} {what}")]
    TooManySlots {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// The keys of a slot that this version doesn't know can't be renewed.
    #[error("slot {} is of an unknown type and keeps no sealed key, so the keys can't be changed", hex(.0))]
    SlotStuck([u8; 8]),
    /// There is no passphrase slot to replace, or more than one and none of them opened the vault.
    #[error("it isn't clear which passphrase to change: the vault has {0} passphrase slots")]
    WhichPassphrase(usize),
    /// Only a passphrase, with or without a key file, replaces a passphrase.
    #[error("a {0} can't take the place of a passphrase")]
    NotAPassphrase(&'static str),
    /// The account's scheme has no such code.
    #[error(transparent)]
    Otp(#[from] OtpError),
}

/// What is wrong with a vault's bytes, and where: offsets count from the start of the file, or of the decrypted payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// Another format.
    #[error("it is not a vmfa vault; {0}")]
    Foreign(&'static str),
    /// Fewer bytes than the header announces.
    #[error("the file is cut off: it has {have} of {needed} bytes")]
    Truncated {
        /// Bytes that at least are needed.
        needed: u64,
        /// Bytes that there are.
        have: u64,
    },
    /// More bytes than the header announces.
    #[error("{0} bytes too many follow the payload")]
    Trailing(u64),
    /// A later major version.
    #[error("it was written by a newer version of vmfa (format {major}.{minor}; this one reads 1)")]
    Newer {
        /// The format's major version.
        major: u16,
        /// The format's minor version.
        minor: u16,
    },
    /// An extension that must be understood and isn't.
    #[error("it needs extension {0:#06x}, which this version of vmfa doesn't know")]
    CriticalExtension(u16),
    /// A cipher suite from the future.
    #[error("it uses cipher suite {0}, which this version of vmfa doesn't know")]
    Suite(u16),
    /// A header field that no writer writes.
    #[error("the header is damaged at byte {offset}: {what}")]
    Header {
        /// Offset of the field in the file.
        offset: usize,
        /// The field and its fault.
        what: &'static str,
    },
    /// Key derivation parameters out of bounds: refused before any memory is asked for.
    #[error(
        "the header is damaged at byte {offset}: a key derivation of {m_kib} KiB, {t} passes, {p} lanes is out of bounds"
    )]
    Kdf {
        /// Offset of the parameters in the file.
        offset: usize,
        /// Memory in KiB.
        m_kib: u32,
        /// Passes.
        t: u32,
        /// Lanes.
        p: u8,
    },
    /// The slot took the credential and its wrapped key doesn't open.
    #[error("the wrapped key of slot {0} is damaged")]
    WrappedKey(usize),
    /// The header was altered since it was written.
    #[error("the header is damaged: its MAC is wrong")]
    HeaderMac,
    /// The payload was altered since it was written.
    #[error("the payload is damaged: its tag is wrong")]
    Payload,
    /// The payload opened, and is not what a writer writes.
    #[error("the payload is malformed at byte {offset}: {what}")]
    Body {
        /// Offset in the decrypted payload.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
}

impl Fault {
    /// A short name, as the test vectors use it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Foreign(_) => "foreign",
            Self::Truncated { .. } => "truncated",
            Self::Trailing(_) => "trailing",
            Self::Newer { .. } => "newer",
            Self::CriticalExtension(_) => "critical-extension",
            Self::Suite(_) => "suite",
            Self::Header { .. } => "header",
            Self::Kdf { .. } => "kdf",
            Self::WrappedKey(_) => "wrapped-key",
            Self::HeaderMac => "header-mac",
            Self::Payload => "payload",
            Self::Body { .. } => "body",
        }
    }
}

/// What is wrong with a recovery code as typed. Never holds a character of the code's own alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Typo {
    /// Characters are missing or too many.
    #[error("it has {0} letters and digits instead of 35")]
    Length(usize),
    /// A character that no recovery code has.
    #[error("character {position}, {character:?}, is in no recovery code")]
    Character {
        /// Counted in characters of the text as given, from 1.
        position: usize,
        /// The character.
        character: char,
    },
    /// A group's own check character disagrees.
    #[error("look at group {0}")]
    Group(usize),
    /// Each group agrees with itself, but not with the others.
    #[error("the groups don't belong together")]
    Whole,
}

const BACKUPS: &str =
    "`vmfa backup list` shows earlier generations, `vmfa backup restore` puts one in its place";

impl Fails for VaultError {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. }
            | Self::NoSuchBackup { .. }
            | Self::NoSuchAccount(_)
            | Self::InTrash(_)
            | Self::NoSuchAccessKey(_)
            | Self::NoSuchSlot(_) => Kind::NotFound,
            Self::NotAFile { .. }
            | Self::CostlyKdf { .. }
            | Self::KdfParams { .. }
            | Self::RecoveryTypo(_)
            | Self::EmptyPassphrase
            | Self::LongPassphrase(_)
            | Self::KeyFileShort(_)
            | Self::Exists { .. }
            | Self::BackupsThere { .. }
            | Self::NotUnderstood(_)
            | Self::OddAccessKey(_)
            | Self::TooLong { .. }
            | Self::Full(_)
            | Self::FullBytes { .. }
            | Self::HeaderFull { .. }
            | Self::LastSlot
            | Self::TooManySlots { .. }
            | Self::SlotStuck(_)
            | Self::WhichPassphrase(_)
            | Self::NotAPassphrase(_) => Kind::Usage,
            Self::TooLarge { .. }
            | Self::Damaged { .. }
            | Self::RolledBack { .. }
            | Self::ReadBack { .. }
            | Self::RecordDamaged(_)
            | Self::AccessKeyDamaged(_) => Kind::Damaged,
            Self::WrongPassphrase(_) | Self::NoSlotFor { .. } => Kind::WrongPassphrase,
            Self::ChangedKeys { .. } | Self::Busy { .. } | Self::Contended { .. } => Kind::Conflict,
            Self::OddLock { .. }
            | Self::Io { .. }
            | Self::SelfCheck(_)
            | Self::NoRandomness
            | Self::LastGeneration
            | Self::NoMemory { .. } => Kind::Internal,
            Self::Otp(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { backups: 1.., .. } => {
                "`vmfa backup restore GENERATION` brings back one of its backups, which `vmfa backup list` shows"
            }
            Self::NoSuchBackup { .. } => "`vmfa backup list` shows the vault's backups",
            Self::Missing { backups: 0, .. } => {
                "`vmfa init` makes one; `vmfa backup list` shows whether backups of an earlier one are there"
            }
            Self::Damaged { fault, .. } => match fault {
                Fault::Newer { .. } | Fault::CriticalExtension(_) | Fault::Suite(_) => {
                    "open it with the version of vmfa that wrote it, or a later one"
                }
                Fault::Foreign(_) => {
                    "give the path of a file that vmfa wrote; `vmfa import` takes in what other apps export"
                }
                Fault::Empty
                | Fault::Truncated { .. }
                | Fault::Trailing(_)
                | Fault::Header { .. }
                | Fault::Kdf { .. }
                | Fault::WrappedKey(_)
                | Fault::HeaderMac
                | Fault::Payload
                | Fault::Body { .. } => BACKUPS,
            },
            Self::RecordDamaged(_) | Self::AccessKeyDamaged(_) | Self::ReadBack { .. } => BACKUPS,
            Self::CostlyKdf { .. } => "if you made it so, allow the cost with --accept-high-kdf",
            Self::WrongPassphrase(_) => {
                "if you are sure of it, the slot itself may be damaged: try the recovery code, or a backup (`vmfa backup list`)"
            }
            Self::RecoveryTypo(_) => {
                "O counts as 0, I and L as 1; spaces, dashes and case don't matter"
            }
            Self::RolledBack { .. } => {
                "an old copy may have been put in its place; if you restored it yourself, say so with --accept-rollback"
            }
            Self::ChangedKeys { .. } => {
                "run the command again, with the new passphrase if it was changed"
            }
            Self::Busy { .. } | Self::Contended { .. } => {
                "run the command again when the other program has ended"
            }
            Self::OddLock { .. } => "look at what stands there and move it away",
            Self::Exists { .. } => {
                "open it with its passphrase, or choose another path with --vault"
            }
            Self::BackupsThere { .. } => {
                "`vmfa backup list` shows them, `vmfa backup restore GENERATION` brings one back; for a new vault choose another path with --vault or move them away"
            }
            Self::Io { source, .. } => return io_hint(source),
            Self::NoMemory { .. } => {
                "close other programs, or open it on a machine with more memory"
            }
            Self::InTrash(_) => "`vmfa restore` brings it back",
            Self::NotUnderstood(_) => "use the version of vmfa that wrote it, or a later one",
            Self::LastSlot => "add another slot first with `vmfa slot add`",
            Self::TooLong { .. } => "shorten it (as a rule it is the note), then try again",
            Self::Full(_) => {
                "an erased account counts for 400 days more: keep further ones in another vault, which --vault chooses"
            }
            Self::FullBytes { .. } => {
                "shorten long notes, or erase accounts: those in the trash count too"
            }
            Self::LastGeneration => "export the accounts, then import them into a new vault",
            Self::HeaderFull { .. } => "remove a slot first with `vmfa slot remove`",
            Self::TooManySlots { .. } => "remove one first with `vmfa slot remove`",
            Self::SlotStuck(_) => "remove that slot first, or use the version of vmfa that made it",
            Self::WhichPassphrase(_) => "open the vault with the passphrase that is to be changed",
            Self::NoSlotFor { .. }
            | Self::NotAFile { .. }
            | Self::TooLarge { .. }
            | Self::KdfParams { .. }
            | Self::EmptyPassphrase
            | Self::LongPassphrase(_)
            | Self::KeyFileShort(_)
            | Self::SelfCheck(_)
            | Self::NoRandomness
            | Self::NoSuchAccount(_)
            | Self::NoSuchAccessKey(_)
            | Self::OddAccessKey(_)
            | Self::NoSuchSlot(_)
            | Self::NotAPassphrase(_) => return None,
            Self::Otp(error) => return error.hint(),
        };
        Some(hint.into())
    }
}

/// Advice about what the system said. A failed save always leaves the old vault as it was.
fn io_hint(source: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as E;
    // `io::ErrorKind` is the standard library's and grows: the last arm is for what it doesn't tell apart.
    let hint = match source.kind() {
        E::StorageFull | E::QuotaExceeded | E::FileTooLarge => {
            "the old vault is untouched: make room on that disk, then try again"
        }
        E::ReadOnlyFilesystem => {
            "the file system is read-only: make it writable, or choose another path with --vault"
        }
        E::PermissionDenied => "`vmfa doctor` shows owner and mode of the vault and its directory",
        E::NotFound | E::NotADirectory => {
            "the directory is gone: make it again, or choose another path with --vault"
        }
        _ => return None,
    };
    Some(hint.into())
}

/// A path safe for a terminal.
pub(super) fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy()).into_owned()
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reaches_no_terminal_raw() {
        let error = VaultError::Missing {
            path: PathBuf::from("a\u{1b}[2Jb\u{202e}c"),
            backups: 0,
        };
        assert_eq!(error.to_string(), "there is no vault at a[2Jbc");
    }

    #[test]
    fn hints_name_what_there_is() {
        let costly = VaultError::CostlyKdf {
            m_kib: 1 << 20,
            t: 3,
        };
        assert!(costly.hint().unwrap().contains("--accept-high-kdf"));
        let foreign = VaultError::Damaged {
            path: "a".into(),
            fault: Fault::Foreign("it starts like JSON"),
        };
        assert_eq!(
            foreign.hint().unwrap(),
            "give the path of a file that vmfa wrote; `vmfa import` takes in what other apps export"
        );
    }
}
