//! Where things are on a screen of so many columns and lines: one truth for drawing and for the mouse.

use ratatui::layout::Rect;

/// From so many lines on, the columns have heads.
const HEADED: u16 = 16;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) header: Rect,
    /// Without lines where there is no room.
    pub(crate) heads: Rect,
    pub(crate) list: Rect,
    pub(crate) footer: Rect,
}

pub(crate) fn parts((width, height): (u16, u16)) -> Parts {
    let line = |y: u16, lines: u16| {
        let y = y.min(height);
        Rect::new(0, y, width, lines.min(height - y))
    };
    let heads = u16::from(height >= HEADED);
    let footer = u16::from(height >= 3);
    let list = height.saturating_sub(1 + heads + footer);
    Parts {
        header: line(0, 1),
        heads: line(1, heads),
        list: line(1 + heads, list),
        footer: line(1 + heads + list, footer),
    }
}

/// How many accounts are on the screen at once.
pub(crate) fn list_lines(size: (u16, u16)) -> usize {
    usize::from(parts(size).list.height)
}

/// Which line of the list the mouse is at.
pub(crate) fn list_line_at(size: (u16, u16), column: u16, row: u16) -> Option<usize> {
    let list = parts(size).list;
    list.contains((column, row).into())
        .then(|| usize::from(row - list.y))
}

/// A box in the middle, as large as wanted and possible.
pub(crate) fn middle((width, height): (u16, u16), wanted: (u16, u16)) -> Rect {
    let (w, h) = (wanted.0.min(width), wanted.1.min(height));
    Rect::new((width - w) / 2, (height - h) / 2, w, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_every_screen_and_overlap_nowhere() {
        for width in [0, 1, 40, 200] {
            for height in 0..80 {
                let parts = parts((width, height));
                let all = [parts.header, parts.heads, parts.list, parts.footer];
                let lines: u16 = all.iter().map(|part| part.height).sum();
                assert_eq!(lines, height, "{parts:?}");
                assert!(all.windows(2).all(|two| two[0].bottom() == two[1].y));
            }
        }
        assert_eq!(list_lines((40, 10)), 8);
        assert_eq!(list_lines((80, 24)), 21);
        assert_eq!(list_line_at((80, 24), 3, 2), Some(0));
        assert_eq!(list_line_at((80, 24), 3, 1), None);
        assert_eq!(list_line_at((80, 24), 3, 23), None);
    }
}
