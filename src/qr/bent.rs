//! Reads the modules of a code on a bent sheet, such as a label on a bottle or a page that doesn't lie flat.
//!
//! The engines lay a flat grid between the squares in a code's corners. Here the grid may bulge: each axis by an arch across itself
//! and an uneven pace along itself. How much is found by trying, for the timing patterns between the corner squares (a line of
//! modules that are dark and light in turn, ISO/IEC 18004 section 6.3.5) and the alignment patterns tell how well a grid lies.

use super::bits::Bits;

/// A place in the picture or a direction, in pixels.
type Vector = (f32, f32);

/// The middles of a code's three corner squares and about how large they are, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Corners {
    pub(super) top_left: Vector,
    pub(super) top_right: Vector,
    pub(super) bottom_left: Vector,
    pub(super) square: f32,
}

/// How one axis departs from a straight and even line, in modules at the most.
#[derive(Clone, Copy, Default)]
struct Bend {
    /// Off the line, as an arch.
    aside: f32,
    /// Along it: the first half wider than the second.
    lean: f32,
    /// Along it: the middle wider than both ends, as on a cylinder.
    pace: f32,
}

/// A grid laid over the picture.
#[derive(Clone, Copy)]
struct Sheet {
    corners: Corners,
    /// Modules a side.
    modules: usize,
    across: Bend,
    down: Bend,
    /// How far the fourth corner is from where a parallelogram has it, in modules.
    fourth: Vector,
}

/// The least share of the timing patterns that must be right before a grid is tried.
const PLAUSIBLE: f32 = 0.86;
/// Grids of different sizes that are read.
const MOST_GRIDS: usize = 3;

/// The grids that lie well, the best first, as rows of modules, dark is true.
///
/// Several sizes can be bent so that their timing patterns come out; the other patterns tell them apart.
pub(super) fn modules(bits: &Bits, corners: Corners) -> Vec<Vec<Vec<bool>>> {
    let mut sheets: Vec<(f32, Sheet)> = sizes(corners)
        .filter_map(|modules| {
            let mut sheet = Sheet {
                corners,
                modules,
                across: Bend::default(),
                down: Bend::default(),
                fourth: (0.0, 0.0),
            };
            let across = sheet.fit(
                bits,
                |sheet, bend| sheet.across = bend,
                Sheet::timing_across,
            );
            let down = sheet.fit(bits, |sheet, bend| sheet.down = bend, Sheet::timing_down);
            if across.min(down) < PLAUSIBLE {
                return None;
            }
            let sheet = sheet.with_fourth_corner(bits).refined(bits);
            Some((sheet.patterns(bits), sheet))
        })
        .collect();
    sheets.sort_by(|a, b| b.0.total_cmp(&a.0));
    let modules = |(_, sheet): (f32, Sheet)| {
        let row = |v| (0..sheet.modules).map(|u| sheet.dark(bits, u, v)).collect();
        (0..sheet.modules).map(row).collect()
    };
    sheets.into_iter().take(MOST_GRIDS).map(modules).collect()
}

/// The sizes that a code may have whose corner squares are so large and so far apart. Squares at the edges of a cylinder look
/// narrower than they are, so smaller sizes than the measured one are likelier than larger ones.
fn sizes(corners: Corners) -> impl Iterator<Item = usize> {
    let side = |(x, y): Vector| (x - corners.top_left.0).hypot(y - corners.top_left.1);
    let measured =
        (side(corners.top_right) + side(corners.bottom_left)) / 2.0 / (corners.square / 7.0) + 7.0;
    (1..=40)
        .map(|version| 17 + 4 * version)
        .filter(move |size| (measured * 0.72..measured * 1.2).contains(&(*size as f32)))
}

fn arch(t: f32) -> f32 {
    4.0 * t * (1.0 - t)
}

/// Nought at both ends and in the middle, and 1 at its highest.
fn wave(t: f32) -> f32 {
    10.392 * t * (1.0 - t) * (1.0 - 2.0 * t)
}

impl Sheet {
    /// Where the middle of a module is.
    fn place(&self, u: usize, v: usize) -> Vector {
        let span = (self.modules - 7) as f32;
        let (a, b) = ((u as f32 - 3.0) / span, (v as f32 - 3.0) / span);
        let (arch_a, arch_b) = (arch(a), arch(b));
        let along = a * span
            + self.across.lean * arch_a
            + self.across.pace * wave(a)
            + self.down.aside * arch_b
            + self.fourth.0 * a * b;
        let below = b * span
            + self.down.lean * arch_b
            + self.down.pace * wave(b)
            + self.across.aside * arch_a
            + self.fourth.1 * a * b;
        let Corners {
            top_left,
            top_right,
            bottom_left,
            ..
        } = self.corners;
        let step = |end: f32, start: f32| (end - start) / span;
        (
            top_left.0
                + along * step(top_right.0, top_left.0)
                + below * step(bottom_left.0, top_left.0),
            top_left.1
                + along * step(top_right.1, top_left.1)
                + below * step(bottom_left.1, top_left.1),
        )
    }

    fn dark(&self, bits: &Bits, u: usize, v: usize) -> bool {
        let (x, y) = self.place(u, v);
        x >= 0.0
            && y >= 0.0
            && (x as usize) < bits.width
            && (y as usize) < bits.height
            && bits.dark(x as usize, y as usize)
    }

