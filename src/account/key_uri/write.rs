//! From an account to a Key URI.

use zeroize::Zeroizing;

use crate::account::percent::encode_into;
use crate::account::{Account, Summary};
use crate::base32;
use crate::otp::{Scheme, Totp};
use crate::secret::{Secret, SecretText};

/// The account as a Key URI that [`super::read`] and other apps read. Every parameter is written, also where it is the
/// default; what has no place in a Key URI (tags, note, serial number, whether it asks first, an mOTP PIN) is not.
///
/// Beyond what everybody knows: `image` where there is one, `pin` of a Yandex account as Aegis writes it, `t0` where it isn't
/// 1970, and an `encoder` where an account would otherwise be taken for Steam's.
pub fn write(account: &Account) -> SecretText {
    let Summary {
        issuer,
        name,
        label_issuer,
        scheme,
        counter,
        image,
        ..
    } = &account.summary;
    let secret = match scheme {
        Scheme::Motp => hexadecimal(&account.secret),
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Yandex => {
            base32::encode(&account.secret)
        }
    };
    let texts = issuer.len()
        + name.len()
        + [label_issuer, image]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>();
    // Room for all of it, three bytes for each that is encoded, so that no copy of the secret is left behind by growing.
    let pin_len = account.pin.as_ref().map_or(0, |pin| pin.expose().len() * 2);
    let mut uri = Zeroizing::new(String::with_capacity(
        256 + (texts + issuer.len()) * 3 + secret.expose().len() + pin_len,
    ));

    uri.push_str(match scheme {
        Scheme::Totp(_) => "otpauth://totp/",
        Scheme::Hotp(_) => "otpauth://hotp/",
        Scheme::Steam => "otpauth://steam/",
        Scheme::Yandex => "otpauth://yaotp/",
        Scheme::Motp => "motp://",
    });
    let prefix = label_issuer.as_ref().unwrap_or(issuer);
    encode_into(prefix, &mut uri);
    // Without a prefix a colon is only written where the name holds one, which would part it.
    if !prefix.is_empty() || name.contains(':') {
        uri.push(':');
    }
    encode_into(name, &mut uri);
    uri.push_str("?secret=");
    uri.push_str(secret.expose());
    if !issuer.is_empty() {
        uri.push_str("&issuer=");
        encode_into(issuer, &mut uri);
    }
    match scheme {
        Scheme::Motp => {}
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Yandex => {
            parameter(&mut uri, "algorithm", scheme.algorithm_name());
            parameter(&mut uri, "digits", &scheme.digits().to_string());
        }
    }
    match scheme {
        Scheme::Totp(totp) => {
            parameter(&mut uri, "period", &totp.period.get().to_string());
            if totp.t0 != 0 {
                parameter(&mut uri, "t0", &totp.t0.to_string());
            }
            if looks_like_steam(totp, prefix, issuer) {
                parameter(&mut uri, "encoder", "default");
            }
        }
        Scheme::Hotp(_) => parameter(
            &mut uri,
            "counter",
            &counter.unwrap_or_default().to_string(),
        ),
        Scheme::Steam => parameter(&mut uri, "period", "30"),
        Scheme::Yandex => {
            parameter(&mut uri, "period", "30");
            if let Some(pin) = &account.pin {
                let pin = base32::encode(&Secret::new(pin.expose().as_bytes().to_vec()));
                parameter(&mut uri, "pin", pin.expose());
            }
        }
        Scheme::Motp => {}
    }
    if let Some(image) = image {
        uri.push_str("&image=");
        encode_into(image, &mut uri);
    }
    SecretText::new(std::mem::take(&mut *uri))
}

/// A parameter whose value needs no encoding.
fn parameter(uri: &mut String, key: &str, value: &str) {
    for part in ["&", key, "=", value] {
        uri.push_str(part);
    }
}

fn looks_like_steam(totp: &Totp, prefix: &str, issuer: &str) -> bool {
    totp.digits.get() == 5
        && (prefix.eq_ignore_ascii_case("steam") || issuer.eq_ignore_ascii_case("steam"))
}

/// mOTP's own way to write a secret.
fn hexadecimal(secret: &Secret) -> SecretText {
    let mut text = String::with_capacity(secret.len() * 2);
    for byte in secret.expose() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("a nibble is a hexadecimal digit"));
        }
    }
    SecretText::new(text)
}
