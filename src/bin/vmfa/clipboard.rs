//! The desktop's clipboard: a code into it, a picture or a text out of it.

use std::time::Duration;

use vmfa::secret::{Secret, SecretText};

use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;

/// What came out of the clipboard.
pub(crate) enum Pasted {
    Text(SecretText),
    Picture {
        width: usize,
        height: usize,
        /// Four bytes a pixel, by rows from the top: red, green, blue, alpha.
        rgba: Secret,
    },
}

/// How a code came into the clipboard, and so what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is taken out again after so long, unless something else is there by then.
    Cleared(Duration),
    /// It went through the terminal, which tells nobody what is in the clipboard: it stays.
    Stays,
}

/// Puts a code into the clipboard.
///
/// # Errors
/// There is no clipboard that can be reached.
pub(crate) fn copy(_place: &Place, text: &str, clear_after: Duration) -> Outcome<Copied> {
    let mut clipboard = arboard::Clipboard::new().map_err(|_| none())?;
    clipboard.set_text(text).map_err(|_| none())?;
    Ok(Copied::Cleared(clear_after))
}

/// Takes what is in the clipboard: a picture if there is one, else a text.
///
/// # Errors
/// There is no clipboard that can be reached, or nothing in it.
pub(crate) fn read(_place: &Place) -> Outcome<Pasted> {
    let mut clipboard = arboard::Clipboard::new().map_err(|_| none())?;
    if let Ok(picture) = clipboard.get_image() {
        return Ok(Pasted::Picture {
            width: picture.width,
            height: picture.height,
            rgba: Secret::new(picture.bytes.into_owned()),
        });
    }
    let text = clipboard.get_text().map_err(|_| none())?;
    Ok(Pasted::Text(SecretText::new(text)))
}

fn none() -> Fault {
    Fault::new(Exit::NotFound, "there is no clipboard here")
}
