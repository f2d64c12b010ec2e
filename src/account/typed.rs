//! What a person types for an account: cleaned like what a file says, and refused where it is too long.
//!
//! A file's words are cut with a warning, as there is nobody to ask; who types can be told.

use crate::account::text::{Fitted, fit};
use crate::account::{Field, MAX_LABEL, MAX_NOTE, MAX_TAGS, Reason, Refusal};

/// An issuer, an account name or a serial number, cleaned and trimmed. It may come out empty.
///
/// # Errors
/// It is longer than [`MAX_LABEL`] bytes; the refusal names the field.
pub fn label(text: &str, field: Field) -> Result<String, Refusal> {
    within(text, field, MAX_LABEL)
}

/// A note, cleaned and trimmed. It may come out empty.
///
/// # Errors
/// It is longer than [`MAX_NOTE`] bytes.
pub fn note(text: &str) -> Result<String, Refusal> {
    within(text, Field::Note, MAX_NOTE)
}

/// A tag, cleaned and trimmed. It may come out empty, and then is none.
///
/// # Errors
/// It is longer than [`MAX_LABEL`] bytes.
pub fn tag(text: &str) -> Result<String, Refusal> {
    within(text, Field::Tags, MAX_LABEL)
}

/// Adds a tag to others, unless it is empty or there already.
///
/// # Errors
/// As [`tag`]; or there are [`MAX_TAGS`] others. The tags are as they were then.
pub fn add_tag(tags: &mut Vec<String>, text: &str) -> Result<(), Refusal> {
    let tag = tag(text)?;
    if tag.is_empty() || tags.contains(&tag) {
        return Ok(());
    }
    if tags.len() >= MAX_TAGS {
        return Err(Refusal::of(Field::Tags, Reason::TooMany { max: MAX_TAGS }));
    }
    tags.push(tag);
    Ok(())
}

fn within(text: &str, field: Field, max: usize) -> Result<String, Refusal> {
    match fit(text, max) {
        Fitted { was_cut: true, .. } => Err(Refusal::of(field, Reason::TooLong { max })),
        Fitted { text, .. } => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_cleaned_and_what_is_longer_is_refused() {
        assert_eq!(label(" a\u{1b}[2Jb\n", Field::Name).unwrap(), "a[2Jb");
        assert_eq!(label("", Field::Issuer).unwrap(), "");
        let longest = "é".repeat(MAX_LABEL / 2);
        assert_eq!(
            label(&format!(" {longest} "), Field::Name).unwrap(),
            longest
        );
        assert_eq!(tag(&longest).unwrap(), longest);
        let refused = |given: Result<String, Refusal>| given.unwrap_err().to_string();
        let longer = format!("{longest}x");
        assert_eq!(
            refused(label(&longer, Field::Name)),
            "account name: it is longer than 1024 bytes"
        );
        assert_eq!(refused(tag(&longer)), "tags: it is longer than 1024 bytes");
        assert_eq!(note(&"x".repeat(MAX_NOTE)).unwrap().len(), MAX_NOTE);
        assert_eq!(
            refused(note(&"x".repeat(MAX_NOTE + 1))),
            "note: it is longer than 16384 bytes"
        );
    }

    #[test]
    fn tags_are_added_once_and_not_without_end() {
        let mut tags = Vec::new();
        for tag in ["a", "b\u{202e}", " ", "b", ""] {
            add_tag(&mut tags, tag).unwrap();
        }
        assert_eq!(tags, ["a", "b"]);
        for number in 2..MAX_TAGS {
            add_tag(&mut tags, &number.to_string()).unwrap();
        }
        assert_eq!(
            add_tag(&mut tags, "more").unwrap_err().to_string(),
            "tags: there are more than 64"
        );
        add_tag(&mut tags, "a").unwrap();
        assert_eq!(tags.len(), MAX_TAGS);
    }
}
