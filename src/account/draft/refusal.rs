//! Why a draft is no account: where, which word, why.

use std::fmt;

use crate::account::text::clean;
use crate::base32::Base32Error;
use crate::failure::{Fails, Kind};

/// Which word of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The text as a whole.
    Uri,
    /// totp, hotp and so on.
    Type,
    /// The label, or its prefix.
    Label,
    /// Who asks for the code.
    Issuer,
    /// The account name.
    Name,
    /// The shared secret.
    Secret,
    /// The hash.
    Algorithm,
    /// The length of a code.
    Digits,
    /// The time step.
    Period,
    /// The HOTP counter.
    Counter,
    /// The moment from which steps are counted.
    T0,
    /// What mOTP and Yandex mix in.
    Pin,
    /// Words to find it by.
    Tags,
    /// Free text.
    Note,
    /// AWS's serial number.
    SerialNumber,
    /// The address of a picture.
    Image,
    /// Ente's `codeDisplay`.
    CodeDisplay,
    /// The data of a migration.
    Data,
    /// The account's own random identity.
    Identity,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri => "text",
            Self::Type => "type",
            Self::Label => "label",
            Self::Issuer => "issuer",
            Self::Name => "account name",
            Self::Secret => "secret",
            Self::Algorithm => "algorithm",
            Self::Digits => "digits",
            Self::Period => "period",
            Self::Counter => "counter",
            Self::T0 => "T0",
            Self::Pin => "PIN",
            Self::Tags => "tags",
            Self::Note => "note",
            Self::SerialNumber => "serial number",
            Self::Image => "image",
            Self::CodeDisplay => "codeDisplay",
            Self::Data => "data",
            Self::Identity => "identity",
        })
    }
}

