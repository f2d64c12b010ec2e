//! A whole vault file: bytes in, header and content out, and back.

use std::sync::Arc;

use crate::vault::body::{self, Rest};
use crate::vault::error::{Fault, VaultError};
use crate::vault::file::MAX_FILE;
use crate::vault::header::{Header, Layout, MAX_HEADER_LEN, PRELUDE_LEN};
use crate::vault::record::{Keep, MAX_RECORD_LEN, MAX_RECORDS, Record};
use crate::vault::seal::{self, Clear, KEY_LEN, Key, Randomness, TAG_LEN, VaultKeys, payload_key};
use crate::vault::slot::{Ikm, Tried};

/// The HKDF label of a slot's key material.
pub(super) const SLOT_IKM: &[u8] = b"vmfa/v1 slot-ikm";
/// The HKDF label of an earlier DEK.
pub(super) const PREVIOUS_DEK: &[u8] = b"vmfa/v1 previous-dek";

/// A vault file whose header was read.
pub(super) struct Sealed {
    pub(super) header: Header,
    layout: Layout,
    bytes: Vec<u8>,
}

impl Sealed {
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, Fault> {
        let (header, layout) = Header::read(&bytes)?;
        Ok(Self {
            header,
            layout,
            bytes,
        })
    }

    /// The HEADER_MAC, which names this very state of the vault.
    pub(super) fn mac(&self) -> [u8; KEY_LEN] {
        self.layout.mac(&self.bytes)
    }

    /// Whether the header was written under this DEK.
    pub(super) fn is_under(&self, dek: &Key) -> bool {
        let keys = VaultKeys::new(dek, &self.header.vault_id);
        keys.header_mac_agrees(&self.bytes[..self.layout.header_end], &self.mac())
    }

    /// Verifies the header and opens the payload. The MAC is checked first and is the payload's associated data: header and
    /// payload of two generations can't be mixed.
    pub(super) fn open(mut self, dek: &Key) -> Result<(Header, Vec<Record>, Rest), Fault> {
        if !self.is_under(dek) {
            return Err(Fault::HeaderMac);
        }
        let mac = self.mac();
        let key = payload_key(dek, &self.header.payload_salt);
        // From here on the buffer holds the index in clear.
        let mut bytes = Clear::new(std::mem::take(&mut self.bytes));
        let begin = self.layout.payload;
        let len = seal::open(key.bytes(), &mac, &mut bytes[begin..])
            .ok_or(Fault::Payload)?
            .len();
        let bytes = Arc::new(bytes);
        let plain = &bytes[begin..begin + len];
        let (records, rest) = body::read(plain, &Keep::InPayload(&bytes, begin))?;
        Ok((self.header, records, rest))
    }
}

/// A file ready to be written.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) mac: [u8; KEY_LEN],
}

/// Encodes a vault, and opens the result again in every way there is before anybody relies on it.
///
/// # Errors
/// Something is above a bound of the format, so that no reader would take the file.
pub(super) fn write<'a>(
    header: &mut Header,
    records: impl Iterator<Item = &'a Record> + Clone,
    rest: &Rest,
    dek: &Key,
    from: &dyn Randomness,
) -> Result<Written, VaultError> {
    let max = MAX_FILE;
    check_records(records.clone(), max)?;
    let plain = body::write(records, rest);
    let head = header.write().len();
    if head - PRELUDE_LEN > MAX_HEADER_LEN {
        return Err(VaultError::HeaderFull {
            len: head - PRELUDE_LEN,
            max: MAX_HEADER_LEN,
        });
    }
    let len = (head + KEY_LEN + plain.len() + TAG_LEN) as u64;
    if len > max {
        return Err(VaultError::FullBytes { len, max });
    }
    let written = seal_payload(header, &plain, dek, from)?;
    check(&written, header, &plain, rest, dek)?;
    Ok(written)
}

