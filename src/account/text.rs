//! Text from outside, made safe to show.
//!
//! A label comes out of a picture or a file that anybody may have made, and goes to a terminal, which obeys some
//! characters. What steers a terminal, or makes text look other than it is, doesn't pass: neither where text enters nor
//! where it is printed.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

/// How many marks may stand on one character: more than any script needs, and too few to reach the lines around it.
pub const MOST_MARKS: usize = 8;

/// Control characters, bidi overrides and the like taken out; used where text enters and again where it is printed.
///
/// - Controls that part words (tab, line and paragraph ends) become a space, so that words don't run together.
/// - Removed: every other control (C0, DEL, C1: escape sequences lose what introduces them); marks, embeddings,
///   overrides and isolates of direction; invisible characters that make two labels look the same (zero-width space,
///   byte-order mark, word joiner, soft hyphen, invisible operators, fillers); annotation marks; tags; noncharacters.
/// - Kept where they mean something: the joiners U+200C and U+200D between two characters beyond ASCII, one variation
///   selector behind such a character or in a keycap (emoji and some scripts need them). Elsewhere, and beside white space,
///   nobody would see them.
/// - A character keeps the first 8 of its combining marks.
/// - Kept: private use and unassigned characters, which only look strange.
///
/// What is clean stays as it is: cleaning twice is cleaning once.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut marks = 0;
    // A joiner or a selector that means something only if the right character follows.
    let mut waiting = None;
    for character in text.chars() {
        let last = cleaned.chars().next_back();
        match fate(character) {
            Fate::Removed => {}
            Fate::Joiner => {
                if waiting.is_none() && last.is_some_and(bears) {
                    waiting = Some(character);
                }
            }
            Fate::Selector => match last {
                _ if waiting.is_some() => {}
                Some('0'..='9' | '#' | '*') if character == '\u{fe0f}' => waiting = Some(character),
                Some(before) if bears(before) && fate(before) != Fate::Selector => {
                    cleaned.push(character);
                }
                _ => {}
            },
            Fate::Space => {
                (waiting, marks) = (None, 0);
                cleaned.push(' ');
            }
            Fate::Kept => {
                if !is_combining_mark(character) {
                    marks = 0;
                } else if marks == MOST_MARKS {
                    continue;
                } else {
                    marks += 1;
                }
                let means_something = |waiting: &char| match waiting {
                    '\u{fe0f}' => character == KEYCAP,
                    _joiner => bears(character),
                };
                cleaned.extend(waiting.take().filter(means_something));
                cleaned.push(character);
            }
        }
    }
    if cleaned == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(cleaned)
    }
}

/// Whether a joiner or a selector may mean something beside it.
fn bears(character: char) -> bool {
    !character.is_ascii() && !character.is_whitespace()
}

/// What makes a key of the digit before it.
const KEYCAP: char = '\u{20e3}';

/// A text as it may be kept.
pub(crate) struct Fitted {
    /// Cleaned, trimmed and cut.
    pub(crate) text: String,
    /// More than white space at its ends was taken out or replaced.
    pub(crate) was_cleaned: bool,
    /// The end was cut off.
    pub(crate) was_cut: bool,
}

/// Cleans and trims a text, and cuts it after `max` bytes at a character's end. The result is clean.
pub(crate) fn fit(text: &str, max: usize) -> Fitted {
    let cleaned = clean(text);
    let trimmed = cleaned.trim();
    let mut end = trimmed.len().min(max);
    while !trimmed.is_char_boundary(end) {
        end -= 1;
    }
    // What stood beside a joiner may be gone now, and with the joiner what parted white space from the end.
    let mut fitted = trimmed[..end].trim_end().to_owned();
    while let Cow::Owned(again) = clean(&fitted) {
        fitted = again.trim().to_owned();
    }
    Fitted {
        text: fitted,
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
    /// Kept between two characters beyond ASCII.
    Joiner,
    /// Kept behind a character beyond ASCII, and in a keycap.
    Selector,
}

fn fate(character: char) -> Fate {
    match character {
        ' '..='~' => Fate::Kept,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Fate::Space,
        // C0, DEL and C1.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Fate::Removed,
        // Soft hyphen, zero-width space, word joiner and the invisible operators, byte-order mark.
        '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Fate::Removed,
        // Letters and marks that are drawn as nothing: the grapheme joiner, fillers, inherent vowels.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' => {
            Fate::Removed
        }
        // Marks, embeddings, overrides and isolates of direction; the deprecated format characters.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2065}'..='\u{206f}' => {
            Fate::Removed
        }
        '\u{200c}' | '\u{200d}' => Fate::Joiner,
        '\u{180b}'..='\u{180d}'
        | '\u{180f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}' => Fate::Selector,
        // A vowel separator of old; interlinear annotation and what is reserved beside it; steps of shorthand, beams of music.
        '\u{180e}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' => Fate::Removed,
        // Tags, and what is reserved for more of their kind.
        '\u{e0000}'..='\u{e0fff}' => Fate::Removed,
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
    fn what_nobody_would_see_is_gone() {
        assert_eq!(clean("Git\u{200d}Hub\u{200c}"), "GitHub");
        assert_eq!(clean("A\u{fe0f}W\u{fe00}S\u{e0100}\u{e01ef}"), "AWS");
        assert_eq!(clean("a\u{34f}\u{115f}\u{3164}\u{ffa0}\u{180e}b"), "ab");
        assert_eq!(clean("日\u{3000}\u{fe0f}\u{200d}本"), "日\u{3000}本");
        assert_eq!(clean("1\u{fe0f}2\u{fe0f}\u{20e3}"), "12\u{fe0f}\u{20e3}");
        // A second selector, a joiner at the end or before a space, two joiners.
        assert_eq!(clean("\u{845b}\u{e0100}\u{e0101}"), "\u{845b}\u{e0100}");
        assert_eq!(clean("\u{645}\u{200c} \u{645}\u{200d}"), "\u{645} \u{645}");
        assert_eq!(
            clean("\u{645}\u{200c}\u{200d}\u{645}"),
            "\u{645}\u{200c}\u{645}"
        );
        let stack = format!("Z{}", "\u{301}".repeat(200));
        assert_eq!(clean(&stack), format!("Z{}", "\u{301}".repeat(MOST_MARKS)));
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
            "1\u{fe0f}\u{20e3} \u{845b}\u{e0100}",
            "한국",
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

    #[test]
    fn what_is_trimmed_or_cut_is_clean() {
        assert_eq!(clean_within("日\u{200d}\u{2003}", 99), "日");
        assert_eq!(clean_within("\u{2003}\u{200d}日", 99), "日");
        assert_eq!(clean_within("日\u{200d}本", 6), "日");
        assert_eq!(clean_within("x\u{2003}\u{fe0f}", 99), "x");
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(
            random in any::<String>(),
            pieces in prop::collection::vec(
                prop::sample::select(vec!['a', '1', ' ', '\u{2003}', '\n', 'é', '日', '\u{301}', '\u{20e3}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{fe0f}', '\u{fe00}', '\u{e0100}']),
                0..24,
            ),
        ) {
            let text = random + &String::from_iter(pieces);
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once), once.as_str());
            prop_assert!(!once.chars().any(char::is_control));
            for max in [4, 11, 99] {
                let within = clean_within(&text, max);
                prop_assert_eq!(clean_within(&within, max), within.as_str());
                prop_assert_eq!(clean(&within), within.as_str());
            }
        }
    }
}
