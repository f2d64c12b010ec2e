//! Java's serialization, as far as a map of texts needs it: what FreeOTP 2 calls a backup.
//!
//! The general readers of it trust lengths and nest without end; a backup needs five kinds of records and no nesting. Nothing
//! is allocated by a length that the file claims.
//!
//! After the Java Object Serialization Specification, section 6, and the documentation of `HashMap.writeObject`.

use zeroize::Zeroizing;

use crate::import::ImportError;

/// What every stream begins with: the magic and version 5.
pub(crate) const MAGIC: [u8; 4] = [0xac, 0xed, 0, 5];

/// More texts than any backup has.
const MAX_TEXTS: usize = 1 << 17;

/// The number of the first thing in a stream that can be referred to.
const FIRST_HANDLE: u32 = 0x7e_0000;

/// A text in a map; none for Java's `null`.
type Text = Option<Zeroizing<String>>;

/// Reads a map of texts, in the order in which it was written.
///
/// # Errors
/// It is cut off, or is something other than a map of texts.
pub(crate) fn map(bytes: &[u8]) -> Result<Vec<(Text, Text)>, ImportError> {
    let mut stream = Stream {
        rest: bytes,
        at: 0,
        known: Vec::new(),
    };
    if stream.take(4)? != MAGIC {
        return Err(stream.broken("it is no Java stream"));
    }
    stream.head()?;
    // The map's own data: how many buckets it had, how many pairs follow.
    let data = stream.block()?;
    let count = match data {
        [_, _, _, _, count @ ..] => count
            .try_into()
            .map(u32::from_be_bytes)
            .map_err(|_| stream.broken("the map says nothing of its size"))?,
        _ => return Err(stream.broken("the map says nothing of its size")),
    };
    let mut pairs = Vec::new();
    for _ in 0..count {
        if pairs.len() > MAX_TEXTS {
            return Err(stream.broken("the map is too large"));
        }
        let key = stream.text()?;
        pairs.push((key, stream.text()?));
    }
    Ok(pairs)
}

struct Stream<'a> {
    rest: &'a [u8],
    at: usize,
    /// What can be referred to by number; what is no text has none.
    known: Vec<Text>,
}

