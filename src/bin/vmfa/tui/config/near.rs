//! The name that somebody meant, by its spelling.

/// The name nearest to what was written, if one is near enough to be meant: a letter more, less or other, or two exchanged,
/// and one more such slip for every four letters.
pub(crate) fn nearest<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    /// Longer than every name; what is longer still is none with a slip.
    const LONGEST: usize = 40;
    let written: Vec<char> = written.to_lowercase().chars().take(LONGEST + 1).collect();
    if written.len() > LONGEST {
        return None;
    }
    let slips = |name: &&&str| distance(&written, &name.chars().collect::<Vec<_>>());
    let best = names.iter().min_by_key(slips)?;
    (slips(&best) <= 1 + written.len() / 4 && slips(&best) < best.chars().count()).then_some(*best)
}

/// How many slips part two words, each letter being in at most one of them (the optimal string alignment distance).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                let exchanged: &[usize] = &before;
                least = least.min(exchanged[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let apart = |one: &str, other: &str| {
            let letters = |word: &str| word.chars().collect::<Vec<_>>();
            distance(&letters(one), &letters(other))
        };
        for (one, other, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("search", "search", 0),
            ("serach", "search", 1),
            ("seach", "search", 1),
            ("searchh", "search", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(apart(one, other), slips, "{one} {other}");
        }
    }

    #[test]
    fn only_what_is_near_is_offered() {
        let names = ["theme", "mouse", "start", "sort", "keys"];
        assert_eq!(nearest("thme", &names), Some("theme"));
        assert_eq!(nearest("Mosue", &names), Some("mouse"));
        assert_eq!(nearest("colour", &names), None);
        // Four letters from "theme".
        assert_eq!(nearest("smile", &names), None);
        assert_eq!(nearest("x", &["y"]), None);
        assert_eq!(nearest("", &names), None);
        assert_eq!(nearest(&"theme".repeat(9), &names), None);
        assert_eq!(nearest("theme", &[]), None);
    }
}
