//! What becomes of an account in a target: carried whole, carried with words lost, or left out.

use std::fmt;

use crate::account::{Account, Summary};
use crate::export::can::{Can, Kind, Tags};
use crate::export::format::Target;
use crate::otp::Scheme;
use crate::qr::Drawing;
use crate::secret::SecretText;

/// What becomes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is in the file, without these of its words.
    Carried(Vec<Lost>),
    /// It isn't in the file, since its codes would be wrong there, or there would be none.
    LeftOut(Obstacle),
}

/// Why an account is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its type.
    Kind(Kind),
    /// Its hash.
    Algorithm(&'static str),
    /// The length of its codes.
    Digits(u8),
    /// Its period, in seconds.
    Period(u32),
    /// Steps that aren't counted from 1970.
    T0,
    /// A counter that is too high.
    Counter(u64),
    /// The secret of another account of the export, and the target tells accounts apart by their secrets.
    Twin,
    /// The issuer by which the target knows Steam, on an account that is none of Steam's.
    TakenForSteam,
    /// More text than a QR code holds.
    TooLong,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "{} is not known there", kind.name()),
            Self::Algorithm(name) => write!(f, "{name} is not known there"),
            Self::Digits(digits) => write!(f, "codes of {digits} digits are not known there"),
            Self::Period(period) => write!(f, "a period of {period} s is not known there"),
            Self::T0 => {
                f.write_str("its steps are not counted from 1970, which is not known there")
            }
            Self::Counter(counter) => write!(f, "its counter, {counter}, is too high there"),
            Self::Twin => {
                f.write_str("another account has the same secret, which is not possible there")
            }
            Self::TakenForSteam => {
                f.write_str("of the issuer Steam it would be taken for Steam Guard there")
            }
            Self::TooLong => f.write_str("its label is too long for a QR code"),
        }
    }
}

/// A word of an account that a target has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The PIN: to be typed there.
    Pin,
    /// All tags.
    Tags,
    /// All tags but the first.
    OtherTags,
    /// The note.
    Note,
    /// The mark of a favourite.
    Favorite,
    /// Its being in the trash: it is an account like others there.
    Trash,
    /// The label's prefix that differs from the issuer.
    Prefix,
    /// The address of a picture.
    Image,
    /// AWS's serial number.
    SerialNumber,
    /// AWS's serial number stands in the note.
    SerialNumberInNote,
    /// That it asks before each code.
    Confirm,
    /// The colon in its name: what stands before it is taken for the issuer.
    Colon,
    /// Its having no issuer: the name stands for one.
    NoIssuer,
    /// Nothing, but older versions of the app don't know so long a period: they show other codes.
    LongPeriod,
    /// Nothing, but only vmfa reads from when its steps are counted: other programs show other codes.
    T0ForVmfa,
}

impl Lost {
    /// A stable word, for programs.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Tags | Self::OtherTags => "tags",
            Self::Note => "note",
            Self::Favorite => "favorite",
            Self::Trash => "trashed",
            Self::Prefix => "label_prefix",
            Self::Image => "image",
            Self::SerialNumber => "serial_number",
            Self::SerialNumberInNote => "serial_number_in_note",
            Self::Confirm => "confirm",
            Self::Colon => "name",
            Self::NoIssuer => "issuer",
            Self::LongPeriod => "period",
            Self::T0ForVmfa => "t0",
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN (type it there)",
            Self::Tags => "tags",
            Self::OtherTags => "tags but the first",
            Self::Note => "note",
            Self::Favorite => "favourite",
            Self::Trash => "that it is in the trash (it is an account like others there)",
            Self::Prefix => "label prefix",
            Self::Image => "address of a picture",
            Self::SerialNumber => "AWS serial number",
            Self::SerialNumberInNote => "AWS serial number (it stands in the note)",
            Self::Confirm => "asking before each code",
            Self::Colon => "colon in the name (what is before it becomes the issuer)",
            Self::NoIssuer => "its having no issuer (the name is the title there)",
            Self::LongPeriod => {
                "long period (older versions of the app take it for 60 s and show wrong codes)"
            }
            Self::T0ForVmfa => {
                "start of its steps (only vmfa reads it: other apps show wrong codes)"
            }
        })
    }
}

/// What becomes of each account in a target.
pub fn fates(target: &Target, accounts: &[Account]) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::with_capacity(accounts.len());
    for (index, account) in accounts.iter().enumerate() {
        let is_taken = |other: &Account| other.secret.same_as(&account.secret);
        let carried_before = accounts[..index].iter().zip(&fates);
        let twin = !target.can.twins
            && carried_before
                .filter(|(_, fate)| matches!(fate, Fate::Carried(_)))
                .any(|(other, _)| is_taken(other));
        let obstacle = match obstacle(&target.can, account) {
            None if twin => Some(Obstacle::Twin),
            None => target.fits.and_then(|fits| fits(account)),
            some => some,
        };
        fates.push(match obstacle {
            Some(obstacle) => Fate::LeftOut(obstacle),
            None => Fate::Carried(lost(&target.can, account)),
        });
    }
    fates
}

/// Whether its Key URI is more than a QR code holds.
pub(super) fn too_long_to_draw(uri: &SecretText) -> Option<Obstacle> {
    Drawing::new(uri).is_err().then_some(Obstacle::TooLong)
}

