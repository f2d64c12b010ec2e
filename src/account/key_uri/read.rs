//! From a Key URI to a draft.

use zeroize::Zeroizing;

use crate::account::base64;
use crate::account::draft::{STEAM_LEN, holds_secret, holds_uri, present, quotable};
use crate::account::key_uri::MAX_LEN;
use crate::account::percent::{self, Plus};
use crate::account::text::clean;
use crate::account::{Draft, Field, Reason, Refusal, Warning};
use crate::base32;
use crate::secret::SecretText;

/// Fewer bytes than this are no secret behind `steam:`, where Steam's are twenty.
const SHORTEST_STEAM: usize = 10;

/// Longer than any scheme; a longer word before a colon is no scheme, and may be a secret.
const MAX_SCHEME: usize = 20;

/// The account that a Key URI describes, in its own words: [`Draft::into_account`] judges them.
///
/// # Errors
/// Not a Key URI at all: no scheme or another one, a type that nobody knows, a second Key URI in a word of the first.
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
        "steam" => steam(rest),
        "motp" => {
            let (label, query) = rest.split_once('?').unwrap_or((rest, ""));
            one("motp", label, &Query::new(query))
        }
        "otpauth-migration" => Err(Refusal::of(Field::Uri, Reason::IsMigration)),
        _ => Err(Refusal::of(Field::Uri, Reason::Scheme(quotable(&scheme)))),
    }
}

/// `&amp;` comes with a URI copied from the source of a page, `&amp;amp;` from a page that quotes one. Undone before
/// splitting, since the `&` is what splits.
fn unescape(uri: &str) -> Zeroizing<String> {
    let mut unescaped = Zeroizing::new(String::with_capacity(uri.len()));
    for (index, part) in uri.split('&').enumerate() {
        if index == 0 {
            unescaped.push_str(part);
            continue;
        }
        unescaped.push('&');
        let mut part = part;
        while let Some(rest) = without_entity(part) {
            part = rest;
        }
        unescaped.push_str(part);
    }
    unescaped
}

/// What follows the rest of an entity that stands for `&`.
fn without_entity(part: &str) -> Option<&str> {
    ["amp;", "#38;", "#x26;"].iter().find_map(|entity| {
        let (start, rest) = part.split_at_checked(entity.len())?;
        start.eq_ignore_ascii_case(entity).then_some(rest)
    })
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
            true => one("steam", label, &query),
            false => one("totp", label, &query),
        },
        "hotp" | "steam" | "motp" | "yaotp" => one(&kind, label, &query),
        _ => {
            let mut refusal = Refusal::of(Field::Type, Reason::UnknownType(quotable(&kind)));
            refusal.label = words(&kind, label, &query).label();
            Err(refusal)
        }
    }
}

/// `steam://SECRET`, as Bitwarden, Proton and KeePassXC write it. The secret may be base64 with slashes inside; Steam's own
/// program has links of this scheme too (`steam://run/440`), which must not become accounts.
fn steam(rest: &str) -> Result<Draft, Refusal> {
    let secret = rest.split_once('?').map_or(rest, |(secret, _)| secret);
    let mut decoded = percent::decode(secret.trim_end_matches('/'), Plus::Literal);
    if holds_uri(&decoded.text) {
        return Err(Refusal::of(Field::Secret, Reason::TwoUris));
    }
    if is_command(&decoded.text) {
        return Err(Refusal::of(Field::Secret, Reason::NotASteamSecret));
    }
    Ok(Draft {
        kind: Some("steam".into()),
        issuer: Some("Steam".into()),
        secret: Some(SecretText::new(std::mem::take(&mut *decoded.text))),
        ..Draft::default()
    })
}

/// A word and a number, or bytes that are no Steam secret: with a slash, anything but its twenty bytes; without, fewer than
/// ten. A text that is neither base32 nor base64 is left to the draft, which says at which character.
fn is_command(text: &str) -> bool {
    let base64 = base64::decode(text).ok().map(|secret| secret.len());
    if let Some((word, rest)) = text.split_once('/') {
        let word_and_number = word.bytes().all(|byte| byte.is_ascii_lowercase())
            && rest.bytes().all(|byte| byte.is_ascii_digit());
        return word_and_number || base64 != Some(STEAM_LEN);
    }
    let base32 = base32::decode(text).ok().map(|secret| secret.len());
    base32
        .or(base64)
        .is_some_and(|len| len > 0 && len < SHORTEST_STEAM)
}

