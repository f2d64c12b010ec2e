//! What each line of a file is: the rules of Python's `configparser`, by which botocore reads.

use super::text::{Line, lines, strip};
use super::{IniError, MAX_BYTES, Wrong};

/// What a line is.
pub(super) enum What<'a> {
    /// Blank: belongs to a value of several lines when one goes on behind it.
    Blank,
    /// `#` or `;` as the first character that isn't blank. There are no comments behind a value.
    Comment,
    /// `[name]`.
    Header { name: &'a str },
    /// `key = value` or `key: value`; `value_at` is where in the line the value begins.
    Entry {
        key: &'a str,
        value: &'a str,
        value_at: usize,
    },
    /// One more line of the value above: it is indented deeper than the key.
    More { value: &'a str },
}

/// A line, and what it is.
pub(super) struct Scanned<'a> {
    pub(super) line: Line<'a>,
    pub(super) what: What<'a>,
}

/// Cuts a file into its lines and says what each is.
pub(super) fn scan(bytes: &[u8]) -> Result<Vec<Scanned<'_>>, IniError> {
    if bytes.len() > MAX_BYTES {
        return Err(Wrong::TooLarge.at(1));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes[..error.valid_up_to()].iter();
        let line = 1 + good.filter(|byte| **byte == b'\n').count();
        Wrong::NotUtf8.at(line)
    })?;
    if text.starts_with('\u{feff}') {
        return Err(Wrong::ByteOrderMark.at(1));
    }
    let mut scanned = Vec::new();
    // How far the last header or key was indented, and whether a value can go on.
    let (mut indent, mut is_open, mut in_section) = (0, false, false);
    for (index, line) in lines(text).into_iter().enumerate() {
        let wrong = |wrong: Wrong| wrong.at(index + 1);
        let value = strip(line.body);
        let own = line.indent();
        let what = if value.is_empty() {
            What::Blank
        } else if value.starts_with(['#', ';']) {
            What::Comment
        } else if is_open && own.0 > indent {
            What::More { value }
        } else {
            indent = own.0;
            if let Some(name) = header(value) {
                (is_open, in_section) = (false, true);
                What::Header { name }
            } else if !in_section {
                return Err(wrong(Wrong::NoSection));
            } else {
                let at = value.find(['=', ':']).ok_or(wrong(Wrong::NeitherKey))?;
                let key = strip(&value[..at]);
                if key.is_empty() {
                    return Err(wrong(Wrong::NoKey));
                }
                is_open = true;
                What::Entry {
                    key,
                    value: strip(&value[at + 1..]),
                    value_at: own.1 + at + 1,
                }
            }
        };
        scanned.push(Scanned { line, what });
    }
    Ok(scanned)
}

/// `\[(.+)\]` at the beginning: up to the last bracket, whatever stands behind it.
fn header(value: &str) -> Option<&str> {
    let name = value.strip_prefix('[')?;
    let end = name.rfind(']')?;
    (end > 0).then(|| &name[..end])
}
