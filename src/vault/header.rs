//! Prelude and header: all that is read before there is a key. Every length is checked before it is used.

use crate::vault::cursor::Cursor;
use crate::vault::error::Fault;
use crate::vault::seal::{KEY_LEN, TAG_LEN};
use crate::vault::slot::Slot;

/// 0x89 and the line ends are PNG's idea: a transfer that strips bits or converts line ends is told at once.
pub(super) const MAGIC: &[u8; 8] = b"\x89VMFA\r\n\x1a";
pub(super) const PRELUDE_LEN: usize = 16;
pub(super) const MAX_HEADER_LEN: usize = 65536;
/// Prelude, header and HEADER_MAC at their longest.
pub(super) const MAX_START: usize = PRELUDE_LEN + MAX_HEADER_LEN + KEY_LEN;
pub(super) const MAX_SLOTS: usize = 16;
/// The only major version.
const MAJOR: u16 = 1;
/// The minor version that this code writes.
pub(super) const MINOR: u16 = 0;
/// ChaCha20-Poly1305 with HKDF and HMAC on SHA-256.
const SUITE: u16 = 1;
/// A payload has at least a length, and a tag.
const MIN_PAYLOAD: u64 = (4 + TAG_LEN) as u64;

/// An extension of the header, kept verbatim.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) kind: u16,
    pub(super) value: Vec<u8>,
}

/// The bit in an extension's type that says: who doesn't know this must not open the vault.
const CRITICAL: u16 = 0x8000;

/// A header whose bounds were checked and whose MAC was not.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) minor: u16,
    pub(super) vault_id: [u8; 16],
    pub(super) generation: u64,
    pub(super) payload_salt: [u8; KEY_LEN],
    pub(super) payload_len: u64,
    pub(super) slots: Vec<Slot>,
    pub(super) extensions: Vec<Extension>,
}

/// Where the parts of a file are.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Prelude and header: what the MAC covers.
    pub(super) header_end: usize,
    /// After the MAC.
    pub(super) payload: usize,
}

impl Layout {
    /// The HEADER_MAC of a file that has this layout.
    pub(super) fn mac(&self, file: &[u8]) -> [u8; KEY_LEN] {
        let mut mac = [0; KEY_LEN];
        mac.copy_from_slice(&file[self.header_end..self.payload]);
        mac
    }
}

impl Header {
    /// Reads a whole file's header and checks that the payload has the length it announces.
    pub(super) fn read(file: &[u8]) -> Result<(Self, Layout), Fault> {
        Self::read_start(file, file.len() as u64)
    }

    /// As [`Header::read`], from the start of a file of `len` bytes: the first [`MAX_START`] are enough.
    pub(super) fn read_start(file: &[u8], len: u64) -> Result<(Self, Layout), Fault> {
        let truncated = |needed| Fault::Truncated { needed, have: len };
        if file.is_empty() {
            return Err(Fault::Empty);
        }
        if file.len() < PRELUDE_LEN && MAGIC.starts_with(&file[..file.len().min(MAGIC.len())]) {
            return Err(truncated(PRELUDE_LEN as u64));
        }
        if !file.starts_with(MAGIC) {
            return Err(Fault::Foreign(looks_like(file)));
        }
        let mut prelude = Cursor::new(&file[MAGIC.len()..PRELUDE_LEN]);
        let cut = |_| truncated(PRELUDE_LEN as u64);
        let major = prelude.u16().map_err(cut)?;
        let minor = prelude.u16().map_err(cut)?;
        let header_len = prelude.u32().map_err(cut)? as usize;
        if major == 0 {
            return Err(Fault::Header {
                offset: 8,
                what: "there is no format version 0",
            });
        }
        if major > MAJOR {
            return Err(Fault::Newer { major, minor });
        }
        if header_len > MAX_HEADER_LEN {
            return Err(Fault::Header {
                offset: 12,
                what: "the header's length is above 65536",
            });
        }
        let layout = Layout {
            header_end: PRELUDE_LEN + header_len,
            payload: PRELUDE_LEN + header_len + KEY_LEN,
        };
        if file.len() < layout.payload {
            return Err(truncated(layout.payload as u64 + MIN_PAYLOAD));
        }
        let header = Self::read_fields(&file[PRELUDE_LEN..layout.header_end], minor)?;
        let have = len.saturating_sub(layout.payload as u64);
        if header.payload_len > have {
            return Err(truncated(
                (layout.payload as u64).saturating_add(header.payload_len),
            ));
        }
        if header.payload_len < have {
            return Err(Fault::Trailing(have - header.payload_len));
        }
        Ok((header, layout))
    }

