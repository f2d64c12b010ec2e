//! A file as it was given, and the files that lie beside it.

use zeroize::Zeroizing;

/// A file to read accounts from.
pub struct Source<'a> {
    /// Its name, without the directory; decides nothing about its format.
    pub name: &'a str,
    /// All of it.
    pub bytes: &'a [u8],
    /// What lies in the same directory.
    pub beside: &'a dyn Beside,
}

/// The files of one directory, by name. Some exports are several files: a manifest and what it names, a database and its log.
pub trait Beside {
    /// A file's bytes, unless there is none, it can't be read, or it is larger than any export.
    fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>>;
}

/// Nothing lies beside: standard input, or a member of an archive that stands by itself.
pub struct Alone;

impl Beside for Alone {
    fn bytes(&self, _name: &str) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
}
