//! The file winauth.xml: authenticators in clear, or sealed one by one, or all in one.

use crate::account::{Draft, Field, Reason, Refusal, SecretEncoding};
use crate::cipher::{Digest, Pbkdf2, Plain, blowfish_open};
use crate::import::format::{draft, needed};
use crate::import::words::from_hex;
use crate::import::xml::{self, Element};
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

/// What a seal with a digest begins with.
const MAGIC: &[u8] = b"WINAUTH3";
const SALT: usize = 8;
const DIGEST: usize = 32;
const ROUNDS: u64 = 2000;
const KEY: usize = 256;

/// More sealed authenticators than anybody has; each costs a derivation.
const MAX_SEALED: usize = 1000;

pub(super) fn read(
    root: &Element,
    passphrase: Option<&SecretText>,
) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    match sealed(root.child("data"))? {
        Some(data) => {
            let config = open(&data, passphrase)?;
            authenticators(&parsed(&config)?, passphrase, &mut contents)?;
        }
        None => {
            let config = root.child("config").unwrap_or(root);
            authenticators(config, passphrase, &mut contents)?;
        }
    }
    Ok(contents)
}

/// What is sealed in an element by a password alone; none if it is in clear.
fn sealed(element: Option<&Element>) -> Result<Option<Plain>, ImportError> {
    let Some(element) = element else {
        return Ok(None);
    };
    let kind = element.attribute("encrypted").unwrap_or_default();
    // The last letter is the outermost seal, but each has to be opened.
    if kind.contains(['u', 'm']) {
        return Err(ImportError::BoundTo {
            by: "the Windows account or computer that WinAuth runs on",
            instead: "export from WinAuth as text, or protect it with a password alone",
        });
    }
    if kind.contains(['a', 'b']) {
        return Err(ImportError::BoundTo {
            by: "the YubiKey that WinAuth asks for",
            instead: "export from WinAuth as text, or protect it with a password alone",
        });
    }
    if kind.trim().is_empty() {
        return Ok(None);
    }
    if kind != "y" {
        return Err(ImportError::Version {
            what: "the protection of this WinAuth".into(),
        });
    }
    from_hex(&element.text)
        .map(Some)
        .ok_or_else(|| ImportError::damaged("what is sealed in it is not hexadecimal"))
}

/// Opens a seal. Those of version 3 carry a digest of what is in them; of others only the padding tells.
fn open(sealed: &[u8], passphrase: Option<&SecretText>) -> Result<Plain, ImportError> {
    let short = || ImportError::damaged("what is sealed in it is cut off");
    let (check, sealed) = match sealed.strip_prefix(MAGIC) {
        Some(rest) => {
            let (check, rest) = rest.split_at_checked(SALT + DIGEST).ok_or_else(short)?;
            (Some(check.split_at(SALT)), rest)
        }
        None => (None, sealed),
    };
    let (salt, text) = sealed.split_at_checked(SALT).ok_or_else(short)?;
    let passphrase = needed(passphrase)?.expose().as_bytes();
    let key = Pbkdf2::Sha1.derive(passphrase, salt, ROUNDS, KEY)?;
    blowfish_open(&key, text)
        .filter(|opened| {
            check.is_none_or(|(salt, digest)| *Digest::Sha256.of(&[salt, opened]) == digest)
        })
        .ok_or(ImportError::WrongPassphrase)
}

fn parsed(opened: &[u8]) -> Result<Element, ImportError> {
    let text = std::str::from_utf8(opened).map_err(|_| ImportError::WrongPassphrase)?;
    xml::parse(text.trim_start_matches('\u{feff}'))
}

fn authenticators(
    config: &Element,
    passphrase: Option<&SecretText>,
    contents: &mut Contents,
) -> Result<(), ImportError> {
    let mut bound = None;
    let mut opened = 0;
    for (index, element) in config.all("WinAuthAuthenticator").enumerate() {
        let place = format!("authenticator {}", index + 1);
        // Since version 3 the data has its element; before, it was called as the whole.
        let data = element
            .child("authenticatordata")
            .or_else(|| element.child("authenticator"));
        let row = match sealed(data) {
            Ok(None) => Ok(account(element, data, place)),
            Ok(Some(_)) if index >= MAX_SEALED => continue,
            Ok(Some(data)) => {
                let data = parsed(&open(&data, passphrase)?)?;
                opened += 1;
                Ok(account(element, Some(&data), place))
            }
            Err(error) => {
                bound = Some(error);
                Err(Refusal {
                    label: account(element, None, String::new()).label(),
                    place,
                    field: Field::Secret,
                    reason: Reason::Sealed,
                })
            }
        };
        contents.rows.push(row);
    }
    match bound {
        Some(error) if opened == 0 && contents.rows.iter().all(Result::is_err) => Err(error),
        Some(_) | None => Ok(()),
    }
}

