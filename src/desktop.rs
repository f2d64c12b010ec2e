//! The desktop's message buses: a small client of D-Bus, and what is asked of the desktop's portal.
//!
//! The client is our own: the vocabulary is fixed, a deadline stands over every exchange, all input is bounded, it needs no
//! thread but the one that waits, and it can open no socket but a unix one. `zbus` would bring an asynchronous runtime, TCP and
//! 0.8 MB for a dozen messages; `rustbus` builds on crates two generations old; `dbus` needs the C library.
//!
//! [`screenshot`]: `portal`. What the agent hears and asks on the buses is the agent's.

#[cfg(all(feature = "desktop", target_os = "linux"))]
pub(crate) mod address;
#[cfg(all(feature = "desktop", target_os = "linux"))]
pub(crate) mod bus;
#[cfg(all(fuzzing, feature = "desktop", target_os = "linux"))]
pub mod fuzzing;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod portal;
#[cfg(all(feature = "desktop", target_os = "linux"))]
pub(crate) mod wire;

use std::path::PathBuf;

use crate::clock::Deadline;

/// Where the buses are: D-Bus addresses, such as `unix:path=/run/dbus/system_bus_socket`. Only unix sockets are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buses {
    /// The system's bus, on which logind speaks.
    pub system: Option<String>,
    /// The desktop's own bus, on which screen savers and portals speak.
    pub session: Option<String>,
}

/// Why the desktop gave no picture of its screens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoScreenshot {
    /// There is no session bus that can be reached, or none was named.
    #[error("there is no session bus")]
    NoBus,
    /// Nobody on the bus is a portal that takes pictures.
    #[error("this desktop has no portal for screenshots")]
    NoPortal,
    /// A person said no.
    #[error("the screenshot was refused on the desktop")]
    Cancelled,
    /// The portal tried and couldn't.
    #[error("the desktop's portal could take no screenshot")]
    Failed,
    /// The portal, or the person it asked, gave no answer in time.
    #[error("the desktop's portal gave no answer in time")]
    TookTooLong,
    /// What it answered names no file on this machine.
    #[error("the desktop's portal answered with no file of this machine")]
    NoFile,
}

/// Has the desktop's portal take a picture of all its screens, and tells the file that it wrote: it is the caller's to read and
/// to delete. A person may be asked on the desktop, so the deadline should leave time for an answer.
///
/// The file is as trustworthy as the session's bus: a program of the same user that put itself in the portal's place could name
/// any other. `token` is a word that this process uses once, of ASCII letters, digits and underscores.
///
/// Source: the XDG desktop portal's interfaces `org.freedesktop.portal.Screenshot`, version 2, and `org.freedesktop.portal.Request`.
///
/// # Errors
/// See [`NoScreenshot`].
pub fn screenshot(buses: &Buses, token: &str, deadline: Deadline) -> Result<PathBuf, NoScreenshot> {
    #[cfg(all(feature = "desktop", target_os = "linux"))]
    let answer = match &buses.session {
        Some(address) => portal::screenshot(address, token, deadline),
        None => Err(NoScreenshot::NoBus),
    };
    #[cfg(not(all(feature = "desktop", target_os = "linux")))]
    let answer = {
        let _ = (buses, token, deadline);
        Err(NoScreenshot::NoPortal)
    };
    answer
}
