//! The plain mode's state: what is open, what was said last, and which account is meant. The work itself is that of the commands.

use std::fs::Metadata;
use std::time::Duration;

use vmfa::account::{AccountId, Summary, query};

use crate::command::giver::{Giver, Which};
use crate::command::{add, counted, list, pick};
use crate::fault::{Exit, Fault, Outcome};
use crate::plain::order::{HELP, Order};
use crate::plain::spoken::numbered;
use crate::prompt::Terminal;
use crate::unlock::Context;

/// The most matches of a search that are read out.
const MOST: usize = 20;

pub(crate) struct Session<'c> {
    pub(super) context: &'c Context,
    pub(super) terminal: &'c Terminal,
    pub(super) clear_after: Option<Duration>,
    /// None while it is locked.
    giver: Option<Giver<'c>>,
    /// The vault's file as it was when it was last looked at.
    mark: Option<Metadata>,
    /// What the numbers mean.
    listed: Vec<AccountId>,
    pub(super) listed_trash: Vec<AccountId>,
    /// Spoken of last.
    pub(super) chosen: Option<AccountId>,
    /// What `undo` brings back, the last at the end.
    pub(super) removed: Vec<AccountId>,
}

impl<'c> Session<'c> {
    /// Asks for the passphrase where no agent serves, and for a new vault where there is none.
    pub(crate) fn begin(
        context: &'c Context,
        terminal: &'c Terminal,
        clear_after: Option<Duration>,
    ) -> Outcome<Self> {
        let mut session = Self {
            context,
            terminal,
            clear_after,
            giver: None,
            mark: None,
            listed: Vec::new(),
            listed_trash: Vec::new(),
            chosen: None,
            removed: Vec::new(),
        };
        let giver = if std::fs::symlink_metadata(&context.files.vault).is_err() {
            Giver::of_vault(context, add::open_or_make(context)?)
        } else {
            match of_agent(context) {
                Some(giver) => giver,
                None => Giver::of_vault(context, context.open()?),
            }
        };
        session.giver = Some(giver);
        let count = session.accounts()?.len();
        session.say(&format!("unlocked: {}", counted(count, "account")))?;
        Ok(session)
    }

    /// Lets go of the keys. Whether there was anything to let go of.
    pub(crate) fn forget(&mut self) -> bool {
        self.giver.take().map(Giver::close).is_some()
    }

    pub(crate) fn close(mut self) {
        self.forget();
    }

    pub(crate) fn follow(&mut self, order: &Order) -> Outcome {
        match order {
            Order::Help => self.help(),
            Order::Quit => Ok(()),
            Order::List => {
                let mut all = self.accounts()?;
                list::sort(&mut all);
                self.tell(&all, all.len())
            }
            Order::Find(words) => self.find(words),
            Order::Words(words) => match self.numbered(words) {
                Some(id) => {
                    let summary = self.of_id(&id)?;
                    self.speak(&summary)
                }
                None => self.find(words),
            },
            Order::Code(which) => {
                let summary = self.which(which)?;
                self.speak(&summary)
            }
            Order::Copy(which) => {
                let summary = self.which(which)?;
                self.copy(&summary)
            }
            Order::Pair(which) => {
                let summary = self.which(which)?;
                self.pair(&summary)
            }
            Order::Add(words) => self.add(words),
            Order::Edit(which) => {
                let summary = self.which(which)?;
                self.edit(&summary)
            }
            Order::Remove(which) => {
                let summary = self.which(which)?;
                self.remove(&summary)
            }
            Order::Undo => match self.removed.last().copied() {
                Some(id) => self.bring_back(&id),
                None => self.say("nothing was removed here"),
            },
            Order::Trash => self.trash(),
            Order::Restore(which) => {
                let id = number_of(which, &self.listed_trash).ok_or_else(|| {
                    Fault::usage("restore takes a number").hint("trash lists what is there")
                })?;
                self.bring_back(&id)
            }
            Order::Lock => self.lock(),
            Order::Unlock => self.unlock(),
        }
    }

    pub(super) fn say(&self, text: &str) -> Outcome {
        self.context.screen.line(text)
    }

    fn help(&self) -> Outcome {
        HELP.iter()
            .try_for_each(|(said, about)| self.say(&format!("{said}: {about}")))
    }

