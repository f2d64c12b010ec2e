//! Reading fields of exact lengths, front to back. Nothing is allocated for a length that is not there.

/// A reader over bytes that knows where it stands.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The bytes end before a field does.
pub(super) struct Lack {
    pub(super) offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where the next field begins.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes from an earlier offset to here.
    pub(super) fn since(&self, offset: usize) -> &'a [u8] {
        &self.bytes[offset..self.at]
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Lack> {
        let lack = Lack { offset: self.at };
        let end = self.at.checked_add(len).ok_or(Lack { offset: self.at })?;
        let field = self.bytes.get(self.at..end).ok_or(lack)?;
        self.at = end;
        Ok(field)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Lack> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Lack> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Lack> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Lack> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Lack> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}
