//! A file looked at once, for all who have to tell whether it is theirs.

use std::cell::OnceCell;

use encoding_rs::{UTF_16BE, UTF_16LE};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::import::archive::MAX_MEMBER;
use crate::import::json::Json;
use crate::import::source::{Beside, Source};
use crate::import::table::Table;
use crate::import::xml::{self, Element};
use crate::import::{Alone, ImportError};

/// The most bytes that are read of a text; the largest real export with all its icons has a hundredth.
pub(crate) const MAX_TEXT: usize = 16 << 20;

/// A file with its views: text, JSON, XML, table. Each is made when somebody first asks.
pub(crate) struct Document<'a> {
    source: &'a Source<'a>,
    text: Option<Zeroizing<String>>,
    is_mended: bool,
    json: OnceCell<Result<Json, ImportError>>,
    xml: OnceCell<Result<Element, ImportError>>,
    table: OnceCell<Option<Table>>,
}

impl<'a> Document<'a> {
    /// Looks at a file.
    ///
    /// # Errors
    /// It is empty or too large.
    pub(crate) fn new(source: &'a Source<'a>) -> Result<Self, ImportError> {
        if source.bytes.is_empty() {
            return Err(ImportError::Empty);
        }
        if source.bytes.len() as u64 > MAX_MEMBER {
            return Err(ImportError::TooLarge {
                len: source.bytes.len() as u64,
                max: MAX_MEMBER,
            });
        }
        let decoded = decode(source.bytes);
        let is_mended = decoded.is_none();
        let text = decoded.or_else(|| mend(source.bytes));
        let is_mended = is_mended && text.is_some();
        if let Some(text) = &text
            && text.len() > MAX_TEXT
        {
            return Err(ImportError::TooLarge {
                len: text.len() as u64,
                max: MAX_TEXT as u64,
            });
        }
        Ok(Self {
            source,
            text,
            is_mended,
            json: OnceCell::new(),
            xml: OnceCell::new(),
            table: OnceCell::new(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.source.name
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.source.bytes
    }

    pub(crate) fn beside(&self) -> &'a dyn Beside {
        self.source.beside
    }

    /// The text, if it is one: UTF-8, or UTF-16 with its mark, without control characters other than space.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_ref().map(|text| text.as_str())
    }

    /// Whether the text has marks in it for bytes that are no UTF-8.
    pub(crate) fn is_mended(&self) -> bool {
        self.is_mended
    }

    /// The text, if it begins as JSON does; whether it is JSON to its end is [`Document::json`]'s to say.
    pub(crate) fn begins_as_json(&self) -> bool {
        self.text()
            .is_some_and(|text| text.trim_start().starts_with(['{', '[']))
    }

    /// The JSON value, if the text is one.
    pub(crate) fn json(&self) -> Option<&Value> {
        self.parsed_json()?.as_ref().ok().map(|json| &**json)
    }

    /// Why it isn't JSON, where it begins as if it were.
    pub(crate) fn json_error(&self) -> Option<ImportError> {
        self.parsed_json()?.as_ref().err().cloned()
    }

    fn parsed_json(&self) -> Option<&Result<Json, ImportError>> {
        if !self.begins_as_json() {
            return None;
        }
        let text = self.text()?;
        Some(self.json.get_or_init(|| Json::parse(text.as_bytes())))
    }

    /// The root of the XML document, if it is one.
    pub(crate) fn xml(&self) -> Option<&Element> {
        self.parsed_xml()?.as_ref().ok()
    }

    /// Why it isn't XML, where it begins as if it were.
    pub(crate) fn xml_error(&self) -> Option<ImportError> {
        self.parsed_xml()?.as_ref().err().cloned()
    }

    fn parsed_xml(&self) -> Option<&Result<Element, ImportError>> {
        let text = self.text()?.trim_start();
        if !text.starts_with('<') {
            return None;
        }
        Some(self.xml.get_or_init(|| xml::parse(text)))
    }

    /// The rows of a CSV file, if its first line can be the names of columns.
    pub(crate) fn table(&self) -> Option<&Table> {
        let text = self.text()?;
        self.table
            .get_or_init(|| Table::parse(text.as_bytes()))
            .as_ref()
    }
}

/// Reads text that was sealed inside a file, as a file of its own.
pub(crate) fn within<T>(
    bytes: &[u8],
    read: impl FnOnce(&Document<'_>) -> Result<T, ImportError>,
) -> Result<T, ImportError> {
    let source = Source {
        name: "",
        bytes,
        beside: &Alone,
    };
    read(&Document::new(&source)?)
}

/// Text in the encodings that programs write: UTF-8 with and without its mark, UTF-16 with it, as PowerShell's `>` writes.
fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let utf16 = |encoding: &'static encoding_rs::Encoding, rest: &[u8]| {
        encoding
            .decode_without_bom_handling_and_without_replacement(rest)
            .map(|text| Zeroizing::new(text.into_owned()))
    };
    let text = if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        utf16(UTF_16LE, rest)
    } else if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        utf16(UTF_16BE, rest)
    } else {
        let rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        std::str::from_utf8(rest)
            .ok()
            .map(|text| Zeroizing::new(text.to_owned()))
    }?;
    // No text has these; a label with an escape character in it is still a label, to be cleaned.
    (!text.contains('\0')).then_some(text)
}

/// Text in another encoding, or with a byte of it spoilt: each byte that is no UTF-8 becomes a mark, since the secrets in it
/// are ASCII. Only what is mostly ASCII is taken for text.
fn mend(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let is_text = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n');
    let ascii = bytes.iter().filter(is_text).count();
    (ascii > bytes.len() / 4 * 3 && !bytes.iter().any(is_control))
        .then(|| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()))
}
