//! Other programs' ciphers: what opens and seals their exports.
//!
//! The vault has a cipher suite of its own and uses none of this. Whoever wrote an export chose how dear its key is, and a
//! hostile one chooses a terabyte: every cost is held against a bound before a byte is allocated.

mod block;
mod blowfish;
mod cryptojs;
mod digest;
mod kdf;
mod keepass;
mod stream;

pub use self::blowfish::blowfish_open;
pub use block::{cbc_open, cbc_open_unpadded, cbc_seal, gcm_open, gcm_seal, twofish_open_unpadded};
pub use cryptojs::cryptojs_open;
pub use digest::Digest;
pub use kdf::{Argon2id, Pbkdf2, Scrypt, hkdf_expand};
pub use keepass::{AesKdf, Argon2, Argon2Kind, Argon2Version};
pub use stream::{Keystream, secretstream_open, secretstream_seal, xchacha_open, xchacha_seal};

use std::fmt;

use zeroize::Zeroizing;

use crate::failure::{Fails, Kind};

/// Whether this is built for the fuzzer, which is to reach what is behind a seal: there, keys cost nothing and every seal
/// opens. `cargo fuzz` and `fuzz/run` set it, and nothing else does.
const FUZZING: bool = cfg!(fuzzing);

/// What the fuzzer finds behind a seal: the sealed text itself, without the last bytes, which would be the tag.
fn unsealed(sealed: &[u8], overhead: usize) -> Option<Plain> {
    let len = sealed.len().checked_sub(overhead)?;
    Some(Zeroizing::new(sealed[..len].to_vec()))
}

/// Bytes that wipe themselves: a key, or what a seal held.
pub type Plain = Zeroizing<Vec<u8>>;

/// What a derivation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Memory in KiB.
    Memory,
    /// Rounds of PBKDF2 or passes of Argon2id.
    Iterations,
    /// Lanes, or scrypt's p.
    Lanes,
    /// scrypt's N, which is a power of two.
    ScryptN,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "KiB of memory",
            Self::Iterations => "iterations",
            Self::Lanes => "lanes",
            Self::ScryptN => "as scrypt's N",
        })
    }
}

/// Why a key isn't derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// Outside what is done for anybody.
    #[error("its key derivation asks for {asked} {cost}; {least} to {most} are done")]
    OutOfRange {
        /// What is asked for.
        cost: Cost,
        /// How much of it.
        asked: u64,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// The system has no such memory to give.
    #[error("the key derivation needs {kib} KiB of memory, which the system doesn't give")]
    NoMemory {
        /// How much.
        kib: u64,
    },
}

impl Fails for CipherError {
    fn kind(&self) -> Kind {
        match self {
            Self::OutOfRange { .. } => Kind::Damaged,
            Self::NoMemory { .. } => Kind::Internal,
        }
    }
}

#[cfg(test)]
mod tests;
