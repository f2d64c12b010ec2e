//! Slots: each wraps the DEK for one credential.

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretText};
use crate::vault::cursor::Cursor;
use crate::vault::error::{Fault, VaultError};
use crate::vault::kdf::{self, KdfParams};
use crate::vault::recovery;
use crate::vault::seal::{self, KEY_LEN, Key, Randomness, SALT_LEN, TAG_LEN};

/// What opens a vault.
pub enum Credential {
    /// Slot type 1.
    Passphrase(SecretText),
    /// Slot type 1 with the key-file flag: both are needed.
    PassphraseAndKeyFile(SecretText, Secret),
    /// Slot type 2: the content of a key file of at least 32 bytes.
    KeyFile(Secret),
    /// Slot type 3, as shown by `init`; case, spaces and dashes don't matter.
    RecoveryCode(SecretText),
}

/// What a slot is, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// 8 bytes, shown as 16 hexadecimal digits.
    pub id: [u8; 8],
    /// Its type.
    pub kind: SlotKind,
}

/// A slot's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// Passphrase, with its cost, and whether a key file is needed too.
    Passphrase {
        /// The cost of Argon2id.
        kdf: KdfParams,
        /// Whether both are needed.
        with_key_file: bool,
    },
    /// Key file.
    KeyFile,
    /// Recovery code.
    Recovery,
    /// A type this version doesn't know: skipped, kept.
    Unknown(u8),
}

impl SlotKind {
    /// In a person's words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passphrase {
                with_key_file: false,
                ..
            } => "passphrase",
            Self::Passphrase {
                with_key_file: true,
                ..
            } => "passphrase with key file",
            Self::KeyFile => "key file",
            Self::Recovery => "recovery code",
            Self::Unknown(_) => "something this version doesn't know",
        }
    }
}

impl Credential {
    /// In a person's words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passphrase(_) => "passphrase",
            Self::PassphraseAndKeyFile(..) => "passphrase with key file",
            Self::KeyFile(_) => "key file",
            Self::RecoveryCode(_) => "recovery code",
        }
    }

    /// Whether a slot is for this kind of credential.
    pub(super) fn fits(&self, slot: &Slot) -> bool {
        match (self, slot.info().kind) {
            (Self::Passphrase(_), SlotKind::Passphrase { with_key_file, .. }) => !with_key_file,
            (Self::PassphraseAndKeyFile(..), SlotKind::Passphrase { with_key_file, .. }) => {
                with_key_file
            }
            (Self::KeyFile(_), SlotKind::KeyFile) | (Self::RecoveryCode(_), SlotKind::Recovery) => {
                true
            }
            (
                Self::Passphrase(_)
                | Self::PassphraseAndKeyFile(..)
                | Self::KeyFile(_)
                | Self::RecoveryCode(_),
                SlotKind::Passphrase { .. }
                | SlotKind::KeyFile
                | SlotKind::Recovery
                | SlotKind::Unknown(_),
            ) => false,
        }
    }

    /// The key material that this credential gives with a slot's parameters.
    fn ikm(&self, params: &SlotParams) -> Result<Ikm, VaultError> {
        let key = match (self, params) {
            (Self::Passphrase(text), SlotParams::Passphrase { salt, kdf }) => {
                kdf::stretch(text, None, salt, kdf)?
            }
            (Self::PassphraseAndKeyFile(text, file), SlotParams::Passphrase { salt, kdf }) => {
                kdf::stretch(text, Some(file), salt, kdf)?
            }
            (Self::KeyFile(content), _) => kdf::key_file_digest(content)?,
            (Self::RecoveryCode(text), _) => {
                let bits = recovery::read(text).map_err(VaultError::RecoveryTypo)?;
                return Ok(Zeroizing::new(bits.to_vec()));
            }
            (Self::Passphrase(_) | Self::PassphraseAndKeyFile(..), SlotParams::None) => {
                return Err(VaultError::SelfCheck(
                    "a passphrase slot without parameters",
                ));
            }
        };
        Ok(Zeroizing::new(key.bytes().to_vec()))
    }
}

/// A slot's input key material.
pub(super) type Ikm = Zeroizing<Vec<u8>>;

/// The type-specific part.
enum SlotParams {
    Passphrase { salt: [u8; 16], kdf: KdfParams },
    None,
}

const PASSPHRASE: u8 = 1;
const KEY_FILE: u8 = 2;
const RECOVERY: u8 = 3;
/// Slot flag: a key file enters as Argon2's K.
const WITH_KEY_FILE: u8 = 1;

