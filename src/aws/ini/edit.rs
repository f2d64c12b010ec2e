//! Changing a file and nothing else in it: comments, order, blank lines and line ends stay byte for byte.

use thiserror::Error;
use zeroize::Zeroizing;

use super::scan::{Scanned, What, scan};
use super::{DEFAULTS, Ini, IniError, Value};
use crate::failure::{Fails, Kind};

/// A change to one key of one section.
#[derive(Clone, Copy)]
pub enum Change<'a> {
    /// The key gets this value. A section that isn't there is added at the end.
    Set {
        /// The section, as it stands between the brackets.
        section: &'a str,
        /// The key, in lower case.
        key: &'a str,
        /// The value, on one line.
        value: &'a str,
    },
    /// The key goes, with all lines of its value. The section stays, if it is empty then.
    Remove {
        /// The section, as it stands between the brackets.
        section: &'a str,
        /// The key, in lower case.
        key: &'a str,
    },
}

/// Why a file isn't changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EditError {
    /// The file as it is can't be read.
    #[error(transparent)]
    Unreadable(#[from] IniError),
    /// A section, key or value that would not be read back as it is: a line end in it, say.
    #[error("a section, key or value can't be written as it is")]
    Unwritable,
}

impl Fails for EditError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable(error) => error.hint(),
            Self::Unwritable => None,
        }
    }
}