/// The draft of a URI that is one. A second one that ran into it is in some word of the query, after a separator that nobody
/// foresaw; taken for one account, the other would be lost and its secret shown.
fn one(kind: &str, label: &str, query: &Query<'_>) -> Result<Draft, Refusal> {
    let draft = fill(kind, label, query);
    let refuse = |field, reason| {
        Err(Refusal {
            label: draft.label(),
            ..Refusal::of(field, reason)
        })
    };
    if let Some(field) = query.second_uri() {
        return refuse(field, Reason::TwoUris);
    }
    if query.is_quoted_printable() {
        return refuse(Field::Uri, Reason::QuotedPrintable);
    }
    Ok(draft)
}

/// The draft with what only some types have: Yandex its own name for an issuer, Yandex and mOTP a PIN.
fn fill(kind: &str, label: &str, query: &Query<'_>) -> Draft {
    let mut draft = words(kind, label, query);
    let nameless = |word: &Option<String>| present(word.as_deref().map(clean).as_deref()).is_none();
    if kind == "yaotp" && nameless(&draft.issuer) && nameless(&draft.label_issuer) {
        draft.issuer = Some("Yandex".into());
    }
    match kind {
        "motp" => draft.pin = query.pin(),
        "yaotp" => match query.pin().map(|pin| aegis_pin(&pin)) {
            Some(None) => draft.warnings.push(Warning::LeftOut(Field::Pin)),
            Some(pin) => draft.pin = pin,
            None => {}
        },
        _ => {}
    }
    draft
}

/// Aegis writes base32 of the PIN's characters, which for a PIN of digits always begins with a letter; a value of digits alone
/// is the PIN itself. What is neither is no PIN that a person has typed.
fn aegis_pin(pin: &SecretText) -> Option<SecretText> {
    if pin.expose().bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(pin.duplicate());
    }
    let bytes = base32::decode(pin.expose()).ok()?;
    let printable = bytes
        .expose()
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~'));
    printable
        .then(|| SecretText::from_utf8(bytes.expose().to_vec()))
        .flatten()
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
    let mut secrets = query.values("secret", Plus::Literal);
    if let Some(first) = secrets.next()
        && secrets.any(|other| other.text.trim() != first.text.trim())
    {
        warnings.push(Warning::Repeated(Field::Secret));
    }
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
            // Without what can't be seen, lest a `digits` with a mark in it go unread.
            let key = clean(&percent::decode(key, Plus::Space).text)
                .trim()
                .to_ascii_lowercase();
            (key, value)
        });
        Self(
            parameters
                .filter(|(key, value)| !key.is_empty() || value.is_some())
                .collect(),
        )
    }

    /// The first value that says something.
    fn value(&self, key: &str, plus: Plus) -> Option<percent::Decoded> {
        self.values(key, plus).next()
    }

    fn values(&self, key: &str, plus: Plus) -> impl Iterator<Item = percent::Decoded> {
        self.all(key)
            .filter_map(move |value| value.map(|value| percent::decode(value, plus)))
            .filter(|decoded| present(Some(&decoded.text)).is_some())
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
        let five = value("digits").is_none_or(|digits| digits.parse() == Ok(5));
        flagged || (named && five)
    }

    /// The PIN as it stands.
    fn pin(&self) -> Option<SecretText> {
        let mut decoded = self.value("pin", Plus::Literal)?;
        Some(SecretText::new(std::mem::take(&mut *decoded.text)))
    }

    /// Where another Key URI, or the secret of one, stands in a key or a value.
    fn second_uri(&self) -> Option<Field> {
        let has_secret = self.value("secret", Plus::Literal).is_some();
        self.0.iter().find_map(|(key, value)| {
            let value = percent::decode(value.unwrap_or_default(), Plus::Literal).text;
            let holds = match key.as_str() {
                // Letters of base64 that happen to spell it are no parameter.
                "secret" => holds_uri(&value),
                // A note in it may speak of secrets; what isn't JSON to its end may be another URI.
                "codedisplay" => {
                    holds_secret(&value)
                        && serde_json::from_str::<serde_json::Value>(&value).is_err()
                }
                _ => holds_uri(&value) || (has_secret && holds_secret(&value)),
            };
            let in_key = holds_uri(key) || (has_secret && key.ends_with("?secret"));
            (holds || in_key).then_some(match (in_key, key.as_str()) {
                (false, "secret") => Field::Secret,
                (false, "issuer") => Field::Issuer,
                (false, "image") => Field::Image,
                (false, "codedisplay") => Field::CodeDisplay,
                _ => Field::Uri,
            })
        })
    }

    /// Whether a mail's source was copied, where each `=` is `=3D`: of several values each begins with it, the secret's too,
    /// where both are letters of base32 and would go unnoticed.
    fn is_quoted_printable(&self) -> bool {
        let mut values = self.0.iter().filter_map(|(_, value)| *value);
        self.all("secret").flatten().next().is_some()
            && values.clone().count() > 1
            && values.all(|value| value.starts_with("3D"))
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
