//! Why a file gives no accounts at all. A single account that can't be used is a [`Refusal`](crate::account::Refusal) among
//! the others instead.

use crate::account::text::clean;
use crate::cipher::CipherError;
use crate::failure::{Fails, Kind};
use crate::qr::ScanError;

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// More bytes than are read.
    #[error("the file has {len} bytes; an export may have {max}")]
    TooLarge {
        /// How many it has.
        len: u64,
        /// How many it may have.
        max: u64,
    },
    /// No format knows it.
    #[error("this is no export that vmfa knows")]
    Unknown,
    /// It looks like random bytes, and whatever it may be didn't open.
    #[error(
        "this is no export that vmfa knows, or it is sealed with another passphrase (nothing in it says by which app)"
    )]
    UnknownOrSealed,
    /// It looks like random bytes, and no passphrase was given to try.
    #[error(
        "nothing in it says what it is: no export, or one that is sealed without a mark (andOTP, OTPClient 1, Authenticator Plus, TOTP Authenticator)"
    )]
    Unmarked,
    /// It was said to be of a format, and isn't.
    #[error("this is not {expected}")]
    NotThis {
        /// What it was said to be.
        expected: &'static str,
    },
    /// It is sealed.
    #[error("it is encrypted: its own passphrase is needed")]
    NeedsPassphrase,
    /// What was given doesn't open it.
    #[error("the passphrase doesn't open it")]
    WrongPassphrase,
    /// Sealed with a key that stays with an account, a device or a chip.
    #[error("it can be opened only by {by}")]
    BoundTo {
        /// What has the key.
        by: &'static str,
        /// What the person can do instead.
        instead: &'static str,
    },
    /// It isn't what its format says.
    #[error("it is damaged or cut off: {}", clean(.what))]
    Damaged {
        /// Where and what; holds no secret.
        what: String,
    },
    /// It begins as XML and breaks off, and nothing in it says that it is an export.
    #[error("it begins as XML and is none that can be read: {}", clean(.what))]
    BrokenXml {
        /// Where and what.
        what: String,
    },
    /// Of a version, or with a cipher, that nothing is known of.
    #[error("{} is not known here", clean(.what))]
    Version {
        /// Which version or cipher of what.
        what: String,
    },
    /// Of a version that is known, and not read.
    #[error("{what} is not read")]
    NotRead {
        /// Which version of what.
        what: &'static str,
        /// What the person can do instead.
        instead: &'static str,
    },
    /// Its key derivation is outside what is done.
    #[error(transparent)]
    Cost(#[from] CipherError),
    /// The archive has no file in it.
    #[error("the archive has no file in it")]
    NoFileInZip,
    /// An archive, or what is in it, is larger than is read into memory.
    #[error("the archive holds more than {} MiB", .max >> 20)]
    ArchiveTooLarge {
        /// In bytes.
        max: u64,
    },
    /// It needs another file that should lie beside it.
    #[error("it needs the file {} beside it", clean(.0))]
    NeedsFile(String),
    /// An OpenPGP message.
    #[error("it is encrypted with OpenPGP")]
    Pgp,
    /// A page of a web site, or another document without accounts.
    #[error("this is a web page without accounts in it")]
    WebPage,
    /// A picture that can't be read.
    #[error(transparent)]
    Picture(#[from] ScanError),
    /// A picture, and no QR code in it.
    #[error("no QR code was found in the picture")]
    NoCode,
    /// This build leaves the format out.
    #[error("this build of vmfa doesn't read {0}")]
    NotBuilt(&'static str),
}

impl ImportError {
    /// Damage, told in a few words.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// A stable word for the kind of failure, for programs.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::TooLarge { .. }
            | Self::Damaged { .. }
            | Self::BrokenXml { .. }
            | Self::WebPage
            | Self::ArchiveTooLarge { .. } => "bad_file",
            Self::Unknown | Self::Unmarked => "bad_file",
            Self::NotThis { .. } => "not_this_format",
            Self::NeedsPassphrase => "need_password",
            // Whoever gave a passphrase to such a file most likely mistyped it.
            Self::WrongPassphrase | Self::UnknownOrSealed => "wrong_password",
            Self::BoundTo { .. } => "account_restricted",
            Self::Version { .. } | Self::NotRead { .. } => "bad_version",
            Self::Cost(_) => "kdf_params_out_of_range",
            Self::NoFileInZip => "no_file_in_zip",
            Self::NeedsFile(_) => "needs_file",
            Self::Pgp => "need_password",
            Self::Picture(_) => "bad_picture",
            Self::NoCode => "no_code",
            Self::NotBuilt(_) => "not_built",
        }
    }
}

impl Fails for ImportError {
    fn kind(&self) -> Kind {
        match self {
            Self::NeedsPassphrase => Kind::Locked,
            Self::WrongPassphrase | Self::UnknownOrSealed => Kind::WrongPassphrase,
            Self::Damaged { .. } | Self::BrokenXml { .. } => Kind::Damaged,
            Self::Cost(error) => error.kind(),
            Self::Picture(error) => error.kind(),
            Self::NoCode | Self::NeedsFile(_) => Kind::NotFound,
            Self::Empty
            | Self::TooLarge { .. }
            | Self::Unknown
            | Self::Unmarked
            | Self::NotThis { .. }
            | Self::BoundTo { .. }
            | Self::Version { .. }
            | Self::NotRead { .. }
            | Self::NoFileInZip
            | Self::ArchiveTooLarge { .. }
            | Self::Pgp
            | Self::WebPage
            | Self::NotBuilt(_) => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::BoundTo { instead, .. } | Self::NotRead { instead, .. } => instead,
            Self::Unknown | Self::NotThis { .. } => {
                "`vmfa import --help` lists what is read; --from FORMAT says which it is"
            }
            Self::Unmarked => {
                "if it is one of these, name its passphrase with --file-passphrase-file; --from FORMAT says which it is"
            }
            Self::UnknownOrSealed => "--from FORMAT says which app wrote it",
            Self::NeedsPassphrase => {
                "name it with --file-passphrase-file, or run this in a terminal"
            }
            Self::Damaged { .. } | Self::BrokenXml { .. } => {
                "make the export again, or copy it again, whole"
            }
            Self::NoFileInZip => "make the export again; some apps have written empty archives",
            Self::Pgp => "decrypt it with `gpg -d` and pipe it in: gpg -d FILE | vmfa import -",
            Self::Version { .. } => "a newer vmfa may know it",
            Self::Picture(error) => return error.hint(),
            Self::NoCode => "cut out the part with the QR code, or take the picture again",
            Self::TooLarge { .. } | Self::ArchiveTooLarge { .. } => {
                "export without attachments and pictures"
            }
            Self::Empty
            | Self::WrongPassphrase
            | Self::Cost(_)
            | Self::NeedsFile(_)
            | Self::WebPage
            | Self::NotBuilt(_) => return None,
        };
        Some(hint.into())
    }
}
