//! An account's fields: the parts of a [`Summary`] as type, length and value inside a record.
//!
//! | type | value |
//! |---|---|
//! | 1 issuer, 2 name, 3 label issuer, 7 note, 9 serial number, 10 image | UTF-8; absent when empty |
//! | 4 scheme | u8: 1 TOTP (u8 algorithm, u8 digits, u32 period, u64 T0), 2 HOTP (u8 algorithm, u8 digits), 3 Steam, 4 mOTP, 5 Yandex |
//! | 5 counter | u64, the next one to use |
//! | 6 tag | UTF-8; as often as there are tags |
//! | 8 favorite | no bytes; present means yes |
//! | 11 added, 12 trashed | u64, seconds since 1970 |
//! | 13 born | 16 random bytes, given once when the secret came in and kept for good: two records of one id with different values hold different secrets |
//! | 14 settled | no bytes; present means that a person has seen this secret beside another one of its id, and keeps both: see `merge` |
//! | 15 confirm | no bytes; present means that a code leaves only after somebody said yes |
//!
//! Algorithms: 1 SHA-1, 2 SHA-224, 3 SHA-256, 4 SHA-384, 5 SHA-512. Fields stand in the order of their types. An unknown
//! type is kept verbatim through every edit; a known one that can't be understood makes the whole record "not understood".
//! Types 5, 13 and 14 mean the same in every type of record, since a merge looks at them.

use crate::account::{AccountId, Summary};
use crate::otp::{Algorithm, Digits, Hotp, Period, Scheme, Totp};
use crate::vault::cursor::Cursor;

const ISSUER: u16 = 1;
const NAME: u16 = 2;
const LABEL_ISSUER: u16 = 3;
const SCHEME: u16 = 4;
const COUNTER: u16 = 5;
const TAG: u16 = 6;
const NOTE: u16 = 7;
const FAVORITE: u16 = 8;
const SERIAL_NUMBER: u16 = 9;
const IMAGE: u16 = 10;
const ADDED: u16 = 11;
const TRASHED: u16 = 12;
const BORN: u16 = 13;
const SETTLED: u16 = 14;
const CONFIRM: u16 = 15;
const LAST_KNOWN: u16 = CONFIRM;

/// What tells the secrets of one id apart; zero for records that have none.
pub(super) type Born = [u8; 16];

/// The fields one after another; nothing from where the bytes are no fields any more.
pub(super) struct Fields<'a>(Cursor<'a>);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.left() == 0 {
            return None;
        }
        let mut field = || {
            let kind = self.0.u16().ok()?;
            let len = self.0.u32().ok()? as usize;
            Some((kind, self.0.take(len).ok()?))
        };
        let field = field();
        if field.is_none() {
            // Nothing after this can be told apart: stop here.
            self.0 = Cursor::new(&[]);
        }
        Some(field)
    }
}

pub(super) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields(Cursor::new(bytes))
}

/// The one field of a type, if the bytes are well-formed fields and hold it.
fn field(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    fields(bytes)
        .map_while(|field| field)
        .find(|(kind, _)| *kind == wanted)
        .map(|(_, value)| value)
}

/// What tells this record's secret apart from others of the same id: zero for a record that has none, nothing for bytes that
/// are no fields.
pub(super) fn born(bytes: &[u8]) -> Option<Born> {
    let mut born = Born::default();
    for field in fields(bytes) {
        let (kind, value) = field?;
        if kind == BORN {
            born = value.try_into().unwrap_or_default();
        }
    }
    Some(born)
}

/// The HOTP counter; none in bytes that are no fields in order.
pub(super) fn counter(bytes: &[u8]) -> Option<u64> {
    grown(bytes).counter
}

/// Whether a field is one that grows, as a writer writes it. One of another length is content like any other.
fn grows(kind: u16, value: &[u8]) -> bool {
    match kind {
        COUNTER => value.len() == 8,
        SETTLED => value.is_empty(),
        _other => false,
    }
}

/// What a merge takes from both sides, whichever wins: each only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grown {
    /// The HOTP counter.
    pub(super) counter: Option<u64>,
    /// Whether a person has seen this secret beside another one of its id, and keeps both.
    pub(super) settled: bool,
}

impl Grown {
    /// The greater of both.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            counter: self.counter.max(other.counter),
            settled: self.settled || other.settled,
        }
    }
}

/// Whether the bytes are fields, with what grows at most once and in its place, as every writer writes them. Only then a
/// merge can take it out and put it in again without changing anything else.
pub(super) fn is_in_order(bytes: &[u8]) -> bool {
    grown_in_order(bytes).is_some()
}

