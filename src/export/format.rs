//! The table of targets: one file a target, one row each.

mod aegis;
mod bitwarden;
mod ente;
mod freeotpplus;
mod google;
mod keepass;
mod pass;
mod proton;
mod sheet;
mod stratum;
mod twofas;
mod uris;

use crate::account::Account;
use crate::clock::UnixTime;
use crate::export::can::Can;
use crate::export::loss::{Lost, Obstacle};
use crate::export::{ExportError, Form, Output};

/// Something that accounts can be written for.
pub struct Target {
    /// The word after `--to`.
    pub id: &'static str,
    /// The app, as people call it.
    pub app: &'static str,
    /// Other words that mean it.
    pub also: &'static [&'static str],
    /// What is written.
    pub writes: &'static str,
    /// Whether it is sealed.
    pub sealing: Sealing,
    /// What comes out.
    pub shape: Shape,
    /// What it can hold.
    pub can: Can,
    /// The importer that reads it back, by its id; none where nobody does.
    pub read_by: Option<&'static str>,
    /// Words that are in the file, and that vmfa's own importer doesn't take from there.
    pub unread: &'static [Lost],
    /// How to get it into the app, a step a line.
    pub how: &'static str,
    /// What else may keep an account out.
    pub(crate) fits: Option<fn(&Account) -> Option<Obstacle>>,
    /// Makes it, of accounts as they are held there.
    pub(crate) write: fn(&[Account], Form<'_>, UnixTime) -> Result<Output, ExportError>,
}

/// Whether a target is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// It can't be.
    Never,
    /// As is asked for.
    Either,
    /// It always is.
    Always,
}

/// What comes out of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A file of text.
    Text,
    /// A file that a terminal couldn't show.
    Binary,
    /// A directory.
    Tree,
    /// QR codes, shown or written as pictures.
    Codes,
}

/// Every target.
pub static TARGETS: &[&Target] = &[
    &aegis::TARGET,
    &twofas::TARGET,
    &bitwarden::JSON,
    &bitwarden::CSV,
    &google::TARGET,
    &uris::TARGET,
    &keepass::TARGET,
    &ente::TARGET,
    &stratum::TARGET,
    &proton::TARGET,
    &freeotpplus::TARGET,
    &pass::TARGET,
    &sheet::TARGET,
];

/// The target that a word means: its id or another name of it, in any case.
pub fn by_id(word: &str) -> Option<&'static Target> {
    let is = |name: &&str| name.eq_ignore_ascii_case(word);
    TARGETS
        .iter()
        .copied()
        .find(|target| is(&target.id) || target.also.iter().any(is))
}
