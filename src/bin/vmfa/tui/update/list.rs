//! The list: searching, choosing, and what a key does with what is chosen.

use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use vmfa::account::{AccountId, Summary};

use super::{dialog, leave};
use crate::tui::action::Action;
use crate::tui::board::{Board, Shown};
use crate::tui::config::Sort;
use crate::tui::layout;
use crate::tui::message::{Change, Effect, Given, Job, Said, When, Whose, Yes};
use crate::tui::state::{AddStep, Dialog, Form, GateStep, Purpose, Stage, State};

pub(super) fn on_key(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    if board.is_searching {
        return searching(state, key);
    }
    board.clicked = None;
    // Esc takes away what there was to say, and leaves only after it: it may be meant for a dialog that went by itself. That a code
    // was copied is no such thing.
    if key.code == KeyCode::Esc
        && let Some(toast) = &state.toast
        && !toast.is_last_word
    {
        state.toast = None;
        return Vec::new();
    }
    if let Some(action) = state.config.keymap.action(key) {
        return act(state, action);
    }
    // A character that means nothing else begins a search.
    let plain = key.modifiers.is_empty() || key.modifiers == KeyModifiers::SHIFT;
    if let (KeyCode::Char(character), true) = (key.code, plain)
        && character.is_alphanumeric()
    {
        board.is_searching = true;
        board.query.key(key);
        find(board);
    }
    Vec::new()
}

fn searching(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    let lines = layout::list_lines(state.size);
    let action = state.config.keymap.action(key);
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => {
            end_search(board);
            return Vec::new();
        }
        KeyCode::Enter => {
            let effects = act(state, Action::Copy);
            if let Stage::Open(board) = &mut state.stage {
                end_search(board);
            }
            return effects;
        }
        // The keys of the list, for what was found.
        KeyCode::Tab => board.is_searching = false,
        KeyCode::Up => board.move_to(board.selected.saturating_sub(1)),
        KeyCode::Down => board.move_to(board.selected + 1),
        KeyCode::Char('p' | 'k') if control => board.move_to(board.selected.saturating_sub(1)),
        KeyCode::Char('n' | 'j') if control => board.move_to(board.selected + 1),
        KeyCode::PageUp => board.move_to(board.selected.saturating_sub(lines)),
        KeyCode::PageDown => board.move_to(board.selected + lines),
        KeyCode::Char(_) if key.modifiers == KeyModifiers::ALT => {
            let plain = KeyEvent::new(key.code, KeyModifiers::NONE);
            if let Some(action) = state.config.keymap.action(&plain) {
                return act(state, action);
            }
        }
        KeyCode::Char(_) if control && matches!(action, Some(Action::Quit)) => return leave(state),
        _ => {
            let before = board.query.text().len();
            if board.query.key(key) && board.query.text().len() != before {
                find(board);
            }
        }
    }
    Vec::new()
}

fn find(board: &mut Board) {
    board.arrange();
    board.selected = 0;
    board.top = 0;
    board.revealed = None;
}

/// The whole list again, and the same account selected.
fn end_search(board: &mut Board) {
    let selected = board.selected_id();
    board.is_searching = false;
    board.query.clear();
    board.arrange();
    if let Some(id) = selected {
        board.select(&id);
    }
}

/// How a Key URI begins, Google's migration, and what other apps write.
const KEY_URIS: [&str; 5] = [
    "otpauth://",
    "otpauth-migration://",
    "apple-otpauth://",
    "steam://",
    "motp://",
];

pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    // A URI that is pasted into the list is meant for it, and holds a secret: it doesn't stand in the search for all to see.
    let text_start = text.trim_start();
    let begins = |scheme: &&str| {
        let start = text_start.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if KEY_URIS.iter().any(begins) {
        board.dialog = Some(Dialog::adding(AddStep::Choose(0)));
        return dialog::paste(state, text);
    }
    board.is_searching = true;
    // Nobody searches for a page of text.
    board
        .query
        .insert(&text.chars().take(200).collect::<String>());
    find(board);
    Vec::new()
}

