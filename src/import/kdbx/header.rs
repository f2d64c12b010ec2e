//! What stands before the sealed part: the cipher, and what the key costs.

use crate::cipher::{AesKdf, Argon2, Argon2Kind, Argon2Version, Plain};
use crate::import::ImportError;

/// KeePass's file signature, its first half.
const MAGIC: [u8; 4] = [0x03, 0xd9, 0xa2, 0x9a];

/// Which of KeePass's files it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of KeePass 1.
    Kdb,
    /// Of a version of KeePass 2 before its release.
    PreRelease,
    /// KDBX, with its major and minor version.
    Kdbx(u16, u16),
}

/// Which of KeePass's files it is, if any.
pub(crate) fn kind(bytes: &[u8]) -> Option<Kind> {
    let mut reader = Reader::new(bytes.strip_prefix(&MAGIC)?);
    let (second, minor, major) = (reader.u32().ok()?, reader.u16().ok()?, reader.u16().ok()?);
    match second {
        0xb54b_fb65 => Some(Kind::Kdb),
        0xb54b_fb66 => Some(Kind::PreRelease),
        0xb54b_fb67 => Some(Kind::Kdbx(major, minor)),
        _ => None,
    }
}

/// How the body is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes,
    Twofish,
    ChaCha20,
}

impl Cipher {
    pub(super) fn is_padded(self) -> bool {
        match self {
            Self::Aes | Self::Twofish => true,
            Self::ChaCha20 => false,
        }
    }
}

/// How the key is derived.
pub(super) enum Kdf<'a> {
    Aes(AesKdf, &'a [u8]),
    Argon2(Argon2, &'a [u8]),
}

impl Kdf<'_> {
    /// The key of the composite key.
    pub(super) fn derive(&self, composite: &[u8]) -> Result<Plain, ImportError> {
        match self {
            Self::Aes(kdf, seed) => kdf
                .derive(composite, seed)?
                .ok_or_else(|| ImportError::damaged("the seed of its key has another length")),
            Self::Argon2(kdf, salt) => Ok(kdf.derive(composite, salt)?),
        }
    }
}

/// What only one of the versions has.
pub(super) enum Tail<'a> {
    Three(Three<'a>),
    Four,
}

/// What KDBX 3.1 says before, and 4 inside.
pub(super) struct Three<'a> {
    pub(super) mask: u32,
    pub(super) mask_key: &'a [u8],
    pub(super) start: &'a [u8],
}

/// All of it.
pub(super) struct Header<'a> {
    pub(super) cipher: Cipher,
    pub(super) is_packed: bool,
    pub(super) seed: &'a [u8],
    pub(super) iv: &'a [u8],
    pub(super) kdf: Kdf<'a>,
    pub(super) tail: Tail<'a>,
    /// Its length in bytes.
    pub(super) len: usize,
}

/// Its fields, by number.
type Fields<'a> = [Option<&'a [u8]>; 13];

impl<'a> Header<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// It isn't whole; it names a version, a cipher or a derivation that isn't known, or a derivation too dear.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let Some(Kind::Kdbx(major @ (3 | 4), _)) = kind(bytes) else {
            return Err(ImportError::damaged("it is no KeePass file"));
        };
        let mut reader = Reader::new(bytes);
        reader.take(12)?;
        let mut fields: Fields<'a> = [None; 13];
        loop {
            let number = usize::from(reader.u8()?);
            let len = match major {
                3 => usize::from(reader.u16()?),
                _ => reader.u32()? as usize,
            };
            let value = reader.take(len)?;
            if number == 0 {
                break;
            }
            // What isn't known is a plug-in's.
            if let Some(field) = fields.get_mut(number) {
                *field = Some(value);
            }
        }
        let seed = needed(&fields, 4, "seed")?;
        let iv = needed(&fields, 7, "IV")?;
        let (kdf, tail) = match major {
            3 => three(&fields)?,
            _ => (
                argon2_or_aes(needed(&fields, 11, "key derivation")?)?,
                Tail::Four,
            ),
        };
        Ok(Self {
            cipher: cipher(needed(&fields, 2, "cipher")?, iv)?,
            is_packed: match number(needed(&fields, 3, "packing")?)? {
                0 => false,
                1 => true,
                other => return Err(unknown(format!("packing no. {other}"))),
            },
            seed,
            iv,
            kdf,
            tail,
            len: bytes.len() - reader.left(),
        })
    }
}

fn three<'a>(fields: &Fields<'a>) -> Result<(Kdf<'a>, Tail<'a>), ImportError> {
    let rounds = Reader::new(needed(fields, 6, "number of rounds")?).u64()?;
    let kdf = AesKdf { rounds };
    kdf.check()?;
    let tail = Three {
        mask: number(needed(fields, 10, "stream cipher")?)?,
        mask_key: needed(fields, 8, "key of the stream")?,
        start: needed(fields, 9, "first bytes")?,
    };
    let seed = needed(fields, 5, "seed of the key")?;
    Ok((Kdf::Aes(kdf, seed), Tail::Three(tail)))
}

