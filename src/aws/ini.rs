//! The files that AWS's tools share, `~/.aws/config` and `~/.aws/credentials`, as text: sections, keys and values.
//!
//! They are read as botocore 1.43 reads them, which is by Python's `configparser` and a level of nesting of its own. What it
//! refuses is refused here, with the line; what it makes of an odd file is made of it here. Whatever the files hold may be
//! secret: a value is wiped when it goes, nothing here prints, and an error quotes no line.

mod edit;
mod scan;
mod text;
mod words;

use std::collections::{HashMap, HashSet};

use thiserror::Error;
use zeroize::Zeroizing;

pub use edit::{Change, EditError, edit};
pub use words::{quoted, words};

use crate::failure::{Fails, Kind};
use crate::secret::SecretText;
use scan::What;

/// The largest file that is read. A company's with ten thousand profiles has about 3 MB.
pub const MAX_BYTES: usize = 8 << 20;

/// The section whose keys all others inherit. Not to be confused with `[default]`, which is a profile.
const DEFAULTS: &str = "DEFAULT";

/// Why a file can't be read: which line, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {wrong}")]
pub struct IniError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Wrong {
    /// The file is larger than [`MAX_BYTES`].
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// Bytes that aren't UTF-8.
    #[error("this is not UTF-8")]
    NotUtf8,
    /// An editor of Windows put a byte order mark before the text; AWS's tools stop at it.
    #[error("the file begins with a byte order mark, which AWS's tools can't read")]
    ByteOrderMark,
    /// A key stands before the first section.
    #[error("no [section] stands above this")]
    NoSection,
    /// Neither a section, nor a key with a value, nor a comment.
    #[error("neither [section] nor key = value")]
    NeitherKey,
    /// A value without a key.
    #[error("no key before the equals sign")]
    NoKey,
    /// The section was there before.
    #[error("the section is in the file already, at line {0}")]
    TwoSections(usize),
    /// The key was there before in its section.
    #[error("the key is in its section already, at line {0}")]
    TwoKeys(usize),
    /// A line of an indented block that isn't `key = value`.
    #[error("not key = value, in a block of such")]
    NotInBlock,
}

impl Wrong {
    fn at(self, line: usize) -> IniError {
        IniError { line, wrong: self }
    }
}

impl Fails for IniError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self.wrong {
            Wrong::ByteOrderMark => Some("save the file as UTF-8 without a byte order mark".into()),
            Wrong::TooLarge
            | Wrong::NotUtf8
            | Wrong::NoSection
            | Wrong::NeitherKey
            | Wrong::NoKey
            | Wrong::TwoSections(_)
            | Wrong::TwoKeys(_)
            | Wrong::NotInBlock => None,
        }
    }
}

/// A file, read.
pub struct Ini {
    sections: Vec<Section>,
    by_name: HashMap<String, usize>,
    defaults: Vec<Entry>,
}

/// A section of a file.
pub struct Section {
    name: String,
    line: usize,
    entries: Vec<Entry>,
}

/// A key and its value.
pub struct Entry {
    key: String,
    line: usize,
    value: Value,
}

/// The value of a key.
pub enum Value {
    /// On one line, or on several that are joined by line feeds.
    Text(SecretText),
    /// An indented block of keys and values, such as those of `s3 =`.
    Block(Vec<Entry>),
}

impl Ini {
    /// Reads a file.
    ///
    /// # Errors
    /// Whatever botocore refuses, and more than [`MAX_BYTES`].
    pub fn read(bytes: &[u8]) -> Result<Self, IniError> {
        let mut ini = Self {
            sections: Vec::new(),
            by_name: HashMap::new(),
            defaults: Vec::new(),
        };
        // The value that may still go on: its section, key and lines.
        let mut open: Option<Open<'_>> = None;
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut defaults_seen: HashMap<String, usize> = HashMap::new();
        let mut target = Target::Defaults;
        for (index, scanned) in scan::scan(bytes)?.into_iter().enumerate() {
            let line = index + 1;
            match scanned.what {
                What::Comment => {}
                What::Blank => {
                    if let Some(open) = &mut open {
                        open.lines.push((line, ""));
                    }
                }
                What::More { value } => {
                    if let Some(open) = &mut open {
                        open.lines.push((line, value));
                    }
                }
                What::Header { name } => {
                    ini.close(open.take(), target)?;
                    target = ini.begin(name, line)?;
                    seen.clear();
                }
                What::Entry { key, value, .. } => {
                    ini.close(open.take(), target)?;
                    let key = key.to_lowercase();
                    let before = match target {
                        Target::Defaults => defaults_seen.insert(key.clone(), line),
                        Target::Section(_) => seen.insert(key.clone(), line),
                    };
                    if let Some(before) = before {
                        return Err(Wrong::TwoKeys(before).at(line));
                    }
                    open = Some(Open {
                        key,
                        line,
                        lines: vec![(line, value)],
                    });
                }
            }
        }
        ini.close(open, target)?;
        Ok(ini)
    }

