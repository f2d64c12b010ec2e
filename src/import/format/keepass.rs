//! KeePass and its kin: KDBX 3.1 and 4, and KeePass's XML. Their CSV is read with that of other password managers.

mod codes;
mod entries;
#[cfg(test)]
mod tests;

pub(super) use codes::codes;

use zeroize::Zeroizing;

use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, needed};
use crate::import::kdbx::{self, Kind};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "keepass",
    app: "KeePass, KeePassXC, KeePassDX, Strongbox, KeePassium, KeeWeb",
    also: &["keepassxc", "keepassdx", "kdbx", "strongbox", "keepassium", "keeweb"],
    reads: "the database itself (KDBX 3.1 and 4), KeePass's XML; KeePassXC's CSV",
    how: "\
1. Take the database as it is, NAME.kdbx: nothing needs to be exported, and vmfa changes nothing in it.
2. vmfa import NAME.kdbx
   It asks for the database's password. A key file is taken along if it lies beside the database as NAME.keyx or NAME.key.
Of every entry all codes come in: those of KeePassXC, of KeePass 2.47 and later (TimeOtp, HmacOtp), and of the plug-ins
KeeOtp and KeeTrayTOTP. Passwords, an entry's past and the recycle bin stay where they are.
A database that needs a hardware key, or a key file of another name: in KeePassXC open \"Database\", \"Database Security\", take
it off a copy (\"Database\", \"Save Database As\"), import the copy, then erase it.
A file of KeePass 1 (.kdb): in KeePassXC open \"Database\", \"Import\", \"KeePass 1 Database\", save it, and import that.",
    seen: Seen::Files,
    is,
    read,
};

fn is(document: &Document<'_>) -> Likeness {
    let is_xml = || {
        document
            .xml()
            .is_some_and(|root| root.name == "KeePassFile")
    };
    (kdbx::kind(document.bytes()).is_some() || is_xml()).into()
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let (major, minor) = match kdbx::kind(document.bytes()) {
        None => {
            let root = document.xml().ok_or(ImportError::Unknown)?;
            return entries::read(root);
        }
        Some(Kind::Kdb) => {
            return Err(ImportError::NotRead {
                what: "a database of KeePass 1 (.kdb)",
                instead: "import it into KeePassXC or KeePass 2, save it as KDBX, and import that",
            });
        }
        Some(Kind::PreRelease) => {
            return Err(ImportError::NotRead {
                what: "a database of a KeePass 2 before its release",
                instead: "open it in KeePass 2, save it again, and import that",
            });
        }
        Some(Kind::Kdbx(major, minor)) => (major, minor),
    };
    match major {
        3 | 4 => {}
        ..=2 => {
            return Err(ImportError::NotRead {
                what: "a database of KeePass 2 from before 2.20",
                instead: "open it in a newer KeePass 2 or KeePassXC, save it again, and import that",
            });
        }
        _ => {
            return Err(ImportError::Version {
                what: format!("version {major}.{minor} of KDBX"),
            });
        }
    }
    let passphrase = needed(passphrase)?;
    let opened = kdbx::open(document.bytes(), passphrase, None);
    let Err(ImportError::WrongPassphrase) = opened else {
        return entries::read(&opened?);
    };
    for (name, key_file) in key_files(document) {
        match kdbx::open(document.bytes(), passphrase, Some(&key_file)) {
            Err(ImportError::WrongPassphrase) => {}
            opened => {
                let mut contents = entries::read(&opened?)?;
                contents.read_along.push(name);
                return Ok(contents);
            }
        }
    }
    Err(ImportError::WrongPassphrase)
}

/// The key files that the database's own name points to.
fn key_files(document: &Document<'_>) -> Vec<(String, Zeroizing<Vec<u8>>)> {
    let name = document.name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let names = ["keyx", "key"].map(|ending| format!("{stem}.{ending}"));
    let found = |name: String| {
        let bytes = document.beside().bytes(&name)?;
        Some((name, bytes))
    };
    names.into_iter().filter_map(found).collect()
}
