//! The payload in clear: records, devices, the slots' sealed key material and the keys of earlier generations; padded.
//!
//! ```text
//! u32 body_len | body | zeros
//! body = u32 nrec | records
//!      | u16 ndev | { u16 number, id[16] }
//!      | u8 n     | { slot_id[8], salt[16], u16 length, sealed IKM }     HKDF label "vmfa/v1 slot-ikm" || slot_id
//!      | u8 n     | { salt[16], sealed DEK[48] }, the latest first       HKDF label "vmfa/v1 previous-dek" || vault_id
//! ```

use crate::vault::cursor::{Cursor, Lack};
use crate::vault::error::Fault;
use crate::vault::header::MAX_SLOTS;
use crate::vault::record::{Keep, MAX_RECORDS, MIN_LEN, Record};
use crate::vault::seal::{Clear, KEY_LEN, Sealed, TAG_LEN};

/// Room for the devices that have ever written to the vault; a later one writes as number 0, which only means that ties
/// of stamps are decided by content.
pub(super) const MAX_DEVICES: usize = 1024;
/// Keys of earlier generations that are kept, so that older copies can be opened and merged.
pub(super) const MAX_PREVIOUS: usize = 8;
/// No slot has longer key material.
const MAX_IKM: usize = 1024;

/// A machine that writes to the vault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Device {
    pub(super) number: u16,
    pub(super) id: [u8; 16],
}

/// The key material of a slot, sealed under the DEK, from which the slot is wrapped again when the DEK changes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SlotKey {
    pub(super) slot: [u8; 8],
    pub(super) ikm: Sealed,
}

/// All of a body but its records.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) devices: Vec<Device>,
    pub(super) slot_keys: Vec<SlotKey>,
    pub(super) previous: Vec<Sealed>,
}

/// Length, body and padding. The buffer has room for the tag: sealing in place won't move it.
pub(super) fn write<'a>(records: impl Iterator<Item = &'a Record> + Clone, rest: &Rest) -> Clear {
    let fixed = 4
        + 4
        + 2
        + rest.devices.len() * 18
        + 1
        + 1
        + rest.previous.len() * (16 + KEY_LEN + TAG_LEN);
    let keys: usize = rest
        .slot_keys
        .iter()
        .map(|key| 8 + 16 + 2 + key.ikm.text.len())
        .sum();
    let len = fixed + keys + records.clone().map(Record::encoded_len).sum::<usize>();
    let padded = padded_len(len);
    let mut out = Clear::new(Vec::with_capacity(padded + TAG_LEN));
    out.extend_from_slice(&((len - 4) as u32).to_le_bytes());
    out.extend_from_slice(&(records.clone().count() as u32).to_le_bytes());
    for record in records {
        record.write(&mut out);
    }
    out.extend_from_slice(&(rest.devices.len() as u16).to_le_bytes());
    for device in &rest.devices {
        out.extend_from_slice(&device.number.to_le_bytes());
        out.extend_from_slice(&device.id);
    }
    out.push(rest.slot_keys.len() as u8);
    for key in &rest.slot_keys {
        out.extend_from_slice(&key.slot);
        out.extend_from_slice(&key.ikm.salt);
        out.extend_from_slice(&(key.ikm.text.len() as u16).to_le_bytes());
        out.extend_from_slice(&key.ikm.text);
    }
    out.push(rest.previous.len() as u8);
    for key in &rest.previous {
        out.extend_from_slice(&key.salt);
        out.extend_from_slice(&key.text);
    }
    debug_assert_eq!(out.len(), len);
    out.resize(padded, 0);
    out
}

