//! The cipher suite: ChaCha20-Poly1305 (RFC 8439), HKDF (RFC 5869) and HMAC with SHA-256, all from `ring`.
//!
//! Every key here seals one message only, so the nonce is zero: a fresh random salt makes a fresh key each time, which a
//! random 96-bit nonce under one long-lived key could not promise.

#[cfg(unix)]
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SecureRandom;
use ring::{digest, hkdf, hmac};
use zeroize::Zeroizing;

#[cfg(unix)]
use crate::secret::page::{Guard, Page};
use crate::vault::error::VaultError;

/// Bytes of a key, of a MAC and of a SHA-256 value.
pub(super) const KEY_LEN: usize = 32;
/// Bytes of an AEAD tag.
pub(super) const TAG_LEN: usize = 16;
/// Bytes of the salts of slots and seals.
pub(super) const SALT_LEN: usize = 16;

/// Where random bytes come from: the system, or a fixed stream when test vectors are made.
pub(super) trait Randomness: Send + Sync {
    /// Fills all of `out`.
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError>;
}

/// The system's random numbers.
pub(super) struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        ring::rand::SystemRandom::new()
            .fill(out)
            .map_err(|_| VaultError::NoRandomness)
    }
}

/// Random bytes that are no secret, such as a salt or an id.
pub(super) fn random<const N: usize>(from: &dyn Randomness) -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    from.fill(&mut bytes)?;
    Ok(bytes)
}

/// 32 secret bytes in one place: moving the value moves a pointer and leaves no copy behind. Wiped when dropped.
pub(super) struct Key(Place);

/// Where a key lies.
enum Place {
    Heap(Box<Zeroizing<[u8; KEY_LEN]>>),
    /// Where an agent keeps it for hours. Shared, so that whoever else needs it makes no copy.
    #[cfg(unix)]
    Page(Arc<Page>),
}

impl Key {
    pub(super) fn zeroed() -> Self {
        Self(Place::Heap(Box::new(Zeroizing::new([0; KEY_LEN]))))
    }

    /// The same key on a page that nobody else can read, and how well that is kept.
    #[cfg(unix)]
    pub(super) fn on_page(self) -> std::io::Result<(Self, Guard)> {
        let mut page = Page::new()?;
        let guard = page.guard();
        page.bytes_mut()[..KEY_LEN].copy_from_slice(self.bytes());
        Ok((Self(Place::Page(Arc::new(page))), guard))
    }

    /// The same key: the same page where it lies on one, else a copy that is wiped as this one is.
    #[cfg(unix)]
    pub(super) fn share(&self) -> Self {
        match &self.0 {
            Place::Heap(bytes) => Self(Place::Heap(bytes.clone())),
            Place::Page(page) => Self(Place::Page(Arc::clone(page))),
        }
    }

    pub(super) fn random(from: &dyn Randomness) -> Result<Self, VaultError> {
        let mut key = Self::zeroed();
        from.fill(key.bytes_mut())?;
        Ok(key)
    }

    /// A key from exactly 32 bytes.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zeroed();
        if bytes.len() != KEY_LEN {
            return None;
        }
        key.bytes_mut().copy_from_slice(bytes);
        Some(key)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        match &self.0 {
            Place::Heap(bytes) => bytes,
            #[cfg(unix)]
            Place::Page(page) => page
                .bytes()
                .first_chunk()
                .expect("a page is longer than a key"),
        }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; KEY_LEN] {
        match &mut self.0 {
            Place::Heap(bytes) => bytes,
            #[cfg(unix)]
            Place::Page(page) => Arc::get_mut(page)
                .expect("a key is written before it is shared")
                .bytes_mut()
                .first_chunk_mut()
                .expect("a page is longer than a key"),
        }
    }
}

