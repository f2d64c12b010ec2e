//! As much of Protocol Buffers' wire format as a migration needs: fields in any order, unknown ones skipped.

/// The message breaks off or contradicts itself at this byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) at: usize,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Wire type 0. A negative int32 is written as ten bytes, as if it were 64 bits long.
    Varint(u64),
    /// Wire type 2: bytes, text or a message.
    Bytes(&'a [u8]),
    /// Wire types 1 and 5, which no field of ours has.
    Fixed,
}

/// The fields of a message one after the other; after the first broken one there are no more.
pub(super) struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

/// Reads a message.
pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message, at: 0 }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.message.len() {
            return None;
        }
        let begin = self.at;
        let field = self.field().ok_or(Broken { at: begin });
        if field.is_err() {
            self.at = self.message.len();
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups (3 and 4) are long gone; 6 and 7 never were.
            _ => return None,
        };
        match tag >> 3 {
            0 => None,
            number => Some((number, value)),
        }
    }

    /// Seven bits a byte, the lowest first, at most ten bytes.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take(1)? else { return None };
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.message.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_any_order_with_unknown_ones() {
        let message = b"\x0a\x02hi\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x7d....\x79........\x10\x96\x01";
        let read: Result<Vec<_>, _> = fields(message).collect();
        let expected = vec![
            (1, Value::Bytes(b"hi")),
            (5, Value::Varint(u64::MAX)),
            (15, Value::Fixed),
            (15, Value::Fixed),
            (2, Value::Varint(150)),
        ];
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_breaks_off_is_told_and_ends_it() {
        for (message, at) in [
            (&b"\x0a\x03hi"[..], 0),
            (b"\x10\x01\x0a", 2),
            (b"\x10", 0),
            (b"\x10\x80", 0),
            (b"\x00\x00", 0),
            (b"\x0b", 0),
            (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 0),
            (b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0),
        ] {
            let read: Vec<_> = fields(message).collect();
            assert_eq!(read.last(), Some(&Err(Broken { at })), "{message:?}");
        }
    }
}
