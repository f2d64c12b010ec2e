//! From the bytes of a file to the texts of its codes.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::engine::Found;
use super::ladder;
use super::picture::Picture;
use super::quiet::fenced;
use super::{MAX_FILE_BYTES, ScanError, Scanned};
use crate::clock::Deadline;
use crate::secret::{Secret, wipe_deep_stack};

/// How long a decoded picture is looked at.
const LOOKING: Duration = Duration::from_millis(3500);
/// How long all of it may take: what is still running then is given up. Decoding the largest picture takes a few seconds.
const ALL: Duration = Duration::from_secs(30);
/// The decoders of pictures and codes are other people's; a deep recursion in one must not end the process.
const STACK_BYTES: usize = 16 << 20;

/// Every QR code of a picture (none is not an error: `texts` is empty).
///
/// Reads PNG, JPEG, WebP, GIF, BMP and TIFF, whatever the file's name, turned as its EXIF data say. It takes a few milliseconds for a
/// clean picture, and at most about four seconds for a large one in which nothing is found. Of a file that is cut off, what could be
/// decoded is looked at, and [`Scanned::damaged`] is set when that gave something.
///
/// # Errors
/// The file is no picture, is in a format that isn't read, is too large, or is damaged and no code was found in what could be decoded.
pub fn scan(bytes: &[u8]) -> Result<Scanned, ScanError> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ScanError::FileTooLarge(bytes.len() as u64));
    }
    let bytes = Secret::new(bytes.to_vec());
    look_at(move || Picture::read(bytes.expose()))
}

/// Every QR code of a picture that needs no decoding, such as a screen's: four bytes a pixel (red, green, blue, opacity), row by row
/// from the top. As for [`scan`], none is not an error. The pixels are wiped when they have been looked at.
///
/// # Errors
/// The bytes are not as many as the sides say, or the picture is too large.
pub fn scan_pixels(width: u32, height: u32, rgba: Secret) -> Result<Scanned, ScanError> {
    look_at(move || Picture::of_pixels(width, height, rgba))
}

/// Has a thread of its own read a picture and climb the ladder on it.
fn look_at(
    read: impl FnOnce() -> Result<Picture, ScanError> + Send + 'static,
) -> Result<Scanned, ScanError> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let (size_known, size) = mpsc::channel();
    let work = {
        let found = Arc::clone(&found);
        move || {
            let read = fenced(read).unwrap_or(Err(ScanError::NotAPicture));
            let picture = match read {
                Ok(picture) => picture,
                Err(error) => return drop(size_known.send(Err(error))),
            };
            // The receiver waits for as long as this thread runs, so sending can't fail; and if it did, nobody would care.
            drop(size_known.send(Ok((picture.size(), picture.damage()))));
            fenced(|| ladder::climb(&picture, Deadline::after(LOOKING), &found));
            // The decoders' own variables had the codes' texts.
            wipe_deep_stack();
        }
    };
    let end = Deadline::after(ALL);
    let worker = thread::Builder::new()
        .name("qr".into())
        .stack_size(STACK_BYTES)
        .spawn(work);
    if worker.is_err() {
        return Err(ScanError::NoThread);
    }
    let ((width, height), damaged) = match size.recv_timeout(end.left()) {
        Ok(read) => read?,
        Err(_) => return Err(ScanError::TookTooLong),
    };
    // The channel closes when the thread has ended.
    if let Err(RecvTimeoutError::Timeout) = size.recv_timeout(end.left()) {
        return Err(ScanError::TookTooLong);
    }
    let codes = found
        .lock()
        .map(|mut codes| std::mem::take(&mut *codes))
        .unwrap_or_default();
    match damaged {
        Some(format) if codes.is_empty() => Err(ScanError::Damaged(format)),
        _ => Ok(Scanned {
            width,
            height,
            texts: in_reading_order(codes)
                .into_iter()
                .map(|code| code.text)
                .collect(),
            damaged: damaged.is_some(),
        }),
    }
}

/// From top to bottom, and from left to right among those that stand side by side.
fn in_reading_order(mut codes: Vec<Found>) -> Vec<Found> {
    codes.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut row = 0;
    while row < codes.len() {
        let below = codes[row].y + codes[row].size / 2.0;
        let end = (row..codes.len())
            .find(|i| codes[*i].y > below)
            .unwrap_or(codes.len())
            .max(row + 1);
        codes[row..end].sort_by(|a, b| a.x.total_cmp(&b.x));
        row = end;
    }
    codes
}