/// The length of an HKDF output, as `ring` wants to be told.
struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand.
pub(super) fn expand(prk: &hkdf::Prk, info: &[&[u8]], out: &mut [u8]) {
    // RFC 5869 section 2.3: only an output above 255 hash lengths is impossible.
    prk.expand(info, Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .expect("an output of at most 64 bytes is always possible");
}

/// HKDF-Extract and -Expand.
pub(super) fn derive(ikm: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) {
    expand(&extract(ikm, salt), info, out);
}

/// HKDF-Extract.
pub(super) fn extract(ikm: &[u8], salt: &[u8]) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm)
}

/// HMAC-SHA-256 over the parts one behind the other.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let tag = context.sign();
    let mut out = [0; KEY_LEN];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Whether the MAC is right, in constant time.
pub(super) fn mac_agrees(key: &[u8], parts: &[&[u8]], found: &[u8; KEY_LEN]) -> bool {
    use subtle::ConstantTimeEq as _;
    mac(key, parts).ct_eq(found).into()
}

/// SHA-256.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; KEY_LEN];
    out.copy_from_slice(context.finish().as_ref());
    out
}

fn aead(key: &[u8; KEY_LEN]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 bytes fits"))
}

/// Seals `text` from `from` on in place and appends the tag. The key must never seal anything else.
pub(super) fn seal(key: &[u8; KEY_LEN], associated: &[u8], text: &mut Vec<u8>, from: usize) {
    // Growing after the plaintext is in would leave an unwiped copy behind.
    debug_assert!(text.capacity() >= text.len() + TAG_LEN);
    let tag = aead(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key([0; 12]),
            Aad::from(associated),
            &mut text[from..],
        )
        .expect("no message here comes near 256 GiB");
    text.extend_from_slice(tag.as_ref());
}

/// Opens ciphertext and tag in place; nothing when they were altered.
pub(super) fn open<'a>(
    key: &[u8; KEY_LEN],
    associated: &[u8],
    sealed: &'a mut [u8],
) -> Option<&'a mut [u8]> {
    aead(key)
        .open_in_place(
            Nonce::assume_unique_for_key([0; 12]),
            Aad::from(associated),
            sealed,
        )
        .ok()
}

/// A few secret bytes sealed inside the payload: salt, then ciphertext and tag.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) salt: [u8; SALT_LEN],
    pub(super) text: Box<[u8]>,
}

impl Sealed {
    /// Seals under a key made for this one message from `dek`, a fresh salt, a label and the name of the thing sealed.
    pub(super) fn new(
        dek: &Key,
        label: &[u8],
        name: &[u8],
        plain: &[u8],
        from: &dyn Randomness,
    ) -> Result<Self, VaultError> {
        let salt = random(from)?;
        let mut key = Key::zeroed();
        derive(dek.bytes(), &salt, &[label, name], key.bytes_mut());
        let mut text = Vec::with_capacity(plain.len() + TAG_LEN);
        text.extend_from_slice(plain);
        seal(key.bytes(), name, &mut text, 0);
        Ok(Self {
            salt,
            text: text.into(),
        })
    }

    /// What was sealed; nothing when key, label, name or a byte is another one.
    pub(super) fn open(&self, dek: &Key, label: &[u8], name: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open_sealed(dek, label, name, &self.salt, &self.text)
    }
}

/// As [`Sealed::open`], from parts.
pub(super) fn open_sealed(
    dek: &Key,
    label: &[u8],
    name: &[u8],
    salt: &[u8],
    text: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Key::zeroed();
    derive(dek.bytes(), salt, &[label, name], key.bytes_mut());
    let mut buffer = Zeroizing::new(text.to_vec());
    let len = open(key.bytes(), name, &mut buffer)?.len();
    buffer.truncate(len);
    Some(buffer)
}

/// A payload in clear: the index, whose secrets are sealed once more. Wiped when dropped, by a plain fill that the compiler
/// is kept from leaving out: `zeroize` writes byte by byte, which takes longer than decrypting the payload does.
pub(super) struct Clear(Vec<u8>);

