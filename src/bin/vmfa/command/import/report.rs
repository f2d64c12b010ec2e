//! What an import tells: a table for a person, or JSON for a program.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vmfa::account::Warning;
use vmfa::account::text::clean;
use vmfa::import::{Other, Remark};

use crate::args::Import;
use crate::command::import::gather::Gathered;
use crate::command::import::{Became, How, Report, Row};
use crate::command::{list, named, scan};
use crate::fault::{Exit, Fault, Outcome};
use crate::print::Table;
use crate::unlock::Context;

/// How many accounts went which way.
#[derive(Default)]
struct Counts {
    new: usize,
    trashed: usize,
    there: usize,
    restored: usize,
    refused: usize,
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            match &row.became {
                Became::Refused(_) => counts.refused += 1,
                Became::Account { how, summary, .. } => match how {
                    How::New | How::Namesake if summary.trashed.is_some() => counts.trashed += 1,
                    How::New | How::Namesake => counts.new += 1,
                    How::There(_) => counts.there += 1,
                    How::Restored(_) => counts.restored += 1,
                },
            }
        }
        counts
    }

    fn accounts(&self) -> usize {
        self.new + self.trashed + self.there + self.restored
    }

    fn said(&self) -> String {
        let parts = [
            (self.new, "new"),
            (self.trashed, "new, in the trash as they were"),
            (self.there, "there already"),
            (self.restored, "out of the trash"),
            (self.refused, "refused"),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        match said.is_empty() {
            true => "no account".into(),
            false => said.join(", "),
        }
    }
}

/// Tells everything and says how it went.
pub(super) fn show(
    context: &Context,
    input: &Import,
    gathered: &[Gathered],
    report: &Report,
) -> Outcome<Exit> {
    if input.json {
        context.screen.json(&as_json(input, gathered, report))?;
    } else {
        as_table(context, gathered, report)?;
    }
    tell(context, input, gathered, report);
    Ok(exit(gathered, report))
}

fn exit(gathered: &[Gathered], report: &Report) -> Exit {
    let counts = Counts::of(report.rows.iter());
    let failed = gathered
        .iter()
        .find_map(|file| file.contents.as_ref().err());
    let lacks = |remark: &Remark| matches!(remark, Remark::PartMissing(_) | Remark::DamagedPicture);
    let mut contents = gathered
        .iter()
        .filter_map(|file| file.contents.as_ref().ok());
    let is_whole = report.batches.iter().all(vmfa::import::Batch::is_complete)
        && !contents.any(|contents| contents.remarks.iter().any(lacks));
    match (counts.accounts(), counts.refused, failed) {
        (0, 0, None) => Exit::NotFound,
        (0, 0, Some(fault)) => fault.exit(),
        (0, _, _) => Exit::Usage,
        (_, 0, None) if is_whole => Exit::Done,
        (_, _, _) => Exit::Partly,
    }
}

fn as_table(context: &Context, gathered: &[Gathered], report: &Report) -> Outcome {
    let mut table = Table::new(&["", "ISSUER", "ACCOUNT", "TYPE", "FROM"]);
    for row in &report.rows {
        let from = place_of(gathered, row);
        table.row(match &row.became {
            Became::Refused(refusal) => vec![
                "refused".into(),
                String::new(),
                refusal.label.clone(),
                String::new(),
                from,
            ],
            Became::Account { summary, how, .. } => vec![
                match (how, summary.trashed) {
                    (How::New | How::Namesake, Some(_)) => "trashed".into(),
                    (how, _) => word(how).into(),
                },
                summary.issuer.clone(),
                summary.name.clone(),
                list::kind(summary),
                from,
            ],
        });
    }
    if table.is_empty() {
        return Ok(());
    }
    table.print(&context.screen)
}

/// What the table can't hold, on standard error: reasons, oddities, what was left aside, and the sums.
fn tell(context: &Context, input: &Import, gathered: &[Gathered], report: &Report) {
    let screen = &context.screen;
    for file in gathered {
        match &file.contents {
            Err(fault) => fault.report(screen.err_colours()),
            Ok(contents) => {
                for remark in &contents.remarks {
                    screen.warn(&format!("{}: {remark}", file.name));
                }
            }
        }
    }
    let mut weak = 0;
    for row in &report.rows {
        let from = place_of(gathered, row);
        match &row.became {
            Became::Refused(refusal) => {
                // The file is said by us, the place by the refusal.
                Fault::from(refusal.clone())
                    .at(&gathered[row.file].name)
                    .report(screen.err_colours());
            }
            Became::Account {
                summary,
                warnings,
                how,
            } => {
                for warning in warnings {
                    if matches!(warning, Warning::WeakSecret { .. }) {
                        weak += 1;
                        continue;
                    }
                    screen.warn(&format!("{}: {warning} ({from})", named(summary)));
                }
                match how {
                    How::Namesake => screen.warn(&format!(
                        "{}: an account of that name with another secret is there; both are kept",
                        named(summary)
                    )),
                    How::There(label) if *label != summary.label() => screen.remark(&format!(
                        "{} has the secret of {}: kept once, under that name",
                        named(summary),
                        clean(label)
                    )),
                    How::New | How::There(_) | How::Restored(_) => {}
                }
            }
        }
    }
    // A line for each would be half of the report: many sites hand out 80 bits.
    if weak > 0 {
        screen.remark(&format!(
            "{weak} of the secrets have fewer than the 128 bits that RFC 4226 asks for; only the sites can give better ones"
        ));
    }
    scan::warn_of_missing(context, &report.batches);
    let mut clear = Vec::new();
    for (index, file) in gathered.iter().enumerate() {
        let Ok(contents) = &file.contents else {
            continue;
        };
        let counts = Counts::of(report.rows.iter().filter(|row| row.file == index));
        let app = file.format.map_or("", |format| format.app);
        screen.remark(&format!(
            "{} ({app}): {}{}",
            file.name,
            counts.said(),
            skipped(&contents.skipped)
        ));
        if counts.accounts() > 0 && !file.sealed {
            clear.push(file.name.as_str());
        }
    }
    let counts = Counts::of(report.rows.iter());
    if input.dry_run {
        screen.remark("dry run: nothing was saved");
    } else if counts.new + counts.trashed + counts.restored > 0 {
        screen.remark("`vmfa import --undo` puts what came in into the trash");
        if let Some(first) = clear.first() {
            let which = match clear.len() {
                1 => format!("{first} holds its secrets in clear: erase it"),
                many => format!(
                    "{first} and {} more hold their secrets in clear: erase them",
                    many - 1
                ),
            };
            screen.remark(&format!("{which} once you have seen a code work"));
        }
    }
}

