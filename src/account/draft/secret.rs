//! The secret of a draft, out of whichever writing its scheme uses.

use zeroize::Zeroizing;

use crate::account::base64;
use crate::account::draft::{Draft, Field, Reason, SecretEncoding, Warning, present};
use crate::account::percent::hex;
use crate::base32::{self, Base32Error};
use crate::otp::Scheme;
use crate::secret::Secret;

/// The most bytes a secret may have: what the longest base32 text holds.
const MAX_BYTES: usize = base32::MAX_CHARACTERS * 5 / 8;

/// Steam's secrets are SHA-1 keys, always of this many bytes.
pub(crate) const STEAM_LEN: usize = 20;

/// The part of a Yandex secret that is key; a user number and a checksum may follow.
const YANDEX_LEN: usize = 16;

pub(super) fn read(draft: &mut Draft, scheme: &Scheme) -> Result<Secret, (Field, Reason)> {
    let refuse = |reason| (Field::Secret, reason);
    let secret = match (draft.secret_bytes.take(), draft.secret.take()) {
        (Some(bytes), _) => bytes,
        (None, Some(text)) => decode(
            text.expose(),
            draft.secret_encoding,
            scheme,
            &mut draft.warnings,
        )
        .map_err(refuse)?,
        (None, None) => return Err(refuse(Reason::Missing)),
    };
    if secret.is_empty() {
        return Err(refuse(Reason::Empty));
    }
    if secret.len() > MAX_BYTES {
        return Err(refuse(Reason::TooLong { max: MAX_BYTES }));
    }
    match scheme {
        Scheme::Yandex => match secret.expose().get(..YANDEX_LEN) {
            Some(key) => Ok(Secret::new(key.to_vec())),
            None => Err(refuse(Reason::YandexSecretShort {
                bytes: secret.len(),
            })),
        },
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Motp => Ok(secret),
    }
}

fn decode(
    text: &str,
    encoding: SecretEncoding,
    scheme: &Scheme,
    warnings: &mut Vec<Warning>,
) -> Result<Secret, Reason> {
    // The names of nothing are letters of base32, every one.
    if present(Some(text)).is_none_or(|word| word.eq_ignore_ascii_case("undefined")) {
        return Err(Reason::Empty);
    }
    if text.len() > base32::MAX_CHARACTERS * 4 {
        return Err(Reason::TooLong { max: MAX_BYTES });
    }
    match (encoding, scheme) {
        (SecretEncoding::Base32, _) => from_base32(text),
        (SecretEncoding::Base64, _) => from_base64(text),
        (SecretEncoding::Base32OfHex, _) => from_base32_of_hex(text),
        (SecretEncoding::Hex, _) | (SecretEncoding::AsUsual, Scheme::Motp) => from_hex(text),
        (SecretEncoding::AsUsual, Scheme::Steam) => from_either(text, warnings),
        (SecretEncoding::AsUsual, Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Yandex) => {
            from_base32(text)
        }
    }
}

fn from_base32(text: &str) -> Result<Secret, Reason> {
    base32::decode(text).map_err(|error| match error {
        Base32Error::Empty => Reason::Empty,
        other @ (Base32Error::TooShort
        | Base32Error::TooLong
        | Base32Error::Character { .. }
        | Base32Error::AfterPadding { .. }) => Reason::Base32 {
            looks_hexadecimal: looks_hexadecimal(text),
            error: other,
        },
    })
}

fn from_base64(text: &str) -> Result<Secret, Reason> {
    base64::decode(text.trim()).map_err(|error| Reason::Base64 {
        position: error.position,
    })
}

/// Steam secrets come in base32 and in base64. Base32 is written in one case; a text of both cases, or with characters
/// that base32 lacks, is base64. Lenient base32 takes one of nine base64 secrets, so the twenty bytes that each Steam secret
/// has decide. Where neither reading has twenty it is a guess, and said to be one; in one case it is base32 mistyped.
fn from_either(text: &str, warnings: &mut Vec<Warning>) -> Result<Secret, Reason> {
    let mixed_case = text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    let twenty =
        |secret: &Result<Secret, Reason>| matches!(secret, Ok(secret) if secret.len() == STEAM_LEN);
    let (base32, base64) = (from_base32(text), from_base64(text));
    if base32.is_ok() && !mixed_case {
        return base32;
    }
    if twenty(&base64) {
        return base64;
    }
    if twenty(&base32) || base64.is_err() {
        return base32;
    }
    // A dash parts groups in base32 more often than it is base64's.
    let only_base64 = text.contains(['+', '/', '_']);
    if !mixed_case && !only_base64 {
        return base32;
    }
    let (secret, encoding) = match base32 {
        Ok(secret) if !only_base64 => (Ok(secret), SecretEncoding::Base32),
        Ok(_) | Err(_) => (base64, SecretEncoding::Base64),
    };
    warnings.push(Warning::GuessedEncoding(encoding));
    secret
}

fn from_hex(text: &str) -> Result<Secret, Reason> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut high = None;
    for (index, character) in text.chars().enumerate() {
        if character.is_whitespace() || matches!(character, '-' | ':' | '\u{feff}') {
            continue;
        }
        let digit = u8::try_from(character)
            .ok()
            .and_then(hex)
            .ok_or(Reason::Hexadecimal {
                position: index + 1,
                character,
            })?;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    match high {
        Some(_) => Err(Reason::HalfAByte),
        None => Ok(Secret::new(std::mem::take(&mut *bytes))),
    }
}

fn from_base32_of_hex(text: &str) -> Result<Secret, Reason> {
    let digits = from_base32(text)?;
    let bytes = digits.expose();
    let whole = std::str::from_utf8(bytes);
    let end = whole.map_or_else(|error| error.valid_up_to(), str::len);
    let text = std::str::from_utf8(&bytes[..end]).unwrap_or_default();
    let secret = from_hex(text)?;
    match whole {
        Ok(_) => Ok(secret),
        Err(_) => Err(Reason::Hexadecimal {
            position: text.chars().count() + 1,
            character: char::REPLACEMENT_CHARACTER,
        }),
    }
}

/// Hexadecimal digits, in pairs, with one among them that base32 lacks.
fn looks_hexadecimal(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 16
        && text.len().is_multiple_of(2)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
