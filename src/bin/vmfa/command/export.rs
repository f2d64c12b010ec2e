//! `vmfa export`: accounts for another program, or for paper.

mod codes;
mod own;
pub(super) mod put;
mod read_back;

use std::path::Path;

use vmfa::account::{Account, Summary, query};
use vmfa::export::{self, Fate, Form, Output, Sealing, Shape, TARGETS, Target};
use vmfa::otp::Scheme;
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::Unlocked;

use crate::args::Export;
use crate::command::{counted, list, named, nothing, quoted};
use crate::fault::{Exit, Fault, Outcome};
use crate::place::Source;
use crate::print::Table;
use crate::prompt::Terminal;
use crate::unlock::{Asking, Context};

/// The word for vmfa's own backup, which no other program reads, and its other words.
const OWN: [&str; 2] = ["vmfa", "vault"];

pub(crate) fn run(context: &Context, input: &Export) -> Outcome<Exit> {
    if OWN.iter().any(|word| word.eq_ignore_ascii_case(&input.to)) {
        return own::run(context, input);
    }
    let target = target_of(&input.to)?;
    let is_sealed = is_sealed(target, input)?;
    let to = Destination::of(context, target, input)?;

    let vault = context.open_by(Asking::Again)?;
    let accounts = chosen(&vault, input)?;
    let now = context.now()?;
    // Nobody should choose a passphrase for nothing.
    let fates = export::fates(target, &accounts);
    report(context, &accounts, &fates);
    if !fates.iter().any(|fate| matches!(fate, Fate::Carried(_))) {
        return Err(Fault::new(
            Exit::Partly,
            format!("there is no account here that {} can hold", target.app),
        ));
    }
    let passphrase = match is_sealed {
        true => Some(new_passphrase(context, input)?),
        false => None,
    };
    let form = passphrase.as_ref().map_or(Form::Plain, Form::Sealed);
    let exported = export::write(target, &accounts, form, now)?;
    let count = exported
        .fates
        .iter()
        .filter(|fate| matches!(fate, Fate::Carried(_)))
        .count();
    // Before anything is on the disk, where whoever is stopped would leave it behind.
    let files = match &exported.output {
        Output::File(bytes) => vec![(String::new(), bytes.duplicate())],
        Output::Tree(files) => copied(files),
        Output::Codes(texts) => codes::pictures(texts)?,
    };
    let written = read_back::Written {
        target,
        files: &files,
        passphrase: passphrase.as_ref(),
    };
    read_back::check(context, &written, &accounts, &exported.fates, now)?;
    match (exported.output, to) {
        (Output::File(bytes), Destination::Path(path)) => {
            put::file(context, path, &bytes, input.force)?;
        }
        (Output::File(bytes), Destination::Standard) => context.screen.raw(bytes.expose())?,
        (Output::Tree(_) | Output::Codes(_), Destination::Path(path)) => {
            put::tree(context, path, &files)?;
        }
        (Output::Codes(texts), Destination::Standard) => match input.out.is_some() {
            true => texts
                .iter()
                .try_for_each(|text| context.screen.line(text.expose()))?,
            false => codes::show(context, &texts)?,
        },
        (Output::Tree(_), Destination::Standard) => {
            return Err(Fault::usage("several files can't go to standard output"));
        }
    }
    told(context, target, count, to);
    if is_sealed {
        context
            .screen
            .remark("without its passphrase nobody can read it, you included");
    }
    let counters = accounts
        .iter()
        .zip(&fates)
        .filter(|(account, fate)| {
            matches!(account.summary.scheme, Scheme::Hotp(_)) && matches!(fate, Fate::Carried(_))
        })
        .count();
    if counters > 0 {
        context.screen.warn(&format!(
            "{} (HOTP): two devices with one counter fall out of step, so use only one of them",
            counted(counters, "counter-based account")
        ));
    }
    Ok(match count < accounts.len() {
        true => Exit::Partly,
        false => Exit::Done,
    })
}

fn copied(files: &[(String, Secret)]) -> Vec<(String, Secret)> {
    let files = files.iter();
    files
        .map(|(name, bytes)| (name.clone(), bytes.duplicate()))
        .collect()
}

/// Where an export goes.
#[derive(Clone, Copy)]
enum Destination<'a> {
    /// A file or a directory.
    Path(&'a Path),
    /// Standard output, or the terminal.
    Standard,
}

impl<'a> Destination<'a> {
    /// What can't be written there is said before a passphrase is asked for.
    fn of(context: &Context, target: &Target, input: &'a Export) -> Outcome<Self> {
        let out = input.out.as_deref();
        let path = out.filter(|path| path.as_os_str() != "-");
        if let Some(path) = path {
            let is_tree = matches!(target.shape, Shape::Tree | Shape::Codes);
            put::may(context, path, is_tree, input.force)?;
            return Ok(Self::Path(path));
        }
        let on_terminal = context.screen.out_is_terminal();
        match target.shape {
            Shape::Tree => {
                Err(Fault::usage("this is a directory of files").hint("name it with --out DIR"))
            }
            Shape::Binary if on_terminal => {
                Err(Fault::usage("this is no text for a terminal")
                    .hint("name a file with --out FILE"))
            }
            Shape::Codes if out.is_none() && !on_terminal => {
                Err(Fault::usage("there is no terminal to show QR codes on")
                    .hint("write pictures with --out DIR, or their texts with --out -"))
            }
            Shape::Text | Shape::Binary | Shape::Codes => Ok(Self::Standard),
        }
    }
}

