//! `vmfa backup`: the generations that saves leave behind.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use vmfa::clock::UnixTime;
use vmfa::vault::{self, Backup as Kept, KdfLimit, Locked};

use crate::args::{Backup, BackupList, BackupMerge, BackupPurge, BackupRestore};
use crate::command::{counted, save};
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
    // Ages matter less than the list: a clock that stands before 1970 must not hide it.
    let now = context.now().map_or(0, UnixTime::secs);
    let ours = vault_id(context);
    let mut table = Table::new(&["GENERATION", "AGE", "SIZE", "VAULT", "FILE"]);
    for backup in &backups {
        table.row(vec![
            backup.generation.to_string(),
            age(now.saturating_sub(backup.modified)),
            format!("{} KiB", backup.len.div_ceil(1024)),
            whose(backup, ours).to_owned(),
            context.place.show(&backup.path),
        ]);
    }
    table.print(&context.screen)
}

/// The identity of the vault that stands there now, if its header can be read.
fn vault_id(context: &Context) -> Option<[u8; 16]> {
    let locked = Locked::open(&context.files, KdfLimit::High);
    locked.ok().map(|locked| locked.vault_id())
}

/// Whose backup it is: another vault's may stand beside this one's.
fn whose(backup: &Kept, ours: Option<[u8; 16]>) -> &'static str {
    match (backup.vault_id, ours) {
        (None, _) => "unreadable",
        (Some(_), None) => "",
        (Some(id), Some(ours)) if id == ours => "this",
        (Some(_), Some(_)) => "another",
    }
}

/// Another vault's backups are nobody's to delete here.
fn of_this_vault(context: &Context) -> Outcome<Vec<Kept>> {
    let ours = vault_id(context);
    let mut backups = vault::backups(&context.files)?;
    backups.retain(|backup| ours.is_some() && backup.vault_id == ours);
    Ok(backups)
}

fn described(backup: &Kept) -> Value {
    json!({
        "generation": backup.generation,
        "vault_id": backup.vault_id.map(hexadecimal),
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
    let was_there = std::fs::symlink_metadata(&context.files.vault).is_ok();
    let vault = context.restore_backup(&path)?;
    context.screen.remark(&format!(
        "{} now holds what {} held: {}, generation {}",
        context.vault_name(),
        context.place.show(&path),
        counted(vault.live().count(), "account"),
        vault.generation()
    ));
    let kept = match vault.set_aside() {
        Some(path) => format!(
            "what stood there before is kept as {}",
            context.place.show(path)
        ),
        None => "what stood there before is kept as a backup".to_owned(),
    };
    if was_there {
        context.screen.remark(&kept);
    }
    Ok(())
}

fn hexadecimal(id: [u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one backup of a generation; of several vaults', the one of the vault that stands there now.
fn of_generation(context: &Context, generation: u64) -> Outcome<PathBuf> {
    let mut found = vault::backups(&context.files)?;
    found.retain(|backup| backup.generation == generation);
    let ours = vault_id(context);
    if ours.is_some() && found.iter().any(|backup| backup.vault_id == ours) {
        found.retain(|backup| backup.vault_id == ours);
    }
    match found.as_slice() {
        [only] => Ok(only.path.clone()),
        [] => Err(Fault::new(
            Exit::NotFound,
            format!("there is no backup of generation {generation}"),
        )
        .hint("`vmfa backup list` shows them")),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|b| context.place.show(&b.path))
                .collect();
            Err(Fault::new(
                Exit::NotFound,
                format!(
                    "several backups are of generation {generation}: {}",
                    names.join(", ")
                ),
            )
            .hint("name the file instead of the generation"))
        }
    }
}

fn merge(context: &Context, input: &BackupMerge) -> Outcome {
    let mut vault = context.open()?;
    let name = context.place.show(&input.copy);
    let slots = vault::backup_slots(&input.copy, KdfLimit::High)?;
    let before = vault.live().count();
    // Said of no other file: it might be somebody's backup, or the vault itself.
    let real = std::fs::canonicalize(&input.copy).ok();
    let copies = vault::copies(&context.files);
    let is_copy = copies.iter().any(|copy| Some(&copy.path) == real.as_ref());
    let news = vault.merge_file(&input.copy)?;
    let now = context.now()?;
    save(context, &mut vault, now)?;
    let ways: HashSet<_> = vault.slots().into_iter().map(|slot| slot.id).collect();
    let then = match slots.iter().all(|slot| ways.contains(&slot.id)) {
        true if is_copy => ", and can be deleted",
        true => "",
        // Under an earlier key: whether they were removed here since, or added there, nobody knows.
        false => {
            ". It opens in ways that this vault doesn't: if one of them was added there and is wanted here, add it here"
        }
    };
    context.screen.remark(&if news {
        format!(
            "took in {name}: {} before, {} now; the copy is left where it is{then}",
            counted(before, "account"),
            vault.live().count()
        )
    } else {
        format!(
            "{name} holds nothing that {} hasn't{then}",
            context.vault_name()
        )
    });
    Ok(())
}

fn purge(context: &Context, input: &BackupPurge) -> Outcome {
    let ours = vault_id(context);
    let mut backups = vault::backups(&context.files)?;
    // One whose owner isn't seen may be ours: the library looks once more.
    backups.retain(|backup| backup.vault_id.is_none() || backup.vault_id == ours);
    let unread = backups.iter().filter(|backup| backup.vault_id.is_none());
    let unread = unread.count();
    if backups.is_empty() {
        context.screen.remark("there are no backups of this vault");
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
            "Delete {} of {}{}?",
            counted(backups.len() - unread, "backup"),
            context.vault_name(),
            match unread {
                0 => String::new(),
                unread => format!(
                    ", and of {} that can't be read now whatever is its own",
                    counted(unread, "file")
                ),
            }
        ))? {
            return Err(Fault::new(Exit::Interrupted, "nothing was deleted"));
        }
    }
    // A vault that doesn't open may need them yet.
    context.open()?;
    let deleted = vault::purge_backups(&context.files)?;
    context
        .screen
        .remark(&format!("deleted {}", counted(deleted, "backup")));
    Ok(())
}

/// After the keys have changed: backups of before still open with what was just taken away. A person is asked whether to
/// delete them; a script is told.
pub(crate) fn offer_purge(context: &Context, with_what: &str) -> Outcome {
    let count = of_this_vault(context)?.len();
    if count == 0 {
        return Ok(());
    }
    let screen = &context.screen;
    screen.remark(&format!(
        "{} of before can still be opened with {with_what}",
        counted(count, "backup")
    ));
    let asked = if context.has_source() {
        None
    } else {
        Terminal::open()
    };
    match asked {
        Some(terminal) if terminal.confirm("Delete them?")? => {
            let deleted = vault::purge_backups(&context.files)?;
            screen.remark(&format!("deleted {}", counted(deleted, "backup")));
        }
        Some(_) | None => screen.remark("`vmfa backup purge` deletes them"),
    }
    Ok(())
}
