//! A login of a password manager: what it holds of a code, and what its title and user name are good for.
//!
//! Managers keep a code as a Key URI, often without a label, or as the bare secret. A login's note comes along where the app
//! keeps it with the code; from tables of passwords it doesn't: there it may hold anything, and stays where it is.

use crate::account::key_uri::{self, scheme_of};
use crate::account::{Draft, Refusal, present};
use crate::import::Contents;
use crate::import::format::draft;
use crate::secret::SecretText;

/// What a login says of the account that its code belongs to.
#[derive(Default)]
pub(crate) struct Login {
    /// Its title.
    pub(crate) title: String,
    /// Its user name.
    pub(crate) user: String,
    /// Words to find it by.
    pub(crate) tags: Vec<String>,
    /// Free text.
    pub(crate) note: Option<String>,
    /// Whether it is sorted first.
    pub(crate) favorite: bool,
    /// Where it was found.
    pub(crate) place: String,
}

impl Login {
    /// Adds the account of a code, or why it is none. Parts of a migration go to be read together.
    pub(crate) fn add(&self, code: &str, contents: &mut Contents) {
        if scheme_of(key_uri::trim(code)).as_deref() == Some("otpauth-migration") {
            let text = SecretText::new(code.to_owned());
            contents.texts.push((self.place.clone(), text));
            return;
        }
        contents.rows.push(self.account(code));
    }

    /// The account of a code: a Key URI or a bare secret.
    pub(crate) fn account(&self, code: &str) -> Result<Draft, Refusal> {
        if !is_uri(code) {
            let bare = Draft {
                secret: Some(SecretText::new(code.to_owned())),
                ..draft(self.place.clone())
            };
            return Ok(self.named(bare));
        }
        // A Steam link says Steam for want of a label.
        let is_link = scheme_of(key_uri::trim(code)).as_deref() == Some("steam");
        match key_uri::read(code) {
            Ok(read) => Ok(self.named(Draft {
                place: self.place.clone(),
                issuer: read.issuer.filter(|_| !is_link || self.title().is_empty()),
                ..read
            })),
            Err(refusal) => Err(Refusal {
                place: self.place.clone(),
                label: match refusal.label.is_empty() {
                    true => self.named(Draft::default()).label(),
                    false => refusal.label,
                },
                ..refusal
            }),
        }
    }

    /// A draft with the names that the login has and the code hasn't. A title that says another thing than both goes into the
    /// note.
    pub(crate) fn named(&self, code: Draft) -> Draft {
        let (title, user) = (self.title(), self.user.trim());
        let mut named = code;
        // KeePassXC's words for an entry that had no title, or no user name, when its code was set up.
        let is_untitled =
            says(&named.issuer, "KeePassXC") || says(&named.label_issuer, "KeePassXC");
        if is_untitled && !title.is_empty() {
            named.issuer = None;
            named.label_issuer = None;
        }
        if says(&named.name, "none") {
            named.name = None;
        }
        if blank(&named.issuer) && blank(&named.label_issuer) {
            named.issuer = Some(title.to_owned());
        }
        if blank(&named.name) {
            named.name = Some(user.to_owned());
        }
        let note = lines([named.note.take(), self.note.clone()]);
        let is_prefix = says(&named.label_issuer, title);
        named.note = titled(Some(title).filter(|_| !is_prefix), &named, note);
        named.tags.extend(self.tags.iter().cloned());
        named.favorite |= self.favorite;
        named
    }

    /// The title without the user name that Apple puts behind it.
    fn title(&self) -> &str {
        let (title, user) = (self.title.trim(), self.user.trim());
        let bare = title
            .strip_suffix(')')
            .and_then(|title| title.strip_suffix(user))
            .and_then(|title| title.strip_suffix(" ("));
        match bare {
            Some(bare) if !user.is_empty() => bare,
            Some(_) | None => title,
        }
    }
}