fn cipher(id: &[u8], iv: &[u8]) -> Result<Cipher, ImportError> {
    const AES: u128 = 0x31c1f2e6_bf71_4350_be58_05216afc5aff;
    const TWOFISH: u128 = 0xad68f29f_576f_4bb9_a36a_d47af965346c;
    const CHACHA20: u128 = 0xd6038a2b_8b6f_4cb5_a524_339a31dbb59a;
    let cipher = match uuid(id) {
        Some(AES) => Cipher::Aes,
        Some(TWOFISH) => Cipher::Twofish,
        Some(CHACHA20) => Cipher::ChaCha20,
        Some(_) | None => return Err(unknown("cipher".into())),
    };
    let len = if cipher.is_padded() { 16 } else { 12 };
    match iv.len() == len {
        true => Ok(cipher),
        false => Err(ImportError::damaged("its IV has another length")),
    }
}

/// KDBX 4's dictionary of the derivation: names with typed values.
fn argon2_or_aes(dictionary: &[u8]) -> Result<Kdf<'_>, ImportError> {
    const AES_3: u128 = 0xc9d9f39a_628a_4460_bf74_0d08c18a4fea;
    const AES_4: u128 = 0x7c02bb82_79a7_4ac0_927d_114a00648238;
    const ARGON2D: u128 = 0xef636ddf_8c29_444b_91f7_a9a403e30a0c;
    const ARGON2ID: u128 = 0x9e298b19_56db_4773_b23d_fc3ec6f0a1e6;
    let mut reader = Reader::new(dictionary);
    if reader.u16()? >> 8 != 1 {
        return Err(unknown("key derivation, by its version,".into()));
    }
    let mut values: Vec<(&[u8], &[u8])> = Vec::new();
    while reader.u8()? != 0 {
        let name = reader.piece()?;
        values.push((name, reader.piece()?));
    }
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name.as_bytes());
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| ImportError::damaged(format!("its key derivation has no {name}")))
    };
    let kind = match uuid(value("$UUID")?) {
        Some(AES_3 | AES_4) => {
            let kdf = AesKdf {
                rounds: whole(value("R")?)?,
            };
            kdf.check()?;
            return Ok(Kdf::Aes(kdf, value("S")?));
        }
        Some(ARGON2D) => Argon2Kind::D,
        Some(ARGON2ID) => Argon2Kind::Id,
        Some(_) | None => return Err(unknown("key derivation".into())),
    };
    // A secret or a context of the program's own: none of KeePass's makes use of them.
    if ["K", "A"]
        .iter()
        .any(|name| value(name).is_ok_and(|value| !value.is_empty()))
    {
        return Err(unknown("key derivation with a secret of its own".into()));
    }
    let kdf = Argon2 {
        kind,
        version: match whole(value("V")?)? {
            0x10 => Argon2Version::Old,
            0x13 => Argon2Version::Current,
            other => return Err(unknown(format!("Argon2 version {other}"))),
        },
        kib: whole(value("M")?)? / 1024,
        passes: whole(value("I")?)?,
        lanes: whole(value("P")?)?,
    };
    kdf.check()?;
    let salt = value("S")?;
    if !(8..=1024).contains(&salt.len()) {
        return Err(ImportError::damaged(
            "the salt of its key has another length",
        ));
    }
    Ok(Kdf::Argon2(kdf, salt))
}

/// A number of four bytes or of eight.
fn whole(bytes: &[u8]) -> Result<u64, ImportError> {
    match bytes.len() {
        4 => Ok(u64::from(Reader::new(bytes).u32()?)),
        _ => Reader::new(bytes).u64(),
    }
}

fn number(bytes: &[u8]) -> Result<u32, ImportError> {
    Reader::new(bytes).u32()
}

fn uuid(bytes: &[u8]) -> Option<u128> {
    bytes.try_into().ok().map(u128::from_be_bytes)
}

fn needed<'a>(fields: &Fields<'a>, number: usize, what: &str) -> Result<&'a [u8], ImportError> {
    fields[number].ok_or_else(|| ImportError::damaged(format!("its header has no {what}")))
}

fn unknown(what: String) -> ImportError {
    ImportError::Version {
        what: format!("KeePass's {what}"),
    }
}

/// Takes pieces off a slice, numbers with the least byte first.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], ImportError> {
        let (piece, rest) = self.0.split_at_checked(len).ok_or_else(super::cut_off)?;
        self.0 = rest;
        Ok(piece)
    }

    /// A piece with its length before it.
    fn piece(&mut self) -> Result<&'a [u8], ImportError> {
        let len = self.u32()? as usize;
        self.take(len)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let piece = self.take(N)?;
        Ok(piece.try_into().expect("as many bytes were taken"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, ImportError> {
        self.chunk().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, ImportError> {
        self.chunk().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ImportError> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ImportError> {
        self.chunk().map(u64::from_le_bytes)
    }
}
