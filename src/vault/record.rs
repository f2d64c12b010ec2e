//! A record: what a vault keeps about one account or access key, in the layout that all types of record share.
//!
//! ```text
//! u32 length of what follows | id[16] | u64 hlc | u16 device | u8 flags | u8 type
//! | u32 length of the fields | fields | seal_salt[16] | sealed secret[64n] | tag[16]
//! ```
//!
//! A field is `u16 type | u32 length | value`. A tombstone ends after its fields. Since the layout doesn't depend on the
//! type, a record of an unknown type is kept, merged and sealed again under new keys like any other.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::vault::cursor::{Cursor, Lack};
use crate::vault::error::Fault;
use crate::vault::seal::{Clear, SALT_LEN, TAG_LEN};
use crate::vault::stamp::Hlc;

/// Flag: erased; only the fact stays, so that a merge doesn't bring the record back.
pub(super) const TOMBSTONE: u8 = 1;
/// Flag: another record has the same id and another secret. Worked out anew after every merge.
pub(super) const CONFLICT: u8 = 2;
/// Record type: an account.
pub(super) const ACCOUNT: u8 = 1;
/// Record type: an access key of AWS.
pub(super) const ACCESS_KEY: u8 = 2;

pub(super) const MAX_RECORDS: usize = 100_000;
/// A record's bound: a note of a megabyte is no note.
pub(super) const MAX_RECORD_LEN: usize = 1 << 20;
/// What every record has behind its length.
const HEAD_LEN: usize = 16 + 8 + 2 + 1 + 1 + 4;
/// The least that a record takes in the body.
pub(super) const MIN_LEN: usize = 4 + HEAD_LEN;
/// Sealed secrets come in steps of this many bytes, so that their exact lengths don't show.
pub(super) const SEAL_STEP: usize = 64;

/// One record, fields and seal verbatim.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Record {
    pub(super) id: [u8; 16],
    pub(super) hlc: Hlc,
    pub(super) device: u16,
    pub(super) flags: u8,
    pub(super) kind: u8,
    /// The fields, then salt, sealed secret and tag.
    tail: Tail,
    fields_len: u32,
}

/// The bytes of a record behind its head. Those of records that were read stay in the payload, which isn't copied into ten
/// thousand pieces.
#[derive(Clone)]
enum Tail {
    Own(Box<[u8]>),
    Part {
        payload: Arc<Clear>,
        /// No file is longer than 256 MiB.
        begin: u32,
        len: u32,
    },
}

impl Deref for Tail {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Part {
                payload,
                begin,
                len,
            } => &payload[*begin as usize..][..*len as usize],
        }
    }
}

impl PartialEq for Tail {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Tail {}

#[cfg(test)]
impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl From<Vec<u8>> for Tail {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes.into())
    }
}

/// Where records that are read keep their bytes.
pub(super) enum Keep<'a> {
    /// Each its own.
    Copied,
    /// In the payload, which begins that far into what was read.
    InPayload(&'a Arc<Clear>, usize),
}

impl Keep<'_> {
    fn tail(&self, bytes: &[u8], at: Range<usize>) -> Tail {
        let shared = match self {
            Self::Copied => None,
            Self::InPayload(payload, begin) => u32::try_from(begin + at.start)
                .ok()
                .zip(u32::try_from(at.len()).ok())
                .map(|(begin, len)| Tail::Part {
                    payload: Arc::clone(payload),
                    begin,
                    len,
                }),
        };
        shared.unwrap_or_else(|| Tail::Own(bytes.into()))
    }
}

/// The two parts of a sealed secret.
pub(super) struct Seal<'a> {
    pub(super) salt: &'a [u8],
    /// Ciphertext and tag.
    pub(super) text: &'a [u8],
}

impl Record {
    pub(super) fn new(id: [u8; 16], hlc: Hlc, device: u16, kind: u8, fields: &[u8]) -> Self {
        Self {
            id,
            hlc,
            device,
            flags: 0,
            kind,
            tail: Tail::Own(fields.into()),
            fields_len: fields.len() as u32,
        }
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.flags & TOMBSTONE != 0
    }

