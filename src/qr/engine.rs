//! The two engines that find codes in a picture: `rqrr`, and with the feature of that name `rxing`.
//!
//! Each gets a picture already cut into dark and light, finds the squares at a code's corners, and reads off its modules.

use super::bits::Bits;
use super::quiet::fenced;
use super::text;
use crate::clock::Deadline;
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
    /// The same, and where it finds corners but no code between them, a bent grid is tried.
    #[cfg(feature = "rxing")]
    Bent,
}

/// What an engine finds until the deadline. A panic within is as if it had found nothing more.
pub(super) fn look(engine: Engine, bits: &Bits, deadline: Deadline) -> Vec<Found> {
    let mut found = Vec::new();
    if bits.width < 21 || bits.height < 21 {
        return found;
    }
    match engine {
        Engine::Rqrr => fenced(|| rqrr_engine::look(bits, deadline, &mut found)),
        #[cfg(feature = "rxing")]
        Engine::Rxing => fenced(|| rxing_engine::look(bits, false, deadline, &mut found)),
        #[cfg(feature = "rxing")]
        Engine::Bent => fenced(|| rxing_engine::look(bits, true, deadline, &mut found)),
    };
    found
}

mod rqrr_engine {
    use std::cell::Cell;
    use std::time::Duration;

    use image::{GenericImage, GenericImageView, GrayImage, Luma};

    use super::{Bits, Deadline, Found, text};

    /// How long one look may take.
    const LOOK: Duration = Duration::from_millis(400);

    pub(super) fn look(bits: &Bits, deadline: Deadline, found: &mut Vec<Found>) {
        let mut pixels = GrayImage::new(bits.width as u32, bits.height as u32);
        for (y, row) in pixels.rows_mut().enumerate() {
            for (x, pixel) in row.enumerate() {
                pixel.0[0] = u8::from(bits.dark(x, y));
            }
        }
        let until = deadline.at_most(LOOK);
        let mut prepared = rqrr::PreparedImage::without_preparation(Guarded {
            pixels,
            until,
            looks: Cell::new(0),
        });
        for grid in prepared.detect_grids() {
            if deadline.has_passed() {
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
            super::rxing_engine::read_modules(grid.grid.size(), |x, y| grid.grid.bit(y, x))
        {
            return Some(text);
        }
        // As large as any code's content, so that it never moves and leaves an unwiped copy behind.
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE));
        grid.decode_to(&mut *bytes).ok()?;
        Some(text::guessed(&bytes)).filter(|text| !text.is_empty())
    }

    /// A picture that stops the search when time is up.
    ///
    /// rqrr tries every pair of squares that might be the corners of one code, each on a copy of the picture, and paints over large
    /// areas again and again; in a picture full of squares that takes minutes, and it takes no deadline. So the picture refuses to be
    /// copied or looked at: the panic ends the search, and is caught.
    struct Guarded {
        pixels: GrayImage,
        until: Deadline,
        looks: Cell<u32>,
    }

    impl Guarded {
        fn check(&self) {
            assert!(!self.until.has_passed(), "time is up");
        }
    }

    impl Clone for Guarded {
        fn clone(&self) -> Self {
            self.check();
            Self {
                pixels: self.pixels.clone(),
                until: self.until,
                looks: Cell::new(0),
            }
        }
    }

    impl GenericImageView for Guarded {
        type Pixel = Luma<u8>;

        fn dimensions(&self) -> (u32, u32) {
            self.pixels.dimensions()
        }

        fn get_pixel(&self, x: u32, y: u32) -> Luma<u8> {
            let looks = self.looks.get().wrapping_add(1);
            self.looks.set(looks);
            // Asking for the time costs more than looking at a pixel.
            if looks.is_multiple_of(1 << 18) {
                self.check();
            }
            *self.pixels.get_pixel(x, y)
        }
    }

    impl GenericImage for Guarded {
        fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Luma<u8> {
            self.pixels.get_pixel_mut(x, y)
        }

        fn put_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
            self.pixels.put_pixel(x, y, pixel);
        }

        fn blend_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
            self.pixels.put_pixel(x, y, pixel);
        }
    }
}

#[cfg(feature = "rxing")]
mod rxing_engine {
    use rxing::common::cpp_essentials::ConcentricPattern;
    use rxing::common::{BitArray, BitMatrix, DetectorRXingResult};
    use rxing::qrcode::cpp_port::decoder::Decode;
    use rxing::qrcode::cpp_port::detector::{
        FindFinderPatterns, FinderPatternSet, GenerateFinderPatternSets, SampleQR,
    };

    use super::{Bits, Deadline, Found, text};
    use crate::qr::bent::{self, Corners};
    use crate::qr::bits::WORD;
    use crate::secret::SecretText;

    /// Enough for dozens of codes; a picture full of squares would give a hundred thousand.
    const MOST_SETS: usize = 4000;
    /// Sets of corners that a bent grid is laid between: it takes milliseconds, and the likeliest come first.
    const MOST_BENT: usize = 3;

    pub(super) fn look(bits: &Bits, is_bent: bool, deadline: Deadline, found: &mut Vec<Found>) {
        let Some(matrix) = matrix(bits) else { return };
        let mut patterns = FindFinderPatterns(&matrix, true, 0);
        let mut used = Vec::new();
        let mut tried = 0;
        for set in GenerateFinderPatternSets(&mut patterns)
            .iter()
            .take(MOST_SETS)
        {
            if deadline.has_passed() {
                return;
            }
            let corners = [set.bl, set.tl, set.tr];
            if corners.iter().any(|corner| used.contains(corner)) {
                continue;
            }
            let flat = super::fenced(|| {
                SampleQR(&matrix, set)
                    .ok()
                    .and_then(|sampled| read(sampled.getBits()))
            })
            .flatten();
            let bent = || {
                tried += 1;
                (is_bent && tried <= MOST_BENT)
                    .then(|| read_bent(bits, set))
                    .flatten()
            };
            if let Some(text) = flat.or_else(bent) {
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

    fn read_bent(bits: &Bits, set: &FinderPatternSet) -> Option<SecretText> {
        let at = |corner: &ConcentricPattern| (corner.p.x, corner.p.y);
        let corners = Corners {
            top_left: at(&set.tl),
            top_right: at(&set.tr),
            bottom_left: at(&set.bl),
            square: (set.tl.size + set.tr.size + set.bl.size) as f32 / 3.0,
        };
        bent::modules(bits, corners)
            .iter()
            .find_map(|modules| read_modules(modules.len(), |x, y| modules[y][x]))
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
