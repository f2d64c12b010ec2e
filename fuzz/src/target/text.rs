//! Text from outside: once cleaned it stays as it is, and nothing in it steers a terminal.

use vmfa::account::Field;
use vmfa::account::text::clean;
use vmfa::account::typed;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let cleaned = clean(&text);
    assert_eq!(clean(&cleaned), cleaned);
    assert!(cleaned.chars().count() <= text.chars().count());
    for character in cleaned.chars() {
        assert!(!character.is_control(), "{character:?}");
        // Marks, embeddings, overrides and isolates of direction, and what can't be seen.
        assert!(
            !matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        );
    }
    if let Ok(label) = typed::label(&text, Field::Name) {
        assert_eq!(label, clean(&label));
        assert!(label.len() <= vmfa::account::MAX_LABEL && label.trim() == label);
        assert_eq!(typed::label(&label, Field::Name).ok(), Some(label));
    }
    let mut tags = Vec::new();
    for tag in text.split(',') {
        let before = tags.len();
        let added = typed::add_tag(&mut tags, tag);
        assert!(tags.len() <= vmfa::account::MAX_TAGS && (added.is_ok() || tags.len() == before));
    }
}
