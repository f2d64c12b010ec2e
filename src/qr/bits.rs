//! Dark or light: a grey picture cut at a threshold.

use super::gray::Gray;

/// Pixels in a word.
pub(super) const WORD: usize = usize::BITS as usize;

/// Where the threshold lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Threshold {
    /// One for the whole picture, by Otsu's method: the cut that parts the grey values best.
    Whole,
    /// One for each square of 8 pixels, from the mean of those around it where they have contrast.
    Blocks,
    /// The average of the square around each pixel, less a small margin in per cent.
    Around { radius: usize, margin: u32 },
}

/// One bit a pixel, dark is set, packed row by row.
pub(super) struct Bits {
    pub(super) width: usize,
    pub(super) height: usize,
    words: Vec<usize>,
}

impl Bits {
    pub(super) fn cut(gray: &Gray, threshold: Threshold) -> Self {
        let mut bits = Self {
            width: gray.width,
            height: gray.height,
            words: vec![0; gray.width.div_ceil(WORD) * gray.height],
        };
        // One byte a pixel, 1 for dark: comparing goes many pixels at a time so, and packing eight.
        let mut dark = vec![0; gray.width];
        match threshold {
            Threshold::Whole => {
                let level = otsu(gray);
                for y in 0..gray.height {
                    mark(gray.row(y), level, &mut dark);
                    bits.pack(y, &dark);
                }
            }
            Threshold::Blocks => {
                let levels = Levels::of(gray);
                for y in 0..gray.height {
                    for ((pixels, dark), level) in gray
                        .row(y)
                        .chunks(BLOCK)
                        .zip(dark.chunks_mut(BLOCK))
                        .zip(levels.row(y))
                    {
                        mark(pixels, *level, dark);
                    }
                    bits.pack(y, &dark);
                }
            }
            Threshold::Around { radius, margin } => gray.windows(radius, |y, window| {
                window.mark_below(gray.row(y), 100 - margin, &mut dark);
                bits.pack(y, &dark);
            }),
        }
        bits
    }

    /// Puts a row of ones and zeros in.
    fn pack(&mut self, y: usize, dark: &[u8]) {
        let stride = self.width.div_ceil(WORD);
        let row = &mut self.words[y * stride..(y + 1) * stride];
        for (word, pixels) in row.iter_mut().zip(dark.chunks(WORD)) {
            for (index, eight) in pixels.chunks(8).enumerate() {
                let mut bytes = [0; 8];
                bytes[..eight.len()].copy_from_slice(eight);
                // The product gathers the lowest bit of each byte in the highest byte, the first one lowest.
                let gathered = u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                *word |= (gathered as usize) << (8 * index);
            }
        }
    }

    /// Light and dark exchanged.
    pub(super) fn inverted(&self) -> Self {
        self.trimmed(self.words.iter().map(|w| !w).collect())
    }

    pub(super) fn dark(&self, x: usize, y: usize) -> bool {
        self.row(y)[x / WORD] >> (x % WORD) & 1 == 1
    }

    /// A row, a word of pixels after the other, the leftmost in the lowest bit; bits beyond the width are clear.
    pub(super) fn row(&self, y: usize) -> &[usize] {
        let stride = self.width.div_ceil(WORD);
        &self.words[y * stride..(y + 1) * stride]
    }

    /// The same picture with other words, whose bits beyond the width are cleared: the engines look there.
    fn trimmed(&self, mut words: Vec<usize>) -> Self {
        let stride = self.width.div_ceil(WORD);
        if !self.width.is_multiple_of(WORD) {
            for line in words.chunks_exact_mut(stride) {
                line[stride - 1] &= (1 << (self.width % WORD)) - 1;
            }
        }
        Self { words, ..*self }
    }
}

/// Dark is what is not lighter than the level.
fn mark(pixels: &[u8], level: u8, dark: &mut [u8]) {
    for (dark, pixel) in dark.iter_mut().zip(pixels) {
        *dark = u8::from(*pixel <= level);
    }
}

/// N. Otsu, "A threshold selection method from gray-level histograms", 1979: the level with the greatest variance between the two classes.
fn otsu(gray: &Gray) -> u8 {
    let mut histogram = [0_u64; 256];
    for pixel in &gray.pixels {
        histogram[usize::from(*pixel)] += 1;
    }
    let total: u64 = histogram.iter().sum();
    let weighted: u64 = histogram.iter().zip(0_u64..=255).map(|(n, v)| n * v).sum();
    let (mut dark, mut dark_weighted) = (0_u64, 0_u64);
    let (mut best, mut level) = (0.0, 127);
    for (count, value) in histogram.iter().zip(0..=u8::MAX) {
        dark += count;
        dark_weighted += count * u64::from(value);
        let light = total - dark;
        if dark == 0 || light == 0 {
            continue;
        }
        let apart =
            dark_weighted as f64 / dark as f64 - (weighted - dark_weighted) as f64 / light as f64;
        let between = dark as f64 * light as f64 * apart * apart;
        if between > best {
            (best, level) = (between, value);
        }
    }
    level
}

const BLOCK: usize = 8;

/// A level for every block: ZXing's hybrid method. A block without contrast takes a level that makes it light, unless the blocks
/// before it say that such a shade is dark; then the levels of five by five blocks are averaged.
struct Levels {
    across: usize,
    levels: Vec<u8>,
}

impl Levels {
    const CONTRAST: u8 = 24;

    fn of(gray: &Gray) -> Self {
        let (across, down) = (gray.width.div_ceil(BLOCK), gray.height.div_ceil(BLOCK));
        let mut own = vec![0_u32; across * down];
        for j in 0..down {
            for i in 0..across {
                let (mut low, mut high, mut sum, mut count) = (u8::MAX, u8::MIN, 0_u32, 0_u32);
                for y in j * BLOCK..((j + 1) * BLOCK).min(gray.height) {
                    let row = gray.row(y);
                    let part = &row[i * BLOCK..((i + 1) * BLOCK).min(gray.width)];
                    for pixel in part {
                        low = low.min(*pixel);
                        high = high.max(*pixel);
                        sum += u32::from(*pixel);
                    }
                    count += part.len() as u32;
                }
                own[j * across + i] = if high - low > Self::CONTRAST {
                    sum / count
                } else {
                    let flat = u32::from(low) / 2;
                    if i > 0 && j > 0 {
                        let before = (own[(j - 1) * across + i]
                            + 2 * own[j * across + i - 1]
                            + own[(j - 1) * across + i - 1])
                            / 4;
                        if u32::from(low) < before {
                            before
                        } else {
                            flat
                        }
                    } else {
                        flat
                    }
                };
            }
        }
        let mut levels = vec![0; own.len()];
        for j in 0..down {
            let (top, bottom) = window(j, down);
            for i in 0..across {
                let (left, right) = window(i, across);
                let sum: u32 = (top..bottom)
                    .map(|y| {
                        own[y * across + left..y * across + right]
                            .iter()
                            .sum::<u32>()
                    })
                    .sum();
                levels[j * across + i] = (sum / ((bottom - top) * (right - left)) as u32) as u8;
            }
        }
        Self { across, levels }
    }

    /// The levels of the blocks that a row of pixels runs through.
    fn row(&self, y: usize) -> &[u8] {
        &self.levels[y / BLOCK * self.across..][..self.across]
    }
}

/// Five blocks around one, moved inward at the edges.
fn window(at: usize, count: usize) -> (usize, usize) {
    let first = at.saturating_sub(2).min(count.saturating_sub(5));
    (first, (first + 5).min(count))
}
