//! OPVault: the directory that older versions of 1Password keep their items in, sealed, sixteen files beside a profile.
//!
//! The passphrase opens the profile's two keys: one opens what each item is called, the other each item's own keys, which open
//! the item. Every seal is AES-256-CBC with HMAC-SHA256 over it.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::cipher::{Digest, Pbkdf2, Plain, cbc_open_unpadded};
use crate::import::document::Document;
use crate::import::format::onepassword::{add_all, other, says, user};
use crate::import::format::{Format, Likeness, Seen, needed};
use crate::import::json::{Json, Loose};
use crate::import::login::Login;
use crate::import::words::in_base64;
use crate::import::{Contents, ImportError, Other, Remark};
use crate::secret::SecretText;

pub(in crate::import::format) const OPVAULT: Format = Format {
    id: "opvault",
    app: "1Password 4 to 7, its vault in a directory",
    also: &["1password-opvault"],
    reads: "OPVault: profile.js with the band files beside it",
    how: "\
1. Find the vault: a directory such as 1Password.opvault, in Dropbox or where 1Password was told to sync it.
2. vmfa import 1Password.opvault/default/profile.js
   It asks for the master password; the files band_0.js to band_F.js are read along.",
    seen: Seen::Files,
    is,
    read,
};

/// The files of items, after the first digit of an item's id.
const BANDS: &str = "0123456789ABCDEF";

/// The bytes of a key, of a MAC, and of an IV.
const KEY: usize = 32;
const IV: usize = 16;

fn is(document: &Document<'_>) -> Likeness {
    let text = document.text().unwrap_or_default().trim_start();
    let is_profile = text.starts_with("var profile") && text.contains("masterKey");
    (is_profile || is_band(text)).into()
}

fn is_band(text: &str) -> bool {
    (text.starts_with("ld(") || text.starts_with("loadFolders(")) && text.contains('{')
}

fn read(document: &Document<'_>, passphrase: Option<&SecretText>) -> Result<Contents, ImportError> {
    let text = document.text().unwrap_or_default();
    if is_band(text.trim_start()) {
        return Err(ImportError::NeedsFile("profile.js".into()));
    }
    let profile = object(text)?;
    let passphrase = needed(passphrase)?;
    let keys = Keys::open(&profile, passphrase)?;
    let mut contents = Contents::default();
    for band in BANDS.chars() {
        let name = format!("band_{band}.js");
        let Some(bytes) = document.beside().bytes(&name) else {
            continue;
        };
        match read_band(&bytes, &keys, &name, &mut contents) {
            Ok(()) => {}
            Err(ImportError::Damaged { what }) => {
                let what = format!("{name} can't be read: {what}");
                contents.remarks.push(Remark::PartMissing(what));
            }
            Err(error) => return Err(error),
        }
        contents.read_along.push(name);
    }
    contents.read_along.push("folders.js".into());
    if contents.read_along.len() == 1 {
        return Err(ImportError::NeedsFile("band_0.js".into()));
    }
    if contents.rows.is_empty() {
        contents.remarks.push(Remark::NoCodes);
    }
    Ok(contents)
}

/// The object in a line of JavaScript.
fn object(text: &str) -> Result<Json, ImportError> {
    let broken = || ImportError::damaged("there is no object in it");
    let (from, to) = text.find('{').zip(text.rfind('}')).ok_or_else(broken)?;
    let object = text.get(from..=to).ok_or_else(broken)?;
    Json::parse(object.as_bytes())
}

/// A key and the key of the MAC over what it seals.
struct Pair(Plain);

impl Pair {
    /// The halves of 64 bytes.
    fn new(bytes: Plain) -> Option<Self> {
        (bytes.len() == 2 * KEY).then_some(Self(bytes))
    }

