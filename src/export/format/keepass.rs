//! KeePass: a KDBX 4 file, with codes in the fields where KeePassXC and KeePass look for them.

use keepass::config::{DatabaseConfig, KdfConfig};
use keepass::db::fields;
use keepass::{Database, DatabaseKey};
use zeroize::Zeroizing;

use crate::account::{Account, key_uri};
use crate::base32;
use crate::clock::UnixTime;
use crate::export::can::{Can, Kind, Periods, Tags, USUAL};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::loss::{Lost, Obstacle};
use crate::export::words::title;
use crate::export::{ExportError, Form, Output};
use crate::otp::{Algorithm, Scheme};
use crate::secret::Secret;

pub(super) const TARGET: Target = Target {
    id: "keepass",
    app: "KeePassXC, KeePassDX, KeePass 2, Strongbox, KeePassium",
    also: &["kdbx", "keepassxc", "keepassdx", "strongbox", "keepassium"],
    writes: "a KDBX 4 database",
    sealing: Sealing::Always,
    shape: Shape::Binary,
    can: Can {
        kinds: &[Kind::Totp, Kind::Hotp, Kind::Steam],
        algorithms: &USUAL,
        digits: &[6, 7, 8, 9, 10],
        // KeePassXC 2.7.4 bounds a period at a minute, later ones at a day.
        periods: Periods::UpTo(86_400),
        sure_period: 60,
        tags: Tags::First,
        favorite: false,
        trash: false,
        prefix: false,
        image: false,
        no_issuer: false,
        ..Can::ALL
    },
    read_by: Some("keepass"),
    unread: &[Lost::Note],
    how: "\
1. vmfa export --to keepass --out codes.kdbx
   asks for a new passphrase, which becomes the database's.
2. In KeePassXC: \"Database\", \"Open Database\", then the file; or \"Database\", \"Merge From Database\" into your own.
3. An entry shows its code with Ctrl+T. On the command line:  keepassxc-cli show --totp codes.kdbx GitHub
Counter-based accounts are written as KeePass 2 reads them ({HMACOTP}); KeePassXC shows them as fields and no codes.",
    fits: Some(fits),
    write,
};

/// What KeePassXC sets for a new database on a usual machine: Argon2d, 64 MiB, two lanes, about a second.
const MEMORY_BYTES: u64 = 64 << 20;
const PASSES: u64 = 14;
const LANES: u32 = 2;

/// KeePass's own fields for counters know SHA-1 and six digits alone.
fn fits(account: &Account) -> Option<Obstacle> {
    match &account.summary.scheme {
        Scheme::Hotp(hotp) if hotp.algorithm != Algorithm::Sha1 => {
            Some(Obstacle::Algorithm(hotp.algorithm.name()))
        }
        Scheme::Hotp(hotp) if hotp.digits.get() != 6 => Some(Obstacle::Digits(hotp.digits.get())),
        Scheme::Hotp(_) | Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => None,
    }
}

/// What the crate builds on the way (its fields, an XML text) is its own and isn't all wiped.
fn write(accounts: &[Account], form: Form<'_>, _: UnixTime) -> Result<Output, ExportError> {
    let Form::Sealed(passphrase) = form else {
        return Err(ExportError::OnlySealed(TARGET.app));
    };
    let mut database = Database::new();
    database.config = config();
    database.meta.database_name = Some("vmfa".into());
    database.root_mut().name = "vmfa".into();
    let mut groups: Vec<(String, keepass::db::GroupId)> = Vec::new();
    for account in accounts {
        let tag = account.summary.tags.first();
        let known = tag.and_then(|tag| groups.iter().find(|(name, _)| name == tag));
        let group = match (tag, known) {
            (None, _) => None,
            (Some(_), Some((_, id))) => Some(*id),
            (Some(tag), None) => {
                let mut root = database.root_mut();
                let mut group = root.add_group();
                group.name = tag.clone();
                groups.push((tag.clone(), group.id()));
                Some(group.id())
            }
        };
        let of_tag = group.and_then(|id| database.group(id).map(|_| id));
        match of_tag {
            Some(id) => {
                if let Some(mut group) = database.group_mut(id) {
                    fill(&mut group.add_entry(), account);
                }
            }
            None => fill(&mut database.root_mut().add_entry(), account),
        }
    }
    let mut file = Zeroizing::new(Vec::new());
    let key = DatabaseKey::new().with_password(passphrase.expose());
    database
        .save(&mut *file, key)
        .map_err(|_| ExportError::Writer("database"))?;
    Ok(Output::File(Secret::new(std::mem::take(&mut *file))))
}

fn config() -> DatabaseConfig {
    let mut config = DatabaseConfig::default();
    if let KdfConfig::Argon2 {
        iterations,
        memory,
        parallelism,
        ..
    } = &mut config.kdf_config
    {
        (*iterations, *memory, *parallelism) = (PASSES, MEMORY_BYTES, LANES);
    }
    config
}

fn fill(entry: &mut keepass::db::Entry, account: &Account) {
    let summary = &account.summary;
    entry.set_unprotected(fields::TITLE, title(account));
    entry.set_unprotected(fields::USERNAME, summary.name.as_str());
    entry.set_protected(fields::PASSWORD, "");
    entry.set_unprotected(fields::URL, "");
    entry.set_unprotected(fields::NOTES, summary.note.as_str());
    let secret = base32::encode(&account.secret);
    match &summary.scheme {
        Scheme::Hotp(_) => {
            entry.set_protected("HmacOtp-Secret-Base32", secret.expose());
            let counter = summary.counter.unwrap_or_default();
            entry.set_unprotected("HmacOtp-Counter", counter.to_string());
        }
        Scheme::Steam => entry.set_protected(fields::OTP, &*steam(account)),
        Scheme::Totp(_) | Scheme::Motp | Scheme::Yandex => {
            entry.set_protected(fields::OTP, key_uri::write(account).expose());
        }
    }
}

/// KeePassXC knows Steam by the parameter `encoder`, in a URI that is otherwise a TOTP account's.
fn steam(account: &Account) -> Zeroizing<String> {
    let uri = key_uri::write(account);
    let rest = uri
        .expose()
        .strip_prefix("otpauth://steam/")
        .unwrap_or_default();
    let mut whole = Zeroizing::new(String::with_capacity(rest.len() + 64));
    whole.push_str("otpauth://totp/");
    whole.push_str(rest);
    whole.push_str("&encoder=steam");
    whole
}
