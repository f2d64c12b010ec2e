//! Words that are numbers or names.

use crate::account::draft::{Field, Reason, quotable};
use crate::otp::Algorithm;

/// The hash. Unknown is an error and never falls back to SHA-1: the codes would be wrong without a word.
pub(super) fn algorithm(word: Option<&str>) -> Result<Algorithm, (Field, Reason)> {
    let Some(word) = present(word) else {
        return Ok(Algorithm::Sha1);
    };
    let lower = word.to_ascii_lowercase();
    let name = lower
        .strip_prefix("algorithm.")
        .unwrap_or(&lower)
        .replace(['-', '_', ' '], "");
    match name.strip_prefix("hmac").unwrap_or(&name) {
        "sha1" => Ok(Algorithm::Sha1),
        "sha224" => Ok(Algorithm::Sha224),
        "sha256" => Ok(Algorithm::Sha256),
        "sha384" => Ok(Algorithm::Sha384),
        "sha512" => Ok(Algorithm::Sha512),
        _ => Err((Field::Algorithm, Reason::UnknownAlgorithm(quotable(word)))),
    }
}

/// A decimal number within bounds; none for an absent one.
pub(super) fn number(
    word: Option<&str>,
    field: Field,
    min: u64,
    max: u64,
) -> Result<Option<u64>, (Field, Reason)> {
    let Some(word) = present(word) else {
        return Ok(None);
    };
    let digits = word.strip_prefix('-').unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((field, Reason::NotANumber(quotable(word))));
    }
    // A sign, or more digits than 64 bits hold, is a number all the same, and out of range.
    match word.parse() {
        Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
        Ok(_) | Err(_) => Err((field, Reason::OutOfRange { min, max })),
    }
}

/// Whether a word says something, if a scheme has no use for it: files write the usual number where there is none.
pub(super) fn says_more_than(word: Option<&str>, usual: &[&str]) -> bool {
    present(word).is_some_and(|word| !usual.contains(&word))
}

/// A word that is there. Some apps write the name of nothing.
pub(crate) fn present(word: Option<&str>) -> Option<&str> {
    word.map(str::trim).filter(|word| {
        !word.is_empty() && !word.eq_ignore_ascii_case("null") && !word.eq_ignore_ascii_case("none")
    })
}
