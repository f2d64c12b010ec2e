//! A grey picture, and the cheap preparations that make a code in it easier to see.

/// A grey picture: one byte a pixel, row by row, 0 black.
#[derive(Clone)]
pub(super) struct Gray {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

impl Gray {
    /// A picture whose pixels are made row by row: `row(y, line)` fills the line.
    fn by_rows(width: usize, height: usize, mut row: impl FnMut(usize, &mut [u8])) -> Self {
        let mut pixels = vec![0; width * height];
        for (y, line) in pixels.chunks_exact_mut(width.max(1)).enumerate() {
            row(y, line);
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width..(y + 1) * self.width]
    }

    /// The row, or the nearest one that exists.
    fn near_row(&self, y: isize) -> &[u8] {
        self.row(y.clamp(0, self.height as isize - 1) as usize)
    }

    /// The shorter side in pixels.
    pub(super) fn short_side(&self) -> usize {
        self.width.min(self.height)
    }

    /// Light and dark exchanged.
    pub(super) fn inverted(&self) -> Self {
        Self {
            pixels: self.pixels.iter().map(|p| !p).collect(),
            ..*self
        }
    }

    /// Each square of `factor` by `factor` pixels becomes one, their average; what is left over at the right and below is dropped.
    pub(super) fn shrunk(&self, factor: usize) -> Self {
        let (width, height) = (self.width / factor, self.height / factor);
        let area = (factor * factor) as u32;
        let mut sums = vec![0_u32; width];
        Self::by_rows(width, height, |y, line| {
            sums.fill(0);
            for source in 0..factor {
                let row = self.row(y * factor + source);
                for (sum, square) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                    *sum += square.iter().map(|p| u32::from(*p)).sum::<u32>();
                }
            }
            for (pixel, sum) in line.iter_mut().zip(&sums) {
                *pixel = ((sum + area / 2) / area) as u8;
            }
        })
    }

    /// Scaled by any ratio: averages of areas when it shrinks, Catmull-Rom curves when it grows.
    pub(super) fn scaled(&self, ratio: f32) -> Self {
        let side = |length: usize| ((length as f32 * ratio).round() as usize).max(1);
        let (width, height) = (side(self.width), side(self.height));
        let taps = |length: usize, wanted: usize| {
            if ratio < 1.0 {
                area_taps(length, wanted)
            } else {
                cubic_taps(length, wanted)
            }
        };
        let (across, down) = (taps(self.width, width), taps(self.height, height));
        let mut narrow = vec![0.0_f32; width * self.height];
        for (y, line) in narrow.chunks_exact_mut(width).enumerate() {
            let row = self.row(y);
            for (value, (first, weights)) in line.iter_mut().zip(&across) {
                *value = weights
                    .iter()
                    .zip(&row[*first..])
                    .map(|(w, p)| w * f32::from(*p))
                    .sum();
            }
        }
        let mut sums = vec![0.0_f32; width];
        Self::by_rows(width, height, |y, line| {
            let (first, weights) = &down[y];
            sums.fill(0.0);
            for (weight, row) in weights
                .iter()
                .zip(narrow[first * width..].chunks_exact(width))
            {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += weight * value;
                }
            }
            for (pixel, sum) in line.iter_mut().zip(&sums) {
                *pixel = sum.round().clamp(0.0, 255.0) as u8;
            }
        })
    }

    /// The average of the square of `2 * radius + 1` pixels around each.
    pub(super) fn blurred(&self, radius: usize) -> Self {
        let sums = Sums::of(self);
        Self::by_rows(self.width, self.height, |y, line| {
            for (x, pixel) in line.iter_mut().enumerate() {
                *pixel = sums.mean(x, y, radius) as u8;
            }
        })
    }

    /// The middle one of the nine pixels around each: takes single specks away and keeps edges.
    pub(super) fn median(&self) -> Self {
        Self::by_rows(self.width, self.height, |y, line| {
            let rows = [-1, 0, 1].map(|d| self.near_row(y as isize + d));
            for (x, pixel) in line.iter_mut().enumerate() {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(self.width - 1));
                let mut nine = [0; 9];
                for (three, row) in nine.chunks_exact_mut(3).zip(rows) {
                    three.copy_from_slice(&[row[left], row[x], row[right]]);
                }
                *pixel = *nine.select_nth_unstable(4).1;
            }
        })
    }

    /// Edges made steeper: what differs from the average around it differs `amount` times more.
    pub(super) fn sharpened(&self, radius: usize, amount: f32) -> Self {
        let sums = Sums::of(self);
        Self::by_rows(self.width, self.height, |y, line| {
            for ((x, pixel), own) in line.iter_mut().enumerate().zip(self.row(y)) {
                let (own, around) = (f32::from(*own), sums.mean(x, y, radius) as f32);
                *pixel = (own + amount * (own - around)).clamp(0.0, 255.0) as u8;
            }
        })
    }

    /// Contrast stretched within squares of `side` pixels, blended from square to square: lifts codes out of shadow and glare.
    pub(super) fn stretched(&self, side: usize) -> Self {
        let (across, down) = (self.width.div_ceil(side), self.height.div_ceil(side));
        let mut range = vec![(u8::MAX, u8::MIN); across * down];
        for (y, row) in self.pixels.chunks_exact(self.width).enumerate() {
            for (square, part) in row.chunks(side).enumerate() {
                let (low, high) = &mut range[y / side * across + square];
                for pixel in part {
                    *low = (*low).min(*pixel);
                    *high = (*high).max(*pixel);
                }
            }
        }
        let at = |x: usize, y: usize| range[y.min(down - 1) * across + x.min(across - 1)];
        let blend = |a: u8, b: u8, t: f32| f32::from(a) + (f32::from(b) - f32::from(a)) * t;
        Self::by_rows(self.width, self.height, |y, line| {
            let v = (y as f32 / side as f32 - 0.5).max(0.0);
            let (above, fall) = (v as usize, v.fract());
            for ((x, pixel), own) in line.iter_mut().enumerate().zip(self.row(y)) {
                let u = (x as f32 / side as f32 - 0.5).max(0.0);
                let (left, slide) = (u as usize, u.fract());
                let corners = [
                    (left, above),
                    (left + 1, above),
                    (left, above + 1),
                    (left + 1, above + 1),
                ]
                .map(|(i, j)| at(i, j));
                let low_top = blend(corners[0].0, corners[1].0, slide);
                let low_bottom = blend(corners[2].0, corners[3].0, slide);
                let high_top = blend(corners[0].1, corners[1].1, slide);
                let high_bottom = blend(corners[2].1, corners[3].1, slide);
                let low = low_top + (low_bottom - low_top) * fall;
                let high = high_top + (high_bottom - high_top) * fall;
                // A square of almost one shade holds nothing but noise: don't blow it up.
                let span = (high - low).max(24.0);
                *pixel = ((f32::from(*own) - low) * 255.0 / span).clamp(0.0, 255.0) as u8;
            }
        })
    }

    /// A frame of `shade` around it, as wide as told: the quiet zone that a tight crop lost.
    pub(super) fn framed(&self, wide: usize, shade: u8) -> Self {
        let width = self.width + 2 * wide;
        Self::by_rows(width, self.height + 2 * wide, |y, line| {
            line.fill(shade);
            if let Some(y) = y.checked_sub(wide)
                && y < self.height
            {
                line[wide..wide + self.width].copy_from_slice(self.row(y));
            }
        })
    }
}

