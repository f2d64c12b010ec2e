//! Everything that is printed. Output is written fallibly: a full disk or a closed pipe is an error, never a crash.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use unicode_normalization::char::is_combining_mark;
use unicode_width::UnicodeWidthStr;
use vmfa::account::text::{MOST_MARKS, clean};
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};

/// Standard output and standard error, and whether a person looks at them.
pub(crate) struct Screen {
    out_terminal: bool,
    err_terminal: bool,
    colours: bool,
    /// What would be said on standard error, where the interface has the terminal.
    held: Option<Mutex<Vec<String>>>,
}

impl Screen {
    pub(crate) fn new(colours_allowed: bool) -> Self {
        Self {
            out_terminal: std::io::stdout().is_terminal(),
            err_terminal: std::io::stderr().is_terminal(),
            colours: colours_allowed,
            held: None,
        }
    }

    /// A screen that says nothing by itself: remarks and warnings are held until they are asked for.
    #[cfg(feature = "tui")]
    pub(crate) fn held_back() -> Self {
        Self {
            out_terminal: false,
            err_terminal: false,
            colours: false,
            held: Some(Mutex::new(Vec::new())),
        }
    }

    /// What was held back since the last time.
    #[cfg(feature = "tui")]
    pub(crate) fn take_held(&self) -> Vec<String> {
        self.held.as_ref().map_or_else(Vec::new, |held| {
            std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Whether standard output is a terminal.
    pub(crate) fn out_is_terminal(&self) -> bool {
        self.out_terminal
    }

    /// Whether standard error is a terminal: somebody may be waiting and wants to see for what.
    pub(crate) fn err_is_terminal(&self) -> bool {
        self.err_terminal
    }

    /// Whether a person reads remarks: on a terminal, or in the interface.
    pub(crate) fn is_read(&self) -> bool {
        self.err_terminal || self.held.is_some()
    }

    /// Whether errors are coloured.
    pub(crate) fn err_colours(&self) -> bool {
        self.colours && self.err_terminal
    }

    /// Text in bold on standard output, where that is wanted.
    pub(crate) fn bold(&self, text: &str) -> String {
        if self.colours && self.out_terminal {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.into()
        }
    }

    /// Text in faint on standard output, where that is wanted.
    pub(crate) fn faint(&self, text: &str) -> String {
        if self.colours && self.out_terminal {
            format!("\x1b[2m{text}\x1b[0m")
        } else {
            text.into()
        }
    }

    /// Standard output must be there before a code is made that can't be made again.
    ///
    /// A descriptor that was closed when we were started was opened to /dev/null for reading and writing by the runtime,
    /// so that no file of ours gets its number; a shell's own `>/dev/null` is for writing only.
    #[cfg(unix)]
    pub(crate) fn needs_stdout(&self) -> Outcome {
        use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
        let out = std::io::stdout();
        let is_null = match (fstat(&out), stat("/dev/null")) {
            (Ok(out), Ok(null)) => out.st_rdev == null.st_rdev && out.st_mode == null.st_mode,
            (_, _) => false,
        };
        let both_ways = fcntl_getfl(&out).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
        if is_null && both_ways {
            return Err(Fault::new(
                Exit::Internal,
                "standard output is closed: the code would be lost",
            ));
        }
        Ok(())
    }

    /// Nothing to look at here.
    #[cfg(not(unix))]
    pub(crate) fn needs_stdout(&self) -> Outcome {
        Ok(())
    }

    /// A line on standard output.
    pub(crate) fn line(&self, text: &str) -> Outcome {
        let whole = Zeroizing::new(format!("{text}\n"));
        self.raw(whole.as_bytes())
    }

    /// Bytes on standard output as they are: a picture, a drawn QR code.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Outcome {
        // `stdout()` would keep a copy of each code in its line buffer: write to a duplicate of the descriptor instead.
        let written =
            own_stdout().and_then(|mut out| out.write_all(bytes).and_then(|()| out.flush()));
        written.map_err(|error| match error.kind() {
            // The reader has gone, as in `vmfa list | head -1`: there is nobody to tell.
            ErrorKind::BrokenPipe => Fault::silent(Exit::Internal),
            _ => Fault::new(
                Exit::Internal,
                format!("standard output can't be written: {error}"),
            ),
        })
    }

    /// A JSON value on standard output, and a newline. `serde_json` escapes control characters; the rest is data.
    pub(crate) fn json(&self, value: &serde_json::Value) -> Outcome {
        let text = Zeroizing::new(format!("{value:#}"));
        self.line(&escape_bidi(&text))
    }

    /// A remark for the person on standard error; it is no part of the answer, so a failure to write it is ignored.
    pub(crate) fn remark(&self, text: &str) {
        match &self.held {
            Some(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                held.push(clean(text).into_owned());
            }
            None => {
                let _ = writeln!(std::io::stderr(), "{}", clean_lines(text));
            }
        }
    }

    /// A warning on standard error.
    pub(crate) fn warn(&self, text: &str) {
        if self.held.is_some() {
            return self.remark(text);
        }
        let (yellow, plain) = if self.err_colours() {
            ("\x1b[33m", "\x1b[0m")
        } else {
            ("", "")
        };
        let _ = writeln!(std::io::stderr(), "{yellow}warning:{plain} {}", clean(text));
    }

    /// Waits, counting down on standard error when somebody looks.
    pub(crate) fn wait(&self, what: &str, mut left: impl FnMut() -> Outcome<Duration>) -> Outcome {
        loop {
            let duration = left()?;
            if duration.is_zero() {
                if self.err_terminal {
                    let _ = write!(std::io::stderr(), "\r\x1b[K");
                }
                return Ok(());
            }
            if self.err_terminal {
                let text = format!("{} {} s", clean(what), duration.as_millis().div_ceil(1000));
                // A line that wraps couldn't be overwritten.
                let text = shorten(
                    &text,
                    width_of(std::io::stderr()).unwrap_or(80).saturating_sub(1),
                );
                let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
                let _ = std::io::stderr().flush();
            }
            // To the next whole second, so that the countdown is even; in short sleeps, so that a clock that is set is noticed.
            let fraction = duration.subsec_millis();
            let nap = if fraction == 0 { 1000 } else { fraction };
            std::thread::sleep(Duration::from_millis(u64::from(nap)));
        }
    }
}

#[cfg(unix)]
fn own_stdout() -> std::io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(std::fs::File::from(
        std::io::stdout().as_fd().try_clone_to_owned()?,
    ))
}

#[cfg(not(unix))]
fn own_stdout() -> std::io::Result<std::io::Stdout> {
    Ok(std::io::stdout())
}

/// A JSON value on one line.
#[cfg(unix)]
pub(crate) fn json_line(value: &serde_json::Value) -> Zeroizing<String> {
    escape_bidi(&Zeroizing::new(value.to_string()))
}

/// Text of several lines, each of them safe to print.
pub(crate) fn clean_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(clean).collect();
    lines.join("\n")
}

