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
    suggest_from(
        words,
        among.iter().map(|summary| haystack(summary.borrow())),
    )
}

/// As [`suggest`], from what each account is looked for in.
pub(super) fn suggest_from(
    words: &[&str],
    haystacks: impl Iterator<Item = impl AsRef<str>>,
) -> Vec<usize> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut scorer = Scorer::new(words);
    let mut speller = Speller::new(words);
    let mut within: Vec<(u32, usize)> = Vec::new();
    let mut scattered: Vec<(u32, usize)> = Vec::new();
    let mut misspelt: Vec<(usize, usize)> = Vec::new();
    for (index, haystack) in haystacks.enumerate() {
        let haystack = haystack.as_ref();
        if words.iter().all(|word| haystack.contains(word)) {
            within.push((scorer.score(haystack).unwrap_or_default(), index));
        } else if let Some(score) = scorer.score(haystack) {
            scattered.push((score, index));
        } else if let Some(distance) = speller.nearest_word(haystack) {
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

/// Compares the spelling of words, with its buffers kept between ten thousand accounts.
struct Speller {
    words: Vec<Vec<char>>,
    other: Vec<char>,
    rows: [Vec<usize>; 3],
}

impl Speller {
    fn new(words: &[&str]) -> Self {
        let words = words.iter().map(|word| word.chars().collect());
        Self {
            words: words
                .filter(|word: &Vec<char>| word.len() <= LONGEST)
                .collect(),
            other: Vec::new(),
            rows: Default::default(),
        }
    }

    /// The smallest distance between a word of the query and a word of the account, if it is at most a third of the word.
    fn nearest_word(&mut self, haystack: &str) -> Option<usize> {
        let mut least = None;
        for other in haystack
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
        {
            self.other.clear();
            self.other.extend(other.chars());
            for word in &self.words {
                let max = word.len() / 3;
                let distance = distance_within(word, &self.other, max, &mut self.rows);
                least = [least, distance].into_iter().flatten().min();
            }
        }
        least
    }
}

/// The number of characters to insert, delete, replace or swap with their neighbour, if it is at most `max` (optimal string
/// alignment).
fn distance_within(
    a: &[char],
    b: &[char],
    max: usize,
    [before, last, row]: &mut [Vec<usize>; 3],
) -> Option<usize> {
    if max == 0 || a.len().abs_diff(b.len()) > max {
        return None;
    }
    let put = |row: &mut Vec<usize>, numbers: &mut dyn Iterator<Item = usize>| {
        row.clear();
        row.extend(numbers);
    };
    put(before, &mut std::iter::repeat_n(0, b.len() + 1));
    put(last, &mut (0..=b.len()));
    for i in 1..=a.len() {
        row.clear();
        row.push(i);
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        // What no row is below, nothing after it is either.
        if row.iter().all(|least| *least > max) && last.iter().all(|least| *least > max) {
            return None;
        }
        std::mem::swap(before, last);
        std::mem::swap(last, row);
    }
    last.last().copied().filter(|distance| *distance <= max)
}

#[cfg(test)]
mod tests {
    #[test]
    fn spelling() {
        let distance_within = |a: &str, b: &str, max| {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            super::distance_within(&a, &b, max, &mut Default::default())
        };
        assert_eq!(distance_within("githbu", "github", 2), Some(1));
        assert_eq!(distance_within("gitub", "github", 2), Some(1));
        assert_eq!(distance_within("kitten", "sitting", 3), Some(3));
        assert_eq!(distance_within("kitten", "sitting", 2), None);
        assert_eq!(distance_within("ab", "ab", 0), None);
    }
}
