//! Numbers, texts and summaries as bytes, and back. Little-endian; a reader demands exact lengths.

use zeroize::Zeroizing;

use crate::account::{AccountId, Summary};
use crate::clock::UnixTime;
use crate::keyring::AccessKey;
use crate::otp::{Code, Moment};
use crate::vault;

/// What is being written. Wiped when dropped, since a code or a session may stand in it.
pub(super) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(256)))
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn time(&mut self, time: UnixTime) {
        self.u64(time.secs());
        self.u16(time.subsec_millis());
    }

    /// Bytes of a length that the reader knows. A buffer that has become too small is wiped, not just given back.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// A length, then so many bytes.
    pub(super) fn block(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.bytes(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.block(text.as_bytes());
    }

    pub(super) fn id(&mut self, id: &AccountId) {
        self.bytes(id.as_bytes());
    }

    pub(super) fn summary(&mut self, summary: &Summary) {
        self.id(&summary.id);
        self.u8(summary.conflict.into());
        self.block(&vault::summary_to_bytes(summary));
    }

    pub(super) fn access_key(&mut self, key: &AccessKey) {
        self.text(&key.profile);
        self.text(&key.access_key_id);
        self.u64(key.added);
    }

    pub(super) fn code(&mut self, code: &Code) {
        self.text(code.as_str());
        match code.moment() {
            Moment::Counter(counter) => {
                self.u8(0);
                self.u64(counter);
            }
            Moment::Step { step, from, until } => {
                self.u8(1);
                self.u64(step);
                self.u64(from.secs());
                self.u64(until.secs());
            }
        }
    }
}

/// What is being read; nothing where the bytes are too few or no such thing.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all was read.
    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _other => None,
        }
    }

    pub(super) fn time(&mut self) -> Option<UnixTime> {
        let (secs, millis) = (self.u64()?, self.u16()?);
        UnixTime::from_parts(secs, millis)
    }

    pub(super) fn block(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.bytes(len as usize)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.block()?).ok()
    }

    pub(super) fn id(&mut self) -> Option<AccountId> {
        self.array().map(AccountId::from_bytes)
    }

    pub(super) fn summary(&mut self) -> Option<Summary> {
        let id = self.id()?;
        let conflict = self.flag()?;
        vault::summary_from_bytes(self.block()?, id, conflict)
    }

    pub(super) fn access_key(&mut self) -> Option<AccessKey> {
        Some(AccessKey {
            profile: self.text()?.to_owned(),
            access_key_id: self.text()?.to_owned(),
            added: self.u64()?,
        })
    }

    pub(super) fn code(&mut self) -> Option<Code> {
        let text = self.text()?;
        let moment = match self.u8()? {
            0 => Moment::Counter(self.u64()?),
            1 => Moment::Step {
                step: self.u64()?,
                from: UnixTime::from_secs(self.u64()?),
                until: UnixTime::from_secs(self.u64()?),
            },
            _other => return None,
        };
        Code::from_text(text, moment)
    }
}
