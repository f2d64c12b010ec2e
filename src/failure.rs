//! What a caller can do about an error, whichever room it comes from.
//!
//! Each room has its own error enum, which says *what* happened and *where*. [`Kind`] says what can be done; the terminal
//! maps it to an exit code and prints the hint on a line of its own.

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A fault of the system or of ours: a full disk, a failed read, a broken invariant.
    Internal,
    /// What was given can't be used: an option, a file, a secret, a picture.
    Usage,
    /// Nothing by that name, or no such file.
    NotFound,
    /// More than one thing by that name.
    Ambiguous,
    /// The vault is locked and there is no way to ask for the passphrase.
    Locked,
    /// The passphrase, key file or recovery code doesn't open the vault.
    WrongPassphrase,
    /// The data is not what was once written: cut off, altered, foreign or from the future.
    Damaged,
    /// Some came in and some were refused.
    Partly,
    /// The remote end said no.
    Refused,
    /// The remote end can't be reached.
    Offline,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The person stopped it.
    Interrupted,
}

/// An error that says what a caller can do about it.
pub trait Fails: std::error::Error {
    /// What a caller can do.
    fn kind(&self) -> Kind;

    /// Advice to the person, if there is any: one sentence without a final full stop, apart from the error itself.
    fn hint(&self) -> Option<String> {
        None
    }
}