impl<'a> Stream<'a> {
    fn broken(&self, what: &str) -> ImportError {
        ImportError::damaged(format!("{what}, at byte {}", self.at))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ImportError> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.broken("it is cut off"));
        };
        self.rest = rest;
        self.at += len;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ImportError> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<usize, ImportError> {
        let bytes = self.take(2)?;
        Ok(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    fn int(&mut self) -> Result<u32, ImportError> {
        let bytes = self.take(4)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn expect(&mut self, kind: u8, what: &str) -> Result<(), ImportError> {
        match self.byte()? {
            found if found == kind => Ok(()),
            _ => Err(self.broken(what)),
        }
    }

    /// An object of one class, with plain fields, whose values are of no use here. Subclasses such as `LinkedHashMap` name the
    /// class they extend behind their own.
    fn head(&mut self) -> Result<(), ImportError> {
        /// Deeper than any map of Java's is derived.
        const MAX_CLASSES: usize = 4;
        self.expect(OBJECT, "it holds no object")?;
        let mut sizes = Vec::new();
        loop {
            match self.byte()? {
                CLASS if sizes.len() < MAX_CLASSES => sizes.push(self.class()?),
                NULL if !sizes.is_empty() => break,
                _ => return Err(self.broken("it holds no map")),
            }
        }
        self.known.push(None);
        // Values stand from the class that all extend to the one that extends all; the map's data follows its own values, and
        // it is the first.
        let map = sizes.pop().unwrap_or_default();
        self.take(map)?;
        Ok(())
    }

    /// A description of a class. Gives the bytes of its fields' values.
    fn class(&mut self) -> Result<usize, ImportError> {
        let name = self.short()?;
        self.take(name)?;
        // The serialVersionUID, which says nothing here, and the flags.
        self.take(9)?;
        self.known.push(None);
        let mut size = 0;
        for _ in 0..self.short()? {
            size += match self.byte()? {
                b'B' | b'Z' => 1,
                b'C' | b'S' => 2,
                b'F' | b'I' => 4,
                b'D' | b'J' => 8,
                _ => return Err(self.broken("the map has fields that no map has")),
            };
            let name = self.short()?;
            self.take(name)?;
        }
        self.expect(END, "the class is annotated")?;
        Ok(size)
    }

    fn block(&mut self) -> Result<&'a [u8], ImportError> {
        self.expect(BLOCK, "the map has no data")?;
        let len = usize::from(self.byte()?);
        self.take(len)
    }

    fn text(&mut self) -> Result<Text, ImportError> {
        let len = match self.byte()? {
            NULL => return Ok(None),
            REFERENCE => {
                let number = self.int()?.wrapping_sub(FIRST_HANDLE) as usize;
                return match self.known.get(number) {
                    Some(Some(text)) if text.len() <= MAX_REFERRED => Ok(Some(text.clone())),
                    Some(_) | None => Err(self.broken("it refers to no text")),
                };
            }
            TEXT => self.short()?,
            LONG_TEXT => {
                let (high, low) = (self.int()?, self.int()?);
                if high != 0 {
                    return Err(self.broken("it is cut off"));
                }
                low as usize
            }
            _ => return Err(self.broken("it holds something other than texts")),
        };
        let text = modified_utf8(self.take(len)?);
        let is_short = text.len() <= MAX_REFERRED;
        self.known.push(is_short.then(|| text.clone()));
        Ok(Some(text))
    }
}

/// The longest text that is referred to instead of being written again: what FreeOTP repeats are short names.
const MAX_REFERRED: usize = 1024;

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const TEXT: u8 = 0x74;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const LONG_TEXT: u8 = 0x7c;

/// Java's own UTF-8: NUL in two bytes, and what UTF-16 writes as two surrogates as these two, in three bytes each. What is
/// none of that becomes U+FFFD.
fn modified_utf8(bytes: &[u8]) -> Zeroizing<String> {
    let mut units: Zeroizing<Vec<u16>> = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    loop {
        let low = |byte: u8| u16::from(byte & 0x3f);
        let (unit, len) = match *rest {
            [] => break,
            [one @ 1..=0x7f, ..] => (u16::from(one), 1),
            [one @ 0xc0..=0xdf, two @ 0x80..=0xbf, ..] => {
                (u16::from(one & 0x1f) << 6 | low(two), 2)
            }
            [
                one @ 0xe0..=0xef,
                two @ 0x80..=0xbf,
                three @ 0x80..=0xbf,
                ..,
            ] => (u16::from(one & 0x0f) << 12 | low(two) << 6 | low(three), 3),
            [_, ..] => (0xfffd, 1),
        };
        units.push(unit);
        rest = &rest[len..];
    }
    // Three bytes a unit are the most that it can become: one allocation, so that no copy stays behind.
    let mut text = Zeroizing::new(String::with_capacity(units.len() * 3));
    for character in char::decode_utf16(units.iter().copied()) {
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What OpenJDK 17 writes for a `HashMap` of "a" to "é😀\0" and of "b" to the same text.
    fn sample() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(b"\x73\x72\0\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\0\x02");
        bytes.extend(b"F\0\x0aloadFactorI\0\x09threshold\x78\x70");
        bytes.extend([0x3f, 0x40, 0, 0, 0, 0, 0, 12]);
        bytes.extend([0x77, 8, 0, 0, 0, 16, 0, 0, 0, 2]);
        bytes.extend(b"\x74\0\x01a");
        bytes.extend([
            0x74, 0, 10, 0xc3, 0xa9, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, 0xc0, 0x80,
        ]);
        bytes.extend(b"\x74\0\x01b\x71\0\x7e\0\x03\x78");
        bytes
    }

    #[test]
    fn a_map_with_a_reference_and_characters_outside_the_basic_plane() {
        let pairs = map(&sample()).ok().unwrap();
        let texts: Vec<[&str; 2]> = pairs
            .iter()
            .map(|(key, value)| [key.as_ref().unwrap().as_str(), value.as_ref().unwrap()])
            .collect();
        assert_eq!(texts, [["a", "é😀\0"], ["b", "é😀\0"]]);
    }

    #[test]
    fn cut_off_anywhere_it_is_refused_and_lengths_are_not_believed() {
        let whole = sample();
        for end in 0..whole.len() - 1 {
            assert!(map(&whole[..end]).is_err(), "{end}");
        }
        let mut long = whole.clone();
        let text = long.iter().position(|byte| *byte == b'a').unwrap();
        long.truncate(text);
        for claim in [
            &b"\x7c\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            b"\x7c\0\0\0\0\xff\xff\xff\xff",
        ] {
            let mut bytes = whole.clone();
            let key = bytes
                .windows(4)
                .position(|four| four == b"\x74\0\x01a")
                .unwrap();
            bytes.truncate(key);
            bytes.extend(claim);
            assert!(map(&bytes).is_err());
        }
        for at in 0..whole.len() {
            for value in [0, 0x70, 0x71, 0x72, 0x73, 0x7c, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let _ = map(&bytes);
            }
        }
    }
}
