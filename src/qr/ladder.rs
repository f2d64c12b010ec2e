//! In which order a picture is prepared and looked at, and when it is enough.
//!
//! Each rung prepares the picture in one way, cuts it into dark and light in another, and lets an engine look at the outcome as it
//! is and with light and dark exchanged. The first rungs are always climbed, so that a second code which needs another preparation
//! than the first isn't missed; the rest only while nothing has been found.

use std::sync::Mutex;
use std::time::Instant;

use super::bits::{Bits, Threshold};
use super::engine::{self, Engine, Found};
use super::gray::Gray;
use super::picture::{Picture, View};
use super::quiet::fenced;

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
    Median,
    /// A light frame around it: the quiet zone that a tight crop lost.
    Framed,
}

/// Pixels of frame.
const FRAME: usize = 24;
/// Pictures with a longer short side than this don't gain from being magnified, and are costly.
const MAGNIFIED_UP_TO: usize = 1000;
/// Pictures with a shorter short side than this hold no code after shrinking.
const SHRUNK_DOWN_TO: usize = 60;

impl Prepare {
    fn is_any_use(self, gray: &Gray) -> bool {
        let side = gray.short_side();
        match self {
            Self::Shrunk(factor) => side / factor >= SHRUNK_DOWN_TO,
            Self::Scaled(ratio) | Self::Magnified(ratio, _) if ratio > 1.0 => {
                side <= MAGNIFIED_UP_TO
            }
            Self::AsIs
            | Self::Scaled(_)
            | Self::Magnified(..)
            | Self::Sharpened
            | Self::Blurred(_)
            | Self::Median
            | Self::Framed => true,
        }
    }

    fn apply(self, gray: &Gray) -> Gray {
        match self {
            Self::AsIs => gray.clone(),
            Self::Shrunk(factor) => gray.shrunk(factor),
            Self::Scaled(ratio) => gray.scaled(ratio),
            Self::Magnified(ratio, amount) => {
                gray.scaled(ratio).sharpened((2.0 * ratio) as usize, amount)
            }
            Self::Sharpened => gray.sharpened(3, 1.5),
            Self::Blurred(radius) => gray.blurred(radius),
            Self::Median => gray.median(),
            Self::Framed => gray.framed(FRAME, u8::MAX),
        }
    }

    /// From a place in the prepared picture to the place in the original.
    fn back(self, found: Found) -> Found {
        let (ratio, offset) = match self {
            Self::Shrunk(factor) => (1.0 / factor as f32, 0.0),
            Self::Scaled(ratio) | Self::Magnified(ratio, _) => (ratio, 0.0),
            Self::Framed => (1.0, FRAME as f32),
            Self::AsIs | Self::Sharpened | Self::Blurred(_) | Self::Median => (1.0, 0.0),
        };
        Found {
            x: (found.x - offset) / ratio,
            y: (found.y - offset) / ratio,
            size: found.size / ratio,
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

const fn around(radius: usize) -> Threshold {
    Threshold::Around { radius, margin: 3 }
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
    use Engine::{Rqrr, Rxing};
    use Prepare::*;
    [
        always(AsIs, around(20), Rxing),
        always(AsIs, Threshold::Blocks, Rxing),
        always(Shrunk(2), around(10), Rxing),
        always(Shrunk(3), around(10), Rxing),
        rung(Sharpened, around(20), Rxing),
        rung(Median, around(10), Rxing),
        rung(Magnified(2.0, 1.0), around(20), Rxing),
        rung(Shrunk(4), Threshold::Blocks, Rxing),
        rung(AsIs, Threshold::Whole, Rqrr),
        rung(Scaled(2.0), around(10), Rxing),
        rung(Blurred(2), around(10), Rxing),
        rung(AsIs, around(40), Rxing),
        rung(Scaled(0.75), around(20), Rxing),
        rung(Magnified(3.0, 2.0), around(10), Rxing),
        rung(Framed, around(20), Rqrr),
        rung(Median, around(10), Rqrr),
        rung(Shrunk(2), around(20), Rqrr),
        rung(AsIs, Threshold::Whole, Rxing),
        rung(Blurred(1), around(5), Rxing),
        rung(Scaled(1.5), around(5), Rxing),
        rung(Magnified(2.0, 3.0), Threshold::Whole, Rxing),
        rung(Shrunk(3), Threshold::Whole, Rxing),
    ]
};

#[cfg(not(feature = "rxing"))]
const RUNGS: &[Rung] = &{
    use Engine::Rqrr;
    use Prepare::*;
    [
        always(AsIs, around(20), Rqrr),
        always(Shrunk(2), around(10), Rqrr),
        rung(AsIs, Threshold::Blocks, Rqrr),
        rung(AsIs, Threshold::Whole, Rqrr),
        rung(Sharpened, around(20), Rqrr),
        rung(Median, around(10), Rqrr),
        rung(Magnified(2.0, 1.0), around(20), Rqrr),
        rung(Shrunk(3), around(10), Rqrr),
        rung(Shrunk(4), Threshold::Blocks, Rqrr),
        rung(Framed, around(20), Rqrr),
        rung(Blurred(2), around(10), Rqrr),
        rung(AsIs, around(40), Rqrr),
        rung(Scaled(0.75), around(20), Rqrr),
        rung(Magnified(3.0, 2.0), around(10), Rqrr),
        rung(Scaled(2.0), around(10), Rqrr),
    ]
};

/// Climbs until the deadline, and puts what is found into `found`, where it is safe should this thread be given up.
pub(super) fn climb(picture: &Picture, deadline: Instant, found: &Mutex<Vec<Found>>) {
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

fn climb_view(gray: &Gray, rungs: &[Rung], deadline: Instant, found: &Mutex<Vec<Found>>) {
    for rung in rungs {
        if Instant::now() >= deadline {
            return;
        }
        if !rung.prepare.is_any_use(gray) || !(rung.always || is_empty(found)) {
            continue;
        }
        let cut = fenced(|| match rung.prepare {
            Prepare::AsIs => Bits::cut(gray, rung.threshold),
            prepare => Bits::cut(&prepare.apply(gray), rung.threshold),
        });
        let Some(cut) = cut else { continue };
        keep(
            engine::look(rung.engine, &cut, deadline),
            rung.prepare,
            found,
        );
        keep(
            engine::look(rung.engine, &cut.inverted(), deadline),
            rung.prepare,
            found,
        );
    }
}

fn is_empty(found: &Mutex<Vec<Found>>) -> bool {
    found.lock().is_ok_and(|found| found.is_empty())
}

/// Keeps what is new.
fn keep(new: Vec<Found>, prepare: Prepare, found: &Mutex<Vec<Found>>) {
    let Ok(mut found) = found.lock() else { return };
    for code in new {
        if !found.iter().any(|known| known.text.same_as(&code.text)) {
            found.push(prepare.back(code));
        }
    }
}
