//! A picture file to grey pixels, within bounds that are checked before anything is decoded.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError, ImageReader, Limits};

use super::format::Format;
use super::gray::Gray;
use super::quiet::fenced;
use super::{MAX_FILE_BYTES, ScanError};
use crate::secret::Secret;

/// The most pixels a picture may have; the largest telephone cameras take 108 million.
pub(super) const MAX_PIXELS: u64 = 128 << 20;
/// The most memory that decoding may take.
const MAX_DECODED_BYTES: u64 = 512 << 20;
/// Beyond this many pixels a picture is shrunk before it is looked at.
const ENOUGH_PIXELS: u64 = 40_000_000;

/// A picture decoded, from which grey views are made as they are wanted.
pub(super) struct Picture {
    /// Width and height of the file, before it is turned.
    stored: (u32, u32),
    colour: ColorType,
    pixels: Pixels,
    turn: Orientation,
    /// The file's format if it ends or breaks before the picture does.
    damage: Option<Format>,
}

/// Pixels, wiped if they came from outside as such.
enum Pixels {
    Decoded(Vec<u8>),
    Given(Secret),
}

impl Pixels {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Decoded(bytes) => bytes,
            Self::Given(bytes) => bytes.expose(),
        }
    }
}

/// What of a picture is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Brightness; what is translucent lies over white.
    OverWhite,
    /// Brightness over black.
    OverBlack,
    /// How opaque it is, dark where it is opaque.
    Opacity,
    /// The darkest of the three colours.
    Darkest,
    /// The lightest of the three colours.
    Lightest,
}

impl Picture {
    /// Decodes a file: of an animation the first picture, of several pages the first.
    ///
    /// # Errors
    /// No picture, one in a format that isn't read, one too large, or one that is damaged before its first pixel.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ScanError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ScanError::FileTooLarge(bytes.len() as u64));
        }
        let format = Format::of(bytes)?;
        match fenced(|| Self::decode(bytes, format)) {
            Some(outcome) => outcome,
            None => Err(ScanError::Damaged(format)),
        }
    }

    fn decode(bytes: &[u8], format: Format) -> Result<Self, ScanError> {
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_DECODED_BYTES);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format.decoder());
        reader.limits(limits);
        let mut decoder = reader
            .into_decoder()
            .map_err(|error| refusal(&error, format))?;
        let stored = decoder.dimensions();
        let (width, height) = stored;
        if u64::from(width) * u64::from(height) > MAX_PIXELS
            || decoder.total_bytes() > MAX_DECODED_BYTES
        {
            return Err(ScanError::TooManyPixels { width, height });
        }
        if width == 0 || height == 0 {
            return Err(ScanError::Damaged(format));
        }
        let colour = decoder.color_type();
        let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        // What a file that ends too early leaves unwritten is white paper, not dark.
        let mut pixels = vec![u8::MAX; decoder.total_bytes() as usize];
        let damaged = match fenced(|| decoder.read_image(&mut pixels)) {
            Some(Ok(())) => false,
            Some(Err(ImageError::Limits(_))) => {
                return Err(ScanError::TooManyPixels { width, height });
            }
            Some(Err(_)) | None => true,
        };
        Ok(Self {
            stored,
            colour,
            pixels: Pixels::Decoded(pixels),
            turn,
            damage: damaged.then_some(format),
        })
    }

    /// A picture of pixels that are there already: red, green, blue and opacity, row by row.
    ///
    /// # Errors
    /// More or fewer bytes than the sides say, no pixel at all, or too many.
    pub(super) fn of_pixels(width: u32, height: u32, rgba: Secret) -> Result<Self, ScanError> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > MAX_PIXELS {
            return Err(ScanError::TooManyPixels { width, height });
        }
        if pixels == 0 || rgba.len() as u64 != 4 * pixels {
            return Err(ScanError::NotThatLarge {
                width,
                height,
                bytes: rgba.len(),
            });
        }
        Ok(Self {
            stored: (width, height),
            colour: ColorType::Rgba8,
            pixels: Pixels::Given(rgba),
            turn: Orientation::NoTransforms,
            damage: None,
        })
    }

    /// The file's format if it ends or breaks before the picture does.
    pub(super) fn damage(&self) -> Option<Format> {
        self.damage
    }

    /// Width and height as shown.
    pub(super) fn size(&self) -> (u32, u32) {
        let (width, height) = self.stored;
        match self.turn {
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => (width, height),
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
        }
    }

    /// Whether some pixel is translucent, so that what lies behind matters.
    pub(super) fn is_translucent(&self) -> bool {
        if !self.colour.has_alpha() {
            return false;
        }
        let bytes = usize::from(self.colour.bytes_per_pixel());
        let depth = bytes / usize::from(self.colour.channel_count());
        self.pixels
            .bytes()
            .chunks_exact(bytes)
            .any(|pixel| level(&pixel[bytes - depth..]) < 250)
    }

    /// Whether it has colours at all.
    pub(super) fn is_coloured(&self) -> bool {
        self.colour.has_color()
    }

    /// A grey view, turned as it is shown, and shrunk if there are more pixels than are any use.
    pub(super) fn view(&self, view: View) -> Gray {
        let (width, height) = (self.stored.0 as usize, self.stored.1 as usize);
        let factor = (1_usize..)
            .find(|f| (width as u64 * height as u64) / (f * f) as u64 <= ENOUGH_PIXELS)
            .expect("some factor is large enough");
        let bytes = usize::from(self.colour.bytes_per_pixel());
        let mut pixels = vec![0; width * factor];
        if factor == 1 {
            pixels.resize(width * height, 0);
            self.line(view, self.pixels.bytes(), &mut pixels);
        } else {
            let mut lines = Gray {
                width,
                height: factor,
                pixels: std::mem::take(&mut pixels),
            };
            for band in self.pixels.bytes().chunks_exact(bytes * width * factor) {
                self.line(view, band, &mut lines.pixels);
                pixels.extend(lines.shrunk(factor).pixels);
            }
        }
        turned(
            Gray {
                width: width / factor,
                height: pixels.len() / (width / factor).max(1),
                pixels,
            },
            self.turn,
        )
    }

    fn line(&self, view: View, source: &[u8], line: &mut [u8]) {
        let channels = usize::from(self.colour.channel_count());
        match (self.colour, view) {
            // By far the most pictures: kept apart because it is the fast path.
            (ColorType::L8, _) => line.copy_from_slice(source),
            (ColorType::Rgb8, View::OverWhite | View::OverBlack) => {
                for (grey, pixel) in line.iter_mut().zip(source.as_chunks::<3>().0) {
                    *grey = brightness(*pixel);
                }
            }
            (ColorType::Rgba8, View::OverWhite) => {
                for (grey, [r, g, b, a]) in line.iter_mut().zip(source.as_chunks::<4>().0) {
                    *grey = over(brightness([*r, *g, *b]), *a, u8::MAX);
                }
            }
            _ => {
                let depth = usize::from(self.colour.bytes_per_pixel()) / channels;
                for (grey, pixel) in line.iter_mut().zip(source.chunks_exact(depth * channels)) {
                    let mut levels = [u8::MAX; 4];
                    for (level_of, sample) in levels.iter_mut().zip(pixel.chunks_exact(depth)) {
                        *level_of = level(sample);
                    }
                    let (rgb, opacity) = match (channels, levels) {
                        (1, [l, ..]) => ([l; 3], u8::MAX),
                        (2, [l, a, ..]) => ([l; 3], a),
                        (3, [r, g, b, _]) => ([r, g, b], u8::MAX),
                        (_, [r, g, b, a]) => ([r, g, b], a),
                    };
                    *grey = match view {
                        View::OverWhite => over(brightness(rgb), opacity, u8::MAX),
                        View::OverBlack => over(brightness(rgb), opacity, u8::MIN),
                        View::Opacity => !opacity,
                        View::Darkest => over(rgb[0].min(rgb[1]).min(rgb[2]), opacity, u8::MAX),
                        View::Lightest => over(rgb[0].max(rgb[1]).max(rgb[2]), opacity, u8::MAX),
                    };
                }
            }
        }
    }
}

