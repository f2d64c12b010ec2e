//! Pictures to texts, and texts to pictures.
//!
//! [`scan`], and [`scan_pixels`] from `picture` on: `format` knows the file by its first bytes, `picture` decodes it within bounds to grey views, `ladder` prepares each
//! (`gray`), cuts it into dark and light (`bits`) and lets an `engine` look, `text` makes characters of the bytes. All decoders and
//! engines are other people's code: they run on a thread of their own, behind the fence of `quiet`, under a deadline. What they
//! allocate and free is theirs and isn't wiped; the texts handed out are.
//!
//! [`Drawing`]: `render`.

#[cfg(feature = "rxing")]
mod bent;
mod bits;
mod engine;
mod format;
mod gray;
mod ladder;
mod picture;
mod quiet;
mod render;
mod scan;
mod text;

use crate::failure::{Fails, Kind};
use crate::secret::SecretText;
pub use format::{Foreign, Format};
pub use render::{Drawing, RenderError};
pub use scan::{scan, scan_pixels};

/// What was found in a picture.
pub struct Scanned {
    /// Width of the picture as shown (after EXIF rotation), in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// The text of every QR code, from top to bottom and left to right, each once.
    pub texts: Vec<SecretText>,
    /// Whether the file ends or breaks before the picture does: there may have been more in it.
    pub damaged: bool,
}

/// Why a picture can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// There is nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// None of the formats that are read, and none that is known otherwise.
    #[error("this is not a picture: expected PNG, JPEG, WebP, GIF, BMP or TIFF")]
    NotAPicture,
    /// A format that may show a QR code, but isn't read.
    #[error("this is {}, which isn't read: expected PNG, JPEG, WebP, GIF, BMP or TIFF", .0.name())]
    Foreign(Foreign),
    /// A kind of a known format that the decoder doesn't know.
    #[error("a kind of {0} that isn't read")]
    UnsupportedKind(Format),
    /// Cut off, or altered.
    #[error("the {0} picture is damaged or cut off")]
    Damaged(Format),
    /// More bytes than [`MAX_FILE_BYTES`].
    #[error("a file of {0} bytes: a picture may have {max}", max = MAX_FILE_BYTES)]
    FileTooLarge(u64),
    /// More pixels than are decoded.
    #[error("a picture of {width} x {height} pixels: it may have {max} million", max = picture::MAX_PIXELS >> 20)]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Pixels that are more or fewer than the sides say.
    #[error("{bytes} bytes are no picture of {width} x {height} pixels")]
    NotThatLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// How many bytes there are: four a pixel are wanted.
        bytes: usize,
    },
    /// Decoding would take more memory than is granted.
    #[error("decoding the {0} picture would take too much memory")]
    TooMuchMemory(Format),
    /// A decoder didn't come to an end.
    #[error("reading the picture takes too long")]
    TookTooLong,
    /// The system gave no thread to read it on.
    #[error("the system has no room for another thread")]
    NoThread,
}

impl Fails for ScanError {
    fn kind(&self) -> Kind {
        match self {
            Self::Damaged(_) => Kind::Damaged,
            Self::NoThread | Self::NotThatLarge { .. } => Kind::Internal,
            Self::Empty
            | Self::NotAPicture
            | Self::Foreign(_)
            | Self::UnsupportedKind(_)
            | Self::FileTooLarge(_)
            | Self::TooManyPixels { .. }
            | Self::TooMuchMemory(_)
            | Self::TookTooLong => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign(foreign) => Some(foreign.way_out().into()),
            Self::UnsupportedKind(_) => Some("save it as PNG, or take a screenshot of it".into()),
            Self::Damaged(_) => Some("download or save the picture again".into()),
            Self::FileTooLarge(_)
            | Self::TooManyPixels { .. }
            | Self::TooMuchMemory(_)
            | Self::TookTooLong => {
                Some("cut out the part with the QR code, or make the picture smaller".into())
            }
            Self::Empty | Self::NotAPicture | Self::NotThatLarge { .. } | Self::NoThread => None,
        }
    }
}

/// The most bytes a picture file may have.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

#[cfg(test)]
mod tests;
