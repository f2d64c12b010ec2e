//! What the desk says.

use super::leave;
use crate::command::add::is_aws;
use crate::tui::action::Action;
use crate::tui::board::Board;
use crate::tui::config::Start;
use crate::tui::message::{Accounts, Effect, Given, Job, Report, Said, Tone, Yes};
use crate::tui::state::{AddStep, Adding, Dialog, Gate, GateStep, Purpose, Stage, State};

/// How long a QR code stays on the screen: it shows a secret.
const QR_SECS: u64 = 60;

pub(super) fn on_report(state: &mut State, report: Report) -> Vec<Effect> {
    match report {
        Report::Accounts(accounts) => on_accounts(state, accounts),
        Report::Locked => {
            none_saving(state);
            match &mut state.stage {
                Stage::Locked(gate) if gate.step == GateStep::Opening => {
                    gate.step = GateStep::Asking;
                }
                Stage::Locked(_) => {}
                Stage::Open(_) => {
                    state.shut(GateStep::Asking);
                    gate_says(state, Said::note("the agent was locked"));
                }
            }
            Vec::new()
        }
        Report::Shut(said) => on_shut(state, said),
        Report::Codes(given) => with_board(state, |board| board.give(given)),
        Report::Copied { given, said } => on_copied(state, given, said),
        Report::Shown(given) => {
            let now = state.now;
            with_board(state, |board| board.show_single(given.id, given.code, now))
        }
        Report::Pair(id, pair) => {
            let pair = Some(pair);
            put_over(
                state,
                Dialog::Pair { id, pair },
                "the pair is ready: ask again",
            )
        }
        Report::Qr(id, drawing) => {
            let until = state.uptime.plus(std::time::Duration::from_secs(QR_SECS));
            with_board(state, |board| {
                // Whoever left the question meanwhile doesn't want it on the screen.
                if matches!(&board.dialog, Some(Dialog::Passphrase { purpose: Purpose::Qr(asked), is_opening: true, .. }) if *asked == id)
                {
                    board.dialog = Some(Dialog::Qr { id, drawing, until });
                }
            })
        }
        Report::NeedsPassphrase(job) => {
            if job.saves() {
                not_saved(state);
            }
            let dialog = Dialog::passphrase(Purpose::Job(Some(job)));
            put_over(state, dialog, "not done: the passphrase is needed for it")
        }
        Report::Asks(id, job) => {
            let _ = with_board(state, |board| board.taking = None);
            let job = Some(job);
            put_over(
                state,
                Dialog::Asks { id, job },
                "no code was given: this account asks first",
            )
        }
        Report::Found(search, rows) => with_board(state, |board| {
            // Whoever left the search meanwhile is somewhere else.
            if let Some(adding) = waiting(board, search) {
                adding.step = AddStep::Found(rows);
                adding.said = None;
            }
        }),
        Report::NotFound(search, said) => with_board(state, |board| {
            if let Some(adding) = waiting(board, search) {
                adding.fail(said);
            }
        }),
        Report::Bare(search, secret) => with_board(state, |board| {
            if let Some(adding) = waiting(board, search) {
                adding.typed = None;
                adding.step = AddStep::naming(&secret);
                adding.said = Some(Said::note(
                    "a secret was found; it needs a name: ISSUER:NAME",
                ));
            }
        }),
        Report::Saved(said, removed) => {
            close_saving(state);
            let said = match removed {
                Some(id) => {
                    let _ = with_board(state, |board| board.deleted.push(id));
                    let key = state.config.keymap.shown(Action::Undo);
                    Said::good(format!("{}; {key} brings it back", said.text))
                }
                None => said,
            };
            state.say(said);
            saved(state)
        }
        Report::NotSaved(said) => {
            not_saved(state);
            on_failed(state, said);
            Vec::new()
        }
        Report::Wrong(said, job) => on_wrong(state, said, job),
        Report::Stale => {
            // What is on the screen stays there until the answer is here.
            let known = state.board().map(Board::known_steps).unwrap_or_default();
            vec![Effect::Do(Job::Codes(known))]
        }
        Report::Added(devices, said) => {
            close_saving(state);
            state.say(said);
            let mut effects = saved(state);
            if let Stage::Open(board) = &mut state.stage
                && let Some(id) = devices.first()
            {
                board.select(id);
                // One device of AWS wants its two codes now; of several the person chooses.
                if let [id] = devices.as_slice()
                    && board.summary(id).is_some_and(is_aws)
                {
                    let (id, yes) = (*id, Yes::Said);
                    effects.push(Effect::Do(Job::Pair { id, yes }));
                }
            }
            effects
        }
        Report::Failed(said) => {
            let _ = with_board(state, |board| board.taking = None);
            on_failed(state, said);
            Vec::new()
        }
    }
}