const WRAPPED_LEN: usize = KEY_LEN + TAG_LEN;
/// slot_id, wrap_salt, wrapped, commit: what every slot's body has beside its parameters.
const FIXED_LEN: usize = 8 + SALT_LEN + WRAPPED_LEN + KEY_LEN;
const PASSPHRASE_PARAMS_LEN: usize = 16 + 4 + 4 + 1;

/// A slot as it stands in the header.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) id: [u8; 8],
    kind: u8,
    flags: u8,
    wrap_salt: [u8; SALT_LEN],
    params: Vec<u8>,
    wrapped: [u8; WRAPPED_LEN],
    commit: [u8; KEY_LEN],
}

/// What trying a slot came to.
pub(super) enum Tried {
    Dek(Key),
    /// The commitment is another key's.
    NotThis,
    /// The commitment is right and the wrapped key doesn't open.
    Damaged,
}

impl Slot {
    /// Reads one slot; `base` is the offset of the cursor's start in the file, for error messages.
    pub(super) fn read(cursor: &mut Cursor<'_>, base: usize) -> Result<Self, Fault> {
        let begin = cursor.offset();
        let fault = |offset: usize, what| Fault::Header {
            offset: base + offset,
            what,
        };
        let cut = |lack: super::cursor::Lack| fault(lack.offset, "a slot ends too early");
        let kind = cursor.u8().map_err(cut)?;
        let flags = cursor.u8().map_err(cut)?;
        let body_len = usize::from(cursor.u16().map_err(cut)?);
        let known_flags = match kind {
            PASSPHRASE => WITH_KEY_FILE,
            KEY_FILE | RECOVERY => 0,
            _unknown => u8::MAX,
        };
        if flags & !known_flags != 0 {
            return Err(fault(begin + 1, "a slot has unknown flags"));
        }
        let params_len = body_len.checked_sub(FIXED_LEN);
        let fits = match kind {
            PASSPHRASE => params_len == Some(PASSPHRASE_PARAMS_LEN),
            KEY_FILE | RECOVERY => params_len == Some(0),
            _unknown => params_len.is_some(),
        };
        let Some(params_len) = params_len.filter(|_| fits) else {
            return Err(fault(begin + 2, "a slot's length doesn't fit its type"));
        };
        let id = cursor.array().map_err(cut)?;
        let wrap_salt = cursor.array().map_err(cut)?;
        let params_at = cursor.offset();
        let params = cursor.take(params_len).map_err(cut)?.to_vec();
        let slot = Self {
            id,
            kind,
            flags,
            wrap_salt,
            params,
            wrapped: cursor.array().map_err(cut)?,
            commit: cursor.array().map_err(cut)?,
        };
        if kind == PASSPHRASE {
            let (_, m_kib, t, p) = slot.argon_fields();
            KdfParams::new(m_kib, t, u32::from(p)).map_err(|_| Fault::Kdf {
                offset: base + params_at + 16,
                m_kib,
                t,
                p,
            })?;
        }
        Ok(slot)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before_wrapped());
        out.extend_from_slice(&self.wrapped);
        out.extend_from_slice(&self.commit);
    }

    /// Argon2's salt, memory, passes, lanes of a passphrase slot.
    fn argon_fields(&self) -> ([u8; 16], u32, u32, u8) {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.params[..16]);
        let number = |at: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&self.params[at..at + 4]);
            u32::from_le_bytes(bytes)
        };
        (salt, number(16), number(20), self.params[24])
    }

    fn slot_params(&self) -> SlotParams {
        if self.kind != PASSPHRASE {
            return SlotParams::None;
        }
        let (salt, m_kib, t, p) = self.argon_fields();
        let kdf =
            KdfParams::new(m_kib, t, u32::from(p)).expect("checked when the slot was read or made");
        SlotParams::Passphrase { salt, kdf }
    }

    /// The cost of a passphrase slot.
    pub(super) fn kdf(&self) -> Option<KdfParams> {
        match self.slot_params() {
            SlotParams::Passphrase { kdf, .. } => Some(kdf),
            SlotParams::None => None,
        }
    }

    pub(super) fn info(&self) -> SlotInfo {
        let kind = match (self.kind, self.kdf()) {
            (PASSPHRASE, Some(kdf)) => SlotKind::Passphrase {
                kdf,
                with_key_file: self.flags & WITH_KEY_FILE != 0,
            },
            (KEY_FILE, _) => SlotKind::KeyFile,
            (RECOVERY, _) => SlotKind::Recovery,
            (unknown, _) => SlotKind::Unknown(unknown),
        };
        SlotInfo { id: self.id, kind }
    }

    fn before_wrapped(&self) -> Vec<u8> {
        let body_len = u16::try_from(FIXED_LEN + self.params.len())
            .expect("parameters come from a u16 length or are ours");
        let mut bytes = vec![self.kind, self.flags];
        bytes.extend_from_slice(&body_len.to_le_bytes());
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.wrap_salt);
        bytes.extend_from_slice(&self.params);
        bytes
    }

    /// The wrapping key and the key of the commitment.
    fn keys(&self, ikm: &Ikm, vault_id: &[u8; 16]) -> Zeroizing<[u8; 2 * KEY_LEN]> {
        let mut keys = Zeroizing::new([0; 2 * KEY_LEN]);
        let info: [&[u8]; 3] = [b"vmfa/v1 slot-wrap", &[self.kind], vault_id];
        seal::derive(ikm, &self.wrap_salt, &info, keys.as_mut());
        keys
    }

    /// A slot for a credential, and the key material from which it can be wrapped again.
    pub(super) fn new(
        credential: &Credential,
        cost: KdfParams,
        vault_id: &[u8; 16],
        dek: &Key,
        from: &dyn Randomness,
    ) -> Result<(Self, Ikm), VaultError> {
        let (kind, flags) = match credential {
            Credential::Passphrase(_) => (PASSPHRASE, 0),
            Credential::PassphraseAndKeyFile(..) => (PASSPHRASE, WITH_KEY_FILE),
            Credential::KeyFile(_) => (KEY_FILE, 0),
            Credential::RecoveryCode(_) => (RECOVERY, 0),
        };
        let mut params = Vec::new();
        if kind == PASSPHRASE {
            let (m_kib, t, p) = cost.get();
            params.extend_from_slice(&seal::random::<16>(from)?);
            params.extend_from_slice(&m_kib.to_le_bytes());
            params.extend_from_slice(&t.to_le_bytes());
            params.push(p);
        }
        let mut slot = Self {
            id: seal::random(from)?,
            kind,
            flags,
            wrap_salt: [0; SALT_LEN],
            params,
            wrapped: [0; WRAPPED_LEN],
            commit: [0; KEY_LEN],
        };
        let ikm = credential.ikm(&slot.slot_params())?;
        slot.wrap(&ikm, vault_id, dek, from)?;
        Ok((slot, ikm))
    }

    /// Wraps a DEK under a fresh salt: the keys derived from it seal this one message.
    pub(super) fn wrap(
        &mut self,
        ikm: &Ikm,
        vault_id: &[u8; 16],
        dek: &Key,
        from: &dyn Randomness,
    ) -> Result<(), VaultError> {
        self.wrap_salt = seal::random(from)?;
        let keys = self.keys(ikm, vault_id);
        let (wrapping, committing) = halves(&keys);
        let associated = self.before_wrapped();
        let mut text = Zeroizing::new(Vec::with_capacity(WRAPPED_LEN));
        text.extend_from_slice(dek.bytes());
        seal::seal(wrapping, &associated, &mut text, 0);
        self.wrapped.copy_from_slice(&text);
        self.commit = seal::mac(committing, &[&associated, &self.wrapped]);
        Ok(())
    }

    /// The DEK, if the key material is this slot's. The commitment is verified before the AEAD: ChaCha20-Poly1305 alone
    /// opens one ciphertext under many keys, which would let a planted slot test many passphrases at once (a partitioning
    /// oracle).
    pub(super) fn unwrap(&self, ikm: &Ikm, vault_id: &[u8; 16]) -> Tried {
        let keys = self.keys(ikm, vault_id);
        let (wrapping, committing) = halves(&keys);
        let associated = self.before_wrapped();
        if !seal::mac_agrees(committing, &[&associated, &self.wrapped], &self.commit) {
            return Tried::NotThis;
        }
        let mut text = Zeroizing::new(self.wrapped);
        match seal::open(wrapping, &associated, text.as_mut()).and_then(|dek| Key::from_slice(dek))
        {
            Some(dek) => Tried::Dek(dek),
            None => Tried::Damaged,
        }
    }

    /// As [`Slot::unwrap`], from a credential; the expensive part.
    pub(super) fn try_credential(
        &self,
        credential: &Credential,
        vault_id: &[u8; 16],
    ) -> Result<Tried, VaultError> {
        Ok(self.unwrap(&credential.ikm(&self.slot_params())?, vault_id))
    }
}

fn halves(keys: &[u8; 2 * KEY_LEN]) -> (&[u8; KEY_LEN], &[u8; KEY_LEN]) {
    let (first, second) = keys.split_at(KEY_LEN);
    (
        first.try_into().expect("half of 64 bytes"),
        second.try_into().expect("half of 64 bytes"),
    )
}
