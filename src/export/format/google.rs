//! Google Authenticator: migrations, each a QR code. The app takes no file.
//!
//! The message: `MigrationPayload { repeated Account 1; version 2; batch_size 3; batch_index 4; batch_id 5 }`, and
//! `Account { secret 1; name 2; issuer 3; algorithm 4; digits 5; type 6; counter 7 }`, in base64, percent-encoded.

use zeroize::Zeroizing;

use crate::account::percent::encode_into;
use crate::account::{Account, base64};
use crate::cipher::Plain;
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Periods, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::loss::{Obstacle, too_long_to_draw};
use crate::export::words::random;
use crate::export::{ExportError, Form, Output};
use crate::otp::{Algorithm, Scheme};
use crate::secret::SecretText;

pub(super) const TARGET: Target = Target {
    id: "google",
    app: "Google Authenticator",
    also: &["google-authenticator", "migration", "qr"],
    writes: "QR codes to scan one after the other, or pictures of them",
    sealing: Sealing::Never,
    shape: Shape::Codes,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp],
        algorithms: &USUAL,
        digits: &[6, 8],
        periods: Periods::Only(&[30]),
        counter: i64::MAX as u64,
        tags: Tags::None,
        note: false,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        colon: false,
        ..Can::ALL
    },
    read_by: Some("qr"),
    unread: &[],
    how: "\
1. vmfa export --to google --plaintext
   shows the first code; --out DIR writes pictures instead.
2. On the phone, in Google Authenticator: the menu, \"Transfer accounts\", \"Import accounts\", \"Scan QR code\".
3. Scan, press Enter here for the next code, scan again, until all are read.
Microsoft Authenticator and many others read these codes too.",
    fits: Some(fits),
    write,
};

/// Accounts in one code, as the app itself does it.
const MOST_ACCOUNTS: usize = 10;

/// The most bytes of a code's text: version 15 at level L, 85 columns in the terminal, which any camera reads.
const MOST_BYTES: usize = 520;

fn fits(account: &Account) -> Option<Obstacle> {
    too_long_to_draw(&text(&message(account), Part::LONGEST))
}

fn write(accounts: &[Account], _: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let mut parts: Vec<(usize, Plain)> = Vec::new();
    for account in accounts {
        let message = message(account);
        let fits = |(count, part): &&mut (usize, Plain)| {
            let mut both = Zeroizing::new(Vec::with_capacity(part.len() + message.len()));
            both.extend_from_slice(part);
            both.extend_from_slice(&message);
            *count < MOST_ACCOUNTS && text(&both, Part::LONGEST).expose().len() <= MOST_BYTES
        };
        match parts.last_mut().filter(fits) {
            Some((count, part)) => {
                let mut both = Zeroizing::new(Vec::with_capacity(part.len() + message.len()));
                both.extend_from_slice(part);
                both.extend_from_slice(&message);
                (*count, *part) = (*count + 1, both);
            }
            None => parts.push((1, message)),
        }
    }
    // A positive int32: a negative one takes ten bytes.
    let batch_id = u64::from(u32::from_be_bytes(random()?) >> 1);
    let size = parts.len() as u64;
    let codes = parts.iter().zip(0..).map(|((_, part), index)| {
        text(
            part,
            Part {
                size,
                index,
                batch_id,
            },
        )
    });
    Ok(Output::Codes(codes.collect()))
}

/// Which part of an export a code is.
#[derive(Clone, Copy)]
struct Part {
    size: u64,
    index: u64,
    batch_id: u64,
}

impl Part {
    /// As long as any will be: nobody has sixteen thousand codes.
    const LONGEST: Self = Self {
        size: 1 << 13,
        index: 1 << 13,
        batch_id: i32::MAX as u64,
    };
}

/// A code's text, of messages of accounts.
fn text(accounts: &[u8], part: Part) -> SecretText {
    let mut payload = Zeroizing::new(Vec::with_capacity(accounts.len() + 40));
    payload.extend_from_slice(accounts);
    for (field, value) in [(2, 1), (3, part.size), (4, part.index), (5, part.batch_id)] {
        number(&mut payload, field, value);
    }
    let data = base64::encode(&payload);
    let mut text = String::with_capacity(40 + data.expose().len() * 3);
    text.push_str("otpauth-migration://offline?data=");
    encode_into(data.expose(), &mut text);
    SecretText::new(text)
}

/// One account, as a field of the whole.
fn message(account: &Account) -> Plain {
    let summary = &account.summary;
    let (issuer, name) = (&summary.issuer, &summary.name);
    // A name that begins like "issuer:" would lose that to whoever reads it, since the app itself writes whole labels.
    let is_label = name
        .split_once(':')
        .is_some_and(|(prefix, _)| prefix.trim() == issuer.trim() && !issuer.is_empty());
    let name = match is_label {
        true => format!("{issuer}:{name}"),
        false => name.clone(),
    };
    let (algorithm, digits, kind) = match &summary.scheme {
        Scheme::Totp(totp) => (totp.algorithm, totp.digits.get(), 2),
        Scheme::Hotp(hotp) => (hotp.algorithm, hotp.digits.get(), 1),
        // Left out before.
        Scheme::Steam | Scheme::Motp | Scheme::Yandex => (Algorithm::Sha1, 6, 2),
    };
    let len = account.secret.len() + name.len() + issuer.len();
    let mut inner = Zeroizing::new(Vec::with_capacity(len + 64));
    bytes(&mut inner, 1, account.secret.expose());
    bytes(&mut inner, 2, name.as_bytes());
    bytes(&mut inner, 3, issuer.as_bytes());
    let algorithm = match algorithm {
        Algorithm::Sha1 | Algorithm::Sha224 | Algorithm::Sha384 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => 3,
    };
    number(&mut inner, 4, algorithm);
    number(&mut inner, 5, if digits == 8 { 2 } else { 1 });
    number(&mut inner, 6, kind);
    if let Some(counter) = summary.counter {
        number(&mut inner, 7, counter);
    }
    let mut outer = Zeroizing::new(Vec::with_capacity(inner.len() + 16));
    bytes(&mut outer, 1, &inner);
    outer
}

/// A field of wire type 2.
fn bytes(into: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(into, field << 3 | 2);
    varint(into, value.len() as u64);
    into.extend_from_slice(value);
}

/// A field of wire type 0.
fn number(into: &mut Vec<u8>, field: u64, value: u64) {
    varint(into, field << 3);
    varint(into, value);
}

/// Seven bits a byte, the lowest first.
fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}
