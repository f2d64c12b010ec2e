//! In which order a picture is prepared and looked at, and when it is enough.
//!
//! Each rung prepares the picture in one way, cuts it into dark and light in another, and lets an engine look at the outcome as it
//! is and with light and dark exchanged. The first rungs are always climbed, so that a second code which needs another preparation
//! than the first isn't missed; the rest only while nothing has been found.

use std::sync::Mutex;

use super::bits::{Bits, Threshold};
use super::engine::{self, Engine, Found};
use super::gray::Gray;
use super::picture::{Picture, View};
use super::quiet::fenced;
use crate::clock::Deadline;

/// One way to make a code easier to see.
#[derive(Clone, Copy, PartialEq)]
enum Prepare {
    AsIs,
    /// Averaged over squares of so many pixels.
    Shrunk(usize),
    /// Scaled by a ratio.
    Scaled(f32),
    /// Scaled up by a ratio, and edges made steeper.
    Magnified(f32, f32),
    Sharpened,
    Blurred(usize),
    /// Defocus taken back, in so many rounds.
    Deblurred(usize),
    Median,
    /// Cut out of the shade around it, and framed in another: the quiet zone that is missing.
    Framed(u8),
}

/// Pictures with a longer short side than this don't gain from being magnified or deblurred, and are costly.
const MAGNIFIED_UP_TO: usize = 1000;
/// Pictures with a shorter short side than this hold no code after shrinking.
const SHRUNK_DOWN_TO: usize = 60;

/// A picture prepared, and how its places relate to those of the original.
struct Prepared {
    gray: Gray,
    ratio: f32,
    left: f32,
    top: f32,
}

impl Prepare {
    /// `None` if it is no use for such a picture.
    fn apply(self, gray: &Gray) -> Option<Prepared> {
        let side = gray.short_side();
        let (mut ratio, mut left, mut top) = (1.0, 0.0, 0.0);
        let gray = match self {
            Self::AsIs => gray.clone(),
            Self::Shrunk(factor) if side / factor < SHRUNK_DOWN_TO => return None,
            Self::Shrunk(factor) => {
                ratio = 1.0 / factor as f32;
                gray.shrunk(factor)
            }
            Self::Scaled(by) | Self::Magnified(by, _) if by > 1.0 && side > MAGNIFIED_UP_TO => {
                return None;
            }
            Self::Scaled(by) => {
                ratio = by;
                gray.scaled(by)
            }
            Self::Magnified(by, amount) => {
                ratio = by;
                gray.scaled(by).sharpened((2.0 * by) as usize, amount)
            }
            Self::Sharpened => gray.sharpened(3, 1.5),
            Self::Deblurred(_) if side > MAGNIFIED_UP_TO => return None,
            Self::Deblurred(rounds) => gray.deblurred(rounds),
            Self::Blurred(radius) => gray.blurred(radius),
            Self::Median => gray.median(),
            Self::Framed(shade) => {
                let part = gray.inside_of_border()?;
                let frame = 16 + side / 8;
                left = part[0] as f32 - frame as f32;
                top = part[1] as f32 - frame as f32;
                gray.cropped(part).framed(frame, shade)
            }
        };
        Some(Prepared {
            gray,
            ratio,
            left,
            top,
        })
    }
}

impl Prepared {
    /// From a place in the prepared picture to the place in the original.
    fn back(&self, found: Found) -> Found {
        Found {
            x: found.x / self.ratio + self.left,
            y: found.y / self.ratio + self.top,
            size: found.size / self.ratio,
            ..found
        }
    }
}

struct Rung {
    prepare: Prepare,
    threshold: Threshold,
    engine: Engine,
    /// Whether it is climbed even when something has been found.
    always: bool,
}

const fn around(radius: usize, margin: u32) -> Threshold {
    Threshold::Around { radius, margin }
}

const fn rung(prepare: Prepare, threshold: Threshold, engine: Engine) -> Rung {
    Rung {
        prepare,
        threshold,
        engine,
        always: false,
    }
}

const fn always(prepare: Prepare, threshold: Threshold, engine: Engine) -> Rung {
    Rung {
        prepare,
        threshold,
        engine,
        always: true,
    }
}