pub(super) fn on_mouse(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    let size = state.size;
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    match mouse.kind {
        MouseEventKind::ScrollDown => board.move_to(board.selected + 3),
        MouseEventKind::ScrollUp => board.move_to(board.selected.saturating_sub(3)),
        MouseEventKind::Down(MouseButton::Left) => {
            let line = layout::list_line_at(size, mouse.column, mouse.row);
            let Some(at) = line.map(|line| board.top + line) else {
                return Vec::new();
            };
            if at >= board.shown.len() {
                return Vec::new();
            }
            // The first click chooses, the second one copies; one that only brings the window to the front does neither harm.
            let id = board.live[board.shown[at]].id;
            let is_second = at == board.selected && board.clicked == Some(id);
            board.clicked = Some(id);
            if is_second {
                return act(state, Action::Copy);
            }
            board.move_to(at);
        }
        _ => {}
    }
    Vec::new()
}

/// Does what a key stands for.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let lines = layout::list_lines(state.size);
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    match action {
        Action::Down => board.move_to(board.selected + 1),
        Action::Up => board.move_to(board.selected.saturating_sub(1)),
        Action::PageDown => board.move_to(board.selected + lines),
        Action::PageUp => board.move_to(board.selected.saturating_sub(lines)),
        Action::Top => board.move_to(0),
        Action::Bottom => board.move_to(usize::MAX),
        Action::Search => board.is_searching = true,
        Action::Help => board.dialog = Some(Dialog::Help { scroll: 0 }),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Quit => {
            // What narrows the list goes first.
            if !board.query.is_empty() {
                end_search(board);
            } else if board.group.is_some() {
                let id = board.selected_id();
                board.group = None;
                board.arrange();
                if let Some(id) = id {
                    board.select(&id);
                }
            } else {
                return leave(state);
            }
        }
        Action::Sort => {
            board.sort = match board.sort {
                Sort::Name => Sort::Use,
                Sort::Use => Sort::Recent,
                Sort::Recent => Sort::Name,
            };
            let id = board.selected_id();
            board.arrange();
            if let Some(id) = id {
                board.select(&id);
            }
            let said = match board.sort {
                Sort::Name => "sorted by name",
                Sort::Use => "sorted by use: the most used first",
                Sort::Recent => "sorted by time: the last used or added first",
            };
            state.say(Said::note(said));
        }
        Action::Privacy => {
            board.privacy = !board.privacy;
            board.forget_codes();
            let said = if board.privacy {
                "codes are hidden until you choose one"
            } else {
                "codes are shown"
            };
            state.say(Said::note(said));
        }
        Action::Group => {
            if board.groups().is_empty() {
                state.say(Said::note(
                    "no groups yet: favourites, tags and AWS accounts make them",
                ));
            } else {
                let groups = board.groups();
                let at = board.group.as_ref();
                let at = at.and_then(|group| groups.iter().position(|(other, _)| other == group));
                board.dialog = Some(Dialog::Groups {
                    selected: at.map_or(0, |at| at + 1),
                });
            }
        }
        Action::Trash => {
            if board.trash.is_empty() {
                state.say(Said::note("the trash is empty"));
            } else {
                board.dialog = Some(Dialog::Trash {
                    selected: 0,
                    erasing: None,
                });
            }
        }
        Action::Undo => {
            let trash = &board.trash;
            let in_trash = |id: &_| trash.iter().any(|one| one.id == *id);
            while board.deleted.last().is_some_and(|id| !in_trash(id)) {
                board.deleted.pop();
            }
            return match board.deleted.pop() {
                Some(id) => {
                    board.coming = Some(id);
                    save(state, Change::Restore(id))
                }
                None => {
                    state.say(Said::note(
                        "nothing was deleted here; the trash may hold it",
                    ));
                    Vec::new()
                }
            };
        }
        Action::Add => {
            board.dialog = Some(Dialog::adding(AddStep::Choose(0)));
        }
        Action::Lock => {
            let whose = Whose::AgentsToo;
            state.shut(GateStep::Asleep);
            return vec![Effect::Do(Job::Lock(whose))];
        }
        Action::Copy => return chosen(state, copy),
        Action::CopyNext => return chosen(state, copy_next),
        Action::Reveal => return chosen(state, reveal),
        Action::Pair => return chosen(state, pair),
        Action::Qr => return chosen(state, qr),
        Action::Details => {
            return chosen(state, |state, one| {
                open(
                    state,
                    Dialog::Details {
                        id: one.id,
                        scroll: 0,
                    },
                )
            });
        }
        Action::Edit => {
            return chosen(state, |state, one| {
                open(state, Dialog::Form(Box::new(Form::of(one))))
            });
        }
        Action::Favorite => {
            return chosen(state, |state, one| {
                save(state, Change::Favorite(one.id, !one.favorite))
            });
        }
        Action::Delete => {
            return chosen(state, |state, one| save(state, Change::Remove(one.id)));
        }
    }
    Vec::new()
}

