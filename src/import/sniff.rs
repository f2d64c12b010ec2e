//! From a file to what is in it: which format it is, and the archives between.

use crate::import::archive::{self, Member};
use crate::import::document::Document;
use crate::import::format::{FORMATS, Format, Likeness};
use crate::import::source::{Alone, Beside, Source};
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;
use zeroize::Zeroizing;

/// What was read of one file, or of one file in an archive.
pub struct Reading {
    /// Its path in the archive; empty for a file that is none.
    pub member: String,
    /// Of which format it is.
    pub format: &'static Format,
    /// What is in it.
    pub contents: Contents,
}

/// Reads a file, of the format it is said to be, or else of the one that it is by what is in it. A ZIP archive gives a
/// reading for each file in it that is of some format.
///
/// The passphrase is the export's own. Ask for it when [`ImportError::NeedsPassphrase`] says so, and again after
/// [`ImportError::WrongPassphrase`].
///
/// # Errors
/// The file as a whole can't be read. An account that can't be used is a refusal among the others instead.
pub fn read(
    source: &Source<'_>,
    from: Option<&'static Format>,
    passphrase: Option<&SecretText>,
) -> Result<Vec<Reading>, ImportError> {
    if archive::is_zip(source.bytes) {
        return in_archive(source, from, passphrase);
    }
    let document = Document::new(source)?;
    let (format, contents) = one(&document, from, passphrase)?;
    Ok(vec![Reading {
        member: String::new(),
        format,
        contents,
    }])
}

fn one(
    document: &Document<'_>,
    from: Option<&'static Format>,
    passphrase: Option<&SecretText>,
) -> Result<(&'static Format, Contents), ImportError> {
    let (format, mut contents) = told(document, from, passphrase)?;
    if document.is_mended() {
        contents.remarks.push(Remark::OtherEncoding);
    }
    Ok((format, contents))
}

fn told(
    document: &Document<'_>,
    from: Option<&'static Format>,
    passphrase: Option<&SecretText>,
) -> Result<(&'static Format, Contents), ImportError> {
    if let Some(format) = from {
        return match (format.is)(document) {
            Likeness::No => Err(why_unknown(document).unwrap_or(ImportError::NotThis {
                expected: format.app,
            })),
            Likeness::Perhaps | Likeness::Yes => {
                (format.read)(document, passphrase).map(|contents| (format, contents))
            }
        };
    }
    let mut perhaps = Vec::new();
    for format in FORMATS {
        match (format.is)(document) {
            Likeness::Yes => {
                return (format.read)(document, passphrase).map(|contents| (*format, contents));
            }
            Likeness::Perhaps => perhaps.push(*format),
            Likeness::No => {}
        }
    }
    if let Some(error) = why_unknown(document) {
        return Err(error);
    }
    // Nothing in such a file says by whom it is: the one that opens it is the one.
    let mut needs_passphrase = false;
    for format in &perhaps {
        match (format.read)(document, passphrase) {
            Ok(contents) => return Ok((*format, contents)),
            Err(ImportError::NeedsPassphrase) => needs_passphrase = true,
            Err(_) => {}
        }
    }
    Err(match (perhaps.is_empty(), needs_passphrase) {
        (true, _) => ImportError::Unknown,
        (false, true) => ImportError::Unmarked,
        (false, false) => ImportError::UnknownOrSealed,
    })
}

/// What can be said of a file that no format knows.
fn why_unknown(document: &Document<'_>) -> Option<ImportError> {
    if let Some(error) = document.json_error() {
        return Some(error);
    }
    // A database of something else, or a broken one, is nothing to try passphrases on.
    if document.bytes().starts_with(b"SQLite format 3\0") {
        return Some(ImportError::Unknown);
    }
    let text = document.text().map(str::trim_start).unwrap_or_default();
    let is_page = ["<!doctype html", "<html"].iter().any(|start| {
        text.get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start))
    });
    if is_page {
        return Some(ImportError::WebPage);
    }
    if let Some(ImportError::Damaged { what }) = document.xml_error() {
        return Some(ImportError::BrokenXml { what });
    }
    if text.starts_with("-----BEGIN PGP") || is_pgp(document.bytes()) {
        return Some(ImportError::Pgp);
    }
    None
}