    /// The share of the timing pattern between the upper squares that is as it should be.
    fn timing_across(&self, bits: &Bits) -> f32 {
        share((8..self.modules - 8).map(|u| self.dark(bits, u, 6) == u.is_multiple_of(2)))
    }

    fn timing_down(&self, bits: &Bits) -> f32 {
        share((8..self.modules - 8).map(|v| self.dark(bits, 6, v) == v.is_multiple_of(2)))
    }

    /// Bends one axis so that its timing pattern comes out best, and says how well. Of all bends that do equally well the middle is
    /// taken: they surround the true one.
    fn fit(
        &mut self,
        bits: &Bits,
        set: impl Fn(&mut Self, Bend),
        timing: impl Fn(&Self, &Bits) -> f32,
    ) -> f32 {
        let mut best = 0.0;
        let (mut sum, mut count) = (Bend::default(), 0.0);
        for aside in steps(4.0, 0.25) {
            for lean in steps(1.0, 0.25) {
                for pace in steps(1.75, 0.25) {
                    let bend = Bend { aside, lean, pace };
                    set(self, bend);
                    let score = timing(self, bits);
                    if score > best {
                        best = score;
                        (sum, count) = (Bend::default(), 0.0);
                    }
                    if score == best {
                        sum.aside += aside;
                        sum.lean += lean;
                        sum.pace += pace;
                        count += 1.0;
                    }
                }
            }
        }
        set(
            self,
            Bend {
                aside: sum.aside / count,
                lean: sum.lean / count,
                pace: sum.pace / count,
            },
        );
        best
    }

    /// Moves the fourth corner to where the alignment pattern beside it is. The smallest size has none.
    fn with_fourth_corner(mut self, bits: &Bits) -> Self {
        if self.modules < 25 {
            return self;
        }
        let centre = self.modules - 7;
        let (mut best, mut sum, mut count) = (0.0, (0.0, 0.0), 0.0);
        for right in steps(5.0, 0.5) {
            for below in steps(5.0, 0.5) {
                self.fourth = (right, below);
                let score = self.alignment(bits, centre, centre);
                if score > best {
                    (best, sum, count) = (score, (0.0, 0.0), 0.0);
                }
                if score == best {
                    sum = (sum.0 + right, sum.1 + below);
                    count += 1.0;
                }
            }
        }
        self.fourth = (sum.0 / count, sum.1 / count);
        self
    }

    /// The share of the alignment pattern around a module that is as it should be: dark, a light ring, a dark ring.
    fn alignment(&self, bits: &Bits, u: usize, v: usize) -> f32 {
        let around = || (0..5_usize).flat_map(|j| (0..5_usize).map(move |i| (i, j)));
        share(around().map(|(i, j)| {
            let ring = i.abs_diff(2).max(j.abs_diff(2));
            self.dark(bits, u + i - 2, v + j - 2) == (ring != 1)
        }))
    }

    /// How well all patterns that are the same in every code of this size come out.
    fn patterns(&self, bits: &Bits) -> f32 {
        let far = self.modules - 7;
        let corner = |left: usize, top: usize| {
            let all = (0..7_usize).flat_map(|j| (0..7_usize).map(move |i| (i, j)));
            share(all.map(|(i, j)| {
                let ring = i.abs_diff(3).max(j.abs_diff(3));
                self.dark(bits, left + i, top + j) == (ring != 2)
            }))
        };
        let fourth = if self.modules < 25 {
            0.0
        } else {
            self.alignment(bits, far, far)
        };
        corner(0, 0)
            + corner(far, 0)
            + corner(0, far)
            + 2.0 * (self.timing_across(bits) + self.timing_down(bits))
            + fourth
    }

    /// Turns every screw a little as long as the patterns get better.
    fn refined(mut self, bits: &Bits) -> Self {
        let mut best = self.patterns(bits);
        for step in [0.25, 0.125, 0.0625] {
            for _ in 0..3 {
                let before = best;
                for screw in 0..8 {
                    for turn in [step, -step] {
                        let mut tried = self;
                        *tried.screw(screw) += turn;
                        let score = tried.patterns(bits);
                        if score > best {
                            (best, self) = (score, tried);
                        }
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
        self
    }

    fn screw(&mut self, index: usize) -> &mut f32 {
        match index {
            0 => &mut self.across.aside,
            1 => &mut self.across.lean,
            2 => &mut self.across.pace,
            3 => &mut self.down.aside,
            4 => &mut self.down.lean,
            5 => &mut self.down.pace,
            6 => &mut self.fourth.0,
            _ => &mut self.fourth.1,
        }
    }
}

/// From minus the most to the most.
fn steps(most: f32, step: f32) -> impl Iterator<Item = f32> {
    let count = (most / step) as i32;
    (-count..=count).map(move |i| i as f32 * step)
}

fn share(right: impl Iterator<Item = bool>) -> f32 {
    let (mut good, mut all) = (0.0, 0.0_f32);
    for is_right in right {
        all += 1.0;
        if is_right {
            good += 1.0;
        }
    }
    good / all.max(1.0)
}
