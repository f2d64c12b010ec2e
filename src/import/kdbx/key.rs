//! The composite key: of the passphrase, and of a key file where there is one.

use zeroize::Zeroizing;

use crate::cipher::{Digest, Plain};
use crate::import::ImportError;
use crate::import::words::{from_base64, from_hex};
use crate::import::xml;
use crate::secret::SecretText;

/// The hash of both.
///
/// # Errors
/// The key file is a document without a key in it.
pub(super) fn composite(
    passphrase: &SecretText,
    key_file: Option<&[u8]>,
) -> Result<Plain, ImportError> {
    let of_file = key_file.map(of_file).transpose()?;
    // A database that is locked by its key file alone has no part for a passphrase, not even for an empty one.
    let of_passphrase = (of_file.is_none() || !passphrase.is_empty())
        .then(|| Digest::Sha256.of(&[passphrase.expose().as_bytes()]));
    let parts: Vec<&[u8]> = [&of_passphrase, &of_file]
        .into_iter()
        .flatten()
        .map(|part| part.as_slice())
        .collect();
    Ok(Digest::Sha256.of(&parts))
}

/// KeePass's key files: XML of two versions, 32 bytes, their hexadecimal digits; of any other file its hash.
fn of_file(bytes: &[u8]) -> Result<Plain, ImportError> {
    let text = std::str::from_utf8(bytes).ok();
    if let Some(text) = text.filter(|text| text.contains("<KeyFile")) {
        let root = xml::parse(text.trim_start_matches('\u{feff}').trim_start())?;
        let data = root
            .child("Key")
            .and_then(|key| key.child("Data"))
            .ok_or_else(|| ImportError::damaged("the key file has no key"))?;
        let data: Zeroizing<String> = Zeroizing::new(data.text.split_whitespace().collect());
        let is_second = root
            .child("Meta")
            .and_then(|meta| meta.child("Version"))
            .is_some_and(|version| version.text.trim().starts_with('2'));
        let key = match is_second {
            true => from_hex(&data),
            false => from_base64(&data),
        };
        return key.ok_or_else(|| ImportError::damaged("the key file has no key"));
    }
    match (bytes.len(), text) {
        (32, _) => Ok(Zeroizing::new(bytes.to_vec())),
        (64, Some(text)) => Ok(from_hex(text).unwrap_or_else(|| Digest::Sha256.of(&[bytes]))),
        _ => Ok(Digest::Sha256.of(&[bytes])),
    }
}