/// Why a word is refused. Where a word is quoted, it is short and safe to show; a longer one is left out, since it may be a
/// secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is not there.
    Missing,
    /// It is there and says nothing.
    Empty,
    /// Longer than this many bytes.
    TooLong {
        /// The most there may be.
        max: usize,
    },
    /// There are more than this many.
    TooMany {
        /// The most there may be.
        max: usize,
    },
    /// The secret is no base32.
    Base32 {
        /// Where and what.
        error: Base32Error,
        /// It may be hexadecimal instead.
        looks_hexadecimal: bool,
    },
    /// A character is no base64, or the text is cut off there.
    Base64 {
        /// In characters, from 1.
        position: usize,
    },
    /// A character is no hexadecimal digit.
    Hexadecimal {
        /// In characters, from 1.
        position: usize,
        /// The character.
        character: char,
    },
    /// An odd number of hexadecimal digits.
    HalfAByte,
    /// Fewer than the 16 bytes that Yandex uses.
    YandexSecretShort {
        /// How many there are.
        bytes: usize,
    },
    /// Not a decimal number.
    NotANumber(Option<String>),
    /// A number outside the bounds.
    OutOfRange {
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// A hash that nobody computes codes with, such as MD5, or no hash at all.
    UnknownAlgorithm(Option<String>),
    /// Neither totp nor hotp nor another one known here.
    UnknownType(Option<String>),
    /// A number that stands for nothing known, in a format that numbers its words.
    UnknownNumber(u64),
    /// The text has no scheme.
    NotAUri,
    /// A scheme that isn't for accounts, such as https.
    Scheme(Option<String>),
    /// A Google Authenticator migration where one account is expected.
    IsMigration,
    /// A second Key URI, or its secret, stands in a word of the first.
    TwoUris,
    /// What follows `steam:` is no secret but, most likely, a command to the Steam program.
    NotASteamSecret,
    /// Quoted-printable: every `=` of a mail's source stands as `=3D`.
    QuotedPrintable,
    /// Sealed by itself in its file, and its key doesn't open it.
    Sealed,
    /// The protobuf message breaks off or contradicts itself, at this byte.
    Protobuf {
        /// In bytes, from 0.
        at: usize,
    },
    /// The system has no random numbers to give.
    NoRandomNumbers,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |f: &mut fmt::Formatter<'_>, word: &Option<String>, not: &str| match word {
            Some(word) => write!(f, "{word:?} {not}"),
            None => write!(f, "it {not}"),
        };
        match self {
            Self::Missing => f.write_str("it is missing"),
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong { max } => write!(f, "it is longer than {max} bytes"),
            Self::TooMany { max } => write!(f, "there are more than {max}"),
            Self::Base32 { error, .. } => error.fmt(f),
            Self::Base64 { position } => write!(f, "at character {position} it is not base64"),
            Self::Hexadecimal {
                position,
                character,
            } => {
                write!(f, "character {position}, {character:?}, is not hexadecimal")
            }
            Self::HalfAByte => f.write_str("an odd number of hexadecimal digits"),
            Self::YandexSecretShort { bytes } => write!(
                f,
                "a Yandex secret has at least 16 bytes, this one has {bytes}"
            ),
            Self::NotANumber(word) => quoted(f, word, "is not a number"),
            Self::OutOfRange { min, max } => write!(f, "it must be {min} to {max}"),
            Self::UnknownAlgorithm(word) => {
                quoted(f, word, "is not an algorithm that codes are made with")
            }
            Self::UnknownType(word) => quoted(f, word, "is not a known type"),
            Self::UnknownNumber(number) => write!(f, "number {number} stands for nothing known"),
            Self::NotAUri => f.write_str("it is not a Key URI (otpauth://…)"),
            Self::Scheme(Some(scheme)) => write!(f, "it begins with {scheme}:, not with otpauth:"),
            Self::Scheme(None) => f.write_str("it doesn't begin with otpauth:"),
            Self::IsMigration => {
                f.write_str("it is a Google Authenticator migration, not one account's Key URI")
            }
            Self::TwoUris => f.write_str("two Key URIs run together"),
            Self::NotASteamSecret => {
                f.write_str("it is not a Steam secret, 20 bytes in base32 or base64")
            }
            Self::QuotedPrintable => {
                f.write_str("it is quoted-printable: each = of it stands as =3D")
            }
            Self::Sealed => f.write_str("it is sealed, and damaged: its key doesn't open it"),
            Self::Protobuf { at } => write!(f, "the message is damaged or cut off at byte {at}"),
            Self::NoRandomNumbers => f.write_str("the system has no random numbers to give"),
        }
    }
}

/// A draft that can't be an account: where, which word, why. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it was found, such as "row 14"; empty when there is but one.
    pub place: String,
    /// `issuer:name` as far as known, safe to show.
    pub label: String,
    /// Which word.
    pub field: Field,
    /// Why.
    pub reason: Reason,
}

impl Refusal {
    /// A refusal of a text that shows no label.
    pub(crate) fn of(field: Field, reason: Reason) -> Self {
        Self {
            place: String::new(),
            label: String::new(),
            field,
            reason,
        }
    }

