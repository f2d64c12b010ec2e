//! Adding accounts: where from, what is typed, what was found.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::text::clean;

use super::super::cell::cell;
use super::super::{said_lines, wrapped};
use super::{keys, open, put, put_cursor, styled};
use crate::tui::message::RowKind;
use crate::tui::state::{AddStep, Adding, State};

pub(super) fn draw(state: &State, adding: &Adding, frame: &mut Frame<'_>) {
    let room = open(state, "add accounts", (76, 16), frame);
    let theme = &state.theme;
    let width = usize::from(room.width);
    let mut lines = Vec::new();
    let mut cursor = None;
    if let Some(said) = &adding.said {
        lines.extend(said_lines(theme, said, width));
    }
    match &adding.step {
        AddStep::Choose(at) => {
            for (way, (what, key)) in AddStep::WAYS.iter().enumerate() {
                let mark = if way == *at { "> " } else { "  " };
                lines.push(Line::from(vec![
                    Span::styled(format!("{mark}{key}  "), theme.key),
                    Span::styled(*what, theme.text),
                ]));
            }
            lines.push(Line::default());
            let text = "Pasting here works too. Other apps' exports: vmfa import FILE";
            lines.extend(styled(wrapped(text, width), theme.faint));
        }
        AddStep::Type { name, secret, at } => {
            const NAMES: usize = 16;
            for (which, what, typed) in [(0, "name", name), (1, "URI or secret", secret)] {
                let is_here = which == *at;
                let input = width.saturating_sub(NAMES);
                let (shown, column) = if which == 0 {
                    let (text, column) = typed.window(input);
                    (clean(text).into_owned(), column)
                } else {
                    // Who stands behind doesn't read it.
                    let marks = typed.graphemes().min(input.saturating_sub(1));
                    ("•".repeat(marks), marks)
                };
                if is_here {
                    cursor = Some((NAMES + column, lines.len()));
                }
                lines.push(Line::from(vec![
                    Span::styled(
                        format!(
                            "{}{what:<w$}",
                            if is_here { "> " } else { "  " },
                            w = NAMES - 2
                        ),
                        if is_here { theme.key } else { theme.faint },
                    ),
                    Span::styled(shown, theme.input),
                ]));
            }
            lines.push(Line::default());
            let text =
                "A URI (otpauth://…) brings its name along; a secret needs one: ISSUER:NAME.";
            lines.extend(styled(wrapped(text, width), theme.faint));
            lines.push(keys(
                state,
                &[("Tab", "other field"), ("Enter", "look"), ("Esc", "back")],
            ));
        }
        AddStep::Path(typed) => {
            const NAMES: usize = 9;
            let (text, column) = typed.window(width.saturating_sub(NAMES));
            cursor = Some((NAMES + column, lines.len()));
            lines.push(Line::from(vec![
                Span::styled("picture  ", theme.faint),
                Span::styled(clean(text).into_owned(), theme.input),
            ]));
            lines.push(keys(state, &[("Enter", "look"), ("Esc", "back")]));
        }
        AddStep::Looking => lines.push(Line::styled("looking …", theme.text)),
        AddStep::Saving => lines.push(Line::styled("saving …", theme.text)),
        AddStep::Found(rows) => {
            let count = rows
                .iter()
                .filter(|row| row.kind == RowKind::Wanted)
                .count();
            let most = usize::from(room.height).saturating_sub(3).max(1);
            for row in rows.iter().take(most) {
                let (mark, style) = match row.kind {
                    RowKind::Wanted => ("+ ", theme.text),
                    RowKind::Refused => ("not: ", theme.warning),
                    RowKind::Remark => ("  ", theme.faint),
                };
                let mut line = vec![Span::styled(mark, theme.key)];
                line.extend(cell(
                    &row.text,
                    &[],
                    style,
                    style,
                    width.saturating_sub(mark.width()),
                ));
                lines.push(Line::from(line));
            }
            if rows.len() > most {
                lines.push(Line::styled(
                    format!("and {} more", rows.len() - most),
                    theme.faint,
                ));
            }
            lines.push(if count > 0 {
                keys(state, &[("Enter", "add"), ("n", "leave it")])
            } else {
                keys(state, &[("Esc", "back")])
            });
        }
    }
    put(&lines, 0, room, frame);
    if let Some((column, line)) = cursor {
        put_cursor(room, column, line, frame);
    }
}
