//! D-Bus messages as bytes: what we write, and what we read of others'.
//!
//! Source: the D-Bus specification 0.43, "Type System" and "Message Protocol". We write little-endian; a message that was
//! passed on comes in its sender's order.

mod reader;
mod writer;

use std::os::fd::OwnedFd;

pub(crate) use reader::Reader;
pub(crate) use writer::{Method, Values, Variant};

/// Before the fields of the header.
pub(crate) const FIXED_LEN: usize = 16;
/// The longest message there may be.
const MAX_MESSAGE: u64 = 1 << 27;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const SIGNATURE: u8 = 8;
const UNIX_FDS: u8 = 9;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Return,
    Error,
    Signal,
    /// To be ignored, by the specification.
    Other,
}

/// A message that came.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) reply_to: Option<u32>,
    pub(crate) path: String,
    pub(crate) interface: String,
    pub(crate) member: String,
    /// The unique name of who sent it, which the bus itself writes: it can't be forged.
    pub(crate) sender: String,
    pub(crate) signature: String,
    /// How many descriptors come with it.
    pub(crate) fd_count: u32,
    pub(crate) fds: Vec<OwnedFd>,
    is_big_endian: bool,
    body: Vec<u8>,
}

/// The bytes are no message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Message {
    /// Whether it is this signal.
    pub(crate) fn is_signal(&self, interface: &str, member: &str) -> bool {
        self.kind == Kind::Signal && self.interface == interface && self.member == member
    }

    /// Its values, if they are of these types.
    pub(crate) fn values(&self, signature: &str) -> Option<Reader<'_>> {
        (self.signature == signature).then(|| Reader::new(&self.body, self.is_big_endian))
    }

    /// A message of exactly these bytes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let is_big_endian = is_big_endian(bytes)?;
        let kind = match bytes.get(1) {
            Some(1) => Kind::Call,
            Some(2) => Kind::Return,
            Some(3) => Kind::Error,
            Some(4) => Kind::Signal,
            Some(0) | None => return Err(Malformed),
            Some(_) => Kind::Other,
        };
        let mut message = Self {
            kind,
            reply_to: None,
            path: String::new(),
            interface: String::new(),
            member: String::new(),
            sender: String::new(),
            signature: String::new(),
            fd_count: 0,
            fds: Vec::new(),
            is_big_endian,
            body: Vec::new(),
        };
        let mut reader = Reader::new(bytes, is_big_endian);
        reader.at = FIXED_LEN - 4;
        let end = reader.array(8).ok_or(Malformed)?;
        while reader.at < end {
            message.read_field(&mut reader).ok_or(Malformed)?;
        }
        if reader.at != end {
            return Err(Malformed);
        }
        reader.align(8).ok_or(Malformed)?;
        message.body = bytes.get(reader.at..).ok_or(Malformed)?.to_vec();
        Ok(message)
    }

    fn read_field(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        reader.align(8)?;
        let code = reader.u8()?;
        let signature = reader.signature()?;
        match (code, signature) {
            (PATH, "o") => self.path = reader.string()?.into(),
            (INTERFACE, "s") => self.interface = reader.string()?.into(),
            (MEMBER, "s") => self.member = reader.string()?.into(),
            (REPLY_SERIAL, "u") => self.reply_to = Some(reader.u32()?),
            (SENDER, "s") => self.sender = reader.string()?.into(),
            (SIGNATURE, "g") => self.signature = reader.signature()?.into(),
            (UNIX_FDS, "u") => self.fd_count = reader.u32()?,
            (PATH..=UNIX_FDS, _) if !matches!(code, 4 | DESTINATION) => return None,
            (_, signature) => reader.skip(signature)?,
        }
        Some(())
    }
}

fn is_big_endian(bytes: &[u8]) -> Result<bool, Malformed> {
    match bytes.first() {
        Some(b'l') => Ok(false),
        Some(b'B') => Ok(true),
        Some(_) | None => Err(Malformed),
    }
}

/// How long the whole message is whose first 16 bytes these are.
pub(crate) fn length(fixed: &[u8; FIXED_LEN]) -> Result<u64, Malformed> {
    let mut reader = Reader::new(fixed, is_big_endian(fixed)?);
    reader.at = 4;
    let (body, _serial, fields) = (reader.u32(), reader.u32(), reader.u32());
    let (Some(body), Some(fields)) = (body, fields) else {
        return Err(Malformed);
    };
    let length = FIXED_LEN as u64 + u64::from(fields).next_multiple_of(8) + u64::from(body);
    if fixed[3] == 1 && length <= MAX_MESSAGE {
        Ok(length)
    } else {
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests;
