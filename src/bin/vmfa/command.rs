//! One file a command. Here: from the arguments to the command, and what several of them share.

pub(crate) mod add;
#[cfg(unix)]
mod agent;
#[cfg(feature = "aws")]
pub(crate) mod aws;
mod backup;
mod check;
mod choice;
mod code;
mod completions;
#[cfg(feature = "tui")]
mod config;
pub(crate) mod confirm;
mod doctor;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod found;
pub(crate) mod fresh;
pub(crate) mod giver;
mod import;
mod init;
pub(crate) mod list;
mod manual;
mod names;
mod pair;
mod passphrase;
pub(crate) mod piped;
mod qr;
pub(crate) mod relabel;
pub(crate) mod scan;
pub(crate) mod show;
mod slot;
pub(crate) mod trash;
#[cfg(unix)]
mod unit;
#[cfg(unix)]
mod watch;
mod words;

use std::borrow::Borrow;
use std::ffi::OsString;
use std::io::IsTerminal as _;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use vmfa::account::Summary;
use vmfa::account::query::{self, Found};
use vmfa::account::text::clean;
#[cfg(unix)]
use vmfa::agent::{AgentError, protocol::NotOne};
use vmfa::clock::UnixTime;
use vmfa::vault::{Saved, Unlocked};

use crate::args::{Arguments, Command, Global};
use crate::clipboard::keeper;
use crate::fault::{Exit, Fault, Outcome};
use crate::hot;
use crate::place::Place;
use crate::plain;
use crate::print::Screen;
use crate::prompt::Terminal;
use crate::unlock::Context;

/// The formats that are imported, as the help lists them.
pub(crate) fn import_formats() -> String {
    import::formats()
}

/// `vmfa import --help FORMAT`: the words after `--help` that clap knows nothing of.
fn how_to(arguments: &[OsString]) -> Option<Outcome<String>> {
    let words: Vec<&str> = arguments
        .iter()
        .skip(1)
        .map_while(|word| word.to_str())
        .collect();
    match words.as_slice() {
        ["import", "--help" | "-h", format] if !format.starts_with('-') => {
            Some(import::how_to(format))
        }
        ["export", "--help" | "-h", format] if !format.starts_with('-') => {
            Some(export::how_to(format))
        }
        _ => None,
    }
}

/// Does what the arguments say.
pub(crate) fn run(arguments: Vec<OsString>) -> Exit {
    // It needs no vault, and nobody but vmfa itself starts it.
    if let Some(asked) = keeper::asked(&arguments) {
        return asked.keep();
    }
    let place = Place::read();
    let colours = place.colours_allowed;
    if let Some(told) = how_to(&arguments) {
        let screen = Screen::new(colours);
        return match told.and_then(|text| screen.raw(text.as_bytes())) {
            Ok(()) => Exit::Done,
            Err(fault) => {
                fault.report(screen.err_colours());
                fault.exit()
            }
        };
    }
    if names::are_asked_for(&arguments) {
        return names::for_shell(place);
    }
    let read = match hot::arguments(&arguments) {
        Some(hot) => Ok(hot),
        None => Arguments::try_parse_from(arguments),
    };
    let outcome = match read {
        Ok(Arguments {
            global,
            plain,
            command,
        }) => match command {
            None => interface(global, place, plain),
            Some(_) if plain => Err(Fault::usage("--plain goes with no command")
                .hint("every command works line by line; `vmfa --plain` asks for them")),
            Some(command) => {
                Context::new(global, place).and_then(|context| dispatch(&context, command))
            }
        },
        Err(error) => return explain(&error, &Screen::new(colours)),
    };
    match outcome {
        Ok(exit) => exit,
        Err(fault) => {
            fault.report(Screen::new(colours).err_colours());
            fault.exit()
        }
    }
}

fn dispatch(context: &Context, mut command: Command) -> Outcome<Exit> {
    choice::complete(context, &mut command)?;
    match command {
        Command::Init(input) => init::run(context, &input).map(done),
        Command::Add(input) => add::run(context, *input),
        Command::Code(input) => code::run(context, &input).map(done),
        Command::MfaProcess(input) => code::for_process(context, input).map(done),
        Command::Pair(input) => pair::run(context, &input).map(done),
        #[cfg(unix)]
        Command::Watch(input) => watch::run(context, &input).map(done),
        #[cfg(unix)]
        Command::Unlock(input) => agent::unlock(context, &input).map(done),
        #[cfg(unix)]
        Command::Lock => agent::lock(context).map(done),
        #[cfg(unix)]
        Command::Agent(input) => agent::run(context, &input),
        #[cfg(feature = "aws")]
        Command::Aws(input) => aws::run(context, input),
        Command::Import(input) => import::run(context, &input),
        Command::Scan(input) => scan::run(context, &input),
        Command::List(input) => list::run(context, &input).map(done),
        Command::Show(input) => show::run(context, &input).map(done),
        Command::Edit(input) => edit::run(context, *input).map(done),
        Command::Rename(input) => edit::rename(context, &input).map(done),
        Command::Remove(input) => trash::remove(context, &input).map(done),
        Command::Restore(input) => trash::restore(context, &input).map(done),
        Command::Qr(input) => qr::run(context, &input).map(done),
        Command::Export(input) => export::run(context, &input),
        Command::Passphrase(input) => passphrase::run(context, input).map(done),
        Command::Slot(input) => slot::run(context, input).map(done),
        Command::Check => check::run(context),
        Command::Backup(input) => backup::run(context, input).map(done),
        Command::Doctor(input) => doctor::run(context, &input),
        #[cfg(feature = "tui")]
        Command::Config(input) => config::run(context, &input).map(done),
        Command::Completions(input) => completions::run(context, &input).map(done),
        Command::Man(input) => manual::man(context, &input).map(done),
    }
}