    /// A stable word for the kind of refusal, for programs: `bad_secret`, `missing_secret`, `bad_digits` and so on.
    pub fn class(&self) -> &'static str {
        match (&self.reason, self.field) {
            (Reason::NotAUri, _) => "not_a_uri",
            (Reason::TwoUris, _) => "two_uris",
            (Reason::Scheme(_) | Reason::IsMigration, _) => "bad_scheme",
            (Reason::Protobuf { .. }, _) => "bad_protobuf",
            (Reason::Base64 { .. }, Field::Data) => "bad_base64",
            (Reason::Missing | Reason::Empty, Field::Data) => "missing_data",
            (Reason::Missing, Field::Secret) => "missing_secret",
            (Reason::Empty, Field::Secret) => "empty_secret",
            (Reason::NoRandomNumbers, _) => "no_random_numbers",
            (_, Field::Uri) => "bad_uri",
            (_, Field::Type) => "bad_type",
            (_, Field::Label) => "bad_label",
            (_, Field::Issuer) => "bad_issuer",
            (_, Field::Name) => "bad_name",
            (_, Field::Secret) => "bad_secret",
            (_, Field::Algorithm) => "bad_algorithm",
            (_, Field::Digits) => "bad_digits",
            (_, Field::Period) => "bad_period",
            (_, Field::Counter) => "bad_counter",
            (_, Field::T0) => "bad_t0",
            (_, Field::Pin) => "bad_pin",
            (_, Field::Tags) => "bad_tags",
            (_, Field::Note) => "bad_note",
            (_, Field::SerialNumber) => "bad_serial_number",
            (_, Field::Image) => "bad_image",
            (_, Field::CodeDisplay) => "bad_code_display",
            (_, Field::Data) => "bad_data",
            (_, Field::Identity) => "bad_identity",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = clean(&self.place);
        let label = clean(&self.label);
        if !place.is_empty() {
            write!(f, "{place}, ")?;
        }
        if !label.is_empty() {
            write!(f, "\"{label}\", ")?;
        }
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for Refusal {}

impl Fails for Refusal {
    fn kind(&self) -> Kind {
        match self.reason {
            Reason::NoRandomNumbers => Kind::Internal,
            Reason::Missing
            | Reason::Empty
            | Reason::TooLong { .. }
            | Reason::TooMany { .. }
            | Reason::Base32 { .. }
            | Reason::Base64 { .. }
            | Reason::Hexadecimal { .. }
            | Reason::HalfAByte
            | Reason::YandexSecretShort { .. }
            | Reason::NotANumber(_)
            | Reason::OutOfRange { .. }
            | Reason::UnknownAlgorithm(_)
            | Reason::UnknownType(_)
            | Reason::UnknownNumber(_)
            | Reason::NotAUri
            | Reason::Scheme(_)
            | Reason::IsMigration
            | Reason::TwoUris
            | Reason::NotASteamSecret
            | Reason::QuotedPrintable
            | Reason::Sealed
            | Reason::Protobuf { .. } => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match &self.reason {
            Reason::Base32 {
                looks_hexadecimal: true,
                ..
            } => Some(
                "it looks hexadecimal; base32 has the letters A to Z and the digits 2 to 7".into(),
            ),
            Reason::Base32 { error, .. } => error.hint(),
            Reason::UnknownAlgorithm(_) => {
                Some("known are SHA1, SHA224, SHA256, SHA384 and SHA512".into())
            }
            Reason::UnknownType(_) => Some("known are totp, hotp, steam, motp and yandex".into()),
            Reason::Protobuf { .. } => Some("scan or copy the migration code again, whole".into()),
            Reason::HalfAByte => Some("a digit may be missing".into()),
            Reason::TwoUris => Some("put each on a line of its own".into()),
            Reason::NotASteamSecret => {
                Some("links such as steam://run/440 start a game and hold no secret".into())
            }
            Reason::QuotedPrintable => {
                Some("copy it from the mail as shown, not from its source".into())
            }
            Reason::Missing
            | Reason::Empty
            | Reason::TooLong { .. }
            | Reason::TooMany { .. }
            | Reason::Base64 { .. }
            | Reason::Hexadecimal { .. }
            | Reason::YandexSecretShort { .. }
            | Reason::NotANumber(_)
            | Reason::OutOfRange { .. }
            | Reason::UnknownNumber(_)
            | Reason::NotAUri
            | Reason::Scheme(_)
            | Reason::IsMigration
            | Reason::Sealed
            | Reason::NoRandomNumbers => None,
        }
    }
}

/// The longest word that an error quotes. A secret is longer.
const QUOTED: usize = 12;

/// A word as an error may quote it; none when it is long enough to be a secret in the wrong place.
pub(crate) fn quotable(word: &str) -> Option<String> {
    let cleaned = clean(word.trim());
    (cleaned.chars().count() <= QUOTED).then(|| cleaned.into_owned())
}