/// The file with the changes made, one after the other.
///
/// What comes out is read again, and must say what was set and otherwise what it said before.
///
/// # Errors
/// The file can't be read; a section, key or value that a line can't hold.
pub fn edit(bytes: &[u8], changes: &[Change<'_>]) -> Result<Zeroizing<Vec<u8>>, EditError> {
    let mut text = Zeroizing::new(bytes.to_vec());
    let mut before = Ini::read(&text)?;
    for change in changes {
        let after_text = match *change {
            Change::Set {
                section,
                key,
                value,
            } => set(&scan(&text)?, section, key, value)?,
            Change::Remove { section, key } => remove(&scan(&text)?, section, key),
        };
        let after = Ini::read(&after_text).map_err(|_| EditError::Unwritable)?;
        if !is_done(&before, &after, change) {
            return Err(EditError::Unwritable);
        }
        (text, before) = (after_text, after);
    }
    Ok(text)
}

/// Where a section's parts stand, in lines.
struct Found {
    /// The last line that says something of the section, before what may follow: blank lines and comments.
    last: usize,
    /// The last header or key, by whose indentation the next line is judged.
    last_head: usize,
    /// The key's line, and those of its value below.
    key: Option<(usize, Vec<usize>)>,
}

fn find(lines: &[Scanned<'_>], section: &str, key: &str) -> Option<Found> {
    let mut found: Option<Found> = None;
    let (mut inside, mut in_key) = (false, false);
    for (index, scanned) in lines.iter().enumerate() {
        match scanned.what {
            What::Header { name } => {
                // Only `[DEFAULT]` can be there twice; a key of it that isn't found is added to the last.
                inside = name == section;
                in_key = false;
                if inside {
                    let key = found.take().and_then(|found| found.key);
                    found = Some(Found {
                        last: index,
                        last_head: index,
                        key,
                    });
                }
            }
            What::Entry { key: own, .. } if inside => {
                in_key = own.to_lowercase() == key;
                if let Some(found) = &mut found {
                    (found.last, found.last_head) = (index, index);
                    if in_key {
                        found.key = Some((index, Vec::new()));
                    }
                }
            }
            What::More { .. } if inside => {
                if let Some(found) = &mut found {
                    found.last = index;
                    if let Some((_, more)) = found.key.as_mut().filter(|_| in_key) {
                        more.push(index);
                    }
                }
            }
            What::Entry { .. } | What::More { .. } | What::Blank | What::Comment => {}
        }
    }
    found
}

fn set(
    lines: &[Scanned<'_>],
    section: &str,
    key: &str,
    value: &str,
) -> Result<Zeroizing<Vec<u8>>, EditError> {
    let mut out = Out::new(lines, section.len() + key.len() + value.len() + 16);
    let Some(found) = find(lines, section, key) else {
        out.lines(lines);
        if !lines.is_empty() {
            out.end_line();
            if !matches!(lines.last().map(|last| &last.what), Some(What::Blank)) {
                out.put(&[out.end]);
            }
        }
        out.put(&["[", section, "]", out.end, key, " = ", value, out.end]);
        return Ok(out.text);
    };
    if let Some((at, more)) = found.key {
        if more.is_empty()
            && matches!(lines[at].what, What::Entry { value: old, .. } if old == value)
        {
            out.lines(lines);
            return Ok(out.text);
        }
        out.lines(&lines[..at]);
        let line = lines[at].line;
        if let What::Entry {
            value: old,
            value_at,
            ..
        } = lines[at].what
        {
            let behind = &line.body[value_at..];
            let begin = match old {
                "" => value_at,
                old => value_at + (behind.find(old).unwrap_or(0)),
            };
            let gap = if old.is_empty() && !value.is_empty() {
                " "
            } else {
                ""
            };
            out.put(&[&line.body[..begin], gap, value, line.end]);
        }
        for (index, scanned) in lines.iter().enumerate().skip(at + 1) {
            if !more.contains(&index) {
                out.lines(std::slice::from_ref(scanned));
            }
        }
        return Ok(out.text);
    }
    // A line that is indented deeper would be taken for more of this value: as deep as the last key, and where there is none,
    // as deep as what follows.
    let head = &lines[found.last_head];
    let next = lines[found.last + 1..]
        .iter()
        .find(|line| matches!(line.what, What::Header { .. }));
    let indent = match head.what {
        What::Header { .. } => next
            .filter(|next| next.line.indent().0 > head.line.indent().0)
            .unwrap_or(head),
        What::Entry { .. } | What::More { .. } | What::Blank | What::Comment => head,
    };
    let indent = &indent.line.body[..indent.line.indent().1];
    out.lines(&lines[..=found.last]);
    out.end_line();
    out.put(&[indent, key, " = ", value]);
    match lines[found.last].line.end {
        "" => out.put(&[out.end]),
        end => out.put(&[end]),
    }
    out.lines(&lines[found.last + 1..]);
    Ok(out.text)
}

fn remove(lines: &[Scanned<'_>], section: &str, key: &str) -> Zeroizing<Vec<u8>> {
    let mut out = Out::new(lines, 0);
    let gone = find(lines, section, key).and_then(|found| found.key);
    for (index, scanned) in lines.iter().enumerate() {
        let goes = gone
            .as_ref()
            .is_some_and(|(at, more)| *at == index || more.contains(&index));
        if !goes {
            out.lines(std::slice::from_ref(scanned));
        }
    }
    out.text
}

/// The new text, made at a length that it won't outgrow: what a vector leaves behind as it grows, nobody wipes.
struct Out<'a> {
    text: Zeroizing<Vec<u8>>,
    end: &'a str,
}

impl<'a> Out<'a> {
    fn new(lines: &[Scanned<'a>], more: usize) -> Self {
        let len: usize = lines
            .iter()
            .map(|scanned| scanned.line.body.len() + scanned.line.end.len())
            .sum();
        let indent = lines.iter().map(|line| line.line.indent().1).max();
        let first = lines.first().map(|first| first.line.end);
        Self {
            text: Zeroizing::new(Vec::with_capacity(len + more + indent.unwrap_or(0))),
            end: first.filter(|end| !end.is_empty()).unwrap_or("\n"),
        }
    }

    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.extend_from_slice(part.as_bytes());
        }
    }

    fn lines(&mut self, lines: &[Scanned<'_>]) {
        for scanned in lines {
            self.put(&[scanned.line.body, scanned.line.end]);
        }
    }

    /// Ends the last line, if the file left it open.
    fn end_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(b"\n") && !self.text.ends_with(b"\r") {
            self.put(&[self.end]);
        }
    }
}

/// Whether the change was made, and no other.
fn is_done(before: &Ini, after: &Ini, change: &Change<'_>) -> bool {
    let (section, key, value) = match *change {
        Change::Set {
            section,
            key,
            value,
        } => (section, key, Some(value)),
        Change::Remove { section, key } => (section, key, None),
    };
    let own = |ini: &Ini, name: &str| -> Option<Vec<(String, Plain)>> {
        let entries = match name {
            DEFAULTS => &ini.defaults,
            name => &ini.section(name)?.entries,
        };
        Some(plain(entries))
    };
    let mut names: Vec<&str> = vec![DEFAULTS];
    names.extend(after.sections.iter().map(|section| section.name()));
    let added = before.section(section).is_none() && section != DEFAULTS;
    let mut old_names: Vec<&str> = vec![DEFAULTS];
    old_names.extend(before.sections.iter().map(|section| section.name()));
    if added && value.is_some() {
        old_names.push(section);
    }
    names == old_names
        && names.iter().all(|name| {
            let mut expected = own(before, name).unwrap_or_default();
            if *name == section {
                match (value, expected.iter_mut().find(|(own, _)| own == key)) {
                    (Some(value), Some((_, old))) => *old = Plain::text(value),
                    (Some(value), None) => expected.push((key.into(), Plain::text(value))),
                    (None, _) => expected.retain(|(own, _)| own != key),
                }
            }
            own(after, name) == Some(expected)
        })
}

/// A value that can be compared; wiped like the one that it was made of.
#[derive(PartialEq)]
enum Plain {
    Text(Zeroizing<String>),
    Block(Vec<(String, Plain)>),
}

impl Plain {
    fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }
}

fn plain(entries: &[super::Entry]) -> Vec<(String, Plain)> {
    let value = |value: &Value| match value {
        Value::Text(text) => Plain::text(text.expose()),
        Value::Block(entries) => Plain::Block(plain(entries)),
    };
    let entries = entries.iter();
    entries
        .map(|entry| (entry.key.clone(), value(&entry.value)))
        .collect()
}
