//! Values out of a message, one after another.

/// Types within types: no deeper, by the specification.
const MAX_DEPTH: u8 = 64;

/// Reads values one after another; nothing where they aren't there.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    is_big_endian: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], is_big_endian: bool) -> Self {
        Self {
            bytes,
            at: 0,
            is_big_endian,
        }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn align(&mut self, to: usize) -> Option<()> {
        let at = self.at.checked_next_multiple_of(to)?;
        self.take(at - self.at).map(|_| ())
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.align(4)?;
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        Some(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    pub(crate) fn bool(&mut self) -> Option<bool> {
        match self.u32()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A string or an object path.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let len = self.u32()? as usize;
        self.text(len)
    }

    pub(crate) fn signature(&mut self) -> Option<&'a str> {
        let len = self.u8()?.into();
        self.text(len)
    }

    fn text(&mut self, len: usize) -> Option<&'a str> {
        let text = std::str::from_utf8(self.take(len)?).ok()?;
        (self.u8()? == 0).then_some(text)
    }

    /// Begins an array of elements with this alignment, and tells where it ends.
    pub(crate) fn array(&mut self, alignment: usize) -> Option<usize> {
        let len = self.u32()? as usize;
        self.align(alignment)?;
        let end = self.at.checked_add(len)?;
        (end <= self.bytes.len()).then_some(end)
    }

    /// The strings of an array of them.
    pub(crate) fn strings(&mut self) -> Option<Vec<&'a str>> {
        let end = self.array(4)?;
        let mut strings = Vec::new();
        while self.at < end {
            strings.push(self.string()?);
        }
        (self.at == end).then_some(strings)
    }

    /// A string, or an object path, that stands in a variant.
    pub(crate) fn variant_text(&mut self) -> Option<&'a str> {
        match self.signature()? {
            "s" | "o" => self.string(),
            _ => None,
        }
    }

    /// Passes over values of these types.
    pub(crate) fn skip(&mut self, signature: &str) -> Option<()> {
        self.skip_types(signature.as_bytes(), MAX_DEPTH)
    }

    fn skip_types(&mut self, mut types: &[u8], depth: u8) -> Option<()> {
        while !types.is_empty() {
            let (first, rest) = types.split_at(type_len(types, depth)?);
            self.skip_type(first, depth)?;
            types = rest;
        }
        Some(())
    }

    fn skip_type(&mut self, one: &[u8], depth: u8) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match one {
            [b's' | b'o'] => self.string().map(|_| ()),
            [b'g'] => self.signature().map(|_| ()),
            [b'v'] => {
                let inner = self.signature()?.as_bytes();
                if type_len(inner, depth)? != inner.len() {
                    return None;
                }
                self.skip_type(inner, depth)
            }
            [b'a', element @ ..] => {
                self.at = self.array(alignment(element)?)?;
                Some(())
            }
            [b'(' | b'{', inner @ .., _] => {
                self.align(8)?;
                self.skip_types(inner, depth)
            }
            [fixed] => {
                let len = alignment(&[*fixed])?;
                self.align(len)?;
                self.take(len).map(|_| ())
            }
            [..] => None,
        }
    }
}

/// What values of a type are aligned to; for types of fixed length that length, too.
fn alignment(one: &[u8]) -> Option<usize> {
    Some(match one.first()? {
        b'y' | b'g' | b'v' => 1,
        b'n' | b'q' => 2,
        b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a' => 4,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => return None,
    })
}

/// How many characters the first complete type takes.
fn type_len(types: &[u8], depth: u8) -> Option<usize> {
    let depth = depth.checked_sub(1)?;
    match types.first()? {
        b'a' => Some(1 + type_len(types.get(1..)?, depth)?),
        open @ (b'(' | b'{') => {
            let close = if *open == b'(' { b')' } else { b'}' };
            let mut at = 1;
            while *types.get(at)? != close {
                at += type_len(types.get(at..)?, depth)?;
            }
            Some(at + 1)
        }
        _ => alignment(types).map(|_| 1),
    }
}
