//! The list of accounts.

mod columns;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::Summary;
use vmfa::account::text::clean;

use self::columns::Columns;
use super::wrapped;
use crate::command::counted;
use crate::tui::action::Action;
use crate::tui::board::{Board, Group};
use crate::tui::config::Sort;
use crate::tui::help;
use crate::tui::layout::{self, Parts};
use crate::tui::message::Source;
use crate::tui::state::State;
use crate::tui::theme::Theme;

pub(super) fn draw(state: &State, board: &Board, frame: &mut Frame<'_>) {
    let parts = layout::parts((frame.area().width, frame.area().height));
    draw_header(state, board, &parts, frame);
    let lines = usize::from(parts.list.height);
    let visible: Vec<&Summary> = board
        .shown
        .iter()
        .skip(board.top)
        .take(lines)
        .map(|index| &board.live[*index])
        .collect();
    let columns = Columns::of(usize::from(parts.list.width), &visible);
    if parts.heads.height > 0 {
        let line = columns.heads(&state.theme);
        let heads = parts.heads;
        frame
            .buffer_mut()
            .set_line(heads.x, heads.y, &line, heads.width);
    }
    for (at, summary) in visible.iter().enumerate() {
        let is_selected = board.top + at == board.selected;
        let line = columns.row(state, board, summary, is_selected);
        let row = Rect::new(parts.list.x, parts.list.y + at as u16, parts.list.width, 1);
        frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
        if is_selected {
            frame.buffer_mut().set_style(row, state.theme.selected);
        }
    }
    if visible.is_empty() {
        let text = if board.live.is_empty() {
            let key = state.config.keymap.shown(Action::Add);
            format!("No accounts yet: {key} brings the first one in")
        } else {
            "nothing matches; Esc shows all".to_owned()
        };
        let row = parts.list;
        let width = row.width.saturating_sub(3);
        let lines = wrapped(&text, usize::from(width));
        for (y, line) in (row.y..row.bottom()).zip(lines) {
            let line = Line::styled(line, state.theme.faint);
            frame.buffer_mut().set_line(row.x + 2, y, &line, width);
        }
    }
    draw_footer(state, &parts, frame);
}

/// What is shown of how many; while a person searches, what is searched for.
fn draw_header(state: &State, board: &Board, parts: &Parts, frame: &mut Frame<'_>) {
    let theme = &state.theme;
    let area = parts.header;
    let width = usize::from(area.width);
    let count = if board.shown.len() == board.live.len() {
        counted(board.live.len(), "account")
    } else {
        format!("{} of {}", board.shown.len(), board.live.len())
    };
    if board.is_searching || !board.query.is_empty() {
        let right = count.width() + 2;
        let room = width.saturating_sub(right + 2).max(1);
        let (text, column) = board.query.window(room);
        let line = Line::from(vec![
            Span::styled("/", theme.key),
            Span::styled(clean(text).into_owned(), theme.input),
        ]);
        frame
            .buffer_mut()
            .set_line(area.x, area.y, &line, area.width);
        put_right(frame, area, &count, theme);
        if board.is_searching {
            frame.set_cursor_position((area.x + 1 + column as u16, area.y));
        }
        return;
    }
    let mut line = vec![
        Span::styled(" vmfa", theme.heading),
        Span::styled(format!("  {count}"), theme.text),
    ];
    if let Some(group) = &board.group {
        line.push(Span::styled(format!("  {}", group_name(group)), theme.tag));
    }
    let sort = match board.sort {
        Sort::Name => None,
        Sort::Use => Some("by use"),
        Sort::Recent => Some("by time"),
    };
    for word in sort.into_iter().chain(board.privacy.then_some("hidden")) {
        line.push(Span::styled(format!("  {word}"), theme.faint));
    }
    let source = match (state.saving, board.source) {
        (0, Source::Agent) => "agent",
        (0, Source::Vault) => "vault",
        (_, Source::Agent | Source::Vault) => "saving …",
    };
    // What is on the right isn't written over; where there is no room for it, it goes.
    let right = if width >= 36 { source.width() + 2 } else { 0 };
    let room = area.width.saturating_sub(right as u16);
    frame
        .buffer_mut()
        .set_line(area.x, area.y, &Line::from(line), room);
    if right > 0 {
        put_right(frame, area, source, theme);
    }
}

fn put_right(frame: &mut Frame<'_>, area: Rect, text: &str, theme: &Theme) {
    let width = text.width() as u16;
    if width + 1 < area.width {
        let x = area.right() - width - 1;
        let line = Line::styled(text.to_owned(), theme.faint);
        frame.buffer_mut().set_line(x, area.y, &line, width + 1);
    }
}

pub(super) fn group_name(group: &Group) -> String {
    match group {
        Group::Favorites => "favourites".into(),
        Group::Tag(tag) => clean(tag).into_owned(),
        Group::AwsAccount(id) => format!("AWS {id}"),
    }
}

fn draw_footer(state: &State, parts: &Parts, frame: &mut Frame<'_>) {
    let area = parts.footer;
    if area.height == 0 {
        return;
    }
    if let Some(board) = state.board().filter(|board| board.is_searching) {
        let what = if board.selected().is_some() {
            "Enter copy  "
        } else {
            ""
        };
        let text = format!("{what}↑↓ choose  Tab keys  Esc all");
        let line = Line::styled(text, state.theme.hint);
        frame
            .buffer_mut()
            .set_line(area.x, area.y, &line, area.width);
        return;
    }
    const HINTS: &[Action] = &[
        Action::Help,
        Action::Copy,
        Action::Search,
        Action::Pair,
        Action::Add,
        Action::Qr,
        Action::Edit,
        Action::Delete,
        Action::Undo,
        Action::Group,
        Action::Sort,
        Action::Privacy,
        Action::Details,
        Action::Favorite,
        Action::Trash,
        Action::Lock,
        Action::Quit,
    ];
    let line = help::hints(
        &state.config.keymap,
        &state.theme,
        usize::from(area.width),
        HINTS,
    );
    frame
        .buffer_mut()
        .set_line(area.x, area.y, &line, area.width);
}
