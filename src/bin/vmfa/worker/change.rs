//! Changes of the vault: each is saved at once, and told when it is on the disk.

use vmfa::account::{AccountId, Drafted, Summary};
use vmfa::clock::UnixTime;
use vmfa::vault::{Added, Unlocked};

use super::{Trouble, Worker, said};
use crate::command::add::id_of;
use crate::command::relabel::Words;
use crate::command::{counted, named, save};
use crate::fault::Fault;
use crate::tui::message::{Change, Fields, Job, Report, Said};

impl Worker {
    pub(super) fn change(&mut self, change: Change) {
        if self.vault.is_none() {
            // The agent gives codes and changes nothing.
            return self.tell(Report::NeedsPassphrase(Job::Change(change)));
        }
        let report = match self.changed(change) {
            Ok(report) => {
                self.accounts();
                report
            }
            Err(Trouble::Fault(fault)) => {
                // What isn't on the disk shouldn't look as if it were.
                self.reread();
                Report::NotSaved(said(&fault))
            }
            Err(Trouble::Locked | Trouble::Asks(_) | Trouble::NeedsVault) => Report::Locked,
        };
        self.tell(report);
    }

    fn changed(&mut self, change: Change) -> Result<Report, Trouble> {
        let now = self.context.now()?;
        let found = match change {
            Change::Add => std::mem::take(&mut self.found),
            Change::Edit(..)
            | Change::Favorite(..)
            | Change::Remove(_)
            | Change::Restore(_)
            | Change::Erase(_) => Vec::new(),
        };
        let vault = self.vault.as_mut().ok_or(Trouble::NeedsVault)?;
        let name_of = |vault: &Unlocked, id: &AccountId| {
            let mut all = vault.live();
            all.find(|summary| summary.id == *id)
                .map(named)
                .unwrap_or_default()
        };
        let (text, removed) = match change {
            Change::Add => return add(self, found, now),
            Change::Edit(id, fields) => {
                edit(vault, &id, &fields, now)?;
                (format!("changed {}", name_of(vault, &id)), None)
            }
            Change::Favorite(id, is) => {
                vault.change(&id, now, |there| there.favorite = is)?;
                let name = name_of(vault, &id);
                let what = if is {
                    "is a favourite now"
                } else {
                    "is no favourite any more"
                };
                (format!("{name} {what}"), None)
            }
            Change::Remove(id) => {
                let name = name_of(vault, &id);
                vault.remove(&id, now)?;
                (format!("{name} is in the trash"), Some(id))
            }
            Change::Restore(id) => {
                vault.restore(&id, now)?;
                (format!("{} is back", name_of(vault, &id)), None)
            }
            Change::Erase(id) => {
                vault.erase(&id, now)?;
                (
                    "erased; backups of before still hold it: `vmfa backup purge`".to_owned(),
                    None,
                )
            }
        };
        save(&self.context, vault, now)?;
        Ok(Report::Saved(Said::good(text), removed))
    }

    /// The vault as it is on the disk, when a change of it came to nothing.
    fn reread(&mut self) {
        #[cfg(unix)]
        if let (Some(vault), Ok(now)) = (&self.vault, self.context.now())
            && let Ok(anew) = vault.read_anew(now)
        {
            self.vault = Some(anew);
        }
        self.accounts();
    }
}

fn edit(
    vault: &mut Unlocked,
    id: &AccountId,
    fields: &Fields,
    now: UnixTime,
) -> Result<(), Trouble> {
    let tags: Vec<String> = fields
        .tags
        .split(',')
        .map(|tag| tag.trim().to_owned())
        .collect();
    let words = Words::new(
        Some(&fields.issuer),
        Some(&fields.name),
        Some(&fields.note),
        &tags,
        Some(&fields.serial_number),
    )?;
    let before: Option<Summary> = vault.live().find(|summary| summary.id == *id).cloned();
    let mut after = before.clone().ok_or_else(|| {
        Fault::new(
            crate::fault::Exit::NotFound,
            "this account isn't there any more",
        )
    })?;
    after.tags.clear();
    words.put_on(&mut after)?;
    // Where nobody changed the issuer, what stands before it in the label stays.
    if let Some(before) = &before
        && before.issuer == after.issuer
    {
        after.label_issuer.clone_from(&before.label_issuer);
    }
    after.confirm = fields.confirm;
    vault.change(id, now, |there| there.clone_from(&after))?;
    Ok(())
}

fn add(worker: &mut Worker, found: Vec<Drafted>, now: UnixTime) -> Result<Report, Trouble> {
    let vault = worker.vault.as_mut().ok_or(Trouble::NeedsVault)?;
    let mut told = Vec::new();
    let mut ids = Vec::new();
    let mut new = 0;
    for Drafted { account, .. } in found {
        let name = named(&account.summary);
        let added = vault.add(account, now)?;
        match added {
            Added::New(_) => new += 1,
            Added::AlreadyThere(_) => told.push(format!("{name} is there already: kept once")),
            Added::Restored(_) => told.push(format!("{name} was in the trash: restored")),
            Added::Namesake { .. } => {
                new += 1;
                told.push(format!("another {name} has another secret: both are kept"));
            }
        }
        ids.push(id_of(&added));
    }
    save(&worker.context, vault, now)?;
    told.insert(0, format!("added {}", counted(new, "account")));
    Ok(Report::Added(ids, Said::good(told.join("; "))))
}
