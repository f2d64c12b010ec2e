//! Large letters, five lines high, for codes that are typed somewhere else while one looks at them.

use unicode_width::UnicodeWidthStr as _;

/// How many lines a large text takes.
pub(crate) const HEIGHT: usize = 5;

/// Columns of a letter, and with the gap behind it.
const LETTER: usize = 5;
const STEP: usize = LETTER + 1;
/// Columns of a space: between the groups of a code.
const SPACE: usize = 3;

/// A text in large letters: digits, A to Z and the space. Another character stands small in the middle line, so that nothing
/// is lost.
pub(crate) fn big(text: &str) -> [String; HEIGHT] {
    let mut lines: [String; HEIGHT] = Default::default();
    for (index, character) in text.chars().enumerate() {
        if index > 0 {
            lines.iter_mut().for_each(|line| line.push(' '));
        }
        match rows(character) {
            Some(rows) => {
                for (line, row) in lines.iter_mut().zip(rows) {
                    let dots = row.bytes().map(|dot| if dot == b'#' { '█' } else { ' ' });
                    line.extend(dots);
                }
            }
            None => {
                let small = character.to_string();
                let blank = " ".repeat(if character == ' ' {
                    SPACE
                } else {
                    small.width()
                });
                for (at, line) in lines.iter_mut().enumerate() {
                    let is_middle = at == HEIGHT / 2 && character != ' ';
                    line.push_str(if is_middle { &small } else { &blank });
                }
            }
        }
    }
    lines
}

/// How many columns a large text takes.
pub(crate) fn width(text: &str) -> usize {
    let each = text.chars().map(|character| {
        1 + match character {
            ' ' => SPACE,
            character if rows(character).is_some() => LETTER,
            other => other.to_string().width(),
        }
    });
    each.sum::<usize>().saturating_sub(STEP - LETTER)
}

/// A letter's dots, row by row. What is easily taken for another is drawn apart: 0 has a stroke through it, 1 a foot and a
/// flag, 5 and S differ in their corners, and so do 8 and B, 2 and Z.
fn rows(character: char) -> Option<[&'static str; HEIGHT]> {
    Some(match character {
        '0' => [" ### ", "#  ##", "# # #", "##  #", " ### "],
        '1' => [" ##  ", "# #  ", "  #  ", "  #  ", "#####"],
        '2' => ["#### ", "    #", " ### ", "#    ", "#####"],
        '3' => ["#### ", "    #", " ### ", "    #", "#### "],
        '4' => ["#  # ", "#  # ", "#####", "   # ", "   # "],
        '5' => ["#####", "#    ", "#### ", "    #", "#### "],
        '6' => [" ### ", "#    ", "#### ", "#   #", " ### "],
        '7' => ["#####", "    #", "   # ", "  #  ", "  #  "],
        '8' => [" ### ", "#   #", " ### ", "#   #", " ### "],
        '9' => [" ### ", "#   #", " ####", "    #", " ### "],
        'A' => [" ### ", "#   #", "#####", "#   #", "#   #"],
        'B' => ["#### ", "#   #", "#### ", "#   #", "#### "],
        'C' => [" ####", "#    ", "#    ", "#    ", " ####"],
        'D' => ["#### ", "#   #", "#   #", "#   #", "#### "],
        'E' => ["#####", "#    ", "###  ", "#    ", "#####"],
        'F' => ["#####", "#    ", "###  ", "#    ", "#    "],
        'G' => [" ####", "#    ", "#  ##", "#   #", " ### "],
        'H' => ["#   #", "#   #", "#####", "#   #", "#   #"],
        'I' => ["#####", "  #  ", "  #  ", "  #  ", "#####"],
        'J' => ["#####", "   # ", "   # ", "#  # ", " ##  "],
        'K' => ["#   #", "#  # ", "###  ", "#  # ", "#   #"],
        'L' => ["#    ", "#    ", "#    ", "#    ", "#####"],
        'M' => ["#   #", "## ##", "# # #", "#   #", "#   #"],
        'N' => ["#   #", "##  #", "# # #", "#  ##", "#   #"],
        'O' => [" ### ", "#   #", "#   #", "#   #", " ### "],
        'P' => ["#### ", "#   #", "#### ", "#    ", "#    "],
        'Q' => [" ### ", "#   #", "# # #", "#  # ", " ## #"],
        'R' => ["#### ", "#   #", "#### ", "#  # ", "#   #"],
        'S' => [" ####", "#    ", " ### ", "    #", "#### "],
        'T' => ["#####", "  #  ", "  #  ", "  #  ", "  #  "],
        'U' => ["#   #", "#   #", "#   #", "#   #", " ### "],
        'V' => ["#   #", "#   #", "#   #", " # # ", "  #  "],
        'W' => ["#   #", "#   #", "# # #", "## ##", "#   #"],
        'X' => ["#   #", " # # ", "  #  ", " # # ", "#   #"],
        'Y' => ["#   #", " # # ", "  #  ", "  #  ", "  #  "],
        'Z' => ["#####", "   # ", "  #  ", " #   ", "#####"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines as a picture, each ended where a person sees its end.
    fn drawn(text: &str) -> String {
        let lines = big(text);
        let ended = lines.iter().map(|line| format!("{line}|\n"));
        ended.collect()
    }

    #[test]
    fn digits_are_drawn() {
        insta::assert_snapshot!(drawn("012 345"));
        insta::assert_snapshot!(drawn("678 9"));
    }

    #[test]
    fn letters_are_drawn() {
        insta::assert_snapshot!(drawn("ABCDEFGHI"));
        insta::assert_snapshot!(drawn("JKLMNOPQR"));
        insta::assert_snapshot!(drawn("STUVWXYZ"));
    }

    #[test]
    fn no_two_letters_look_the_same() {
        let all: Vec<char> = ('0'..='9').chain('A'..='Z').collect();
        for (at, one) in all.iter().enumerate() {
            let drawn = rows(*one).expect("a letter");
            assert!(drawn.iter().all(|row| row.len() == LETTER), "{one}");
            for other in &all[at + 1..] {
                assert_ne!(Some(drawn), rows(*other), "{one} {other}");
            }
        }
    }

    #[test]
    fn lines_are_as_wide_as_is_said_and_lose_nothing() {
        for text in ["", "1", "12", "123 456", "W9C2D", "a-é", "1日2", " ", "  "] {
            for line in big(text) {
                assert_eq!(line.width(), width(text), "{text:?} {line:?}");
            }
        }
        assert_eq!(width("123 456"), 6 * STEP + SPACE);
        assert!(big("1日2")[2].contains('日'));
        assert_eq!(big(""), [""; HEIGHT]);
    }
}
