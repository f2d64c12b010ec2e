//! What lies over the list.

mod adding;
mod qr;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::text::clean;
use vmfa::account::{AccountId, Summary};

use super::cell::cell;
use super::{list, pair, said_lines, wrapped};
use crate::command::named;
use crate::tui::board::Board;
use crate::tui::line;
use crate::tui::message::Said;
use crate::tui::state::{Dialog, Form, Purpose, State};
use crate::tui::{help, layout};

pub(super) fn draw(state: &State, board: &Board, dialog: &Dialog, frame: &mut Frame<'_>) {
    match dialog {
        Dialog::Help { scroll } => draw_help(state, *scroll, frame),
        Dialog::Details { id, scroll } => draw_details(state, board, id, *scroll, frame),
        Dialog::Pair { id, pair } => {
            let Some(summary) = board.summary(id) else {
                return;
            };
            let room = open(state, "two codes", (76, 20), frame);
            let lines = pair::lines(&state.theme, summary, pair.as_ref(), state.now, room);
            put(&lines, 0, room, frame);
        }
        Dialog::Form(form) => draw_form(state, form, frame),
        Dialog::Add(adding) => adding::draw(state, adding, frame),
        Dialog::Groups { selected } => draw_groups(state, board, *selected, frame),
        Dialog::Trash { selected, erasing } => {
            draw_trash(state, board, *selected, erasing.is_some(), frame)
        }
        Dialog::Passphrase {
            line,
            purpose,
            said,
            is_opening,
        } => draw_passphrase(state, line, purpose, said.as_ref(), *is_opening, frame),
        Dialog::Qr { id, drawing, .. } => qr::draw(state, board, id, drawing, frame),
        Dialog::Asks { id, .. } => {
            let name = board.summary(id).map(named).unwrap_or_default();
            let room = open(state, "this account asks", (60, 6), frame);
            let width = usize::from(room.width);
            let mut question = wrapped(&format!("Give a code of {name}?"), width);
            // However long a name is, what can be answered is seen.
            question.truncate(usize::from(room.height).saturating_sub(1).max(1));
            let mut lines = styled(question, state.theme.text);
            lines.push(keys(state, &[("y", "yes"), ("n", "no")]));
            put(&lines, 0, room, frame);
        }
    }
}

/// The largest scroll of a text that shows something more: the first line of its last page. Zero for what isn't scrolled.
pub(super) fn last_scroll(state: &State, board: &Board, dialog: &Dialog, area: Rect) -> usize {
    match dialog {
        Dialog::Help { .. } => {
            let room = inside(area, HELP);
            let (width, height) = (usize::from(room.width), usize::from(room.height));
            help::help(&state.config.keymap, &state.theme, width, height, 0).last
        }
        Dialog::Details { id, .. } => board.summary(id).map_or(0, |summary| {
            let fields = details(summary, board);
            let room = inside(area, details_size(&fields));
            let lines = details_lines(state, summary, &fields, room);
            lines.len().saturating_sub(usize::from(room.height))
        }),
        Dialog::Pair { .. }
        | Dialog::Form(_)
        | Dialog::Add(_)
        | Dialog::Groups { .. }
        | Dialog::Trash { .. }
        | Dialog::Passphrase { .. }
        | Dialog::Qr { .. }
        | Dialog::Asks { .. } => 0,
    }
}

/// Whether there is so little room that a dialog takes all of it and has no frame.
fn is_small(area: Rect) -> bool {
    area.width < 48 || area.height < 14
}

/// Where a box stands, frame included.
fn place(area: Rect, wanted: (u16, u16)) -> Rect {
    layout::middle((area.width, area.height), (wanted.0 + 4, wanted.1 + 2))
}

/// The room for what a dialog says.
fn inside(area: Rect, wanted: (u16, u16)) -> Rect {
    let outer = if is_small(area) {
        Rect::new(area.x, area.y, area.width, area.height + 1)
    } else {
        let place = place(area, wanted);
        Rect::new(
            place.x + 1,
            place.y,
            place.width.saturating_sub(2),
            place.height,
        )
    };
    Rect::new(
        outer.x + 1,
        outer.y + 1,
        outer.width.saturating_sub(2),
        outer.height.saturating_sub(2),
    )
}

/// A box in the middle with a title; what is inside. Where there is little room, it takes all of it and has no frame.
fn open(state: &State, title: &str, wanted: (u16, u16), frame: &mut Frame<'_>) -> Rect {
    let theme = &state.theme;
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if is_small(area) {
        Clear.render(area, buffer);
        let title = Line::styled(format!(" {title}"), theme.heading);
        buffer.set_line(area.x, area.y, &title, area.width);
    } else {
        let place = place(area, wanted);
        clear(place, buffer);
        Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(theme.border)
            .title(Span::styled(format!(" {title} "), theme.heading))
            .render(place, buffer);
    }
    inside(area, wanted)
}

