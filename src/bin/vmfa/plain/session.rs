//! The plain mode's state, and what each order does. The work itself is that of the commands.

use std::fs::Metadata;
use std::time::Duration;

use vmfa::account::{AccountId, Summary, query};
use vmfa::clock::UnixTime;
use vmfa::otp::{Moment, Pairing, Scheme};
use zeroize::Zeroizing;

use crate::args::{Add, Edit};
use crate::command::giver::{Giver, Which};
use crate::command::{add, counted, edit, fresh, list, pick, trash};
use crate::fault::{Exit, Fault, Outcome};
use crate::plain::order::{HELP, Order};
use crate::plain::spoken::{called, grouped, left, numbered};
use crate::prompt::Terminal;
use crate::unlock::Context;

/// With fewer seconds left the next code is said too.
const SOON: Duration = Duration::from_secs(5);
/// The most matches of a search that are read out.
const MOST: usize = 20;

pub(crate) struct Session<'c> {
    context: &'c Context,
    terminal: &'c Terminal,
    clear_after: Option<Duration>,
    /// None while it is locked.
    giver: Option<Giver<'c>>,
    /// The vault's file as it was when it was last looked at.
    mark: Option<Metadata>,
    /// What the numbers mean.
    listed: Vec<AccountId>,
    listed_trash: Vec<AccountId>,
    /// Spoken of last.
    chosen: Option<AccountId>,
    /// What `undo` brings back, the last at the end.
    removed: Vec<AccountId>,
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

    fn say(&self, text: &str) -> Outcome {
        self.context.screen.line(text)
    }

    /// Says a line with a code in it, of which nothing is left behind.
    fn say_code(&self, parts: &[&str]) -> Outcome {
        // Never grows, so no piece of it stays where it was.
        let len = parts.iter().map(|part| part.len()).sum();
        let mut line = Zeroizing::new(String::with_capacity(len));
        parts.iter().for_each(|part| line.push_str(part));
        self.say(&line)
    }

    fn help(&self) -> Outcome {
        HELP.iter()
            .try_for_each(|(said, about)| self.say(&format!("{said}: {about}")))
    }

    fn giver(&mut self) -> Outcome<&mut Giver<'c>> {
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

    fn of_id(&mut self, id: &AccountId) -> Outcome<Summary> {
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

    fn speak(&mut self, summary: &Summary) -> Outcome {
        self.chosen = Some(summary.id);
        let context = self.context;
        let giver = self.giver()?;
        giver.may(summary)?;
        if let Scheme::Hotp(_) = summary.scheme {
            let code = giver.next_hotp(summary)?;
            let left = left(&code, context.now()?);
            return self.say_code(&[&called(summary), ": ", &grouped(code.as_str()), ", ", &left]);
        }
        // Both at once, since a yes is good for one question.
        if is_soon(summary, context.now()?)? {
            let codes = giver.pair_at(summary, || context.now(), Pairing::Next)?;
            let left = left(&codes.first, context.now()?);
            let (first, second) = (&codes.first, &codes.second);
            return self.say_code(&[
                &called(summary),
                ": ",
                &grouped(first.as_str()),
                ", ",
                &left,
                "; then ",
                &grouped(second.as_str()),
            ]);
        }
        let code = giver.code_at(summary, || context.now())?;
        let left = left(&code, context.now()?);
        self.say_code(&[&called(summary), ": ", &grouped(code.as_str()), ", ", &left])
    }

    #[cfg(feature = "clipboard")]
    fn copy(&mut self, summary: &Summary) -> Outcome {
        use crate::clipboard::{self, Copied};
        // The longest time that can be set: a clipboard is never told to wait for ever.
        const LONGEST: Duration = Duration::from_secs(30 * 86_400);
        let context = self.context;
        let clear_after = self.clear_after.unwrap_or(LONGEST);
        let giver = self.giver()?;
        giver.may(summary)?;
        let code = if let Scheme::Hotp(_) = summary.scheme {
            giver.next_hotp(summary)?
        } else {
            giver.code_at(summary, || context.now())?
        };
        let stays = match clipboard::copy(&context.place, code.as_str(), clear_after)? {
            Copied::Cleared(after) if self.clear_after.is_some() => {
                let after = counted(after.as_secs() as usize, "second");
                format!("it leaves the clipboard in {after}")
            }
            Copied::Cleared(_) | Copied::Stays => "it stays in the clipboard".into(),
        };
        let left = left(&code, context.now()?);
        self.say(&format!(
            "copied the code of {}, {left}; {stays}",
            called(summary)
        ))
    }

    #[cfg(not(feature = "clipboard"))]
    fn copy(&mut self, _summary: &Summary) -> Outcome {
        let _ = self.clear_after;
        Err(Fault::new(
            Exit::NotFound,
            "this vmfa is built without the clipboard",
        ))
    }

    fn pair(&mut self, summary: &Summary) -> Outcome {
        if let Scheme::Hotp(_) = summary.scheme {
            return Err(
                Fault::usage("a counter-based account has no pair of time steps")
                    .hint("say code twice: the first code, then the second"),
            );
        }
        let context = self.context;
        let giver = self.giver()?;
        giver.may(summary)?;
        let codes = giver.pair_at(summary, || context.now(), Pairing::Previous)?;
        fresh::mark(context, &summary.id, &[&codes.first, &codes.second]);
        self.say(&format!(
            "{}: type these two in this order, at once",
            called(summary)
        ))?;
        self.say_code(&["first: ", &grouped(codes.first.as_str())])?;
        self.say_code(&["second: ", &grouped(codes.second.as_str())])
    }

    fn add(&mut self, words: &str) -> Outcome {
        let context = self.context;
        // Locked is said before anything is asked.
        self.giver()?;
        let words: Vec<_> = match words {
            "" => {
                let name = self
                    .terminal
                    .line("Name, as ISSUER:NAME; empty if you have a Key URI: ")?;
                vec![name]
            }
            given => given.split_whitespace().map(str::to_owned).collect(),
        };
        let (words, secret) = match words.as_slice() {
            [none] if none.is_empty() => (Vec::new(), None),
            [name] if !std::path::Path::new(name).exists() => (words, Some("-".to_owned())),
            _ => (words, None),
        };
        let input = Add {
            words: words.into_iter().map(Into::into).collect(),
            secret,
            ..Add::default()
        };
        let now = context.now()?;
        let incoming = add::gather(context, input, now)?;
        add::take_in(context, self.giver()?.vault_to_change()?, incoming, now).map(drop)
    }

    fn edit(&mut self, summary: &Summary) -> Outcome {
        self.say(&format!(
            "{}: Enter leaves a thing as it is",
            called(summary)
        ))?;
        let ask = |what: &str, now: &str| -> Outcome<Option<String>> {
            let now = vmfa::account::text::clean(now);
            let line = self.terminal.line(&format!("{what}, now {now}: "))?;
            Ok(match line.as_str() {
                "" => None,
                "-" => Some(String::new()),
                _ => Some(line),
            })
        };
        let shown = |text: &str| {
            if text.is_empty() {
                "empty".to_owned()
            } else {
                text.to_owned()
            }
        };
        let issuer = ask("Issuer", &shown(&summary.issuer))?;
        let account = ask("Account name", &shown(&summary.name))?;
        let tags = ask("Tags, - for none", &shown(&summary.tags.join(" ")))?;
        let note = ask("Note, - for none", &shown(&summary.note))?;
        if [&issuer, &account, &tags, &note]
            .iter()
            .all(|one| one.is_none())
        {
            return self.say("nothing was changed");
        }
        let tags: Option<Vec<String>> =
            tags.map(|tags| tags.split_whitespace().map(str::to_owned).collect());
        let untags = match &tags {
            Some(tags) => {
                let gone = summary.tags.iter().filter(|tag| !tags.contains(tag));
                gone.cloned().collect()
            }
            None => Vec::new(),
        };
        let input = Edit {
            query: vec![summary.id.to_string()],
            issuer,
            account,
            tags: tags.unwrap_or_default(),
            untags,
            note,
            ..Edit::default()
        };
        let context = self.context;
        edit::change(context, self.giver()?.vault_to_change()?, &input)?;
        let changed = self.of_id(&summary.id)?;
        self.say(&format!("changed {}", called(&changed)))
    }

    fn remove(&mut self, summary: &Summary) -> Outcome {
        let context = self.context;
        let id = [summary.id.to_string()];
        let removed = trash::throw(context, self.giver()?.vault_to_change()?, &id)?;
        self.removed.push(removed.id);
        self.chosen = None;
        self.say(&format!(
            "{} is in the trash; undo brings it back",
            called(&removed)
        ))
    }

    fn bring_back(&mut self, id: &AccountId) -> Outcome {
        let context = self.context;
        // Undone or not, it isn't what the next `undo` means.
        self.removed.retain(|removed| removed != id);
        let back = trash::bring_back(context, self.giver()?.vault_to_change()?, &[id.to_string()])?;
        self.chosen = Some(back.id);
        self.say(&format!("{} is back", called(&back)))
    }

    fn trash(&mut self) -> Outcome {
        let mut all = self.giver()?.summaries(Which::Trash)?;
        list::sort(&mut all);
        self.listed_trash = all.iter().map(|summary| summary.id).collect();
        if all.is_empty() {
            return self.say("the trash is empty");
        }
        for line in numbered(&all) {
            self.say(&line)?;
        }
        Ok(())
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

/// Whether the present code is about to end.
fn is_soon(summary: &Summary, now: UnixTime) -> Outcome<bool> {
    let step = summary.scheme.step_at(now)?;
    Ok(match summary.scheme.window(step)? {
        Moment::Step { until, .. } => now.until(until) < SOON,
        Moment::Counter(_) => false,
    })
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
