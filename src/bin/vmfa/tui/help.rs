//! What keys do, as text: the help, and the line of hints below the list.

#[cfg(test)]
mod tests;

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::tui::action::{ACTIONS, Action, Row};
use crate::tui::keys::{Key, Keymap};
use crate::tui::theme::Theme;

/// What belongs together in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Codes,
    Accounts,
    List,
    Other,
}

const GROUPS: [(Group, &str); 4] = [
    (Group::Codes, "Codes"),
    (Group::Accounts, "Accounts"),
    (Group::List, "List"),
    (Group::Other, "Other"),
];

impl Group {
    fn of(action: Action) -> Self {
        match action {
            Action::Copy | Action::CopyNext | Action::Reveal | Action::Pair | Action::Privacy => {
                Self::Codes
            }
            Action::Details
            | Action::Add
            | Action::Edit
            | Action::Favorite
            | Action::Qr
            | Action::Delete
            | Action::Undo
            | Action::Trash => Self::Accounts,
            Action::Search
            | Action::Group
            | Action::Sort
            | Action::Down
            | Action::Up
            | Action::PageDown
            | Action::PageUp
            | Action::Top
            | Action::Bottom => Self::List,
            Action::Lock | Action::Help | Action::Suspend | Action::Redraw | Action::Quit => {
                Self::Other
            }
        }
    }
}

/// Two columns stand side by side from here on; each is as wide as one can be read without losing the line.
const COLUMN: usize = 64;
const GAP: usize = 4;

/// The lines of the help that are seen, and how far it can be scrolled.
pub(crate) struct Page {
    pub(crate) lines: Vec<Line<'static>>,
    /// A larger `scroll` shows nothing more; 0 where all is seen.
    pub(crate) last: usize,
}

/// The help for the keys as they are, in an area of so many columns and lines, from the line `scroll` on.
pub(crate) fn help(
    keymap: &Keymap,
    theme: &Theme,
    width: usize,
    height: usize,
    scroll: usize,
) -> Page {
    let sections = GROUPS.map(|(group, title)| (title, rows_of(keymap, group)));
    let all = if width >= 2 * COLUMN + GAP {
        let [codes, accounts, list, other] = sections;
        side_by_side(
            section_lines(theme, COLUMN, &[codes, accounts]),
            section_lines(theme, COLUMN, &[list, other]),
        )
    } else {
        section_lines(theme, width, &sections)
    };
    let last = all.len().saturating_sub(height);
    let from = scroll.min(last);
    let lines = all.into_iter().skip(from).take(height).collect();
    Page { lines, last }
}

/// The keys of a group's actions, and what they do. An action without a key can't be done, and isn't told.
fn rows_of(keymap: &Keymap, group: Group) -> Vec<(String, &'static str)> {
    let of_group = ACTIONS.iter().filter(|row| Group::of(row.action) == group);
    let rows = of_group.map(|row| {
        let keys: Vec<String> = keymap.keys(row.action).map(Key::shown).collect();
        (keys.join(" "), row.help)
    });
    rows.filter(|(keys, _)| !keys.is_empty()).collect()
}

type Section = (&'static str, Vec<(String, &'static str)>);

/// Sections one below the other, the keys in a column of their own where there is room for one.
fn section_lines(theme: &Theme, width: usize, sections: &[Section]) -> Vec<Line<'static>> {
    let rows = sections.iter().flat_map(|(_, rows)| rows);
    // A person's own keys may be many: they don't push the words out.
    let widest = rows.map(|(keys, _)| keys.width()).max().unwrap_or(0);
    let keys_width = widest.min(width / 3).max(1);
    let mut lines = Vec::new();
    for (title, rows) in sections {
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(Span::styled((*title).to_owned(), theme.heading)));
        for (keys, help) in rows {
            let keys = broken(keys, keys_width);
            let words = broken(help, width.saturating_sub(keys_width + 2).max(1));
            for at in 0..keys.len().max(words.len()) {
                let part = |parts: &[String]| parts.get(at).cloned().unwrap_or_default();
                let (keys, words) = (part(&keys), part(&words));
                let gap = " ".repeat(keys_width.saturating_sub(keys.width()) + 2);
                lines.push(Line::from(vec![
                    Span::styled(keys, theme.key),
                    Span::raw(gap),
                    Span::styled(words, theme.text),
                ]));
            }
        }
    }
    lines
}

/// A text in lines of so many columns, broken at spaces; a word that is longer by itself stands out, and is cut by whoever
/// draws it.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn side_by_side(left: Vec<Line<'static>>, right: Vec<Line<'static>>) -> Vec<Line<'static>> {
    let count = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let lines = (0..count).map(|_| {
        let mut line = left.next().unwrap_or_default();
        if let Some(other) = right.next() {
            let gap = (COLUMN + GAP).saturating_sub(line.width());
            line.spans.push(Span::raw(" ".repeat(gap)));
            line.spans.extend(other.spans);
        }
        line
    });
    lines.collect()
}

/// The keys for these actions in one line of at most so many columns: the first ones that fit, whole.
pub(crate) fn hints(
    keymap: &Keymap,
    theme: &Theme,
    width: usize,
    actions: &[Action],
) -> Line<'static> {
    const BETWEEN: &str = "  ";
    let mut line = Line::default();
    let mut used = 0;
    for action in actions {
        let key = keymap.shown(*action);
        let Some(Row { hint, .. }) = ACTIONS.iter().find(|row| row.action == *action) else {
            continue;
        };
        if key.is_empty() {
            continue;
        }
        let between = if used == 0 { "" } else { BETWEEN };
        let more = between.width() + key.width() + 1 + hint.width();
        if used + more > width {
            break;
        }
        used += more;
        line.spans.extend([
            Span::raw(between),
            Span::styled(key, theme.key),
            Span::raw(" "),
            Span::styled(*hint, theme.hint),
        ]);
    }
    line
}
