//! Changing slots and keys, in memory.
//!
//! Adding a slot wraps the same DEK once more. Removing one, or changing a passphrase, makes a new DEK and wraps it for the
//! slots that stay, from their sealed key material. The slot that went opens nothing that is written from then on, and
//! what was written before, backups included, still opens with what opened it then.
//!
//! It is no wall against somebody who has both an old copy and what opened it: the key material of the slots that stayed
//! lies in that copy, sealed under the old DEK, and these slots open the new file too. Only when each slot that was there
//! is exchanged (passphrase, key file and recovery code) is what follows out of their reach.

use crate::secret::SecretText;
use crate::vault::body::{MAX_PREVIOUS, SlotKey};
use crate::vault::container::{self, PREVIOUS_DEK, SLOT_IKM};
use crate::vault::error::VaultError;
use crate::vault::header;
use crate::vault::inner;
use crate::vault::kdf::KdfParams;
use crate::vault::open::MAX_PASSPHRASES;
use crate::vault::record::Record;
use crate::vault::recovery;
use crate::vault::seal::{self, Key, Sealed};
use crate::vault::slot::{Credential, Ikm, Slot, SlotInfo, SlotKind};
use crate::vault::unlocked::Unlocked;

impl Unlocked {
    /// Adds a slot (no DEK rotation). A passphrase slot costs `kdf`.
    ///
    /// # Errors
    /// 16 slots, or 4 passphrase slots, are there already; the credential can't be used.
    pub fn add_slot(
        &mut self,
        credential: &Credential,
        kdf: KdfParams,
    ) -> Result<SlotInfo, VaultError> {
        let info = self.insert_slot(credential, kdf)?;
        self.dirty = true;
        Ok(info)
    }

    /// Adds a recovery slot and returns its code, to be shown once.
    ///
    /// # Errors
    /// 16 slots are there already.
    pub fn add_recovery(&mut self) -> Result<(SlotInfo, SecretText), VaultError> {
        let code = recovery::write(&recovery::new(&*self.random)?);
        // A recovery code is random: nothing needs stretching.
        let info = self.add_slot(
            &Credential::RecoveryCode(code.duplicate()),
            KdfParams::DEFAULT,
        )?;
        Ok((info, code))
    }

    /// Removes a slot and rotates the DEK. The last slot that this version can open can't be removed.
    ///
    /// # Errors
    /// No such slot; it is the last one; a slot of an unknown type keeps no key material to wrap it again.
    pub fn remove_slot(&mut self, id: &[u8; 8]) -> Result<(), VaultError> {
        let at = self.slot_at(id)?;
        let opens = |info: &SlotInfo| !matches!(info.kind, SlotKind::Unknown(_));
        if !self
            .slots()
            .iter()
            .any(|info| info.id != *id && opens(info))
        {
            return Err(VaultError::LastSlot);
        }
        let slot = self.header.slots.remove(at);
        match self.rotate() {
            Ok(()) => {
                self.removed_slots.push(*id);
                Ok(())
            }
            Err(error) => {
                self.header.slots.insert(at, slot);
                Err(error)
            }
        }
    }

    fn slot_at(&self, id: &[u8; 8]) -> Result<usize, VaultError> {
        self.header
            .slots
            .iter()
            .position(|slot| slot.id == *id)
            .ok_or(VaultError::NoSuchSlot(*id))
    }

