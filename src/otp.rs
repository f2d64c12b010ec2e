//! Codes from a shared secret: HOTP (RFC 4226), TOTP (RFC 6238), and the three schemes people bring along from elsewhere.
//!
//! A [`Generator`] is made once for an account; it holds the key schedule, and each code costs two compressions of the hash.

mod code;
mod hotp;
mod motp;
mod params;
mod steam;
mod totp;
mod yandex;

pub use code::{Code, Moment, Pair, Pairing};
pub use params::{Algorithm, Digits, Hotp, Period, Scheme, Totp};

use crate::clock::UnixTime;
use crate::failure::{Fails, Kind};
use crate::secret::{Secret, SecretText};

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtpError {
    /// RFC 4226 section 4, R6: a secret has at least 128 bits. One of none would give the same codes to everybody.
    #[error("the secret is empty")]
    EmptySecret,
    /// A number of digits that no truncated value can fill.
    #[error("{0} digits: a code has 1 to 10")]
    Digits(u64),
    /// RFC 6238 section 4.1: the time step X is at least one second here.
    #[error("a period of {0} s: it must be 1 to 4294967295")]
    Period(u64),
    /// The moment lies before T0 (RFC 6238 section 4.2), or has no step before it.
    #[error("at {now} s after 1970 the account has no such time step: its steps begin at {t0}")]
    BeforeT0 {
        /// Seconds since 1970 of the moment asked for.
        now: u64,
        /// The account's T0, in seconds since 1970.
        t0: u64,
    },
    /// The first time step of all has none before it.
    #[error("the present time step is the account's first: there is none before it")]
    NoStepBefore,
    /// The last time step of all has no next one.
    #[error("there is no time step after the last one")]
    AfterLastStep,
    /// An HOTP account's codes come from its counter, not from the time.
    #[error("the account is counter-based (HOTP) and has no code for a moment")]
    NotTimeBased,
    /// A TOTP account's codes come from the time, not from a counter.
    #[error("the account is time-based and has no counter")]
    NotCounterBased,
    /// mOTP and Yandex mix a PIN into each code.
    #[error("the account's codes need its PIN, and none is stored")]
    PinMissing,
    /// Yandex uses the first 16 bytes of the secret.
    #[error("a Yandex secret has at least 16 bytes, this one has {0}")]
    YandexSecretShort(usize),
}

impl Fails for OtpError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PinMissing => Some("store the PIN with `vmfa edit QUERY --pin -`".into()),
            Self::NotTimeBased => {
                Some("`vmfa code QUERY` gives its next code and advances the counter".into())
            }
            Self::NoStepBefore => {
                Some("`vmfa pair --next` gives this step's code and the next".into())
            }
            Self::EmptySecret
            | Self::Digits(_)
            | Self::Period(_)
            | Self::BeforeT0 { .. }
            | Self::AfterLastStep
            | Self::NotCounterBased
            | Self::YandexSecretShort(_) => None,
        }
    }
}

/// An account's secret made ready: the key schedule is computed once and cloned for every code.
pub struct Generator {
    scheme: Scheme,
    key: Key,
}

/// What each scheme keeps ready.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every account is a Mac, and mOTP may be as large for nothing"
)]
enum Key {
    Mac(hotp::Mac),
    Motp(motp::Key),
}

impl Generator {
    /// Makes a secret ready. The PIN is used by mOTP and Yandex alone.
    ///
    /// # Errors
    /// An empty secret; a missing PIN; a Yandex secret of fewer than 16 bytes.
    pub fn new(
        scheme: &Scheme,
        secret: &Secret,
        pin: Option<&SecretText>,
    ) -> Result<Self, OtpError> {
        if secret.is_empty() {
            return Err(OtpError::EmptySecret);
        }
        let key = match scheme {
            Scheme::Totp(totp) => Key::Mac(hotp::Mac::new(totp.algorithm, secret.expose())),
            Scheme::Hotp(hotp) => Key::Mac(hotp::Mac::new(hotp.algorithm, secret.expose())),
            Scheme::Steam => Key::Mac(hotp::Mac::new(Algorithm::Sha1, secret.expose())),
            Scheme::Motp => Key::Motp(motp::Key::new(secret, pin.ok_or(OtpError::PinMissing)?)),
            Scheme::Yandex => Key::Mac(yandex::key(secret, pin.ok_or(OtpError::PinMissing)?)?),
        };
        Ok(Self {
            scheme: scheme.clone(),
            key,
        })
    }

    /// The code that holds at a moment.
    ///
    /// # Errors
    /// The account is counter-based, or the moment lies before its T0.
    pub fn code_at(&self, now: UnixTime) -> Result<Code, OtpError> {
        self.code_of_step(self.scheme.step_at(now)?)
    }

    /// The code of a time step T (RFC 6238 section 4.2).
    ///
    /// # Errors
    /// The account is counter-based.
    pub fn code_of_step(&self, step: u64) -> Result<Code, OtpError> {
        let moment = self.scheme.window(step)?;
        Ok(match (&self.key, &self.scheme) {
            (Key::Motp(key), _) => motp::code(key, step, moment),
            (Key::Mac(mac), Scheme::Steam) => steam::code(mac, step, moment),
            (Key::Mac(mac), Scheme::Yandex) => yandex::code(mac, step, moment),
            (Key::Mac(mac), Scheme::Totp(totp)) => hotp::code(mac, step, totp.digits, moment),
            (Key::Mac(mac), Scheme::Hotp(hotp)) => hotp::code(mac, step, hotp.digits, moment),
            (Key::Mac(mac), Scheme::Motp) => hotp::code(mac, step, Digits::SIX, moment),
        })
    }

    /// The code of a counter C (RFC 4226 section 5.1).
    ///
    /// # Errors
    /// The account is time-based.
    pub fn code_of_counter(&self, counter: u64) -> Result<Code, OtpError> {
        match (&self.key, &self.scheme) {
            (Key::Mac(mac), Scheme::Hotp(hotp)) => Ok(hotp::code(
                mac,
                counter,
                hotp.digits,
                Moment::Counter(counter),
            )),
            (Key::Mac(_) | Key::Motp(_), _) => Err(OtpError::NotCounterBased),
        }
    }

    /// The codes of two consecutive time steps, the earlier first.
    ///
    /// # Errors
    /// The account is counter-based, or has only one of the two steps.
    pub fn pair_at(&self, now: UnixTime, pairing: Pairing) -> Result<Pair, OtpError> {
        let step = self.scheme.step_at(now)?;
        let first = match pairing {
            Pairing::Previous => step.checked_sub(1).ok_or(OtpError::NoStepBefore)?,
            Pairing::Next => step,
        };
        let second = first.checked_add(1).ok_or(OtpError::AfterLastStep)?;
        Ok(Pair {
            first: self.code_of_step(first)?,
            second: self.code_of_step(second)?,
        })
    }
}

#[cfg(test)]
mod tests;
