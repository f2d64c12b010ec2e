//! The codes of an entry, in every way in which KeePass's programs and plug-ins have kept them. An entry may have several; the
//! same code kept in two ways is one.

use zeroize::Zeroizing;

use crate::account::percent::{self, Plus};
use crate::account::{Draft, Refusal, SecretEncoding, base64};
use crate::base32;
use crate::import::format::draft;
use crate::import::login::{Login, is_uri};
use crate::import::words::from_hex;
use crate::secret::{Secret, SecretText};

/// Every code among the fields of an entry; `field` gives a field by its name in any case.
pub(in crate::import::format) fn codes<'a>(
    field: &dyn Fn(&str) -> Option<&'a str>,
    login: &Login,
) -> Vec<Result<Draft, Refusal>> {
    let field = |name: &str| field(name).filter(|value| !value.trim().is_empty());
    let mut codes: Vec<Result<Draft, Refusal>> = Vec::new();
    if let Some(code) = field("otp") {
        codes.push(otp(code.trim(), login));
    }
    let tray = tray_totp(&field, login);
    let built_in = ["TimeOtp", "HmacOtp"].map(|kind| built_in(kind, &field, login));
    for code in [tray].into_iter().chain(built_in).flatten() {
        let is_known = |known: &Result<Draft, Refusal>| {
            known.as_ref().is_ok_and(|known| is_same(known, &code))
        };
        if !codes.iter().any(is_known) {
            codes.push(Ok(code));
        }
    }
    codes
}

/// The field `otp`: KeePassXC's Key URI, the query of the plug-in KeeOtp, or a bare secret.
fn otp(code: &str, login: &Login) -> Result<Draft, Refusal> {
    if is_uri(code) || !code.contains('=') || !code.to_ascii_lowercase().contains("key=") {
        return login.account(code);
    }
    let parameter = |name: &str| {
        let same = |(key, _): &(&str, &str)| key.trim().eq_ignore_ascii_case(name);
        let (_, value) = code
            .trim_start_matches('?')
            .split('&')
            .filter_map(|parameter| parameter.split_once('='))
            .find(same)?;
        let mut decoded = percent::decode(value, Plus::Literal);
        Some(Zeroizing::new(std::mem::take(&mut *decoded.text)))
    };
    let word = |name| parameter(name).map(|mut value| std::mem::take(&mut *value));
    let encoding = word("encoding").map(|name| name.to_ascii_lowercase());
    Ok(login.named(Draft {
        // Its other types are TOTP and Steam; none means TOTP.
        kind: word("type"),
        secret: word("key").map(SecretText::new),
        secret_encoding: match encoding.as_deref() {
            Some("base64") => SecretEncoding::Base64,
            Some("hex") => SecretEncoding::Hex,
            _ => SecretEncoding::Base32,
        },
        algorithm: word("otpHashMode"),
        digits: word("size"),
        period: word("step"),
        counter: word("counter"),
        ..draft(login.place.clone())
    }))
}

/// The plug-in KeeTrayTOTP, which KeePassXC once followed: `30;6`, or `30;S` for Steam, behind which may stand a server of time.
fn tray_totp<'a>(field: &dyn Fn(&str) -> Option<&'a str>, login: &Login) -> Option<Draft> {
    let seed = field("TOTP Seed")?;
    let mut settings = field("TOTP Settings").unwrap_or_default().split(';');
    let period = settings.next().map(str::to_owned);
    let digits = settings.next().unwrap_or_default().trim().to_owned();
    let is_steam = digits.eq_ignore_ascii_case("S");
    Some(login.named(Draft {
        kind: is_steam.then(|| "steam".into()),
        secret: Some(SecretText::new(seed.to_owned())),
        secret_encoding: SecretEncoding::Base32,
        period: period.filter(|_| !is_steam),
        digits: Some(digits).filter(|_| !is_steam),
        ..draft(login.place.clone())
    }))
}

/// KeePass since 2.47: `TimeOtp-…` and `HmacOtp-…`, the secret in one of four writings.
fn built_in<'a>(
    kind: &str,
    field: &dyn Fn(&str) -> Option<&'a str>,
    login: &Login,
) -> Option<Draft> {
    let of = |name: &str| field(&format!("{kind}-{name}"));
    let text = |secret: &str| Some(SecretText::new(secret.trim().to_owned()));
    let (bytes, secret, encoding) = if let Some(secret) = of("Secret-Base32") {
        (None, text(secret), SecretEncoding::Base32)
    } else if let Some(secret) = of("Secret-Hex") {
        (None, text(secret), SecretEncoding::Hex)
    } else if let Some(secret) = of("Secret-Base64") {
        (None, text(secret), SecretEncoding::Base64)
    } else {
        // The characters themselves, as in the RFC's examples.
        let bytes = Secret::new(of("Secret")?.as_bytes().to_vec());
        (Some(bytes), None, SecretEncoding::AsUsual)
    };
    let word = |name| of(name).map(str::to_owned);
    Some(login.named(Draft {
        kind: (kind == "HmacOtp").then(|| "hotp".into()),
        secret_bytes: bytes,
        secret,
        secret_encoding: encoding,
        algorithm: word("Algorithm"),
        digits: word("Length"),
        period: word("Period"),
        counter: word("Counter"),
        ..draft(login.place.clone())
    }))
}

/// Whether two drafts of one entry give the same codes: then they are one, kept twice for two programs.
fn is_same(one: &Draft, other: &Draft) -> bool {
    let number = |word: &Option<String>, usual: &str| {
        let word = word.as_deref().unwrap_or_default().trim().to_owned();
        if matches!(word.as_str(), "" | "0") {
            usual.to_owned()
        } else {
            word
        }
    };
    let told = |draft: &Draft| {
        let kind = number(&draft.kind, "totp").to_ascii_lowercase();
        let is_counted = kind == "hotp";
        let algorithm: String = number(&draft.algorithm, "sha1")
            .to_ascii_lowercase()
            .trim_start_matches("hmac")
            .split(['-', '_'])
            .collect();
        match kind.as_str() {
            "steam" => vec![kind],
            _ => vec![
                kind,
                algorithm,
                number(&draft.digits, "6"),
                if is_counted {
                    number(&draft.counter, "0")
                } else {
                    number(&draft.period, "30")
                },
            ],
        }
    };
    let same_bytes = match (bytes(one), bytes(other)) {
        (Some(one), Some(other)) => one.same_as(&other),
        _ => false,
    };
    same_bytes && told(one) == told(other)
}

/// The secret's bytes, only to compare: what can't be read is the same as nothing.
fn bytes(draft: &Draft) -> Option<Secret> {
    if let Some(bytes) = &draft.secret_bytes {
        return Some(bytes.duplicate());
    }
    let text = draft.secret.as_ref()?.expose();
    match draft.secret_encoding {
        SecretEncoding::Base32 | SecretEncoding::AsUsual => base32::decode(text).ok(),
        SecretEncoding::Base64 => base64::decode(text.trim()).ok(),
        // No field of KeePass's is written so.
        SecretEncoding::Base32OfHex => None,
        SecretEncoding::Hex => from_hex(text).map(|bytes| Secret::new(bytes.to_vec())),
    }
}
