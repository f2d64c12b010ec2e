//! The clipboard of a display, by `arboard`: of Wayland, of X, of macOS, of Windows.

use std::sync::mpsc;
use std::time::Duration;

#[cfg(target_os = "macos")]
use arboard::SetExtApple as _;
#[cfg(all(unix, not(target_os = "macos")))]
use arboard::SetExtLinux as _;
#[cfg(windows)]
use arboard::SetExtWindows as _;
use arboard::{Clipboard, Set};
use vmfa::clock::Deadline;
use vmfa::secret::{Secret, SecretText};
use zeroize::{Zeroize as _, Zeroizing};

use super::{MAX_PIXELS, MAX_TEXT, Pasted, Way};
use crate::fault::{Exit, Fault, Outcome};

/// How often is looked whether the clipboard has been taken.
const LOOK: Duration = Duration::from_millis(5);
/// How long it may take to be taken.
const TAKE: Duration = Duration::from_secs(5);
/// How long giving it up may take.
const GIVE_UP: Duration = Duration::from_secs(2);

/// Whether a clipboard can be reached.
pub(crate) fn is_there() -> Outcome {
    Clipboard::new().map(drop).map_err(|_| unreachable())
}

/// Marks what is put there, so that programs that keep a history leave it out: `x-kde-passwordManagerHint` on X and Wayland,
/// `org.nspasteboard.ConcealedType` on macOS, `ExcludeClipboardContentFromMonitorProcessing` and its like on Windows.
fn marked(set: Set<'_>) -> Set<'_> {
    #[cfg(windows)]
    let set = set.exclude_from_monitoring().exclude_from_cloud();
    set.exclude_from_history()
}

/// Holds the clipboard until the time is over or somebody else takes it. `ready` is called once it is held.
///
/// On X and Wayland a clipboard is whoever serves it: what this process has put there is gone when it gives it up, and what
/// another has put there instead isn't touched by that. So nothing needs to be compared at the end, and nothing can come between.
///
/// # Errors
/// The clipboard can't be reached, or isn't given to us.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn hold(way: Way, code: &SecretText, until: Deadline, ready: &dyn Fn()) -> Outcome {
    let mut seen = Clipboard::new().map_err(|_| unreachable())?;
    let (tell, told) = mpsc::channel();
    let text = Zeroizing::new(code.expose().to_owned());
    // On a thread, since nothing but its end tells that somebody else has taken the clipboard.
    std::thread::spawn(move || {
        let served = Clipboard::new().and_then(|mut clipboard| {
            let set = marked(clipboard.set());
            // Wayland's part of the library knows no time: there the end of the process ends it. With X, the time's end and
            // then the drop give the selection up in so many words: one that is lost with its window looks like a crash, and
            // some programs step in then with what they know.
            let set = if way == Way::X11 {
                set.wait_until(until.instant())
            } else {
                set.wait()
            };
            set.text(text.as_str())
        });
        // Nobody listens when the time is over.
        let _ = tell.send(served.is_ok());
    });
    let by = Deadline::after(TAKE);
    loop {
        match told.recv_timeout(LOOK) {
            // Taken from us at once: by somebody who copied at the same moment.
            Ok(true) => {
                ready();
                return Ok(());
            }
            Ok(false) | Err(mpsc::RecvTimeoutError::Disconnected) => return Err(unreachable()),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        let found = seen.get_text().map(Zeroizing::new);
        if found.is_ok_and(|found| found.as_str() == code.expose()) {
            break;
        }
        if by.has_passed() {
            return Err(Fault::new(
                Exit::Internal,
                "the clipboard isn't given to us",
            ));
        }
    }
    // The library gives the selection up with the last of its handles.
    drop(seen);
    ready();
    let more = if way == Way::X11 {
        GIVE_UP
    } else {
        Duration::ZERO
    };
    let _ = told.recv_timeout(until.left() + more);
    Ok(())
}

/// Puts the code into the system's clipboard, waits until the time is over, and empties it if it still holds the code.
///
/// # Errors
/// The clipboard can't be reached.
#[cfg(any(target_os = "macos", windows))]
pub(crate) fn hold(_way: Way, code: &SecretText, until: Deadline, ready: &dyn Fn()) -> Outcome {
    let reach = || Clipboard::new().map_err(|_| unreachable());
    marked(reach()?.set())
        .text(code.expose())
        .map_err(|_| unreachable())?;
    ready();
    std::thread::sleep(until.left());
    let mut clipboard = reach()?;
    let found = clipboard.get_text().map(Zeroizing::new);
    if found.is_ok_and(|found| found.as_str() == code.expose()) {
        clipboard.clear().map_err(|_| unreachable())?;
    }
    Ok(())
}

/// What is in the clipboard: a picture if there is one, else a text; none where there is neither.
///
/// # Errors
/// The clipboard can't be reached, or whoever holds it doesn't answer in time.
pub(crate) fn read(limit: Duration) -> Outcome<Option<Pasted>> {
    let (tell, told) = mpsc::channel();
    // On a thread: the library would wait for a program that hangs as long as that hangs.
    std::thread::spawn(move || {
        let _ = tell.send(read_now());
    });
    match told.recv_timeout(limit) {
        Ok(found) => found,
        Err(_) => Err(Fault::new(
            Exit::Internal,
            "the program that holds the clipboard doesn't answer",
        )),
    }
}

fn read_now() -> Outcome<Option<Pasted>> {
    let mut clipboard = Clipboard::new().map_err(|_| unreachable())?;
    if let Ok(picture) = clipboard.get_image() {
        if picture.width.saturating_mul(picture.height) > MAX_PIXELS {
            return Err(super::too_large());
        }
        return Ok(Some(Pasted::Picture {
            width: picture.width,
            height: picture.height,
            rgba: Secret::new(picture.bytes.into_owned()),
        }));
    }
    match clipboard.get_text() {
        Ok(mut text) if text.len() > MAX_TEXT => {
            text.zeroize();
            Err(super::too_long())
        }
        Ok(text) if !text.is_empty() => Ok(Some(Pasted::Text(SecretText::new(text)))),
        Ok(_) | Err(_) => Ok(None),
    }
}

fn unreachable() -> Fault {
    Fault::new(Exit::NotFound, "the display can't be reached")
}
