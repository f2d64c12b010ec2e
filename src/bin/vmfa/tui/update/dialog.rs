//! What lies over the list: each dialog's keys.

mod adding;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use vmfa::account::AccountId;

use super::list;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::line::Line;
use crate::tui::message::{Change, Edited, Effect, Fields, Find, Job, Said, Yes};
use crate::tui::state::{Dialog, Form, Purpose, Stage, State};

pub(super) fn on_key(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    let action = state.config.keymap.action(key);
    // What was said before has been read, and lies over the dialog's last lines where there is little room.
    state.toast = None;
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    let Some(dialog) = board.dialog.take() else {
        return Vec::new();
    };
    let (kept, then) = match dialog {
        Dialog::Help { scroll } => on_text(key, scroll, |scroll| Dialog::Help { scroll }),
        Dialog::Details { id, scroll } => match action {
            Some(Action::Edit) => match board.summary(&id) {
                Some(summary) => (
                    Some(Dialog::Form(Box::new(Form::of(summary)))),
                    Then::Nothing,
                ),
                None => CLOSE,
            },
            // The one that is looked at: the list may have another one chosen by now.
            Some(Action::Copy) => (Some(Dialog::Details { id, scroll }), Then::Copy(id)),
            _ => on_text(key, scroll, |scroll| Dialog::Details { id, scroll }),
        },
        Dialog::Pair { id, pair } => match key.code {
            KeyCode::Char('r') => {
                let job = Job::Pair {
                    id,
                    yes: Yes::NotAsked,
                };
                (Some(Dialog::Pair { id, pair: None }), Then::Do(job))
            }
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 'p') => CLOSE,
            _ => (Some(Dialog::Pair { id, pair }), Then::Nothing),
        },
        Dialog::Qr { id, drawing, until } => match key.code {
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | ' ') => CLOSE,
            _ => (Some(Dialog::Qr { id, drawing, until }), Then::Nothing),
        },
        Dialog::Asks { id, job } => match key.code {
            KeyCode::Char('y' | 'Y') => (None, job.map_or(Then::Nothing, Then::Do)),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc | KeyCode::Enter => {
                (None, Then::Say(Said::note("no code was given")))
            }
            _ => (Some(Dialog::Asks { id, job }), Then::Nothing),
        },
        Dialog::Groups { selected } => groups(board, key, action, selected),
        Dialog::Trash { selected, erasing } => trash(board, key, action, selected, erasing),
        Dialog::Passphrase {
            line,
            purpose,
            said,
            is_opening,
        } => passphrase(board, key, line, purpose, said, is_opening),
        Dialog::Form(form) => on_form(key, form),
        Dialog::Add(adding) => adding::on_key(key, adding),
    };
    board.dialog = kept;
    match then {
        Then::Find(find) => {
            state.searches += 1;
            let search = state.searches;
            if let Some(Dialog::Add(adding)) = &mut board.dialog {
                adding.search = search;
            }
            vec![Effect::Do(Job::Find(search, find))]
        }
        Then::Nothing => Vec::new(),
        Then::Say(said) => {
            state.say(said);
            Vec::new()
        }
        Then::Do(job) => list::start(state, job),
        Then::Save(change) => list::save(state, change),
        Then::Copy(id) => list::copy_of(state, &id),
    }
}

/// What comes of a key besides the dialog itself.
enum Then {
    Nothing,
    Say(Said),
    Do(Job),
    Find(Find),
    Save(Change),
    Copy(AccountId),
}

/// The dialog as it is after the key (none: it is closed), and what comes of it.
type Kept = (Option<Dialog>, Then);

const CLOSE: Kept = (None, Then::Nothing);

/// A text to scroll through.
fn on_text(key: &KeyEvent, scroll: usize, dialog: impl Fn(usize) -> Dialog) -> Kept {
    let scroll = match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?' | 'i') => return CLOSE,
        KeyCode::Down | KeyCode::Char('j') => scroll + 1,
        KeyCode::Up | KeyCode::Char('k') => scroll.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll + 10,
        KeyCode::PageUp => scroll.saturating_sub(10),
        KeyCode::Home => 0,
        KeyCode::End => MOST_SCROLL,
        _ => scroll,
    };
    (Some(dialog(scroll.min(MOST_SCROLL))), Then::Nothing)
}

