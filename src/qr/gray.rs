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

    /// Calls with each row and the sums around its pixels, in squares of `2 * radius + 1`.
    pub(super) fn windows(&self, radius: usize, mut each: impl FnMut(usize, &Window<'_>)) {
        let mut columns = vec![0_u32; self.width];
        let mut sums = vec![0_u32; self.width + 1];
        let (mut first, mut last) = (0, 0);
        for y in 0..self.height {
            while last < (y + radius + 1).min(self.height) {
                columns
                    .iter_mut()
                    .zip(self.row(last))
                    .for_each(|(sum, pixel)| *sum += u32::from(*pixel));
                last += 1;
            }
            while first < y.saturating_sub(radius) {
                columns
                    .iter_mut()
                    .zip(self.row(first))
                    .for_each(|(sum, pixel)| *sum -= u32::from(*pixel));
                first += 1;
            }
            let mut across = 0;
            for (sum, column) in sums[1..].iter_mut().zip(&columns) {
                across += column;
                *sum = across;
            }
            let rows = (last - first) as u32;
            each(
                y,
                &Window {
                    sums: &sums,
                    rows,
                    radius,
                },
            );
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
        let (mut pixels, mut means) = (vec![0; self.pixels.len()], vec![0.0; self.width]);
        self.windows(radius, |y, window| {
            let line = &mut pixels[y * self.width..(y + 1) * self.width];
            window.means(&mut means);
            for (pixel, mean) in line.iter_mut().zip(&means) {
                *pixel = (*mean + 0.5) as u8;
            }
        });
        Self { pixels, ..*self }
    }

    /// Defocus taken back: looks for the picture that, blurred, is the one at hand, by adding again and again what blurring it still
    /// lacks (Van Cittert's iteration). Two averages over five pixels stand for a Gaussian blur with a deviation of two pixels.
    pub(super) fn deblurred(&self, rounds: usize) -> Self {
        let mut sharp = self.clone();
        for _ in 0..rounds {
            let blurred = sharp.blurred(2).blurred(2);
            for ((pixel, blurred), own) in sharp
                .pixels
                .iter_mut()
                .zip(&blurred.pixels)
                .zip(&self.pixels)
            {
                let lacks = i16::from(*own) - i16::from(*blurred);
                *pixel = (i16::from(*pixel) + lacks).clamp(0, 255) as u8;
            }
        }
        sharp
    }

    /// The middle one of the nine pixels around each: takes single specks away and keeps edges.
    ///
    /// Each column of three is sorted once. The middle of nine is then the middle of three: of the lowest's highest, the middles'
    /// middle, and the highest's lowest. No step depends on the one before, so many pixels go at a time.
    pub(super) fn median(&self) -> Self {
        let width = self.width;
        let mut sorted = [vec![0; width + 2], vec![0; width + 2], vec![0; width + 2]];
        Self::by_rows(width, self.height, |y, line| {
            let rows = [-1, 0, 1].map(|d| self.near_row(y as isize + d));
            let [low, mid, high] = &mut sorted;
            for x in 0..width {
                let (a, b, c) = (rows[0][x], rows[1][x], rows[2][x]);
                low[x + 1] = a.min(b).min(c);
                mid[x + 1] = middle(a, b, c);
                high[x + 1] = a.max(b).max(c);
            }
            for column in [&mut *low, &mut *mid, &mut *high] {
                column[0] = column[1];
                column[width + 1] = column[width];
            }
            for (x, pixel) in line.iter_mut().enumerate() {
                let lowest = low[x].max(low[x + 1]).max(low[x + 2]);
                let central = middle(mid[x], mid[x + 1], mid[x + 2]);
                let highest = high[x].min(high[x + 1]).min(high[x + 2]);
                *pixel = middle(lowest, central, highest);
            }
        })
    }

    /// Edges made steeper: what differs from the average around it differs `amount` times more.
    pub(super) fn sharpened(&self, radius: usize, amount: f32) -> Self {
        let (mut pixels, mut means) = (vec![0; self.pixels.len()], vec![0.0; self.width]);
        self.windows(radius, |y, window| {
            let line = &mut pixels[y * self.width..(y + 1) * self.width];
            window.means(&mut means);
            for ((pixel, own), mean) in line.iter_mut().zip(self.row(y)).zip(&means) {
                let own = f32::from(*own);
                *pixel = (own + amount * (own - mean)).clamp(0.0, 255.0) as u8;
            }
        });
        Self { pixels, ..*self }
    }

    /// The part that differs from the shade along the edges: left, top, right and bottom, the latter two exclusive.
    ///
    /// A code that touches a coloured page on all sides has no quiet zone; cut out exactly, it can be given one.
    pub(super) fn inside_of_border(&self) -> Option<[usize; 4]> {
        const ALIKE: u8 = 16;
        let mut border = [self.row(0), self.row(self.height - 1)].concat();
        border.extend((0..self.height).flat_map(|y| [self.row(y)[0], self.row(y)[self.width - 1]]));
        let middle = border.len() / 2;
        let shade = *border.select_nth_unstable(middle).1;
        let differs = |pixel: &u8| pixel.abs_diff(shade) > ALIKE;
        let rows = || (0..self.height).filter(|y| self.row(*y).iter().any(differs));
        let (top, bottom) = (rows().next()?, rows().next_back()? + 1);
        let first = (top..bottom)
            .filter_map(|y| self.row(y).iter().position(differs))
            .min()?;
        let last = (top..bottom)
            .filter_map(|y| self.row(y).iter().rposition(differs))
            .max()?
            + 1;
        Some([first, top, last, bottom])
    }

    /// A part of it: left, top, right and bottom, the latter two exclusive.
    pub(super) fn cropped(&self, [left, top, right, bottom]: [usize; 4]) -> Self {
        Self::by_rows(right - left, bottom - top, |y, line| {
            line.copy_from_slice(&self.row(top + y)[left..right])
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

/// The middle one of three.
fn middle(a: u8, b: u8, c: u8) -> u8 {
    a.max(b).min(a.min(b).max(c))
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

/// Sums over the square around each pixel of one row.
pub(super) struct Window<'a> {
    /// Sums of the columns, added up from the left: one more than there are pixels.
    sums: &'a [u32],
    rows: u32,
    radius: usize,
}

impl Window<'_> {
    /// The average of the square around a pixel, cut at the picture's edges.
    fn mean(&self, x: usize) -> u32 {
        let (left, right) = (
            x.saturating_sub(self.radius),
            (x + self.radius + 1).min(self.sums.len() - 1),
        );
        (self.sums[right] - self.sums[left]) / (self.rows * (right - left) as u32)
    }

    /// The averages of the squares around all pixels of the row.
    fn means(&self, means: &mut [f32]) {
        let (width, radius) = (means.len(), self.radius);
        if width <= 2 * radius + 1 {
            means
                .iter_mut()
                .enumerate()
                .for_each(|(x, mean)| *mean = self.mean(x) as f32);
            return;
        }
        let share = 1.0 / (self.rows * (2 * radius as u32 + 1)) as f32;
        let (left, right) = (
            &self.sums[..width - 2 * radius],
            &self.sums[2 * radius + 1..],
        );
        for ((mean, left), right) in means[radius..width - radius]
            .iter_mut()
            .zip(left)
            .zip(right)
        {
            *mean = (right - left) as f32 * share;
        }
        for x in (0..radius).chain(width - radius..width) {
            means[x] = self.mean(x) as f32;
        }
    }

    /// Marks by 1 the pixels that are not lighter than so many per cent of the average around them.
    pub(super) fn mark_below(&self, pixels: &[u8], per_cent: u32, dark: &mut [u8]) {
        let edge = |x: usize| u8::from(u32::from(pixels[x]) <= self.mean(x) * per_cent / 100);
        let (width, radius) = (pixels.len(), self.radius);
        if width <= 2 * radius + 1 {
            dark.iter_mut()
                .enumerate()
                .for_each(|(x, dark)| *dark = edge(x));
            return;
        }
        // Away from the edges every square has as many pixels, and no division is needed.
        let area = self.rows * (2 * radius as u32 + 1) * 100;
        let inner = radius..width - radius;
        let (left, right) = (
            &self.sums[..width - 2 * radius],
            &self.sums[2 * radius + 1..],
        );
        for (((dark, pixel), left), right) in dark[inner.clone()]
            .iter_mut()
            .zip(&pixels[inner])
            .zip(left)
            .zip(right)
        {
            *dark = u8::from(u32::from(*pixel) * area <= (right - left) * per_cent);
        }
        for x in (0..radius).chain(width - radius..width) {
            dark[x] = edge(x);
        }
    }
}
