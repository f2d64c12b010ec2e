//! The text: Key URIs in the encoding of .NET, where a space may be a plus, with parameters of WinAuth's own.

use crate::account::percent::{self, Plus};
use crate::account::{Draft, Refusal, key_uri};
use crate::import::Contents;
use crate::import::json::{Json, Loose};
use crate::secret::SecretText;

/// Whether it is WinAuth's: all its lines put the digits right behind the secret, and one has a word that only WinAuth writes.
pub(super) fn is(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let own = ["icon", "serial", "deviceid", "data"];
    lines.clone().all(|line| Line::of(line).is_some())
        && lines.any(|line| {
            Line::of(line).is_some_and(|line| own.iter().any(|name| line.parameter(name).is_some()))
        })
}

pub(super) fn read(text: &str) -> Contents {
    let mut contents = Contents::default();
    for (index, line) in text.lines().enumerate() {
        let place = format!("line {}", index + 1);
        match Line::of(line.trim()) {
            Some(line) if line.adds() => contents.rows.push(line.account(place)),
            Some(line) => contents.texts.push((place, line.standard())),
            None if line.trim().is_empty() => {}
            None => contents
                .texts
                .push((place, SecretText::new(line.trim().to_owned()))),
        }
    }
    contents
}

/// A line in WinAuth's order: type, label, secret, digits, and what else there is.
struct Line<'a> {
    head: &'a str,
    label: &'a str,
    query: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (path, query) = line.split_once('?')?;
        let scheme = ["otpauth://totp/", "otpauth://hotp/"];
        let head = scheme.iter().find(|scheme| path.starts_with(**scheme))?;
        let line = Self {
            head: &path[..head.len()],
            label: &path[head.len()..],
            query,
        };
        let mut parameters = query.split('&');
        let secret = parameters.next()?.starts_with("secret=");
        let digits = parameters.next()?.starts_with("digits=");
        (secret && digits).then_some(line)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut parameters = self.query.split('&').filter_map(|one| one.split_once('='));
        parameters
            .find(|(key, _)| *key == name)
            .map(|found| found.1)
    }

    /// Whether a parameter says what a Key URI doesn't.
    fn adds(&self) -> bool {
        self.parameter("data").is_some() || self.parameter("serial").is_some()
    }

    /// The same with its spaces as every other program writes them. The part behind the issuer is encoded as a form: what has
    /// a character in it that a form would not have is left as it is.
    fn standard(&self) -> SecretText {
        let (issuer, name) = match self.label.split_once(':') {
            Some((issuer, name)) => (&self.label[..issuer.len() + 1], name),
            None => ("", self.label),
        };
        let is_form = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!*()+%".contains(&byte));
        let name = match is_form && !name.contains("%20") {
            true => name.replace('+', "%20"),
            false => name.to_owned(),
        };
        SecretText::new(format!("{}{issuer}{name}?{}", self.head, self.query))
    }

    /// Steam's account has its name in its data; Battle.net's serial number is needed to restore it.
    fn account(&self, place: String) -> Result<Draft, Refusal> {
        let mut draft = key_uri::read(self.standard().expose()).map_err(|mut refusal| {
            refusal.place.clone_from(&place);
            refusal
        })?;
        draft.place = place;
        if let Some(serial) = self.parameter("serial") {
            let serial = percent::decode(serial, Plus::Space).text;
            draft.note = Some(format!("serial number: {}", serial.as_str()));
        }
        let data = self
            .parameter("data")
            .map(|data| percent::decode(data, Plus::Space).text);
        if let Some(data) = data.and_then(|data| Json::parse(data.as_bytes()).ok())
            && data.get("shared_secret").is_some()
        {
            draft.kind = Some("steam".into());
            draft.issuer = Some("Steam".into());
            if let Some(name) = data.word("account_name").filter(|name| !name.is_empty()) {
                let label = draft.name.replace(name.clone());
                draft.note = label.filter(|label| *label != name);
            }
        }
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_where_the_label_is_a_form() {
        let standard = |line: &str| Line::of(line).unwrap().standard().expose().to_owned();
        for (label, expected) in [
            ("My+bank%3a1", "My%20bank%3a1"),
            ("Shop+1:my+name", "Shop+1:my%20name"),
            ("a+b@example.com", "a+b@example.com"),
            ("My%20C++", "My%20C++"),
        ] {
            let line = |label: &str| format!("otpauth://totp/{label}?secret=AA&digits=6");
            assert_eq!(standard(&line(label)), line(expected));
        }
    }

    #[test]
    fn other_lists_are_not_its_own() {
        let own = "otpauth://totp/a?secret=AA&digits=6&icon=WinAuth";
        assert!(is(own));
        assert!(!is("otpauth://totp/a?secret=AA&digits=6"));
        assert!(!is("otpauth://totp/a?secret=AA&issuer=b&digits=6&icon=x"));
        assert!(!is(&format!("{own}\nsteam://AAAA")));
        assert!(!is(""));
    }
}
