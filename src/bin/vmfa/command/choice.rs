//! Which account, where none was named: a person at a terminal chooses from a list; nobody else is asked.

#[cfg(unix)]
use vmfa::account::Summary;
#[cfg(unix)]
use vmfa::agent::protocol::Which;
#[cfg(unix)]
use vmfa::authenticator::Authenticator as _;

use crate::args::Command;
#[cfg(unix)]
use crate::command::list;
use crate::fault::{Fault, Outcome};
#[cfg(unix)]
use crate::pick;
#[cfg(unix)]
use crate::prompt::Terminal;
use crate::unlock::{Asking, Context};

/// Puts the id of the chosen account where a command wants a QUERY and has none.
///
/// # Errors
/// There is no terminal to choose on; nothing was chosen; the accounts can't be had.
pub(crate) fn complete(context: &Context, command: &mut Command) -> Outcome {
    let (name, query, from, asking) = match command {
        Command::Code(input) => ("code", &mut input.query, From::Live, Asking::Usual),
        Command::Pair(input) => ("pair", &mut input.query, From::Live, Asking::Usual),
        #[cfg(unix)]
        Command::Watch(input) if !input.all => {
            ("watch", &mut input.query, From::Live, Asking::Usual)
        }
        Command::Show(input) => {
            let asking = match input.secret || input.uri {
                true => Asking::Again,
                false => Asking::Usual,
            };
            ("show", &mut input.query, From::Live, asking)
        }
        Command::Edit(input) => ("edit", &mut input.query, From::Live, Asking::Usual),
        Command::Qr(input) => ("qr", &mut input.query, From::Live, Asking::Again),
        Command::Remove(input) => {
            let from = match input.forever {
                true => From::Trash,
                false => From::Live,
            };
            ("remove", &mut input.query, from, Asking::Usual)
        }
        // Where nobody can choose, it lists the trash.
        Command::Restore(input) if may_choose(context) && context.screen.out_is_terminal() => {
            ("restore", &mut input.query, From::Trash, Asking::Usual)
        }
        #[cfg(unix)]
        Command::Watch(_) | Command::Unlock(_) | Command::Lock | Command::Agent(_) => return Ok(()),
        #[cfg(feature = "aws")]
        Command::Aws(_) => return Ok(()),
        #[cfg(feature = "tui")]
        Command::Config(_) => return Ok(()),
        // The last one's QUERY and its NEW couldn't be told apart.
        Command::Init(_)
        | Command::Add(_)
        | Command::MfaProcess(_)
        | Command::Import(_)
        | Command::Scan(_)
        | Command::List(_)
        | Command::Restore(_)
        | Command::Export(_)
        | Command::Passphrase(_)
        | Command::Slot(_)
        | Command::Check
        | Command::Backup(_)
        | Command::Doctor(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Rename(_) => return Ok(()),
    };
    if query.is_empty() {
        *query = vec![choose(context, name, from, asking)?];
    }
    Ok(())
}

/// Which accounts are there to choose from.
#[derive(Clone, Copy)]
enum From {
    Live,
    Trash,
}

fn missing(command: &str) -> Fault {
    Fault::usage("the following required arguments were not provided: <QUERY>...").hint(format!(
        "usage: vmfa {command} [OPTIONS] <QUERY>...; without it a terminal is needed, to choose on"
    ))
}

/// Whether a person sits there. A program that has taken both standard input and standard error to itself has nobody choose,
/// though it may have been started in a terminal.
#[cfg(unix)]
fn may_choose(context: &Context) -> bool {
    use std::io::IsTerminal as _;
    let is_seen = context.screen.err_is_terminal() || std::io::stdin().is_terminal();
    is_seen && !context.place.is_dumb && Terminal::open().is_some()
}

#[cfg(not(unix))]
fn may_choose(_context: &Context) -> bool {
    false
}

#[cfg(not(unix))]
fn choose(_context: &Context, command: &str, _from: From, _asking: Asking) -> Outcome<String> {
    Err(missing(command))
}

/// The id of the account that was chosen.
#[cfg(unix)]
fn choose(context: &Context, command: &str, from: From, asking: Asking) -> Outcome<String> {
    if !may_choose(context) {
        return Err(missing(command));
    }
    let mut all = accounts(context, from, asking)?;
    if all.is_empty() {
        return Err(match from {
            From::Live => super::nothing("", &all, 0, 0, ""),
            From::Trash => Fault::new(crate::fault::Exit::NotFound, "the trash is empty"),
        });
    }
    list::sort(&mut all);
    let terminal = Terminal::open().ok_or_else(|| missing(command))?;
    Ok(pick::choose(terminal, &all)?.id.to_string())
}

/// The accounts, from the agent if it can tell them; else from the vault, which stays open for the command.
#[cfg(unix)]
fn accounts(context: &Context, from: From, asking: Asking) -> Outcome<Vec<Summary>> {
    let which = match from {
        From::Live => Which::Live,
        From::Trash => Which::Trash,
    };
    if let Some(client) = context.agent()
        && let Some(listed) = context.answered(client.list(which))?
    {
        return Ok(listed.summaries);
    }
    let vault = context.open_by(asking)?;
    let all = match from {
        From::Live => vault.summaries()?,
        From::Trash => vault.trash(),
    };
    context.keep_open(asking, vault);
    Ok(all)
}