    /// The sections, in the order of the file. `[DEFAULT]` is none: its keys belong to all.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section by this name, as it stands between the brackets.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.by_name.get(name).map(|index| &self.sections[*index])
    }

    /// A section's value of a key (in lower case), or what `[DEFAULT]` says.
    pub fn get<'a>(&'a self, section: &'a Section, key: &str) -> Option<&'a Entry> {
        let own = section.entries.iter().find(|entry| entry.key == key);
        own.or_else(|| self.defaults.iter().find(|entry| entry.key == key))
    }

    /// All that a section says, its own first, then what it inherits from `[DEFAULT]`.
    pub fn entries<'a>(&'a self, section: &'a Section) -> impl Iterator<Item = &'a Entry> {
        let own: HashSet<&str> = section.entries.iter().map(Entry::key).collect();
        let inherited = self.defaults.iter();
        let inherited = inherited.filter(move |entry| !own.contains(entry.key()));
        section.entries.iter().chain(inherited)
    }

    fn begin(&mut self, name: &str, line: usize) -> Result<Target, IniError> {
        if name == DEFAULTS {
            return Ok(Target::Defaults);
        }
        let index = self.sections.len();
        if let Some(before) = self.by_name.insert(name.into(), index) {
            return Err(Wrong::TwoSections(self.sections[before].line).at(line));
        }
        self.sections.push(Section {
            name: name.into(),
            line,
            entries: Vec::new(),
        });
        Ok(Target::Section(index))
    }

    fn close(&mut self, open: Option<Open<'_>>, target: Target) -> Result<(), IniError> {
        let Some(open) = open else { return Ok(()) };
        let entry = open.entry()?;
        match target {
            Target::Defaults => self.defaults.push(entry),
            Target::Section(index) => self.sections[index].entries.push(entry),
        }
        Ok(())
    }
}

impl Section {
    /// Its name: what stands between the brackets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line of its header, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What it says itself, without what it inherits.
    pub fn own(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    /// The key: in lower case, and in a block as it is written.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The line of the key, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The value, where it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.expose()),
            Value::Block(_) => None,
        }
    }
}

/// Where keys go.
#[derive(Clone, Copy)]
enum Target {
    Defaults,
    Section(usize),
}

/// A key whose value may still go on.
struct Open<'a> {
    key: String,
    line: usize,
    lines: Vec<(usize, &'a str)>,
}

impl Open<'_> {
    /// The value as a whole: a block where nothing stands on the key's own line and something below.
    fn entry(mut self) -> Result<Entry, IniError> {
        while self.lines.last().is_some_and(|(_, line)| line.is_empty()) {
            self.lines.pop();
        }
        let value = match self.lines.first() {
            Some((_, "")) => Value::Block(block(&self.lines)?),
            Some(_) | None => Value::Text(joined(&self.lines)),
        };
        Ok(Entry {
            key: self.key,
            line: self.line,
            value,
        })
    }
}

fn joined(lines: &[(usize, &str)]) -> SecretText {
    let len = lines.iter().map(|(_, line)| line.len() + 1).sum();
    // Made at its full length: what a string leaves behind as it grows, nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(len));
    for (index, (_, line)) in lines.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(line);
    }
    SecretText::new(std::mem::take(&mut *text))
}

/// One level of `key = value`. The last of two equal keys counts, in the place of the first.
fn block(lines: &[(usize, &str)]) -> Result<Vec<Entry>, IniError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (number, line) in lines {
        for part in text::split_lines(line).map(text::strip) {
            if part.is_empty() {
                continue;
            }
            let (key, value) = part.split_once('=').ok_or(Wrong::NotInBlock.at(*number))?;
            let entry = Entry {
                key: text::strip(key).into(),
                line: *number,
                value: Value::Text(SecretText::new(text::strip(value).into())),
            };
            match places.get(&entry.key) {
                Some(place) => entries[*place] = entry,
                None => {
                    places.insert(entry.key.clone(), entries.len());
                    entries.push(entry);
                }
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
