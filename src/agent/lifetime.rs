//! How long a key is held.

use std::sync::PoisonError;
use std::time::Duration;

use crate::agent::protocol::Lifetimes;
use crate::agent::turns::Mutex;
use crate::clock::Uptime;

/// The longest life that is given, whatever a client asks for: 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// When a key was taken, and last used.
pub(super) struct Lifetime(Mutex<State>);

struct State {
    /// The latest moment that was ever told here. Each thread asks the clock before it comes here, and may come late: its
    /// moment is past then, and must neither shorten what another one's use has given nor bring back what is over.
    latest: Uptime,
    end: Uptime,
    idle: Duration,
    idle_end: Uptime,
}

/// How much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) whole: Duration,
    pub(super) idle: Duration,
}

impl Left {
    /// Until the first of both ends.
    pub(super) fn least(self) -> Duration {
        self.whole.min(self.idle)
    }
}

impl Lifetime {
    pub(super) fn new(lifetimes: Lifetimes, now: Uptime) -> Self {
        Self(Mutex::new(State::new(lifetimes, now)))
    }

    /// Begins anew.
    pub(super) fn renew(&self, lifetimes: Lifetimes, now: Uptime) {
        *self.state() = State::new(lifetimes, now);
    }

    /// The key is used. False when its time is over: it must not be used then, and nothing brings it back.
    pub(super) fn touch(&self, now: Uptime) -> bool {
        let mut state = self.state();
        let now = state.latest.max(now);
        state.latest = now;
        if state.left(now).least().is_zero() {
            return false;
        }
        state.idle_end = now.plus(state.idle);
        true
    }

    pub(super) fn left(&self, now: Uptime) -> Left {
        let mut state = self.state();
        state.latest = state.latest.max(now);
        state.left(state.latest)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(lifetimes: Lifetimes, now: Uptime) -> Self {
        let idle = lifetimes.idle.min(LONGEST);
        Self {
            latest: now,
            end: now.plus(lifetimes.whole.min(LONGEST)),
            idle,
            idle_end: now.plus(idle),
        }
    }

    fn left(&self, now: Uptime) -> Left {
        Left {
            whole: now.until(self.end),
            idle: now.until(self.idle_end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Uptime {
        Uptime::from_duration(Duration::from_secs(secs))
    }

    const USUAL: Lifetimes = Lifetimes {
        whole: Duration::from_secs(8 * 3600),
        idle: Duration::from_secs(600),
    };

    #[test]
    fn use_puts_off_the_idle_end_and_never_the_whole_one() {
        let life = Lifetime::new(USUAL, at(0));
        let mut now = 0;
        while now + 599 < 8 * 3600 {
            now += 599;
            assert!(life.touch(at(now)), "{now}");
        }
        assert_eq!(life.left(at(now)).least().as_secs(), 8 * 3600 - now);
        assert!(!life.touch(at(8 * 3600)));
    }

    #[test]
    fn what_is_over_stays_over_also_after_a_sleep() {
        let life = Lifetime::new(USUAL, at(100));
        // The clock counts sleep: a night later, nothing is left although no request came in between.
        assert!(!life.touch(at(100 + 9 * 3600)));
        assert!(!life.touch(at(100 + 9 * 3600)));
        let life = Lifetime::new(USUAL, at(0));
        assert!(!life.touch(at(600)));
        assert_eq!(life.left(at(600)).idle, Duration::ZERO);
        life.renew(USUAL, at(700));
        assert!(life.touch(at(800)));
    }

    #[test]
    fn nobody_gets_more_than_the_longest() {
        let endless = Lifetimes {
            whole: Duration::from_secs(u64::MAX),
            idle: Duration::from_secs(u64::MAX),
        };
        assert_eq!(Lifetime::new(endless, at(5)).left(at(5)).least(), LONGEST);
    }
}
