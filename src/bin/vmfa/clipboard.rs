//! The desktop's clipboard: a code into it, a picture or a text out of it.
//!
//! `way` says which ways there are here, and they are tried in that order. Whoever puts something into a clipboard of X or Wayland
//! must stay to serve it, so `keeper` is a process of its own, which outlives the command: it goes one way (`display`,
//! `program`), and takes the code out again when its time is over. `terminal` needs no keeper.

#[cfg(feature = "clipboard")]
mod display;
pub(crate) mod keeper;
mod program;
mod terminal;
pub(crate) mod way;

use std::io::Cursor;
use std::time::Duration;

use image::{ImageFormat, ImageReader, Limits};
use vmfa::secret::{Secret, SecretText};

use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;
use way::{THIS, Way, ways};

/// What came out of the clipboard.
pub(crate) enum Pasted {
    Text(SecretText),
    Picture {
        width: usize,
        height: usize,
        /// Four bytes a pixel, by rows from the top: red, green, blue, alpha.
        rgba: Secret,
    },
}

/// How a code came into the clipboard, and so what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is taken out again after so long, unless something else is there by then.
    Cleared(Duration),
    /// It went through the terminal, which tells nobody what is in the clipboard: it stays.
    Stays,
}

/// How long a code stays in the clipboard, unless somebody says otherwise.
pub(crate) const CLEAR_AFTER: Duration = Duration::from_secs(30);
/// The longest that it may stay: a code is worth nothing by then.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// The most bytes that are put into the clipboard. As much as a pipe takes in at once.
const MAX_CODE: usize = 4096;
/// The most bytes of a text that are taken out of it.
const MAX_TEXT: usize = 1 << 20;
/// The most bytes of a PNG file.
const MAX_FILE: usize = 64 << 20;
/// The most pixels of a picture: a wall of four screens.
const MAX_PIXELS: usize = 64 << 20;
/// How long whoever holds the clipboard may take to answer.
#[cfg(feature = "clipboard")]
const ANSWER: Duration = Duration::from_secs(5);

/// Whether there is a clipboard that can be reached: asked before a code is made that can't be made again.
///
/// # Errors
/// There is none.
pub(crate) fn is_there(place: &Place) -> Outcome {
    first(place, |way| match way {
        Way::Terminal => terminal::is_there(),
        Way::Wayland
        | Way::X11
        | Way::System
        | Way::WlCopy
        | Way::Xclip
        | Way::Xsel
        | Way::Tmux => keeper::probe(place, way),
    })
}

/// Puts a code into the clipboard, to be taken out again after so long: also when this process has ended by then, and only if
/// it is still there.
///
/// # Errors
/// There is no clipboard that can be reached.
pub(crate) fn copy(place: &Place, text: &str, clear_after: Duration) -> Outcome<Copied> {
    if text.len() > MAX_CODE {
        return Err(too_long());
    }
    let text = SecretText::new(text.to_owned());
    let clear_after = clear_after.min(LONGEST);
    let display = place.display();
    first(place, |way| {
        match way {
            Way::Terminal => terminal::copy(&display, &text)?,
            Way::Wayland
            | Way::X11
            | Way::System
            | Way::WlCopy
            | Way::Xclip
            | Way::Xsel
            | Way::Tmux => keeper::start(place, way, &text, clear_after)?,
        }
        Ok(if way.is_seen() {
            Copied::Cleared(clear_after)
        } else {
            Copied::Stays
        })
    })
}

/// Takes what is in the clipboard: a picture if there is one, else a text.
///
/// # Errors
/// There is no clipboard that can be reached, or nothing in it, or too much.
pub(crate) fn read(place: &Place) -> Outcome<Pasted> {
    let mut empty = false;
    let found = first(place, |way| {
        let found = read_by(way)?;
        empty |= found.is_none();
        found.ok_or_else(none)
    });
    match found {
        Err(fault) if fault.exit() == Exit::NotFound && empty => {
            Err(Fault::new(Exit::NotFound, "the clipboard is empty")
                .hint("copy a picture with a QR code, or a text, first"))
        }
        found => found,
    }
}

