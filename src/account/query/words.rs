//! Words that stand in an account's label, tags or serial number.

use crate::account::Summary;
use crate::account::query::{Found, fold, near};

/// A word of fewer bytes must begin a word to select. Bytes, so that one or two Latin letters are too few and one ideograph,
/// which is a word of its own, is enough.
const SHORT: usize = 3;

/// How a word of the query stands in an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    /// At the beginning of a word.
    Begins,
    /// Within one.
    Within,
}

/// Every word must stand in the account. Several accounts come with those first in which each word begins a word, then by
/// the matcher's score.
pub(super) fn find(folded_query: &str, among: &[Summary]) -> Found {
    let words: Vec<&str> = folded_query
        .split(|character: char| character.is_whitespace() || character == ':')
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return Found::Nothing(Vec::new());
    }
    let mut met: Vec<(Stands, usize)> = Vec::new();
    for (index, summary) in among.iter().enumerate() {
        if let Some(stands) = all_stand(&words, &haystack(summary)) {
            met.push((stands, index));
        }
    }
    match met.as_slice() {
        [] => Found::Nothing(near::suggest(folded_query, &words, among)),
        [(_, one)] => Found::One(*one),
        _ => {
            let mut scored: Vec<_> =
                near::scores(folded_query, among, met.iter().map(|(_, index)| *index))
                    .into_iter()
                    .zip(met)
                    .collect();
            scored.sort_by_key(|(score, (stands, index))| {
                (*stands, std::cmp::Reverse(*score), *index)
            });
            Found::Several(scored.into_iter().map(|(_, (_, index))| index).collect())
        }
    }
}

/// What a query is looked for in, folded. The note isn't part of it: it may name other accounts.
pub(super) fn haystack(summary: &Summary) -> String {
    let mut text = String::with_capacity(64);
    let parts = [
        Some(&summary.issuer),
        Some(&summary.name),
        summary.label_issuer.as_ref(),
        summary.serial_number.as_ref(),
    ];
    for part in parts.into_iter().flatten().chain(&summary.tags) {
        text.push_str(part);
        text.push(' ');
    }
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    fold(&text)
}

/// How the words stand, the least of them; none where one doesn't.
fn all_stand(words: &[&str], haystack: &str) -> Option<Stands> {
    let mut least = Stands::Begins;
    for word in words {
        let stands = stands(word, haystack)?;
        if stands == Stands::Within && word.len() < SHORT {
            return None;
        }
        least = least.max(stands);
    }
    Some(least)
}

fn stands(word: &str, haystack: &str) -> Option<Stands> {
    let mut found = None;
    for (at, _) in haystack.match_indices(word) {
        let before = haystack[..at].chars().next_back();
        if before.is_none_or(|before| !before.is_alphanumeric()) {
            return Some(Stands::Begins);
        }
        found = Some(Stands::Within);
    }
    found
}
