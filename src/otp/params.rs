//! The parameters of a scheme, each valid by construction.

use crate::otp::OtpError;

/// The hash under the HMAC. RFC 6238 section 1.2 names SHA-1, SHA-256 and SHA-512; FreeOTP and 2FAS know the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// The default everywhere, and AWS's.
    Sha1,
    /// Seen in FreeOTP and 2FAS only.
    Sha224,
    /// RFC 6238.
    Sha256,
    /// Seen in FreeOTP and 2FAS only.
    Sha384,
    /// RFC 6238.
    Sha512,
}

impl Algorithm {
    /// Every one there is, in the order of their strength.
    pub const ALL: [Self; 5] = [
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The name as the Key URI writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }
}

/// How many digits a code has: 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits(u8);

impl Digits {
    /// The default.
    pub const SIX: Self = Self(6);

    /// # Errors
    /// A number outside 1 to 10: the truncated value of RFC 4226 section 5.3 has at most ten.
    pub fn new(digits: u64) -> Result<Self, OtpError> {
        match u8::try_from(digits) {
            Ok(digits @ 1..=10) => Ok(Self(digits)),
            Ok(_) | Err(_) => Err(OtpError::Digits(digits)),
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The time step X of RFC 6238 in seconds: 1 to 2^32 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period(u32);

impl Period {
    /// The default.
    pub const THIRTY: Self = Self(30);

    /// # Errors
    /// Zero, or more than 32 bits.
    pub fn new(seconds: u64) -> Result<Self, OtpError> {
        match u32::try_from(seconds) {
            Ok(0) | Err(_) => Err(OtpError::Period(seconds)),
            Ok(seconds) => Ok(Self(seconds)),
        }
    }

    /// Seconds.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The parameters of a time-based account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Totp {
    /// The hash.
    pub algorithm: Algorithm,
    /// The length of a code.
    pub digits: Digits,
    /// The time step X.
    pub period: Period,
    /// The moment from which steps are counted, in seconds since 1970.
    pub t0: u64,
}

impl Default for Totp {
    /// What an absent parameter means, and what AWS uses: SHA-1, 6 digits, 30 s, from 1970.
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            period: Period::THIRTY,
            t0: 0,
        }
    }
}

/// The parameters of a counter-based account. The counter itself is state and belongs to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hotp {
    /// The hash.
    pub algorithm: Algorithm,
    /// The length of a code.
    pub digits: Digits,
}

/// How an account turns its secret into codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RFC 6238.
    Totp(Totp),
    /// RFC 4226.
    Hotp(Hotp),
    /// Steam Guard: TOTP with SHA-1 and 30 s, shown as five letters of its own alphabet.
    Steam,
    /// Mobile-OTP: MD5 over time, secret and PIN, every 10 s.
    Motp,
    /// Yandex Key: eight letters from HMAC-SHA-256 under a key made of PIN and secret.
    Yandex,
}

impl Scheme {
    /// The word for it in a Key URI and in `--type`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Hotp(_) => "hotp",
            Self::Steam => "steam",
            Self::Motp => "motp",
            Self::Yandex => "yandex",
        }
    }

    /// The hash, as a Key URI names it; mOTP is built on MD5.
    pub const fn algorithm_name(&self) -> &'static str {
        match self {
            Self::Totp(totp) => totp.algorithm.name(),
            Self::Hotp(hotp) => hotp.algorithm.name(),
            Self::Steam => "SHA1",
            Self::Motp => "MD5",
            Self::Yandex => "SHA256",
        }
    }

    /// How many characters a code has.
    pub const fn digits(&self) -> u8 {
        match self {
            Self::Totp(totp) => totp.digits.get(),
            Self::Hotp(hotp) => hotp.digits.get(),
            Self::Steam => 5,
            Self::Motp => 6,
            Self::Yandex => 8,
        }
    }

    /// The time step in seconds; none for a counter-based account.
    pub const fn period(&self) -> Option<u32> {
        match self {
            Self::Totp(totp) => Some(totp.period.get()),
            Self::Hotp(_) => None,
            Self::Steam | Self::Yandex => Some(30),
            Self::Motp => Some(10),
        }
    }

    /// Whether a PIN goes into the codes; a PIN is of no use to the others.
    pub const fn takes_pin(&self) -> bool {
        match self {
            Self::Motp | Self::Yandex => true,
            Self::Totp(_) | Self::Hotp(_) | Self::Steam => false,
        }
    }

    /// The moment from which steps are counted, in seconds since 1970.
    pub const fn t0(&self) -> u64 {
        match self {
            Self::Totp(totp) => totp.t0,
            Self::Hotp(_) | Self::Steam | Self::Motp | Self::Yandex => 0,
        }
    }
}