/// No text is longer; the view stops at its end.
const MOST_SCROLL: usize = 1000;

/// The mouse wheel.
pub(super) fn scroll(state: &mut State, by: isize) -> Vec<Effect> {
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    let groups = board.groups().len();
    let trashed = board.trash.len();
    let moved = |at: usize, most: usize| at.saturating_add_signed(by).min(most);
    match &mut board.dialog {
        Some(Dialog::Help { scroll } | Dialog::Details { scroll, .. }) => {
            *scroll = moved(*scroll, MOST_SCROLL);
        }
        Some(Dialog::Groups { selected }) => *selected = moved(*selected, groups),
        Some(Dialog::Trash {
            selected,
            erasing: None,
        }) => {
            *selected = moved(*selected, trashed.saturating_sub(1));
        }
        Some(
            Dialog::Trash { .. }
            | Dialog::Pair { .. }
            | Dialog::Form(_)
            | Dialog::Add(_)
            | Dialog::Passphrase { .. }
            | Dialog::Qr { .. }
            | Dialog::Asks { .. },
        )
        | None => {}
    }
    Vec::new()
}

pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    match &mut board.dialog {
        Some(Dialog::Passphrase {
            line,
            is_opening: false,
            ..
        }) => line.insert(text),
        Some(Dialog::Form(form)) if !form.is_saving => {
            if let Some(line) = form.lines.get_mut(form.at) {
                line.insert(text);
            }
        }
        Some(Dialog::Add(adding)) => adding.paste(text),
        Some(
            Dialog::Help { .. }
            | Dialog::Details { .. }
            | Dialog::Pair { .. }
            | Dialog::Groups { .. }
            | Dialog::Trash { .. }
            | Dialog::Passphrase { .. }
            | Dialog::Form(_)
            | Dialog::Qr { .. }
            | Dialog::Asks { .. },
        )
        | None => {}
    }
    Vec::new()
}

fn groups(board: &mut Board, key: &KeyEvent, action: Option<Action>, selected: usize) -> Kept {
    let groups = board.groups();
    // The first line is for all accounts.
    if let Some(selected) = moved(key, action, selected, groups.len()) {
        return (Some(Dialog::Groups { selected }), Then::Nothing);
    }
    match key.code {
        KeyCode::Enter => {
            board.group = selected
                .checked_sub(1)
                .and_then(|at| groups.into_iter().nth(at))
                .map(|(group, _)| group);
            board.top = 0;
            board.selected = 0;
            board.arrange();
            CLOSE
        }
        KeyCode::Esc | KeyCode::Char('q' | 'g') => CLOSE,
        _ => (Some(Dialog::Groups { selected }), Then::Nothing),
    }
}

fn trash(
    board: &mut Board,
    key: &KeyEvent,
    action: Option<Action>,
    selected: usize,
    erasing: Option<AccountId>,
) -> Kept {
    let dialog = |selected, erasing| Some(Dialog::Trash { selected, erasing });
    if let Some(id) = erasing {
        // What was asked about, wherever it is in the list by now.
        return match key.code {
            KeyCode::Char('y' | 'Y') => (dialog(0, None), Then::Save(Change::Erase(id))),
            _ => (dialog(selected, None), Then::Nothing),
        };
    }
    let last = board.trash.len().saturating_sub(1);
    if let Some(selected) = moved(key, action, selected, last) {
        return (dialog(selected, None), Then::Nothing);
    }
    let chosen = board.trash.get(selected).map(|summary| summary.id);
    match (key.code, chosen) {
        (KeyCode::Enter | KeyCode::Char('u'), Some(id)) => {
            board.coming = Some(id);
            (None, Then::Save(Change::Restore(id)))
        }
        (KeyCode::Char('x') | KeyCode::Delete, Some(_)) => {
            (dialog(selected, chosen), Then::Nothing)
        }
        (KeyCode::Esc | KeyCode::Char('q' | 't'), _) => CLOSE,
        _ => (dialog(selected, None), Then::Nothing),
    }
}