/// What has grown in these fields; nothing in bytes that are no fields in order.
pub(super) fn grown(bytes: &[u8]) -> Grown {
    grown_in_order(bytes).unwrap_or_default()
}

fn grown_in_order(bytes: &[u8]) -> Option<Grown> {
    born(bytes)?;
    let mut grown = Grown::default();
    for (kind, value) in fields(bytes).map_while(|field| field) {
        match kind {
            COUNTER if grows(kind, value) => grown.counter = u64_of(value),
            SETTLED if grows(kind, value) => grown.settled = true,
            _other => {}
        }
    }
    (with_grown(bytes, grown) == bytes).then_some(grown)
}

/// The same fields with what has grown in place of what they say; all others verbatim.
pub(super) fn with_grown(bytes: &[u8], grown: Grown) -> Vec<u8> {
    let counter = grown.counter.map(u64::to_le_bytes);
    let counter = counter.as_ref().map(|value| (COUNTER, value.as_slice()));
    let settled = grown.settled.then_some((SETTLED, &[][..]));
    let mut pending = counter.into_iter().chain(settled).peekable();
    let mut out = Vec::with_capacity(bytes.len() + 20);
    for (kind, value) in fields(bytes).map_while(|field| field) {
        while let Some((grown, value)) = pending.next_if(|(grown, _)| *grown < kind) {
            put(&mut out, grown, value);
        }
        if !grows(kind, value) {
            put(&mut out, kind, value);
        }
    }
    for (grown, value) in pending {
        put(&mut out, grown, value);
    }
    out
}

/// What a tombstone keeps: which secret it stood for, and what has grown. Read as a merge reads it, so that the tombstone has
/// the record's name whatever a writer put there, once or twice.
pub(super) fn of_tombstone(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if field(bytes, BORN).is_some() {
        put(&mut out, BORN, &born(bytes).unwrap_or_default());
    }
    let grown = grown(bytes).max(Grown {
        counter: field(bytes, COUNTER).and_then(u64_of),
        settled: field(bytes, SETTLED).is_some_and(<[u8]>::is_empty),
    });
    with_grown(&out, grown)
}

/// The summary that the fields tell; nothing when one of them can't be understood.
pub(super) fn read(bytes: &[u8], id: AccountId, conflict: bool) -> Option<Summary> {
    let mut summary = Summary {
        id,
        issuer: String::new(),
        name: String::new(),
        label_issuer: None,
        scheme: Scheme::Steam,
        counter: None,
        tags: Vec::new(),
        note: String::new(),
        favorite: false,
        confirm: false,
        serial_number: None,
        image: None,
        added: 0,
        trashed: None,
        conflict,
    };
    let mut seen = 0u32;
    for field in fields(bytes) {
        let (kind, value) = field?;
        if kind > LAST_KNOWN || kind == 0 {
            continue;
        }
        if kind != TAG {
            // A second one of a field that there is once: a writer from the future means something by it.
            if seen & 1 << kind != 0 {
                return None;
            }
            seen |= 1 << kind;
        }
        match kind {
            ISSUER => summary.issuer = text(value)?,
            NAME => summary.name = text(value)?,
            LABEL_ISSUER => summary.label_issuer = Some(text(value)?),
            SCHEME => summary.scheme = scheme(value)?,
            COUNTER => summary.counter = Some(u64_of(value)?),
            TAG => summary.tags.push(text(value)?),
            NOTE => summary.note = text(value)?,
            FAVORITE if value.is_empty() => summary.favorite = true,
            SERIAL_NUMBER => summary.serial_number = Some(text(value)?),
            IMAGE => summary.image = Some(text(value)?),
            ADDED => summary.added = u64_of(value)?,
            TRASHED => summary.trashed = Some(u64_of(value)?),
            BORN if value.len() == 16 => {}
            SETTLED if value.is_empty() => {}
            CONFIRM if value.is_empty() => summary.confirm = true,
            _malformed => return None,
        }
    }
    (seen & 1 << SCHEME != 0).then_some(summary)
}

