//! Words that begin words in an account's label, tags or serial number.

use std::borrow::Borrow;

use unicode_normalization::char::is_combining_mark;

use crate::account::Summary;
use crate::account::query::candidates::Candidates;
use crate::account::query::{Found, Query, fold, near, short_name};

/// Whether a note is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    Included,
    Left,
}

/// Every word must be or begin a word of the account. Of several accounts, those whose account name or issuer is the query
/// come first, then the best by the matcher's score.
pub(super) fn choose<S: Borrow<Summary>>(
    query: &Query<'_>,
    among: &[S],
    candidates: &Candidates,
) -> Option<Found> {
    let met: Vec<usize> = candidates
        .indices(among.len())
        .filter(|index| stand_in(query, among[*index].borrow(), Note::Left))
        .collect();
    match met.as_slice() {
        [] => None,
        [one] => Some(Found::One(*one)),
        _ => {
            let mut scored: Vec<_> = near::scores(&query.words(), among, met.iter().copied())
                .into_iter()
                .zip(met)
                .collect();
            scored.sort_by_cached_key(|(score, index)| {
                let whole = query.is_name_or_issuer_of(among[*index].borrow());
                (!whole, std::cmp::Reverse(*score), *index)
            });
            Some(Found::Several(
                scored.into_iter().map(|(_, index)| index).collect(),
            ))
        }
    }
}

/// Whether each word of the query begins a word of the account, or the query is its account name, its issuer or the
/// beginning of its id.
pub(super) fn stand_in(query: &Query<'_>, summary: &Summary, note: Note) -> bool {
    let words = query.words();
    let all_begin = || {
        let mut haystack = haystack(summary);
        match note {
            Note::Included => haystack.push_str(&fold(&summary.note)),
            Note::Left => {}
        }
        words.iter().all(|word| begins_a_word(word, &haystack))
    };
    query.begins_id_of(summary)
        || query.is_name_or_issuer_of(summary)
        || (!words.is_empty() && all_begin())
}

/// What a query is looked for in, folded. The note isn't part of it: it may name other accounts.
pub(super) fn haystack(summary: &Summary) -> String {
    let mut text = String::with_capacity(64);
    push_haystack(summary, &mut text);
    text
}

/// Appends what a query is looked for in. It ends in a space: what is appended behind it is another text.
pub(super) fn push_haystack(summary: &Summary, text: &mut String) {
    let begin = text.len();
    for part in parts(summary) {
        text.push_str(part);
        text.push(' ');
    }
    if let Some(short) = short_name(summary) {
        text.push_str(short);
        text.push(' ');
    }
    if text[begin..].is_ascii() {
        text[begin..].make_ascii_lowercase();
    } else {
        let folded = fold(&text[begin..]);
        text.truncate(begin);
        text.push_str(&folded);
    }
}

/// The texts by which an account is found, the short name left away.
pub(super) fn parts(summary: &Summary) -> impl Iterator<Item = &str> {
    let parts = [
        Some(&summary.issuer),
        Some(&summary.name),
        summary.label_issuer.as_ref(),
        summary.serial_number.as_ref(),
    ];
    let parts = parts.into_iter().flatten().chain(&summary.tags);
    parts.map(String::as_str)
}

/// Whether a word is, or begins, a word of the text. Digits must be a whole number: what begins a number is another number.
pub(super) fn begins_a_word(word: &str, text: &str) -> bool {
    let is_number =
        word.contains(|c: char| c.is_numeric()) && !word.contains(|c: char| c.is_alphabetic());
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        parts_words(before, word) && !(is_number && after.is_some_and(char::is_numeric))
    })
}

/// Whether a word ends between a character and the text behind it.
fn parts_words(before: Option<char>, word: &str) -> bool {
    match word.chars().next() {
        None => before.is_none_or(char::is_whitespace),
        Some(first) if begins_here(before, first) => true,
        Some(first) if in_word(first) => false,
        // A sign before a word, such as `@example`; but signs alone are everywhere.
        Some(_) => word.contains(char::is_alphanumeric),
    }
}

/// Whether a word begins with a character, behind another or at the text's beginning.
fn begins_here(before: Option<char>, first: char) -> bool {
    let Some(before) = before.filter(|before| !before.is_whitespace()) else {
        return true;
    };
    // An ideograph is a word of its own: there are no spaces between them.
    is_han(first)
        || (is_han(before) && first.is_alphanumeric())
        || (in_word(first) && !in_word(before))
}

/// Where words begin in a text: each place at which [`key`] of a word stands if the word is, or begins, a word of the text.
pub(super) fn beginnings(text: &str) -> impl Iterator<Item = usize> {
    let mut before = None;
    text.char_indices().filter_map(move |(at, character)| {
        let begins = !character.is_whitespace() && begins_here(before, character);
        before = Some(character);
        begins.then_some(at)
    })
}

/// A word without the signs before it: what stands at a word's beginning wherever the word does. A word of signs alone has
/// none.
pub(super) fn key(word: &str) -> Option<&str> {
    word.find(in_word).map(|at| &word[at..])
}

/// Letters, digits, and what joins them: accents that stand as characters of their own, and the joiners.
fn in_word(character: char) -> bool {
    character.is_alphanumeric()
        || is_combining_mark(character)
        || matches!(character, '\u{200c}' | '\u{200d}')
}

fn is_han(character: char) -> bool {
    matches!(u32::from(character), 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}