/// Does something with the account that is chosen, if one is.
fn chosen(state: &mut State, act: impl FnOnce(&mut State, &Summary) -> Vec<Effect>) -> Vec<Effect> {
    match state.board().and_then(Board::selected).cloned() {
        Some(summary) => act(state, &summary),
        None => {
            state.say(Said::note("no account is chosen"));
            Vec::new()
        }
    }
}

/// Copies the code of this account.
pub(super) fn copy_of(state: &mut State, id: &AccountId) -> Vec<Effect> {
    let summary = state.board().and_then(|board| board.summary(id)).cloned();
    summary.map_or_else(Vec::new, |summary| copy(state, &summary))
}

fn open(state: &mut State, dialog: Dialog) -> Vec<Effect> {
    if let Stage::Open(board) = &mut state.stage {
        board.dialog = Some(dialog);
    }
    Vec::new()
}

fn copy(state: &mut State, summary: &Summary) -> Vec<Effect> {
    let (id, when, yes) = (summary.id, When::Now, Yes::NotAsked);
    let now = state.now;
    if let Stage::Open(board) = &mut state.stage {
        board.reveal(id, now);
    }
    if summary.confirm {
        state.say(Said::note("this account asks before each code"));
    }
    if summary.counter.is_some()
        && let Stage::Open(board) = &mut state.stage
    {
        // Each code uses up a counter, and a service follows only so far: what is on the screen is copied again, and a key that
        // is held down asks for one.
        if let Some(code) = board.single_of(&id) {
            let used = false;
            return vec![Effect::Do(Job::Again(Given { id, code, used }))];
        }
        if board.taking == Some(id) {
            return Vec::new();
        }
        board.taking = Some(id);
        board.hid = None;
    }
    vec![Effect::Do(Job::Copy { id, when, yes })]
}

fn copy_next(state: &mut State, summary: &Summary) -> Vec<Effect> {
    if summary.counter.is_some() {
        state.say(Said::note(
            "a counter has no code ahead of time: Space hides the one shown, then Enter takes the next",
        ));
        return Vec::new();
    }
    let (id, when, yes) = (summary.id, When::Next, Yes::NotAsked);
    vec![Effect::Do(Job::Copy { id, when, yes })]
}

/// Shows the code that is hidden, and hides it again.
fn reveal(state: &mut State, summary: &Summary) -> Vec<Effect> {
    let (id, now) = (summary.id, state.now);
    let Some(board) = state.board() else {
        return Vec::new();
    };
    let shown = match board.code_of(summary, state) {
        Shown::Hidden => Reveals::Show,
        Shown::Single(_) | Shown::Step { .. } | Shown::None => Reveals::Hide,
        Shown::Asks => Reveals::Ask,
        Shown::Counter(_) => Reveals::Nothing,
    };
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    match shown {
        Reveals::Show => board.reveal(id, now),
        Reveals::Hide => board.hide(&id),
        Reveals::Ask => {
            let yes = Yes::NotAsked;
            return vec![Effect::Do(Job::Show { id, yes })];
        }
        Reveals::Nothing => state.say(Said::note("a counter: Enter takes its next code")),
    }
    Vec::new()
}

/// What is done to show or hide a code.
enum Reveals {
    Show,
    Hide,
    /// The person is asked first.
    Ask,
    /// A counter has none before it is taken.
    Nothing,
}

fn pair(state: &mut State, summary: &Summary) -> Vec<Effect> {
    if summary.counter.is_some() {
        state.say(Said::note(
            "a counter-based account has no pair: take its codes one after the other",
        ));
        return Vec::new();
    }
    let (id, yes) = (summary.id, Yes::NotAsked);
    vec![Effect::Do(Job::Pair { id, yes })]
}

fn qr(state: &mut State, summary: &Summary) -> Vec<Effect> {
    let purpose = Purpose::Qr(summary.id);
    open(state, Dialog::passphrase(purpose))
}

/// Has a change saved.
pub(super) fn save(state: &mut State, change: Change) -> Vec<Effect> {
    start(state, Job::Change(change))
}

/// Has a job done, and remembers that something is on its way to the disk.
pub(super) fn start(state: &mut State, job: Job) -> Vec<Effect> {
    if job.saves() {
        state.saving += 1;
    }
    vec![Effect::Do(job)]
}
