//! Scores and suggestions: what a misspelt query may have meant. Nothing here selects an account.

use std::borrow::Borrow;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::account::Summary;
use crate::account::query::words::haystack;

/// How many suggestions there are at most.
const MOST: usize = 5;

/// The longest word that is compared by its spelling.
const LONGEST: usize = 32;

/// The matcher's score of each of these accounts; more is nearer.
pub(super) fn scores<S: Borrow<Summary>>(
    words: &[&str],
    among: &[S],
    indices: impl Iterator<Item = usize>,
) -> Vec<u32> {
    let mut scorer = Scorer::new(words);
    indices
        .map(|index| {
            scorer
                .score(&haystack(among[index].borrow()))
                .unwrap_or_default()
        })
        .collect()
}

/// Accounts in which each word of the query stands whole, if only within another; then those with a word that is spelt like
/// one of the query's; then those whose letters hold the query's in order, the best score first.
pub(super) fn suggest<S: Borrow<Summary>>(words: &[&str], among: &[S]) -> Vec<usize> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut scorer = Scorer::new(words);
    let mut within: Vec<(u32, usize)> = Vec::new();
    let mut scattered: Vec<(u32, usize)> = Vec::new();
    let mut misspelt: Vec<(usize, usize)> = Vec::new();
    for (index, summary) in among.iter().enumerate() {
        let haystack = haystack(summary.borrow());
        if words.iter().all(|word| haystack.contains(word)) {
            within.push((scorer.score(&haystack).unwrap_or_default(), index));
        } else if let Some(score) = scorer.score(&haystack) {
            scattered.push((score, index));
        } else if let Some(distance) = nearest_word(words, &haystack) {
            misspelt.push((distance, index));
        }
    }
    let best_first = |(score, index): &(u32, usize)| (std::cmp::Reverse(*score), *index);
    within.sort_by_key(best_first);
    scattered.sort_by_key(best_first);
    misspelt.sort_unstable();
    // A misspelt word is nearer than letters that happen to stand in order all over a label.
    let indices = (within.iter().map(|(_, index)| *index))
        .chain(misspelt.iter().map(|(_, index)| *index))
        .chain(scattered.iter().map(|(_, index)| *index));
    indices.take(MOST).collect()
}

struct Scorer {
    matcher: Matcher,
    pattern: Pattern,
    buffer: Vec<char>,
}

impl Scorer {
    fn new(words: &[&str]) -> Self {
        Self {
            matcher: Matcher::new(Config::DEFAULT),
            pattern: Pattern::new(
                &words.join(" "),
                CaseMatching::Ignore,
                Normalization::Smart,
                nucleo_matcher::pattern::AtomKind::Fuzzy,
            ),
            buffer: Vec::new(),
        }
    }

    fn score(&mut self, haystack: &str) -> Option<u32> {
        let haystack = Utf32Str::new(haystack, &mut self.buffer);
        self.pattern.score(haystack, &mut self.matcher)
    }
}

/// The smallest distance between a word of the query and a word of the account, if it is at most a third of the word.
fn nearest_word(words: &[&str], haystack: &str) -> Option<usize> {
    let theirs = || {
        haystack
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    words
        .iter()
        .filter(|word| word.chars().count() <= LONGEST)
        .flat_map(|word| {
            theirs().filter_map(|other| distance_within(word, other, word.chars().count() / 3))
        })
        .min()
}

/// The number of characters to insert, delete, replace or swap with their neighbour, if it is at most `max` (optimal string
/// alignment).
fn distance_within(a: &str, b: &str, max: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if max == 0 || a.len().abs_diff(b.len()) > max {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|distance| *distance <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling() {
        assert_eq!(distance_within("githbu", "github", 2), Some(1));
        assert_eq!(distance_within("gitub", "github", 2), Some(1));
        assert_eq!(distance_within("kitten", "sitting", 3), Some(3));
        assert_eq!(distance_within("kitten", "sitting", 2), None);
        assert_eq!(distance_within("ab", "ab", 0), None);
    }
}
