//! From a Key URI to a draft.

use zeroize::Zeroizing;

use crate::account::draft::quotable;
use crate::account::key_uri::MAX_LEN;
use crate::account::percent::{self, Plus};
use crate::account::{Draft, Field, Reason, Refusal, Warning};
use crate::base32;
use crate::secret::SecretText;

/// Longer than any scheme; a longer word before a colon is no scheme, and may be a secret.
const MAX_SCHEME: usize = 20;

/// The account that a Key URI describes, in its own words: [`Draft::into_account`] judges them.
///
/// # Errors
/// Not a Key URI at all: no scheme or another one, a type that nobody knows, a PIN that can't be read.
pub fn read(uri: &str) -> Result<Draft, Refusal> {
    let uri = trim(uri);
    if uri.len() > MAX_LEN {
        return Err(Refusal::of(Field::Uri, Reason::TooLong { max: MAX_LEN }));
    }
    let unescaped = unescape(uri);
    let (scheme, rest) =
        scheme(&unescaped).ok_or_else(|| Refusal::of(Field::Uri, Reason::NotAUri))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    match scheme.as_str() {
        "otpauth" | "apple-otpauth" => otpauth(rest),
        "steam" => Ok(steam(rest)),
        "motp" => {
            let (label, query) = rest.split_once('?').unwrap_or((rest, ""));
            fill("motp", label, &Query::new(query))
        }
        "otpauth-migration" => Err(Refusal::of(Field::Uri, Reason::IsMigration)),
        _ => Err(Refusal::of(Field::Uri, Reason::Scheme(quotable(&scheme)))),
    }
}

/// `&amp;` comes with a URI copied from the source of a page. Undone before splitting, since the `&` is what splits.
fn unescape(uri: &str) -> Zeroizing<String> {
    let mut unescaped = Zeroizing::new(String::with_capacity(uri.len()));
    for (index, part) in uri.split("&amp;").enumerate() {
        if index > 0 {
            unescaped.push('&');
        }
        unescaped.push_str(part);
    }
    unescaped
}

/// Space and marks of byte order around a line are not part of it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')
    })
}

/// The scheme of a text, in lower case.
pub(crate) fn scheme_of(uri: &str) -> Option<String> {
    scheme(uri).map(|(scheme, _)| scheme)
}

/// RFC 3986 section 3.1: the scheme in lower case, and what follows its colon.
fn scheme(uri: &str) -> Option<(String, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.len() <= MAX_SCHEME
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

fn otpauth(rest: &str) -> Result<Draft, Refusal> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let query = Query::new(query);
    match kind.as_str() {
        "totp" => match query.says_steam(label) {
            true => fill("steam", label, &query),
            false => fill("totp", label, &query),
        },
        "hotp" | "steam" | "motp" | "yaotp" => fill(&kind, label, &query),
        _ => {
            let mut refusal = Refusal::of(Field::Type, Reason::UnknownType(quotable(&kind)));
            refusal.label = words(&kind, label, &query).label();
            Err(refusal)
        }
    }
}

/// `steam://SECRET`, as Bitwarden, Proton and KeePassXC write it. The secret may be base64 with slashes inside.
fn steam(rest: &str) -> Draft {
    let secret = rest.split_once('?').map_or(rest, |(secret, _)| secret);
    let mut decoded = percent::decode(secret.trim_end_matches('/'), Plus::Literal);
    Draft {
        kind: Some("steam".into()),
        issuer: Some("Steam".into()),
        secret: Some(SecretText::new(std::mem::take(&mut *decoded.text))),
        ..Draft::default()
    }
}

/// The draft with what only some types have: Yandex its own name for an issuer, Yandex and mOTP a PIN.
fn fill(kind: &str, label: &str, query: &Query<'_>) -> Result<Draft, Refusal> {
    let mut draft = words(kind, label, query);
    let nameless = |word: &Option<String>| word.as_deref().unwrap_or_default().is_empty();
    if kind == "yaotp" && nameless(&draft.issuer) && nameless(&draft.label_issuer) {
        draft.issuer = Some("Yandex".into());
    }
    if matches!(kind, "yaotp" | "motp") {
        match query.pin() {
            Ok(pin) => draft.pin = pin,
            Err(reason) => {
                return Err(Refusal {
                    place: String::new(),
                    label: draft.label(),
                    field: Field::Pin,
                    reason,
                });
            }
        }
    }
    Ok(draft)
}

/// Every word of label and query, as it stands.
fn words(kind: &str, label: &str, query: &Query<'_>) -> Draft {
    let mut warnings = Vec::new();
    let (prefix, name) = split_label(label, &mut warnings);
    let mut parameter = |key, field| {
        let decoded = query.value(key, Plus::Space)?;
        if decoded.invalid_utf8 {
            warnings.push(Warning::InvalidUtf8(field));
        }
        Some(decoded.text.trim().to_owned())
    };
    let mut draft = Draft {
        kind: Some(kind.into()),
        issuer: parameter("issuer", Field::Issuer),
        name: Some(name),
        algorithm: parameter("algorithm", Field::Algorithm),
        digits: parameter("digits", Field::Digits),
        period: parameter("period", Field::Period),
        counter: parameter("counter", Field::Counter),
        t0: parameter("t0", Field::T0),
        image: parameter("image", Field::Image),
        secret: query
            .secret()
            .map(|mut secret| SecretText::new(std::mem::take(&mut *secret.text))),
        ..Draft::default()
    };
    // A raw plus is a space to a form encoder, and itself to everybody else; where the label says the same with a plus,
    // it is a plus (`Disney+`).
    let literal = query
        .value("issuer", Plus::Literal)
        .map(|decoded| decoded.text.trim().to_owned());
    if literal.as_ref() == Some(&prefix) {
        draft.issuer = literal;
    }
    draft.label_issuer = Some(prefix);
    draft.warnings = warnings;
    query.code_display(&mut draft);
    draft
}

