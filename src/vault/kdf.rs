//! Argon2id (RFC 9106): from a passphrase to key material, within bounds.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::clock::Stopwatch;
use crate::secret::{Secret, SecretText};
use crate::vault::error::VaultError;
use crate::vault::seal::{self, Key};

/// The cost of Argon2id, within the bounds that every reader of the format accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    m_kib: u32,
    t: u32,
    p: u8,
}

impl KdfParams {
    /// 64 MiB, t = 3, p = 4: RFC 9106's second choice.
    pub const DEFAULT: Self = Self {
        m_kib: 65536,
        t: 3,
        p: 4,
    };
    /// The least that the format takes: 19 MiB and one pass on one lane.
    pub const LEAST: Self = Self {
        m_kib: 19 * 1024,
        t: 1,
        p: 1,
    };

    /// Memory in KiB, passes, lanes.
    ///
    /// # Errors
    /// Outside m 19 MiB..1 GiB, t 1..64, p 1..16.
    pub fn new(m_kib: u32, t: u32, p: u32) -> Result<Self, VaultError> {
        match u8::try_from(p) {
            Ok(lanes @ 1..=16)
                if (19 * 1024..=1024 * 1024).contains(&m_kib) && (1..=64).contains(&t) =>
            {
                Ok(Self { m_kib, t, p: lanes })
            }
            Ok(_) | Err(_) => Err(VaultError::KdfParams { m_kib, t, p }),
        }
    }

    /// KiB, passes, lanes
    pub fn get(&self) -> (u32, u32, u8) {
        (self.m_kib, self.t, self.p)
    }

    /// The parameters that take about `target` on this machine: memory first, up to 256 MiB, then passes. Runs Argon2id
    /// once or a few times to measure.
    ///
    /// # Errors
    /// The memory can't be had.
    pub fn calibrate(target: std::time::Duration) -> Result<Self, VaultError> {
        let mut params = Self::DEFAULT;
        let passphrase = SecretText::new("calibration".into());
        loop {
            let begun = Stopwatch::start();
            drop(stretch(&passphrase, None, &[0; 16], &params)?);
            let took = begun.elapsed().max(std::time::Duration::from_millis(1));
            if took * 2 <= target && params.m_kib < USUAL_M_KIB {
                params.m_kib *= 2;
                continue;
            }
            let passes = target.as_secs_f64() / took.as_secs_f64() * f64::from(params.t);
            // A float cast saturates; the clamp keeps it within the format and the usual limit.
            let most = (USUAL_WORK_KIB / u64::from(params.m_kib)).min(64) as u32;
            params.t = (passes as u32).clamp(Self::DEFAULT.t, most.max(Self::DEFAULT.t));
            return Ok(params);
        }
    }

    /// Whether opening asks for no more than is usual.
    pub(super) fn is_usual(&self) -> bool {
        self.m_kib <= USUAL_M_KIB && u64::from(self.m_kib) * u64::from(self.t) <= USUAL_WORK_KIB
    }
}

/// 256 MiB.
const USUAL_M_KIB: u32 = 256 * 1024;
/// m*t of 4 GiB.
const USUAL_WORK_KIB: u64 = 4 * 1024 * 1024;

/// Whether a header may ask for more than 256 MiB or m*t above 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KdfLimit {
    /// Refuse above 256 MiB or m*t above 4 GiB.
    Usual,
    /// Up to the format's own bounds.
    High,
}

/// Nobody types more than this many bytes; beyond it, normalising alone would take memory without end.
const MAX_PASSPHRASE: usize = 65536;

/// Argon2id version 0x13 over the passphrase in Unicode NFC, so that one typed on another keyboard or system is the same;
/// 32 bytes. A key file enters as Argon2's secret K, as its SHA-256.
pub(super) fn stretch(
    passphrase: &SecretText,
    key_file: Option<&Secret>,
    salt: &[u8; 16],
    params: &KdfParams,
) -> Result<Key, VaultError> {
    let text = passphrase.expose();
    if text.is_empty() {
        return Err(VaultError::EmptyPassphrase);
    }
    if text.len() > MAX_PASSPHRASE {
        return Err(VaultError::LongPassphrase(text.len()));
    }
    // NFC makes UTF-8 at most three times as long (Unicode Annex 15): with room for that the string never moves, and no
    // unwiped copy is left.
    let mut normal = Zeroizing::new(String::with_capacity(text.len() * 3));
    normal.extend(text.nfc());

    let no_memory = |_| VaultError::NoMemory {
        m_kib: params.m_kib,
    };
    let settings = Params::new(
        params.m_kib,
        params.t,
        u32::from(params.p),
        Some(seal::KEY_LEN),
    )
    .expect("our bounds lie within Argon2's");
    let digest = key_file.map(key_file_digest).transpose()?;
    let argon = match &digest {
        None => Argon2::new(Algorithm::Argon2id, Version::V0x13, settings),
        Some(k) => {
            Argon2::new_with_secret(k.bytes(), Algorithm::Argon2id, Version::V0x13, settings)
                .expect("a secret of 32 bytes is no longer than Argon2 takes")
        }
    };
    let count = argon.params().block_count();
    let mut blocks: Vec<Block> = Vec::new();
    blocks.try_reserve_exact(count).map_err(no_memory)?;
    blocks.resize(count, Block::new());
    let mut out = Key::zeroed();
    let done =
        argon.hash_password_into_with_memory(normal.as_bytes(), salt, out.bytes_mut(), &mut blocks);
    // The last blocks are as good as the key.
    for block in &mut blocks {
        block.zeroize();
    }
    done.expect("Argon2's bounds on lengths hold by construction");
    Ok(out)
}

/// The digest by which a key file is known: SHA-256 over all of its bytes.
pub(super) fn key_file_digest(content: &Secret) -> Result<Key, VaultError> {
    if content.len() < 32 {
        return Err(VaultError::KeyFileShort(content.len()));
    }
    let mut key = Key::zeroed();
    *key.bytes_mut() = seal::sha256(&[content.expose()]);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_format() {
        for (m, t, p, good) in [
            (19456, 1, 1, true),
            (19455, 1, 1, false),
            (1_048_576, 64, 16, true),
            (1_048_577, 64, 16, false),
            (65536, 0, 4, false),
            (65536, 65, 4, false),
            (65536, 3, 0, false),
            (65536, 3, 17, false),
            (65536, 3, 256 + 4, false),
        ] {
            assert_eq!(KdfParams::new(m, t, p).is_ok(), good, "{m} {t} {p}");
        }
        assert!(KdfParams::new(262_144, 16, 1).unwrap().is_usual());
        assert!(!KdfParams::new(262_144, 17, 1).unwrap().is_usual());
        assert!(!KdfParams::new(262_145, 1, 1).unwrap().is_usual());
    }

    #[test]
    fn calibration_stays_within_what_everybody_opens() {
        for millis in [0, 1500] {
            let params = KdfParams::calibrate(std::time::Duration::from_millis(millis)).unwrap();
            assert!(
                params.is_usual() && params.m_kib >= KdfParams::DEFAULT.m_kib && params.t >= 3,
                "{params:?}"
            );
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_passphrase() {
        let salt = [7; 16];
        let made = |text: &str| {
            *stretch(
                &SecretText::new(text.into()),
                None,
                &salt,
                &KdfParams::LEAST,
            )
            .unwrap()
            .bytes()
        };
        assert_eq!(made("caf\u{e9}"), made("cafe\u{301}"));
        assert_ne!(made("cafe"), made("caf\u{e9}"));
    }
}
