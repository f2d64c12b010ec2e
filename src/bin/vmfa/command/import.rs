//! `vmfa import`: accounts in, from whatever other apps export.

mod gather;
mod gpg;
mod keys;
mod report;
mod undo;

use vmfa::account::{Account, AccountId, Drafted, Refusal, Summary, Warning};
use vmfa::clock::UnixTime;
use vmfa::import::{self, Batch};
use vmfa::vault::{Added, Unlocked};

use crate::args::Import;
use crate::command::import::gather::{Gathered, gather};
use crate::command::{add, save};
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

/// One account that was found, or why it is none.
struct Row {
    /// Which of the files, as [`Gathered`] numbers them.
    file: usize,
    /// Where in it: "entry 3".
    place: String,
    became: Became,
}

/// What became of it.
enum Became {
    /// It is none.
    Refused(Refusal),
    /// An account, with what was odd about it. The summary is as it came.
    Account {
        summary: Box<Summary>,
        warnings: Vec<Warning>,
        how: How,
    },
}

/// How an account stands to those that were there.
#[derive(Clone, PartialEq, Eq)]
enum How {
    /// It is new.
    New,
    /// It is new, and another one has its name and another secret.
    Namesake,
    /// The same secret was there already, under this label.
    There(String),
    /// It was in the trash under this label and is out of it.
    Restored(String),
}

/// All that was found and what became of it.
struct Report {
    rows: Vec<Row>,
    batches: Vec<Batch>,
}

pub(crate) fn run(context: &Context, input: &Import) -> Outcome<Exit> {
    if input.undo {
        return undo::run(context);
    }
    // Everything is read before the vault's passphrase is asked for: a file that can't be read should cost nobody one.
    let gathered = gather(context, input)?;
    let now = context.now()?;
    let (found, batches) = accounts(&gathered, now);
    let any = found.iter().any(|(_, _, row)| row.is_ok());
    let vault = match (any, input.dry_run) {
        (false, _) => None,
        (true, true) if !context.files.vault.exists() => None,
        (true, true) => Some(context.open()?),
        (true, false) => Some(add::open_or_make(context)?),
    };
    let report = match vault {
        Some(mut vault) => {
            let (rows, undo) = take_in(&mut vault, found, now)?;
            if !input.dry_run {
                save(context, &mut vault, now)?;
                undo.note(context, &vault, now);
            }
            rows
        }
        None => without_vault(found),
    };
    let report = Report {
        rows: report,
        batches,
    };
    report::show(context, input, &gathered, &report)
}

/// What was found: in which file, where in it, and the account or why not.
type Found = (usize, String, Result<Drafted, Refusal>);

/// From drafts to accounts. Texts of all files are read together, so that the parts of a migration find each other.
fn accounts(gathered: &[Gathered], now: UnixTime) -> (Vec<Found>, Vec<Batch>) {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    let mut from = Vec::new();
    for (index, file) in gathered.iter().enumerate() {
        let Ok(contents) = &file.contents else {
            continue;
        };
        for (place, text) in &contents.texts {
            texts.push((place.as_str(), text.expose()));
            from.push(index);
        }
    }
    let collected = import::collect(texts);
    for (row, text) in collected.rows.into_iter().zip(collected.from) {
        found.push((from[text], row));
    }
    for (index, file) in gathered.iter().enumerate() {
        found.extend(file.take_rows().into_iter().map(|row| (index, row)));
    }
    // Files in the order in which they were named, each from its beginning.
    found.sort_by_key(|(index, _)| *index);
    let judged = found.into_iter().map(|(file, row)| match row {
        Ok(draft) => {
            let place = draft.place.clone();
            let row = draft.into_account(now);
            (file, place, row)
        }
        Err(refusal) => (file, refusal.place.clone(), Err(refusal)),
    });
    (judged.collect(), collected.batches)
}

/// What an undo has to know.
#[derive(Default)]
struct Undo(Vec<AccountId>);

