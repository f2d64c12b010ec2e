//! Loose words in, an account or a refusal out: the one place where words become meaning.

mod leak;
mod parse;
mod refusal;
mod secret;
mod warning;

#[cfg(test)]
mod tests;

pub use refusal::{Field, Reason, Refusal};
pub use warning::Warning;

pub(crate) use leak::{holds_secret, holds_uri};
pub(crate) use parse::present;
pub(crate) use refusal::quotable;
pub(crate) use secret::STEAM_LEN;

use crate::account::text::{clean_within, fit};
use crate::account::{Account, AccountId, Summary};
use crate::clock::UnixTime;
use crate::otp::{Algorithm, Digits, Hotp, Period, Scheme, Totp};
use crate::secret::{Secret, SecretText};

/// The most bytes of an issuer, a name, a label's prefix, a tag or a serial number; what is longer is cut, with a warning.
pub const MAX_LABEL: usize = 1024;

/// The most bytes of a note or of the address of a picture.
pub const MAX_NOTE: usize = 16 * 1024;

/// The most tags of an account.
pub const MAX_TAGS: usize = 64;

/// The longest PIN, in bytes.
pub const MAX_PIN: usize = 256;

/// A period above this is taken with a warning.
const LONG_PERIOD: u32 = 3600;

/// Below this many bits a secret is weak: RFC 4226 section 4, R6.
const STRONG_BITS: usize = 128;

/// Whether `0` for digits or period is an error (Key URI) or means the default (files of other apps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroMeans {
    /// As in a Key URI.
    #[default]
    Error,
    /// As in 2FAS, LastPass and OTP Auth files.
    TheDefault,
}

/// How [`Draft::secret`] writes the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretEncoding {
    /// Base32; for Steam also base64, told apart by its mixed case; for mOTP hexadecimal.
    #[default]
    AsUsual,
    /// RFC 4648 section 6, read leniently.
    Base32,
    /// RFC 4648 sections 4 and 5.
    Base64,
    /// Two hexadecimal digits a byte.
    Hex,
    /// Base32 of those digits as text: andOTP's mOTP.
    Base32OfHex,
}

/// An account in the words in which it was found. None, empty, `null` or `none` means the default.
#[derive(Default)]
pub struct Draft {
    /// totp, hotp, steam, motp, yaotp or yandex, in any case.
    pub kind: Option<String>,
    /// Who asks for the code.
    pub issuer: Option<String>,
    /// The account name.
    pub name: Option<String>,
    /// The label's prefix, if there was one; kept where it differs from the issuer, and the issuer where there is none.
    pub label_issuer: Option<String>,
    /// The secret's text as found.
    pub secret: Option<SecretText>,
    /// How that text is written.
    pub secret_encoding: SecretEncoding,
    /// Or the bytes, where the source has bytes; they win over the text.
    pub secret_bytes: Option<Secret>,
    /// SHA1, `Algorithm.sha256`, HMAC-SHA-512 and the like.
    pub algorithm: Option<String>,
    /// 1 to 10.
    pub digits: Option<String>,
    /// Seconds, 1 to 2^32 - 1.
    pub period: Option<String>,
    /// The next HOTP counter to use.
    pub counter: Option<String>,
    /// T0 of RFC 6238, in seconds since 1970.
    pub t0: Option<String>,
    /// What mOTP and Yandex mix in.
    pub pin: Option<SecretText>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free text.
    pub note: Option<String>,
    /// Sorted first.
    pub favorite: bool,
    /// In the source's trash: it comes in as trashed.
    pub trashed: bool,
    /// AWS's serial number of the device.
    pub serial_number: Option<String>,
    /// The address of a picture; never fetched.
    pub image: Option<String>,
    /// What a zero says.
    pub zero_means: ZeroMeans,
    /// Where it was found, such as "row 14" or "line 3"; empty when there is but one.
    pub place: String,
    /// What was odd before the words came here.
    pub warnings: Vec<Warning>,
}

/// An account made from a draft, and what was odd about it.
pub struct Drafted {
    /// The account, with a new random identity.
    pub account: Account,
    /// What was odd, but taken.
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// `issuer:name` as far as they are known, safe to show. Where a mistyped URI has its secret in the label, the label ends
    /// before it.
    pub fn label(&self) -> String {
        let shown = |word: &Option<String>| {
            let cleaned = clean_within(word.as_deref().unwrap_or_default(), MAX_LABEL);
            leak::before_secret(&cleaned).to_owned()
        };
        let issuer = Some(shown(&self.issuer)).filter(|issuer| !issuer.is_empty());
        match (
            issuer.unwrap_or_else(|| shown(&self.label_issuer)),
            shown(&self.name),
        ) {
            (issuer, name) if issuer.is_empty() => name,
            (issuer, name) if name.is_empty() => issuer,
            (issuer, name) => format!("{issuer}:{name}"),
        }
    }