/// JSON may hold any character but controls; a terminal that shows it should still not be steered by it. What a cleaned text
/// would lack is escaped, so that whoever reads the JSON has it.
fn escape_bidi(json: &str) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(json.len() + 64));
    let mut marks = 0;
    for character in json.chars() {
        marks = if is_combining_mark(character) {
            marks + 1
        } else {
            0
        };
        let is_clean = clean(character.encode_utf8(&mut [0; 4])).starts_with(character);
        if character == '\n' || is_clean && marks <= MOST_MARKS {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

/// A table whose columns line up by what a terminal shows, wide characters included.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()],
        }
    }

    /// Cells are cleaned here, whatever they come from.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows
            .push(cells.iter().map(|cell| clean(cell).into_owned()).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    pub(crate) fn print(&self, screen: &Screen) -> Outcome {
        let width = terminal_width().filter(|_| screen.out_terminal);
        let text = self.drawn(width, |line| screen.faint(line));
        screen.raw(text.as_bytes())
    }

    /// On standard error: where standard output carries the answer itself.
    pub(crate) fn remark(&self, screen: &Screen) {
        let width = width_of(std::io::stderr()).filter(|_| screen.err_terminal);
        let text = self.drawn(width, str::to_owned);
        screen.remark(text.trim_end());
    }

    /// The rows in lines, for a terminal of so many columns, the head as it is to look.
    fn drawn(&self, available: Option<usize>, head: impl Fn(&str) -> String) -> Zeroizing<String> {
        let widths = self.widths(available);
        let mut text = Zeroizing::new(String::new());
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let cell = shorten(cell, widths[column]);
                line.push_str(&cell);
                if column + 1 < row.len() {
                    line.extend(std::iter::repeat_n(' ', widths[column] + 2 - cell.width()));
                }
            }
            let line = line.trim_end();
            text.push_str(&if index == 0 {
                head(line)
            } else {
                line.to_owned()
            });
            text.push('\n');
        }
        text
    }

    /// As wide as the widest cell; where a terminal is narrower, the widest columns give way first, down to 8.
    fn widths(&self, available: Option<usize>) -> Vec<usize> {
        let columns = self.rows[0].len();
        let mut widths: Vec<usize> = (0..columns)
            .map(|c| {
                self.rows
                    .iter()
                    .map(|row| row[c].width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let Some(available) = available else {
            return widths;
        };
        while widths.iter().sum::<usize>() + 2 * (columns - 1) > available {
            match widths.iter_mut().max() {
                Some(widest) if *widest > 8 => *widest -= 1,
                Some(_) | None => break,
            }
        }
        widths
    }
}

/// Cut to a width without cutting a wide character in half.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        let longer = format!("{short}{character}");
        if longer.width() + 1 > width {
            break;
        }
        short = longer;
    }
    short.push('…');
    short
}

/// The width of standard output's terminal in columns.
pub(crate) fn terminal_width() -> Option<usize> {
    width_of(std::io::stdout())
}

#[cfg(unix)]
fn width_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn width_of<T>(_stream: T) -> Option<usize> {
    None
}

/// The terminal's height in lines.
#[cfg(unix)]
pub(crate) fn terminal_height() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_row > 0).then(|| usize::from(size.ws_row))
}

/// The terminal's height in lines.
#[cfg(not(unix))]
pub(crate) fn terminal_height() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_line_up_and_are_never_cut_in_half() {
        let mut table = Table::new(&["issuer", "account"]);
        table.row(vec!["株式会社".into(), "a".into()]);
        assert_eq!(table.widths(None), [8, 7]);
        assert_eq!(shorten("株式会社", 8), "株式会社");
        assert_eq!(shorten("株式会社", 7), "株式会…");
        assert_eq!(shorten("株式会社", 6), "株式…");
    }

    #[test]
    fn json_shows_no_bidi_override_raw() {
        assert_eq!(escape_bidi("\"a\u{202e}b\"").as_str(), "\"a\\u202eb\"");
        assert_eq!(escape_bidi("\"日本\"").as_str(), "\"日本\"");
        assert_eq!(
            escape_bidi("\"Git\u{200d}Hub\u{e0100}\"").as_str(),
            "\"Git\\u200dHub\\udb40\\udd00\""
        );
        let stack = format!("\"Z{}\"", "\u{301}".repeat(9));
        let escaped = format!("\"Z{}\\u0301\"", "\u{301}".repeat(8));
        assert_eq!(escape_bidi(&stack).as_str(), escaped);
    }
}
