//! What happens: a message changes the state and asks for effects. Nothing here touches anything else.

mod dialog;
mod gate;
mod list;
mod report;

use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind,
};
use vmfa::clock::{UnixTime, Uptime};

use crate::tui::layout;
use crate::tui::message::{Effect, Job, Message, Whose};
use crate::tui::state::{Dialog, GateStep, Stage, State};
use crate::tui::view;

/// Changes the state as the message says.
pub(crate) fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = match message {
        Message::Tick(now, uptime) => tick(state, now, uptime),
        Message::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Message::Key(key) => {
            state.touched = state.uptime;
            on_key(state, &key)
        }
        Message::Mouse(mouse) => {
            state.touched = state.uptime;
            on_mouse(state, mouse)
        }
        Message::Paste(text) => {
            state.touched = state.uptime;
            paste(state, text.expose())
        }
        Message::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Message::Report(report) => report::on_report(state, report),
        Message::MustLock => {
            match &mut state.stage {
                Stage::Open(_) => state.shut(GateStep::Asleep),
                // What is on its way to be opened is locked again before it is here.
                Stage::Locked(gate) if gate.step == GateStep::Opening => {
                    gate.step = GateStep::Asleep;
                }
                Stage::Locked(gate) => gate.line.clear(),
            }
            // Whatever is open or being opened; what is being saved is saved before.
            vec![Effect::Do(Job::Lock(Whose::Ours))]
        }
    };
    hold_scroll(state);
    effects.extend(codes(state));
    effects
}

/// A text isn't scrolled beyond its last page: the first key back is to be seen.
fn hold_scroll(state: &mut State) {
    let last = view::last_scroll(state);
    if let Stage::Open(board) = &mut state.stage
        && let Some(Dialog::Help { scroll } | Dialog::Details { scroll, .. }) = &mut board.dialog
    {
        *scroll = (*scroll).min(last);
    }
}

/// The codes that the screen needs now.
fn codes(state: &mut State) -> Option<Effect> {
    let lines = layout::list_lines(state.size);
    let (now, uptime) = (state.now, state.uptime);
    let Stage::Open(board) = &mut state.stage else {
        return None;
    };
    board.tidy(now);
    board.scroll(lines);
    let wanted = board.wanted(now, uptime, lines);
    (!wanted.is_empty()).then_some(Effect::Do(Job::Codes(wanted)))
}

fn tick(state: &mut State, now: UnixTime, uptime: Uptime) -> Vec<Effect> {
    let turned = now.secs() != state.now.secs();
    state.now = now;
    state.uptime = uptime;
    if let Some(toast) = &state.toast
        && uptime.until(toast.until).is_zero()
    {
        state.toast = None;
    }
    let is_idle = state
        .config
        .lock_after
        .is_some_and(|after| uptime.until(state.touched.plus(after)).is_zero());
    let board = match &mut state.stage {
        Stage::Open(board) => board,
        Stage::Locked(gate) => {
            // Half a passphrase isn't left lying about.
            if is_idle {
                gate.line.clear();
            }
            return Vec::new();
        }
    };
    if let Some(Dialog::Qr { until, .. }) = &board.dialog
        && uptime.until(*until).is_zero()
    {
        board.dialog = None;
    }
    // A save that is on its way keeps its key.
    if is_idle && state.saving == 0 {
        state.shut(GateStep::Asleep);
        return vec![Effect::Do(Job::Lock(Whose::Ours))];
    }
    // Somebody else may have changed the vault: a look costs a few microseconds, and the screen is being drawn anyway.
    if turned {
        return vec![Effect::Do(Job::Look)];
    }
    Vec::new()
}

fn on_key(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    // Whatever is open, these are what they are in every terminal.
    if key.modifiers == KeyModifiers::CONTROL {
        match key.code {
            KeyCode::Char('c') => return leave(state),
            // Stopped in the middle of a save, it would keep the vault from everybody.
            KeyCode::Char('z') if state.saving > 0 => return Vec::new(),
            KeyCode::Char('z') => return vec![Effect::Suspend],
            KeyCode::Char('l') => return vec![Effect::Redraw],
            _ => {}
        }
    }
    match &state.stage {
        Stage::Locked(_) => gate::on_key(state, key),
        Stage::Open(board) if board.dialog.is_some() => dialog::on_key(state, key),
        Stage::Open(_) => list::on_key(state, key),
    }
}

fn on_mouse(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    match &mut state.stage {
        Stage::Locked(_) => Vec::new(),
        Stage::Open(board) if board.dialog.is_some() => match mouse.kind {
            MouseEventKind::ScrollDown => dialog::scroll(state, 3),
            MouseEventKind::ScrollUp => dialog::scroll(state, -3),
            _ => Vec::new(),
        },
        Stage::Open(_) => list::on_mouse(state, mouse),
    }
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    match &mut state.stage {
        Stage::Locked(gate) => {
            if gate.step == GateStep::Asking {
                gate.line.insert(text);
            }
            Vec::new()
        }
        Stage::Open(board) if board.dialog.is_some() => dialog::paste(state, text),
        Stage::Open(_) => list::paste(state, text),
    }
}

/// Leaves, when what is being saved is on the disk.
pub(crate) fn leave(state: &mut State) -> Vec<Effect> {
    if state.saving > 0 && !state.is_leaving {
        state.is_leaving = true;
        return Vec::new();
    }
    vec![Effect::Quit]
}
