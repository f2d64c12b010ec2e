//! An account as a QR code, for another device's camera.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::{Clear, Widget as _};
use vmfa::account::AccountId;
use vmfa::qr::Drawing;

use super::super::wrapped;
use super::{put, styled};
use crate::command::named;
use crate::tui::board::Board;
use crate::tui::state::State;

/// Black on white whatever the theme: cameras want it so.
const INK: Style = Style::new().fg(Color::Indexed(16)).bg(Color::Indexed(231));

pub(super) fn draw(
    state: &State,
    board: &Board,
    id: &AccountId,
    drawing: &Drawing,
    frame: &mut Frame<'_>,
) {
    let area = frame.area();
    let theme = &state.theme;
    let (columns, lines) = drawing.terminal_size();
    Clear.render(area, frame.buffer_mut());
    let name = board.summary(id).map(named).unwrap_or_default();
    if columns > usize::from(area.width) || lines + 2 > usize::from(area.height) {
        // Half of it can't be scanned.
        let text = format!(
            "{name}: this terminal is too small for a QR code of {columns} columns and {} lines. Enlarge it, or \
             write a picture: vmfa qr --png FILE. Esc: back",
            lines + 2
        );
        let lines = styled(wrapped(&text, usize::from(area.width) - 1), theme.warning);
        put(&lines, 0, area, frame);
        return;
    }
    let left = area.x + (area.width - columns as u16) / 2;
    for y in 0..lines {
        for x in 0..columns {
            let block = match (drawing.is_dark(x, 2 * y), drawing.is_dark(x, 2 * y + 1)) {
                (false, false) => " ",
                (true, false) => "▀",
                (false, true) => "▄",
                (true, true) => "█",
            };
            let at = (left + x as u16, area.y + y as u16);
            if let Some(cell) = frame.buffer_mut().cell_mut(at) {
                cell.set_symbol(block).set_style(INK);
            }
        }
    }
    let foot = Rect::new(area.x + 1, area.y + lines as u16, area.width - 1, 2);
    let text = format!("{name}   Esc: take it off the screen");
    put(
        &styled(wrapped(&text, usize::from(foot.width)), theme.text),
        0,
        foot,
        frame,
    );
}
