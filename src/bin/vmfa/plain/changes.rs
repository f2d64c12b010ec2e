//! Accounts in, changed, out and back.

use vmfa::account::{AccountId, Summary};

use crate::args::{Add, Edit};
use crate::command::giver::Which;
use crate::command::{add, edit, list, trash};
use crate::fault::Outcome;
use crate::plain::session::Session;
use crate::plain::spoken::{called, numbered};

impl Session<'_> {
    pub(super) fn add(&mut self, words: &str) -> Outcome {
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

    pub(super) fn edit(&mut self, summary: &Summary) -> Outcome {
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

    pub(super) fn remove(&mut self, summary: &Summary) -> Outcome {
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

    pub(super) fn bring_back(&mut self, id: &AccountId) -> Outcome {
        let context = self.context;
        // Undone or not, it isn't what the next `undo` means.
        self.removed.retain(|removed| removed != id);
        let back = trash::bring_back(context, self.giver()?.vault_to_change()?, &[id.to_string()])?;
        self.chosen = Some(back.id);
        self.say(&format!("{} is back", called(&back)))
    }

    pub(super) fn trash(&mut self) -> Outcome {
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
}
