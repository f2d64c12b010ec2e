//! AES-256 in the modes of other programs: GCM with its usual nonce and with one of 16 bytes, and CBC. Twofish in CBC.

use aes::Aes256;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::{AesGcm, KeyInit as _};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use twofish::Twofish;
use zeroize::Zeroizing;

use crate::cipher::{FUZZING, Plain, unsealed};

/// Opens AES-256-GCM, the tag behind the ciphertext. The key has 32 bytes; the nonce 12 or 16. None for a wrong key, an
/// altered text, or lengths that can't be.
pub fn gcm_open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, 16);
    }
    if nonce.len() == 16 {
        let cipher = AesGcm::<Aes256, U16>::new_from_slice(key).ok()?;
        let payload = Payload { msg: sealed, aad };
        return cipher
            .decrypt(nonce.try_into().ok()?, payload)
            .ok()
            .map(Zeroizing::new);
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let len = key
        .open_in_place(nonce, Aad::from(aad), &mut text)
        .ok()?
        .len();
    text.truncate(len);
    Some(text)
}

/// Seals with AES-256-GCM, the tag behind the ciphertext. The nonce must never be used again with the key: it comes from the
/// system's random numbers. None for lengths that can't be.
pub fn gcm_seal(key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = plain.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut text)
        .ok()?;
    Some(text)
}

/// Opens AES-256-CBC with PKCS #7 padding. CBC alone authenticates nothing: a wrong key is seen by its padding, one time in
/// 256 not at all, and what comes out must be looked at as anything from outside.
pub fn cbc_open(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, 0);
    }
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let len = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

/// Opens AES-256-CBC without padding: whole blocks, such as the pages of a database. It authenticates nothing.
pub fn cbc_open_unpadded(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Plain> {
    if FUZZING {
        return unsealed(sealed, 0);
    }
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    cipher.decrypt_padded::<NoPadding>(&mut text).ok()?;
    Some(text)
}

/// Seals with AES-256-CBC and PKCS #7 padding. None for a key or IV of another length.
pub fn cbc_seal(key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let cipher = cbc::Encryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    Some(cipher.encrypt_padded_vec::<Pkcs7>(plain))
}

/// As [`cbc_open_unpadded`], for Twofish with a key of 32 bytes.
pub fn twofish_open_unpadded(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Plain> {
    let key = <&[u8; 32]>::try_from(key).ok()?;
    let cipher = cbc::Decryptor::<Twofish>::new_from_slices(key, iv).ok()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    cipher.decrypt_padded::<NoPadding>(&mut text).ok()?;
    Some(text)
}
