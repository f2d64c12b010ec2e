//! Apple's keyed archives: a binary property list that holds a list of objects, which refer to each other by their numbers.
//!
//! A reader that makes a tree of a property list can be made to grow it without end, since one object may stand in it many
//! times. Here nothing is built: each question follows the numbers it needs, in the bytes as they are.

use crate::cipher::Plain;
use crate::import::ImportError;

/// What a binary property list begins with.
pub(crate) const MAGIC: &[u8] = b"bplist00";

/// The bytes at its end that say where everything is.
const TRAILER: usize = 32;
/// More objects than any backup has.
const MAX_OBJECTS: usize = 1 << 20;
/// More members than any object of an app has, and more elements than any list.
const MAX_KEYS: usize = 256;
const MAX_ELEMENTS: usize = 1 << 16;

/// An archive.
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    /// Where each object of the property list stands.
    offsets: Vec<usize>,
    /// The bytes of a number of one.
    reference: usize,
    /// The archived objects: their numbers in the property list.
    objects: Vec<usize>,
    root: usize,
}

/// An object of an archive.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    archive: &'a Archive<'a>,
    /// Its number in the property list.
    number: usize,
}

/// What stands in the property list under a number.
enum Item<'a> {
    Bytes(&'a [u8]),
    Ascii(&'a [u8]),
    /// UTF-16, the high byte first.
    Utf16(&'a [u8]),
    Integer(i64),
    Real(f64),
    Truth(bool),
    /// The number of an archived object.
    Archived(usize),
    /// The numbers of elements.
    List(&'a [u8]),
    /// The numbers of keys, and of values.
    Dictionary(&'a [u8], &'a [u8]),
}

impl<'a> Archive<'a> {
    /// Looks at an archive.
    ///
    /// # Errors
    /// It is damaged, or a property list of another kind.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let broken = || ImportError::damaged("the archive in it is no keyed archive");
        Self::parse(bytes).ok_or_else(broken)
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) {
            return None;
        }
        let end = bytes.len().checked_sub(TRAILER)?;
        let trailer = &bytes[end..];
        let (width, reference) = (usize::from(trailer[6]), usize::from(trailer[7]));
        let number = |at: usize| usize::try_from(big_endian(&trailer[at..at + 8])?).ok();
        let (count, top, table) = (number(8)?, number(16)?, number(24)?);
        if !(1..=8).contains(&width) || !(1..=8).contains(&reference) || count > MAX_OBJECTS {
            return None;
        }
        let table = bytes[..end]
            .get(table..)?
            .get(..count.checked_mul(width)?)?;
        let offsets = table
            .chunks_exact(width)
            .map(|offset| usize::try_from(big_endian(offset)?).ok())
            .collect::<Option<Vec<usize>>>()?;
        let mut archive = Self {
            bytes: &bytes[..end],
            offsets,
            reference,
            objects: Vec::new(),
            root: 0,
        };
        let objects = archive.member(top, "$objects")?;
        let Item::List(list) = archive.item(objects)? else {
            return None;
        };
        let objects = archive.numbers(list).collect();
        archive.objects = objects;
        let tops = archive.member(top, "$top")?;
        archive.root = archive.resolved(archive.member(tops, "root")?)?;
        Some(archive)
    }

    /// The object that all others hang on.
    pub(crate) fn root(&'a self) -> Object<'a> {
        Object {
            archive: self,
            number: self.root,
        }
    }

    fn numbers(&self, list: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
        let reference = self.reference;
        list.chunks_exact(reference)
            .map(|number| big_endian(number).and_then(|number| usize::try_from(number).ok()))
            .map(|number| number.unwrap_or(usize::MAX))
    }

    fn item(&self, number: usize) -> Option<Item<'a>> {
        let (&kind, rest) = self
            .bytes
            .get(*self.offsets.get(number)?..)?
            .split_first()?;
        let low = usize::from(kind & 15);
        match kind >> 4 {
            0 if low == 8 || low == 9 => Some(Item::Truth(low == 9)),
            // Numbers of 16 bytes are unsigned ones of 8; what is above 2^63 is nothing here.
            1 if low <= 4 => {
                let bytes = rest.get(..1 << low)?;
                let bytes = &bytes[bytes.len().saturating_sub(8)..];
                let number = big_endian(bytes)?;
                Some(Item::Integer(match bytes.len() {
                    8 => number as i64,
                    _ => i64::try_from(number).ok()?,
                }))
            }
            2 if low == 2 => {
                let bytes = rest.get(..4)?.try_into().ok()?;
                Some(Item::Real(f32::from_be_bytes(bytes).into()))
            }
            2 if low == 3 => {
                let bytes = rest.get(..8)?.try_into().ok()?;
                Some(Item::Real(f64::from_be_bytes(bytes)))
            }
            8 => {
                let number = big_endian(rest.get(..low + 1)?)?;
                Some(Item::Archived(usize::try_from(number).ok()?))
            }
            4 => self.sized(low, rest, 1).map(Item::Bytes),
            5 => self.sized(low, rest, 1).map(Item::Ascii),
            6 => self.sized(low, rest, 2).map(Item::Utf16),
            10 => self.sized(low, rest, self.reference).map(Item::List),
            13 => {
                let both = self.sized(low, rest, self.reference * 2)?;
                let (keys, values) = both.split_at(both.len() / 2);
                (keys.len() / self.reference <= MAX_KEYS).then_some(Item::Dictionary(keys, values))
            }
            _ => None,
        }
    }

    /// What is counted: the count in four bits, or in a number that follows.
    fn sized(&self, low: usize, rest: &'a [u8], each: usize) -> Option<&'a [u8]> {
        let (count, rest) = match low {
            15 => {
                let (&kind, rest) = rest.split_first()?;
                if kind >> 4 != 1 || kind & 15 > 3 {
                    return None;
                }
                let (count, rest) = rest.split_at_checked(1 << (kind & 15))?;
                (usize::try_from(big_endian(count)?).ok()?, rest)
            }
            count => (count, rest),
        };
        rest.get(..count.checked_mul(each)?)
    }

    /// The number of a dictionary's value.
    fn member(&self, dictionary: usize, key: &str) -> Option<usize> {
        let Item::Dictionary(keys, values) = self.item(dictionary)? else {
            return None;
        };
        let place = self
            .numbers(keys)
            .position(|number| self.is_text(number, key))?;
        self.numbers(values).nth(place)
    }

    fn is_text(&self, number: usize, text: &str) -> bool {
        match self.item(number) {
            Some(Item::Ascii(ascii)) => ascii == text.as_bytes(),
            Some(Item::Utf16(units)) => units
                .chunks_exact(2)
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                .eq(text.encode_utf16()),
            _ => false,
        }
    }

    /// The object itself, where the number is of a reference to one. None for what stands for nothing.
    fn resolved(&self, number: usize) -> Option<usize> {
        let number = match self.item(number)? {
            Item::Archived(index) => *self.objects.get(index)?,
            _ => number,
        };
        (!self.is_text(number, "$null")).then_some(number)
    }
}

impl<'a> Object<'a> {
    fn at(&self, number: usize) -> Option<Self> {
        let archive = self.archive;
        Some(Self {
            archive,
            number: archive.resolved(number)?,
        })
    }

    /// A member: of an object of the app's own, or of a dictionary, which archives its keys and values as two lists.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        if let Some(number) = self.archive.member(self.number, key) {
            return self.at(number);
        }
        let keys = self.archive.member(self.number, "NS.keys")?;
        let values = self.archive.member(self.number, "NS.objects")?;
        let (Item::List(keys), Item::List(values)) =
            (self.archive.item(keys)?, self.archive.item(values)?)
        else {
            return None;
        };
        let is_key = |number: usize| {
            let resolved = self.archive.resolved(number);
            resolved.is_some_and(|number| self.archive.is_text(number, key))
        };
        let place = self.archive.numbers(keys).take(MAX_KEYS).position(is_key)?;
        self.at(self.archive.numbers(values).nth(place)?)
    }

    /// The elements of a list; of anything else none.
    pub(crate) fn list(&self) -> Vec<Self> {
        let inner = self.archive.member(self.number, "NS.objects");
        let Some(Item::List(list)) = self.archive.item(inner.unwrap_or(self.number)) else {
            return Vec::new();
        };
        self.archive
            .numbers(list)
            .take(MAX_ELEMENTS)
            .filter_map(|number| self.at(number))
            .collect()
    }

    /// A text, or a number in words.
    pub(crate) fn word(&self) -> Option<String> {
        let inner = self.archive.member(self.number, "NS.string");
        match self.archive.item(inner.unwrap_or(self.number))? {
            Item::Ascii(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Item::Utf16(units) => {
                let units: Vec<u16> = units
                    .chunks_exact(2)
                    .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                    .collect();
                Some(String::from_utf16_lossy(&units))
            }
            Item::Integer(number) => Some(number.to_string()),
            Item::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                Some((number as i64).to_string())
            }
            Item::Real(number) => Some(number.to_string()),
            Item::Truth(truth) => Some(truth.to_string()),
            Item::Bytes(_) | Item::Archived(_) | Item::List(_) | Item::Dictionary(..) => None,
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> Option<Plain> {
        let inner = self.archive.member(self.number, "NS.data");
        match self.archive.item(inner.unwrap_or(self.number))? {
            Item::Bytes(bytes) => Some(Plain::new(bytes.to_vec())),
            _ => None,
        }
    }
}

/// A number of up to eight bytes.
fn big_endian(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's plistlib writes for a root with a text outside ASCII, bytes, a list and a dictionary.
    fn sample() -> Vec<u8> {
        crate::import::words::from_hex(SAMPLE).unwrap().to_vec()
    }

    const SAMPLE: &str = include_str!("archiver/sample.hex");

    #[test]
    fn texts_bytes_lists_and_dictionaries() {
        let bytes = sample();
        let archive = Archive::new(&bytes).ok().unwrap();
        let root = archive.root();
        assert_eq!(root.get("name").unwrap().word().as_deref(), Some("電話 📱"));
        assert_eq!(root.get("period").unwrap().word().as_deref(), Some("30"));
        assert_eq!(
            root.get("secret").unwrap().bytes().unwrap().as_slice(),
            [1, 2, 255]
        );
        assert!(root.get("none").is_none());
        assert!(root.get("missing").is_none());
        let list = root.get("list").unwrap().list();
        let words: Vec<String> = list.iter().filter_map(Object::word).collect();
        assert_eq!(words, ["a", "-7"]);
        let inner = root.get("inner").unwrap();
        assert_eq!(inner.get("key").unwrap().word().as_deref(), Some("value"));
    }

    #[test]
    fn cut_off_or_changed_anywhere_it_is_answered() {
        let whole = sample();
        for end in 0..whole.len() {
            assert!(Archive::new(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x0f, 0x1f, 0x80, 0xaf, 0xdf, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if let Ok(archive) = Archive::new(&bytes) {
                    let root = archive.root();
                    for key in ["name", "secret", "list", "inner"] {
                        if let Some(object) = root.get(key) {
                            let _ = (object.word(), object.bytes(), object.list().len());
                        }
                    }
                }
            }
        }
    }
}