fn account(element: &Element, data: Option<&Element>, place: String) -> Draft {
    let kind = element
        .attribute("type")
        .or_else(|| data?.attribute("type"))
        .unwrap_or_default();
    let kind = kind.rsplit('.').next().unwrap_or_default();
    let kind = kind.strip_suffix("Authenticator").unwrap_or(kind);
    let secret = data.and_then(|data| data.child("secretdata"));
    let words = Words::of(secret.map_or("", |secret| secret.text.as_str()));
    let title = element.child("name").map_or("", |name| name.text.as_str());
    let (issuer, name) = parted(title);
    let is_hotp = kind == "HOTP";
    let is_battle_net = kind == "BattleNet";
    Draft {
        issuer: issuer.or_else(|| of_kind(kind)).map(str::to_owned),
        name: Some(name),
        note: words
            .tail
            .filter(|_| is_battle_net)
            .and_then(from_hex)
            .map(|serial| format!("serial number: {}", String::from_utf8_lossy(&serial))),
        secret: words.key.map(|key| SecretText::new(key.to_owned())),
        secret_encoding: SecretEncoding::Hex,
        digits: words
            .digits
            .map(str::to_owned)
            .or(is_battle_net.then(|| "8".into())),
        algorithm: words.algorithm.map(str::to_owned),
        period: words.period.filter(|_| !is_hotp).map(str::to_owned),
        counter: words.tail.filter(|_| is_hotp).map(str::to_owned),
        kind: Some(
            match kind {
                "HOTP" => "hotp",
                "Steam" => "steam",
                _ => "totp",
            }
            .into(),
        ),
        ..draft(place)
    }
}

/// What stands in `secretdata`: key, digits, algorithm and period, parted by tabs; behind a bar what each kind adds.
struct Words<'a> {
    key: Option<&'a str>,
    digits: Option<&'a str>,
    algorithm: Option<&'a str>,
    period: Option<&'a str>,
    /// The counter of HOTP; the serial number of Battle.net, in hexadecimal.
    tail: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let mut parts = text.trim().split('|');
        let mut words = parts.next().unwrap_or_default().split('\t').map(str::trim);
        let mut word = || words.next().filter(|word| !word.is_empty());
        Self {
            key: word(),
            digits: word(),
            algorithm: word(),
            period: word(),
            tail: parts.next().map(str::trim),
        }
    }
}

/// The name is the person's own, mostly `issuer:name` or `issuer (name)`.
fn parted(title: &str) -> (Option<&str>, String) {
    if let Some((issuer, name)) = title.split_once(':') {
        return (Some(issuer), name.to_owned());
    }
    let in_brackets = title.split_once(" (").and_then(|(issuer, rest)| {
        let (name, behind) = rest.split_once(')')?;
        (!issuer.trim().is_empty()).then(|| (Some(issuer), format!("{name}{behind}")))
    });
    in_brackets.unwrap_or_else(|| (None, title.to_owned()))
}

/// Who asks for the codes of an authenticator made for one service.
fn of_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "BattleNet" => Some("Battle.net"),
        "GuildWars" => Some("Guild Wars 2"),
        "Microsoft" => Some("Microsoft"),
        "OktaVerify" => Some("Okta"),
        "Steam" => Some("Steam"),
        "Trion" => Some("Trion"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_secret_data() {
        assert_eq!(parted("Shop:me:1"), (Some("Shop"), "me:1".into()));
        assert_eq!(parted("Shop (me) 1"), (Some("Shop"), "me 1".into()));
        assert_eq!(parted("(me)"), (None, "(me)".into()));
        let words = Words::of("00ff\t6\tHMACSHA256\t60|42|x");
        assert_eq!(words.key, Some("00ff"));
        assert_eq!(words.algorithm, Some("HMACSHA256"));
        assert_eq!((words.period, words.tail), (Some("60"), Some("42")));
        assert!(Words::of("").key.is_none());
    }

    #[test]
    fn a_seal_cut_off_is_no_wrong_password_and_no_panic() {
        let passphrase = SecretText::new("x".into());
        let class = |bytes: &[u8]| {
            open(bytes, Some(&passphrase))
                .err()
                .map(|error| error.class())
        };
        let mut whole = MAGIC.to_vec();
        whole.resize(MAGIC.len() + SALT + DIGEST + SALT + 16, 7);
        for end in MAGIC.len()..whole.len() {
            let expected = match end < MAGIC.len() + SALT + DIGEST + SALT {
                true => "bad_file",
                false => "wrong_password",
            };
            assert_eq!(class(&whole[..end]), Some(expected), "{end}");
        }
        assert_eq!(class(&whole), Some("wrong_password"));
    }
}
