//! A door for the fuzzer, which is built with `--cfg fuzzing`: messages that others send over a bus.

use std::path::Path;

use crate::desktop::portal;
use crate::desktop::wire::{FIXED_LEN, Message, length};

/// A message: its length is within bounds, and nothing is read out of it that isn't in it.
pub fn message(bytes: &[u8]) {
    if let Some(Ok(length)) = bytes.first_chunk::<FIXED_LEN>().map(length) {
        assert!(length >= FIXED_LEN as u64 && length <= 1 << 27);
    }
    let Ok(message) = Message::read(bytes) else {
        return;
    };
    let texts = [
        &message.path,
        &message.interface,
        &message.member,
        &message.sender,
    ];
    assert!(texts.iter().all(|text| text.len() <= bytes.len()));
    let mut values = message.values(&message.signature).expect("its own types");
    if values.skip(&message.signature).is_some() {
        assert!(values.at() <= bytes.len());
    }
    let reader = || message.values(&message.signature).expect("its own types");
    if let Some(texts) = reader().strings() {
        assert!(texts.iter().map(|text| text.len() + 5).sum::<usize>() <= bytes.len());
    }
    if let Some(text) = reader().variant_text() {
        assert!(text.len() < bytes.len());
    }
    let _ = (reader().u32(), reader().bool(), reader().string());
    if let Ok(path) = portal::answered(&message) {
        assert!(Path::is_absolute(&path));
    }
}