/// Where a key moves to in a list of so many lines after the first; none for a key that doesn't move.
fn moved(key: &KeyEvent, action: Option<Action>, at: usize, last: usize) -> Option<usize> {
    let to = match (key.code, action) {
        (KeyCode::Down, _) | (_, Some(Action::Down)) => at + 1,
        (KeyCode::Up, _) | (_, Some(Action::Up)) => at.saturating_sub(1),
        (_, Some(Action::PageDown)) => at + 10,
        (_, Some(Action::PageUp)) => at.saturating_sub(10),
        (_, Some(Action::Top)) => 0,
        (_, Some(Action::Bottom)) => last,
        _ => return None,
    };
    Some(to.min(last))
}

fn passphrase(
    board: &Board,
    key: &KeyEvent,
    mut line: Line,
    mut purpose: Purpose,
    mut said: Option<Said>,
    is_opening: bool,
) -> Kept {
    if key.code == KeyCode::Esc {
        // What was found to be added is forgotten with it.
        return match purpose {
            Purpose::Job(Some(Job::Change(Change::Add(_)))) => (None, Then::Do(Job::Forget)),
            // What was typed into the form isn't lost with the question.
            Purpose::Job(Some(Job::Change(Change::Edit(id, edited)))) => {
                let again = |summary| Dialog::Form(Box::new(Form::again(summary, &edited)));
                (board.summary(&id).map(again), Then::Nothing)
            }
            Purpose::Job(_) | Purpose::Qr(_) => CLOSE,
        };
    }
    let mut then = Then::Nothing;
    let mut is_opening = is_opening;
    if !is_opening {
        if key.code == KeyCode::Enter && !line.is_empty() {
            let typed = line.take();
            let job = match &mut purpose {
                Purpose::Qr(id) => Some(Job::Qr(*id, typed)),
                Purpose::Job(job) => job.take().map(|job| Job::OpenFor(typed, Box::new(job))),
            };
            let Some(job) = job else { return CLOSE };
            is_opening = true;
            said = None;
            then = Then::Do(job);
        } else {
            line.key(key);
        }
    }
    let dialog = Dialog::Passphrase {
        line,
        purpose,
        said,
        is_opening,
    };
    (Some(dialog), then)
}

fn on_form(key: &KeyEvent, mut form: Box<Form>) -> Kept {
    if form.is_saving {
        return (Some(Dialog::Form(form)), Then::Nothing);
    }
    let last = Form::FIELDS;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => return CLOSE,
        KeyCode::Char('s') if control => return save_form(form),
        KeyCode::Enter if form.at == last => return save_form(form),
        KeyCode::Enter | KeyCode::Tab | KeyCode::Down => form.at = (form.at + 1) % (last + 1),
        KeyCode::BackTab | KeyCode::Up => form.at = form.at.checked_sub(1).unwrap_or(last),
        KeyCode::Char(' ') if form.at == last => form.confirm = !form.confirm,
        _ => {
            if let Some(line) = form.lines.get_mut(form.at) {
                line.key(key);
            }
        }
    }
    (Some(Dialog::Form(form)), Then::Nothing)
}

fn save_form(mut form: Box<Form>) -> Kept {
    let [issuer, name, tags, note, serial_number] =
        std::array::from_fn(|at| form.lines[at].text().trim().to_owned());
    if issuer.is_empty() && name.is_empty() {
        form.said = Some(Said::new(
            crate::tui::message::Tone::Error,
            "an account without issuer and name can't be asked for",
        ));
        return (Some(Dialog::Form(form)), Then::Nothing);
    }
    let after = Fields {
        issuer,
        name,
        tags,
        note,
        serial_number,
        confirm: form.confirm,
    };
    form.is_saving = true;
    form.said = None;
    let id = form.id;
    let before = form.before.clone();
    let change = Change::Edit(id, Box::new(Edited { before, after }));
    (Some(Dialog::Form(form)), Then::Save(change))
}
