//! ChaCha20-Poly1305 with its long nonce, libsodium's stream of it, and the bare keystreams that KeePass masks values with.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use crypto_secretstream::{Header, Key, PullStream, PushStream, Tag};
use rand_core::{CryptoRng, RngCore};
use ring::rand::SystemRandom;
use salsa20::Salsa20;
use zeroize::Zeroizing;

use crate::cipher::{FUZZING, Plain, unsealed};

/// The bytes that a message of a stream is longer than its text: a tag before it, a MAC behind it.
const STREAM_OVERHEAD: usize = 17;

/// Opens XChaCha20-Poly1305: a key of 32 bytes, a nonce of 24. None for a wrong key or an altered text.
pub fn xchacha_open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, 16);
    }
    let cipher = XChaCha20Poly1305::new_from_slice(key).ok()?;
    let payload = Payload { msg: sealed, aad };
    cipher
        .decrypt(nonce.try_into().ok()?, payload)
        .ok()
        .map(Zeroizing::new)
}

/// Seals with XChaCha20-Poly1305. None for lengths that can't be.
pub fn xchacha_seal(key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new_from_slice(key).ok()?;
    let payload = Payload { msg: plain, aad };
    cipher.encrypt(nonce.try_into().ok()?, payload).ok()
}

/// Opens the one message of libsodium's `crypto_secretstream_xchacha20poly1305`, whatever its tag says: Ente marks some as
/// the last and some not.
pub fn secretstream_open(key: &[u8], header: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, STREAM_OVERHEAD);
    }
    if sealed.len() < STREAM_OVERHEAD {
        return None;
    }
    let key = Key::try_from(key).ok()?;
    let header = Header::try_from(header).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    PullStream::init(header, &key).pull(&mut *text, &[]).ok()?;
    Some(text)
}

/// Seals one message, marked as the last; the header comes first in what is given. None where the system has no random numbers.
pub fn secretstream_seal(key: &[u8], plain: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = Key::try_from(key).ok()?;
    // Drawn before, since the trait below has no way to fail.
    let random = ring::rand::generate::<[u8; HEADER_LEN]>(&SystemRandom::new()).ok()?;
    let (header, mut stream) = PushStream::init(Drawn(random.expose()), &key);
    let mut text = plain.to_vec();
    stream.push(&mut text, &[], Tag::Final).ok()?;
    Some((header.as_ref().to_vec(), text))
}

/// A keystream, which goes on where it was left. It authenticates nothing.
pub struct Keystream(Stream);

enum Stream {
    ChaCha20(Box<ChaCha20>),
    Salsa20(Box<Salsa20>),
}

impl Keystream {
    /// ChaCha20 (RFC 8439) from its block 0: a key of 32 bytes, a nonce of 12. None for other lengths.
    pub fn chacha20(key: &[u8], nonce: &[u8]) -> Option<Self> {
        let cipher = ChaCha20::new_from_slices(key, nonce).ok()?;
        Some(Self(Stream::ChaCha20(Box::new(cipher))))
    }

    /// Salsa20: a key of 32 bytes, a nonce of 8. None for other lengths.
    pub fn salsa20(key: &[u8], nonce: &[u8]) -> Option<Self> {
        let cipher = Salsa20::new_from_slices(key, nonce).ok()?;
        Some(Self(Stream::Salsa20(Box::new(cipher))))
    }

    /// Adds the next bytes of the stream to these. None where the stream is at its end.
    pub fn apply(&mut self, bytes: &mut [u8]) -> Option<()> {
        if FUZZING {
            return Some(());
        }
        match &mut self.0 {
            Stream::ChaCha20(cipher) => cipher.try_apply_keystream(bytes),
            Stream::Salsa20(cipher) => cipher.try_apply_keystream(bytes),
        }
        .ok()
    }
}

/// The bytes of a header.
const HEADER_LEN: usize = 24;

/// Random bytes that were drawn before, given once.
struct Drawn([u8; HEADER_LEN]);

impl CryptoRng for Drawn {}

impl RngCore for Drawn {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, into: &mut [u8]) {
        into.copy_from_slice(&self.0[..into.len()]);
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(into);
        Ok(())
    }
}
