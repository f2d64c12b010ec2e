//! What screen savers say: the screen is locked.

use std::convert::Infallible;

use super::Cue;
use super::watching::{OnCue, Owners, PATIENCE};
use crate::clock::Deadline;
use crate::desktop::bus::{Bus, Lost};

/// Names on the bus, and interfaces: the freedesktop one, and those of desktops that kept their own. A desktop may have the
/// first for others to call and speak under its own.
const SAVERS: &[&str] = &[
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.kde.screensaver",
    "org.xfce.ScreenSaver",
];

/// Hears screen savers until the connection is lost.
pub(super) fn listen(mut bus: Bus, on_cue: &OnCue) -> Result<Infallible, Lost> {
    for name in SAVERS {
        let rule = format!("type='signal',sender='{name}',member='ActiveChanged'");
        bus.add_match(&rule, Deadline::after(PATIENCE))?;
    }
    let mut owners = Owners::follow(&mut bus, SAVERS)?;
    loop {
        let Some(signal) = bus.next(None)? else {
            continue;
        };
        if owners.changed(&signal) {
            continue;
        }
        // The rules hold for what is sent to all; what is sent to us alone comes without having matched one.
        let is_change = SAVERS
            .iter()
            .any(|interface| signal.is_signal(interface, "ActiveChanged"));
        let is_active = || signal.values("b").and_then(|mut values| values.bool()) == Some(true);
        if is_change && owners.sent(&signal) && is_active() {
            on_cue(Cue::ScreenLock);
        }
    }
}
