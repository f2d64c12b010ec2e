//! Texts in columns: cut to a width, padded to it, with the letters marked that a search found.

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::text::clean;

/// A text in a column of so many columns, cut with an ellipsis where it is longer, never within a wide character. The text is
/// cleaned here, whatever it comes from. `marks` are numbers of graphemes, ascending.
pub(super) fn cell<'a>(
    text: &str,
    marks: &[usize],
    style: Style,
    marked: Style,
    width: usize,
) -> Vec<Span<'a>> {
    let text = clean(text);
    let is_cut = text.width() > width;
    let room = if is_cut {
        width.saturating_sub(1)
    } else {
        width
    };
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut run = String::new();
    let mut is_marked_run = false;
    let mut used = 0;
    for (number, grapheme) in text.graphemes(true).enumerate() {
        if used + grapheme.width() > room {
            break;
        }
        used += grapheme.width();
        let is_marked = marks.binary_search(&number).is_ok();
        if is_marked != is_marked_run && !run.is_empty() {
            let style = if is_marked_run {
                style.patch(marked)
            } else {
                style
            };
            spans.push(Span::styled(std::mem::take(&mut run), style));
        }
        is_marked_run = is_marked;
        run.push_str(grapheme);
    }
    if !run.is_empty() {
        let style = if is_marked_run {
            style.patch(marked)
        } else {
            style
        };
        spans.push(Span::styled(run, style));
    }
    if is_cut && width > 0 {
        spans.push(Span::styled("…", style));
        used += 1;
    }
    if used < width {
        spans.push(Span::raw(" ".repeat(width - used)));
    }
    spans
}

/// A code as people read it aloud: in two halves, three and three for six digits; five letters stay together.
pub(super) fn grouped(code: &str) -> String {
    // Characters, not bytes: what stands in the place of a code that is hidden, or not here yet, is no ASCII.
    let count = code.chars().count();
    if count < 6 {
        return code.to_owned();
    }
    let mut characters = code.chars();
    let first: String = characters.by_ref().take(count / 2).collect();
    format!("{first} {}", characters.as_str())
}

/// How wide a code of so many characters is when it is grouped.
pub(super) fn grouped_width(digits: usize) -> usize {
    if digits < 6 { digits } else { digits + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, width: usize) -> String {
        let spans = cell(text, &[], Style::new(), Style::new(), width);
        spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn a_cell_is_as_wide_as_it_is_to_be() {
        for (text, width, expected) in [
            ("abc", 5, "abc  "),
            ("abcdef", 5, "abcd…"),
            ("株式会社", 8, "株式会社"),
            ("株式会社", 7, "株式会…"),
            ("株式会社", 6, "株式… "),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("abc", 0, ""),
            ("a\u{202e}b", 4, "a\u{fffd}b "),
        ] {
            let got = shown(text, width);
            assert_eq!(got.width(), width, "{text:?} in {width}: {got:?}");
            if !expected.contains('\u{fffd}') {
                assert_eq!(got, expected);
            }
        }
    }

    #[test]
    fn marks_split_the_text_and_lose_nothing() {
        let marked = Style::new().underlined();
        let spans = cell("github", &[0, 1, 3], Style::new(), marked, 6);
        let parts: Vec<_> = spans
            .iter()
            .map(|span| (span.content.as_ref(), span.style == marked))
            .collect();
        assert_eq!(
            parts,
            [("gi", true), ("t", false), ("h", true), ("ub", false)]
        );
    }

    #[test]
    fn codes_are_grouped_in_halves() {
        for (code, expected) in [
            ("123456", "123 456"),
            ("12345678", "1234 5678"),
            ("1234567", "123 4567"),
            ("1234567890", "12345 67890"),
            ("RT2BC", "RT2BC"),
            ("1234", "1234"),
            ("·····", "·····"),
            ("·······", "··· ····"),
            ("••••••", "••• •••"),
        ] {
            assert_eq!(grouped(code), expected);
            assert_eq!(grouped(code).width(), grouped_width(code.width()));
        }
    }
}
