//! KeePass's sealed file, KDBX 3.1 and 4: from its bytes to the XML in it.
//!
//! Read here and not by a library, so that every length and cost is held against a bound before anything is allocated, what
//! unpacks is counted, what was opened is wiped, and a wrong passphrase is told from damage.

mod header;
mod key;
#[cfg(test)]
mod tests;

use std::io::Read as _;

use flate2::read::GzDecoder;
use zeroize::Zeroizing;

use crate::account::base64;
use crate::cipher::{self, Digest, Keystream, Plain};
use crate::import::ImportError;
use crate::import::archive::MAX_MEMBER;
use crate::import::kdbx::header::{Cipher, Header, Reader, Tail};
use crate::import::xml::{self, Element};
use crate::secret::SecretText;

pub(crate) use header::{Kind, kind};

/// The bytes of a SHA-256, of which there are many.
const HASH: usize = 32;

/// Opens a database: its XML, every masked value in clear.
///
/// # Errors
/// The passphrase is wrong, where the file tells; it is damaged, of a version or with a cipher that isn't known, or its key
/// is too dear.
pub(crate) fn open(
    bytes: &[u8],
    passphrase: &SecretText,
    key_file: Option<&[u8]>,
) -> Result<Element, ImportError> {
    let header = Header::read(bytes)?;
    let derived = header.kdf.derive(&key::composite(passphrase, key_file)?)?;
    let (text, mask) = match &header.tail {
        Tail::Three(tail) => {
            let body = blocks_of_three(&header, &derived, tail.start, bytes)?;
            let text = unpacked(&header, body)?;
            (text, keystream(tail.mask, tail.mask_key)?)
        }
        Tail::Four => {
            let body = blocks_of_four(&header, &derived, bytes)?;
            let text = unpacked(&header, body)?;
            let (at, mask) = inner_header(&text)?;
            (Zeroizing::new(text[at..].to_vec()), mask)
        }
    };
    let text = std::str::from_utf8(&text)
        .map_err(|_| ImportError::damaged("what it holds is not a text"))?;
    let mut root = xml::parse(text.trim_start_matches('\u{feff}'))?;
    unmask(&mut root, mask)?;
    Ok(root)
}

/// The body of KDBX 3.1. Nothing is authenticated: that its first bytes are those that the header announces shows that the
/// key is right, and from there each block has its hash.
fn blocks_of_three(
    header: &Header<'_>,
    derived: &[u8],
    start: &[u8],
    bytes: &[u8],
) -> Result<Plain, ImportError> {
    let sealed = &bytes[header.len..];
    let whole = sealed.len() / 16 * 16;
    let text = decrypt(header, derived, &sealed[..whole])?;
    if text.len() < HASH {
        return Err(cut_off());
    }
    if start.len() != HASH || !text.starts_with(start) {
        return Err(ImportError::WrongPassphrase);
    }
    let mut reader = Reader::new(&text[HASH..]);
    let mut body = Zeroizing::new(Vec::with_capacity(text.len()));
    loop {
        let (_, hash) = (reader.take(4)?, reader.take(HASH)?);
        let len = reader.u32()? as usize;
        if len == 0 {
            return Ok(body);
        }
        let block = reader.take(len)?;
        if Digest::Sha256.of(&[block]).as_slice() != hash {
            return Err(altered());
        }
        body.extend_from_slice(block);
    }
}

/// The body of KDBX 4. The header's own hash tells damage from a wrong passphrase, which its MAC tells; each block has a MAC
/// under a key of its own, so that none can be moved.
fn blocks_of_four(header: &Header<'_>, derived: &[u8], bytes: &[u8]) -> Result<Plain, ImportError> {
    let mut reader = Reader::new(&bytes[header.len..]);
    let (hash, tag) = (reader.take(HASH)?, reader.take(HASH)?);
    let head = &bytes[..header.len];
    if Digest::Sha256.of(&[head]).as_slice() != hash {
        return Err(ImportError::damaged("its header was altered"));
    }
    let base = Digest::Sha512.of(&[header.seed, derived, &[1]]);
    let key_of = |block: u64| Digest::Sha512.of(&[&block.to_le_bytes(), &base]);
    if !Digest::Sha256.authenticates(&key_of(u64::MAX), &[head], tag) {
        return Err(ImportError::WrongPassphrase);
    }
    let mut sealed = Zeroizing::new(Vec::with_capacity(bytes.len()));
    for number in 0u64.. {
        let tag = reader.take(HASH)?;
        let len = reader.u32()?;
        let block = reader.take(len as usize)?;
        let pieces = [&number.to_le_bytes()[..], &len.to_le_bytes(), block];
        if !Digest::Sha256.authenticates(&key_of(number), &pieces, tag) {
            return Err(altered());
        }
        if block.is_empty() {
            break;
        }
        sealed.extend_from_slice(block);
    }
    decrypt(header, derived, &sealed)
}

