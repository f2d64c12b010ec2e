//! An entry of a password manager: its one-time password is a Key URI or a bare secret, and what the URI leaves out is the
//! entry's own.

use crate::account::key_uri;
use crate::account::{Draft, Refusal, present};
use crate::import::Contents;
use crate::import::format::draft;
use crate::secret::SecretText;

/// What an entry says beside its one-time password.
#[derive(Default)]
pub(super) struct Login {
    /// What the person calls it: the issuer, where the one-time password names none.
    pub(super) title: Option<String>,
    /// Who signs in: the account name, where the one-time password names none.
    pub(super) user: Option<String>,
    /// Folders, collections, tags.
    pub(super) tags: Vec<String>,
    /// Free text.
    pub(super) note: Option<String>,
    /// Sorted first.
    pub(super) favorite: bool,
}

impl Login {
    /// Adds the account that a one-time password's words make: a Key URI, `steam://SECRET`, or the secret in base32. A
    /// migration in their place is left to be read with its other parts.
    pub(super) fn put(self, words: &str, place: String, contents: &mut Contents) {
        let words = key_uri::trim(words);
        let scheme = words
            .contains("//")
            .then(|| key_uri::scheme_of(words))
            .flatten();
        let scheme = scheme
            .or_else(|| key_uri::scheme_of(words).filter(|scheme| scheme.ends_with("otpauth")));
        match scheme.as_deref() {
            Some("otpauth-migration") => contents
                .texts
                .push((place, SecretText::new(words.to_owned()))),
            Some(scheme) => {
                let is_steam_link = scheme == "steam";
                let row = match key_uri::read(words) {
                    Ok(draft) => Ok(self.complete(draft, is_steam_link, place)),
                    Err(refusal) => Err(self.refused(refusal, place)),
                };
                contents.rows.push(row);
            }
            None => contents.rows.push(Ok(Draft {
                issuer: self.title,
                name: self.user,
                secret: Some(SecretText::new(words.to_owned())),
                tags: self.tags,
                note: self.note,
                favorite: self.favorite,
                ..draft(place)
            })),
        }
    }

    /// A URI's draft with the entry's words where it has none of its own.
    fn complete(self, mut draft: Draft, is_steam_link: bool, place: String) -> Draft {
        let has_issuer = present(draft.issuer.as_deref())
            .or(present(draft.label_issuer.as_deref()))
            .is_some();
        // A Steam link says Steam for want of a label.
        if (!has_issuer || is_steam_link) && present(self.title.as_deref()).is_some() {
            draft.issuer = self.title.clone();
        }
        if present(draft.name.as_deref()).is_none() {
            draft.name = self.user;
        }
        let note = lines([draft.note.take(), self.note]);
        draft.note = titled(self.title.as_deref(), &draft, note);
        draft.tags.extend(self.tags);
        draft.favorite |= self.favorite;
        draft.place = place;
        draft
    }

    fn refused(self, refusal: Refusal, place: String) -> Refusal {
        let own = Draft {
            issuer: self.title,
            name: self.user,
            ..Draft::default()
        };
        Refusal {
            label: match refusal.label.is_empty() {
                true => own.label(),
                false => refusal.label,
            },
            place,
            ..refusal
        }
    }
}

/// A note that begins with what the source calls the account, if that is neither issuer nor name nor both.
pub(super) fn titled(title: Option<&str>, draft: &Draft, note: Option<String>) -> Option<String> {
    let is = |word: &Option<String>, title: &str| {
        word.as_deref().is_some_and(|word| word.trim() == title)
    };
    let title = present(title).filter(|title| {
        !is(&draft.issuer, title) && !is(&draft.name, title) && draft.label() != *title
    });
    lines([title.map(str::to_owned), note])
}

/// Texts as lines of one.
pub(super) fn lines(texts: [Option<String>; 2]) -> Option<String> {
    let texts: Vec<String> = texts
        .into_iter()
        .flatten()
        .filter(|text| !text.trim().is_empty())
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(words: &str) -> Contents {
        let mut contents = Contents::default();
        let login = Login {
            title: Some("Title".into()),
            user: Some("me".into()),
            tags: vec!["t".into()],
            note: Some("own".into()),
            favorite: true,
        };
        login.put(words, "item 1".into(), &mut contents);
        contents
    }

    fn draft_of(words: &str) -> Draft {
        put(words).rows.remove(0).ok().unwrap()
    }

    #[test]
    fn what_a_uri_leaves_out_is_the_entrys_own() {
        let draft = draft_of("otpauth://totp?secret=AA");
        assert_eq!(
            (draft.issuer.as_deref(), draft.name.as_deref()),
            (Some("Title"), Some("me"))
        );
        assert_eq!(draft.note.as_deref(), Some("own"));
        assert_eq!((draft.place.as_str(), draft.favorite), ("item 1", true));
        let draft = draft_of(" otpauth://totp/A:b?secret=AA&issuer=A ");
        assert_eq!(draft.label(), "A:b");
        assert_eq!(draft.note.as_deref(), Some("Title\nown"));
        assert_eq!(draft.tags, ["t"]);
        // A prefix is an issuer too.
        assert_eq!(draft_of("otpauth://totp/A:b?secret=AA").label(), "A:b");
        let draft = draft_of("steam://AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYU");
        assert_eq!(
            (draft.label(), draft.note),
            ("Title:me".into(), Some("own".into()))
        );
    }

    #[test]
    fn bare_secrets_migrations_and_other_links() {
        let draft = draft_of("jbsw y3dp");
        assert_eq!(draft.label(), "Title:me");
        assert_eq!(draft.secret.unwrap().expose(), "jbsw y3dp");
        let contents = put("otpauth-migration://offline?data=AA");
        assert_eq!((contents.rows.len(), contents.texts.len()), (0, 1));
        let refused = put("https://example.com/x").rows.remove(0).err().unwrap();
        assert_eq!(refused.class(), "bad_scheme");
        assert_eq!(
            (refused.place.as_str(), refused.label.as_str()),
            ("item 1", "Title:me")
        );
        let refused = put("otpauth:nonsense/x").rows.remove(0).err().unwrap();
        assert_eq!(refused.class(), "bad_type");
    }
}