/// Whether the file is to be sealed: it is, unless the person says that it may lie there in clear.
fn is_sealed(target: &Target, input: &Export) -> Outcome<bool> {
    match (target.sealing, input.plaintext) {
        (Sealing::Always, true) => Err(Fault::usage(format!(
            "an export for {} is always encrypted",
            target.app
        ))
        .hint("leave --plaintext away")),
        (Sealing::Never, false) => Err(Fault::usage(format!(
            "an export for {} can't be encrypted: every secret stands in it in clear",
            target.app
        ))
        .hint("say --plaintext if that is what you want")),
        (Sealing::Never, true) | (Sealing::Either, true) => Ok(false),
        (Sealing::Always | Sealing::Either, false) => Ok(true),
    }
}

/// A passphrase for the export itself, typed twice or from where the command line says.
fn new_passphrase(context: &Context, input: &Export) -> Outcome<SecretText> {
    let source = input
        .export_passphrase_file
        .clone()
        .map(Source::File)
        .or(input.export_passphrase_fd.map(Source::Fd))
        .or(input.export_passphrase_command.clone().map(Source::Command));
    if source.is_none() {
        let terminal = Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                "the export needs a passphrase of its own, and there is no terminal to ask on",
            )
            .hint("name a source with --export-passphrase-file, --export-passphrase-fd or --export-passphrase-command")
        })?;
        terminal.say(
            "Choose a passphrase for the export: whoever opens the file will be asked for it.",
        );
    }
    context.new_passphrase(source)
}

/// The accounts that are meant, in the order of `vmfa list`, those in the trash last.
fn chosen(vault: &Unlocked, input: &Export) -> Outcome<Vec<Account>> {
    let live: Vec<Summary> = vault.live().cloned().collect();
    let trash = match input.trash {
        true => vault.trash(),
        false => Vec::new(),
    };
    let mut found: Vec<Summary> = Vec::new();
    for mut summaries in [live, trash] {
        list::sort(&mut summaries);
        found.extend(summaries);
    }
    let words = input.query.join(" ");
    let is_all = input.query.is_empty() || input.query == ["all"];
    if !is_all {
        if words.len() > query::MAX_LEN {
            let message = format!("no account matches {}", quoted(&words));
            return Err(Fault::new(Exit::NotFound, message).hint("`vmfa list` shows them"));
        }
        let matching = query::matching(&words, &found);
        let all = found.len();
        found = matching
            .into_iter()
            .map(|index| found[index].clone())
            .collect();
        if found.is_empty() && all > 0 {
            return Err(nothing::<Summary>(
                &words,
                &[],
                0,
                all,
                "`vmfa list` shows them",
            ));
        }
    }
    if found.is_empty() {
        return Err(
            Fault::new(Exit::NotFound, "there is no account here").hint("`vmfa add` brings one in")
        );
    }
    let accounts = found.iter().map(|summary| vault.account(&summary.id));
    Ok(accounts.collect::<Result<_, _>>()?)
}

/// What is left out, and what is lost, account by account.
fn report(context: &Context, accounts: &[Account], fates: &[Fate]) {
    let mut table = Table::new(&["ACCOUNT", "OUTCOME", "WHAT AND WHY"]);
    for (account, fate) in accounts.iter().zip(fates) {
        let summary = &account.summary;
        match fate {
            Fate::Carried(lost) if lost.is_empty() => {}
            Fate::Carried(lost) => {
                let words: Vec<String> = lost.iter().map(ToString::to_string).collect();
                table.row(vec![named(summary), "without".into(), words.join(", ")]);
            }
            Fate::LeftOut(obstacle) => {
                table.row(vec![
                    named(summary),
                    "LEFT OUT".into(),
                    obstacle.to_string(),
                ]);
            }
        }
    }
    if !table.is_empty() {
        table.remark(&context.screen);
    }
}

fn told(context: &Context, target: &Target, count: usize, to: Destination<'_>) {
    let screen = &context.screen;
    let place = match to {
        Destination::Path(path) => format!(" to {}", context.place.show(path)),
        Destination::Standard => String::new(),
    };
    screen.remark(&format!(
        "exported {}{place}, for {}",
        counted(count, "account"),
        target.app
    ));
    if screen.err_is_terminal() {
        screen.remark(&format!(
            "how to get it in there: vmfa export --help {}",
            target.id
        ));
    }
}

/// The steps into an app: `vmfa export --help FORMAT`.
pub(crate) fn how_to(word: &str) -> Outcome<String> {
    if OWN.iter().any(|own| own.eq_ignore_ascii_case(word)) {
        return Ok(own::HOW.into());
    }
    target_of(word).map(|target| format!("{}\n", manual(target).trim_end()))
}

fn target_of(word: &str) -> Outcome<&'static Target> {
    export::by_id(word).ok_or_else(|| {
        Fault::usage(format!("no format {}", quoted(word))).hint("`vmfa export --help` lists them")
    })
}

/// What can't be held, and the steps into the app.
fn manual(target: &Target) -> String {
    let also = match target.also {
        [] => String::new(),
        words => format!(" (also: {})", words.join(", ")),
    };
    format!(
        "{}: {}, for {}{also}\n{}\n\n{}",
        target.id,
        target.writes,
        target.app,
        target.can.cannot(),
        target.how
    )
}

/// The targets as the help page shows them.
pub(crate) fn table() -> String {
    let mut text = String::from("Formats, and what they can't hold:\n");
    for target in TARGETS {
        let sealed = match target.sealing {
            Sealing::Never => "in clear",
            Sealing::Either => "encrypted, or in clear",
            Sealing::Always => "encrypted",
        };
        text.push_str(&format!(
            "  {:<14} {} ({sealed})\n{:17}{}\n",
            target.id,
            target.app,
            "",
            target.can.cannot()
        ));
    }
    text.push_str("  vmfa           a vault of its own, as `vmfa --vault FILE` opens it (encrypted)\n                 nothing is lost");
    text
}
