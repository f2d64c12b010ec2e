//! Google Authenticator's migration: `otpauth-migration://offline?data=…`, a protobuf message in base64.
//!
//! The message: `MigrationPayload { repeated Account 1; version 2; batch_size 3; batch_index 4; batch_id 5 }`, and
//! `Account { secret 1; name 2; issuer 3; algorithm 4; digits 5; type 6; counter 7 }`. There is no period: it is 30 s.

use crate::account::base64;
use crate::account::key_uri::holds_uri;
use crate::account::percent::{self, Plus};
use crate::account::{Draft, Field, Reason, Refusal, Warning};
use crate::import::protobuf::{self, Broken, Value};
use crate::import::{Part, Read};
use crate::secret::Secret;

/// The longest migration in bytes of text: far more than a QR code holds.
const MAX_LEN: usize = 256 * 1024;

/// The most parts an export may have: forty thousand accounts. More is damage.
const MAX_PARTS: u32 = 4096;

/// Reads one migration text. What comes before damage is kept, and the damage is a refusal after it.
pub(super) fn read(uri: &str) -> Result<Read, Refusal> {
    if uri.len() > MAX_LEN {
        return Err(Refusal::of(Field::Uri, Reason::TooLong { max: MAX_LEN }));
    }
    // The data has no colon, whatever its parameters are called: another URI ran into this one.
    let (_, rest) = uri.split_once(':').unwrap_or_default();
    if holds_uri(rest) {
        return Err(Refusal::of(Field::Data, Reason::TwoUris));
    }
    let data = data(uri)?;
    let payload = base64::decode(&data).map_err(|error| {
        Refusal::of(
            Field::Data,
            Reason::Base64 {
                position: error.position,
            },
        )
    })?;
    if payload.is_empty() {
        return Err(Refusal::of(Field::Data, Reason::Empty));
    }

    let mut drafts = Vec::new();
    let mut part = Part {
        batch_id: 0,
        index: 0,
        size: 1,
    };
    for field in protobuf::fields(payload.expose()) {
        match field {
            Ok((1, Value::Bytes(message))) => {
                let place = format!("account {}", drafts.len() + 1);
                drafts.push(account(message, place));
            }
            Ok((3, Value::Varint(size))) => part.size = size.clamp(1, MAX_PARTS.into()) as u32,
            Ok((4, Value::Varint(index))) => {
                part.index = index.min(u64::from(MAX_PARTS) - 1) as u32
            }
            // An int32 in 64 bits: the upper half repeats the sign.
            Ok((5, Value::Varint(id))) => part.batch_id = id as i32,
            Ok(_) => {}
            Err(Broken { at }) => {
                let refusal = Refusal::of(Field::Data, Reason::Protobuf { at });
                if drafts.is_empty() {
                    return Err(refusal);
                }
                drafts.push(Err(refusal));
            }
        }
    }
    part.size = part.size.max(part.index + 1);
    Ok(Read {
        drafts,
        part: Some(part),
    })
}

/// The value of `data`, percent-decoded. A plus is one of base64's characters here and never a space; a space is a plus that
/// somebody's form decoder took for one, save where a mail's program put it before a line that goes on.
fn data(uri: &str) -> Result<zeroize::Zeroizing<String>, Refusal> {
    let (_, query) = uri.split_once('?').unwrap_or((uri, ""));
    query
        .split('&')
        .map(|parameter| parameter.strip_prefix("amp;").unwrap_or(parameter))
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(key, _)| key.eq_ignore_ascii_case("data"))
        .map(|(_, value)| percent::decode(value, Plus::Literal).text)
        .find(|value| !value.trim().is_empty())
        .map(|value| with_pluses(&value))
        .ok_or_else(|| Refusal::of(Field::Data, Reason::Missing))
}

fn with_pluses(value: &str) -> zeroize::Zeroizing<String> {
    let mut data = zeroize::Zeroizing::new(String::with_capacity(value.len()));
    let mut before = None;
    for character in value.trim_matches(['\r', '\n', '\t']).chars() {
        match character {
            ' ' if matches!(before, Some('\r' | '\n')) => continue,
            ' ' => data.push('+'),
            other => data.push(other),
        }
        before = Some(character);
    }
    data
}

/// One account of the message, as words.
fn account(message: &[u8], place: String) -> Result<Draft, Refusal> {
    let mut draft = Draft {
        place,
        ..Draft::default()
    };
    let (mut name, mut issuer) = (String::new(), String::new());
    let mut refused = None;
    for field in protobuf::fields(message) {
        match field {
            Ok((1, Value::Bytes(secret))) => {
                draft.secret_bytes = Some(Secret::new(secret.to_vec()))
            }
            Ok((2, Value::Bytes(text))) => name = utf8(text, Field::Name, &mut draft.warnings),
            Ok((3, Value::Bytes(text))) => issuer = utf8(text, Field::Issuer, &mut draft.warnings),
            Ok((4, Value::Varint(algorithm))) => match algorithm {
                0 => draft.algorithm = None,
                1 => draft.algorithm = Some("SHA1".into()),
                2 => draft.algorithm = Some("SHA256".into()),
                3 => draft.algorithm = Some("SHA512".into()),
                // The draft refuses it: nobody computes codes with it.
                4 => draft.algorithm = Some("MD5".into()),
                other => draft.algorithm = Some(format!("no. {other}")),
            },
            Ok((5, Value::Varint(digits))) => match digits {
                0 => draft.digits = None,
                1 => draft.digits = Some("6".into()),
                2 => draft.digits = Some("8".into()),
                other => refused = Some((Field::Digits, Reason::UnknownNumber(other))),
            },
            Ok((6, Value::Varint(kind))) => match kind {
                0 | 2 => draft.kind = Some("totp".into()),
                1 => draft.kind = Some("hotp".into()),
                other => refused = Some((Field::Type, Reason::UnknownNumber(other))),
            },
            // An int64: a negative one is refused as a counter.
            Ok((7, Value::Varint(counter))) => draft.counter = Some((counter as i64).to_string()),
            Ok(_) => {}
            Err(Broken { at }) => refused = Some((Field::Data, Reason::Protobuf { at })),
        }
    }
    // Proto3 leaves out a zero.
    draft.counter.get_or_insert_with(|| "0".into());
    let (prefix, name) = split(&name, &issuer);
    draft.name = Some(name);
    draft.issuer = Some(if issuer.trim().is_empty() {
        prefix
    } else {
        issuer
    });
    match refused {
        None => Ok(draft),
        Some((field, reason)) => Err(Refusal {
            label: draft.label(),
            place: draft.place,
            field,
            reason,
        }),
    }
}

/// The name often is a whole label, `Issuer:account`. The prefix is taken off where it says what the issuer says, or where
/// there is no issuer.
fn split(name: &str, issuer: &str) -> (String, String) {
    match name.split_once(':') {
        Some((prefix, account)) if issuer.trim().is_empty() || prefix.trim() == issuer.trim() => {
            (prefix.trim().to_owned(), account.trim().to_owned())
        }
        Some(_) | None => (String::new(), name.trim().to_owned()),
    }
}

fn utf8(bytes: &[u8], field: Field, warnings: &mut Vec<Warning>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            warnings.push(Warning::InvalidUtf8(field));
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}