/// For each wanted pixel: the first source pixel and the weights of it and those after it.
type Taps = Vec<(usize, Vec<f32>)>;

fn area_taps(length: usize, wanted: usize) -> Taps {
    let step = length as f32 / wanted as f32;
    (0..wanted)
        .map(|i| {
            let (from, to) = (i as f32 * step, ((i + 1) as f32 * step).min(length as f32));
            let (first, last) = (
                from as usize,
                (to.ceil() as usize).clamp(from as usize + 1, length),
            );
            let mut weights: Vec<f32> = (first..last)
                .map(|p| (to.min(p as f32 + 1.0) - from.max(p as f32)).max(0.0))
                .collect();
            normalise(&mut weights);
            (first, weights)
        })
        .collect()
}

fn cubic_taps(length: usize, wanted: usize) -> Taps {
    let step = length as f32 / wanted as f32;
    (0..wanted)
        .map(|i| {
            let centre = (i as f32 + 0.5) * step - 0.5;
            let first = (centre.floor() as isize - 1).clamp(0, length as isize - 1) as usize;
            let last = (first + 4).min(length);
            let mut weights: Vec<f32> = (first..last)
                .map(|p| catmull_rom((p as f32 - centre).abs()))
                .collect();
            normalise(&mut weights);
            (first, weights)
        })
        .collect()
}

/// Keys's cubic convolution with a = -1/2.
fn catmull_rom(x: f32) -> f32 {
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

fn normalise(weights: &mut [f32]) {
    let sum: f32 = weights.iter().sum();
    if sum.abs() > f32::EPSILON {
        weights.iter_mut().for_each(|w| *w /= sum);
    } else {
        weights.fill(1.0 / weights.len() as f32);
    }
}

/// Sums of all pixels above and left of each, from which the average of any rectangle follows in four look-ups.
pub(super) struct Sums {
    width: usize,
    height: usize,
    sums: Vec<u32>,
}

impl Sums {
    pub(super) fn of(gray: &Gray) -> Self {
        let stride = gray.width + 1;
        let mut sums = vec![0_u32; stride * (gray.height + 1)];
        for y in 0..gray.height {
            let (above, below) = sums.split_at_mut((y + 1) * stride);
            let above = &above[y * stride..];
            let mut across = 0_u32;
            for (x, pixel) in gray.row(y).iter().enumerate() {
                across += u32::from(*pixel);
                // Wraps in pictures beyond 16 million light pixels; differences come out right all the same.
                below[x + 1] = above[x + 1].wrapping_add(across);
            }
        }
        Self {
            width: gray.width,
            height: gray.height,
            sums,
        }
    }

    /// The average of the square around a pixel, cut at the picture's edges.
    pub(super) fn mean(&self, x: usize, y: usize, radius: usize) -> u32 {
        let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(self.width));
        let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(self.height));
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let sum = at(right, bottom)
            .wrapping_sub(at(left, bottom))
            .wrapping_sub(at(right, top))
            .wrapping_add(at(left, top));
        sum / ((right - left) * (bottom - top)) as u32
    }
}