fn take_in(vault: &mut Unlocked, found: Vec<Found>, now: UnixTime) -> Outcome<(Vec<Row>, Undo)> {
    let mut undo = Undo::default();
    let mut rows = Vec::with_capacity(found.len());
    let mut labels: Vec<(usize, AccountId)> = Vec::new();
    for (file, place, row) in found {
        let became = match row {
            Err(refusal) => Became::Refused(refusal),
            Ok(Drafted { account, warnings }) => {
                let mut summary = Box::new(account.summary.clone());
                let added = vault.add(account, now)?;
                let how = match &added {
                    Added::New(_) => How::New,
                    Added::Namesake { .. } => How::Namesake,
                    Added::AlreadyThere(_) => How::There(String::new()),
                    Added::Restored(_) => How::Restored(String::new()),
                };
                let id = add::id_of(&added);
                summary.id = id;
                match how {
                    How::New | How::Namesake => undo.0.push(id),
                    How::Restored(_) => {
                        undo.0.push(id);
                        labels.push((rows.len(), id));
                    }
                    How::There(_) => labels.push((rows.len(), id)),
                }
                Became::Account {
                    summary,
                    warnings,
                    how,
                }
            }
        };
        rows.push(Row {
            file,
            place,
            became,
        });
    }
    // The labels of those that were there are looked up together: one by one it would be the square of their number.
    let wanted: std::collections::HashMap<AccountId, String> = {
        let ids: std::collections::HashSet<AccountId> = labels.iter().map(|(_, id)| *id).collect();
        let all = vault.live().cloned().chain(vault.trash());
        all.filter(|summary| ids.contains(&summary.id))
            .map(|summary| (summary.id, summary.label()))
            .collect()
    };
    for (at, id) in labels {
        let known = wanted.get(&id).cloned().unwrap_or_default();
        if let Became::Account {
            how: How::There(label) | How::Restored(label),
            ..
        } = &mut rows[at].became
        {
            *label = known;
        }
    }
    Ok((rows, undo))
}

/// A dry run where there is no vault yet: everything is new, except what comes twice.
fn without_vault(found: Vec<Found>) -> Vec<Row> {
    let mut seen: std::collections::HashMap<Vec<u8>, Vec<Account>> = Default::default();
    let mut rows = Vec::with_capacity(found.len());
    for (file, place, row) in found {
        let became = match row {
            Err(refusal) => Became::Refused(refusal),
            Ok(Drafted { account, warnings }) => {
                let summary = Box::new(account.summary.clone());
                // Not the secret itself: a map's keys are never wiped.
                let digest = ring::digest::digest(&ring::digest::SHA256, account.secret.expose());
                let same = seen.entry(digest.as_ref().to_vec()).or_default();
                let twin = same
                    .iter()
                    .find(|other| other.gives_same_codes_as(&account));
                let how = match twin {
                    Some(twin) => How::There(twin.summary.label()),
                    None => How::New,
                };
                if twin.is_none() {
                    same.push(account);
                }
                Became::Account {
                    summary,
                    warnings,
                    how,
                }
            }
        };
        rows.push(Row {
            file,
            place,
            became,
        });
    }
    rows
}

/// The steps by which an app's export is had: `vmfa import --help FORMAT`.
pub(crate) fn how_to(word: &str) -> Outcome<String> {
    let format = import::by_id(word).ok_or_else(|| unknown_format(word))?;
    let mut text = format!(
        "{}\n\nFormat:  {}\nReads:   {}\n",
        format.app, format.id, format.reads
    );
    if format.seen == import::Seen::Description {
        text.push_str("Note:    made after the app's description; no file of the app itself was at hand to try\n");
    }
    text.push('\n');
    text.push_str(format.how.trim_end());
    text.push('\n');
    Ok(text)
}

/// The table of formats, for the help.
pub(crate) fn formats() -> String {
    let mut lines: Vec<String> = import::FORMATS
        .iter()
        .map(|format| format!("  {:<18} {}", format.id, format.app))
        .collect();
    lines.sort_by_cached_key(|line| line.to_lowercase());
    lines.join("\n")
}

fn unknown_format(word: &str) -> Fault {
    Fault::usage(format!("no format {}", crate::command::quoted(word)))
        .hint("`vmfa import --help` lists them")
}