/// Puts a dialog over the list, and over what is only looked at. What a person types is never taken away: then this is said
/// instead.
fn put_over(state: &mut State, dialog: Dialog, instead: &str) -> Vec<Effect> {
    let Stage::Open(board) = &mut state.stage else {
        return Vec::new();
    };
    let is_typing = match &board.dialog {
        Some(Dialog::Form(form)) => !form.is_saving,
        Some(Dialog::Add(adding)) => match adding.step {
            AddStep::Type { .. } | AddStep::Path(_) | AddStep::Looking | AddStep::Found(_) => true,
            AddStep::Choose(_) | AddStep::Saving => false,
        },
        Some(Dialog::Passphrase { is_opening, .. }) => !is_opening,
        Some(
            Dialog::Help { .. }
            | Dialog::Details { .. }
            | Dialog::Pair { .. }
            | Dialog::Groups { .. }
            | Dialog::Trash { .. }
            | Dialog::Qr { .. }
            | Dialog::Asks { .. },
        )
        | None => false,
    };
    if is_typing {
        state.say(Said::new(Tone::Warning, instead));
    } else {
        board.dialog = Some(dialog);
    }
    Vec::new()
}

fn with_board(state: &mut State, change: impl FnOnce(&mut Board)) -> Vec<Effect> {
    if let Stage::Open(board) = &mut state.stage {
        change(board);
    }
    Vec::new()
}

fn on_accounts(state: &mut State, mut accounts: Accounts) -> Vec<Effect> {
    let warnings = std::mem::take(&mut accounts.warnings);
    match &mut state.stage {
        Stage::Open(board) => {
            board.take(accounts);
        }
        Stage::Locked(gate) if gate.step == GateStep::Opening => {
            let mut board = Board::new(accounts, state.config.sort, state.config.privacy);
            board.is_searching = state.config.start == Start::Search;
            state.stage = Stage::Open(Box::new(board));
        }
        // Locked while it was being opened: it stays so.
        Stage::Locked(_) => return Vec::new(),
    }
    if !warnings.is_empty() {
        state.say(Said::new(Tone::Warning, warnings.join("; ")));
    }
    Vec::new()
}

fn on_shut(state: &mut State, said: Said) -> Vec<Effect> {
    none_saving(state);
    if let Stage::Open(_) = state.stage {
        state.shut(GateStep::Shut);
    }
    if let Stage::Locked(gate) = &mut state.stage {
        gate.step = GateStep::Shut;
    }
    gate_says(state, said);
    Vec::new()
}

/// A passphrase was wrong: it is asked for again, and what it was for isn't lost.
fn on_wrong(state: &mut State, said: Said, job: Option<Job>) -> Vec<Effect> {
    if job.as_ref().is_some_and(Job::saves) {
        not_saved(state);
    }
    match &mut state.stage {
        Stage::Locked(gate) => {
            gate.step = GateStep::Asking;
            gate.said = Some(said);
        }
        Stage::Open(board) => {
            // One that was left says nothing to the one that is being typed now.
            if let Some(Dialog::Passphrase {
                purpose,
                said: shown,
                is_opening,
                ..
            }) = &mut board.dialog
                && *is_opening
            {
                *is_opening = false;
                *shown = Some(said);
                if let Purpose::Job(kept) = purpose {
                    *kept = job;
                }
            }
        }
    }
    Vec::new()
}