fn obstacle(can: &Can, account: &Account) -> Option<Obstacle> {
    let Summary {
        scheme, counter, ..
    } = &account.summary;
    let kind = Kind::of(scheme);
    if !can.kinds.contains(&kind) {
        return Some(Obstacle::Kind(kind));
    }
    let (algorithm, digits) = match scheme {
        Scheme::Totp(totp) => (totp.algorithm, totp.digits.get()),
        Scheme::Hotp(hotp) => (hotp.algorithm, hotp.digits.get()),
        // What these have is fixed, and whoever knows the scheme knows it.
        Scheme::Steam | Scheme::Motp | Scheme::Yandex => return None,
    };
    if !can.algorithms.contains(&algorithm) {
        return Some(Obstacle::Algorithm(algorithm.name()));
    }
    if !can.digits.contains(&digits) {
        return Some(Obstacle::Digits(digits));
    }
    match scheme {
        Scheme::Totp(totp) if !can.periods.has(totp.period.get()) => {
            Some(Obstacle::Period(totp.period.get()))
        }
        Scheme::Totp(totp) if totp.t0 != 0 && !can.t0 => Some(Obstacle::T0),
        Scheme::Hotp(_) => counter
            .filter(|counter| *counter > can.counter)
            .map(Obstacle::Counter),
        Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => None,
    }
}

fn lost(can: &Can, account: &Account) -> Vec<Lost> {
    let summary = &account.summary;
    let carries_pin = match summary.scheme {
        Scheme::Motp => can.pins.0,
        Scheme::Yandex => can.pins.1,
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam => true,
    };
    let has_serial_number = summary.serial_number.is_some() && !can.serial_number;
    let all = [
        (account.pin.is_some() && !carries_pin, Lost::Pin),
        (
            !summary.tags.is_empty() && can.tags == Tags::None,
            Lost::Tags,
        ),
        (
            summary.tags.len() > 1 && can.tags == Tags::First,
            Lost::OtherTags,
        ),
        (!summary.note.is_empty() && !can.note, Lost::Note),
        (summary.favorite && !can.favorite, Lost::Favorite),
        (summary.trashed.is_some() && !can.trash, Lost::Trash),
        (summary.label_issuer.is_some() && !can.prefix, Lost::Prefix),
        (summary.image.is_some() && !can.image, Lost::Image),
        (has_serial_number && !can.note, Lost::SerialNumber),
        (has_serial_number && can.note, Lost::SerialNumberInNote),
        (summary.confirm, Lost::Confirm),
        (
            !can.colon && summary.issuer.is_empty() && summary.name.contains(':'),
            Lost::Colon,
        ),
        (
            !can.no_issuer && summary.issuer.is_empty() && !summary.name.is_empty(),
            Lost::NoIssuer,
        ),
        (
            summary.scheme.period() > Some(can.sure_period),
            Lost::LongPeriod,
        ),
        (summary.scheme.t0() != 0, Lost::T0ForVmfa),
    ];
    let all = all.into_iter().filter(|(is_lost, _)| *is_lost);
    all.map(|(_, lost)| lost).collect()
}

/// The account as whoever reads the file will have it; none if it is left out.
pub fn held(account: &Account, fate: &Fate) -> Option<Account> {
    let mut held = in_file(account, fate)?;
    if let Fate::Carried(losses) = fate
        && losses.contains(&Lost::NoIssuer)
    {
        held.summary.issuer = held.summary.name.clone();
    }
    Some(held)
}

/// The account as it is written.
pub(super) fn in_file(account: &Account, fate: &Fate) -> Option<Account> {
    let Fate::Carried(losses) = fate else {
        return None;
    };
    let mut held = Account {
        summary: account.summary.clone(),
        secret: account.secret.duplicate(),
        pin: account.pin.as_ref().map(SecretText::duplicate),
    };
    let summary = &mut held.summary;
    for lost in losses {
        match lost {
            Lost::Pin => held.pin = None,
            Lost::Tags => summary.tags.clear(),
            Lost::OtherTags => summary.tags.truncate(1),
            Lost::Note => summary.note.clear(),
            Lost::Favorite => summary.favorite = false,
            Lost::Trash => summary.trashed = None,
            Lost::Prefix => summary.label_issuer = None,
            Lost::Image => summary.image = None,
            Lost::SerialNumber => summary.serial_number = None,
            Lost::SerialNumberInNote => {
                let serial_number = summary.serial_number.take().unwrap_or_default();
                if !summary.note.contains(&serial_number) {
                    let space = if summary.note.is_empty() { "" } else { " " };
                    summary.note = format!("{}{space}{serial_number}", summary.note);
                }
            }
            Lost::Confirm => summary.confirm = false,
            Lost::Colon => {
                let (before, after) = summary.name.split_once(':').unwrap_or_default();
                summary.issuer = before.trim().to_owned();
                summary.name = after.trim().to_owned();
            }
            Lost::NoIssuer | Lost::LongPeriod | Lost::T0ForVmfa => {}
        }
    }
    // The mark of a conflict is this vault's own affair; both accounts go, each by itself.
    summary.conflict = false;
    Some(held)
}
