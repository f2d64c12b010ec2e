//! Accounts that ask before each code.

use vmfa::account::Summary;

use crate::command::named;
use crate::fault::{Exit, Fault, Outcome};
use crate::prompt::Terminal;

/// Asks whether a code of this account may leave, if it is one that asks.
///
/// The controlling terminal is asked, and nothing else: an answer that came down a pipe would be the asking program's own.
///
/// # Errors
/// The answer is no, or there is no terminal to ask on.
pub(crate) fn ask(summary: &Summary) -> Outcome {
    if !summary.confirm {
        return Ok(());
    }
    match may(summary) {
        Some(true) => Ok(()),
        Some(false) => Err(Fault::new(Exit::Interrupted, "no code was given")),
        None => Err(nobody(summary)),
    }
}

/// Whether the person lets a code of this account leave; none where there is no terminal to ask on. Whoever breaks it off
/// says no.
pub(crate) fn may(summary: &Summary) -> Option<bool> {
    let terminal = Terminal::open()?;
    let question = format!("Give a code of {}?", named(summary));
    Some(terminal.confirm(&question).unwrap_or(false))
}

/// There was nobody to ask.
pub(crate) fn nobody(summary: &Summary) -> Fault {
    Fault::new(
        Exit::Locked,
        format!(
            "{} asks before each code, and there is no terminal to ask on",
            named(summary)
        ),
    )
    .hint("run it in a terminal; or let it give codes unasked: `vmfa edit ACCOUNT --no-confirm`")
}
