//! Rust source to words and signs with their lines; comments go, strings stay as an empty `""`.

/// A word or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn is_word(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// Whether the tokens at `at` are these.
pub(super) fn run(tokens: &[Token], at: usize, texts: &[&str]) -> bool {
    tokens.len() >= at + texts.len()
        && texts
            .iter()
            .zip(&tokens[at..])
            .all(|(text, token)| token.is(text))
}

/// The words and signs of a source. `::` is one sign; a lifetime keeps its quote; `r#name` is `name`.
pub(super) fn read(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (kind, end) = next(&chars, at);
        let text = match kind {
            Kind::Nothing => None,
            Kind::Text => Some("\"\"".to_owned()),
            Kind::Raw => Some(chars[at + 2..end].iter().collect()),
            Kind::Plain => Some(chars[at..end].iter().collect()),
        };
        tokens.extend(text.map(|text| Token { line, text }));
        line += chars[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    tokens
}

enum Kind {
    Nothing,
    Text,
    Raw,
    Plain,
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What stands at `at`, and where it ends (always further on).
fn next(chars: &[char], at: usize) -> (Kind, usize) {
    let here = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let mut end = at;
    match (here(0), here(1)) {
        ('/', '/') => {
            while end < chars.len() && chars[end] != '\n' {
                end += 1;
            }
            (Kind::Nothing, end)
        }
        ('/', '*') => (Kind::Nothing, after_comment(chars, at)),
        ('"', _) => (Kind::Text, after_string(chars, at + 1)),
        ('\'', _) => quote(chars, at),
        (':', ':') => (Kind::Plain, at + 2),
        (c, _) if word(c) => {
            while end < chars.len() && word(chars[end]) {
                end += 1;
            }
            let prefix: String = chars[at..end].iter().collect();
            let hashes = chars[end..].iter().take_while(|c| **c == '#').count();
            let opens = chars.get(end + hashes) == Some(&'"');
            match prefix.as_str() {
                "r" | "br" | "cr" if opens => {
                    (Kind::Text, after_raw(chars, end + hashes + 1, hashes))
                }
                "b" | "c" if opens && hashes == 0 => (Kind::Text, after_string(chars, end + 1)),
                "b" if chars.get(end) == Some(&'\'') => (Kind::Text, quote(chars, end).1),
                "r" if hashes == 1 => {
                    let name = end + 1;
                    let len = chars[name..].iter().take_while(|c| word(**c)).count();
                    (Kind::Raw, (name + len).max(at + 2))
                }
                _ => (Kind::Plain, end),
            }
        }
        (c, _) if c.is_whitespace() => (Kind::Nothing, at + 1),
        _ => (Kind::Plain, at + 1),
    }
}

/// Comments nest.
fn after_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut at = start;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn after_raw(chars: &[char], start: usize, hashes: usize) -> usize {
    let mut at = start;
    while at < chars.len() {
        let closes = chars[at] == '"'
            && chars[at + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes;
        if closes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}

/// A character, or a lifetime: `'a'` closes two further on, `'\…'` is escaped, anything else has no closing quote.
fn quote(chars: &[char], start: usize) -> (Kind, usize) {
    match (chars.get(start + 1), chars.get(start + 2)) {
        (Some('\\'), _) => {
            let mut at = start + 3;
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            (Kind::Text, (at + 1).min(chars.len()))
        }
        (Some(_), Some('\'')) => (Kind::Text, start + 3),
        _ => {
            let len = chars[start + 1..].iter().take_while(|c| word(**c)).count();
            (Kind::Plain, start + 1 + len)
        }
    }
}
