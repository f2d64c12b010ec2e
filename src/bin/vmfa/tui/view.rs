//! How the state looks: drawn from it alone, anew each time.

mod cell;
mod dialog;
mod gate;
mod list;
mod pair;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget as _};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::text::clean;

use crate::tui::message::{Said, Tone};
use crate::tui::state::{Dialog, Stage, State};
use crate::tui::theme::Theme;

/// Draws it all.
pub(crate) fn view(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < 8 || area.height < 2 {
        // Nothing fits; what is there will be seen when there is room.
        return;
    }
    match &state.stage {
        Stage::Locked(gate) => gate::draw(state, gate, frame),
        Stage::Open(board) => {
            list::draw(state, board, frame);
            if let Some(dialog) = &board.dialog {
                dialog::draw(state, board, dialog, frame);
            }
        }
    }
    if let Some(toast) = &state.toast
        && !asks(state)
    {
        draw_toast(&state.theme, &toast.said, area, frame.buffer_mut());
    }
}

/// Whether a question stands there that nothing may lie over: where there is little room it is in the last line.
fn asks(state: &State) -> bool {
    let Stage::Open(board) = &state.stage else {
        return false;
    };
    matches!(
        board.dialog,
        Some(
            Dialog::Asks { .. }
                | Dialog::Trash {
                    erasing: Some(_),
                    ..
                }
        )
    )
}

/// How far the text that lies over the list can be scrolled.
pub(crate) fn last_scroll(state: &State) -> usize {
    let area = Rect::new(0, 0, state.size.0, state.size.1);
    let Stage::Open(board) = &state.stage else {
        return 0;
    };
    let dialog = board.dialog.as_ref();
    dialog.map_or(0, |dialog| dialog::last_scroll(state, board, dialog, area))
}

/// A tone in a word, so that no colour is needed to know it.
fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Good | Tone::Note => "",
        Tone::Warning => "warning: ",
        Tone::Error => "error: ",
    }
}

fn style_of(theme: &Theme, tone: Tone) -> Style {
    match tone {
        Tone::Good => theme.good,
        Tone::Note => theme.text,
        Tone::Warning => theme.warning,
        Tone::Error => theme.error,
    }
}

/// What is said, in lines of so many columns, the advice after it.
pub(super) fn said_lines<'a>(theme: &Theme, said: &Said, width: usize) -> Vec<Line<'a>> {
    let style = style_of(theme, said.tone);
    let mut text = format!("{}{}", word(said.tone), said.text);
    if let Some(hint) = &said.hint {
        text.push_str(&format!(" ({hint})"));
    }
    let lines = wrapped(&clean(&text), width).into_iter();
    lines
        .map(|line| Line::from(Span::styled(line, style)))
        .collect()
}

/// Over the last lines.
fn draw_toast(theme: &Theme, said: &Said, area: Rect, buffer: &mut Buffer) {
    const MOST: usize = 4;
    let width = usize::from(area.width).saturating_sub(1);
    let mut lines = said_lines(theme, said, width);
    lines.truncate(MOST.min(usize::from(area.height) - 1));
    let height = lines.len() as u16;
    let place = Rect::new(area.x, area.bottom() - height, area.width, height);
    Clear.render(place, buffer);
    for (at, line) in lines.iter().enumerate() {
        buffer.set_line(place.x + 1, place.y + at as u16, line, place.width - 1);
    }
}

/// A text in lines no wider than that, broken at spaces where there are any.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_word_bounds() {
        if !line.is_empty() && line.width() + word.trim_end().width() > width {
            lines.push(line.trim_end().to_owned());
            line = String::new();
            if word.trim().is_empty() {
                continue;
            }
        }
        if word.width() <= width {
            line.push_str(word);
            continue;
        }
        for grapheme in word.graphemes(true) {
            if line.width() + grapheme.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_never_within_a_wide_character() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one", 7), ["one"]);
        assert_eq!(wrapped("", 7), [""]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        for line in wrapped("株式会社の長い名前 and more of it", 5) {
            assert!(line.width() <= 5, "{line}");
        }
    }
}