/// Makes room in what is drawn already. A wide character whose second half lies under it goes as a whole.
fn clear(place: Rect, buffer: &mut Buffer) {
    Clear.render(place, buffer);
    let Some(before) = place.x.checked_sub(1) else {
        return;
    };
    for y in place.y..place.bottom() {
        if let Some(cell) = buffer.cell_mut((before, y))
            && cell.symbol().width() > 1
        {
            cell.set_symbol(" ");
        }
    }
}

/// Lines from one on; never beyond the last page.
fn put(lines: &[Line<'_>], scroll: usize, room: Rect, frame: &mut Frame<'_>) {
    let height = usize::from(room.height);
    let first = scroll.min(lines.len().saturating_sub(height));
    for (at, line) in lines.iter().skip(first).take(height).enumerate() {
        frame
            .buffer_mut()
            .set_line(room.x, room.y + at as u16, line, room.width);
    }
}

fn styled<'a>(lines: Vec<String>, style: Style) -> Vec<Line<'a>> {
    lines
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect()
}

/// Keys and what they do.
fn keys<'a>(state: &State, keys: &[(&'a str, &'a str)]) -> Line<'a> {
    let mut spans = Vec::new();
    for (at, (key, what)) in keys.iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(*key, state.theme.key));
        spans.push(Span::styled(format!(" {what}"), state.theme.hint));
    }
    Line::from(spans)
}

/// Columns and lines of the help, where there is room for them.
const HELP: (u16, u16) = (76, 40);

fn draw_help(state: &State, scroll: usize, frame: &mut Frame<'_>) {
    let room = open(state, "keys", HELP, frame);
    let (width, height) = (usize::from(room.width), usize::from(room.height));
    let page = help::help(&state.config.keymap, &state.theme, width, height, scroll);
    put(&page.lines, 0, room, frame);
    if scroll < page.last {
        let more = Line::styled("↓ more", state.theme.key);
        let (x, y) = (
            room.right().saturating_sub(6),
            room.bottom().saturating_sub(1),
        );
        frame.buffer_mut().set_line(x, y, &more, 6);
    }
}

fn draw_details(
    state: &State,
    board: &Board,
    id: &AccountId,
    scroll: usize,
    frame: &mut Frame<'_>,
) {
    let Some(summary) = board.summary(id) else {
        return;
    };
    let fields = details(summary, board);
    let room = open(state, "details", details_size(&fields), frame);
    let lines = details_lines(state, summary, &fields, room);
    put(&lines, scroll, room, frame);
}

type Fields = Vec<(&'static str, String)>;

fn details_size(fields: &Fields) -> (u16, u16) {
    (76, fields.len() as u16 + 6)
}

fn details_lines<'a>(
    state: &State,
    summary: &Summary,
    fields: &Fields,
    room: Rect,
) -> Vec<Line<'a>> {
    const NAMES: usize = 14;
    let theme = &state.theme;
    let width = usize::from(room.width).saturating_sub(NAMES);
    let mut lines = vec![Line::styled(named(summary), theme.heading), Line::default()];
    for (name, value) in fields {
        for (at, part) in wrapped(&clean(value), width).into_iter().enumerate() {
            let name = if at == 0 { *name } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<NAMES$}"), theme.faint),
                Span::styled(part, theme.text),
            ]));
        }
    }
    lines.push(Line::default());
    lines.push(keys(
        state,
        &[("e", "edit"), ("Enter", "copy the code"), ("Esc", "back")],
    ));
    lines
}

fn details(summary: &Summary, board: &Board) -> Fields {
    let mut fields = crate::command::show::fields(summary, None);
    let uses = board.uses.count(&summary.id);
    if uses > 0 {
        fields.push(("copied", format!("{uses} times from here")));
    }
    fields
}

fn draw_form(state: &State, form: &Form, frame: &mut Frame<'_>) {
    const NAMES: usize = 14;
    let room = open(state, "edit", (76, 12), frame);
    let theme = &state.theme;
    let width = usize::from(room.width);
    let input = width.saturating_sub(NAMES);
    let mut lines = vec![Line::styled(clean(&form.label).into_owned(), theme.heading)];
    let mut cursor = None;
    for (at, (name, typed)) in Form::NAMES.iter().zip(&form.lines).enumerate() {
        let (text, column) = typed.window(input);
        let is_here = at == form.at;
        if is_here {
            cursor = Some((NAMES + column, lines.len()));
        }
        lines.push(Line::from(vec![
            Span::styled(
                format!(
                    "{}{name:<width$}",
                    if is_here { "> " } else { "  " },
                    width = NAMES - 2
                ),
                if is_here { theme.key } else { theme.faint },
            ),
            Span::styled(clean(text).into_owned(), theme.input),
        ]));
    }
    let is_here = form.at == Form::FIELDS;
    let mark = if form.confirm { "[x]" } else { "[ ]" };
    lines.push(Line::from(vec![
        Span::styled(if is_here { "> " } else { "  " }, theme.key),
        Span::styled(format!("{mark} asks before each code"), theme.text),
    ]));
    if let Some(said) = &form.said {
        lines.extend(said_lines(theme, said, width));
    }
    lines.push(if form.is_saving {
        Line::styled("saving …", theme.faint)
    } else {
        keys(
            state,
            &[
                ("Tab", "next"),
                ("Space", "tick"),
                ("^S", "save"),
                ("Esc", "leave it"),
            ],
        )
    });
    put(&lines, 0, room, frame);
    if let Some((column, line)) = cursor {
        put_cursor(room, column, line, frame);
    }
}