/// Prefix and account name. A literal colon parts them, else an encoded one; only the first does.
fn split_label(label: &str, warnings: &mut Vec<Warning>) -> (String, String) {
    let mut decode = |text: &str| {
        let decoded = percent::decode(text, Plus::Literal);
        if decoded.invalid_utf8 && !warnings.contains(&Warning::InvalidUtf8(Field::Label)) {
            warnings.push(Warning::InvalidUtf8(Field::Label));
        }
        decoded.text.trim().to_owned()
    };
    let label = label.trim_matches('/');
    if let Some((prefix, name)) = label.split_once(':') {
        return (decode(prefix), decode(name));
    }
    let decoded = decode(label);
    match decoded.split_once(':') {
        Some((prefix, name)) => (prefix.trim().to_owned(), name.trim().to_owned()),
        None => (String::new(), decoded),
    }
}

/// What follows the question mark: parameters still encoded, in the order given.
struct Query<'a>(Vec<(String, Option<&'a str>)>);

impl<'a> Query<'a> {
    fn new(query: &'a str) -> Self {
        let parameters = query.split('&').map(|parameter| {
            let (key, value) = match parameter.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (parameter, None),
            };
            let key = percent::decode(key, Plus::Space)
                .text
                .trim()
                .to_ascii_lowercase();
            (key, value)
        });
        Self(parameters.filter(|(key, _)| !key.is_empty()).collect())
    }

    /// The first value that isn't blank.
    fn value(&self, key: &str, plus: Plus) -> Option<percent::Decoded> {
        self.all(key)
            .filter_map(|value| value.map(|value| percent::decode(value, plus)))
            .find(|decoded| !decoded.text.trim().is_empty())
    }

    /// The secret: a blank one is told apart from none at all.
    fn secret(&self) -> Option<percent::Decoded> {
        self.value("secret", Plus::Literal).or_else(|| {
            self.all("secret")
                .next()
                .map(|_| percent::decode("", Plus::Literal))
        })
    }

    fn all(&self, key: &str) -> impl Iterator<Item = Option<&'a str>> {
        self.0
            .iter()
            .filter(move |(k, _)| k == key)
            .map(|(_, value)| *value)
    }

    /// Whether a TOTP type means Steam Guard: `encoder=steam`, a bare `steam`, or an issuer or prefix Steam whose codes
    /// aren't said to be other than five characters. An encoder by another name says that it isn't.
    fn says_steam(&self, label: &str) -> bool {
        let value = |key| {
            self.value(key, Plus::Space)
                .map(|decoded| decoded.text.trim().to_owned())
        };
        if let Some(encoder) = value("encoder") {
            return encoder.eq_ignore_ascii_case("steam");
        }
        let flagged = self.all("steam").any(|flag| match flag {
            None => true,
            Some(value) => matches!(value.to_ascii_lowercase().as_str(), "" | "1" | "true"),
        });
        let (prefix, _) = split_label(label, &mut Vec::new());
        let named = prefix.eq_ignore_ascii_case("steam")
            || value("issuer").is_some_and(|issuer| issuer.eq_ignore_ascii_case("steam"));
        let five = match value("digits").as_deref() {
            None => true,
            Some(digits) => digits.eq_ignore_ascii_case("null") || digits.parse() == Ok(5),
        };
        flagged || (named && five)
    }

    /// The PIN. Aegis writes base32 of its characters, which for a PIN of digits always begins with a letter; a value of
    /// digits alone is the PIN itself.
    fn pin(&self) -> Result<Option<SecretText>, Reason> {
        let Some(mut decoded) = self.value("pin", Plus::Literal) else {
            return Ok(None);
        };
        if decoded.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(SecretText::new(std::mem::take(&mut *decoded.text))));
        }
        base32::decode(&decoded.text)
            .ok()
            .and_then(|bytes| SecretText::from_utf8(bytes.expose().to_vec()))
            .map(Some)
            .ok_or(Reason::PinEncoding)
    }

    /// Ente's extra words: JSON with tags, note, pinned and trashed.
    fn code_display(&self, draft: &mut Draft) {
        let Some(decoded) = self.value("codedisplay", Plus::Space) else {
            return;
        };
        let Ok(serde_json::Value::Object(extra)) = serde_json::from_str(&decoded.text) else {
            draft.warnings.push(Warning::LeftOut(Field::CodeDisplay));
            return;
        };
        let says = |key| extra.get(key).and_then(serde_json::Value::as_bool) == Some(true);
        draft.favorite = says("pinned");
        draft.trashed = says("trashed");
        draft.note = extra
            .get("note")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned);
        if let Some(serde_json::Value::Array(tags)) = extra.get("tags") {
            draft.tags = tags
                .iter()
                .filter_map(|tag| tag.as_str().map(str::to_owned))
                .collect();
        }
    }
}