impl Clear {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, which are no longer in clear.
    pub(super) fn into_sealed(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl std::ops::Deref for Clear {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl std::ops::DerefMut for Clear {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(self.0.as_slice());
    }
}

/// The keys that belong to a vault as a whole, derived from its DEK.
pub(super) struct VaultKeys(hkdf::Prk);

impl VaultKeys {
    pub(super) fn new(dek: &Key, vault_id: &[u8; 16]) -> Self {
        Self(extract(dek.bytes(), vault_id))
    }

    fn key(&self, label: &[u8]) -> Key {
        let mut key = Key::zeroed();
        expand(&self.0, &[label], key.bytes_mut());
        key
    }

    /// HEADER_MAC over prelude and header.
    pub(super) fn header_mac(&self, prelude_and_header: &[u8]) -> [u8; KEY_LEN] {
        mac(
            self.key(b"vmfa/v1 header-mac").bytes(),
            &[prelude_and_header],
        )
    }

    pub(super) fn header_mac_agrees(
        &self,
        prelude_and_header: &[u8],
        found: &[u8; KEY_LEN],
    ) -> bool {
        mac_agrees(
            self.key(b"vmfa/v1 header-mac").bytes(),
            &[prelude_and_header],
            found,
        )
    }

    /// A salt that repeats only if random numbers, generation and content all repeat: then the payload is the same too.
    pub(super) fn payload_salt(
        &self,
        random: &[u8; 32],
        generation: u64,
        plain: &[u8],
    ) -> [u8; KEY_LEN] {
        let key = self.key(b"vmfa/v1 synth-salt");
        mac(
            key.bytes(),
            &[random, &generation.to_le_bytes(), &sha256(&[plain])],
        )
    }

    /// The key under which a held session's name becomes its file's.
    pub(super) fn session_names(&self) -> Key {
        self.key(b"vmfa/v1 session-names")
    }

    /// The key of the rollback pin's MAC.
    pub(super) fn pin(&self) -> Key {
        self.key(b"vmfa/v1 pin")
    }
}

/// The key that seals one payload.
pub(super) fn payload_key(dek: &Key, payload_salt: &[u8; KEY_LEN]) -> Key {
    let mut key = Key::zeroed();
    derive(
        dek.bytes(),
        payload_salt,
        &[b"vmfa/v1 payload"],
        key.bytes_mut(),
    );
    key
}

/// A stream of bytes that looks random and is always the same, for test vectors.
#[cfg(test)]
pub(super) struct FixedRandomness {
    seed: [u8; 32],
    count: std::sync::atomic::AtomicU64,
}

#[cfg(test)]
impl FixedRandomness {
    pub(super) fn new(seed: &str) -> Self {
        Self {
            seed: sha256(&[seed.as_bytes()]),
            count: 0.into(),
        }
    }
}

#[cfg(test)]
impl Randomness for FixedRandomness {
    fn fill(&self, out: &mut [u8]) -> Result<(), VaultError> {
        for chunk in out.chunks_mut(32) {
            let n = self
                .count
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let block = mac(&self.seed, &[&n.to_le_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 appendix A.1.
    #[test]
    fn hkdf_agrees_with_its_rfc() {
        let mut okm = [0; 42];
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        derive(&[0x0b; 22], &salt, &[&info], &mut okm);
        let expected =
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
        assert_eq!(crate::vault::error::hex(&okm), expected);
    }

    #[test]
    fn a_seal_is_bound_to_key_label_name_and_every_byte() {
        let random = FixedRandomness::new("seal");
        let dek = Key::random(&random).unwrap();
        let sealed = Sealed::new(&dek, b"label", b"name", b"text", &random).unwrap();
        assert_eq!(
            sealed.open(&dek, b"label", b"name").unwrap().as_slice(),
            b"text"
        );
        assert!(sealed.open(&dek, b"label", b"nome").is_none());
        assert!(sealed.open(&dek, b"lapel", b"name").is_none());
        assert!(
            sealed
                .open(&Key::random(&random).unwrap(), b"label", b"name")
                .is_none()
        );
        for at in 0..sealed.text.len() {
            let mut other = sealed.clone();
            other.text[at] ^= 1;
            assert!(other.open(&dek, b"label", b"name").is_none());
        }
    }
}
