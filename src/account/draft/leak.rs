//! Secrets where none belongs: in a label, behind a separator that was encoded twice, or in a second Key URI that ran into the
//! first.

use crate::account::percent::{self, Plus};
use crate::account::text::clean;

/// What begins a Key URI. For two of them the slashes belong to it: `Steam:` alone is a prefix that many labels have.
const BEGINNINGS: [&str; 4] = ["otpauth:", "otpauth-migration:", "steam://", "motp://"];

/// How often a text may be percent-encoded and still be seen through.
const DEPTH: usize = 4;

/// Whether a word holds the beginning of a Key URI, however encoded.
pub(crate) fn holds_uri(word: &str) -> bool {
    holds(word, |text| {
        BEGINNINGS.iter().any(|beginning| text.contains(beginning))
    })
}

/// Whether a word holds the beginning of a Key URI or a parameter `secret=`, however encoded.
pub(crate) fn holds_secret(word: &str) -> bool {
    holds_uri(word) || holds(word, |text| text.contains("secret="))
}

/// A word as far as it may be shown: up to `secret` and a sign that a value follows, or a Key URI in it.
pub(super) fn before_secret(word: &str) -> &str {
    let lower = word.to_ascii_lowercase();
    let secret = lower
        .match_indices("secret")
        .map(|(at, found)| (at, &lower[at + found.len()..]))
        .find(|(_, rest)| begins_value(rest.trim_start()))
        .map(|(at, _)| at);
    let uri = BEGINNINGS
        .iter()
        .filter_map(|beginning| lower.find(beginning))
        .min();
    let end = secret.into_iter().chain(uri).min().unwrap_or(word.len());
    let shown = word[..end].trim_end();
    // Encoded in a way that isn't foreseen above: nothing of it is shown.
    if holds_secret(shown) { "" } else { shown }
}

/// `=` or `:`, also full-width, also percent-encoded any number of times.
fn begins_value(rest: &str) -> bool {
    let Some(mut code) = rest.strip_prefix('%') else {
        return rest.starts_with(['=', ':', '＝', '：']);
    };
    while let Some(inner) = code.strip_prefix("25") {
        code = inner;
    }
    ["3d", "3a"].iter().any(|sign| code.starts_with(sign))
}

/// Whether the word says so, as it is or decoded; characters that can't be seen don't hide anything.
fn holds(word: &str, says: impl Fn(&str) -> bool) -> bool {
    let mut text = zeroize::Zeroizing::new(clean(word).to_ascii_lowercase());
    for _ in 0..DEPTH {
        if says(&text) {
            return true;
        }
        if !text.contains('%') {
            return false;
        }
        let decoded = percent::decode(&text, Plus::Literal).text;
        text = zeroize::Zeroizing::new(clean(&decoded).to_ascii_lowercase());
    }
    says(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_shown_ends_before_a_secret() {
        for (word, shown) in [
            ("x?secret=JBSW", "x?"),
            ("x%3Fsecret%3DJBSW", "x%3F"),
            ("x%253FSECRET%253dJBSW", "x%253F"),
            ("x%3fsecret%3aJBSW", "x%3f"),
            ("Secret: JBSW", ""),
            ("x secret = JBSW", "x"),
            ("x？secret＝JBSW", "x？"),
            ("a,otpauth://totp/b", "a,"),
            ("a steam://JBSW", "a"),
            ("a %73ecret%3DJBSW", ""),
            ("Secret Santa", "Secret Santa"),
            ("secret", "secret"),
            ("Steam:me", "Steam:me"),
        ] {
            assert_eq!(before_secret(word), shown, "{word}");
        }
    }

    #[test]
    fn a_second_uri_is_seen_however_it_is_encoded() {
        for word in [
            "K,otpauth://totp/M",
            "K OTPAUTH:totp/M",
            "K;apple-otpauth://totp/M",
            "K|otpauth-migration://offline",
            "otpauth%3A%2F%2Ftotp",
            "otpauth%25253a",
            "otp\u{200b}auth:",
            "K,steam://JBSW",
            "motp%3a//x",
        ] {
            assert!(holds_uri(word), "{word}");
        }
        for word in ["Steam:me", "otpauth", "secret=x", "motp:me", "%", "%25"] {
            assert!(!holds_uri(word), "{word}");
        }
        assert!(holds_secret("x?Secret%3dJBSW"));
        assert!(!holds_secret("Secret: none"));
    }
}
