//! XML as far as exports use it: elements, attributes and text. A document type is refused, so that no entity can grow.

use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use crate::import::ImportError;

/// Nesting beyond this is no export.
const MAX_DEPTH: usize = 64;
/// More elements than this are no export either.
const MAX_ELEMENTS: usize = 1 << 20;

/// An element.
#[derive(Default)]
pub(crate) struct Element {
    /// Its name, without a prefix.
    pub(crate) name: String,
    /// Its attributes, in order.
    pub(crate) attributes: Vec<(String, Zeroizing<String>)>,
    /// Its own text, all pieces of it.
    pub(crate) text: Zeroizing<String>,
    /// The elements in it.
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// An attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str())
    }

    /// The first element of that name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of that name in it.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document.
///
/// # Errors
/// It isn't well-formed, is nested too deep, or declares a document type.
pub(crate) fn parse(text: &str) -> Result<Element, ImportError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut count = 0;
    let broken = |at: u64| ImportError::damaged(format!("the XML breaks off at byte {at}"));
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|_| broken(at))?;
        let begun = matches!(event, Event::Start(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                count += 1;
                if count > MAX_ELEMENTS || open.len() > MAX_DEPTH {
                    return Err(ImportError::damaged(
                        "the XML is nested too deep or too large",
                    ));
                }
                let mut element = Element {
                    name: tag.local_name().as_ref().to_owned(),
                    ..Element::default()
                };
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|_| broken(at))?;
                    let value = attribute
                        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                        .map_err(|_| broken(at))?;
                    element.attributes.push((
                        attribute.key.local_name().as_ref().to_owned(),
                        Zeroizing::new(value.into_owned()),
                    ));
                }
                if begun {
                    open.push(element);
                } else {
                    top(&mut open).children.push(element);
                }
            }
            Event::End(_) => {
                let done = open.pop().filter(|_| !open.is_empty());
                top(&mut open)
                    .children
                    .push(done.ok_or_else(|| broken(at))?);
            }
            Event::Text(text) => top(&mut open).text.push_str(&text),
            Event::CData(text) => top(&mut open).text.push_str(&text),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character.to_string()),
                    Ok(None) => {
                        quick_xml::escape::resolve_predefined_entity(&reference).map(str::to_owned)
                    }
                    Err(_) => None,
                };
                let character = character.ok_or_else(|| broken(at))?;
                top(&mut open).text.push_str(&character);
            }
            Event::DocType(_) => {
                return Err(ImportError::damaged(
                    "the XML declares a document type, which no export needs",
                ));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let mut root = open.pop().filter(|_| open.is_empty());
    root.as_mut()
        .and_then(|root| root.children.pop())
        .ok_or_else(|| broken(reader.buffer_position()))
}

/// The innermost open element. There always is one: what closes it is refused before.
fn top(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::default());
    }
    open.last_mut().expect("pushed when there was none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_text_come_out_unescaped() {
        let root = parse(
            "<?xml version='1.0'?><map>\n<string name=\"a&amp;b\">&lt;x&gt; &#x65E5;<![CDATA[<&]]></string><int name='n' value='3' /></map>",
        );
        let root = root.ok().unwrap();
        assert_eq!(root.name, "map");
        let string = root.child("string").unwrap();
        assert_eq!(string.attribute("name"), Some("a&b"));
        assert_eq!(string.text.as_str(), "<x> 日<&");
        assert_eq!(root.child("int").unwrap().attribute("value"), Some("3"));
    }

    #[test]
    fn what_could_grow_or_never_end_is_refused() {
        for text in [
            "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>",
            "<a>&b;</a>",
            "<a><b></a>",
            "<a",
            "</a>",
            "<a></a></b>",
            &"<a>".repeat(MAX_DEPTH + 2),
        ] {
            assert!(parse(text).is_err(), "{text:.40}");
        }
    }
}
