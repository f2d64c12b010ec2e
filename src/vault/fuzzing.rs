//! Doors for the fuzzer, which is built with `--cfg fuzzing`: the readers that stand behind a seal or have no public face. Each
//! takes bytes as they may come, and says by a panic what must not be.

use std::sync::Arc;

use crate::account::text::clean;
use crate::account::{AccountId, Summary};
use crate::clock::UnixTime;
use crate::secret::Secret;
use crate::vault::body;
use crate::vault::cache;
use crate::vault::cursor::Cursor;
use crate::vault::error::{Fault, VaultError};
use crate::vault::fields::{self, Born};
use crate::vault::header::{Header, Layout, MAGIC, MAX_SLOTS, MAX_START, PRELUDE_LEN};
use crate::vault::inner::Inner;
use crate::vault::merge;
use crate::vault::pin;
use crate::vault::record::{Keep, MAX_RECORD_LEN, Record, SEAL_STEP, TOMBSTONE};
use crate::vault::seal::{Clear, KEY_LEN, Key, Randomness, TAG_LEN};
use crate::vault::slot::{SlotKind, Tried};
use crate::vault::stamp::Hlc;
use crate::vault::unlocked::View;
use crate::vault::{access_key, slot};

/// Not random: the same input does the same.
struct Still;

impl Randomness for Still {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        out.fill(7);
        Ok(())
    }
}

fn key() -> Key {
    Key::from_slice(&[3; KEY_LEN]).expect("as long as a key")
}

/// A whole file as it is, and one whose lengths are made to fit, so that what stands behind them is reached.
pub fn header(bytes: &[u8]) {
    header_of(bytes);
    let Some(fields) = bytes
        .get(PRELUDE_LEN..)
        .filter(|fields| fields.len() < 65536)
    else {
        return;
    };
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&[1, 0, bytes[10], bytes[11]]);
    file.extend_from_slice(&(fields.len() as u32).to_le_bytes());
    file.extend_from_slice(fields);
    file.extend_from_slice(&[5; KEY_LEN]);
    let len = fields.get(60..68).and_then(|len| len.try_into().ok());
    let len = len.map_or(0, u64::from_le_bytes);
    // The payload need not be there: who shows a header reads no more than its start.
    let whole = (file.len() as u64).saturating_add(len);
    match Header::read_start(&file, whole) {
        Ok((header, layout)) => header_says(&file, &header, layout),
        Err(fault) => fault_says(&fault),
    }
}

