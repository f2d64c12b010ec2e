//! The codes of the list: what is shown, what is asked for, what is forgotten.

use std::time::Duration;

use vmfa::account::{AccountId, Summary};
use vmfa::clock::{UnixTime, Uptime};
use vmfa::otp::{Code, Moment, Scheme};

use super::Board;
use crate::tui::layout;
use crate::tui::message::Given;
use crate::tui::state::{Dialog, State};

/// A counter's code, or one that was asked for, stays on the screen for so long.
const SHOWN_SECS: u64 = 30;
/// A code that hasn't come for so long is asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// What stands in the place of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown<'b> {
    /// The present code, the next one (where it is known), and the seconds that are left.
    Step {
        now: Option<&'b Given>,
        next: Option<&'b Given>,
        left: u64,
        period: u64,
    },
    /// A counter's code, or one of an account that asks, made a moment ago.
    Single(&'b Code),
    /// Made when it is asked for: a counter's.
    Counter(u64),
    /// Made when it is asked for and said yes to.
    Asks,
    /// Hidden until it is chosen.
    Hidden,
    /// There is none at this moment: the clock stands before the account's first step.
    None,
}

impl Board {
    /// What is to be seen of an account's codes now.
    pub(crate) fn code_of(&self, summary: &Summary, state: &State) -> Shown<'_> {
        let is_revealed = matches!(self.revealed, Some((id, until)) if id == summary.id && state.now.secs() < until);
        if let Some((code, until)) = self.single.get(&summary.id)
            && state.now.secs() < *until
        {
            return Shown::Single(code);
        }
        if let Some(counter) = summary.counter.filter(|_| is_counter(&summary.scheme)) {
            return Shown::Counter(counter);
        }
        if summary.confirm {
            return Shown::Asks;
        }
        if self.privacy && !is_revealed {
            return Shown::Hidden;
        }
        let Ok(step) = summary.scheme.step_at(state.now) else {
            return Shown::None;
        };
        let Ok(Moment::Step { until, .. }) = summary.scheme.window(step) else {
            return Shown::None;
        };
        let of = |step: u64| {
            let given = self.codes.get(&summary.id)?;
            given.iter().find(|given| given.code.step() == Some(step))
        };
        Shown::Step {
            now: of(step),
            next: step.checked_add(1).and_then(of),
            left: left(state.now, until),
            period: u64::from(summary.scheme.period().unwrap_or(30)),
        }
    }

    /// The codes that the screen needs or will soon need, and that nobody asked for yet: of the lines on it, and of a page
    /// more in both directions, for this step and the next, so that the turn of a step waits for nobody.
    pub(crate) fn wanted(
        &mut self,
        state_now: UnixTime,
        uptime: Uptime,
        lines: usize,
    ) -> Vec<(AccountId, u64)> {
        // An answer may never come: the vault was busy, the account has no code. It is bounded by what was seen meanwhile.
        self.asked
            .retain(|_, since| !uptime.until(since.plus(AGAIN)).is_zero());
        let first = self.top.saturating_sub(lines);
        let last = (self.top + 2 * lines).min(self.shown.len());
        let mut wanted = Vec::new();
        for index in &self.shown[first.min(last)..last] {
            let summary = &self.live[*index];
            let hidden = self.privacy
                && !matches!(self.revealed, Some((id, until)) if id == summary.id && state_now.secs() < until);
            if hidden || summary.confirm || is_counter(&summary.scheme) {
                continue;
            }
            let Ok(step) = summary.scheme.step_at(state_now) else {
                continue;
            };
            let known = self.codes.get(&summary.id);
            for step in [Some(step), step.checked_add(1)].into_iter().flatten() {
                let one = (summary.id, step);
                let is_known = known
                    .is_some_and(|known| known.iter().any(|given| given.code.step() == Some(step)));
                if !is_known && !self.asked.contains_key(&one) {
                    self.asked.insert(one, uptime);
                    wanted.push(one);
                }
            }
        }
        wanted
    }

    /// Takes codes that were asked for.
    pub(crate) fn give(&mut self, given: Vec<Given>) {
        for one in given {
            let Some(step) = one.code.step() else {
                continue;
            };
            self.asked.remove(&(one.id, step));
            let known = self.codes.entry(one.id).or_default();
            known.retain(|known| known.code.step() != Some(step));
            known.push(one);
        }
    }

    /// Forgets all codes; those that are seen are asked for again.
    pub(crate) fn forget_codes(&mut self) {
        self.codes.clear();
        self.asked.clear();
        self.single.clear();
        self.revealed = None;
    }

    /// The time steps whose codes are here.
    pub(crate) fn known_steps(&self) -> Vec<(AccountId, u64)> {
        let given = self.codes.values().flatten();
        given
            .filter_map(|given| Some((given.id, given.code.step()?)))
            .collect()
    }

    /// The code that was made once and is still shown.
    pub(crate) fn single_of(&self, id: &AccountId) -> Option<Code> {
        self.single.get(id).map(|(code, _)| code.clone())
    }

    /// Shows a code that was made once: a counter's, or one that was said yes to.
    pub(crate) fn show_single(&mut self, id: AccountId, code: Code, now: UnixTime) {
        let until = match code.moment() {
            Moment::Step { until, .. } => until.secs(),
            Moment::Counter(_) => now.secs().saturating_add(SHOWN_SECS),
        };
        self.single.insert(id, (code, until));
    }

    /// Shows this account's code for a while although codes are hidden.
    pub(crate) fn reveal(&mut self, id: AccountId, now: UnixTime) {
        self.revealed = Some((id, now.secs().saturating_add(SHOWN_SECS)));
    }

    /// Takes off the screen what was shown of this account by choice.
    pub(crate) fn hide(&mut self, id: &AccountId) {
        self.hid = Some(*id);
        self.single.remove(id);
        if matches!(self.revealed, Some((revealed, _)) if revealed == *id) {
            self.revealed = None;
        }
    }

    /// Whether a countdown is on the screen, or something that goes by itself.
    pub(crate) fn has_countdown(&self, state: &State) -> bool {
        if matches!(self.dialog, Some(Dialog::Pair { .. })) || !self.single.is_empty() {
            return true;
        }
        let lines = layout::list_lines(state.size);
        let visible = self.shown.iter().skip(self.top).take(lines);
        visible
            .map(|index| self.code_of(&self.live[*index], state))
            .any(|shown| matches!(shown, Shown::Step { .. } | Shown::None))
    }

    /// Lets go of what has had its time, and of what is hidden.
    pub(crate) fn tidy(&mut self, now: UnixTime) {
        self.single.retain(|_, (_, until)| now.secs() < *until);
        if matches!(self.revealed, Some((_, until)) if now.secs() >= until) {
            self.revealed = None;
        }
        let revealed = self.revealed.map(|(id, _)| id);
        let is_hidden = |id: &AccountId| self.privacy && revealed != Some(*id);
        self.asked.retain(|(id, _), _| !is_hidden(id));
        self.codes.retain(|id, known| {
            // A code whose time is over is of no use, unless the clock is set back: then it is asked for again.
            known.retain(|given| given.code.window().is_some_and(|(_, until)| now < until));
            !known.is_empty() && !is_hidden(id)
        });
    }
}

/// Seconds until then, a begun one counted.
pub(crate) fn left(now: UnixTime, until: UnixTime) -> u64 {
    now.until(until).as_millis().div_ceil(1000) as u64
}

fn is_counter(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Hotp(_) => true,
        Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => false,
    }
}
