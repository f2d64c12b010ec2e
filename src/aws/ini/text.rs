//! Lines and words as Python cuts them: the files belong to programs written in it.

/// What `str.strip`, `str.isspace` and `\s` count as blank: Unicode's white space, and four separators of ASCII.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Without blanks at both ends.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// A line of a file: what stands in it, and what ends it. The last line may have no end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) body: &'a str,
    pub(super) end: &'a str,
}

impl Line<'_> {
    /// How far it is indented, in characters, and in bytes.
    pub(super) fn indent(&self) -> (usize, usize) {
        let rest = self.body.trim_start_matches(is_blank);
        let bytes = self.body.len() - rest.len();
        (self.body[..bytes].chars().count(), bytes)
    }
}

/// The lines of a file: a line feed, a carriage return, or both end one ("universal newlines").
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let body = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let end = match &rest.as_bytes()[body..] {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        lines.push(Line {
            body: &rest[..body],
            end: &rest[body..body + end],
        });
        rest = &rest[body + end..];
    }
    lines
}

/// `str.splitlines`, which knows more ends of a line than a file does.
pub(super) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    })
}
