//! A line that is being typed: a search, a field of a form, a passphrase.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;
use vmfa::secret::SecretText;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest line that is taken, in bytes: a Key URI of the longest label and secret fits.
const MAX: usize = 16 << 10;

/// A line with a cursor in it. What stood in it is wiped, since it may be a passphrase or a secret: it never grows beyond what
/// it was given at the start, so that no copy is left behind.
pub(crate) struct Line {
    text: Zeroizing<String>,
    /// In bytes; always at the edge of a grapheme.
    cursor: usize,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            text: Zeroizing::new(String::with_capacity(MAX)),
            cursor: 0,
        }
    }

    pub(crate) fn of(text: &str) -> Self {
        let mut line = Self::new();
        line.insert(text);
        line
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What stands before the cursor.
    pub(crate) fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub(crate) fn clear(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    /// The line as a secret of its own; nothing stays here.
    pub(crate) fn take(&mut self) -> SecretText {
        let taken = SecretText::new(self.text.to_string());
        self.clear();
        taken
    }

    /// Puts a text in at the cursor. Control characters, of a paste for instance, are left out, and a line break counts as a
    /// space. What doesn't fit is left out.
    pub(crate) fn insert(&mut self, text: &str) {
        for character in text.trim_end_matches(['\r', '\n']).chars() {
            let character = match character {
                '\n' | '\t' => ' ',
                other if other.is_control() => continue,
                other => other,
            };
            if self.text.len() + character.len_utf8() > MAX {
                return;
            }
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
    }

    /// Edits the line as a key says, as shells do; `false` if the key means nothing here.
    pub(crate) fn key(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('b') if control => self.cursor = self.left(),
            KeyCode::Char('f') if control => self.cursor = self.right(),
            KeyCode::Char('h') if control => self.cut(self.left(), self.cursor),
            KeyCode::Char('u') if control => self.cut(0, self.cursor),
            KeyCode::Char('k') if control => self.cut(self.cursor, self.text.len()),
            KeyCode::Char('w') if control => self.cut(self.word(), self.cursor),
            KeyCode::Backspace if alt || control => self.cut(self.word(), self.cursor),
            KeyCode::Backspace => self.cut(self.left(), self.cursor),
            KeyCode::Delete => self.cut(self.cursor, self.right()),
            KeyCode::Left => self.cursor = self.left(),
            KeyCode::Right => self.cursor = self.right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Char(character) if !control && !alt => {
                self.insert(character.encode_utf8(&mut [0; 4]));
            }
            _ => return false,
        }
        true
    }

    /// The part that fits into so many columns with the cursor in it, and the cursor's column in that part.
    pub(crate) fn window(&self, width: usize) -> (&str, usize) {
        // One column is the cursor's own.
        let room = width.saturating_sub(1);
        let mut start = 0;
        for (at, grapheme) in self.before().grapheme_indices(true) {
            if self.text[start..self.cursor].width() <= room {
                break;
            }
            start = at + grapheme.len();
        }
        let column = self.text[start..self.cursor].width();
        let mut end = start;
        for (at, grapheme) in self.text[start..].grapheme_indices(true) {
            let next = start + at + grapheme.len();
            if self.text[start..next].width() > width {
                break;
            }
            end = next;
        }
        (&self.text[start..end], column)
    }

    /// How many characters a person has typed: what a hidden line shows.
    pub(crate) fn graphemes(&self) -> usize {
        self.text.graphemes(true).count()
    }

    fn left(&self) -> usize {
        let last = self.before().grapheme_indices(true).next_back();
        last.map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    /// Where the word before the cursor begins.
    fn word(&self) -> usize {
        let trimmed = self.before().trim_end();
        let space = trimmed
            .char_indices()
            .rev()
            .find(|(_, character)| character.is_whitespace());
        space.map_or(0, |(at, character)| at + character.len_utf8())
    }

    fn cut(&mut self, from: usize, to: usize) {
        // `drain` would leave the bytes behind the end as they were.
        let rest = Zeroizing::new(self.text[to..].to_owned());
        let kept = Zeroizing::new(self.text[..from].to_owned());
        self.text.zeroize();
        self.text.push_str(&kept);
        self.text.push_str(&rest);
        self.cursor = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, keys: &str) {
        for key in keys.chars() {
            let key = match key {
                '<' => KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE),
                '[' => KeyEvent::new(KeyCode::Left, KeyModifiers::NONE),
                ']' => KeyEvent::new(KeyCode::Right, KeyModifiers::NONE),
                'W' => KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL),
                'U' => KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL),
                'A' => KeyEvent::new(KeyCode::Char('a'), KeyModifiers::CONTROL),
                'K' => KeyEvent::new(KeyCode::Char('k'), KeyModifiers::CONTROL),
                other => KeyEvent::new(KeyCode::Char(other), KeyModifiers::NONE),
            };
            assert!(line.key(&key));
        }
    }

    #[test]
    fn keys_edit_a_line_as_in_a_shell() {
        for (keys, text) in [
            ("abc", "abc"),
            ("abc<d", "abd"),
            ("abc[[x", "axbc"),
            ("abc[[[[x]]]]y", "xabcy"),
            ("one two  W", "one "),
            ("one two[[WK", "one "),
            ("abcUd", "d"),
            ("日本<語", "日語"),
            ("abcAx", "xabc"),
            ("<", ""),
        ] {
            let mut line = Line::new();
            typed(&mut line, keys);
            assert_eq!(line.text(), text, "{keys}");
        }
    }

    #[test]
    fn a_grapheme_is_one_step() {
        let mut line = Line::of("e\u{301}x");
        typed(&mut line, "[<");
        assert_eq!(line.text(), "x");
    }

    #[test]
    fn what_is_pasted_brings_no_control_characters_and_no_more_than_fits() {
        assert_eq!(Line::of("a\x1b[31mb\nc\n").text(), "a[31mb c");
        assert_eq!(Line::of(&"é".repeat(MAX)).text().len(), MAX);
    }

    #[test]
    fn the_window_follows_the_cursor_and_cuts_no_wide_character() {
        let mut line = Line::of("日本語テキスト");
        assert_eq!(line.window(6), ("スト", 4));
        typed(&mut line, "A");
        assert_eq!(line.window(6), ("日本語", 0));
        assert_eq!(line.window(5), ("日本", 0));
        assert_eq!(Line::of("abc").window(10), ("abc", 3));
        assert_eq!(Line::new().window(0), ("", 0));
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut line = Line::of("secret");
        let capacity = line.text.capacity();
        assert_eq!(line.take().expose(), "secret");
        assert!(line.is_empty());
        assert_eq!(line.text.capacity(), capacity, "never moved");
    }
}
