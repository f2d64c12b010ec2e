//! Text from outside, made safe to show.
//!
//! A label comes out of a picture or a file that anybody may have made, and goes to a terminal, which obeys some
//! characters. What steers a terminal, or makes text look other than it is, doesn't pass: neither where text enters nor
//! where it is printed.

use std::borrow::Cow;

/// Control characters, bidi overrides and the like taken out; used where text enters and again where it is printed.
///
/// - Controls that part words (tab, line and paragraph ends) become a space, so that words don't run together.
/// - Removed: every other control (C0, DEL, C1: escape sequences lose what introduces them); marks, embeddings,
///   overrides and isolates of direction; invisible characters that make two labels look the same (zero-width space,
///   byte-order mark, word joiner, soft hyphen, invisible operators); annotation marks; tags; noncharacters.
/// - Kept: the joiners U+200C and U+200D and the variation selectors, which emoji and some scripts need; private use and
///   unassigned characters, which only look strange.
///
/// What is clean stays as it is: cleaning twice is cleaning once.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| fate(character) == Fate::Kept) {
        return Cow::Borrowed(text);
    }
    let cleaned = text.chars().filter_map(|character| match fate(character) {
        Fate::Kept => Some(character),
        Fate::Space => Some(' '),
        Fate::Removed => None,
    });
    Cow::Owned(cleaned.collect())
}

/// A text as it may be kept.
pub(crate) struct Fitted {
    /// Cleaned, trimmed and cut.
    pub(crate) text: String,
    /// More than white space at its ends was taken out or replaced.
    pub(crate) was_cleaned: bool,
    /// The end was cut off.
    pub(crate) was_cut: bool,
}

/// Cleans and trims a text, and cuts it after `max` bytes at a character's end.
pub(crate) fn fit(text: &str, max: usize) -> Fitted {
    let cleaned = clean(text);
    let trimmed = cleaned.trim();
    let mut end = trimmed.len().min(max);
    while !trimmed.is_char_boundary(end) {
        end -= 1;
    }
    Fitted {
        text: trimmed[..end].trim_end().to_owned(),
        was_cleaned: trimmed != text.trim(),
        was_cut: end < trimmed.len(),
    }
}

/// Cleaned, trimmed, and cut after `max` bytes at a character's end.
pub(crate) fn clean_within(text: &str, max: usize) -> String {
    fit(text, max).text
}

/// What becomes of a character.
#[derive(PartialEq, Eq)]
enum Fate {
    Kept,
    Space,
    Removed,
}

fn fate(character: char) -> Fate {
    match character {
        ' '..='~' => Fate::Kept,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::Space,
        // C0, DEL and C1.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Fate::Removed,
        // Soft hyphen, zero-width space, word joiner and the invisible operators, byte-order mark.
        '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Fate::Removed,
        // Marks, embeddings, overrides and isolates of direction; the deprecated format characters.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2065}'..='\u{206f}' => {
            Fate::Removed
        }
        // Interlinear annotation; tags.
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => Fate::Removed,
        // Noncharacters.
        '\u{fdd0}'..='\u{fdef}' => Fate::Removed,
        other if u32::from(other) & 0xfffe == 0xfffe => Fate::Removed,
        _ => Fate::Kept,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_gone() {
        assert_eq!(clean("Evil\u{1b}[2J\u{7}\nName"), "Evil[2J Name");
        assert_eq!(clean("a\u{9b}31mb\u{90}c\u{7f}"), "a31mbc");
        assert_eq!(clean("\u{202e}bob\u{2066}\u{200f}\u{61c}"), "bob");
        assert_eq!(clean("x\u{feff}y\u{200b}z\u{ad}\u{2060}"), "xyz");
        assert_eq!(
            clean("one\r\ntwo\u{2028}three\tfour"),
            "one  two three four"
        );
        assert_eq!(clean("a\u{e0041}\u{ffff}\u{1fffe}\u{fdd0}b"), "ab");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "",
            "Amazon Web Services",
            "🏴‍☠️",
            "🏳️‍🌈",
            "日本語",
            "می‌خواهم",
            "naïve\u{301}",
            "\u{f8ff}",
            "a\u{a0}b",
        ] {
            assert!(
                matches!(clean(text), Cow::Borrowed(same) if same == text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_cut_falls_between_characters() {
        assert_eq!(clean_within("  日本語  ", 7), "日本");
        assert_eq!(clean_within("ab cd", 3), "ab");
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once), once.as_str());
            prop_assert!(!once.chars().any(char::is_control));
        }
    }
}
