//! Before the accounts: the passphrase, or why there is nothing to see.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vmfa::account::text::clean;

use super::{said_lines, wrapped};
use crate::tui::state::{Gate, GateStep, State};

pub(super) fn draw(state: &State, gate: &Gate, frame: &mut Frame<'_>) {
    let theme = &state.theme;
    let area = frame.area();
    let width = usize::from(area.width).saturating_sub(4).min(72);
    let mut lines = vec![Line::from(vec![
        Span::styled("vmfa", theme.heading),
        Span::styled(format!("  {}", clean(&state.vault_name)), theme.faint),
    ])];
    lines.push(Line::default());
    if let Some(said) = &gate.said {
        lines.extend(said_lines(theme, said, width));
    }
    let mut cursor = None;
    match gate.step {
        GateStep::Opening => lines.push(Line::styled("opening …", theme.text)),
        GateStep::Asleep => lines.push(Line::styled("locked: press any key", theme.text)),
        GateStep::Shut => {
            lines.extend(
                wrapped("Enter tries again, Esc leaves", width)
                    .into_iter()
                    .map(Line::from),
            );
        }
        GateStep::Asking => {
            let question = "Passphrase: ";
            // One mark a character, so that a missing key is noticed; as long as there is room.
            let marks = gate
                .line
                .graphemes()
                .min(width.saturating_sub(question.len() + 1));
            cursor = Some((question.len() + marks, lines.len()));
            lines.push(Line::from(vec![
                Span::styled(question, theme.text),
                Span::styled("•".repeat(marks), theme.input),
            ]));
            lines.push(Line::styled("Enter opens, Esc leaves", theme.faint));
        }
    }
    let top = usize::from(area.height).saturating_sub(lines.len()) / 3;
    for (at, line) in lines.iter().enumerate() {
        let y = area.y + (top + at) as u16;
        if y < area.bottom() {
            frame
                .buffer_mut()
                .set_line(area.x + 2, y, line, area.width.saturating_sub(3));
        }
    }
    if let Some((column, line)) = cursor {
        let at = Rect::new(
            area.x + 2 + column as u16,
            area.y + (top + line) as u16,
            1,
            1,
        );
        if area.contains(at.as_position()) {
            frame.set_cursor_position(at.as_position());
        }
    }
}
