//! What is sealed in a record: secret and PIN, as `u8 type | u16 length | value`, padded with zeros to a multiple of 64.
//!
//! Type 0 is the padding's first byte; 1 the shared secret; 2 the PIN. A type this version doesn't know is kept when the
//! record is sealed again.

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretText};
use crate::vault::cursor::Cursor;
use crate::vault::error::VaultError;
use crate::vault::record::{Record, SEAL_STEP};
use crate::vault::seal::{Key, Randomness, Sealed, TAG_LEN, open_sealed};

const SECRET: u8 = 1;
const PIN: u8 = 2;
const LABEL: &[u8] = b"vmfa/v1 record";

/// The longest secret and the longest PIN that are stored.
pub(super) const MAX_SECRET: usize = 8192;
pub(super) const MAX_PIN: usize = 1024;

/// An unsealed record's content.
pub(super) struct Inner {
    pub(super) secret: Secret,
    pub(super) pin: Option<SecretText>,
    /// Fields of unknown types, verbatim.
    rest: Zeroizing<Vec<u8>>,
}

impl Inner {
    /// # Errors
    /// Secret or PIN is longer than is stored.
    pub(super) fn new(secret: Secret, pin: Option<SecretText>) -> Result<Self, VaultError> {
        check("secret", secret.len(), MAX_SECRET)?;
        check(
            "PIN",
            pin.as_ref().map_or(0, |pin| pin.expose().len()),
            MAX_PIN,
        )?;
        Ok(Self {
            secret,
            pin,
            rest: Zeroizing::new(Vec::new()),
        })
    }

    pub(super) fn set_pin(&mut self, pin: Option<SecretText>) -> Result<(), VaultError> {
        check(
            "PIN",
            pin.as_ref().map_or(0, |pin| pin.expose().len()),
            MAX_PIN,
        )?;
        self.pin = pin;
        Ok(())
    }

    pub(super) fn read(plain: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(plain);
        let mut secret = None;
        let mut pin = None;
        // No larger than what is read: it never grows, so no unwiped copy stays behind.
        let mut rest = Zeroizing::new(Vec::with_capacity(plain.len()));
        while cursor.left() > 0 {
            let at = cursor.offset();
            let kind = cursor.u8().ok()?;
            if kind == 0 {
                if cursor
                    .take(cursor.left())
                    .ok()?
                    .iter()
                    .any(|byte| *byte != 0)
                {
                    return None;
                }
                break;
            }
            let len = usize::from(cursor.u16().ok()?);
            let value = cursor.take(len).ok()?;
            match kind {
                SECRET if secret.is_none() => secret = Some(Secret::new(value.to_vec())),
                PIN if pin.is_none() => pin = Some(SecretText::from_utf8(value.to_vec())?),
                SECRET | PIN => return None,
                _unknown => rest.extend_from_slice(cursor.since(at)),
            }
        }
        Some(Self {
            secret: secret?,
            pin,
            rest,
        })
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        let pin = self.pin.as_ref().map(|pin| pin.expose().as_bytes());
        let len = 3 + self.secret.len() + pin.map_or(0, |pin| 3 + pin.len()) + self.rest.len();
        let padded = len.next_multiple_of(SEAL_STEP);
        let mut out = Zeroizing::new(Vec::with_capacity(padded));
        let mut put = |kind: u8, value: &[u8]| {
            out.push(kind);
            out.extend_from_slice(&(value.len() as u16).to_le_bytes());
            out.extend_from_slice(value);
        };
        put(SECRET, self.secret.expose());
        if let Some(pin) = pin {
            put(PIN, pin);
        }
        out.extend_from_slice(&self.rest);
        out.resize(padded, 0);
        out
    }

    /// Seals the content into the record under a fresh salt.
    pub(super) fn seal_into(
        &self,
        record: &mut Record,
        dek: &Key,
        from: &dyn Randomness,
    ) -> Result<(), VaultError> {
        seal_plain(record, &self.write(), dek, from)
    }

    /// Opens the record's seal.
    pub(super) fn open(record: &Record, dek: &Key) -> Option<Self> {
        Self::read(&open_plain(record, dek)?)
    }
}

fn open_plain(record: &Record, dek: &Key) -> Option<Zeroizing<Vec<u8>>> {
    let seal = record.seal()?;
    open_sealed(dek, LABEL, &record.id, seal.salt, seal.text)
}

fn seal_plain(
    record: &mut Record,
    plain: &[u8],
    dek: &Key,
    from: &dyn Randomness,
) -> Result<(), VaultError> {
    let sealed = Sealed::new(dek, LABEL, &record.id, plain, from)?;
    debug_assert_eq!((sealed.text.len() - TAG_LEN) % SEAL_STEP, 0);
    record.set_sealed(&sealed.salt, &sealed.text);
    Ok(())
}

/// Seals a record of whatever type under another DEK. One whose seal doesn't open stays as it is: throwing it away would
/// help nobody.
pub(super) fn reseal(
    record: &mut Record,
    old: &Key,
    new: &Key,
    from: &dyn Randomness,
) -> Result<(), VaultError> {
    match open_plain(record, old) {
        Some(plain) => seal_plain(record, &plain, new, from),
        None => Ok(()),
    }
}

fn check(what: &'static str, len: usize, max: usize) -> Result<(), VaultError> {
    if len > max {
        Err(VaultError::TooLong { what, len, max })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(secret in prop::collection::vec(any::<u8>(), 1..300), pin in prop::option::of(".{0,40}")) {
            let inner = Inner::new(Secret::new(secret.clone()), pin.clone().map(SecretText::new)).unwrap();
            let plain = inner.write();
            prop_assert_eq!(plain.len() % 64, 0);
            let back = Inner::read(&plain).unwrap();
            prop_assert_eq!(back.secret.expose(), secret.as_slice());
            prop_assert_eq!(back.pin.map(|p| p.expose().to_owned()), pin);
        }

        #[test]
        fn no_bytes_make_it_panic(plain in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Inner::read(&plain);
        }
    }

    #[test]
    fn unknown_parts_survive_and_padding_is_checked() {
        let mut plain = vec![1, 2, 0, b'a', b'b', 77, 3, 0, b'x', b'y', b'z'];
        plain.resize(64, 0);
        let back = Inner::read(&plain).unwrap();
        assert_eq!(back.write().as_slice(), plain.as_slice());
        plain[63] = 1;
        assert!(Inner::read(&plain).is_none());
        assert!(Inner::read(&[0; 64]).is_none(), "no secret");
    }
}
