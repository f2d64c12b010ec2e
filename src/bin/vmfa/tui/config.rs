//! The configuration of the interface: what it can say, and what it says unless somebody writes otherwise.

mod load;
mod near;
mod reader;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::time::Duration;

use crate::fault::Fault;
use crate::place::Place;
use crate::tui::keys::Keymap;
use crate::tui::theme::{Kind, Paint, Theme};

/// How the interface looks and behaves. Nothing in it weakens what the vault holds: without a file all is as by `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) look: Look,
    /// Parts that are to look otherwise than in the theme, by their names.
    pub(crate) colors: Vec<(&'static str, Paint)>,
    pub(crate) keymap: Keymap,
    /// After so long without a key the interface locks; none: never.
    pub(crate) lock_after: Option<Duration>,
    /// After so long a copied code leaves the clipboard; none: never.
    pub(crate) clear_clipboard_after: Option<Duration>,
    /// Whether codes are hidden until they are chosen.
    pub(crate) privacy: bool,
    pub(crate) sort: Sort,
    pub(crate) mouse: bool,
    pub(crate) start: Start,
    /// Whether `vmfa` alone opens the plain mode.
    pub(crate) plain: bool,
    /// From how many seconds before a code's end the next one is shown too; 0: never.
    pub(crate) next_code_from: u32,
}

/// Which look is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The one that suits the terminal.
    Auto,
    /// This one.
    Fixed(Kind),
}

/// The order of the list, favourites first in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// By label.
    Name,
    /// The most used first.
    Use,
    /// The last used first.
    Recent,
}

/// What the interface begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    List,
    Search,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            look: Look::Auto,
            colors: Vec::new(),
            keymap: Keymap::default(),
            lock_after: Some(Duration::from_secs(10 * 60)),
            clear_clipboard_after: Some(Duration::from_secs(30)),
            privacy: false,
            sort: Sort::Name,
            mouse: true,
            start: Start::List,
            plain: false,
            next_code_from: 10,
        }
    }
}

impl Config {
    /// The theme that is wanted, on the terminal that there is.
    pub(crate) fn theme(&self, place: &Place) -> Theme {
        let kind = match self.look {
            Look::Auto => Kind::suited(place.colours_allowed, place.truecolor),
            Look::Fixed(kind) => kind,
        };
        Theme::new(kind, &self.colors)
    }
}

// The words for what is one of a few, for reading and for writing.

const LOOKS: &[(&str, Look)] = &[
    ("auto", Look::Auto),
    ("16", Look::Fixed(Kind::Sixteen)),
    ("truecolor", Look::Fixed(Kind::Truecolor)),
    ("mono", Look::Fixed(Kind::Mono)),
];

const SORTS: &[(&str, Sort)] = &[
    ("name", Sort::Name),
    ("use", Sort::Use),
    ("recent", Sort::Recent),
];

const STARTS: &[(&str, Start)] = &[("list", Start::List), ("search", Start::Search)];

/// The word for no time at all.
const NEVER: &str = "never";

/// The most seconds before its time at which a code may be shown.
const MOST_AHEAD: u32 = 60;

/// Everything that can be set, tables last.
const SETTINGS: [&str; 11] = [
    "theme",
    "lock-after",
    "clear-clipboard-after",
    "privacy",
    "sort",
    "mouse",
    "start",
    "plain",
    "next-code-from",
    "colors",
    "keys",
];

/// What is wrong in a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// What was found.
    pub(crate) message: String,
    /// What is allowed, the nearest first.
    pub(crate) hint: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "line {line}, column {column}: {message}")
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        let fault = Self::usage(error.to_string());
        match error.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}
