//! From a passphrase to a key: PBKDF2, scrypt, Argon2id, HKDF. Costs come from the file and are bounded here.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::{hkdf, pbkdf2};
use zeroize::{Zeroize as _, Zeroizing};

use crate::cipher::{CipherError, Cost, FUZZING, Plain};

/// The most iterations of PBKDF2: ten times what any app uses, some seconds.
const MOST_ROUNDS: u64 = 10_000_000;
/// The most memory for scrypt or Argon2id, in KiB: 1 GiB.
pub(super) const MOST_KIB: u64 = 1 << 20;
/// The most passes of Argon2id.
const MOST_PASSES: u64 = 64;
/// The most lanes.
const MOST_LANES: u64 = 16;
/// The most memory times passes, in KiB: half a minute, where memory and passes each at their bound would be many.
pub(super) const MOST_WORK: u64 = 16 << 20;

pub(super) fn within(cost: Cost, asked: u64, least: u64, most: u64) -> Result<(), CipherError> {
    if (least..=most).contains(&asked) {
        Ok(())
    } else {
        Err(CipherError::OutOfRange {
            cost,
            asked,
            least,
            most,
        })
    }
}

/// PBKDF2 (RFC 8018) with an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pbkdf2 {
    /// HMAC-SHA1.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

impl Pbkdf2 {
    /// `len` bytes of key.
    ///
    /// # Errors
    /// More iterations than ten million, or none.
    pub fn derive(
        self,
        passphrase: &[u8],
        salt: &[u8],
        iterations: u64,
        len: usize,
    ) -> Result<Plain, CipherError> {
        within(Cost::Iterations, iterations, 1, MOST_ROUNDS)?;
        let rounds = u32::try_from(iterations)
            .ok()
            .and_then(NonZeroU32::new)
            .expect("bounded above zero and below 2^32");
        let algorithm = match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        if FUZZING {
            return Ok(Zeroizing::new(vec![0; len]));
        }
        let mut key = Zeroizing::new(vec![0; len]);
        pbkdf2::derive(algorithm, rounds, salt, passphrase, &mut key);
        Ok(key)
    }
}

/// scrypt (RFC 7914).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrypt {
    /// N, a power of two.
    pub n: u64,
    /// The size of a block, in 128 bytes.
    pub r: u64,
    /// How many times over.
    pub p: u64,
}

impl Scrypt {
    /// `len` bytes of key.
    ///
    /// # Errors
    /// More than 1 GiB, more than sixteen times over, or an N that is no power of two.
    pub fn derive(self, passphrase: &[u8], salt: &[u8], len: usize) -> Result<Plain, CipherError> {
        let Self { n, r, p } = self;
        if !n.is_power_of_two() || n < 2 {
            within(Cost::ScryptN, n, n.max(2).next_power_of_two(), u64::MAX)?;
        }
        let kib = n.saturating_mul(r).saturating_mul(128) / 1024;
        within(Cost::Memory, kib, 1, MOST_KIB)?;
        within(Cost::Lanes, p, 1, MOST_LANES)?;
        within(Cost::Memory, kib.saturating_mul(p), 1, MOST_WORK)?;
        if FUZZING {
            return Ok(Zeroizing::new(vec![0; len]));
        }
        let params = scrypt::Params::new(n.trailing_zeros() as u8, r as u32, p as u32)
            .map_err(|_| CipherError::NoMemory { kib })?;
        room(kib)?;
        let mut key = Zeroizing::new(vec![0; len]);
        scrypt::scrypt(passphrase, salt, &params, &mut key)
            .map_err(|_| CipherError::NoMemory { kib })?;
        Ok(key)
    }
}

/// Argon2id, version 0x13 (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2id {
    /// Memory in KiB.
    pub kib: u64,
    /// Passes over it.
    pub passes: u64,
    /// Lanes.
    pub lanes: u64,
}

impl Argon2id {
    /// Whether it is done at all.
    ///
    /// # Errors
    /// More than 1 GiB, 64 passes or 16 lanes, or so much of two that it takes minutes; less than Argon2 can do with.
    pub fn check(self) -> Result<(), CipherError> {
        let Self { kib, passes, lanes } = self;
        within(Cost::Lanes, lanes, 1, MOST_LANES)?;
        within(Cost::Memory, kib, 8 * lanes, MOST_KIB)?;
        within(Cost::Iterations, passes, 1, MOST_PASSES)?;
        within(Cost::Memory, kib * passes, 1, MOST_WORK)
    }

    /// `len` bytes of key.
    ///
    /// # Errors
    /// As [`Argon2id::check`], or the system has no such memory.
    pub fn derive(self, passphrase: &[u8], salt: &[u8], len: usize) -> Result<Plain, CipherError> {
        self.check()?;
        let Self { kib, passes, lanes } = self;
        if FUZZING {
            return Ok(Zeroizing::new(vec![0; len]));
        }
        argon2(
            Algorithm::Argon2id,
            Version::V0x13,
            [kib, passes, lanes].map(|number| number as u32),
            passphrase,
            salt,
            len,
        )
    }
}

/// Argon2 of a cost that was held against its bounds: memory in KiB, passes, lanes.
pub(super) fn argon2(
    kind: Algorithm,
    version: Version,
    [kib, passes, lanes]: [u32; 3],
    passphrase: &[u8],
    salt: &[u8],
    len: usize,
) -> Result<Plain, CipherError> {
    if FUZZING {
        return Ok(Zeroizing::new(vec![0; len]));
    }
    let none = || CipherError::NoMemory {
        kib: u64::from(kib),
    };
    let params = Params::new(kib, passes, lanes, Some(len)).map_err(|_| none())?;
    room(u64::from(kib))?;
    let mut blocks: Vec<Block> = Vec::new();
    blocks
        .try_reserve_exact(params.block_count())
        .map_err(|_| none())?;
    blocks.resize(params.block_count(), Block::new());
    let mut key = Zeroizing::new(vec![0; len]);
    let derived = Argon2::new(kind, version, params).hash_password_into_with_memory(
        passphrase,
        salt,
        &mut key,
        &mut blocks,
    );
    blocks.iter_mut().for_each(|block| block.zeroize());
    derived.map_err(|_| none())?;
    Ok(key)
}

/// Whether the system would give so much memory: asked in a way that may fail, before somebody asks in one that can't.
fn room(kib: u64) -> Result<(), CipherError> {
    let mut probe: Vec<u8> = Vec::new();
    probe
        .try_reserve_exact(kib as usize * 1024)
        .map_err(|_| CipherError::NoMemory { kib })
}

/// HKDF-Expand (RFC 5869 section 2.3) with HMAC-SHA256: 32 bytes.
pub fn hkdf_expand(key: &[u8], info: &[u8]) -> Plain {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key);
    let mut out = Zeroizing::new(vec![0; 32]);
    prk.expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out))
        .expect("one block of SHA-256 is within HKDF's bounds");
    out
}