/// `vmfa` alone: for a person at a terminal. A script that forgot its command is shown the help.
fn interface(global: Global, place: Place, plain: bool) -> Outcome<Exit> {
    let screen = Screen::new(place.colours_allowed);
    let is_person = std::io::stdin().is_terminal() && screen.out_is_terminal();
    if plain {
        return plain::run(&Context::new(global, place)?);
    }
    if is_person && Terminal::open().is_some() {
        let context = Context::new(global, place)?;
        #[cfg(feature = "tui")]
        return crate::tui::run(&context);
        #[cfg(not(feature = "tui"))]
        return plain::run(&context);
    }
    let help = Arguments::command().render_help().to_string();
    screen.raw(help.as_bytes())?;
    Err(Fault::silent(Exit::Usage))
}

fn done((): ()) -> Exit {
    Exit::Done
}

/// Help and version go to standard output; a usage error goes to standard error, with what was typed made harmless.
fn explain(error: &clap::Error, screen: &Screen) -> Exit {
    let styled = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let wanted = error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            let text = if screen.out_is_terminal() && screen.err_colours() {
                styled.ansi().to_string()
            } else {
                styled.to_string()
            };
            let written = if wanted {
                screen.raw(text.as_bytes())
            } else {
                screen
                    .raw(text.as_bytes())
                    .and(Err(Fault::silent(Exit::Usage)))
            };
            written.map_or_else(|fault| fault.exit(), |()| Exit::Done)
        }
        _ => {
            usage(&styled.to_string()).report(screen.err_colours());
            Exit::Usage
        }
    }
}

/// A usage error in one line, and its tip or the way to the help in another.
fn usage(plain: &str) -> Fault {
    let mut blocks = plain.trim().split("\n\n").map(|block| {
        let lines: Vec<&str> = block.lines().map(str::trim).collect();
        lines.join(" ")
    });
    let first = blocks.next().unwrap_or_default();
    let message = first.trim_start_matches("error: ").to_owned();
    let (mut tip, mut usage) = (None, None);
    for block in blocks {
        if let Some(text) = block.strip_prefix("tip: ") {
            tip = Some(text.to_owned());
        } else if block.starts_with("Usage: ") {
            usage = Some(block.replacen("Usage: ", "usage: ", 1));
        }
    }
    let fault = Fault::usage(clipped(&message, 300));
    match (tip, usage) {
        (Some(tip), _) => fault.hint(clipped(&tip, 300)),
        (None, Some(usage)) => fault.hint(clipped(&format!("{usage}; more with --help"), 300)),
        (None, None) => fault.hint("the command's --help shows what it takes"),
    }
}

/// At most so many characters: what a person typed may be of any length.
fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a person typed, as an error repeats it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", clipped(&clean(text), 60))
}

/// The one account that the words mean.
pub(crate) fn pick<'a, S: Borrow<Summary>>(
    words: &[String],
    among: &'a [S],
) -> Outcome<&'a Summary> {
    pick_where(words, among, SHOWN_BY)
}

/// What a person typed to name an account.
pub(crate) fn words_of(words: &[String]) -> Outcome<String> {
    let query = words.join(" ");
    let query = match id_behind_label(&query) {
        Some(id) => id.to_owned(),
        None => query,
    };
    if query.trim().is_empty() {
        return Err(Fault::usage("which account? The name is empty").hint(SHOWN_BY));
    }
    if query.len() > query::MAX_LEN {
        let message = format!("no account matches {}", quoted(&query));
        return Err(Fault::new(Exit::NotFound, message).hint(SHOWN_BY));
    }
    Ok(query)
}

