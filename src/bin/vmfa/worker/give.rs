//! Codes, pairs and pictures of an account: to the screen and into the clipboard.

#[cfg(unix)]
use std::sync::atomic::Ordering;
use std::time::Duration;

use vmfa::account::{AccountId, Summary, key_uri};
use vmfa::authenticator::Authenticator;
use vmfa::clock::UnixTime;
use vmfa::ledger::Ledger;
use vmfa::otp::{Code, OtpError, Pair, Pairing, Scheme};
use vmfa::qr::Drawing;
use vmfa::secret::SecretText;

use super::{Done, Trouble, Worker, said};
use crate::clipboard::{self, Copied};
use crate::command::{fresh, named};
use crate::fault::{Exit, Fault};
use crate::tui::message::{Given, Report, Said, Tone, When, Yes};
use crate::unlock::Asking;

impl Worker {
    /// Codes for the screen; an account that can't give one is left out.
    pub(super) fn codes(&mut self, wanted: &[(AccountId, u64)]) {
        let handed_out = Ledger::at(self.context.files.ledger()).handed_out();
        let mut given = Vec::with_capacity(wanted.len());
        for (id, step) in wanted {
            let code = match self.code_of_step(id, *step) {
                Ok(code) => code,
                Err(Trouble::Locked) => {
                    self.forget();
                    return self.tell(Report::Locked);
                }
                Err(Trouble::Fault(_) | Trouble::Asks(_) | Trouble::NeedsVault) => continue,
            };
            let used = handed_out.as_ref().is_ok_and(|out| out.has(id, *step));
            given.push(Given {
                id: *id,
                code,
                used,
            });
        }
        self.tell(Report::Codes(given));
    }

    pub(super) fn code_of_step(&self, id: &AccountId, step: u64) -> Done<Code> {
        if let Some(vault) = &self.vault {
            return Ok(vault.code_of_step(id, step)?);
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            return Ok(client.code_of_step(id, step)?);
        }
        Err(Trouble::Locked)
    }

    /// A code that the person asked for.
    pub(super) fn code(&mut self, id: AccountId, when: When, yes: Yes) -> Done<Code> {
        let summary = self.known(id)?;
        self.may(&summary, yes)?;
        let now = self.now()?;
        if let Scheme::Hotp(_) = summary.scheme {
            let code = self.next_hotp(&id, now)?;
            // Its counter is another now.
            self.accounts();
            return Ok(code);
        }
        let step = summary.scheme.step_at(now)?;
        let step = match when {
            When::Now => step,
            When::Next => step.checked_add(1).ok_or(OtpError::AfterLastStep)?,
        };
        self.code_of_step(&id, step)
    }

    pub(super) fn next_hotp(&mut self, id: &AccountId, now: UnixTime) -> Done<Code> {
        if let Some(vault) = &mut self.vault {
            return Ok(vault.next_hotp(id, now)?);
        }
        #[cfg(unix)]
        if let Some(client) = &mut self.agent {
            return Ok(client.next_hotp(id, now)?);
        }
        Err(Trouble::Locked)
    }

    pub(super) fn known(&self, id: AccountId) -> Done<Summary> {
        let gone = || Fault::new(Exit::NotFound, "this account isn't there any more");
        Ok(self.known.get(&id).cloned().ok_or_else(gone)?)
    }

    /// Whether a code of this account may leave: the person is asked where the account wants it.
    pub(super) fn may(&self, summary: &Summary, yes: Yes) -> Done {
        if !summary.confirm {
            return Ok(());
        }
        if self.vault.is_some() {
            return match yes {
                Yes::Said => Ok(()),
                Yes::NotAsked => Err(Trouble::Asks(summary.id)),
            };
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            self.yes.store(yes == Yes::Said, Ordering::SeqCst);
            let may = client.may(summary);
            self.yes.store(false, Ordering::SeqCst);
            return Ok(may?);
        }
        Err(Trouble::Locked)
    }

    pub(super) fn copy(&mut self, id: AccountId, when: When, yes: Yes) -> Done<Report> {
        let code = self.code(id, when, yes)?;
        let step = code.step();
        let used = step.is_some_and(|step| {
            let handed_out = Ledger::at(self.context.files.ledger()).handed_out();
            handed_out.is_ok_and(|out| out.has(&id, step))
        });
        Ok(self.copied(Given { id, code, used }, when))
    }

    /// Puts a code into the clipboard.
    pub(super) fn copied(&self, given: Given, when: When) -> Report {
        let Given { id, code, used } = given;
        let name = self.known(id).map(|summary| named(&summary));
        let name = name.unwrap_or_default();
        let after = self.clear_after.unwrap_or(Duration::MAX);
        let copied = clipboard::copy(&self.context.place, code.as_str(), after);
        let said = match copied {
            Ok(copied) => {
                let what = match when {
                    When::Now => "copied",
                    When::Next => "copied the next code",
                };
                let rest = match copied {
                    Copied::Cleared(after) => {
                        format!("it leaves the clipboard in {} s", after.as_secs())
                    }
                    Copied::Stays => "by the terminal; it stays in the clipboard".to_owned(),
                };
                if used {
                    Said {
                        tone: Tone::Warning,
                        text: format!("{name}: {what}, but this code was given out before"),
                        hint: Some("where each code is taken once, use the next one".into()),
                    }
                } else {
                    Said::good(format!("{name}: {what}; {rest}"))
                }
            }
            Err(fault) => Said {
                tone: Tone::Warning,
                text: format!("{name}: not copied: {}", fault.message()),
                hint: fault.advice().map(str::to_owned),
            },
        };
        let given = Given { id, code, used };
        Report::Copied { given, said }
    }

    pub(super) fn pair(&mut self, id: AccountId, yes: Yes) -> Done<Pair> {
        let summary = self.known(id)?;
        self.may(&summary, yes)?;
        let now = self.now()?;
        let pair = if let Some(vault) = &self.vault {
            vault.pair_at(&id, now, Pairing::Previous)?
        } else {
            self.agents_pair(id, now)?
        };
        fresh::mark(&self.context, &id, &[&pair.first, &pair.second]);
        Ok(pair)
    }

    #[cfg(unix)]
    pub(super) fn agents_pair(&self, id: AccountId, now: UnixTime) -> Done<Pair> {
        let client = self.agent.as_ref().ok_or(Trouble::Locked)?;
        Ok(client.pair_at(&id, now, Pairing::Previous)?)
    }

    #[cfg(not(unix))]
    pub(super) fn agents_pair(&self, _id: AccountId, _now: UnixTime) -> Done<Pair> {
        Err(Trouble::Locked)
    }

    /// The account as a QR code: the passphrase was typed for it, and is tried on the vault itself.
    pub(super) fn qr(&self, id: AccountId, typed: &SecretText) -> Report {
        let drawn = || -> Result<Drawing, Fault> {
            let vault = self.context.open_quietly(Some(typed), Asking::Again)?;
            let vault = vault.ok_or_else(|| Fault::usage("the passphrase is needed"))?;
            let drawing = Drawing::new(&key_uri::write(&vault.account(&id)?))?;
            vault.close();
            Ok(drawing)
        };
        match drawn() {
            Ok(drawing) => Report::Qr(id, drawing),
            Err(fault) => Report::Wrong(said(&fault), None),
        }
    }
}