/// Reads a decrypted payload. No count is believed before the bytes for it are there.
pub(super) fn read(plain: &[u8], keep: &Keep<'_>) -> Result<(Vec<Record>, Rest), Fault> {
    let fault = |offset: usize, what| Fault::Body { offset, what };
    let mut outer = Cursor::new(plain);
    let cut = |lack: Lack| fault(lack.offset, "the payload ends too early");
    let body_len = outer.u32().map_err(cut)? as usize;
    let body = outer
        .take(body_len)
        .map_err(|_| fault(0, "the body is longer than the payload"))?;
    let padding_at = outer.offset();
    if outer
        .take(outer.left())
        .map_err(cut)?
        .iter()
        .any(|byte| *byte != 0)
    {
        return Err(fault(padding_at, "the padding is not zero"));
    }
    let base = 4;
    let cut = |lack: Lack| fault(base + lack.offset, "the body ends too early");
    let mut cursor = Cursor::new(body);
    let count = cursor.u32().map_err(cut)? as usize;
    if count > MAX_RECORDS || count > cursor.left() / MIN_LEN {
        return Err(fault(base, "more records than fit"));
    }
    let mut records = Vec::with_capacity(count);
    for _ in 0..count {
        records.push(Record::read(&mut cursor, base, keep)?);
    }
    let mut rest = Rest::default();
    let at = cursor.offset();
    let count = usize::from(cursor.u16().map_err(cut)?);
    if count > MAX_DEVICES {
        return Err(fault(base + at, "more devices than fit"));
    }
    for _ in 0..count {
        rest.devices.push(Device {
            number: cursor.u16().map_err(cut)?,
            id: cursor.array().map_err(cut)?,
        });
    }
    let at = cursor.offset();
    let count = usize::from(cursor.u8().map_err(cut)?);
    if count > MAX_SLOTS {
        return Err(fault(base + at, "more slot keys than slots"));
    }
    for _ in 0..count {
        let slot = cursor.array().map_err(cut)?;
        let salt = cursor.array().map_err(cut)?;
        let at = cursor.offset();
        let len = usize::from(cursor.u16().map_err(cut)?);
        if !(TAG_LEN + 1..=TAG_LEN + MAX_IKM).contains(&len) {
            return Err(fault(base + at, "a slot key's length is out of bounds"));
        }
        let text = cursor.take(len).map_err(cut)?.into();
        rest.slot_keys.push(SlotKey {
            slot,
            ikm: Sealed { salt, text },
        });
    }
    let at = cursor.offset();
    let count = usize::from(cursor.u8().map_err(cut)?);
    if count > MAX_PREVIOUS {
        return Err(fault(base + at, "more than 8 previous keys"));
    }
    for _ in 0..count {
        let salt = cursor.array().map_err(cut)?;
        let text = cursor.take(KEY_LEN + TAG_LEN).map_err(cut)?.into();
        rest.previous.push(Sealed { salt, text });
    }
    if cursor.left() > 0 {
        return Err(fault(base + cursor.offset(), "bytes follow the last key"));
    }
    Ok((records, rest))
}

/// The size to which a payload is padded: at least 16 KiB, so that 10 accounts look like 50; steps of 4 KiB to 64 KiB;
/// then Padmé, which shows O(log log n) bits of the length and adds at most 12 % (Nikitin et al., "Reducing Metadata
/// Leakage from Encrypted Files and Communication with PURBs", 2019, algorithm 1).
pub(super) fn padded_len(len: usize) -> usize {
    const KIB: usize = 1024;
    if len <= 16 * KIB {
        16 * KIB
    } else if len <= 64 * KIB {
        len.next_multiple_of(4 * KIB)
    } else {
        let e = len.ilog2();
        let s = e.ilog2() + 1;
        let mask = (1usize << (e - s)) - 1;
        (len + mask) & !mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_vaults_are_of_one_size() {
        assert_eq!(padded_len(5), 16384);
        assert_eq!(padded_len(16384), 16384);
        assert_eq!(padded_len(16385), 20480);
        assert_eq!(padded_len(65536), 65536);
        // 65537: E = 16, S = 5, so the last 11 bits are zero.
        assert_eq!(padded_len(65537), 65536 + 2048);
        for len in [70_000, 1_000_000, 123_456_789] {
            assert!(padded_len(len) >= len && padded_len(len) <= len + len / 8);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut plain in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&plain, &Keep::Copied);
            // The same with a length that fits and few records, so that the inner parts are reached.
            if plain.len() > 8 {
                let len = (plain.len() - 4) as u32;
                plain[..4].copy_from_slice(&len.to_le_bytes());
                let count = u32::from(plain[8] % 3);
                plain[4..8].copy_from_slice(&count.to_le_bytes());
                let _ = read(&plain, &Keep::Copied);
            }
        }
    }
}
