//! What a file is, by its first bytes; its name says nothing.

use image::ImageFormat;

use super::ScanError;

/// A picture format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, also with CMYK colours.
    Jpeg,
    /// WebP, lossy or not.
    WebP,
    /// GIF; of an animation the first picture.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF; of several pages the first.
    Tiff,
}

impl Format {
    /// The format of a file, by its first bytes.
    ///
    /// # Errors
    /// It is none that is read: what it is instead.
    pub fn of(bytes: &[u8]) -> Result<Self, ScanError> {
        if bytes.is_empty() {
            return Err(ScanError::Empty);
        }
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Ok(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Ok(Self::WebP),
            [b'G', b'I', b'F', b'8', ..] => Ok(Self::Gif),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(Self::Tiff),
            // "BM" begins many a text too: the reserved bytes must be none.
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(Self::Bmp),
            _ => Err(foreign(bytes).map_or(ScanError::NotAPicture, ScanError::Foreign)),
        }
    }

    /// The name people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    pub(super) fn decoder(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A format that may show a QR code to people, but that isn't read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// HEIF pictures as Apple's devices take them.
    Heic,
    /// AV1 pictures.
    Avif,
    /// JPEG XL.
    JpegXl,
    /// JPEG 2000.
    Jpeg2000,
    /// PDF documents.
    Pdf,
    /// Drawings in SVG.
    Svg,
    /// Photoshop documents.
    Photoshop,
    /// Windows icons.
    Icon,
    /// Netpbm's PBM, PGM, PPM and PAM.
    Netpbm,
    /// ZIP archives, office documents among them.
    Zip,
    /// Films and the like in an ISO container.
    Film,
}

impl Foreign {
    /// With its article, to be read after "this is".
    pub fn name(self) -> &'static str {
        match self {
            Self::Heic => "an HEIC picture",
            Self::Avif => "an AVIF picture",
            Self::JpegXl => "a JPEG XL picture",
            Self::Jpeg2000 => "a JPEG 2000 picture",
            Self::Pdf => "a PDF document",
            Self::Svg => "an SVG drawing",
            Self::Photoshop => "a Photoshop document",
            Self::Icon => "a Windows icon",
            Self::Netpbm => "a Netpbm picture",
            Self::Zip => "a ZIP archive",
            Self::Film => "a film",
        }
    }

    /// How to get from it to a picture that is read.
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Heic | Self::Avif => {
                "convert it first, for example with `heif-convert IN OUT.png`, or take a screenshot of it"
            }
            Self::Pdf => {
                "make a picture of the page first, for example with `pdftoppm -png -r 200 IN OUT`, or take a screenshot of it"
            }
            Self::Svg => {
                "make a picture of it first, for example with `rsvg-convert -w 1000 -o OUT.png IN`, or take a screenshot of it"
            }
            Self::JpegXl | Self::Jpeg2000 | Self::Photoshop | Self::Icon | Self::Netpbm => {
                "convert it first, for example with `magick IN OUT.png`, or take a screenshot of it"
            }
            Self::Zip => "unpack it first",
            Self::Film => "take a screenshot of it",
        }
    }
}

fn foreign(bytes: &[u8]) -> Option<Foreign> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Some(match brand.get(..4)? {
            b"avif" | b"avis" => Foreign::Avif,
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
                Foreign::Heic
            }
            _ => Foreign::Film,
        }),
        [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] | [0xff, 0x0a, ..] => Some(Foreign::JpegXl),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            Some(Foreign::Jpeg2000)
        }
        [b'%', b'P', b'D', b'F', ..] => Some(Foreign::Pdf),
        [b'8', b'B', b'P', b'S', ..] => Some(Foreign::Photoshop),
        [0, 0, 1, 0, _, 0, ..] => Some(Foreign::Icon),
        [b'P', b'1'..=b'7', b'\n' | b'\r' | b' ', ..] => Some(Foreign::Netpbm),
        [b'P', b'K', 3, 4, ..] => Some(Foreign::Zip),
        _ if is_svg(bytes) => Some(Foreign::Svg),
        _ => None,
    }
}

/// An SVG drawing begins with its element, or with what XML allows before it.
fn is_svg(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(1024)];
    let text = start
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(start)
        .trim_ascii_start();
    let opens = [&b"<svg"[..], b"<?xml", b"<!--", b"<!DOCTYPE svg"];
    opens.iter().any(|opening| text.starts_with(opening))
        && text.windows(4).any(|window| window == b"<svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_by_their_first_bytes() {
        let of = |bytes: &[u8]| Format::of(bytes);
        assert_eq!(of(b"\x89PNG\r\n\x1a\n"), Ok(Format::Png));
        assert_eq!(of(b"RIFF\x10\0\0\0WEBPVP8L"), Ok(Format::WebP));
        assert_eq!(of(b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0"), Ok(Format::Bmp));
        assert_eq!(of(b"BMW is a maker of cars"), Err(ScanError::NotAPicture));
        assert_eq!(of(b""), Err(ScanError::Empty));
        assert_eq!(
            of(b"otpauth://totp/a?secret=B"),
            Err(ScanError::NotAPicture)
        );
        for (bytes, foreign) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], Foreign::Heic),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Foreign::Avif),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", Foreign::Film),
            (b"%PDF-1.7\n", Foreign::Pdf),
            (
                b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">",
                Foreign::Svg,
            ),
            (b"  <svg width='1'>", Foreign::Svg),
            (b"PK\x03\x04", Foreign::Zip),
            (b"P6\n2 2\n255\n", Foreign::Netpbm),
        ] {
            assert_eq!(of(bytes), Err(ScanError::Foreign(foreign)), "{foreign:?}");
        }
    }
}
