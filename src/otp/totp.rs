//! TOTP, RFC 6238 section 4: from a moment to a time step and back.

use crate::clock::UnixTime;
use crate::otp::{Moment, OtpError, Scheme};

impl Scheme {
    /// The time step T = (now - T0) / X in which a moment lies, rounded down (RFC 6238 section 4.2).
    ///
    /// # Errors
    /// The scheme is counter-based, or the moment lies before T0.
    pub fn step_at(&self, now: UnixTime) -> Result<u64, OtpError> {
        let period = self.period().ok_or(OtpError::NotTimeBased)?;
        let t0 = self.t0();
        let since = now.secs().checked_sub(t0).ok_or(OtpError::BeforeT0 {
            now: now.secs(),
            t0,
        })?;
        Ok(since / u64::from(period))
    }

    /// The window of a time step. A bound past the end of 64-bit time is that end.
    ///
    /// # Errors
    /// The scheme is counter-based.
    pub fn window(&self, step: u64) -> Result<Moment, OtpError> {
        let period = u64::from(self.period().ok_or(OtpError::NotTimeBased)?);
        let from = step.saturating_mul(period).saturating_add(self.t0());
        Ok(Moment::Step {
            step,
            from: UnixTime::from_secs(from),
            until: UnixTime::from_secs(from.saturating_add(period)),
        })
    }
}
