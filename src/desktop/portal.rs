//! A picture of the screens, taken by the desktop's portal.
//!
//! A call gives the handle of a request at once, and the request tells its outcome by a signal, after a person may have been
//! asked. The handle's path is known before the call, so that the signal can't be missed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::NoScreenshot;
use super::address::unescaped;
use super::bus::{Bus, DRIVER, Descriptors, Lost, Unanswered};
use super::wire::{Message, Method, Values, Variant};
use crate::clock::Deadline;

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SCREENSHOT: &str = "org.freedesktop.portal.Screenshot";
const REQUEST: &str = "org.freedesktop.portal.Request";
/// How long taking the question back may take.
const CLOSING: Duration = Duration::from_secs(1);

/// See [`super::screenshot`].
pub(super) fn screenshot(
    address: &str,
    token: &str,
    deadline: Deadline,
) -> Result<PathBuf, NoScreenshot> {
    let bus = Bus::connect(address, Descriptors::Refused, deadline);
    let mut portal = Portal::find(bus.map_err(|Lost| NoScreenshot::NoBus)?, deadline)?;
    let handle = portal.ask(token, deadline)?;
    let outcome = portal.outcome(&handle, deadline);
    if outcome == Err(NoScreenshot::TookTooLong) {
        portal.close(&handle);
    }
    outcome
}

/// A portal, and who it is.
struct Portal {
    bus: Bus,
    /// Its unique name: only what it says is an answer.
    owner: String,
}

impl Portal {
    fn find(mut bus: Bus, deadline: Deadline) -> Result<Self, NoScreenshot> {
        let lost = |Lost| NoScreenshot::NoBus;
        let mut owner = bus.owner(NAME, deadline).map_err(lost)?;
        if owner.is_none() {
            match bus.start(NAME, deadline) {
                Ok(()) => owner = bus.owner(NAME, deadline).map_err(lost)?,
                Err(unanswered) => return Err(why(&unanswered, deadline)),
            }
        }
        let owner = owner.ok_or(NoScreenshot::NoPortal)?;
        let rules = [
            format!("sender='{owner}',interface='{REQUEST}',member='Response'"),
            format!("sender='{DRIVER}',member='NameOwnerChanged',arg0='{owner}'"),
        ];
        for rule in rules {
            bus.add_match(&format!("type='signal',{rule}"), deadline)
                .map_err(lost)?;
        }
        Ok(Self { bus, owner })
    }

    /// Puts the request, and tells its handle's path.
    fn ask(&mut self, token: &str, deadline: Deadline) -> Result<String, NoScreenshot> {
        let options = [
            ("handle_token", Variant::Text(token)),
            // Nobody is to choose a window: all of the screens is wanted. Whether a person is asked at all is the portal's to say.
            ("interactive", Variant::Bool(false)),
        ];
        // No window of ours for the question to stand in front of.
        let values = Values::default().string("").options(&options);
        let (bus, owner) = (&mut self.bus, self.owner.as_str());
        let method = Method {
            destination: owner,
            path: PATH,
            interface: SCREENSHOT,
            member: "Screenshot",
        };
        let answer = bus
            .call(&method, &values, deadline)
            .map_err(|unanswered| why(&unanswered, deadline))?;
        let told = answer.values("o").and_then(|mut values| values.string());
        // A portal older than tokens chooses a path of its own, and tells it here.
        Ok(told.map_or_else(|| handle(self.bus.name(), token), str::to_owned))
    }

    fn outcome(&mut self, handle: &str, deadline: Deadline) -> Result<PathBuf, NoScreenshot> {
        loop {
            let signal = match self.bus.next(Some(deadline)) {
                Ok(Some(signal)) => signal,
                Ok(None) => return Err(NoScreenshot::TookTooLong),
                Err(Lost) => return Err(NoScreenshot::NoBus),
            };
            if signal.sender == DRIVER && signal.is_signal(DRIVER, "NameOwnerChanged") {
                let about = signal.values("sss").and_then(|mut values| values.string());
                if about == Some(&self.owner) {
                    return Err(NoScreenshot::Failed); // The portal is gone, and the request with it.
                }
            }
            let is_answer = signal.sender == self.owner
                && signal.path == handle
                && signal.is_signal(REQUEST, "Response");
            if is_answer {
                return answered(&signal);
            }
        }
    }

    /// Takes the question back: nobody waits for its answer any more.
    fn close(&mut self, handle: &str) {
        let method = Method {
            destination: &self.owner,
            path: handle,
            interface: REQUEST,
            member: "Close",
        };
        let deadline = Deadline::after(CLOSING);
        let _ = self.bus.call(&method, &Values::default(), deadline);
    }
}

fn why(unanswered: &Unanswered, deadline: Deadline) -> NoScreenshot {
    match unanswered {
        Unanswered::Lost => NoScreenshot::NoBus,
        Unanswered::Refused if deadline.has_passed() => NoScreenshot::TookTooLong,
        Unanswered::Refused => NoScreenshot::NoPortal,
    }
}

/// The path of the request that a sender makes with a token.
fn handle(sender: &str, token: &str) -> String {
    let sender = sender.trim_start_matches(':').replace('.', "_");
    format!("{PATH}/request/{sender}/{token}")
}

/// What a request came to: 0 done, 1 cancelled by a person, 2 ended otherwise.
pub(super) fn answered(signal: &Message) -> Result<PathBuf, NoScreenshot> {
    let read = || {
        let mut values = signal.values("ua{sv}")?;
        let code = values.u32()?;
        let end = values.array(8)?;
        let mut uri = None;
        while values.at() < end {
            values.align(8)?;
            if values.string()? == "uri" {
                uri = Some(values.variant_text()?);
            } else {
                values.skip("v")?;
            }
        }
        Some((code, uri))
    };
    match read() {
        Some((0, Some(uri))) => path_of(uri).ok_or(NoScreenshot::NoFile),
        Some((0, None)) => Err(NoScreenshot::NoFile),
        Some((1, _)) => Err(NoScreenshot::Cancelled),
        Some((_, _)) | None => Err(NoScreenshot::Failed),
    }
}

/// The absolute path that a `file` URI of this machine names (RFC 8089).
fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return None;
    }
    let bytes = unescaped(path)?;
    (!bytes.contains(&0)).then(|| OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_known_from_the_sender_and_the_token() {
        let path = "/org/freedesktop/portal/desktop/request/1_4711/vmfa_7";
        assert_eq!(handle(":1.4711", "vmfa_7"), path);
    }

    #[test]
    fn only_a_file_of_this_machine_is_a_path() {
        for (uri, path) in [
            ("file:///home/me/Pictures/a.png", "/home/me/Pictures/a.png"),
            ("file://localhost/tmp/a.png", "/tmp/a.png"),
            (
                "file:///Bilder/Bildschirm%20foto%23%E6%97%A5.png",
                "/Bilder/Bildschirm foto#日.png",
            ),
        ] {
            assert_eq!(path_of(uri), Some(path.into()), "{uri}");
        }
        for uri in [
            "",
            "file:",
            "file://",
            "file://server/share/a.png",
            "file:a.png",
            "/tmp/a.png",
            "http://localhost/a.png",
            "file:///a%00.png",
            "file:///a%4",
            "file:///a?b",
            "file:///a#b",
        ] {
            assert_eq!(path_of(uri), None, "{uri}");
        }
    }
}