/// A binary OpenPGP message begins with an encrypted session key: a packet of type 1 or 3 (RFC 9580 section 4.2), of version 3
/// to 6.
fn is_pgp(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x84 | 0x8c, _, 3..=6, ..]
            | [0x85 | 0x8d, _, _, 3..=6, ..]
            | [0xc1 | 0xc3, 0..=191, 3..=6, ..]
            | [0xc1 | 0xc3, 192..=223, _, 3..=6, ..]
    )
}

/// Files of one archive, beside each other.
struct Members<'a>(&'a [Member], &'a str);

impl Beside for Members<'_> {
    fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let path = format!("{}{name}", self.1);
        let member = self.0.iter().find(|member| member.name == path)?;
        Some(member.bytes.clone())
    }
}

fn in_archive(
    source: &Source<'_>,
    from: Option<&'static Format>,
    passphrase: Option<&SecretText>,
) -> Result<Vec<Reading>, ImportError> {
    let members = archive::members(source.bytes, passphrase, |name| {
        // macOS's archiver puts a shadow beside each file.
        !name.starts_with("__MACOSX/") && !name.ends_with(".DS_Store")
    })?;
    let mut readings: Vec<Reading> = Vec::new();
    let mut failed: Vec<(&str, ImportError)> = Vec::new();
    let mut unmarked = None;
    let mut other_files = 0;
    for member in &members {
        if has_better_twin(member, &members) {
            continue;
        }
        let (directory, name) = member
            .name
            .rsplit_once('/')
            .map_or(("", member.name.as_str()), |(directory, name)| {
                (&member.name[..directory.len() + 1], name)
            });
        let beside = Members(&members, directory);
        let inner = Source {
            name,
            bytes: &member.bytes,
            beside: if members.len() > 1 { &beside } else { &Alone },
        };
        let read = Document::new(&inner).and_then(|document| one(&document, from, passphrase));
        match read {
            Ok((format, contents)) => readings.push(Reading {
                member: member.name.clone(),
                format,
                contents,
            }),
            Err(
                error @ (ImportError::NeedsPassphrase
                | ImportError::WrongPassphrase
                | ImportError::Cost(_)
                | ImportError::Damaged { .. }
                | ImportError::BoundTo { .. }
                | ImportError::Pgp
                | ImportError::NotRead { .. }
                | ImportError::Version { .. }),
            ) => failed.push((&member.name, error)),
            Err(error @ (ImportError::Unmarked | ImportError::UnknownOrSealed)) => {
                unmarked = Some(error);
                other_files += 1;
            }
            Err(_) => other_files += 1,
        }
    }
    let read_along: Vec<String> = readings
        .iter()
        .flat_map(|reading| reading.contents.read_along.clone())
        .collect();
    readings.retain(|reading| {
        let name = reading.member.rsplit('/').next().unwrap_or_default();
        !read_along.iter().any(|along| along == name)
    });
    let found_any = readings.iter().any(|reading| !reading.contents.is_empty());
    // A passphrase that is missing is asked for, whatever else came out without it.
    let is_shut = |(_, error): &&(&str, ImportError)| *error == ImportError::NeedsPassphrase;
    let worst = failed.iter().find(is_shut);
    if let Some((_, error)) = worst.or(failed.first().filter(|_| !found_any)) {
        return Err(error.clone());
    }
    let Some(first) = readings.first_mut() else {
        return Err(unmarked.unwrap_or(ImportError::Unknown));
    };
    for (name, error) in failed {
        let what = format!("{name} in it can't be read: {error}");
        first.contents.remarks.push(Remark::PartMissing(what));
    }
    for _ in 0..other_files {
        first.contents.skip(Other::File);
    }
    Ok(readings)
}

/// Whether another file of the archive has the same accounts in a better form: some apps put a page to print beside the data.
fn has_better_twin(member: &Member, members: &[Member]) -> bool {
    let Some(stem) = member.name.strip_suffix(".html") else {
        return false;
    };
    members
        .iter()
        .any(|other| other.name.strip_suffix(".json") == Some(stem))
}
