//! A code, and when it holds.

use zeroize::Zeroize;

use crate::clock::UnixTime;

/// The longest code there is.
pub(crate) const MAX_LEN: usize = 10;

/// What a code is for: a stretch of time or a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A time step T and the window in which it is the present one.
    Step {
        /// T = (now - T0) / X, RFC 6238 section 4.2.
        step: u64,
        /// The first second of the window.
        from: UnixTime,
        /// The first second after the window.
        until: UnixTime,
    },
    /// An HOTP counter C.
    Counter(u64),
}

/// A code as it is typed. `Debug` tells its moment, never its digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    text: [u8; MAX_LEN],
    len: u8,
    moment: Moment,
}

impl Code {
    /// A number with leading zeros up to `len` digits.
    pub(super) fn from_number(mut number: u64, len: u8, moment: Moment) -> Self {
        let mut text = [b'0'; MAX_LEN];
        for place in text[..usize::from(len)].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
        Self { text, len, moment }
    }

    /// ASCII characters, at most ten of them.
    pub(super) fn from_ascii(ascii: &[u8], moment: Moment) -> Self {
        let mut text = [b'0'; MAX_LEN];
        text[..ascii.len()].copy_from_slice(ascii);
        Self {
            text,
            len: ascii.len() as u8,
            moment,
        }
    }

    /// A code that was made elsewhere and comes back as text; none for what no scheme here makes.
    pub(crate) fn from_text(text: &str, moment: Moment) -> Option<Self> {
        let fits = (1..=MAX_LEN).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self::from_ascii(text.as_bytes(), moment))
    }

    /// The characters to type.
    pub fn as_str(&self) -> &str {
        // The only two ways to make a code write ASCII.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// How many characters there are.
    pub fn digits(&self) -> u8 {
        self.len
    }

    /// What the code is for.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// The time step; none for a counter-based code.
    pub fn step(&self) -> Option<u64> {
        match self.moment {
            Moment::Step { step, .. } => Some(step),
            Moment::Counter(_) => None,
        }
    }

    /// The window in which the code's step is the present one: its first second, and the first second after it.
    pub fn window(&self) -> Option<(UnixTime, UnixTime)> {
        match self.moment {
            Moment::Step { from, until, .. } => Some((from, until)),
            Moment::Counter(_) => None,
        }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code")
            .field("moment", &self.moment)
            .finish_non_exhaustive()
    }
}

/// Which two consecutive steps a pair takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The step before the present one and the present one: both exist already, so nobody has to wait, and AWS takes them.
    Previous,
    /// The present step and the next one, for a service that takes no code from the past.
    Next,
}

/// Two codes of consecutive time steps, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// AWS's "MFA code 1".
    pub first: Code,
    /// AWS's "MFA code 2".
    pub second: Code,
}