    pub(super) fn giver(&mut self) -> Outcome<&mut Giver<'c>> {
        let files = &self.context.files;
        let mark = std::fs::metadata(&files.vault).ok();
        let giver = self.giver.as_mut().ok_or_else(|| {
            Fault::new(Exit::Locked, "the vault is locked").hint("unlock opens it again")
        })?;
        // What somebody else has saved since. A file that can't be read just now is looked at again the next time.
        if !is_as_before(self.mark.as_ref(), mark.as_ref()) {
            let taken_in = match giver.opened() {
                Some(vault) => vault.merge_file(&files.vault).map(drop),
                None => Ok(()),
            };
            taken_in?;
            self.mark = mark;
        }
        Ok(giver)
    }

    fn accounts(&mut self) -> Outcome<Vec<Summary>> {
        self.giver()?.summaries(Which::Live)
    }

    /// The account that a number of the last list means, if that is what was typed.
    fn numbered(&self, typed: &str) -> Option<AccountId> {
        number_of(typed, &self.listed)
    }

    pub(super) fn of_id(&mut self, id: &AccountId) -> Outcome<Summary> {
        let all = self.accounts()?;
        let found = all.into_iter().find(|summary| summary.id == *id);
        found.ok_or_else(|| {
            Fault::new(Exit::NotFound, "that account is not there any more")
                .hint("list tells what is there")
        })
    }

    /// The account that is meant by a number, by words, or by nothing: the one spoken of last.
    fn which(&mut self, typed: &str) -> Outcome<Summary> {
        let id = if typed.is_empty() {
            Some(self.chosen.ok_or_else(|| {
                Fault::usage("which account?")
                    .hint("say its number in the last list, or words of its name")
            })?)
        } else {
            self.numbered(typed)
        };
        let summary = match id {
            Some(id) => self.of_id(&id)?,
            None => pick(&[typed.to_owned()], &self.accounts()?)?.clone(),
        };
        self.chosen = Some(summary.id);
        Ok(summary)
    }

    /// Tells what matches; its code, where one account does.
    fn find(&mut self, words: &str) -> Outcome {
        let all = self.accounts()?;
        let found = query::matching(words, &all);
        let mut found: Vec<Summary> = found.into_iter().map(|index| all[index].clone()).collect();
        match found.as_slice() {
            // Says what is near, too.
            [] => pick(&[words.to_owned()], &all).map(drop),
            [one] => self.speak(one),
            [..] => {
                list::sort(&mut found);
                self.tell(&found, MOST)
            }
        }
    }

    fn tell(&mut self, summaries: &[Summary], most: usize) -> Outcome {
        self.listed = summaries.iter().map(|summary| summary.id).collect();
        if summaries.is_empty() {
            return self.say("no accounts yet; add brings one in");
        }
        for line in numbered(summaries).iter().take(most) {
            self.say(line)?;
        }
        match summaries.len().saturating_sub(most) {
            0 => Ok(()),
            more => self.say(&format!("and {more} more: say more words")),
        }
    }

    fn lock(&mut self) -> Outcome {
        self.forget();
        #[cfg(unix)]
        vmfa::agent::lock(&self.context.place.agent(&self.context.files))?;
        self.say("locked")
    }

    fn unlock(&mut self) -> Outcome {
        if self.giver.is_some() {
            return self.say("it is unlocked");
        }
        // An agent that still serves is not asked: whoever sits here now has to say the passphrase.
        self.giver = Some(Giver::of_vault(self.context, self.context.open()?));
        self.mark = None;
        let count = self.accounts()?.len();
        self.say(&format!("unlocked: {}", counted(count, "account")))
    }
}

/// The one of a list that a number from 1 means.
fn number_of(typed: &str, listed: &[AccountId]) -> Option<AccountId> {
    let number: usize = typed.parse().ok()?;
    listed.get(number.checked_sub(1)?).copied()
}

/// Whether nobody has saved between two looks at a file. Where it can't be looked at, that is told by whoever reads it.
fn is_as_before(before: Option<&Metadata>, now: Option<&Metadata>) -> bool {
    match (before, now) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(before), Some(now)) => {
            before.len() == now.len() && before.modified().ok() == now.modified().ok()
        }
    }
}

/// The agent, if there is one that serves.
#[cfg(unix)]
fn of_agent(context: &Context) -> Option<Giver<'_>> {
    let client = context.agent()?;
    let serves = client.status().is_ok_and(|status| status.held.is_some());
    serves.then(|| Giver::of_agent(context, client))
}

#[cfg(not(unix))]
fn of_agent(_context: &Context) -> Option<Giver<'_>> {
    None
}
