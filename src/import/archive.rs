//! Archives: ZIP, read in memory and never extracted.

use std::io::{Cursor, Read as _};

use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::cipher::Plain;
use crate::import::ImportError;
use crate::secret::SecretText;

/// The most bytes of a file, in an archive or not.
pub(crate) const MAX_MEMBER: u64 = 64 << 20;
/// The most bytes of all members together.
const MAX_TOTAL: u64 = 256 << 20;
/// The most members; an export with a picture for each account has some hundreds.
const MAX_MEMBERS: usize = 20_000;

/// A file in an archive.
pub(crate) struct Member {
    /// Its path in the archive; never used as a path on disk.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) bytes: Plain,
}

/// Whether the bytes are a ZIP archive.
pub(crate) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// All files of an archive for which `wanted` holds, by their names.
///
/// # Errors
/// It is damaged, has nothing in it, is too large, or is encrypted and the passphrase is missing or wrong.
pub(crate) fn members(
    bytes: &[u8],
    passphrase: Option<&SecretText>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Member>, ImportError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.is_empty() {
        return Err(ImportError::NoFileInZip);
    }
    if archive.len() > MAX_MEMBERS {
        return Err(ImportError::ArchiveTooLarge { max: MAX_TOTAL });
    }
    let mut total = 0;
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let (name, is_sealed, is_file) = {
            let entry = archive
                .by_index_raw(index)
                .map_err(|error| broken(&error))?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            (name, entry.encrypted(), entry.is_file())
        };
        if !is_file || !wanted(&name) {
            continue;
        }
        let entry = match (is_sealed, passphrase) {
            (false, _) => archive.by_index(index),
            (true, None) => return Err(ImportError::NeedsPassphrase),
            (true, Some(passphrase)) => {
                archive.by_index_decrypt(index, passphrase.expose().as_bytes())
            }
        };
        let entry = entry.map_err(|error| match error {
            ZipError::InvalidPassword => ImportError::WrongPassphrase,
            other => broken(&other),
        })?;
        // What the archive says of the size is only said: what comes out is counted.
        let mut bytes = Zeroizing::new(Vec::with_capacity(entry.size().min(1 << 20) as usize));
        let read = entry.take(MAX_MEMBER + 1).read_to_end(&mut bytes);
        if let Err(error) = read {
            // A wrong passphrase of the older cipher is seen one time in 256 only by what comes out.
            return Err(match is_sealed {
                true => ImportError::WrongPassphrase,
                false => ImportError::damaged(format!("the archive: {}", error.kind())),
            });
        }
        total += bytes.len() as u64;
        if bytes.len() as u64 > MAX_MEMBER || total > MAX_TOTAL {
            return Err(ImportError::ArchiveTooLarge { max: MAX_MEMBER });
        }
        members.push(Member { name, bytes });
    }
    Ok(members)
}

/// What is wrong with an archive. The library's texts say nothing of what is in it.
fn broken(error: &ZipError) -> ImportError {
    match error {
        ZipError::CompressionMethodNotSupported(number) => ImportError::Version {
            what: format!("the archive's compression no. {number}"),
        },
        ZipError::UnsupportedArchive(what) => ImportError::Version {
            what: format!("the archive: {what}"),
        },
        other => ImportError::damaged(format!("the archive: {other}")),
    }
}