    /// Makes an account of the words, with a new random identity, added `now`.
    ///
    /// # Errors
    /// A refusal that says which field is wrong, where and why.
    pub fn into_account(self, now: UnixTime) -> Result<Drafted, Refusal> {
        let place = clean_within(&self.place, MAX_LABEL);
        let label = self.label();
        self.made(now).map_err(|(field, reason)| Refusal {
            place,
            label,
            field,
            reason,
        })
    }

    fn made(mut self, now: UnixTime) -> Result<Drafted, (Field, Reason)> {
        let kind = self.kind()?;
        let secret = secret::read(&mut self, &kind)?;
        let (scheme, counter) = self.scheme(kind)?;
        self.holds_one()?;
        let mut warnings = std::mem::take(&mut self.warnings);
        let counter = match (&scheme, counter) {
            (Scheme::Hotp(_), None) => {
                warnings.push(Warning::MissingCounter);
                Some(0)
            }
            (Scheme::Hotp(_), Some(counter)) => Some(counter),
            (Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex, _) => None,
        };
        if let Some(period) = scheme.period().filter(|period| *period > LONG_PERIOD) {
            warnings.push(Warning::LongPeriod(period));
        }
        if secret.len() * 8 < STRONG_BITS {
            warnings.push(Warning::WeakSecret {
                bits: secret.len() * 8,
            });
        }
        self.warn_of_useless(&scheme, &mut warnings);
        let pin = self.pin_for(&scheme)?;
        if pin.is_none() && scheme.takes_pin() {
            warnings.push(Warning::MissingPin);
        }

        let mut text = |word: Option<&str>, field, max| {
            texts(word.unwrap_or_default(), field, max, &mut warnings)
        };
        // What says that there is nothing may say so only once it is cleaned.
        let said = |text: String| match present(Some(&text)) {
            Some(_) => text,
            None => String::new(),
        };
        let issuer = said(text(self.issuer.as_deref(), Field::Issuer, MAX_LABEL));
        let prefix = said(text(self.label_issuer.as_deref(), Field::Label, MAX_LABEL));
        let name = text(self.name.as_deref(), Field::Name, MAX_LABEL);
        let note = text(self.note.as_deref(), Field::Note, MAX_NOTE);
        let serial_number = text(
            self.serial_number.as_deref(),
            Field::SerialNumber,
            MAX_LABEL,
        );
        let image = said(text(self.image.as_deref(), Field::Image, MAX_NOTE));
        let mut tags = Vec::new();
        for tag in &self.tags {
            let tag = text(Some(tag), Field::Tags, MAX_LABEL);
            if !tag.is_empty() && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.len() > MAX_TAGS {
            tags.truncate(MAX_TAGS);
            warnings.push(Warning::Shortened(Field::Tags));
        }

        let (issuer, label_issuer) = match (issuer, prefix) {
            (issuer, prefix) if issuer.is_empty() => (prefix, None),
            (issuer, prefix) if prefix.is_empty() || prefix == issuer => (issuer, None),
            (issuer, prefix) => (issuer, Some(prefix)),
        };
        let id = AccountId::random().map_err(|_| (Field::Identity, Reason::NoRandomNumbers))?;
        let summary = Summary {
            id,
            issuer,
            name,
            label_issuer,
            scheme,
            counter,
            tags,
            note,
            favorite: self.favorite,
            // No other program's word for an account says this; a person does.
            confirm: false,
            serial_number: some(serial_number),
            image: some(image),
            added: now.secs(),
            trashed: self.trashed.then_some(now.secs()),
            conflict: false,
        };
        Ok(Drafted {
            account: Account {
                summary,
                secret,
                pin,
            },
            warnings,
        })
    }

    /// A label with a Key URI or a secret in it is the trace of a second account, whose secret would be shown in lists.
    fn holds_one(&self) -> Result<(), (Field, Reason)> {
        let words = [
            (&self.issuer, Field::Issuer),
            (&self.label_issuer, Field::Label),
            (&self.name, Field::Name),
            (&self.image, Field::Image),
        ];
        let held = words
            .into_iter()
            .find(|(word, _)| word.as_deref().is_some_and(holds_secret));
        if let Some((_, field)) = held {
            return Err((field, Reason::TwoUris));
        }
        // The colon of a scheme may have parted the label.
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        let parted = [&self.issuer, &self.label_issuer]
            .into_iter()
            .any(|prefix| holds_uri(&format!("{}:{}", word(prefix), word(&self.name))));
        match parted {
            true => Err((Field::Label, Reason::TwoUris)),
            false => Ok(()),
        }
    }

    /// Which scheme, with its parameters still at their defaults.
    fn kind(&self) -> Result<Scheme, (Field, Reason)> {
        let kind = self
            .kind
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "" | "totp" => Ok(Scheme::Totp(Totp::default())),
            "hotp" => Ok(Scheme::Hotp(Hotp {
                algorithm: Algorithm::Sha1,
                digits: Digits::SIX,
            })),
            "steam" => Ok(Scheme::Steam),
            "motp" => Ok(Scheme::Motp),
            "yaotp" | "yandex" => Ok(Scheme::Yandex),
            _ => Err((Field::Type, Reason::UnknownType(quotable(&kind)))),
        }
    }

