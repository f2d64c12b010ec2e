//! An Android app's preferences: `<map>` of texts and numbers under names, copied off a rooted phone.

use crate::import::document::Document;
use crate::import::xml::Element;

/// The values, if the file is one, in the order in which they stand.
pub(crate) fn values<'a>(document: &'a Document<'_>) -> Option<Vec<(&'a str, &'a str)>> {
    let map = document.xml().filter(|root| root.name == "map")?;
    Some(map.children.iter().filter_map(named).collect())
}

/// The value under a name.
pub(crate) fn value<'a>(document: &'a Document<'_>, name: &str) -> Option<&'a str> {
    let map = document.xml().filter(|root| root.name == "map")?;
    let mut named = map.children.iter().filter_map(named);
    named
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// Texts stand in the element, numbers and truth values in its attribute.
fn named(element: &Element) -> Option<(&str, &str)> {
    let name = element.attribute("name")?;
    let value = match element.name.as_str() {
        "string" => element.text.as_str(),
        _ => element.attribute("value")?,
    };
    Some((name, value))
}