fn header_of(file: &[u8]) {
    let start = &file[..file.len().min(MAX_START)];
    let of_start = Header::read_start(start, file.len() as u64);
    match (Header::read(file), of_start) {
        (Ok((header, layout)), Ok((other, _))) => {
            assert!(header.write() == other.write());
            assert_eq!(
                layout.payload as u64 + header.payload_len,
                file.len() as u64
            );
            header_says(file, &header, layout);
        }
        (Err(fault), Err(other)) => {
            assert_eq!(fault.to_string(), other.to_string());
            fault_says(&fault);
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("the start tells another story than the file"),
    }
}

fn header_says(file: &[u8], header: &Header, layout: Layout) {
    assert_eq!(header.write(), &file[..layout.header_end]);
    assert!((1..=MAX_SLOTS).contains(&header.slots.len()));
    let ikm: slot::Ikm = vec![9; KEY_LEN].into();
    for slot in &header.slots {
        if let SlotKind::Passphrase { kdf, .. } = slot.info().kind {
            let (m_kib, t, p) = kdf.get();
            assert!(m_kib <= 1 << 20 && (1..=64).contains(&t) && (1..=16).contains(&p));
        }
        assert!(matches!(
            slot.unwrap(&ikm, &header.vault_id),
            Tried::NotThis
        ));
    }
}

fn fault_says(fault: &Fault) {
    let said = fault.to_string();
    assert_eq!(clean(&said), said);
    assert!(said.len() < 500);
}

/// A payload behind its seal: as it is, and with a length that fits.
pub fn body(bytes: &[u8]) {
    payload(bytes.to_vec());
    let mut fitted = ((bytes.len()) as u32).to_le_bytes().to_vec();
    fitted.extend_from_slice(bytes);
    payload(fitted);
}

fn payload(plain: Vec<u8>) {
    let shared = Arc::new(Clear::new(plain));
    let plain = &shared[..];
    let (records, rest) = match body::read(plain, &Keep::InPayload(&shared, 0)) {
        Ok(read) => read,
        Err(fault) => return fault_says(&fault),
    };
    let Ok((copied, _)) = body::read(plain, &Keep::Copied) else {
        panic!("read once and not twice");
    };
    assert!(records == copied);
    // What was read is written as it was, but for the padding.
    let written = body::write(records.iter(), &rest);
    let len = 4 + Cursor::new(plain).u32().map_or(0, |len| len as usize);
    assert!(written[..len] == plain[..len]);
    assert!(written[len..].iter().all(|byte| *byte == 0));
    for record in &records {
        assert!(record.encoded_len() <= 4 + MAX_RECORD_LEN);
        shown(record);
    }
    let merged = merge::merge(records.clone(), Vec::new());
    assert!(merged.len() <= records.len());
    let mut last = None;
    for record in &merged {
        let is_first = last.replace(record.id) != Some(record.id);
        let id = merge::shown_id(record, is_first);
        // What a person would be shown.
        if let View::Account(summary) = View::of(record, id) {
            assert_eq!(summary.id, id);
        }
        assert!(record.seal().is_none() == record.is_tombstone());
        assert!(Inner::open(record, &key()).is_none());
    }
}

fn shown(record: &Record) {
    read_fields(record.fields());
    let now = UnixTime::from_secs(1_800_000_000);
    assert!(!merge::is_expired(record, now) || record.is_tombstone());
}

/// What is sealed in a record: what is understood is written and read again, and says the same.
pub fn inner(bytes: &[u8]) {
    let Some(inner) = Inner::read(bytes) else {
        return;
    };
    let written = inner.write();
    assert!(written.len().is_multiple_of(SEAL_STEP));
    let again = Inner::read(&written).expect("our own words");
    assert!(again.secret.same_as(&inner.secret));
    assert_eq!(
        again.pin.as_ref().map(|pin| pin.expose()),
        inner.pin.as_ref().map(|pin| pin.expose())
    );
    assert!(again.write() == written);
    let mut record = Record::new([1; 16], Hlc::default(), 0, 1, &[]);
    inner
        .seal_into(&mut record, &key(), &Still)
        .expect("there are random numbers");
    let opened = Inner::open(&record, &key()).expect("our own seal");
    assert!(opened.write() == written);
}

/// The fields of records and of the agent's summaries.
pub fn record_fields(bytes: &[u8]) {
    read_fields(bytes);
}

fn read_fields(bytes: &[u8]) {
    let id = AccountId::from_bytes([4; 16]);
    let born = fields::born(bytes).unwrap_or_default();
    if let Some(summary) = fields::read(bytes, id, false) {
        let written = fields::write(&summary, &born, bytes);
        assert_eq!(fields::read(&written, id, false).as_ref(), Some(&summary));
        assert!(fields::write(&summary, &born, &written) == written);
        assert_eq!(fields::born(&written), Some(born));
        said(&summary);
    }
    if let Some(key) = access_key::read(bytes) {
        let written = access_key::write(&key, &born, bytes);
        assert_eq!(access_key::read(&written).as_ref(), Some(&key));
        assert!(access_key::write(&key, &born, &written) == written);
        assert!(!key.profile.is_empty() && (16..=128).contains(&key.access_key_id.len()));
    }
    if fields::is_in_order(bytes) {
        let grown = fields::grown(bytes);
        assert!(fields::with_grown(bytes, grown) == bytes);
        let of_tombstone = fields::of_tombstone(bytes);
        assert_eq!(fields::grown(&of_tombstone), grown);
        assert_eq!(fields::born(&of_tombstone), Some(born));
    } else {
        assert!(fields::counter(bytes).is_none());
    }
}

fn said(summary: &Summary) {
    assert!(
        summary.label().len()
            <= summary.issuer.len()
                + summary.name.len()
                + 1
                + summary.label_issuer.as_ref().map_or(0, String::len)
    );
}

/// Records from domains so small that they collide, out of bytes, in three sets: the laws of the merge hold.
pub fn merged(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    let mut sets: [Vec<Record>; 3] = Default::default();
    while let Some((set, record)) = made_up(&mut cursor) {
        sets[set].push(record);
        if sets.iter().map(Vec::len).sum::<usize>() == 24 {
            break;
        }
    }
    let [a, b, c] = sets;
    let both = |a: &[Record], b: &[Record]| merge::merge(a.to_vec(), b.to_vec());
    let ab = both(&a, &b);
    assert!(ab == both(&b, &a), "the order of two matters");
    assert!(
        both(&ab, &c) == both(&a, &both(&b, &c)),
        "the order of three matters"
    );
    assert!(
        both(&ab, &ab) == ab && both(&ab, &a) == ab,
        "twice is not once"
    );
    assert!(both(&ab, &[]) == ab);
    let mut ids: Vec<AccountId> = Vec::new();
    let mut last = None;
    for record in &ab {
        ids.push(merge::shown_id(
            record,
            last.replace(record.id) != Some(record.id),
        ));
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two records are shown under one id");
    for record in a.iter().chain(&b) {
        let named = |kept: &&Record| merge::name(kept) == merge::name(record);
        let kept: Vec<&Record> = ab.iter().filter(named).collect();
        assert_eq!(kept.len(), 1, "a record is lost, or there twice");
        let (before, after) = (
            fields::grown(record.fields()),
            fields::grown(kept[0].fields()),
        );
        assert!(after.counter >= before.counter, "a counter went back");
        assert!(after.settled >= before.settled);
    }
    let mut restored = a.clone();
    merge::raise_counters(&mut restored, &b);
    for (before, after) in a.iter().zip(&restored) {
        assert!(fields::counter(after.fields()) >= fields::counter(before.fields()));
        assert!(before.sealed() == after.sealed());
    }
}

fn made_up(cursor: &mut Cursor<'_>) -> Option<(usize, Record)> {
    let [head, flags, stamp, count] = cursor.array().ok()?;
    let mut bytes = Vec::new();
    for _ in 0..count % 5 {
        let [kind, len] = cursor.array().ok()?;
        match kind % 8 {
            // Bytes that need not be fields at all.
            0 => bytes.extend_from_slice(cursor.take(usize::from(len % 24)).ok()?),
            1 => fields::put(&mut bytes, 5, &u64::from(len % 4).to_le_bytes()),
            2 => fields::put(&mut bytes, 13, &[len % 3; 16]),
            3 => fields::put(&mut bytes, 14, &[]),
            4 => fields::put(&mut bytes, 5, &[len; 3]),
            kind => fields::put(&mut bytes, u16::from(kind), &[len % 2]),
        }
    }
    let hlc = Hlc(u64::from(stamp % 4));
    let mut record = Record::new(
        [head % 3; 16],
        hlc,
        u16::from(stamp >> 6),
        flags >> 5,
        &bytes,
    );
    record.flags = flags & 7;
    if record.flags & TOMBSTONE == 0 {
        record.set_sealed(
            &[stamp >> 4 & 1; 16],
            &[stamp >> 5 & 1; SEAL_STEP + TAG_LEN],
        );
    }
    Some((usize::from(head >> 4) % 3, record))
}

/// A rollback pin: as it is, and with a checksum that is right.
pub fn pinned(bytes: &[u8]) {
    let id: Born = bytes
        .get(8..24)
        .and_then(|id| id.try_into().ok())
        .unwrap_or_default();
    let mut mended = bytes.to_vec();
    if mended.len() == pin::LEN {
        let check = pin::check(&mended);
        mended[pin::LEN - 8..].copy_from_slice(&check);
    }
    for bytes in [bytes, &mended] {
        let Some(pin) = pin::parse(bytes, &id) else {
            continue;
        };
        let written = pin::encode(&pin, &id, &key());
        assert_eq!(written.len(), bytes.len());
        assert_eq!(written[..80], bytes[..80]);
        assert_eq!(pin::parse(&written, &id), Some(pin));
    }
}

/// A session's file: nothing but what was sealed under this name opens.
pub fn session(bytes: &[u8]) {
    assert!(cache::unsealed(bytes, "profile", &key()).is_none());
    let Some((chosen, rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let at = u32::from_le_bytes(*chosen) as usize;
    let until = UnixTime::from_secs(u64::from(chosen[3]) << 24);
    let blob = Secret::new(rest.to_vec());
    let file = cache::sealed(&blob, "profile", until, &key(), &Still).expect("nothing is missing");
    let (opened, expiry) = cache::unsealed(&file, "profile", &key()).expect("our own seal");
    assert!(opened.same_as(&blob) && expiry == until);
    assert!(cache::unsealed(&file, "another", &key()).is_none());
    assert!(cache::unsealed(&file[..at % file.len()], "profile", &key()).is_none());
    let mut changed = file;
    let at = at % (changed.len() * 8);
    changed[at / 8] ^= 1 << (at % 8);
    assert!(cache::unsealed(&changed, "profile", &key()).is_none());
}
