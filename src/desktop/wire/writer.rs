//! Calls, as bytes.

use super::{DESTINATION, INTERFACE, MEMBER, PATH, SIGNATURE};

/// The values of a message that we send, with their types.
#[derive(Default)]
pub(crate) struct Values {
    signature: String,
    bytes: Vec<u8>,
}

impl Values {
    pub(crate) fn string(mut self, text: &str) -> Self {
        self.signature.push('s');
        put_string(&mut self.bytes, text);
        self
    }

    pub(crate) fn u32(mut self, number: u32) -> Self {
        self.signature.push('u');
        put_u32(&mut self.bytes, number);
        self
    }

    pub(crate) fn i32(mut self, number: i32) -> Self {
        self.signature.push('i');
        put_u32(&mut self.bytes, number.cast_unsigned());
        self
    }

    pub(crate) fn strings(mut self, texts: &[&str]) -> Self {
        self.signature.push_str("as");
        put_array(&mut self.bytes, 4, |bytes| {
            texts.iter().for_each(|text| put_string(bytes, text));
        });
        self
    }

    /// `a{sv}`.
    pub(crate) fn options(mut self, options: &[(&str, Variant<'_>)]) -> Self {
        self.signature.push_str("a{sv}");
        put_array(&mut self.bytes, 8, |bytes| {
            for (name, value) in options {
                pad(bytes, 8);
                put_string(bytes, name);
                match value {
                    Variant::Byte(byte) => {
                        put_signature(bytes, "y");
                        bytes.push(*byte);
                    }
                    Variant::Bool(is_so) => {
                        put_signature(bytes, "b");
                        put_u32(bytes, u32::from(*is_so));
                    }
                    Variant::Text(text) => {
                        put_signature(bytes, "s");
                        put_string(bytes, text);
                    }
                }
            }
        });
        self
    }
}

/// A value that tells its own type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Variant<'a> {
    Byte(u8),
    Bool(bool),
    Text(&'a str),
}

/// What is called, where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method<'a> {
    /// The bus itself, or a unique name: then it is known whose answer is an answer.
    pub(crate) destination: &'a str,
    pub(crate) path: &'a str,
    pub(crate) interface: &'a str,
    pub(crate) member: &'a str,
}

impl Method<'_> {
    /// A call as bytes.
    pub(crate) fn call(&self, serial: u32, values: &Values) -> Vec<u8> {
        let mut bytes = vec![b'l', 1, 0, 1];
        put_u32(&mut bytes, values.bytes.len() as u32);
        put_u32(&mut bytes, serial);
        put_array(&mut bytes, 8, |bytes| {
            let texts = [
                (PATH, "o", self.path),
                (INTERFACE, "s", self.interface),
                (MEMBER, "s", self.member),
                (DESTINATION, "s", self.destination),
            ];
            for (code, signature, text) in texts {
                pad(bytes, 8);
                bytes.push(code);
                put_signature(bytes, signature);
                put_string(bytes, text);
            }
            if !values.signature.is_empty() {
                pad(bytes, 8);
                bytes.push(SIGNATURE);
                put_signature(bytes, "g");
                put_signature(bytes, &values.signature);
            }
        });
        pad(&mut bytes, 8);
        bytes.extend_from_slice(&values.bytes);
        bytes
    }
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put_u32(bytes: &mut Vec<u8>, number: u32) {
    pad(bytes, 4);
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    put_u32(bytes, text.len() as u32);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
}

fn put_signature(bytes: &mut Vec<u8>, signature: &str) {
    bytes.push(signature.len() as u8);
    bytes.extend_from_slice(signature.as_bytes());
    bytes.push(0);
}

/// An array: its length doesn't count the padding before its first element.
fn put_array(bytes: &mut Vec<u8>, alignment: usize, put: impl FnOnce(&mut Vec<u8>)) {
    put_u32(bytes, 0);
    let length_at = bytes.len() - 4;
    pad(bytes, alignment);
    let begin = bytes.len();
    put(bytes);
    let len = (bytes.len() - begin) as u32;
    bytes[length_at..length_at + 4].copy_from_slice(&len.to_le_bytes());
}