fn gate_says(state: &mut State, said: Said) {
    if let Stage::Locked(Gate { said: shown, .. }) = &mut state.stage {
        *shown = Some(said);
    }
}

fn on_copied(state: &mut State, given: Given, said: Said) -> Vec<Effect> {
    let now = state.now;
    let mut note = None;
    if let Stage::Open(board) = &mut state.stage {
        let id = given.id;
        board.uses.add(id, now);
        note = Some(Job::Note(board.uses.clone()));
        let single = board
            .summary(&id)
            .is_some_and(|summary| summary.confirm || summary.counter.is_some());
        let is_ahead = given.code.window().is_some_and(|(from, _)| now < from);
        let is_counter = given.code.window().is_none();
        let is_hidden = board.taking.take() != Some(id) && board.hid == Some(id);
        let is_again = is_counter && is_hidden;
        if single && (is_ahead || is_again) {
            // One ahead would look like the present one, where nothing counts down. One that was copied
            // again, and hidden meanwhile, stays so.
        } else if single {
            board.show_single(id, given.code, now);
        } else {
            board.give(vec![given]);
        }
    }
    state.say(said);
    if let Some(toast) = &mut state.toast {
        toast.is_last_word = toast.said.tone == Tone::Good;
    }
    note.map(Effect::Do).into_iter().collect()
}

/// The dialog that waits for the answer of this search.
fn waiting(board: &mut Board, search: u64) -> Option<&mut Adding> {
    match &mut board.dialog {
        Some(Dialog::Add(adding))
            if adding.search == search && matches!(adding.step, AddStep::Looking) =>
        {
            Some(adding)
        }
        Some(_) | None => None,
    }
}

fn on_failed(state: &mut State, said: Said) {
    let Stage::Open(board) = &mut state.stage else {
        return gate_says(state, said);
    };
    match &mut board.dialog {
        Some(Dialog::Form(form)) if form.is_saving => {
            form.is_saving = false;
            form.said = Some(said);
        }
        Some(Dialog::Add(adding)) if matches!(adding.step, AddStep::Saving) => {
            adding.fail(said);
        }
        Some(
            Dialog::Passphrase {
                is_opening: true, ..
            }
            | Dialog::Pair { pair: None, .. },
        ) => {
            board.dialog = None;
            state.say(said);
        }
        Some(_) | None => state.say(said),
    }
}

/// A change has failed: who wanted to leave is to see it first.
fn not_saved(state: &mut State) {
    state.saving = state.saving.saturating_sub(1);
    state.is_leaving = false;
}

/// The key has gone: nothing is on its way to the disk any more.
fn none_saving(state: &mut State) {
    state.saving = 0;
    state.is_leaving = false;
}

/// A change is on the disk: who wanted to leave may.
fn saved(state: &mut State) -> Vec<Effect> {
    let was_saving = state.saving > 0;
    state.saving = state.saving.saturating_sub(1);
    if was_saving && state.is_leaving && state.saving == 0 {
        return leave(state);
    }
    Vec::new()
}

fn close_saving(state: &mut State) {
    let _ = with_board(state, |board| {
        let is_done = match &board.dialog {
            Some(Dialog::Form(form)) => form.is_saving,
            Some(Dialog::Add(adding)) => matches!(adding.step, AddStep::Saving),
            Some(Dialog::Passphrase { is_opening, .. }) => *is_opening,
            Some(_) | None => false,
        };
        if is_done {
            board.dialog = None;
        }
    });
}
