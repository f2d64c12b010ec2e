//! A text as a QR code: in the terminal, as PNG and as SVG.

use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use qrcode::bits::Bits;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode, Version};
use zeroize::Zeroizing;

use crate::failure::{Fails, Kind};
use crate::secret::{Secret, SecretText};

/// Light modules around a code, which readers need to find it (ISO/IEC 18004 section 9.1).
const QUIET_ZONE: usize = 4;
/// The largest code that is drawn at level M: 53 modules, 61 columns with the quiet zone. A longer text is drawn at level L, for a
/// code that fits the screen is worth more there than one that survives a scratch.
const LARGEST_AT_M: i16 = 9;
/// The most pixels a side of a PNG may have.
const MAX_SIDE: u32 = 8192;

/// Black on white by number in the colour cube of 256-colour terminals: themes change the first sixteen colours, not these.
const INK: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m\n";

/// Why a text can't be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The largest code (version 40 at level L) holds 2953 bytes.
    #[error("{0} bytes are more than a QR code holds")]
    TooLong(usize),
    /// Modules of no pixels, or a picture of an absurd size.
    #[error("modules of {asked} pixels: this code can be drawn with 1 to {most}")]
    ModulePixels {
        /// Pixels asked for.
        asked: u32,
        /// The most that this code allows.
        most: u32,
    },
    /// The PNG encoder failed.
    #[error("the PNG could not be written")]
    Encoder,
}

impl Fails for RenderError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLong(_) | Self::ModulePixels { .. } => Kind::Usage,
            Self::Encoder => Kind::Internal,
        }
    }
}

/// A QR code ready to be drawn. Holds a secret, so it has no `Debug`.
pub struct Drawing {
    /// Modules a side, quiet zone included.
    side: usize,
    /// Row by row, quiet zone included; dark is true.
    dark: Zeroizing<Vec<bool>>,
}

impl Drawing {
    /// A code for a text: error correction level M while that gives at most version 9, else L.
    ///
    /// # Errors
    /// The text is longer than the largest code holds.
    pub fn new(text: &SecretText) -> Result<Self, RenderError> {
        let text = text.expose();
        let too_long = |_| RenderError::TooLong(text.len());
        let code = encode(text, EcLevel::M)
            .ok()
            .filter(|code| matches!(code.version(), Version::Normal(version) if version <= LARGEST_AT_M))
            .map_or_else(|| encode(text, EcLevel::L), Ok)
            .map_err(too_long)?;
        let width = code.width();
        let side = width + 2 * QUIET_ZONE;
        let mut dark = Zeroizing::new(vec![false; side * side]);
        for (index, colour) in code.into_colors().into_iter().enumerate() {
            let (x, y) = (index % width, index / width);
            dark[(y + QUIET_ZONE) * side + x + QUIET_ZONE] = colour == Color::Dark;
        }
        Ok(Self { side, dark })
    }

    /// Modules a side, quiet zone included.
    pub fn modules(&self) -> usize {
        self.side
    }

    /// Columns and lines in the terminal, quiet zone included.
    pub fn terminal_size(&self) -> (usize, usize) {
        (self.side, self.side.div_ceil(2))
    }

    /// Half blocks with ANSI colours forced (black on white) and a quiet zone of four modules; each line ends in a newline.
    pub fn half_blocks(&self) -> SecretText {
        let (columns, lines) = self.terminal_size();
        // Room for all of it at once: a string that grows leaves copies of the secret behind. A block takes three bytes.
        let mut drawn = String::with_capacity(lines * (INK.len() + 3 * columns + RESET.len()));
        for line in 0..lines {
            drawn.push_str(INK);
            for x in 0..columns {
                drawn.push(
                    match (self.is_dark(x, 2 * line), self.is_dark(x, 2 * line + 1)) {
                        (false, false) => ' ',
                        (true, false) => '▀',
                        (false, true) => '▄',
                        (true, true) => '█',
                    },
                );
            }
            drawn.push_str(RESET);
        }
        SecretText::new(drawn)
    }

    /// A grey-scale PNG with modules of so many pixels a side.
    ///
    /// # Errors
    /// No pixels, or more than 8192 for the whole side.
    pub fn png(&self, module_pixels: u32) -> Result<Secret, RenderError> {
        let most = MAX_SIDE / self.side as u32;
        if !(1..=most).contains(&module_pixels) {
            return Err(RenderError::ModulePixels {
                asked: module_pixels,
                most,
            });
        }
        let module = module_pixels as usize;
        let side = self.side * module;
        let mut pixels = Zeroizing::new(vec![u8::MAX; side * side]);
        for (y, row) in pixels.chunks_exact_mut(side).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                if self.is_dark(x / module, y / module) {
                    *pixel = 0;
                }
            }
        }
        let mut png = Vec::with_capacity(pixels.len() + 1024);
        PngEncoder::new(&mut png)
            .write_image(
                &pixels,
                side as u32,
                side as u32,
                image::ExtendedColorType::L8,
            )
            .map_err(|_| RenderError::Encoder)?;
        Ok(Secret::new(png))
    }

    /// An SVG, one unit a module: a white square and one path of all dark runs.
    pub fn svg(&self) -> SecretText {
        use std::fmt::Write as _;
        let side = self.side;
        // At most every other module begins a run, and a run is written in at most 20 bytes.
        let mut svg = String::with_capacity(400 + side * side / 2 * 20);
        let written = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\""
        )
        .and_then(|()| {
            for y in 0..side {
                let mut x = 0;
                while x < side {
                    let run = (x..side).take_while(|x| self.is_dark(*x, y)).count();
                    if run > 0 {
                        write!(svg, "M{x} {y}h{run}v1h-{run}z")?;
                    }
                    x += run.max(1);
                }
            }
            svg.write_str("\"/></svg>\n")
        });
        written.expect("writing to a string can't fail");
        SecretText::new(svg)
    }

    /// Whether a module is dark, quiet zone counted; what lies outside is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.side && y < self.side && self.dark[y * self.side + x]
    }
}

fn encode(text: &str, level: EcLevel) -> Result<QrCode, QrError> {
    if text.is_ascii() {
        return QrCode::with_error_correction_level(text, level);
    }
    // The encoder takes pairs of bytes that could be Shift JIS for kanji, even within UTF-8, and readers would then show others.
    // So all of it goes in one segment of bytes.
    let mut outcome = Err(QrError::DataTooLong);
    for version in 1..=40 {
        let mut bits = Bits::new(Version::Normal(version));
        outcome = bits
            .push_byte_data(text.as_bytes())
            .and_then(|()| bits.push_terminator(level))
            .and_then(|()| QrCode::with_bits(bits, level));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
