//! `vmfa backup`: the generations that saves leave behind.

use std::path::PathBuf;

use serde_json::{Value, json};
use vmfa::authenticator::Authenticator;
use vmfa::vault::{self, Backup as Kept};

use crate::args::{Backup, BackupList, BackupMerge, BackupPurge, BackupRestore};
use crate::command::save;
use crate::fault::{Exit, Fault, Outcome};
use crate::print::Table;
use crate::prompt::Terminal;
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: Backup) -> Outcome {
    match input {
        Backup::List(input) => list(context, &input),
        Backup::Restore(input) => restore(context, &input),
        Backup::Merge(input) => merge(context, &input),
        Backup::Purge(input) => purge(context, &input),
    }
}

fn list(context: &Context, input: &BackupList) -> Outcome {
    let backups = vault::backups(&context.files)?;
    if input.json {
        return context
            .screen
            .json(&Value::Array(backups.iter().map(described).collect()));
    }
    if backups.is_empty() {
        context.screen.remark(&format!(
            "{} has no backups yet: every save leaves one",
            context.vault_name()
        ));
        return Ok(());
    }
    let now = context.now()?.secs();
    let mut table = Table::new(&["GENERATION", "AGE", "SIZE", "FILE"]);
    for backup in &backups {
        table.row(vec![
            backup.generation.to_string(),
            age(now.saturating_sub(backup.modified)),
            format!("{} KiB", backup.len.div_ceil(1024)),
            context.place.show(&backup.path),
        ]);
    }
    table.print(&context.screen)
}

fn described(backup: &Kept) -> Value {
    json!({
        "generation": backup.generation,
        "modified": backup.modified,
        "bytes": backup.len,
        "path": backup.path.to_string_lossy(),
    })
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}

fn restore(context: &Context, input: &BackupRestore) -> Outcome {
    let path = match input
        .backup
        .to_str()
        .and_then(|text| text.parse::<u64>().ok())
    {
        Some(generation) => of_generation(context, generation)?,
        None => input.backup.clone(),
    };
    let vault = context.restore_backup(&path)?;
    context.screen.remark(&format!(
        "{} now holds what {} held: {} accounts, generation {}\nwhat stood there before is kept as a backup",
        context.vault_name(),
        context.place.show(&path),
        vault.summaries()?.len(),
        vault.generation()
    ));
    Ok(())
}

fn of_generation(context: &Context, generation: u64) -> Outcome<PathBuf> {
    vault::backups(&context.files)?
        .into_iter()
        .find(|backup| backup.generation == generation)
        .map(|backup| backup.path)
        .ok_or_else(|| {
            Fault::new(
                Exit::NotFound,
                format!("there is no backup of generation {generation}"),
            )
            .hint("`vmfa backup list` shows them")
        })
}

fn merge(context: &Context, input: &BackupMerge) -> Outcome {
    let mut vault = context.open()?;
    let name = context.place.show(&input.copy);
    let before = vault.live().count();
    let news = vault.merge_file(&input.copy)?;
    let now = context.now()?;
    save(context, &mut vault, now)?;
    context.screen.remark(&if news {
        format!(
            "took in {name}: {before} accounts before, {} now; the copy is left where it is",
            vault.live().count()
        )
    } else {
        format!("{name} holds nothing that {} hasn't", context.vault_name())
    });
    Ok(())
}

fn purge(context: &Context, input: &BackupPurge) -> Outcome {
    let backups = vault::backups(&context.files)?;
    if backups.is_empty() {
        context.screen.remark("there are no backups");
        return Ok(());
    }
    if !input.yes {
        let terminal = Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                "there is no terminal to ask on whether to delete the backups",
            )
            .hint("say --yes")
        })?;
        if !terminal.confirm(&format!(
            "Delete {} backups of {}?",
            backups.len(),
            context.vault_name()
        ))? {
            return Err(Fault::new(Exit::Interrupted, "nothing was deleted"));
        }
    }
    // A vault that doesn't open may need them yet.
    context.open()?;
    let deleted = vault::purge_backups(&context.files)?;
    context.screen.remark(&format!("deleted {deleted} backups"));
    Ok(())
}

/// After the keys have changed: backups of before still open with what was just taken away. A person is asked whether to
/// delete them; a script is told.
pub(crate) fn offer_purge(context: &Context, with_what: &str) -> Outcome {
    let count = vault::backups(&context.files)?.len();
    if count == 0 {
        return Ok(());
    }
    let screen = &context.screen;
    screen.remark(&format!(
        "{count} backups of before still open with {with_what}"
    ));
    let asked = if context.has_source() {
        None
    } else {
        Terminal::open()
    };
    match asked {
        Some(terminal) if terminal.confirm("Delete them?")? => {
            let deleted = vault::purge_backups(&context.files)?;
            screen.remark(&format!("deleted {deleted} backups"));
        }
        Some(_) | None => screen.remark("`vmfa backup purge` deletes them"),
    }
    Ok(())
}