#[cfg(feature = "rxing")]
const RUNGS: &[Rung] = &{
    use Engine::{Bent, Rqrr, Rxing};
    use Prepare::*;
    use Threshold::{Blocks, Whole};
    [
        always(AsIs, around(20, 3), Rxing),
        always(AsIs, Blocks, Rxing),
        always(Shrunk(2), around(10, 3), Rxing),
        always(Shrunk(3), around(10, 3), Rxing),
        rung(Shrunk(4), Blocks, Rxing),
        rung(Sharpened, around(10, 0), Rxing),
        rung(Median, Blocks, Rxing),
        rung(Magnified(3.0, 2.0), Blocks, Rxing),
        rung(Scaled(0.75), Whole, Bent),
        rung(Deblurred(20), Blocks, Rxing),
        rung(AsIs, Whole, Rqrr),
        rung(Framed(u8::MAX), Whole, Rxing),
        rung(Framed(u8::MIN), Whole, Rxing),
        rung(Magnified(2.0, 1.0), around(20, 12), Rqrr),
        rung(AsIs, Whole, Bent),
        rung(Median, around(10, 0), Rxing),
        rung(Scaled(2.0), around(20, 1), Rxing),
        rung(Blurred(2), around(10, 3), Rxing),
        rung(Shrunk(6), around(10, 3), Rxing),
        rung(AsIs, around(40, 3), Rxing),
        rung(Shrunk(2), around(20, 3), Rqrr),
        rung(Median, around(10, 3), Rqrr),
        rung(Blurred(1), around(5, 3), Rxing),
        rung(Scaled(1.5), around(5, 3), Rxing),
        rung(Magnified(2.0, 3.0), Whole, Rxing),
        rung(Shrunk(3), Whole, Rxing),
        rung(Framed(u8::MAX), around(20, 3), Rqrr),
    ]
};

#[cfg(not(feature = "rxing"))]
const RUNGS: &[Rung] = &{
    use Engine::Rqrr;
    use Prepare::*;
    use Threshold::{Blocks, Whole};
    [
        always(AsIs, around(20, 3), Rqrr),
        always(Shrunk(2), around(10, 3), Rqrr),
        always(AsIs, Blocks, Rqrr),
        always(AsIs, Whole, Rqrr),
        rung(Shrunk(3), around(10, 3), Rqrr),
        rung(Sharpened, around(20, 3), Rqrr),
        rung(Median, around(10, 3), Rqrr),
        rung(Magnified(2.0, 1.0), around(20, 12), Rqrr),
        rung(Shrunk(4), Blocks, Rqrr),
        rung(Framed(u8::MAX), Whole, Rqrr),
        rung(Framed(u8::MIN), Whole, Rqrr),
        rung(Blurred(2), around(10, 3), Rqrr),
        rung(Deblurred(20), Blocks, Rqrr),
        rung(AsIs, around(40, 3), Rqrr),
        rung(Scaled(0.75), around(20, 3), Rqrr),
        rung(Magnified(3.0, 2.0), around(10, 3), Rqrr),
        rung(Scaled(2.0), around(10, 3), Rqrr),
    ]
};

/// Climbs until the deadline, and puts what is found into `found`, where it is safe should this thread be given up.
pub(super) fn climb(picture: &Picture, deadline: Deadline, found: &Mutex<Vec<Found>>) {
    let mut views = vec![View::OverWhite];
    if picture.is_translucent() {
        views.extend([View::OverBlack, View::Opacity]);
    }
    for view in views {
        if is_empty(found) || view == View::OverWhite {
            climb_view(&picture.view(view), RUNGS, deadline, found);
        }
    }
    // Colours of like brightness differ in one channel.
    if is_empty(found) && picture.is_coloured() {
        for view in [View::Darkest, View::Lightest] {
            climb_view(&picture.view(view), &RUNGS[..3], deadline, found);
        }
    }
}

fn climb_view(gray: &Gray, rungs: &[Rung], deadline: Deadline, found: &Mutex<Vec<Found>>) {
    for rung in rungs {
        if deadline.has_passed() {
            return;
        }
        if !(rung.always || is_empty(found)) {
            continue;
        }
        let ready = fenced(|| {
            let prepared = rung.prepare.apply(gray)?;
            let cut = Bits::cut(&prepared.gray, rung.threshold);
            Some((prepared, cut))
        });
        let Some(Some((prepared, cut))) = ready else {
            continue;
        };
        keep(engine::look(rung.engine, &cut, deadline), &prepared, found);
        keep(
            engine::look(rung.engine, &cut.inverted(), deadline),
            &prepared,
            found,
        );
    }
}

fn is_empty(found: &Mutex<Vec<Found>>) -> bool {
    found.lock().is_ok_and(|found| found.is_empty())
}

/// Keeps what is new.
fn keep(new: Vec<Found>, prepared: &Prepared, found: &Mutex<Vec<Found>>) {
    let Ok(mut found) = found.lock() else { return };
    for code in new {
        if !found.iter().any(|known| known.text.same_as(&code.text)) {
            found.push(prepared.back(code));
        }
    }
}
