//! When a record was last written: a hybrid logical clock, so that a clock that goes backwards never loses a change.

use crate::clock::UnixTime;

/// 48 bits of milliseconds since 1970, then 16 bits that count within one millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Hlc(pub(super) u64);

/// The largest number of milliseconds that 48 bits hold: the year 10889.
const MAX_MILLIS: u64 = (1 << 48) - 1;

impl Hlc {
    /// The stamp that physical time alone gives.
    pub(super) fn at(now: UnixTime) -> Self {
        let millis = now
            .secs()
            .saturating_mul(1000)
            .saturating_add(u64::from(now.subsec_millis()));
        Self(millis.min(MAX_MILLIS) << 16)
    }

    /// A stamp after every one seen so far, and not before now. It stands still only at the end of 64 bits, where the
    /// record's content decides.
    pub(super) fn after(seen: Self, now: UnixTime) -> Self {
        Self(Self::at(now).0.max(seen.0.saturating_add(1)))
    }

    /// Whole seconds since 1970.
    pub(super) fn secs(self) -> u64 {
        (self.0 >> 16) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_even_when_the_clock_goes_backwards() {
        let first = Hlc::after(Hlc::default(), UnixTime::from_secs(1_700_000_000));
        let second = Hlc::after(first, UnixTime::from_secs(1_600_000_000));
        assert!(second > first);
        assert_eq!(second.0, first.0 + 1);
        assert_eq!(second.secs(), 1_700_000_000);
        assert_eq!(
            Hlc::after(Hlc(u64::MAX), UnixTime::from_secs(5)),
            Hlc(u64::MAX)
        );
        assert_eq!(Hlc::at(UnixTime::from_secs(u64::MAX)).0 >> 16, MAX_MILLIS);
    }
}
