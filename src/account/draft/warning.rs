//! What is odd about a draft and taken all the same.

use std::fmt;

use crate::account::draft::{Field, SecretEncoding};

/// Odd, but taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Fewer than the 128 bits of RFC 4226 section 4, R6.
    WeakSecret {
        /// How many there are.
        bits: usize,
    },
    /// HOTP without the counter that its Key URI must have: it starts at 0.
    MissingCounter,
    /// mOTP or Yandex without the PIN that its codes need.
    MissingPin,
    /// A period of more than an hour, in seconds.
    LongPeriod(u32),
    /// Bytes that are no UTF-8 were replaced by U+FFFD.
    InvalidUtf8(Field),
    /// Characters that steer a terminal were taken out.
    Cleaned(Field),
    /// What was too long was cut off.
    Shortened(Field),
    /// What could not be understood was left out. A PIN can be given later; other words don't matter for the codes.
    LeftOut(Field),
    /// It was given, and the scheme has no use for it.
    Ignored(Field),
    /// Given twice with different values: the first was taken.
    Repeated(Field),
    /// A Steam secret that isn't the usual 20 bytes in base32 nor in base64, and could be read as either: which it was read as.
    GuessedEncoding(SecretEncoding),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WeakSecret { bits } => {
                write!(f, "the secret has only {bits} bits; RFC 4226 asks for 128")
            }
            Self::MissingCounter => f.write_str("no counter is given; it starts at 0"),
            Self::MissingPin => f.write_str("no PIN is given; there is no code without it"),
            Self::LongPeriod(seconds) => write!(f, "a period of {seconds} s is unusually long"),
            Self::InvalidUtf8(field) => {
                write!(f, "{field}: bytes that are not UTF-8 were replaced")
            }
            Self::Cleaned(field) => write!(f, "{field}: control characters were taken out"),
            Self::Shortened(field) => write!(f, "{field}: too long, the end was cut off"),
            Self::LeftOut(field) => write!(f, "{field}: not understood, left out"),
            Self::Ignored(field) => write!(f, "{field}: of no use to this type, left out"),
            Self::Repeated(field) => write!(f, "{field}: given twice, the first was taken"),
            Self::GuessedEncoding(encoding) => write!(
                f,
                "the secret is not the usual 20 bytes; it was read as {}: compare a code",
                match encoding {
                    SecretEncoding::AsUsual | SecretEncoding::Base32 => "base32",
                    SecretEncoding::Base64 => "base64",
                    SecretEncoding::Hex => "hexadecimal",
                    SecretEncoding::Base32OfHex => "base32 of hexadecimal",
                }
            ),
        }
    }
}
