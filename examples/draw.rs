//! Draws the text on standard input as a QR code on standard output, for `tests/qr/readback.py`.
//!
//! `draw terminal|png|svg < TEXT`

#![allow(clippy::disallowed_methods)]

use std::io::{Read, Write};
use std::process::ExitCode;

use vmfa::qr::Drawing;
use vmfa::secret::SecretText;

fn main() -> ExitCode {
    let mut text = String::new();
    std::io::stdin()
        .take(10_000)
        .read_to_string(&mut text)
        .expect("text on standard input");
    let drawing = Drawing::new(&SecretText::new(text)).expect("a text that fits");
    let drawn = match std::env::args().nth(1).as_deref() {
        Some("terminal") => drawing.half_blocks().expose().as_bytes().to_vec(),
        Some("png") => drawing
            .png(4)
            .expect("modules of 4 pixels")
            .expose()
            .to_vec(),
        Some("svg") => drawing.svg().expose().as_bytes().to_vec(),
        _ => return ExitCode::from(2),
    };
    std::io::stdout()
        .write_all(&drawn)
        .expect("standard output");
    ExitCode::SUCCESS
}