    fn read_fields(bytes: &[u8], minor: u16) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(bytes);
        let fault = |offset: usize, what| Fault::Header {
            offset: PRELUDE_LEN + offset,
            what,
        };
        let cut = |lack: super::cursor::Lack| fault(lack.offset, "the header ends too early");
        let vault_id = cursor.array().map_err(cut)?;
        let generation = cursor.u64().map_err(cut)?;
        let suite = cursor.u16().map_err(cut)?;
        if suite != SUITE {
            return Err(Fault::Suite(suite));
        }
        let at = cursor.offset();
        if cursor.u16().map_err(cut)? != 0 {
            return Err(fault(at, "the flags are not 0"));
        }
        let payload_salt = cursor.array().map_err(cut)?;
        let at = cursor.offset();
        let payload_len = cursor.u64().map_err(cut)?;
        if payload_len < MIN_PAYLOAD {
            return Err(fault(
                at,
                "the payload's length is below the least possible",
            ));
        }
        let at = cursor.offset();
        let count = usize::from(cursor.u8().map_err(cut)?);
        if count == 0 || count > MAX_SLOTS {
            return Err(fault(at, "the number of slots is not 1 to 16"));
        }
        let mut slots: Vec<Slot> = Vec::with_capacity(count);
        for _ in 0..count {
            let at = cursor.offset();
            let slot = Slot::read(&mut cursor, PRELUDE_LEN)?;
            if slots.iter().any(|other| other.id == slot.id) {
                return Err(fault(at + 4, "two slots have one id"));
            }
            slots.push(slot);
        }
        let at = cursor.offset();
        let extensions_len = usize::from(cursor.u16().map_err(cut)?);
        if extensions_len != cursor.left() {
            return Err(fault(
                at,
                "the extensions' length is not what is left of the header",
            ));
        }
        let mut extensions = Vec::new();
        while cursor.left() > 0 {
            let kind = cursor.u16().map_err(cut)?;
            let len = usize::from(cursor.u16().map_err(cut)?);
            let value = cursor.take(len).map_err(cut)?.to_vec();
            if kind & CRITICAL != 0 {
                return Err(Fault::CriticalExtension(kind));
            }
            extensions.push(Extension { kind, value });
        }
        Ok(Self {
            minor,
            vault_id,
            generation,
            payload_salt,
            payload_len,
            slots,
            extensions,
        })
    }

    /// Prelude and header as bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&MAJOR.to_le_bytes());
        out.extend_from_slice(&self.minor.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.vault_id);
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&SUITE.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.payload_salt);
        out.extend_from_slice(&self.payload_len.to_le_bytes());
        out.push(self.slots.len() as u8);
        for slot in &self.slots {
            slot.write(&mut out);
        }
        let at = out.len();
        out.extend_from_slice(&[0; 2]);
        for extension in &self.extensions {
            out.extend_from_slice(&extension.kind.to_le_bytes());
            out.extend_from_slice(&(extension.value.len() as u16).to_le_bytes());
            out.extend_from_slice(&extension.value);
        }
        let extensions_len = (out.len() - at - 2) as u16;
        out[at..at + 2].copy_from_slice(&extensions_len.to_le_bytes());
        let header_len = (out.len() - PRELUDE_LEN) as u32;
        out[12..16].copy_from_slice(&header_len.to_le_bytes());
        out
    }
}

/// What a foreign file looks like, in words of ours and never in its own bytes.
fn looks_like(file: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 19] = [
        (
            b"\x89VMFA\n",
            "it starts like one whose line ends a transfer has converted",
        ),
        (
            b"\x09VMFA",
            "it starts like one whose eighth bits a transfer has stripped",
        ),
        (b"VMFA", "it starts like one whose first byte is gone"),
        (b"\x89PNG", "it starts like a PNG picture"),
        (b"\xff\xd8\xff", "it starts like a JPEG picture"),
        (b"GIF8", "it starts like a GIF picture"),
        (b"RIFF", "it starts like a WebP picture"),
        (b"SQLite format 3\0", "it starts like an SQLite database"),
        (b"PK\x03\x04", "it starts like a ZIP archive"),
        (b"\x1f\x8b", "it starts like gzip"),
        (b"age-encryption.org/", "it starts like an age file"),
        (b"-----BEGIN ", "it starts like an armoured key or message"),
        (b"\x03\xd9\xa2\x9a", "it starts like a KeePass database"),
        (b"%PDF", "it starts like a PDF"),
        (b"\x7fELF", "it starts like a program"),
        (b"otpauth", "it starts like a list of key URIs"),
        (b"{", "it starts like JSON"),
        (b"[", "it starts like JSON"),
        (b"<", "it starts like XML or HTML"),
    ];
    if let Some((_, words)) = KNOWN.iter().find(|(start, _)| file.starts_with(start)) {
        return words;
    }
    let start = &file[..file.len().min(64)];
    if start.iter().all(|byte| *byte == 0) {
        "it starts with zero bytes, as files do after a crash or on a failing disk"
    } else if start
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
    {
        "it starts like plain text"
    } else {
        "it starts with bytes of no format known here"
    }
}
