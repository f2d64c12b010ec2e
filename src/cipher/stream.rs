//! ChaCha20-Poly1305 with its long nonce, and libsodium's stream of it.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use crypto_secretstream::{Header, Key, PullStream, PushStream, Tag};
use rand_core::{CryptoRng, RngCore};
use ring::rand::SystemRandom;
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
