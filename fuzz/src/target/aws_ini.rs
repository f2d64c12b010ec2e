//! AWS's files from any bytes: what can be read can be changed, and says what was set and otherwise what it said before.
//!
//! Section, key and value come first, each up to a zero byte; the file is the rest.
use vmfa::aws::ini::{Change, EditError, Ini, edit};
use vmfa::aws::profile::Profiles;

/// Every section with its keys and what stands on one line behind them, but for one key.
fn told<'a>(ini: &'a Ini, section: &str, key: &str) -> Vec<(&'a str, &'a str, Option<&'a str>)> {
    let sections = ini.sections().iter();
    let entries = sections.flat_map(|one| one.own().iter().map(move |entry| (one.name(), entry)));
    entries
        .map(|(name, entry)| (name, entry.key(), entry.text()))
        .filter(|(name, other, _)| (*name, *other) != (section, key))
        .collect()
}

pub fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == 0);
    let mut word = || std::str::from_utf8(parts.next()?).ok();
    let (Some(section), Some(key), Some(value)) = (word(), word(), word()) else {
        return;
    };
    let file = parts.next().unwrap_or_default();
    let Ok(before) = Ini::read(file) else {
        let set = Change::Set {
            section,
            key,
            value,
        };
        assert!(matches!(edit(file, &[set]), Err(EditError::Unreadable(_))));
        return;
    };
    let set = Change::Set {
        section,
        key,
        value,
    };
    if let Ok(text) = edit(file, &[set]) {
        let after = Ini::read(&text).expect("what was written is read");
        let found = after.section(section).and_then(|one| after.get(one, key));
        if section != "DEFAULT" {
            assert_eq!(found.and_then(|entry| entry.text()), Some(value));
        }
        assert_eq!(told(&before, section, key), told(&after, section, key));
    }
    if let Ok(text) = edit(file, &[Change::Remove { section, key }]) {
        let after = Ini::read(&text).expect("what was written is read");
        let own = after.section(section).map(|one| one.own());
        assert!(!own.into_iter().flatten().any(|entry| entry.key() == key));
        assert_eq!(told(&before, section, key), told(&after, section, key));
    }
    let profiles = Profiles::new(Some(before), Ini::read(file).ok());
    for name in profiles.names() {
        if let Ok(chain) = profiles.chain(name) {
            assert!(!chain.is_empty());
        }
    }
}