fn read_by(way: Way) -> Outcome<Option<Pasted>> {
    match way {
        #[cfg(feature = "clipboard")]
        Way::Wayland | Way::X11 | Way::System => display::read(ANSWER),
        #[cfg(not(feature = "clipboard"))]
        Way::Wayland | Way::X11 | Way::System => Err(none()),
        Way::WlCopy | Way::Xclip | Way::Xsel | Way::Tmux => {
            if let Some(png) = program::picture(way, MAX_FILE)? {
                return decoded(&png).map(Some);
            }
            let Some(mut text) = program::text(way, MAX_TEXT)? else {
                return Ok(None);
            };
            let text = SecretText::from_utf8(std::mem::take(&mut *text));
            text.map(|text| Some(Pasted::Text(text)))
                .ok_or_else(|| Fault::usage("what is in the clipboard is neither text nor picture"))
        }
        Way::Terminal => Err(none()),
    }
}

/// A PNG file's pixels.
fn decoded(png: &[u8]) -> Outcome<Pasted> {
    let damaged = |_| Fault::usage("the picture in the clipboard is damaged");
    let mut limits = Limits::default();
    limits.max_alloc = Some(4 * MAX_PIXELS as u64);
    let size = ImageReader::with_format(Cursor::new(png), ImageFormat::Png)
        .into_dimensions()
        .map_err(damaged)?;
    if u64::from(size.0) * u64::from(size.1) > MAX_PIXELS as u64 {
        return Err(too_large());
    }
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let picture = reader.decode().map_err(damaged)?.into_rgba8();
    Ok(Pasted::Picture {
        width: picture.width() as usize,
        height: picture.height() as usize,
        rgba: Secret::new(picture.into_raw()),
    })
}

/// The first way that leads somewhere; else that of the first way is told.
fn first<T>(place: &Place, mut go: impl FnMut(Way) -> Outcome<T>) -> Outcome<T> {
    let mut fault = None;
    for way in ways(&place.display(), THIS) {
        match go(way) {
            Ok(done) => return Ok(done),
            Err(error) => {
                fault.get_or_insert(error);
            }
        }
    }
    Err(match fault {
        // A clipboard that said something of what is in it.
        Some(fault) if fault.exit() != Exit::NotFound => fault,
        Some(_) | None => none(),
    })
}

fn none() -> Fault {
    Fault::new(Exit::NotFound, "there is no clipboard that can be reached").hint(
        "a display (WAYLAND_DISPLAY, DISPLAY), tmux, or a terminal that knows OSC 52 gives one",
    )
}

fn too_long() -> Fault {
    Fault::usage("the text is too long for what it is to be")
}

fn too_large() -> Fault {
    Fault::usage("the picture in the clipboard is too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = image::RgbaImage::from_fn(width, height, |x, y| {
            image::Rgba([x as u8, y as u8, 7, 255])
        });
        let mut file = Cursor::new(Vec::new());
        picture
            .write_to(&mut file, ImageFormat::Png)
            .expect("a picture in memory");
        file.into_inner()
    }

    #[test]
    fn a_picture_is_taken_row_by_row() {
        let Ok(Pasted::Picture {
            width,
            height,
            rgba,
        }) = decoded(&png(3, 2))
        else {
            panic!("no picture")
        };
        assert_eq!((width, height), (3, 2));
        assert_eq!(rgba.expose()[4 * 5..], [2, 1, 7, 255]);
    }

    #[test]
    fn a_picture_that_is_none_or_too_large_is_refused_before_it_is_decoded() {
        let refused = |png: &[u8]| match decoded(png) {
            Ok(_) => panic!("taken"),
            Err(fault) => fault.message().to_owned(),
        };
        assert!(refused(b"").contains("damaged"));
        let mut cut = png(30, 20);
        cut.truncate(60);
        assert!(refused(&cut).contains("damaged"));
        // The size in the head is what is believed first; its checksum is of no use to whoever wants to deceive.
        let mut huge = png(3, 2);
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let crc = crc32(&huge[12..29]).to_be_bytes();
        huge[29..33].copy_from_slice(&crc);
        assert!(refused(&huge).contains("too large"));
    }

    /// As PNG's specification, annex D, has it.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        })
    }
}
