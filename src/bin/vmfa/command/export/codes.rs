//! QR codes of an export: as pictures, or in the terminal one after the other.

use vmfa::qr::Drawing;
use vmfa::secret::{Secret, SecretText};

use crate::fault::{Fault, Outcome};
use crate::print::{Screen, terminal_height, terminal_width};
use crate::prompt::Terminal;
use crate::unlock::Context;

/// Pixels a module: the largest code is then about 700 pixels wide.
const MODULE_PIXELS: u32 = 8;

/// A picture of each, numbered so that they sort.
pub(super) fn pictures(texts: &[SecretText]) -> Outcome<Vec<(String, Secret)>> {
    let digits = texts.len().to_string().len();
    let pictures = texts.iter().enumerate().map(|(index, text)| {
        let name = format!("code-{:0digits$}-of-{}.png", index + 1, texts.len());
        Ok((name, Drawing::new(text)?.png(MODULE_PIXELS)?))
    });
    pictures.collect()
}

/// Shows each until Enter, on a screen of its own that leaves nothing behind in the scrollback.
pub(super) fn show(context: &Context, texts: &[SecretText]) -> Outcome {
    let drawings: Vec<Drawing> = texts.iter().map(Drawing::new).collect::<Result<_, _>>()?;
    let sizes = drawings.iter().map(Drawing::terminal_size);
    let (columns, lines) = sizes.fold((0, 0), |(columns, lines), (width, height)| {
        (columns.max(width), lines.max(height))
    });
    let too_small = terminal_width().is_some_and(|width| width < columns)
        || terminal_height().is_some_and(|height| height < lines + 2);
    if too_small {
        return Err(Fault::usage(format!(
            "this terminal is too small for QR codes of {columns} columns and {} lines",
            lines + 2
        ))
        .hint("enlarge it, choose a smaller font, or write pictures with --out DIR"));
    }
    let terminal =
        Terminal::open().ok_or_else(|| Fault::usage("there is no terminal to show QR codes on"))?;
    let page = Page::open(&context.screen)?;
    for (index, drawing) in drawings.iter().enumerate() {
        page.clear()?;
        context
            .screen
            .raw(drawing.half_blocks().expose().as_bytes())?;
        let (number, count) = (index + 1, drawings.len());
        let then = if number == count {
            "Enter when it is scanned: "
        } else {
            "Enter for the next: "
        };
        terminal.hidden(&format!("Code {number} of {count}. {then}"))?;
    }
    Ok(())
}

/// The terminal's second screen, until this is dropped.
struct Page<'a>(&'a Screen);

impl<'a> Page<'a> {
    fn open(screen: &'a Screen) -> Outcome<Self> {
        screen.raw(b"\x1b[?1049h")?;
        Ok(Self(screen))
    }

    fn clear(&self) -> Outcome {
        self.0.raw(b"\x1b[2J\x1b[H")
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        let _ = self.clear();
        let _ = self.0.raw(b"\x1b[?1049l");
    }
}
