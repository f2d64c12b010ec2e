//! The terminal, lent: whatever happens, it is given back as it was.

use std::io::{Stdout, Write as _, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::{Position, Rect};

/// Whether the terminal is ours at this moment. A thread that panics gives it back while others are at work.
static IS_OURS: AtomicBool = AtomicBool::new(false);

/// The screen of the interface, until it is dropped.
pub(crate) struct Guard {
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
}

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// The terminal can't be written, or isn't one.
    pub(crate) fn take(mouse: bool) -> std::io::Result<Self> {
        let mut guard = Self {
            terminal: Terminal::new(CrosstermBackend::new(stdout()))?,
            mouse,
        };
        guard.enter()?;
        Ok(guard)
    }

    /// Takes the terminal again, after it was given to the shell.
    ///
    /// # Errors
    /// As [`Guard::take`].
    pub(crate) fn enter(&mut self) -> std::io::Result<()> {
        IS_OURS.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        self.redraw()
    }

    /// Has every cell drawn anew.
    ///
    /// # Errors
    /// The terminal can't be written.
    pub(crate) fn redraw(&mut self) -> std::io::Result<()> {
        // Not `Terminal::clear`: it asks the terminal where the cursor is, and waits in vain for an answer that the thread
        // which reads the keys gets.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Whether something may be drawn: nothing more once the terminal was given back.
    pub(crate) fn is_ours(&self) -> bool {
        IS_OURS.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was. Also where half of it was taken. Only once: leaving the other screen a second time
/// would put the cursor back over what was told meanwhile.
pub(crate) fn give_back() {
    if !IS_OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = stdout();
    // Where the terminal is gone, there is nothing to give back.
    let _ = queue!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}