/// The id of a name as [`near`] and `list --names` write it where labels are the same: `GitHub:me (id 1a2b3c4d)`.
pub(crate) fn id_behind_label(query: &str) -> Option<&str> {
    let (_, id) = query.trim_end().strip_suffix(')')?.rsplit_once(" (id ")?;
    let is_id = (8..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

/// Where all accounts are seen.
const SHOWN_BY: &str = "`vmfa list` shows them";

/// What the agent answered to a query, in the words in which the vault's own accounts would be spoken of; nothing where the
/// vault itself must be asked.
#[cfg(unix)]
pub(crate) fn by_query<T>(
    context: &Context,
    query: &str,
    answer: Result<T, AgentError>,
) -> Outcome<Option<T>> {
    match answer {
        Err(AgentError::NotOne(NotOne::Several(named, count))) => {
            Err(several(query, &named, count as usize))
        }
        Err(AgentError::NotOne(NotOne::Nothing(named, count, all))) => Err(nothing(
            query,
            &named,
            count as usize,
            all as usize,
            SHOWN_BY,
        )),
        answer => context.answered(answer),
    }
}

/// The one account that the words mean, with the hint that shows all there are.
pub(crate) fn pick_where<'a, S: Borrow<Summary>>(
    words: &[String],
    among: &'a [S],
    hint: &str,
) -> Outcome<&'a Summary> {
    let query = words_of(words)?;
    let among_these = |indices: &[usize]| -> Vec<&Summary> {
        indices.iter().map(|index| among[*index].borrow()).collect()
    };
    match query::find(&query, among) {
        Found::One(index) => Ok(among[index].borrow()),
        Found::Several(indices) => Err(several(&query, &among_these(&indices), indices.len())),
        Found::Nothing(indices) => {
            let near = among_these(&indices);
            Err(nothing(&query, &near, indices.len(), among.len(), hint))
        }
    }
}

/// More than one account is meant: the first of them, and how many there are.
pub(crate) fn several<S: Borrow<Summary>>(query: &str, named: &[S], count: usize) -> Fault {
    let labels = named.iter().map(|summary| summary.borrow().label());
    let alike = labels.collect::<std::collections::HashSet<_>>().len() == 1;
    let message = format!(
        "{} means more than one account: {}",
        quoted(query),
        near(named, count)
    );
    Fault::new(Exit::NotFound, message).hint(if alike {
        "say the id: they have the same label"
    } else {
        "say more words, the whole label, or the id"
    })
}

/// No account is meant: the nearest by spelling, how many of them, and how many accounts there are at all.
pub(crate) fn nothing<S: Borrow<Summary>>(
    query: &str,
    named: &[S],
    count: usize,
    all: usize,
    hint: &str,
) -> Fault {
    if all == 0 {
        return Fault::new(Exit::NotFound, "there is no account here")
            .hint("`vmfa add` brings one in");
    }
    let shown = quoted(query);
    let message = if named.is_empty() {
        format!("no account matches {shown}")
    } else {
        format!(
            "no account matches {shown}; near it: {}",
            near(named, count)
        )
    };
    Fault::new(Exit::NotFound, message).hint(hint)
}

/// A few accounts in a line, told apart by the beginning of their ids where their labels are the same.
fn near<S: Borrow<Summary>>(named_ones: &[S], count: usize) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> = Vec::new();
    for (at, summary) in named_ones.iter().enumerate().take(SHOWN) {
        let summary = summary.borrow();
        let twin = named_ones
            .iter()
            .enumerate()
            .any(|(other, twin)| other != at && twin.borrow().label() == summary.label());
        names.push(if twin {
            format!("{} (id {})", named(summary), short_id(summary))
        } else {
            named(summary)
        });
    }
    // An agent may have named fewer than that.
    if count > names.len() {
        names.push(format!("and {} more", count - names.len()));
    }
    names.join(", ")
}

/// An account's label, safe to print, or its id when it has none.
pub(crate) fn named(summary: &Summary) -> String {
    let label = summary.label();
    if label.is_empty() {
        format!("(no name, id {})", short_id(summary))
    } else {
        clean(&label).into_owned()
    }
}

/// Enough of an id to type it.
pub(crate) fn short_id(summary: &Summary) -> String {
    summary.id.to_string()[..8].to_owned()
}

/// Saves, and says it when the system couldn't vouch for the disk.
pub(crate) fn save(context: &Context, vault: &mut Unlocked, now: UnixTime) -> Outcome {
    match vault.save(now)? {
        Saved::Durable => {
            context.tell_copies(vault);
            Ok(())
        }
        Saved::Unchanged => Ok(()),
        Saved::DurabilityUnknown => {
            context.screen.warn("saved, but the system couldn't say that it is on the disk: don't cut the power now");
            Err(Fault::new(
                Exit::Internal,
                "saved, but perhaps not yet safe from a power cut",
            )
            .hint("run `vmfa check`; then `sync`"))
        }
    }
}

/// The value of an option that is a secret: it must be `-`, since a command line can be read by others.
pub(crate) fn only_dash(option: &str, given: Option<&str>) -> Outcome<bool> {
    match given {
        None => Ok(false),
        Some("-") => Ok(true),
        // What was given is not repeated: it may be the secret itself.
        Some(_) => Err(Fault::usage(format!(
            "{option}: a secret may not stand on the command line, where others and the shell's history see it"
        ))
        .hint(format!("use {option} - and type or pipe it; treat the one just typed as seen"))),
    }
}

/// A number of things, in words.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    if count == 1 {
        format!("1 {thing}")
    } else {
        format!("{count} {thing}s")
    }
}
