//! The plain mode: the interface for a screen reader, or for a terminal that can do little. One line is asked for, its answer
//! is printed below it, and nothing that was printed ever changes. No colour, no escape sequence, no countdown.

mod changes;
mod codes;
mod order;
mod session;
mod spoken;

use std::time::Duration;

use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;
use crate::plain::order::Order;
use crate::plain::session::Session;
use crate::prompt::{Terminal, Typed};
use crate::unlock::Context;

const PROMPT: &str = "vmfa> ";

/// What of the configuration matters here.
struct Habits {
    lock_after: Option<Duration>,
    clear_clipboard_after: Option<Duration>,
}

/// Works line by line until the person leaves.
pub(crate) fn run(context: &Context) -> Outcome<Exit> {
    // Secrets are typed here, also where an agent gives the codes.
    #[cfg(unix)]
    vmfa::secret::process::keep_out();
    let mut place = Place::read();
    place.colours_allowed = false;
    let context = &Context::new(context.global.clone(), place)?;
    match work(context) {
        Ok(()) => Ok(Exit::Done),
        Err(fault) => {
            say_fault(context, &fault)?;
            Ok(fault.exit())
        }
    }
}

fn work(context: &Context) -> Outcome {
    let terminal = Terminal::open().ok_or_else(|| {
        Fault::new(Exit::Locked, "there is no terminal to ask on")
            .hint("a script says what it wants: `vmfa --help` lists the commands")
    })?;
    let habits = habits(context)?;
    context
        .screen
        .line("vmfa, line by line. help tells what can be said, quit leaves.")?;
    let mut session = Session::begin(context, &terminal, habits.clear_clipboard_after)?;
    loop {
        let line = match terminal.typed(PROMPT, habits.lock_after)? {
            Typed::Line(line) => line,
            Typed::End => break,
            Typed::Nothing => {
                if session.forget() {
                    context.screen.line(
                        "locked, since nothing was said for a while. unlock opens it again.",
                    )?;
                }
                continue;
            }
        };
        let order = match Order::read(&line) {
            None => continue,
            Some(Order::Quit) => break,
            Some(order) => order,
        };
        if let Err(fault) = session.follow(&order) {
            // ^C leaves from everywhere, and a standard output that is gone can't be talked to.
            if fault.message().is_empty() {
                session.close();
                return Err(fault);
            }
            say_fault(context, &fault)?;
        }
    }
    session.close();
    Ok(())
}

fn say_fault(context: &Context, fault: &Fault) -> Outcome {
    use vmfa::account::text::clean;
    if !fault.message().is_empty() {
        let message = format!("error: {}", clean(fault.message()));
        context.screen.line(&message)?;
    }
    if let Some(hint) = fault.advice() {
        context.screen.line(&format!("hint: {}", clean(hint)))?;
    }
    Ok(())
}

#[cfg(feature = "tui")]
fn habits(context: &Context) -> Outcome<Habits> {
    let config = crate::tui::config::Config::load(&context.place)?;
    Ok(Habits {
        lock_after: config.lock_after,
        clear_clipboard_after: config.clear_clipboard_after,
    })
}

/// Without the interface there is no configuration of it.
#[cfg(not(feature = "tui"))]
fn habits(_context: &Context) -> Outcome<Habits> {
    Ok(Habits {
        lock_after: Some(Duration::from_secs(600)),
        clear_clipboard_after: Some(Duration::from_secs(30)),
    })
}