    /// Replaces the passphrase slot that opened the vault (or the only one), and rotates the DEK. The new one may come with
    /// a key file or without.
    ///
    /// # Errors
    /// `new` is no passphrase; it isn't clear which slot is meant; as [`Unlocked::remove_slot`].
    pub fn change_passphrase(
        &mut self,
        new: &Credential,
        kdf: KdfParams,
    ) -> Result<(), VaultError> {
        match new {
            Credential::Passphrase(_) | Credential::PassphraseAndKeyFile(..) => {}
            Credential::KeyFile(_) | Credential::RecoveryCode(_) => {
                return Err(VaultError::NotAPassphrase(new.name()));
            }
        }
        let passphrases: Vec<[u8; 8]> = self
            .header
            .slots
            .iter()
            .filter(|slot| slot.kdf().is_some())
            .map(|slot| slot.id)
            .collect();
        let old = match (
            self.opened_by.filter(|id| passphrases.contains(id)),
            passphrases.as_slice(),
        ) {
            (Some(id), _) => id,
            (None, [only]) => *only,
            (None, several) => return Err(VaultError::WhichPassphrase(several.len())),
        };
        // The old slot goes first, so that the bounds on slots count it no more; it comes back when anything fails.
        let at = self.slot_at(&old)?;
        let (slots, keys) = (self.header.slots.clone(), self.rest.slot_keys.clone());
        self.header.slots.remove(at);
        let changed = self
            .insert_slot(new, kdf)
            .and_then(|info| self.rotate().map(|()| info));
        match changed {
            Ok(info) => {
                self.removed_slots.push(old);
                self.opened_by = Some(info.id);
                Ok(())
            }
            Err(error) => {
                (self.header.slots, self.rest.slot_keys) = (slots, keys);
                Err(error)
            }
        }
    }

    /// A new DEK for the present slots and records. Either all of it happens or nothing.
    fn rotate(&mut self) -> Result<(), VaultError> {
        let new = Key::random(&*self.random)?;
        let id = self.header.vault_id;
        let mut slots = self.header.slots.clone();
        let mut slot_keys = Vec::with_capacity(slots.len());
        for slot in &mut slots {
            let ikm = container::slot_ikm(&self.rest, &slot.id, &self.dek)
                .ok_or(VaultError::SlotStuck(slot.id))?;
            slot.wrap(&ikm, &id, &new, &*self.random)?;
            let ikm = Sealed::new(&new, SLOT_IKM, &slot.id, &ikm, &*self.random)?;
            slot_keys.push(SlotKey { slot: slot.id, ikm });
        }
        let mut previous = vec![Sealed::new(
            &new,
            PREVIOUS_DEK,
            &id,
            self.dek.bytes(),
            &*self.random,
        )?];
        for sealed in self.rest.previous.iter().take(MAX_PREVIOUS - 1) {
            if let Some(key) = sealed.open(&self.dek, PREVIOUS_DEK, &id) {
                previous.push(Sealed::new(&new, PREVIOUS_DEK, &id, &key, &*self.random)?);
            }
        }
        let mut records: Vec<Record> = self.records().cloned().collect();
        for record in &mut records {
            inner::reseal(record, &self.dek, &new, &*self.random)?;
        }
        for (entry, record) in self.entries.iter_mut().zip(records) {
            entry.record = record;
        }
        self.header.slots = slots;
        self.rest.slot_keys = slot_keys;
        self.rest.previous = previous;
        let old = std::mem::replace(&mut self.dek, new);
        // Several rotations before one save: the file is still under the first.
        self.disk_dek.get_or_insert(old);
        self.dirty = true;
        Ok(())
    }
}

impl Unlocked {
    /// Makes a slot for a credential and keeps its key material, sealed.
    pub(super) fn insert_slot(
        &mut self,
        credential: &Credential,
        kdf: KdfParams,
    ) -> Result<SlotInfo, VaultError> {
        if self.header.slots.len() >= header::MAX_SLOTS {
            return Err(VaultError::TooManySlots {
                what: "slots",
                max: header::MAX_SLOTS,
            });
        }
        let (slot, ikm) = Slot::new(
            credential,
            kdf,
            &self.header.vault_id,
            &self.dek,
            &*self.random,
        )?;
        let info = slot.info();
        let passphrases = self
            .header
            .slots
            .iter()
            .filter(|slot| slot.kdf().is_some())
            .count();
        if matches!(info.kind, SlotKind::Passphrase { .. }) && passphrases >= MAX_PASSPHRASES {
            return Err(VaultError::TooManySlots {
                what: "passphrase slots",
                max: MAX_PASSPHRASES,
            });
        }
        let key = self.seal_slot_key(slot.id, &ikm)?;
        self.rest.slot_keys.push(key);
        self.header.slots.push(slot);
        Ok(info)
    }

    pub(super) fn seal_slot_key(&self, slot: [u8; 8], ikm: &Ikm) -> Result<SlotKey, VaultError> {
        let ikm = seal::Sealed::new(&self.dek, SLOT_IKM, &slot, ikm, &*self.random)?;
        Ok(SlotKey { slot, ikm })
    }
}
