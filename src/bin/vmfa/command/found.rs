//! What is found on the screens and in the clipboard, and what is said of it before anything of it is kept.

use vmfa::account::key_uri;
use vmfa::import;
use vmfa::secret::SecretText;

#[cfg(feature = "screen")]
use crate::capture;
use crate::clipboard::{self, Pasted};
use crate::command::piped::uris_of;
use crate::command::scan;
use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;
use crate::prompt::Terminal;
use crate::unlock::Context;

/// Texts that may be accounts. None of them has been kept.
#[derive(Default)]
pub(crate) struct Found {
    /// Where each was found, and the text itself.
    pub(crate) texts: Vec<(String, SecretText)>,
    /// A base32 secret without anything around it: it needs a name.
    pub(crate) bare_secret: Option<SecretText>,
    /// What the person should know about how it was found.
    pub(crate) remarks: Vec<String>,
}

/// The text of every QR code on any screen, each once.
///
/// # Errors
/// No picture of a screen can be taken, or there is no code on any: it says what was looked at.
#[cfg(feature = "screen")]
pub(crate) fn on_screen(place: &Place) -> Outcome<Found> {
    let mut found = Found::default();
    let mut looked_at = Vec::new();
    for mut shot in capture::screens(place)? {
        let name = shot.name.clone();
        found.remarks.extend(shot.remark.take());
        let scanned = shot
            .codes()
            .map_err(|fault| match found.remarks.as_slice() {
                [] => fault,
                remarks => fault.hint(remarks.join("; ")),
            })?;
        looked_at.push(format!("{} x {}", scanned.width, scanned.height));
        found.take_codes(&name, scanned.texts);
    }
    if !found.texts.is_empty() {
        return Ok(found);
    }
    // The error alone is told then; what has to be known goes with it.
    let remarks: String = found
        .remarks
        .iter()
        .map(|remark| format!("; {remark}"))
        .collect();
    let screens = match looked_at.as_slice() {
        [size] => format!("on a screen of {size} pixels"),
        sizes => format!("on {} screens of {} pixels", sizes.len(), sizes.join(", ")),
    };
    Err(Fault::new(Exit::NotFound, format!("no QR code {screens}{remarks}"))
        .hint("is the whole code visible, with some white around? Make it larger, or bring its window to the front in time: `vmfa add --screen --delay 5`"))
}

/// What is in the clipboard: the QR codes of a picture, or a text of Key URIs, or a bare secret.
///
/// # Errors
/// There is no clipboard, nothing in it, or nothing of these.
pub(crate) fn in_clipboard(place: &Place) -> Outcome<Found> {
    const NAME: &str = "clipboard";
    let mut found = Found::default();
    match clipboard::read(place)? {
        Pasted::Picture {
            width,
            height,
            rgba,
        } => {
            let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
            let scanned = vmfa::qr::scan_pixels(side(width), side(height), rgba);
            let scanned = scanned.map_err(|error| Fault::from(error).at(NAME))?;
            if scanned.texts.is_empty() {
                return Err(scan::without_code(NAME, &scanned));
            }
            found.take_codes(NAME, scanned.texts);
        }
        Pasted::Text(text) if text.expose().trim().is_empty() => {
            return Err(Fault::new(Exit::NotFound, "the clipboard is empty"));
        }
        Pasted::Text(text) if holds_uri(text.expose()) => found.texts = uris_of(NAME, &text),
        Pasted::Text(text) => match vmfa::base32::decode(text.expose().trim()) {
            Ok(_) => found.bare_secret = Some(text),
            // What is there isn't repeated: it may be anything.
            Err(_) => {
                return Err(Fault::new(
                    Exit::NotFound,
                    "the clipboard holds a text that is neither a Key URI nor a base32 secret",
                )
                .hint("copy the picture of the QR code, its otpauth:// text, or the secret, and nothing around it"));
            }
        },
    }
    Ok(found)
}

/// Whether a text has a Key URI in it.
fn holds_uri(text: &str) -> bool {
    key_uri::split(text).any(is_account)
}

/// Whether a text means to be an account: what is wrong with it is told then.
pub(crate) fn is_account(text: &str) -> bool {
    import::read_text(text).is_ok() || {
        let start = text.trim_start().get(..8).unwrap_or_default();
        start.eq_ignore_ascii_case("otpauth:") || start.eq_ignore_ascii_case("otpauth-")
    }
}

impl Found {
    fn take_codes(&mut self, name: &str, texts: Vec<SecretText>) {
        let many = texts.len() > 1;
        for (index, text) in texts.into_iter().enumerate() {
            // Screens that show the same, or overlap.
            if self.texts.iter().any(|(_, known)| known.same_as(&text)) {
                continue;
            }
            let place = if many {
                format!("{name}, QR code {}", index + 1)
            } else {
                name.to_owned()
            };
            self.texts.push((place, text));
        }
    }

    /// What was found, in lines to be read by a person: no secret is in them.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (place, text) in &self.texts {
            if is_account(text.expose()) {
                lines.extend(scan::told(place, text));
            } else {
                lines.push(format!("{place}: a QR code that is no account: left aside"));
            }
        }
        if let Some(secret) = &self.bare_secret {
            let bits =
                vmfa::base32::decode(secret.expose().trim()).map_or(0, |bytes| 8 * bytes.len());
            lines.push(format!(
                "clipboard: a secret of {bits} bits, without a name"
            ));
        }
        lines
    }

    /// Shows what was found, and asks whether it is wanted.
    ///
    /// # Errors
    /// It isn't, none of it is an account, or there is no terminal to ask on and `is_agreed` doesn't say so beforehand.
    pub(crate) fn agree(&mut self, context: &Context, is_agreed: bool) -> Outcome {
        for remark in self.remarks.drain(..) {
            context.screen.warn(&remark);
        }
        let lines = self.told();
        self.texts.retain(|(_, text)| is_account(text.expose()));
        let count = self.texts.len() + usize::from(self.bare_secret.is_some());
        let terminal = if is_agreed { None } else { Terminal::open() };
        for line in lines {
            match &terminal {
                Some(terminal) => terminal.say(&line),
                None => context.screen.remark(&line),
            }
        }
        if count == 0 {
            return Err(Fault::new(Exit::NotFound, "nothing of this is an account"));
        }
        if is_agreed {
            return Ok(());
        }
        let Some(terminal) = terminal else {
            return Err(Fault::usage(
                "what was found is added only after somebody has looked at it, and there is no terminal to ask on",
            )
            .hint("--yes adds it unseen"));
        };
        let question = if count == 1 {
            "Add this?"
        } else {
            "Add these?"
        };
        if terminal.confirm(question)? {
            Ok(())
        } else {
            Err(Fault::new(Exit::Interrupted, "nothing was added"))
        }
    }
}
