//! Before the accounts: the passphrase.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::leave;
use crate::tui::message::{Effect, Job};
use crate::tui::state::{Gate, GateStep, Stage, State};

pub(super) fn on_key(state: &mut State, key: &KeyEvent) -> Vec<Effect> {
    let Stage::Locked(gate) = &mut state.stage else {
        return Vec::new();
    };
    if key.code == KeyCode::Esc && gate.line.is_empty() && gate.step != GateStep::Asleep {
        return leave(state);
    }
    match gate.step {
        GateStep::Opening => Vec::new(),
        GateStep::Asleep => open(gate, Job::Open(None)),
        GateStep::Shut if key.code == KeyCode::Enter => open(gate, Job::Open(None)),
        GateStep::Shut => Vec::new(),
        GateStep::Asking => match key.code {
            KeyCode::Enter if gate.line.is_empty() => Vec::new(),
            KeyCode::Enter => {
                let typed = gate.line.take();
                open(gate, Job::Open(Some(typed)))
            }
            KeyCode::Esc => {
                gate.line.clear();
                Vec::new()
            }
            _ => {
                gate.line.key(key);
                Vec::new()
            }
        },
    }
}

fn open(gate: &mut Gate, job: Job) -> Vec<Effect> {
    gate.step = GateStep::Opening;
    gate.said = None;
    vec![Effect::Do(job)]
}
