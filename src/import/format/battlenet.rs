//! Battle.net: the preferences of Blizzard's app, whose secret hides behind a mask that is the same everywhere.

use zeroize::Zeroizing;

use crate::account::{Draft, SecretEncoding};
use crate::import::document::Document;
use crate::import::format::{Format, Likeness, Seen, draft};
use crate::import::prefs;
use crate::import::words::from_hex;
use crate::import::{Contents, ImportError};
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "battlenet",
    app: "Battle.net",
    also: &["blizzard", "battle.net"],
    reads: "the preferences (XML) of Battle.net's or the old Blizzard Authenticator's app, from a rooted phone",
    how: "\
Battle.net's app has no export. From a rooted Android phone:
1. Copy /data/data/com.blizzard.messenger/shared_prefs/com.blizzard.messenger.authenticator_preferences.xml here.
2. vmfa import com.blizzard.messenger.authenticator_preferences.xml
Without root: detach the authenticator in Battle.net's account settings and attach another.",
    seen: Seen::Files,
    is,
    read,
};

const SECRET: &str = "com.blizzard.messenger.AUTHENTICATOR_DEVICE_SECRET";
const SERIAL: &str = "com.blizzard.messenger.AUTHENTICATOR_SERIAL";
const SEAL: &str = "com.blizzard.messenger.AUTHENTICATOR_CREDENTIALS_ENCRYPTION_TYPE";
/// Of the app before, which had both in one text.
const OLD: &str = "com.blizzard.bma.AUTH_STORE.HASH";

/// The digits of the secret at the beginning of that text; the serial number follows.
const OLD_SECRET: usize = 40;

/// What each text is combined with, byte by byte.
const MASK: [u8; 57] = [
    0x39, 0x8e, 0x27, 0xfc, 0x50, 0x27, 0x6a, 0x65, 0x60, 0x65, 0xb0, 0xe5, 0x25, 0xf4, 0xc0, 0x6c,
    0x04, 0xc6, 0x10, 0x75, 0x28, 0x6b, 0x8e, 0x7a, 0xed, 0xa5, 0x9d, 0xa9, 0x81, 0x3b, 0x5d, 0xd6,
    0xc8, 0x0d, 0x2f, 0xb3, 0x80, 0x68, 0x77, 0x3f, 0xa5, 0x9b, 0xa4, 0x7c, 0x17, 0xca, 0x6c, 0x64,
    0x79, 0x01, 0x5c, 0x1d, 0x5b, 0x8b, 0x8f, 0x6b, 0x9a,
];

fn is(document: &Document<'_>) -> Likeness {
    [SECRET, OLD]
        .iter()
        .any(|name| prefs::value(document, name).is_some())
        .into()
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let seal = prefs::value(document, SEAL).unwrap_or("MASK");
    if !seal.trim().eq_ignore_ascii_case("mask") {
        return Err(ImportError::BoundTo {
            by: "the phone's key store",
            instead: "detach the authenticator in Battle.net's account settings and attach another",
        });
    }
    let (secret, serial) = match prefs::value(document, SECRET) {
        Some(secret) => {
            let serial = prefs::value(document, SERIAL).and_then(|serial| unmasked(serial).ok());
            (unmasked(secret)?, serial)
        }
        None => {
            let both = unmasked(prefs::value(document, OLD).unwrap_or_default())?;
            let (secret, serial) = both
                .split_at_checked(OLD_SECRET)
                .ok_or_else(|| ImportError::damaged("the secret is cut off"))?;
            (
                Zeroizing::new(secret.to_owned()),
                Some(Zeroizing::new(serial.to_owned())),
            )
        }
    };
    let mut contents = Contents::default();
    contents.rows.push(Ok(Draft {
        issuer: Some("Battle.net".into()),
        name: serial.map(|serial| serial.to_string()),
        secret: Some(SecretText::new(secret.to_string())),
        secret_encoding: SecretEncoding::Hex,
        digits: Some("8".into()),
        ..draft(String::new())
    }));
    Ok(contents)
}

fn unmasked(masked: &str) -> Result<Zeroizing<String>, ImportError> {
    let broken = || ImportError::damaged("a value is not what Battle.net's app writes");
    let bytes = from_hex(masked).ok_or_else(broken)?;
    if bytes.len() > MASK.len() {
        return Err(broken());
    }
    let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
    for (byte, mask) in bytes.iter().zip(MASK) {
        let character = char::from(byte ^ mask);
        if !character.is_ascii_graphic() {
            return Err(broken());
        }
        text.push(character);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Alone, Source, read};

    fn class(xml: &str) -> Result<String, &'static str> {
        let source = Source {
            name: "",
            bytes: xml.as_bytes(),
            beside: &Alone,
        };
        let readings = read(&source, None, None).map_err(|error| error.class())?;
        let row = readings.into_iter().next().unwrap().contents.rows.remove(0);
        let draft = row.ok().unwrap();
        Ok(format!(
            "{} {}",
            draft.name.unwrap(),
            draft.secret.unwrap().expose()
        ))
    }

    fn masked(text: &str) -> String {
        let bytes = text.bytes().zip(MASK);
        bytes
            .map(|(byte, mask)| format!("{:02X}", byte ^ mask))
            .collect()
    }

    #[test]
    fn the_old_app_has_both_in_one_text() {
        let secret = "0b0d1bbcc5046102f0cc9eba904d7aae16038c28";
        let text = masked(&format!("{secret}US221120503346"));
        let xml = format!("<map><string name=\"{OLD}\">{text}</string></map>");
        assert_eq!(class(&xml), Ok(format!("US221120503346 {secret}")));
        for end in 0..text.len() - 28 {
            let xml = format!(
                "<map><string name=\"{OLD}\">{}</string></map>",
                &text[..end]
            );
            assert_eq!(class(&xml), Err("bad_file"), "{end}");
        }
    }

    #[test]
    fn what_the_key_store_seals_stays_there() {
        let xml = format!(
            "<map><string name=\"{SECRET}\">00</string><string name=\"{SEAL}\">KEYSTORE</string></map>"
        );
        assert_eq!(class(&xml), Err("account_restricted"));
        let long = format!(
            "<map><string name=\"{SECRET}\">{}</string></map>",
            "00".repeat(58)
        );
        assert_eq!(class(&long), Err("bad_file"));
    }
}
