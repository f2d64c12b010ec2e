//! The two engines that find codes in a picture: `rqrr`, and with the feature of that name `rxing`.
//!
//! Each gets a picture already cut into dark and light, finds the squares at a code's corners, and reads off its modules.

use std::time::Instant;

use super::bits::Bits;
use super::quiet::fenced;
use super::text;
use crate::secret::SecretText;

/// A code read, and where its centre is in the picture that the engine got.
pub(super) struct Found {
    pub(super) text: SecretText,
    pub(super) x: f32,
    pub(super) y: f32,
    /// About how many pixels a side of it has.
    pub(super) size: f32,
}

/// Which engine looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Rqrr,
    #[cfg(feature = "rxing")]
    Rxing,
}

/// What an engine finds until the deadline. A panic within is as if it had found nothing more.
pub(super) fn look(engine: Engine, bits: &Bits, deadline: Instant) -> Vec<Found> {
    let mut found = Vec::new();
    if bits.width < 21 || bits.height < 21 {
        return found;
    }
    match engine {
        Engine::Rqrr => fenced(|| rqrr_engine::look(bits, deadline, &mut found)),
        #[cfg(feature = "rxing")]
        Engine::Rxing => fenced(|| rxing_engine::look(bits, deadline, &mut found)),
    };
    found
}

mod rqrr_engine {
    use super::{Bits, Found, Instant, text};

    pub(super) fn look(bits: &Bits, deadline: Instant, found: &mut Vec<Found>) {
        let mut prepared =
            rqrr::PreparedImage::prepare_from_bitmap(bits.width, bits.height, |x, y| {
                bits.dark(x, y)
            });
        for grid in prepared.detect_grids() {
            if Instant::now() >= deadline {
                return;
            }
            if let Some(text) = read(&grid) {
                let [a, b, c, d] = grid.bounds;
                found.push(Found {
                    text,
                    x: (a.x + b.x + c.x + d.x) as f32 / 4.0,
                    y: (a.y + b.y + c.y + d.y) as f32 / 4.0,
                    size: ((c.x - a.x) as f32).hypot((c.y - a.y) as f32)
                        * std::f32::consts::FRAC_1_SQRT_2,
                });
            }
        }
    }

    fn read<G: rqrr::BitGrid>(grid: &rqrr::Grid<G>) -> Option<crate::secret::SecretText> {
        #[cfg(feature = "rxing")]
        if let Some(text) =
            super::rxing_engine::read_modules(rqrr::BitGrid::size(&grid.grid), |x, y| {
                grid.grid.bit(y, x)
            })
        {
            return Some(text);
        }
        // As large as any code's content, so that it never moves and leaves an unwiped copy behind.
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE));
        grid.decode_to(&mut *bytes).ok()?;
        Some(text::guessed(&bytes)).filter(|text| !text.is_empty())
    }
}

#[cfg(feature = "rxing")]
mod rxing_engine {
    use rxing::common::{BitArray, BitMatrix, DetectorRXingResult};
    use rxing::qrcode::cpp_port::decoder::Decode;
    use rxing::qrcode::cpp_port::detector::{
        FindFinderPatterns, GenerateFinderPatternSets, SampleQR,
    };

    use super::{Bits, Found, Instant, text};
    use crate::qr::bits::WORD;
    use crate::secret::SecretText;

    /// Enough for dozens of codes; a picture full of squares would give a hundred thousand.
    const MOST_SETS: usize = 4000;

    pub(super) fn look(bits: &Bits, deadline: Instant, found: &mut Vec<Found>) {
        let Some(matrix) = matrix(bits) else { return };
        let mut patterns = FindFinderPatterns(&matrix, true, 0);
        let mut used = Vec::new();
        for set in GenerateFinderPatternSets(&mut patterns)
            .iter()
            .take(MOST_SETS)
        {
            if Instant::now() >= deadline {
                return;
            }
            let corners = [set.bl, set.tl, set.tr];
            if corners.iter().any(|corner| used.contains(corner)) {
                continue;
            }
            let Some(Ok(sampled)) = super::fenced(|| SampleQR(&matrix, set)) else {
                continue;
            };
            if let Some(text) = read(sampled.getBits()) {
                used.extend(corners);
                let (right, left) = (set.tr.p, set.bl.p);
                found.push(Found {
                    text,
                    x: (right.x + left.x) / 2.0,
                    y: (right.y + left.y) / 2.0,
                    size: (right.x - left.x).hypot(right.y - left.y)
                        * std::f32::consts::FRAC_1_SQRT_2,
                });
            }
        }
    }

    fn matrix(bits: &Bits) -> Option<BitMatrix> {
        let mut matrix = BitMatrix::new(bits.width as u32, bits.height as u32).ok()?;
        let mut row = BitArray::with_size(bits.width);
        for y in 0..bits.height {
            for (index, word) in bits.row(y).iter().enumerate() {
                row.setBulk(index * WORD, *word);
            }
            matrix.setRow(y as u32, &row);
        }
        Some(matrix)
    }

    /// The text of a square of modules, whoever has read it off a picture.
    pub(super) fn read_modules(
        size: usize,
        dark: impl Fn(usize, usize) -> bool,
    ) -> Option<SecretText> {
        let mut modules = BitMatrix::with_single_dimension(size as u32).ok()?;
        for y in 0..size {
            for x in 0..size {
                modules.set_bool(x as u32, y as u32, dark(x, y));
            }
        }
        super::fenced(|| read(&modules)).flatten()
    }

    fn read(modules: &BitMatrix) -> Option<SecretText> {
        let decoded = Decode(modules).ok()?;
        if !decoded.isValid() {
            return None;
        }
        let content = decoded.content();
        let bytes = content.bytes();
        // What is declared by an ECI or written in kanji mode only the engine knows; what isn't declared we guess ourselves.
        let text = text::utf8(bytes)
            .or_else(|| {
                if content.has_eci {
                    None
                } else {
                    text::shift_jis(bytes)
                }
            })
            .unwrap_or_else(|| SecretText::new(content.to_string()));
        Some(text).filter(|text| !text.is_empty())
    }
}
