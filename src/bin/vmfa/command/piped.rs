//! Secrets that come in by a pipe or are typed unseen.

use std::io::IsTerminal;

use vmfa::account::key_uri;
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
        // The lines of an old Mac end with a CR alone.
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        let ending = match rest.get(end..end + 2) {
            Some(b"\r\n") => 2,
            Some(_) | None => 1,
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        self.next += end + ending;
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

/// Each Key URI of a line, with its place: some apps write several on one.
pub(crate) fn uris_of(line: &str, text: &SecretText) -> Vec<(String, SecretText)> {
    let pieces: Vec<&str> = key_uri::split(text.expose()).collect();
    let several = pieces.len() > 1;
    let place = |index: usize| match (several, line) {
        (false, line) => line.to_owned(),
        (true, "") => format!("URI {}", index + 1),
        (true, line) => format!("{line}, URI {}", index + 1),
    };
    let uris = pieces.iter().enumerate();
    uris.map(|(index, uri)| (place(index), SecretText::new((*uri).to_owned())))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        let mut piped = Piped {
            text: decoded(Zeroizing::new(text.to_vec())),
            next: 0,
        };
        std::iter::from_fn(|| piped.next_line())
            .map(|line| line.expose().to_owned())
            .collect()
    }

    #[test]
    fn lines_end_with_lf_crlf_or_cr() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "a\rb\r\rc\r"] {
            assert_eq!(lines(text.as_bytes()), ["a", "b", "", "c"], "{text:?}");
        }
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(b"\xff\xfea\0\r\0b\0"), ["a", "b"]);
    }

    #[test]
    fn several_uris_of_a_line_say_which() {
        let places = |line: &str, text: &str| -> Vec<String> {
            uris_of(line, &SecretText::new(text.into()))
                .into_iter()
                .map(|(place, uri)| format!("{place}|{}", uri.expose()))
                .collect()
        };
        assert_eq!(places("line 3", " otpauth:a, "), ["line 3|otpauth:a"]);
        assert_eq!(
            places("line 3", "otpauth:a,otpauth:b"),
            ["line 3, URI 1|otpauth:a", "line 3, URI 2|otpauth:b"]
        );
        assert_eq!(
            places("", "otpauth:a otpauth:b"),
            ["URI 1|otpauth:a", "URI 2|otpauth:b"]
        );
        assert_eq!(places("line 3", "\u{feff}\0"), [""; 0]);
    }
}
