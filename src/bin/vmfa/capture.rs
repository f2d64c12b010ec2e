//! Pictures of what the screens show, taken in whichever way this desktop has.

#[cfg(target_os = "macos")]
mod mac;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod wayland;
#[cfg(target_os = "linux")]
mod x11;

use vmfa::qr::{self, Scanned};
use vmfa::secret::Secret;

use crate::fault::{Exit, Fault, Outcome};
use crate::place::{Displays, Place};

/// What one screen showed, or all of them in one picture.
pub(crate) struct Shot {
    /// To be read in front of what was found on it.
    pub(crate) name: String,
    picture: Picture,
    /// What the person should know about how it was taken.
    pub(crate) remark: Option<String>,
}

/// It may show a secret: wiped.
enum Picture {
    /// Red, green, blue and opacity, by rows from the top.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "X11 alone gives pixels")
    )]
    Pixels {
        width: u32,
        height: u32,
        rgba: Secret,
    },
    /// A file that some other program wrote.
    File(Secret),
}

impl Shot {
    /// The QR codes on it.
    ///
    /// # Errors
    /// It is too large, or no picture.
    pub(crate) fn codes(self) -> Outcome<Scanned> {
        let scanned = match self.picture {
            Picture::Pixels {
                width,
                height,
                rgba,
            } => qr::scan_pixels(width, height, rgba),
            Picture::File(bytes) => qr::scan(bytes.expose()),
        };
        scanned.map_err(|error| Fault::from(error).at(&self.name))
    }
}

/// A way to take pictures of the screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The X server is asked.
    X11,
    /// The desktop's portal is asked, which may ask the person.
    Portal,
    /// The program `grim` is run, as compositors without a portal have it.
    Grim,
    /// macOS's program `screencapture` is run.
    Mac,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::X11 => "the X server",
            Self::Portal => "the desktop's portal",
            Self::Grim => "grim",
            Self::Mac => "screencapture",
        }
    }
}

/// Why a way came to nothing.
#[derive(Debug)]
enum Failed {
    /// Another way may do.
    Here(String),
    /// A person said no: that counts for all ways.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "nobody else asks")
    )]
    Refused,
}

/// A picture of every screen.
///
/// # Errors
/// No screen is here, a person refused, or no way came to anything: it says what was tried.
pub(crate) fn screens(place: &Place) -> Outcome<Vec<Shot>> {
    let displays = place.displays();
    let mut tried = Vec::new();
    for way in ways(&displays) {
        match take(way, place, &displays) {
            Ok(shots) if !shots.is_empty() => return Ok(shots),
            Ok(_) => tried.push(format!("{}: no screen", way.name())),
            Err(Failed::Here(why)) => tried.push(format!("{}: {why}", way.name())),
            Err(Failed::Refused) => {
                return Err(Fault::new(
                    Exit::Interrupted,
                    "the screenshot was refused on the desktop",
                ));
            }
        }
    }
    Err(Fault::new(Exit::NotFound, nothing(&tried)).hint(OTHERWISE))
}

const OTHERWISE: &str = if cfg!(windows) {
    "copy a piece of the screen with Win+Shift+S, then `vmfa add --clipboard`"
} else {
    "take a screenshot with the desktop's own tool, then `vmfa add FILE`; or copy it, then `vmfa add --clipboard`"
};

fn nothing(tried: &[String]) -> String {
    if !tried.is_empty() {
        return format!(
            "no picture of the screen could be taken: {}",
            tried.join("; ")
        );
    }
    if cfg!(target_os = "linux") {
        "there is no screen here: neither WAYLAND_DISPLAY nor DISPLAY is set".into()
    } else {
        "the screen can't be read on this system".into()
    }
}

/// The ways to try, the best first. Under Wayland the X server (XWayland) is no use: it shows its own windows on black.
fn ways(displays: &Displays) -> Vec<Way> {
    if cfg!(target_os = "macos") {
        return vec![Way::Mac];
    }
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let kind = displays.kind.as_deref().unwrap_or_default();
    let is_wayland = match kind {
        "wayland" => true,
        "x11" => false,
        // An ssh or a tty session, from which a desktop's variables may have been set by hand.
        _ => displays.wayland,
    };
    match (is_wayland, displays.wayland, displays.x11.is_some()) {
        (true, _, _) => vec![Way::Portal, Way::Grim],
        (false, true, true) => vec![Way::X11, Way::Portal, Way::Grim],
        (false, true, false) => vec![Way::Portal, Way::Grim],
        (false, false, true) => vec![Way::X11, Way::Portal],
        (false, false, false) => Vec::new(),
    }
}

#[cfg(target_os = "linux")]
fn take(way: Way, place: &Place, displays: &Displays) -> Result<Vec<Shot>, Failed> {
    match way {
        Way::X11 => x11::screens(displays.x11.as_deref().unwrap_or_default()),
        Way::Portal => wayland::by_portal(place),
        Way::Grim => wayland::by_grim(),
        Way::Mac => Err(Failed::Here("this is no Mac".into())),
    }
}

#[cfg(target_os = "macos")]
fn take(way: Way, _place: &Place, _displays: &Displays) -> Result<Vec<Shot>, Failed> {
    match way {
        Way::Mac => mac::screens(),
        Way::X11 | Way::Portal | Way::Grim => Err(Failed::Here("this is a Mac".into())),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn take(_way: Way, _place: &Place, _displays: &Displays) -> Result<Vec<Shot>, Failed> {
    Err(Failed::Here("not on this system".into()))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_the_session_s_own() {
        use Way::{Grim, Portal, X11};
        let x11 = Some(":0");
        for (kind, wayland, display, expected) in [
            (None, false, None, &[][..]),
            (Some("tty"), false, None, &[]),
            (None, false, x11, &[X11, Portal]),
            (Some("x11"), false, x11, &[X11, Portal]),
            // XWayland.
            (Some("wayland"), true, x11, &[Portal, Grim]),
            (Some("wayland"), false, x11, &[Portal, Grim]),
            (None, true, x11, &[Portal, Grim]),
            (Some("tty"), true, None, &[Portal, Grim]),
            // `ssh -X` from elsewhere.
            (Some("tty"), false, Some("localhost:10.0"), &[X11, Portal]),
            // A compositor in a window of an X session.
            (Some("x11"), true, x11, &[X11, Portal, Grim]),
            (Some("x11"), true, None, &[Portal, Grim]),
        ] {
            let displays = Displays {
                wayland,
                x11: display.map(str::to_owned),
                kind: kind.map(str::to_owned),
            };
            assert_eq!(ways(&displays), expected, "{displays:?}");
        }
    }

    #[test]
    fn what_was_tried_is_told() {
        assert!(nothing(&[]).contains("DISPLAY"));
        let tried = ["grim: not installed".to_owned(), "b: c".to_owned()];
        assert!(nothing(&tried).ends_with("grim: not installed; b: c"));
    }
}