/// A note that begins with what the source calls the account, if that is neither issuer nor name nor both.
pub(crate) fn titled(title: Option<&str>, draft: &Draft, note: Option<String>) -> Option<String> {
    let title = present(title).filter(|title| {
        !says(&draft.issuer, title) && !says(&draft.name, title) && draft.label() != *title
    });
    lines([title.map(str::to_owned), note])
}

/// Texts as one: a note is one line, whatever it was elsewhere.
fn lines(texts: [Option<String>; 2]) -> Option<String> {
    let texts: Vec<String> = texts
        .into_iter()
        .flatten()
        .filter(|text| !text.trim().is_empty())
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Whether a code is a Key URI, or means to be one.
pub(crate) fn is_uri(code: &str) -> bool {
    code.contains("://") || scheme_of(key_uri::trim(code)).is_some_and(|scheme| scheme == "otpauth")
}

fn blank(word: &Option<String>) -> bool {
    says(word, "")
}

fn says(word: &Option<String>, what: &str) -> bool {
    word.as_deref().unwrap_or_default().trim() == what
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            title: "Example (bob)".into(),
            user: "bob".into(),
            place: "row 2".into(),
            ..Login::default()
        }
    }

    fn words(draft: &Draft) -> [&str; 3] {
        [&draft.issuer, &draft.name, &draft.note].map(|word| word.as_deref().unwrap_or_default())
    }

    #[test]
    fn a_code_without_names_takes_those_of_its_login() {
        for code in [
            "JBSW Y3DP",
            "otpauth://totp?secret=JBSWY3DP",
            "otpauth://totp/?secret=JBSWY3DP",
        ] {
            let read = login().account(code).unwrap();
            assert_eq!(words(&read), ["Example", "bob", ""], "{code}");
            assert_eq!(read.place, "row 2");
        }
    }

    #[test]
    fn a_title_that_says_another_thing_is_kept_in_the_note() {
        let read = login()
            .account("otpauth://totp/Site:me?secret=JBSWY3DP&issuer=Site")
            .unwrap();
        assert_eq!(words(&read), ["Site", "me", "Example"]);
        let read = login()
            .account("otpauth://totp/Example:me?secret=JBSWY3DP")
            .unwrap();
        assert_eq!(read.label_issuer.as_deref(), Some("Example"));
        assert_eq!(words(&read)[1..], ["me", ""]);
    }

    #[test]
    fn what_keepassxc_writes_for_nothing_gives_way_to_something() {
        let code = "otpauth://totp/KeePassXC:none?secret=JBSWY3DP&issuer=KeePassXC";
        assert_eq!(
            words(&login().account(code).unwrap()),
            ["Example", "bob", ""]
        );
        let untitled = Login::default().account(code).unwrap();
        assert_eq!(words(&untitled), ["KeePassXC", "", ""]);
    }

    #[test]
    fn a_code_that_is_none_is_refused_under_the_name_of_its_login() {
        let refusal = login().account("https://example.com/").err().unwrap();
        assert_eq!(refusal.class(), "bad_scheme");
        assert_eq!(
            (refusal.place.as_str(), refusal.label.as_str()),
            ("row 2", "Example:bob")
        );
    }

    #[test]
    fn a_note_of_its_own_and_a_steam_link() {
        let login = Login {
            title: "Title".into(),
            user: "me".into(),
            tags: vec!["t".into()],
            note: Some("own".into()),
            favorite: true,
            place: "item 1".into(),
        };
        let read = |code: &str| login.account(code).ok().unwrap();
        let draft = read("otpauth://totp/A:b?secret=AA&issuer=A");
        assert_eq!(words(&draft), ["A", "b", "Title; own"]);
        assert_eq!((draft.tags[0].as_str(), draft.favorite), ("t", true));
        let link = read("steam://AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYU");
        assert_eq!(words(&link), ["Title", "me", "own"]);
        let refused = login.account("otpauth:nonsense/x").err().unwrap();
        assert_eq!((refused.class(), refused.label.as_str()), ("bad_type", "x"));
        let mut contents = Contents::default();
        login.add("otpauth-migration://offline?data=AA", &mut contents);
        assert_eq!((contents.rows.len(), contents.texts.len()), (0, 1));
    }
}