/// The fields of a summary, with those of `before` that this version doesn't know or a summary doesn't tell, and its `born`.
pub(super) fn write(summary: &Summary, born: &Born, before: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    let mut put_text = |kind, text: &str| {
        if !text.is_empty() {
            put(&mut out, kind, text.as_bytes());
        }
    };
    put_text(ISSUER, &summary.issuer);
    put_text(NAME, &summary.name);
    if let Some(issuer) = &summary.label_issuer {
        put(&mut out, LABEL_ISSUER, issuer.as_bytes());
    }
    put(&mut out, SCHEME, &scheme_bytes(&summary.scheme));
    if let Some(counter) = summary.counter {
        put(&mut out, COUNTER, &counter.to_le_bytes());
    }
    for tag in &summary.tags {
        put(&mut out, TAG, tag.as_bytes());
    }
    if !summary.note.is_empty() {
        put(&mut out, NOTE, summary.note.as_bytes());
    }
    if summary.favorite {
        put(&mut out, FAVORITE, &[]);
    }
    if let Some(serial_number) = &summary.serial_number {
        put(&mut out, SERIAL_NUMBER, serial_number.as_bytes());
    }
    if let Some(image) = &summary.image {
        put(&mut out, IMAGE, image.as_bytes());
    }
    put(&mut out, ADDED, &summary.added.to_le_bytes());
    if let Some(trashed) = summary.trashed {
        put(&mut out, TRASHED, &trashed.to_le_bytes());
    }
    put(&mut out, BORN, born);
    if field(before, SETTLED).is_some() {
        put(&mut out, SETTLED, &[]);
    }
    if summary.confirm {
        put(&mut out, CONFIRM, &[]);
    }
    for (kind, value) in fields(before).map_while(|field| field) {
        if kind == 0 || kind > LAST_KNOWN {
            put(&mut out, kind, value);
        }
    }
    out
}

pub(super) fn put(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

pub(super) fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(String::from)
}

pub(super) fn u64_of(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_le_bytes)
}

fn scheme(value: &[u8]) -> Option<Scheme> {
    let mut cursor = Cursor::new(value);
    let mut fields = || -> Result<Option<Scheme>, super::cursor::Lack> {
        Ok(match cursor.u8()? {
            1 => {
                let (hash, digits) = (
                    algorithm(cursor.u8()?),
                    Digits::new(cursor.u8()?.into()).ok(),
                );
                let (period, t0) = (Period::new(cursor.u32()?.into()).ok(), cursor.u64()?);
                match (hash, digits, period) {
                    (Some(algorithm), Some(digits), Some(period)) => Some(Scheme::Totp(Totp {
                        algorithm,
                        digits,
                        period,
                        t0,
                    })),
                    (_, _, _) => None,
                }
            }
            2 => match (algorithm(cursor.u8()?), Digits::new(cursor.u8()?.into())) {
                (Some(algorithm), Ok(digits)) => Some(Scheme::Hotp(Hotp { algorithm, digits })),
                (_, _) => None,
            },
            3 => Some(Scheme::Steam),
            4 => Some(Scheme::Motp),
            5 => Some(Scheme::Yandex),
            _unknown => None,
        })
    };
    let scheme = fields().ok().flatten();
    scheme.filter(|_| cursor.left() == 0)
}

fn scheme_bytes(scheme: &Scheme) -> Vec<u8> {
    match scheme {
        Scheme::Totp(totp) => {
            let mut bytes = vec![1, algorithm_number(totp.algorithm), totp.digits.get()];
            bytes.extend_from_slice(&totp.period.get().to_le_bytes());
            bytes.extend_from_slice(&totp.t0.to_le_bytes());
            bytes
        }
        Scheme::Hotp(hotp) => vec![2, algorithm_number(hotp.algorithm), hotp.digits.get()],
        Scheme::Steam => vec![3],
        Scheme::Motp => vec![4],
        Scheme::Yandex => vec![5],
    }
}

const fn algorithm_number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha224 => 2,
        Algorithm::Sha256 => 3,
        Algorithm::Sha384 => 4,
        Algorithm::Sha512 => 5,
    }
}