    /// The scheme with its parameters, and the counter if one was given. Words that the scheme has no use for decide
    /// nothing: Steam is SHA-1, 30 s and five characters whatever a file says.
    fn scheme(&self, kind: Scheme) -> Result<(Scheme, Option<u64>), (Field, Reason)> {
        match kind {
            Scheme::Totp(_) => Ok((
                Scheme::Totp(Totp {
                    algorithm: parse::algorithm(self.algorithm.as_deref())?,
                    digits: self.digits()?,
                    period: self.period()?,
                    t0: parse::number(self.t0.as_deref(), Field::T0, 0, u64::MAX)?
                        .unwrap_or_default(),
                }),
                None,
            )),
            Scheme::Hotp(_) => Ok((
                Scheme::Hotp(Hotp {
                    algorithm: parse::algorithm(self.algorithm.as_deref())?,
                    digits: self.digits()?,
                }),
                parse::number(self.counter.as_deref(), Field::Counter, 0, u64::MAX)?,
            )),
            fixed @ (Scheme::Steam | Scheme::Motp | Scheme::Yandex) => Ok((fixed, None)),
        }
    }

    fn digits(&self) -> Result<Digits, (Field, Reason)> {
        let word = self.zero_is_default(self.digits.as_deref());
        match parse::number(word, Field::Digits, 1, 10)? {
            None => Ok(Digits::SIX),
            Some(digits) => Digits::new(digits)
                .map_err(|_| (Field::Digits, Reason::OutOfRange { min: 1, max: 10 })),
        }
    }

    fn period(&self) -> Result<Period, (Field, Reason)> {
        let max = u64::from(u32::MAX);
        let word = self.zero_is_default(self.period.as_deref());
        match parse::number(word, Field::Period, 1, max)? {
            None => Ok(Period::THIRTY),
            Some(period) => {
                Period::new(period).map_err(|_| (Field::Period, Reason::OutOfRange { min: 1, max }))
            }
        }
    }

    fn zero_is_default<'a>(&self, word: Option<&'a str>) -> Option<&'a str> {
        match self.zero_means {
            ZeroMeans::Error => word,
            ZeroMeans::TheDefault => word.filter(|word| word.trim() != "0"),
        }
    }

    /// What was given and decides nothing is told, since whoever gave it may have meant another type. A file has no other
    /// way to say nothing than the usual number: that is not told.
    fn warn_of_useless(&self, scheme: &Scheme, warnings: &mut Vec<Warning>) {
        let counts = matches!(scheme, Scheme::Hotp(_));
        let useless = [
            (Field::Counter, !counts, self.counter.as_deref(), &["0"][..]),
            (Field::Period, counts, self.period.as_deref(), &["0", "30"]),
            (Field::T0, counts, self.t0.as_deref(), &["0"]),
        ];
        for (field, of_no_use, word, usual) in useless {
            if of_no_use && parse::says_more_than(word, usual) {
                warnings.push(Warning::Ignored(field));
            }
        }
        if !scheme.takes_pin() && self.pin.as_ref().is_some_and(|pin| !pin.is_empty()) {
            warnings.push(Warning::Ignored(Field::Pin));
        }
    }

    /// The PIN where the scheme has one; a PIN that nothing uses is not kept.
    fn pin_for(&mut self, scheme: &Scheme) -> Result<Option<SecretText>, (Field, Reason)> {
        let pin = self
            .pin
            .take()
            .filter(|pin| scheme.takes_pin() && !pin.is_empty());
        match pin {
            Some(pin) if pin.expose().len() > MAX_PIN => {
                Err((Field::Pin, Reason::TooLong { max: MAX_PIN }))
            }
            other => Ok(other),
        }
    }
}

/// A text as it may be kept, with a warning for what was taken out or cut off.
fn texts(word: &str, field: Field, max: usize, warnings: &mut Vec<Warning>) -> String {
    let fitted = fit(word, max);
    if fitted.was_cleaned {
        warnings.push(Warning::Cleaned(field));
    }
    if fitted.was_cut {
        warnings.push(Warning::Shortened(field));
    }
    fitted.text
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
