//! Secrets that come in by a pipe or are typed unseen.

use std::io::IsTerminal;

use vmfa::secret::SecretText;
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::prompt::Terminal;

/// The most that is read from standard input: 100,000 Key URIs fit.
const MAX_PIPED: u64 = 64 << 20;

/// Lines of standard input, wiped when dropped.
pub(crate) struct Piped {
    text: Zeroizing<Vec<u8>>,
    next: usize,
}

impl Piped {
    pub(crate) fn read() -> Outcome<Self> {
        Ok(Self {
            text: decoded(files::read_stdin(MAX_PIPED)?),
            next: 0,
        })
    }

    pub(crate) fn next_line(&mut self) -> Option<SecretText> {
        let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end])
            .trim_end_matches('\r')
            .to_owned();
        self.next += end + 1;
        Some(SecretText::new(line))
    }
}

/// PowerShell's `>` writes UTF-16 with a byte-order mark.
fn decoded(bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xff, 0xfe]) => u16::from_le_bytes,
        Some([0xfe, 0xff]) => u16::from_be_bytes,
        Some(_) | None => return bytes,
    };
    let units: Zeroizing<Vec<u16>> = Zeroizing::new(
        bytes[2..]
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect(),
    );
    Zeroizing::new(String::from_utf16_lossy(&units).into_bytes())
}

/// A line that is a secret: from the terminal unseen, else the next line of standard input.
pub(crate) fn secret_line(what: &str, piped: &mut Option<Piped>) -> Outcome<SecretText> {
    if piped.is_none() && std::io::stdin().is_terminal() {
        let terminal = Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                format!("{what}: there is no terminal to ask on"),
            )
            .hint("pipe it to standard input")
        })?;
        return terminal.hidden(&format!("{what}: "));
    }
    let lines = match piped {
        Some(lines) => lines,
        None => piped.insert(Piped::read()?),
    };
    lines
        .next_line()
        .ok_or_else(|| Fault::usage(format!("{what}: standard input is empty")))
}
