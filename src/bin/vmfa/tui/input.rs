//! What comes from outside: keys, the mouse, pastes, sizes, signals. Each on a thread that waits.

use std::sync::mpsc::Sender;

use ratatui::crossterm::event::{self, Event};
use vmfa::secret::SecretText;

use crate::tui::message::Message;

/// What the interface waits for.
pub(crate) enum Input {
    Message(Message),
    /// A signal that ends the process, that stops it, or that it goes on after.
    #[cfg(unix)]
    Signal(i32),
    /// The terminal can't be read any more, or the worker has ended.
    Gone,
}

/// Reads the terminal until it is gone, or nobody listens.
pub(crate) fn read_terminal(inputs: &Sender<Input>) {
    loop {
        let message = match event::read() {
            Ok(Event::Key(key)) => Message::Key(key),
            Ok(Event::Mouse(mouse)) => Message::Mouse(mouse),
            Ok(Event::Paste(text)) => Message::Paste(SecretText::new(text)),
            Ok(Event::Resize(width, height)) => Message::Resize(width, height),
            Ok(Event::FocusGained | Event::FocusLost) => continue,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => {
                let _ = inputs.send(Input::Gone);
                return;
            }
        };
        if inputs.send(Input::Message(message)).is_err() {
            return;
        }
    }
}

/// Waits until the terminal is gone: its window was closed, and perhaps nobody told us by a signal. Reading it then would
/// turn round and round without an end.
#[cfg(unix)]
pub(crate) fn wait_for_hang_up(inputs: &Sender<Input>) {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = std::io::stdin();
    loop {
        // Asked for nothing, the system still tells of a hang-up.
        let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            // A system that can't wait for a terminal so says nothing of its end: reading it will.
            Ok(_) if fds[0].revents().contains(PollFlags::NVAL) => return,
            Ok(_) | Err(_) => {
                let _ = inputs.send(Input::Gone);
                return;
            }
        }
    }
}

/// Has signals handed over in place of what they would do.
///
/// # Errors
/// The system refuses.
#[cfg(unix)]
pub(crate) fn take_signals(inputs: Sender<Input>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    let taken = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT];
    let mut signals = signal_hook::iterator::Signals::new(taken)?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if inputs.send(Input::Signal(signal)).is_err() {
                    return;
                }
            }
        })?;
    Ok(())
}
