//! KeePass's key derivations. Its programs measure how much one second of the person's own machine does, so the numbers go
//! far beyond those of apps that fix them: a million passes over one MiB is as usual as ten over 64.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use argon2::{Algorithm, Version};
use zeroize::Zeroizing;

use crate::cipher::kdf::{self, MOST_KIB, MOST_WORK, within};
use crate::cipher::{CipherError, Cost, Digest, FUZZING, Plain};

/// The most rounds of AES: some seconds with the instructions for it, a minute without.
const MOST_AES_ROUNDS: u64 = 500_000_000;
/// The most lanes. KeePassXC takes as many as the machine has threads.
const MOST_LANES: u64 = 256;
/// The most passes; memory times passes is bounded besides.
const MOST_PASSES: u64 = 1 << 22;

/// Which Argon2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argon2Kind {
    /// Argon2d.
    D,
    /// Argon2id.
    Id,
}

/// Of which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argon2Version {
    /// 0x10, of 2015.
    Old,
    /// 0x13, of RFC 9106.
    Current,
}

/// Argon2, of either kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2 {
    /// Argon2d or Argon2id.
    pub kind: Argon2Kind,
    /// Which version.
    pub version: Argon2Version,
    /// Memory in KiB.
    pub kib: u64,
    /// Passes over it.
    pub passes: u64,
    /// Lanes.
    pub lanes: u64,
}

impl Argon2 {
    /// Whether it is done at all, told before anything is allocated.
    ///
    /// # Errors
    /// More than 1 GiB or 256 lanes, so many passes over so much memory that it takes a minute, or less than Argon2 can do
    /// with.
    pub fn check(&self) -> Result<(), CipherError> {
        within(Cost::Lanes, self.lanes, 1, MOST_LANES)?;
        within(Cost::Memory, self.kib, 8 * self.lanes, MOST_KIB)?;
        within(Cost::Iterations, self.passes, 1, MOST_PASSES)?;
        within(
            Cost::Iterations,
            self.passes,
            1,
            (MOST_WORK / self.kib).max(1),
        )
    }

    /// 32 bytes of key.
    ///
    /// # Errors
    /// As [`Argon2::check`], or the system has no such memory.
    pub fn derive(&self, key: &[u8], salt: &[u8]) -> Result<Plain, CipherError> {
        self.check()?;
        let kind = match self.kind {
            Argon2Kind::D => Algorithm::Argon2d,
            Argon2Kind::Id => Algorithm::Argon2id,
        };
        let version = match self.version {
            Argon2Version::Old => Version::V0x10,
            Argon2Version::Current => Version::V0x13,
        };
        let cost = [self.kib, self.passes, self.lanes].map(|number| number as u32);
        kdf::argon2(kind, version, cost, key, salt, 32)
    }
}

/// AES-KDF: the key's two halves, encrypted over and over under a seed of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AesKdf {
    /// How many times.
    pub rounds: u64,
}

impl AesKdf {
    /// Whether it is done at all.
    ///
    /// # Errors
    /// More than 500 million rounds.
    pub fn check(&self) -> Result<(), CipherError> {
        within(Cost::Iterations, self.rounds, 0, MOST_AES_ROUNDS)
    }

    /// 32 bytes of key; none for a key or a seed of another length.
    ///
    /// # Errors
    /// As [`AesKdf::check`].
    pub fn derive(&self, key: &[u8], seed: &[u8]) -> Result<Option<Plain>, CipherError> {
        self.check()?;
        let (Ok(key), Ok(cipher)) = (<[u8; 32]>::try_from(key), Aes256::new_from_slice(seed))
        else {
            return Ok(None);
        };
        let key = Zeroizing::new(key);
        let half = |at: usize| {
            let mut half = aes::Block::default();
            half.copy_from_slice(&key[at..at + 16]);
            half
        };
        let mut halves = Zeroizing::new([half(0), half(16)]);
        let rounds = if FUZZING { 0 } else { self.rounds };
        for _ in 0..rounds {
            cipher.encrypt_blocks(&mut *halves);
        }
        Ok(Some(Digest::Sha256.of(&[&halves[0], &halves[1]])))
    }
}
