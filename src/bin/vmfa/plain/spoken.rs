//! Accounts and codes in words that a voice can read.

use vmfa::account::Summary;
use vmfa::account::text::clean;
use vmfa::clock::UnixTime;
use vmfa::otp::{Code, Moment};
use zeroize::Zeroizing;

use crate::command::{counted, named, short_id};

/// Issuer and account name with a pause between them.
pub(crate) fn called(summary: &Summary) -> String {
    match (summary.issuer.as_str(), summary.name.as_str()) {
        (issuer, name) if !issuer.is_empty() && !name.is_empty() => {
            format!("{}, {}", clean(issuer), clean(name))
        }
        (_, _) => named(summary),
    }
}

/// The accounts as lines with their numbers, from 1; those that are called alike with a part of their ids.
pub(crate) fn numbered(summaries: &[Summary]) -> Vec<String> {
    let mut count = std::collections::HashMap::new();
    for summary in summaries {
        *count.entry(called(summary)).or_insert(0) += 1;
    }
    let lines = summaries.iter().enumerate().map(|(index, summary)| {
        let name = called(summary);
        let id = match count.get(&name) {
            Some(1) | None => String::new(),
            Some(_) => format!(", id {}", short_id(summary)),
        };
        format!("{}. {name}{id}", index + 1)
    });
    lines.collect()
}

/// A code in groups that can be held in mind: threes, and fours where threes don't come out.
pub(crate) fn grouped(code: &str) -> Zeroizing<String> {
    let size = match code.chars().count() {
        0..=5 => usize::MAX,
        8 => 4,
        _ => 3,
    };
    // Twice as long as any code, so that it never grows.
    let mut grouped = Zeroizing::new(String::with_capacity(2 * code.len()));
    for (index, character) in code.chars().enumerate() {
        if index > 0 && index % size == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

/// How long a code holds.
pub(crate) fn left(code: &Code, now: UnixTime) -> String {
    match code.moment() {
        Moment::Counter(counter) => format!("counter {counter}"),
        Moment::Step { until, .. } => {
            let seconds = now.until(until).as_secs();
            format!("{} left", counted(seconds as usize, "second"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_grouped() {
        for (code, expected) in [
            ("", ""),
            ("1", "1"),
            ("W9C2D", "W9C2D"),
            ("123456", "123 456"),
            ("1234567", "123 456 7"),
            ("12345678", "1234 5678"),
            ("123456789", "123 456 789"),
            ("1234567890", "123 456 789 0"),
        ] {
            assert_eq!(grouped(code).as_str(), expected);
            assert!(grouped(code).capacity() <= 2 * code.len(), "{code}");
        }
    }
}
