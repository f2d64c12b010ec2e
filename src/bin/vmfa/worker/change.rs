//! Changes of the vault: each is saved at once, and told when it is on the disk.

use vmfa::account::{AccountId, Drafted};
use vmfa::clock::UnixTime;
use vmfa::vault::{Added, Unlocked};

use super::{Trouble, Worker, said};
use crate::command::add::id_of;
use crate::command::relabel::Words;
use crate::command::{counted, named, save};
use crate::fault::{Exit, Fault};
use crate::tui::message::{Change, Edited, Fields, Job, Report, Said};

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
            // What is added is what was seen.
            Change::Add(search) if search != self.found().search => {
                let text = "what was found is gone: look once more";
                return Err(Fault::usage(text).into());
            }
            Change::Add(_) => std::mem::take(&mut self.found().drafted),
            Change::Edit(..)
            | Change::Favorite(..)
            | Change::Remove(_)
            | Change::Restore(_)
            | Change::Erase(_) => Vec::new(),
        };
        // What others have saved since is what is changed: a record that was read before would take theirs back.
        #[cfg(unix)]
        if let Some(vault) = &self.vault {
            self.vault = Some(vault.read_anew(now)?);
        }
        let vault = self.vault.as_mut().ok_or(Trouble::NeedsVault)?;
        let name_of = |vault: &Unlocked, id: &AccountId| {
            let mut all = vault.live();
            all.find(|summary| summary.id == *id)
                .map(named)
                .unwrap_or_default()
        };
        let (text, removed) = match change {
            Change::Add(_) => return add(self, found, now),
            Change::Edit(id, edited) => {
                edit(vault, &id, &edited, now)?;
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

/// Changes what the person has changed in the form, and leaves the rest as it is by now: another program may have changed it
/// since the form was opened.
fn edit(
    vault: &mut Unlocked,
    id: &AccountId,
    edited: &Edited,
    now: UnixTime,
) -> Result<(), Trouble> {
    let Edited { before, after } = edited;
    let new = |of: fn(&Fields) -> &String| (of(before) != of(after)).then(|| of(after).as_str());
    let tags: Vec<String> = match new(|fields| &fields.tags) {
        Some(tags) => tags.split(',').map(|tag| tag.trim().to_owned()).collect(),
        None => Vec::new(),
    };
    let words = Words::new(
        new(|fields| &fields.issuer),
        new(|fields| &fields.name),
        new(|fields| &fields.note),
        &tags,
        new(|fields| &fields.serial_number),
    )?;
    let gone = || Fault::new(Exit::NotFound, "this account isn't there any more");
    let there = vault.live().find(|summary| summary.id == *id);
    let mut changed = there.cloned().ok_or_else(gone)?;
    if before.tags != after.tags {
        changed.tags.clear();
    }
    words.put_on(&mut changed)?;
    if before.confirm != after.confirm {
        changed.confirm = after.confirm;
    }
    vault.change(id, now, |there| there.clone_from(&changed))?;
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
