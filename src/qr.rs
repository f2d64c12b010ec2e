//! Pictures to texts, and texts to pictures. (stub)

use crate::failure::{Fails, Kind};
use crate::secret::SecretText;

/// What was found in a picture.
pub struct Scanned {
    /// Width of the picture as shown (after EXIF rotation), in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// The text of every QR code, from top to bottom and left to right, each once.
    pub texts: Vec<SecretText>,
}

/// Why a picture can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// stub
    #[error("not a picture")]
    NotAPicture,
}

impl Fails for ScanError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

/// The most bytes a picture file may have.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Every QR code of a picture (none is not an error: `texts` is empty).
///
/// # Errors
/// stub
pub fn scan(_bytes: &[u8]) -> Result<Scanned, ScanError> {
    todo!()
}

/// Why a text can't be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// stub
    #[error("{0} bytes are more than a QR code holds")]
    TooLong(usize),
}

impl Fails for RenderError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

/// A QR code ready to be drawn. Holds a secret, so it has no `Debug`.
pub struct Drawing {}

impl Drawing {
    /// # Errors
    /// stub
    pub fn new(_text: &SecretText) -> Result<Self, RenderError> {
        todo!()
    }
    /// Columns and lines in the terminal, quiet zone included.
    pub fn terminal_size(&self) -> (usize, usize) {
        todo!()
    }
    /// Half blocks with ANSI colours forced (black on white) and a quiet zone of four modules; each line ends in a newline.
    pub fn half_blocks(&self) -> SecretText {
        todo!()
    }
    /// A grey-scale PNG.
    ///
    /// # Errors
    /// stub
    pub fn png(&self, _module_pixels: u32) -> Result<crate::secret::Secret, RenderError> {
        todo!()
    }
    /// An SVG.
    pub fn svg(&self) -> SecretText {
        todo!()
    }
}
