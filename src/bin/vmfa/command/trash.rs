//! `vmfa remove` and `vmfa restore`: into the trash and out of it.

use vmfa::account::Summary;
use vmfa::authenticator::Authenticator;
use vmfa::vault::Unlocked;

use crate::args::{Remove, Restore};
use crate::command::{list, named, pick, pick_where, save, short_id};
use crate::fault::{Exit, Fault, Outcome};
use crate::prompt::Terminal;
use crate::unlock::Context;

pub(crate) fn remove(context: &Context, input: &Remove) -> Outcome {
    let mut vault = context.open()?;
    if !input.forever {
        let removed = throw(context, &mut vault, &input.query)?;
        context.screen.remark(&format!(
            "{} is in the trash; `vmfa restore {}` brings it back",
            named(&removed),
            short_id(&removed)
        ));
        return Ok(());
    }
    let now = context.now()?;
    let trash = vault.trash();
    let summary = pick(&input.query, &trash).map_err(|fault| {
        fault
            .at("the trash")
            .hint("only what is in the trash can be erased: `vmfa remove QUERY` first")
    })?;
    if !input.yes {
        let terminal = Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                "there is no terminal to ask on whether to erase it",
            )
            .hint("say --yes")
        })?;
        if !terminal.confirm(&format!(
            "Erase {} and its secret for good?",
            named(summary)
        ))? {
            return Err(Fault::new(Exit::Interrupted, "nothing was erased"));
        }
    }
    vault.erase(&summary.id, now)?;
    save(context, &mut vault, now)?;
    context.screen.remark(&format!(
        "{} is erased; backups of before still hold it: `vmfa backup purge` deletes them",
        named(summary)
    ));
    Ok(())
}

/// Puts an account of an open vault into the trash, and saves.
pub(crate) fn throw(context: &Context, vault: &mut Unlocked, query: &[String]) -> Outcome<Summary> {
    let now = context.now()?;
    let summaries = vault.summaries()?;
    let summary = pick(query, &summaries)?;
    vault.remove(&summary.id, now)?;
    save(context, vault, now)?;
    Ok(summary.clone())
}

/// Brings an account of an open vault back from the trash, and saves.
pub(crate) fn bring_back(
    context: &Context,
    vault: &mut Unlocked,
    query: &[String],
) -> Outcome<Summary> {
    let trash = vault.trash();
    let summary = pick_where(query, &trash, "`vmfa list --trash` shows what is there")
        .map_err(|fault| fault.at("the trash"))?;
    let now = context.now()?;
    vault.restore(&summary.id, now)?;
    save(context, vault, now)?;
    Ok(summary.clone())
}

pub(crate) fn restore(context: &Context, input: &Restore) -> Outcome {
    let mut vault = context.open()?;
    if input.query.is_empty() {
        let mut trash = vault.trash();
        list::sort(&mut trash);
        if trash.is_empty() {
            context.screen.remark("the trash is empty");
        }
        return list::print(context, &trash);
    }
    let back = bring_back(context, &mut vault, &input.query)?;
    context.screen.remark(&format!("{} is back", named(&back)));
    Ok(())
}