/// Opens the body under the key that comes of seed and derivation.
fn decrypt(header: &Header<'_>, derived: &[u8], sealed: &[u8]) -> Result<Plain, ImportError> {
    let key = Digest::Sha256.of(&[header.seed, derived]);
    let opened = match header.cipher {
        Cipher::Aes => cipher::cbc_open_unpadded(&key, header.iv, sealed),
        Cipher::Twofish => cipher::twofish_open_unpadded(&key, header.iv, sealed),
        Cipher::ChaCha20 => {
            let mut text = Zeroizing::new(sealed.to_vec());
            Keystream::chacha20(&key, header.iv)
                .and_then(|mut stream| stream.apply(&mut text))
                .map(|()| text)
        }
    };
    let mut text = opened.ok_or_else(cut_off)?;
    // KDBX 3.1 says itself where it ends.
    if matches!(header.tail, Tail::Four) && header.cipher.is_padded() {
        let padding = usize::from(text.last().copied().unwrap_or_default());
        let end = text.len().checked_sub(padding).ok_or_else(altered)?;
        text.truncate(end);
    }
    Ok(text)
}

/// The body as it was before it was packed: never more than an export may have, whatever a few bytes unpack to.
fn unpacked(header: &Header<'_>, body: Plain) -> Result<Plain, ImportError> {
    if !header.is_packed {
        return Ok(body);
    }
    // RFC 1952: the last four bytes say the length, so that in the usual case nothing is copied, and left behind, by growing.
    let said = body
        .last_chunk::<4>()
        .map_or(0, |len| u32::from_le_bytes(*len));
    let room = u64::from(said).min(MAX_MEMBER) as usize + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    GzDecoder::new(body.as_slice())
        .take(MAX_MEMBER + 1)
        .read_to_end(&mut text)
        .map_err(|_| ImportError::damaged("what it holds doesn't unpack"))?;
    if text.len() as u64 > MAX_MEMBER {
        return Err(ImportError::ArchiveTooLarge { max: MAX_MEMBER });
    }
    Ok(text)
}

/// KDBX 4's second header, inside: how values are masked, then attachments. Gives where the XML begins.
fn inner_header(text: &[u8]) -> Result<(usize, Keystream), ImportError> {
    let mut reader = Reader::new(text);
    let (mut mask, mut key) = (None, None);
    loop {
        let field = reader.u8()?;
        let len = reader.u32()? as usize;
        let value = reader.take(len)?;
        match field {
            0 => break,
            1 => {
                mask = value
                    .first_chunk()
                    .map(|number| u32::from_le_bytes(*number))
            }
            2 => key = Some(value),
            _ => {}
        }
    }
    let (Some(mask), Some(key)) = (mask, key) else {
        return Err(ImportError::damaged("its second header is not whole"));
    };
    Ok((text.len() - reader.left(), keystream(mask, key)?))
}

/// The stream that masks values.
fn keystream(number: u32, key: &[u8]) -> Result<Keystream, ImportError> {
    /// The nonce that KeePass fixed for Salsa20.
    const NONCE: [u8; 8] = [0xe8, 0x30, 0x09, 0x4b, 0x97, 0x20, 0x5d, 0x2a];
    let stream = match number {
        2 => Keystream::salsa20(&Digest::Sha256.of(&[key]), &NONCE),
        3 => {
            let hash = Digest::Sha512.of(&[key]);
            Keystream::chacha20(&hash[..32], &hash[32..44])
        }
        other => {
            return Err(ImportError::Version {
                what: format!("KeePass's stream cipher no. {other}"),
            });
        }
    };
    Ok(stream.expect("both keys and nonces have the length that their cipher takes"))
}

/// Takes the mask off every value, in the order of the document: that of an entry's past, and of attachments, too, since all
/// are of one stream.
fn unmask(root: &mut Element, mut mask: Keystream) -> Result<(), ImportError> {
    let mut next = vec![root];
    while let Some(element) = next.pop() {
        let is_masked = element
            .attribute("Protected")
            .is_some_and(|word| word.eq_ignore_ascii_case("true"));
        if is_masked && !element.text.trim().is_empty() {
            let no_value = || ImportError::damaged("a masked value is none");
            let masked = base64::decode(element.text.trim()).map_err(|_| no_value())?;
            let mut value = Zeroizing::new(masked.expose().to_vec());
            mask.apply(&mut value).ok_or_else(no_value)?;
            // An attachment need not be a text.
            *element.text = String::from_utf8_lossy(&value).into_owned();
        }
        next.extend(element.children.iter_mut().rev());
    }
    Ok(())
}

fn cut_off() -> ImportError {
    ImportError::damaged("the KeePass file ends too early")
}

fn altered() -> ImportError {
    ImportError::damaged("a part of the KeePass file was altered")
}