    /// What this opens, the IV before it and the MAC behind, over all from `from` on. None where the MAC isn't right.
    fn open(&self, sealed: &[u8], from: usize) -> Option<Plain> {
        let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(KEY)?)?;
        let (key, mac_key) = self.0.split_at(KEY);
        if !Digest::Sha256.authenticates(mac_key, &[text], tag) {
            return None;
        }
        let (iv, text) = text.get(from..)?.split_at_checked(IV)?;
        cbc_open_unpadded(key, iv, text)
    }

    /// What an `opdata01` holds: its length in front, and padding before the text so that nothing stands behind it.
    fn opdata(&self, sealed: &[u8]) -> Option<Plain> {
        const HEAD: usize = 16;
        let len = sealed.strip_prefix(b"opdata01")?.first_chunk()?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        let text = self.open(sealed, HEAD)?;
        let start = text.len().checked_sub(len)?;
        Some(Zeroizing::new(text[start..].to_vec()))
    }
}

struct Keys {
    overview: Pair,
    master: Pair,
}

impl Keys {
    fn open(profile: &Value, passphrase: &SecretText) -> Result<Self, ImportError> {
        let salt = in_base64(profile, "salt")?;
        let rounds = profile
            .number("iterations")
            .ok_or_else(|| ImportError::damaged("the profile has no iterations"))?;
        let sealed = [
            in_base64(profile, "masterKey")?,
            in_base64(profile, "overviewKey")?,
        ];
        let derived =
            Pbkdf2::Sha512.derive(passphrase.expose().as_bytes(), &salt, rounds, 2 * KEY)?;
        let outer = pair(derived);
        let key = |sealed: &Plain| {
            let opened = outer.opdata(sealed)?;
            Some(pair(Digest::Sha512.of(&[&opened])))
        };
        let [master, overview] = sealed;
        let master = key(&master).ok_or(ImportError::WrongPassphrase)?;
        // The first opened, so the passphrase is right.
        let overview =
            key(&overview).ok_or_else(|| ImportError::damaged("the profile was altered"))?;
        Ok(Self { overview, master })
    }
}

fn pair(bytes: Plain) -> Pair {
    Pair::new(bytes).expect("SHA-512 and what is derived have 64 bytes")
}

fn read_band(
    bytes: &[u8],
    keys: &Keys,
    name: &str,
    contents: &mut Contents,
) -> Result<(), ImportError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::damaged("it is not text"))?;
    let items = object(text)?;
    for (index, (_, item)) in items.as_object().into_iter().flatten().enumerate() {
        if item.flag("trashed") {
            contents.skip(Other::Trashed);
            continue;
        }
        let place = format!("{name}, item {}", index + 1);
        match open_item(item, keys) {
            Some((overview, details)) => {
                read_item(item, &overview, &details, place, contents);
            }
            None => contents.remarks.push(Remark::PartMissing(format!(
                "{place} was altered, and can't be opened"
            ))),
        }
    }
    Ok(())
}

/// What an item is called, and what is in it.
fn open_item(item: &Value, keys: &Keys) -> Option<(Json, Json)> {
    let sealed = |key| in_base64(item, key).ok();
    let own = Pair::new(keys.master.open(&sealed("k")?, 0)?)?;
    let details = Json::parse(&own.opdata(&sealed("d")?)?).ok()?;
    let overview = Json::parse(&keys.overview.opdata(&sealed("o")?)?).ok()?;
    Some((overview, details))
}

fn read_item(
    item: &Value,
    overview: &Value,
    details: &Value,
    place: String,
    contents: &mut Contents,
) {
    let tags = overview.list("tags").iter().filter_map(Value::as_str);
    let mut login = Login {
        // It may hold anything: passwords, recovery codes.
        note: None,
        title: overview.word("title").unwrap_or_default(),
        user: user(details.list("fields")),
        tags: tags.map(str::to_owned).collect(),
        favorite: item.number("fave").is_some(),
        place,
    };
    if login.user.is_empty() {
        login.user = overview.word("ainfo").unwrap_or_default();
    }
    let fields = details.list("sections").iter();
    let codes: Vec<(SecretText, String)> = fields
        .flat_map(|section| section.list("fields"))
        .filter(|field| {
            field
                .word("n")
                .is_some_and(|name| name.starts_with("TOTP_"))
        })
        .filter_map(|field| Some((field.secret("v")?, field.word("t").unwrap_or_default())))
        .filter(|(code, _)| says(code))
        .collect();
    if codes.is_empty() {
        contents.skip(other(&item.word("category").unwrap_or_default()));
    }
    add_all(&mut login, &codes, contents);
}
