//! KeePass's document: groups with entries in them, each with the past of its own, and a recycle bin.

use zeroize::Zeroizing;

use crate::import::format::keepass::codes;
use crate::import::login::Login;
use crate::import::words::tag;
use crate::import::xml::Element;
use crate::import::{Contents, ImportError, Other};

/// Every code of every entry. Groups are tags, save the one around all.
///
/// # Errors
/// The document isn't KeePass's.
pub(super) fn read(root: &Element) -> Result<Contents, ImportError> {
    let groups = root
        .child("Root")
        .filter(|_| root.name == "KeePassFile")
        .ok_or_else(|| ImportError::damaged("the KeePass document has no root"))?;
    let meta = root.child("Meta");
    let said = |name| {
        meta.and_then(|meta| meta.child(name))
            .map(|said| said.text.trim())
    };
    let mut walk = Walk {
        // The bin of a database that has none is all zeros, and no group is called so.
        bin: said("RecycleBinUUID").unwrap_or_default(),
        contents: Contents::default(),
        entries: 0,
    };
    for group in groups.all("Group") {
        walk.group(group, &[], false);
    }
    Ok(walk.contents)
}

struct Walk<'a> {
    bin: &'a str,
    contents: Contents,
    entries: usize,
}

impl Walk<'_> {
    /// A group and those in it; the parser bounds how deep they are.
    fn group(&mut self, group: &Element, path: &[String], is_thrown: bool) {
        let id = group.child("UUID").map_or("", |id| id.text.trim());
        let is_thrown = is_thrown || (!id.is_empty() && id == self.bin);
        for child in &group.children {
            match child.name.as_str() {
                "Entry" if is_thrown => self.contents.skip(Other::Trashed),
                "Entry" => self.entry(child, path),
                "Group" => {
                    let name = child.child("Name").map_or("", |name| name.text.trim());
                    let mut path = path.to_vec();
                    path.push(tag(name));
                    self.group(child, &path, is_thrown);
                }
                _ => {}
            }
        }
    }

    fn entry(&mut self, entry: &Element, path: &[String]) {
        self.entries += 1;
        let fields: Vec<(&str, &Zeroizing<String>)> = entry
            .all("String")
            .filter_map(|field| {
                Some((field.child("Key")?.text.trim(), &field.child("Value")?.text))
            })
            .collect();
        let field = |name: &str| {
            let same = |(key, _): &&(&str, _)| key.eq_ignore_ascii_case(name);
            fields.iter().find(same).map(|(_, value)| value.as_str())
        };
        let word = |name| field(name).unwrap_or_default().trim().to_owned();
        let own = entry.child("Tags").map_or("", |tags| tags.text.as_str());
        let own = own.split([';', ',']).map(|tag| tag.trim().to_owned());
        let login = Login {
            // It may hold anything: passwords, recovery codes.
            note: None,
            title: word("Title"),
            user: word("UserName"),
            tags: path.iter().cloned().chain(own).collect(),
            favorite: false,
            place: format!("entry {}", self.entries),
        };
        let found = codes(&field, &login);
        if found.is_empty() {
            self.contents.skip(Other::Login);
        }
        self.contents.rows.extend(found);
    }
}