/// Why a decoder gave up before the first pixel.
fn refusal(error: &ImageError, format: Format) -> ScanError {
    match error {
        ImageError::Limits(_) => ScanError::TooMuchMemory(format),
        ImageError::Unsupported(_) => ScanError::UnsupportedKind(format),
        _ => ScanError::Damaged(format),
    }
}

/// A sample of 8 or 16 bits, or a float from 0 to 1, to 8 bits.
fn level(sample: &[u8]) -> u8 {
    match *sample {
        [value] => value,
        [a, b] => (u16::from_ne_bytes([a, b]) >> 8) as u8,
        [a, b, c, d] => (f32::from_ne_bytes([a, b, c, d]).clamp(0.0, 1.0) * 255.0) as u8,
        _ => u8::MAX,
    }
}

/// ITU-R BT.601's luma in 256ths.
fn brightness([r, g, b]: [u8; 3]) -> u8 {
    ((77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8) as u8
}

/// A shade seen through its opacity over a ground.
fn over(shade: u8, opacity: u8, ground: u8) -> u8 {
    let opacity = u32::from(opacity);
    ((u32::from(shade) * opacity + u32::from(ground) * (255 - opacity) + 127) / 255) as u8
}

fn turned(gray: Gray, turn: Orientation) -> Gray {
    if turn == Orientation::NoTransforms {
        return gray;
    }
    let (width, height) = (gray.width as u32, gray.height as u32);
    let buffer = image::GrayImage::from_raw(width, height, gray.pixels)
        .expect("a grey picture has a byte a pixel");
    let mut picture = image::DynamicImage::ImageLuma8(buffer);
    picture.apply_orientation(turn);
    let buffer = picture.into_luma8();
    Gray {
        width: buffer.width() as usize,
        height: buffer.height() as usize,
        pixels: buffer.into_raw(),
    }
}
