//! `vmfa qr`: an account as a QR code for another device.

use vmfa::account::key_uri;
use vmfa::otp::Scheme;
use vmfa::qr::Drawing;
use vmfa::secret::Secret;

use crate::args::Qr;
use crate::command::export::put::new_file;
use crate::command::{named, pick};
use crate::fault::{Fault, Outcome};
use crate::print::{terminal_height, terminal_width};
use crate::unlock::{Asking, Context};

/// Eight pixels a module: an AWS QR code is then about 450 pixels wide.
const MODULE_PIXELS: u32 = 8;

pub(crate) fn run(context: &Context, input: &Qr) -> Outcome {
    let vault = context.open_by(Asking::Again)?;
    let summaries: Vec<_> = vault.live().collect();
    let summary = pick(&input.query, &summaries)?;
    let drawing = Drawing::new(&key_uri::write(&vault.account(&summary.id)?))?;
    if let Scheme::Hotp(_) = summary.scheme {
        context
            .screen
            .warn("two devices with one HOTP counter fall out of step: use only one of them");
    }
    if let Some(path) = &input.png {
        return new_file(context, path, &drawing.png(MODULE_PIXELS)?);
    }
    if let Some(path) = &input.svg {
        return new_file(
            context,
            path,
            &Secret::new(drawing.svg().expose().as_bytes().to_vec()),
        );
    }
    let (columns, lines) = drawing.terminal_size();
    let narrow = terminal_width().is_some_and(|width| width < columns);
    if context.screen.out_is_terminal() && narrow {
        // Half of it can't be scanned, and would stay in the scrollback all the same.
        return Err(Fault::usage(format!(
            "this terminal is too narrow for {columns} columns of QR code"
        ))
        .hint("enlarge it, or write a picture with --png FILE"));
    }
    context
        .screen
        .raw(drawing.half_blocks().expose().as_bytes())?;
    if context.screen.err_is_terminal() {
        context.screen.remark(&format!(
            "{}: clear the screen when you are done",
            named(summary)
        ));
        if terminal_height().is_some_and(|height| height < lines + 2) {
            context.screen.warn(&format!(
                "this terminal is too low for {lines} lines: scroll up, enlarge it, or write a picture with --png FILE"
            ));
        }
    }
    Ok(())
}
