//! What a target can hold: said once, so that help, losses and tests tell the same.

use crate::otp::{Algorithm, Scheme};

/// A scheme, without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RFC 6238.
    Totp,
    /// RFC 4226.
    Hotp,
    /// Steam Guard.
    Steam,
    /// Mobile-OTP.
    Motp,
    /// Yandex Key.
    Yandex,
}

impl Kind {
    /// Every one there is.
    pub const ALL: [Self; 5] = [
        Self::Totp,
        Self::Hotp,
        Self::Steam,
        Self::Motp,
        Self::Yandex,
    ];

    /// The kind of a scheme.
    pub const fn of(scheme: &Scheme) -> Self {
        match scheme {
            Scheme::Totp(_) => Self::Totp,
            Scheme::Hotp(_) => Self::Hotp,
            Scheme::Steam => Self::Steam,
            Scheme::Motp => Self::Motp,
            Scheme::Yandex => Self::Yandex,
        }
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "TOTP",
            Self::Hotp => "HOTP",
            Self::Steam => "Steam",
            Self::Motp => "mOTP",
            Self::Yandex => "Yandex",
        }
    }
}

/// Which periods, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Periods {
    /// Any.
    Any,
    /// These.
    Only(&'static [u32]),
    /// Up to this one.
    UpTo(u32),
}

impl Periods {
    /// Whether a period is one of them.
    pub fn has(self, period: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Only(these) => these.contains(&period),
            Self::UpTo(most) => period <= most,
        }
    }
}

/// How many tags an account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// None.
    None,
    /// The first one, as a folder or a group.
    First,
    /// All.
    All,
}

/// What a target can hold of an account. What it isn't said to hold is lost, and that is told.
#[derive(Debug, Clone, Copy)]
pub struct Can {
    /// Which schemes.
    pub kinds: &'static [Kind],
    /// Which hashes, of TOTP and HOTP.
    pub algorithms: &'static [Algorithm],
    /// Which lengths of a code, of TOTP and HOTP.
    pub digits: &'static [u8],
    /// Which periods, of TOTP.
    pub periods: Periods,
    /// Above this period older versions of the app show wrong codes.
    pub sure_period: u32,
    /// The highest counter.
    pub counter: u64,
    /// Steps that aren't counted from 1970, in words that only vmfa reads.
    pub t0: bool,
    /// The PIN of mOTP, and that of Yandex.
    pub pins: (bool, bool),
    /// Tags.
    pub tags: Tags,
    /// The note.
    pub note: bool,
    /// The mark of a favourite.
    pub favorite: bool,
    /// Being in the trash.
    pub trash: bool,
    /// A label's prefix that differs from the issuer.
    pub prefix: bool,
    /// The address of a picture.
    pub image: bool,
    /// AWS's serial number, as itself. A target with a note gets it as a line of the note.
    pub serial_number: bool,
    /// Several accounts with one secret.
    pub twins: bool,
    /// A name with a colon where there is no issuer.
    pub colon: bool,
    /// No issuer at all: others need a title, and have the name for one.
    pub no_issuer: bool,
}

/// What nearly everybody can.
pub(super) const USUAL: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

/// Every length of a code.
pub(super) const ALL_DIGITS: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

impl Can {
    /// Everything that vmfa itself knows, and what all others are described by the difference to.
    pub(super) const ALL: Self = Self {
        kinds: &Kind::ALL,
        algorithms: &Algorithm::ALL,
        digits: &ALL_DIGITS,
        periods: Periods::Any,
        sure_period: u32::MAX,
        counter: u64::MAX,
        t0: false,
        pins: (true, true),
        tags: Tags::All,
        note: true,
        favorite: true,
        trash: true,
        prefix: true,
        image: true,
        serial_number: false,
        twins: true,
        colon: true,
        no_issuer: true,
    };

    /// What can't be held, in a line: first which accounts are left out, then which of their words.
    pub fn cannot(&self) -> String {
        let mut out: Vec<String> = Kind::ALL
            .into_iter()
            .filter(|kind| !self.kinds.contains(kind))
            .map(|kind| kind.name().to_owned())
            .collect();
        let hashes = Algorithm::ALL.into_iter();
        out.extend(
            hashes
                .filter(|algorithm| !self.algorithms.contains(algorithm))
                .map(|algorithm| algorithm.name().to_owned()),
        );
        if self.digits.len() < ALL_DIGITS.len() {
            out.push(format!("codes of other lengths than {}", self.lengths()));
        }
        match self.periods {
            Periods::Any => {}
            Periods::Only(these) => {
                let these: Vec<String> = these.iter().map(u32::to_string).collect();
                out.push(format!("periods other than {} s", these.join(", ")));
            }
            Periods::UpTo(most) => out.push(format!("periods above {most} s")),
        }
        if !self.twins {
            out.push("a second account with the same secret".into());
        }
        let mut words: Vec<&str> = Vec::new();
        let has = |kind| self.kinds.contains(&kind);
        let lacks_pin = has(Kind::Motp) && !self.pins.0 || has(Kind::Yandex) && !self.pins.1;
        let lost = [
            (lacks_pin, "PINs"),
            (self.tags == Tags::None, "tags"),
            (self.tags == Tags::First, "tags but the first"),
            (!self.note, "notes"),
            (!self.favorite, "favourites"),
            (!self.trash, "the trash"),
        ];
        words.extend(lost.iter().filter(|(is, _)| *is).map(|(_, word)| *word));
        let list = |intro: &str, what: &str| match what {
            "" => String::new(),
            what => format!("{intro} {what}"),
        };
        let parts = [
            list("left out:", &out.join(", ")),
            list("lost:", &words.join(", ")),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts.is_empty() {
            true => "nothing is lost".into(),
            false => parts.join("; "),
        }
    }

    /// `6 to 8`, or `6, 8`.
    fn lengths(&self) -> String {
        match self.digits {
            [first, .., last] if usize::from(last - first) + 1 == self.digits.len() => {
                format!("{first} to {last}")
            }
            these => {
                let these: Vec<String> = these.iter().map(u8::to_string).collect();
                these.join(", ")
            }
        }
    }
}
