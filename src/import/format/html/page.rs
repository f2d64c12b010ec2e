//! The pieces of a page in which accounts can stand. No page is refused for what it is made of.

use quick_xml::escape::resolve_predefined_entity;
use zeroize::Zeroizing;

/// A piece of a page, still escaped.
pub(super) enum Piece<'a> {
    /// What stands between tags.
    Text(&'a str),
    /// What stands in a tag, between quotes or after an equals sign.
    Value(&'a str),
}

/// The texts and the attributes' values of a page, in order. Whatever bytes there are, each is looked at once.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut in_tag = false;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            if !in_tag {
                let (before, after) = match tag(rest) {
                    Some(at) => rest.split_at(at),
                    None => (rest, ""),
                };
                in_tag = !after.is_empty();
                rest = after.strip_prefix('<').unwrap_or(after);
                if before.contains(':') || before.contains('&') {
                    return Some(Piece::Text(before));
                }
                continue;
            }
            let next = rest.find(['>', '"', '\'', '=']).unwrap_or(rest.len());
            let (_, after) = rest.split_at(next);
            let mut characters = after.chars();
            let character = characters.next();
            rest = characters.as_str();
            match character {
                Some('>') => in_tag = false,
                Some(quote @ ('"' | '\'')) => {
                    let (value, after) = rest.split_once(quote).unwrap_or((rest, ""));
                    rest = after;
                    return Some(Piece::Value(value));
                }
                Some('=') if !rest.trim_start().starts_with(['"', '\'']) => {
                    let end = rest
                        .find(|c: char| c == '>' || c.is_whitespace())
                        .unwrap_or(rest.len());
                    let (value, after) = rest.split_at(end);
                    rest = after;
                    return Some(Piece::Value(value));
                }
                Some(_) | None => {}
            }
        }
        None
    })
}

/// Where the next tag begins: a bare `<` in a text, which some apps don't escape, is none.
fn tag(text: &str) -> Option<usize> {
    let mut signs = text.match_indices('<').map(|(at, _)| at);
    signs.find(|at| {
        text[at + 1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
    })
}

/// The entities that writers of pages use, as the characters that they stand for; what is none stays as it is.
pub(super) fn unescape(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(MAX_ENTITY).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(&after[..end])?, &after[end + 1..]))) {
            Some((character, after)) => {
                out.push(character);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Longer than any that is resolved.
const MAX_ENTITY: usize = 10;

fn entity(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else {
        let text = match name {
            "nbsp" => " ",
            name => resolve_predefined_entity(name)?,
        };
        return text.chars().next();
    };
    let number = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    char::from_u32(number.ok()?)
}
