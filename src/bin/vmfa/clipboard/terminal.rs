//! A text into the clipboard of the terminal, by OSC 52: the terminal is told it in an escape sequence.
//!
//! Source: XTerm Control Sequences, "Operating System Commands", Ps = 52. A terminal doesn't answer, and most let nobody read
//! what is in the clipboard: whether it took the text isn't known, and it is never cleared.

use vmfa::account::base64;
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};
use crate::place::DisplayPlace;

/// Who stands between us and the terminal, and must be asked to hand the sequence on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Nobody,
    /// tmux here: by its own escape, which it hands on where `allow-passthrough` is set, or before version 3.3.
    Tmux,
    /// tmux on the near side of ssh: takes the bare sequence where `set-clipboard` is `on`, else perhaps the other.
    FarTmux,
    Screen,
}

fn between(display: &DisplayPlace) -> Between {
    if display.tmux {
        Between::Tmux
    } else if display.screen {
        Between::Screen
    } else if display.term.starts_with("tmux") {
        Between::FarTmux
    } else {
        Between::Nobody
    }
}

/// Whether there is a terminal to write to.
pub(crate) fn is_there() -> Outcome {
    open().map(drop)
}

/// Writes the text to the terminal's clipboard. Between two frames of a full-screen program it disturbs nothing.
///
/// # Errors
/// This process has no terminal, or it can't be written.
pub(crate) fn copy(display: &DisplayPlace, text: &SecretText) -> Outcome {
    use std::io::Write as _;
    let whole = sequence(text, between(display));
    // In one write, and with standard output held, so that nothing else that is drawn gets between its halves.
    let _whole = std::io::stdout().lock();
    open()?
        .write_all(whole.as_bytes())
        .map_err(|error| Fault::new(Exit::Internal, format!("the terminal: {error}")))
}

#[cfg(unix)]
fn open() -> Outcome<std::fs::File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;
    // One that is stopped (^S) is no reason to stand still.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits() as i32)
        .open("/dev/tty")
        .map_err(|_| Fault::new(Exit::NotFound, "there is no terminal here"))
}

/// Windows has a clipboard of its own; its terminals are reached by that.
#[cfg(not(unix))]
fn open() -> Outcome<std::fs::File> {
    Err(Fault::new(Exit::NotFound, "there is no terminal here"))
}

fn sequence(text: &SecretText, between: Between) -> Zeroizing<String> {
    let encoded = base64::encode(text.expose().as_bytes());
    // `c` is the clipboard, and not what is selected with the mouse. BEL ends it: ESC would end screen's own sequence.
    let bare = |escape: &str| Zeroizing::new(format!("{escape}]52;c;{}\x07", encoded.expose()));
    let by_tmux = || Zeroizing::new(format!("\x1bPtmux;{}\x1b\\", bare("\x1b\x1b").as_str()));
    match between {
        Between::Nobody => bare("\x1b"),
        Between::Tmux => by_tmux(),
        Between::FarTmux => {
            Zeroizing::new(format!("{}{}", bare("\x1b").as_str(), by_tmux().as_str()))
        }
        Between::Screen => Zeroizing::new(format!("\x1bP{}\x1b\\", bare("\x1b").as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_wrapped_for_whoever_stands_between() {
        let sequence = |between| sequence(&SecretText::new("foo".into()), between).to_string();
        let bare = "\x1b]52;c;Zm9v\x07";
        let tmux = "\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\";
        assert_eq!(sequence(Between::Nobody), bare);
        assert_eq!(sequence(Between::Tmux), tmux);
        assert_eq!(sequence(Between::FarTmux), format!("{bare}{tmux}"));
        assert_eq!(sequence(Between::Screen), format!("\x1bP{bare}\x1b\\"));
    }

    #[test]
    fn who_stands_between_is_told_by_the_environment() {
        let display = |term: &str| DisplayPlace {
            term: term.into(),
            ..DisplayPlace::default()
        };
        assert_eq!(between(&display("xterm-256color")), Between::Nobody);
        assert_eq!(between(&display("tmux-256color")), Between::FarTmux);
        // Either might be on the near side, and each shows the other's escape as text.
        assert_eq!(between(&display("screen-256color")), Between::Nobody);
        let tmux = DisplayPlace {
            tmux: true,
            screen: true,
            ..display("tmux-256color")
        };
        assert_eq!(between(&tmux), Between::Tmux);
        let screen = DisplayPlace {
            screen: true,
            ..display("screen")
        };
        assert_eq!(between(&screen), Between::Screen);
    }
}