/// What a reader refuses of records, before the body takes the memory for them.
fn check_records<'a>(
    records: impl Iterator<Item = &'a Record>,
    max: u64,
) -> Result<(), VaultError> {
    let (mut count, mut len) = (0, 0);
    for record in records {
        let bytes = record.encoded_len() - 4;
        if bytes > MAX_RECORD_LEN {
            return Err(VaultError::TooLong {
                what: "record",
                len: bytes,
                max: MAX_RECORD_LEN,
            });
        }
        count += 1;
        len += record.encoded_len() as u64;
    }
    if count > MAX_RECORDS {
        return Err(VaultError::Full(MAX_RECORDS));
    }
    if len > max {
        return Err(VaultError::FullBytes { len, max });
    }
    Ok(())
}

/// Header, MAC and sealed payload.
pub(super) fn seal_payload(
    header: &mut Header,
    plain: &[u8],
    dek: &Key,
    from: &dyn Randomness,
) -> Result<Written, VaultError> {
    let keys = VaultKeys::new(dek, &header.vault_id);
    header.payload_salt = keys.payload_salt(&seal::random(from)?, header.generation, plain);
    header.payload_len = (plain.len() + TAG_LEN) as u64;
    let head = header.write();
    let mac = keys.header_mac(&head);
    // Sealed in place: the index never lies in clear in memory that isn't wiped.
    let from = head.len() + KEY_LEN;
    let mut bytes = Clear::new(Vec::with_capacity(from + plain.len() + TAG_LEN));
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&mac);
    bytes.extend_from_slice(plain);
    seal::seal(
        payload_key(dek, &header.payload_salt).bytes(),
        &mac,
        &mut bytes,
        from,
    );
    Ok(Written {
        bytes: bytes.into_sealed(),
        mac,
    })
}

/// Opens our own output: header, every slot whose key material is known, payload.
fn check(
    written: &Written,
    header: &Header,
    plain: &[u8],
    rest: &Rest,
    dek: &Key,
) -> Result<(), VaultError> {
    let fault = |_| VaultError::SelfCheck("its header or payload");
    let sealed = Sealed::read(written.bytes.clone()).map_err(fault)?;
    for slot in &sealed.header.slots {
        let Some(ikm) = slot_ikm(rest, &slot.id, dek) else {
            continue;
        };
        match slot.unwrap(&ikm, &header.vault_id) {
            Tried::Dek(found) if found.bytes() == dek.bytes() => {}
            Tried::Dek(_) | Tried::NotThis | Tried::Damaged => {
                return Err(VaultError::SelfCheck("a slot"));
            }
        }
    }
    let layout = sealed.layout;
    debug_assert!(layout.header_end > PRELUDE_LEN);
    let mut bytes = Clear::new(sealed.bytes);
    let keys = VaultKeys::new(dek, &header.vault_id);
    if !keys.header_mac_agrees(&bytes[..layout.header_end], &written.mac) {
        return Err(VaultError::SelfCheck("its MAC"));
    }
    let key = payload_key(dek, &sealed.header.payload_salt);
    match seal::open(key.bytes(), &written.mac, &mut bytes[layout.payload..]) {
        Some(found) if found == plain => {}
        Some(_) | None => return Err(VaultError::SelfCheck("its payload")),
    }
    body::read(plain, &Keep::Copied)
        .map(drop)
        .map_err(|_| VaultError::SelfCheck("its body"))
}

/// The key and those before it that the vault still knows, the latest first.
pub(super) fn known_keys<'a>(
    rest: &'a Rest,
    dek: &'a Key,
    vault_id: &'a [u8; 16],
) -> impl Iterator<Item = Key> + 'a {
    let earlier = rest.previous.iter().filter_map(|sealed| {
        let key = sealed.open(dek, PREVIOUS_DEK, vault_id)?;
        Key::from_slice(&key)
    });
    Key::from_slice(dek.bytes()).into_iter().chain(earlier)
}

/// The key material of a slot.
pub(super) fn slot_ikm(rest: &Rest, slot: &[u8; 8], dek: &Key) -> Option<Ikm> {
    let key = rest.slot_keys.iter().find(|key| key.slot == *slot)?;
    key.ikm.open(dek, SLOT_IKM, slot)
}
