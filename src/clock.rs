//! Time as a value, and the only place that reads it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::failure::{Fails, Kind};

/// A moment, in whole seconds and milliseconds since 1970-01-01T00:00:00Z, without leap seconds (RFC 6238 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    secs: u64,
    millis: u16,
}

impl UnixTime {
    /// The moment at which that many whole seconds have passed.
    pub const fn from_secs(secs: u64) -> Self {
        Self { secs, millis: 0 }
    }

    /// The moment that much after 1970; a fraction below a millisecond is dropped.
    pub const fn from_duration(since_epoch: Duration) -> Self {
        Self {
            secs: since_epoch.as_secs(),
            millis: since_epoch.subsec_millis() as u16,
        }
    }

    /// That many whole seconds and milliseconds after 1970; none where the milliseconds are a second or more.
    pub const fn from_parts(secs: u64, millis: u16) -> Option<Self> {
        if millis < 1000 {
            Some(Self { secs, millis })
        } else {
            None
        }
    }

    /// Whole seconds since 1970.
    pub const fn secs(self) -> u64 {
        self.secs
    }

    /// Milliseconds past the whole second, 0 to 999.
    pub const fn subsec_millis(self) -> u16 {
        self.millis
    }

    /// How long from here until `later`; zero when that moment is past.
    pub fn until(self, later: Self) -> Duration {
        let here = Duration::new(self.secs, u32::from(self.millis) * 1_000_000);
        let there = Duration::new(later.secs, u32::from(later.millis) * 1_000_000);
        there.saturating_sub(here)
    }

    /// The moment `seconds` later, at most the last one that can be told.
    pub const fn plus_secs(self, seconds: u64) -> Self {
        Self {
            secs: self.secs.saturating_add(seconds),
            millis: self.millis,
        }
    }
}

/// Why there is no time to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The clock stands before 1970, where no time step exists.
    #[error("the clock is {0} s before 1970-01-01, where no code exists")]
    BeforeEpoch(u64),
}

impl Fails for ClockError {
    fn kind(&self) -> Kind {
        Kind::Internal
    }
    fn hint(&self) -> Option<String> {
        Some("set this machine's clock, then try again".into())
    }
}

/// Something that knows what time it is.
pub trait Clock {
    /// The present moment.
    ///
    /// # Errors
    /// When the clock stands before 1970.
    fn now(&self) -> Result<UnixTime, ClockError>;
}

/// The system's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    fn now(&self) -> Result<UnixTime, ClockError> {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Ok(UnixTime::from_duration(since)),
            Err(before) => Err(ClockError::BeforeEpoch(before.duration().as_secs())),
        }
    }
}

/// A clock that stands still, for tests and for `--at`.
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub UnixTime);

impl Clock for Fixed {
    fn now(&self) -> Result<UnixTime, ClockError> {
        Ok(self.0)
    }
}

/// A clock that is corrected by a measured skew.
#[derive(Debug, Clone, Copy)]
pub struct Shifted<C> {
    /// The clock that is off.
    pub base: C,
    /// Seconds to add: positive when the base clock is behind.
    pub skew: i64,
}

impl<C: Clock> Clock for Shifted<C> {
    fn now(&self) -> Result<UnixTime, ClockError> {
        let now = self.base.now()?;
        match now.secs.checked_add_signed(self.skew) {
            Some(secs) => Ok(UnixTime {
                secs,
                millis: now.millis,
            }),
            None => Err(ClockError::BeforeEpoch(self.skew.unsigned_abs() - now.secs)),
        }
    }
}

/// A moment until which something may take, on a clock that is never set. It bounds work and decides no code.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(span: Duration) -> Self {
        Self(Instant::now() + span)
    }

    /// This one, or one so long from now if that comes first.
    pub fn at_most(self, span: Duration) -> Self {
        Self(self.0.min(Instant::now() + span))
    }

    /// Whether it is past.
    pub fn has_passed(self) -> bool {
        self.left().is_zero()
    }

    /// The moment, for other people's code that waits until then.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How long is left; zero when it is past.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// How long something takes, on a clock that is never set.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since it was started.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A moment on a clock that is never set and goes on while the machine sleeps: what a lifetime is measured by. It decides no
/// code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uptime(Duration);

impl Uptime {
    /// The present moment: CLOCK_BOOTTIME on Linux. On other Unix systems CLOCK_MONOTONIC, which counts sleep on macOS.
    #[cfg(unix)]
    pub fn now() -> Self {
        #[cfg(target_os = "linux")]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(CLOCK);
        Self(Duration::try_from(now).unwrap_or_default())
    }

    /// The moment at which so much has passed since the clock's own beginning.
    pub const fn from_duration(since: Duration) -> Self {
        Self(since)
    }

    /// The moment so much later.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// How long from here until `later`; zero when that moment is past.
    pub fn until(self, later: Self) -> Duration {
        later.0.saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
        let far = Deadline::after(Duration::from_secs(3600));
        assert!(!far.has_passed() && far.left() > Duration::from_secs(3500));
    }

    #[test]
    fn a_skew_moves_the_clock_both_ways_and_not_before_1970() {
        let base = Fixed(UnixTime::from_secs(100));
        assert_eq!(
            Shifted { base, skew: 7 }.now(),
            Ok(UnixTime::from_secs(107))
        );
        assert_eq!(
            Shifted { base, skew: -7 }.now(),
            Ok(UnixTime::from_secs(93))
        );
        assert_eq!(
            Shifted { base, skew: -107 }.now(),
            Err(ClockError::BeforeEpoch(7))
        );
    }

    #[test]
    fn the_time_until_is_told_to_the_millisecond() {
        let now = UnixTime::from_duration(Duration::from_millis(29_999));
        assert_eq!(now.until(UnixTime::from_secs(30)), Duration::from_millis(1));
        assert_eq!(
            UnixTime::from_secs(31).until(UnixTime::from_secs(30)),
            Duration::ZERO
        );
    }
}