fn put_cursor(room: Rect, column: usize, line: usize, frame: &mut Frame<'_>) {
    let at = Position::new(
        room.x.saturating_add(column as u16),
        room.y.saturating_add(line as u16),
    );
    if room.contains(at) {
        frame.set_cursor_position(at);
    }
}

/// A list in a box, scrolled so that the chosen line is seen.
fn draw_choice(
    state: &State,
    title: &str,
    rows: Vec<String>,
    selected: usize,
    foot: Line<'_>,
    frame: &mut Frame<'_>,
) {
    let room = open(state, title, (60, rows.len().min(40) as u16 + 1), frame);
    let height = usize::from(room.height).saturating_sub(1).max(1);
    let first = (selected + 1).saturating_sub(height);
    for (at, row) in rows.iter().enumerate().skip(first).take(height) {
        let is_selected = at == selected;
        let y = room.y + (at - first) as u16;
        let mut spans = vec![Span::styled(
            if is_selected { "> " } else { "  " },
            state.theme.key,
        )];
        let width = usize::from(room.width).saturating_sub(2);
        spans.extend(cell(row, &[], state.theme.text, state.theme.text, width));
        frame
            .buffer_mut()
            .set_line(room.x, y, &Line::from(spans), room.width);
        if is_selected {
            let place = Rect::new(room.x, y, room.width, 1);
            frame.buffer_mut().set_style(place, state.theme.selected);
        }
    }
    let y = room.y + room.height.saturating_sub(1);
    frame.buffer_mut().set_line(room.x, y, &foot, room.width);
}

fn draw_groups(state: &State, board: &Board, selected: usize, frame: &mut Frame<'_>) {
    let mut rows = vec![format!("all accounts  {}", board.live.len())];
    let groups = board.groups();
    rows.extend(
        groups
            .iter()
            .map(|(group, count)| format!("{}  {count}", list::group_name(group))),
    );
    let foot = keys(state, &[("Enter", "show"), ("Esc", "back")]);
    draw_choice(state, "groups", rows, selected, foot, frame);
}

fn draw_trash(state: &State, board: &Board, selected: usize, erasing: bool, frame: &mut Frame<'_>) {
    let rows = board.trash.iter().map(named).collect();
    let foot = if erasing {
        let text = "Erase it and its secret for good? y/N";
        Line::styled(text, state.theme.warning)
    } else {
        keys(
            state,
            &[
                ("Enter", "bring back"),
                ("x", "erase for good"),
                ("Esc", "back"),
            ],
        )
    };
    draw_choice(state, "trash", rows, selected, foot, frame);
}

fn draw_passphrase(
    state: &State,
    typed: &line::Line,
    purpose: &Purpose,
    said: Option<&Said>,
    is_opening: bool,
    frame: &mut Frame<'_>,
) {
    let room = open(state, "passphrase", (64, 7), frame);
    let theme = &state.theme;
    let width = usize::from(room.width);
    let what = match purpose {
        Purpose::Qr(_) => "A QR code shows the secret: the passphrase is asked for each time.",
        Purpose::Job(_) => {
            "The agent gives codes and changes nothing: the vault itself must be opened for this."
        }
    };
    let mut lines = styled(wrapped(what, width), theme.text);
    if let Some(said) = said {
        lines.extend(said_lines(theme, said, width));
    }
    let mut cursor = None;
    if is_opening {
        lines.push(Line::styled("opening …", theme.text));
    } else {
        let question = "Passphrase: ";
        let marks = typed
            .graphemes()
            .min(width.saturating_sub(question.len() + 1));
        cursor = Some((question.len() + marks, lines.len()));
        lines.push(Line::from(vec![
            Span::styled(question, theme.text),
            Span::styled("•".repeat(marks), theme.input),
        ]));
    }
    lines.push(keys(state, &[("Enter", "open"), ("Esc", "leave it")]));
    put(&lines, 0, room, frame);
    if let Some((column, line)) = cursor {
        put_cursor(room, column, line, frame);
    }
}