    /// Whether this version knows what the record's flags mean.
    pub(super) fn has_known_flags(&self) -> bool {
        self.flags & !(TOMBSTONE | CONFLICT) == 0
    }

    pub(super) fn fields(&self) -> &[u8] {
        &self.tail[..self.fields_len as usize]
    }

    /// Salt, ciphertext and tag; empty for a tombstone.
    pub(super) fn sealed(&self) -> &[u8] {
        &self.tail[self.fields_len as usize..]
    }

    pub(super) fn seal(&self) -> Option<Seal<'_>> {
        let (salt, text) = self.sealed().split_at_checked(SALT_LEN)?;
        Some(Seal { salt, text })
    }

    /// The same record with other fields, the seal verbatim.
    pub(super) fn set_fields(&mut self, fields: &[u8]) {
        let mut tail = Vec::with_capacity(fields.len() + self.sealed().len());
        tail.extend_from_slice(fields);
        tail.extend_from_slice(self.sealed());
        self.tail = tail.into();
        self.fields_len = fields.len() as u32;
    }

    /// The same record with another seal, the fields verbatim.
    pub(super) fn set_sealed(&mut self, salt: &[u8], text: &[u8]) {
        let mut tail = Vec::with_capacity(self.fields_len as usize + salt.len() + text.len());
        tail.extend_from_slice(self.fields());
        tail.extend_from_slice(salt);
        tail.extend_from_slice(text);
        self.tail = tail.into();
    }

    pub(super) fn encoded_len(&self) -> usize {
        MIN_LEN + self.tail.len()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&((self.encoded_len() - 4) as u32).to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.hlc.0.to_le_bytes());
        out.extend_from_slice(&self.device.to_le_bytes());
        out.extend_from_slice(&[self.flags, self.kind]);
        out.extend_from_slice(&self.fields_len.to_le_bytes());
        out.extend_from_slice(&self.tail);
    }

    /// Reads one record; `base` is the offset of the cursor's start in the payload.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        base: usize,
        keep: &Keep<'_>,
    ) -> Result<Self, Fault> {
        let begin = cursor.offset();
        let fault = |offset: usize, what| Fault::Body {
            offset: base + offset,
            what,
        };
        let cut = |lack: Lack| fault(lack.offset, "a record ends too early");
        let len = cursor.u32().map_err(cut)? as usize;
        if !(HEAD_LEN..=MAX_RECORD_LEN).contains(&len) {
            return Err(fault(begin, "a record's length is out of bounds"));
        }
        let bytes = cursor.take(len).map_err(cut)?;
        let end = base + cursor.offset();
        let mut inner = Cursor::new(bytes);
        let cut = |lack: Lack| fault(begin + 4 + lack.offset, "a record ends too early");
        let id = inner.array().map_err(cut)?;
        let hlc = Hlc(inner.u64().map_err(cut)?);
        let device = inner.u16().map_err(cut)?;
        let flags = inner.u8().map_err(cut)?;
        let kind = inner.u8().map_err(cut)?;
        let fields_len = inner.u32().map_err(cut)?;
        let tail = inner.take(inner.left()).map_err(cut)?;
        let Some(sealed_len) = tail.len().checked_sub(fields_len as usize) else {
            return Err(fault(
                begin + 4 + HEAD_LEN - 4,
                "a record's fields are longer than the record",
            ));
        };
        let sealed_fits = if flags & TOMBSTONE != 0 {
            sealed_len == 0
        } else {
            sealed_len
                .checked_sub(SALT_LEN + TAG_LEN)
                .is_some_and(|text| text > 0 && text.is_multiple_of(SEAL_STEP))
        };
        if !sealed_fits {
            return Err(fault(
                begin,
                "a record's sealed secret has a length that none has",
            ));
        }
        Ok(Self {
            id,
            hlc,
            device,
            flags,
            kind,
            tail: keep.tail(tail, end - tail.len()..end),
            fields_len,
        })
    }
}