fn skipped(skipped: &BTreeMap<Other, usize>) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = skipped
        .iter()
        .map(|(other, count)| format!("{count} {}", other.name(*count)))
        .collect();
    format!("; left aside: {}", parts.join(", "))
}

fn word(how: &How) -> &'static str {
    match how {
        How::New | How::Namesake => "new",
        How::There(_) => "there",
        How::Restored(_) => "restored",
    }
}

/// Where an account was found: the file by its name alone, and not even that where there is but one.
fn place_of(gathered: &[Gathered], row: &Row) -> String {
    let file = &gathered[row.file].short;
    match row.place.as_str() {
        "" => file.clone(),
        place if gathered.len() == 1 => clean(place).into_owned(),
        place => format!("{file}, {}", clean(place)),
    }
}

fn as_json(input: &Import, gathered: &[Gathered], report: &Report) -> Value {
    let files: Vec<Value> = gathered
        .iter()
        .enumerate()
        .map(|(index, file)| match &file.contents {
            Err(fault) => {
                json!({ "file": file.name, "error": fault.message(), "exit": fault.exit() as u8 })
            }
            Ok(contents) => {
                let counts = Counts::of(report.rows.iter().filter(|row| row.file == index));
                let skipped: serde_json::Map<String, Value> = contents
                    .skipped
                    .iter()
                    .map(|(other, count)| (other.class().to_owned(), (*count).into()))
                    .collect();
                let remarks: Vec<String> =
                    contents.remarks.iter().map(ToString::to_string).collect();
                json!({
                    "file": file.name,
                    "format": file.format.map(|format| format.id),
                    "app": file.format.map(|format| format.app),
                    "encrypted": file.sealed,
                    "accounts": counts.accounts(),
                    "refused": counts.refused,
                    "skipped": skipped,
                    "remarks": remarks,
                })
            }
        })
        .collect();
    let accounts: Vec<Value> = report
        .rows
        .iter()
        .map(|row| account(gathered, row, input.dry_run))
        .collect();
    let migrations: Vec<Value> = report
        .batches
        .iter()
        .map(|batch| {
            // A damaged size may say millions.
            let missing: Vec<u32> = batch.missing().take(1000).collect();
            json!({ "batch": batch.id, "parts": batch.size, "found": batch.found.len(), "missing": missing })
        })
        .collect();
    let counts = Counts::of(report.rows.iter());
    json!({
        "dry_run": input.dry_run,
        "files": files,
        "accounts": accounts,
        "migrations": migrations,
        "counts": {
            "new": counts.new + counts.trashed,
            "already_there": counts.there,
            "restored": counts.restored,
            "refused": counts.refused,
        },
    })
}

fn account(gathered: &[Gathered], row: &Row, dry_run: bool) -> Value {
    let file = &gathered[row.file].name;
    match &row.became {
        Became::Refused(refusal) => json!({
            "file": file,
            "place": clean(&row.place),
            "outcome": "refused",
            "label": refusal.label,
            "field": refusal.field.to_string(),
            "class": refusal.class(),
            "reason": refusal.reason.to_string(),
        }),
        Became::Account {
            summary,
            warnings,
            how,
        } => {
            let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
            let mut value = list::described(summary);
            value["file"] = file.as_str().into();
            value["place"] = clean(&row.place).into();
            value["outcome"] = match how {
                How::New | How::Namesake => "new",
                How::There(_) => "already_there",
                How::Restored(_) => "restored",
            }
            .into();
            value["trashed"] = summary.trashed.is_some().into();
            value["warnings"] = warnings.into();
            if let How::There(label) | How::Restored(label) = how {
                value["known_as"] = clean(label).into();
            }
            if dry_run && is_unborn(how) {
                // It would get another one when it really comes in.
                value["id"] = Value::Null;
            }
            value
        }
    }
}

fn is_unborn(how: &How) -> bool {
    match how {
        How::New | How::Namesake => true,
        How::There(_) | How::Restored(_) => false,
    }
}