fn algorithm(number: u8) -> Option<Algorithm> {
    Algorithm::ALL
        .into_iter()
        .find(|known| algorithm_number(*known) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(scheme: Scheme) -> Summary {
        Summary {
            id: AccountId::from_bytes([3; 16]),
            issuer: "Müller & Co".into(),
            name: "alice".into(),
            label_issuer: Some("tenant".into()),
            scheme,
            counter: Some(7),
            tags: vec!["b".into(), "a".into(), "b".into()],
            note: "line\nline".into(),
            favorite: true,
            confirm: true,
            serial_number: Some("arn:aws:iam::123456789012:mfa/alice".into()),
            image: Some("https://example.org/a.png".into()),
            added: 1_700_000_000,
            trashed: Some(1_700_000_001),
            conflict: false,
        }
    }

    #[test]
    fn every_scheme_reads_back() {
        let mut schemes = vec![Scheme::Steam, Scheme::Motp, Scheme::Yandex];
        for algorithm in Algorithm::ALL {
            let digits = Digits::new(8).unwrap();
            schemes.push(Scheme::Hotp(Hotp { algorithm, digits }));
            schemes.push(Scheme::Totp(Totp {
                algorithm,
                digits,
                period: Period::new(60).unwrap(),
                t0: 5,
            }));
        }
        for scheme in schemes {
            let summary = summary(scheme);
            let bytes = write(&summary, &[9; 16], &[]);
            assert_eq!(read(&bytes, summary.id, false), Some(summary));
            assert_eq!(born(&bytes), Some([9; 16]));
        }
    }

    #[test]
    fn unknown_fields_outlive_an_edit_and_a_counter() {
        let mut bytes = write(&summary(Scheme::Steam), &[9; 16], &[]);
        put(&mut bytes, 4711, b"from the future");
        put(&mut bytes, 40000, b"");
        let edited = write(&summary(Scheme::Motp), &[9; 16], &bytes);
        assert_eq!(field(&edited, 4711), Some(b"from the future".as_slice()));
        assert_eq!(field(&edited, 40000), Some(b"".as_slice()));
        let grown_to = |counter, settled| with_grown(&edited, Grown { counter, settled });
        assert_eq!(counter(&grown_to(Some(99), false)), Some(99));
        assert_eq!(grown_to(Some(7), false), edited);
        for (counter, settled) in [(None, false), (None, true), (Some(99), true)] {
            let other = grown_to(counter, settled);
            assert_eq!(grown(&other), Grown { counter, settled });
            assert_eq!(with_grown(&other, grown(&edited)), edited);
        }
        // Settled once, it stays so through an edit and in a tombstone.
        let settled = grown_to(Some(7), true);
        let edited = write(&summary(Scheme::Steam), &[9; 16], &settled);
        assert!(grown(&edited).settled);
        assert_eq!(
            read(&edited, AccountId::from_bytes([3; 16]), false),
            Some(summary(Scheme::Steam))
        );
        assert_eq!(grown(&of_tombstone(&edited)), grown(&edited));
    }

    #[test]
    fn a_tombstone_has_the_name_of_its_record_however_odd_that_is() {
        let mut twice = Vec::new();
        put(&mut twice, COUNTER, &[1; 3]);
        put(&mut twice, COUNTER, &7u64.to_le_bytes());
        put(&mut twice, BORN, &[1; 16]);
        put(&mut twice, BORN, &[2; 16]);
        let mut short = Vec::new();
        put(&mut short, BORN, &[1; 16]);
        put(&mut short, BORN, &[2; 15]);
        let mut cut = short.clone();
        cut.push(0);
        for bytes in [twice, short, cut, Vec::new()] {
            let kept = of_tombstone(&bytes);
            assert_eq!(born(&kept), Some(born(&bytes).unwrap_or_default()));
            assert_eq!(grown(&kept), grown(&bytes));
        }
    }

    #[test]
    fn a_known_field_that_is_odd_makes_the_record_not_understood() {
        let good = write(&summary(Scheme::Steam), &[9; 16], &[]);
        let id = AccountId::from_bytes([3; 16]);
        for (kind, value) in [
            (SCHEME, &[6u8][..]),
            (SCHEME, &[3, 0]),
            (SCHEME, &[1, 6, 6, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (SCHEME, &[1, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (SCHEME, &[2, 1, 11]),
            (COUNTER, &[1, 2]),
            (FAVORITE, &[1]),
            (BORN, &[1; 15]),
            (SETTLED, &[1]),
            (CONFIRM, &[1]),
            (NAME, &[0xff]),
        ] {
            let mut bytes = Vec::new();
            for (k, v) in fields(&good)
                .map(Option::unwrap)
                .filter(|(k, _)| *k != kind)
            {
                put(&mut bytes, k, v);
            }
            put(&mut bytes, kind, value);
            assert_eq!(read(&bytes, id, false), None, "{kind} {value:?}");
        }
        for cut in 1..good.len() {
            // A cut between two fields may leave a record that can be understood; it must never panic.
            let _ = read(&good[..cut], id, false);
        }
        let twice: Vec<u8> = good.iter().chain(&good).copied().collect();
        assert_eq!(read(&twice, id, false), None);
    }
}
