//! What the interface asks for, done beside the screen: it alone touches the vault, the agent, the clipboard and files.

mod change;
mod find;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use vmfa::account::{AccountId, Summary, key_uri};
#[cfg(unix)]
use vmfa::agent::protocol::Which;
#[cfg(unix)]
use vmfa::agent::{self, AgentError, Client};
use vmfa::authenticator::Authenticator;
use vmfa::clock::UnixTime;
use vmfa::failure::{Fails, Kind};
use vmfa::keep::Keep;
use vmfa::ledger::Ledger;
use vmfa::otp::{Code, OtpError, Pair, Pairing, Scheme};
use vmfa::qr::Drawing;
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::{Unlocked, VaultError};

use crate::clipboard::{self, Copied};
use crate::command::{fresh, named};
use crate::fault::{Exit, Fault};
use crate::tui::message::{Accounts, Given, Job, Report, Said, Source, Tone, When, Whose, Yes};
use crate::tui::uses::{self, Uses};
use crate::unlock::{Asking, Context};
use crate::worker::find::Harvest;

/// Where the accounts are had from, and what is under way.
pub(crate) struct Worker {
    context: Context,
    /// None: never.
    clear_after: Option<Duration>,
    #[cfg(unix)]
    agent: Option<Client>,
    /// Said yes to by a person, for the next question of the agent.
    #[cfg(unix)]
    yes: Arc<AtomicBool>,
    /// How long the agent would have held the key when it was last looked at.
    #[cfg(unix)]
    agent_left: Duration,
    vault: Option<Unlocked>,
    known: HashMap<AccountId, Summary>,
    uses: Uses,
    /// What was found, and not yet said yes to.
    found: Arc<Mutex<Harvest>>,
    /// How the vault's file and the ledger looked when they were last read.
    marks: (Mark, Mark),
    report: Arc<dyn Fn(Report) + Send + Sync>,
    /// Whether a key is held here.
    holds: Arc<AtomicBool>,
}

/// An agent with less time left than this wasn't locked by anybody when it is locked the next time it is looked at.
#[cfg(unix)]
const RUNNING_OUT: Duration = Duration::from_secs(5);

/// What tells whether a file has changed: its length, its time, and on Unix which file it is.
type Mark = Option<(u64, Option<SystemTime>, u64)>;

/// Why a job came to nothing.
enum Trouble {
    /// To be said.
    Fault(Fault),
    /// The agent has forgotten the key.
    Locked,
    /// The account asks before each code.
    Asks(AccountId),
    /// The agent doesn't do that: the vault must be open here.
    NeedsVault,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<OtpError> for Trouble {
    fn from(error: OtpError) -> Self {
        Self::Fault(error.into())
    }
}

#[cfg(unix)]
impl From<AgentError> for Trouble {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Locked | AgentError::NotRunning | AgentError::Ended => Self::Locked,
            AgentError::AskFirst(summary) => Self::Asks(summary.id),
            error => Self::Fault(error.into()),
        }
    }
}

type Done<T = ()> = Result<T, Trouble>;

impl Worker {
    pub(crate) fn new(
        context: Context,
        clear_after: Option<Duration>,
        vault: Option<Unlocked>,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> Self {
        Self {
            context,
            clear_after,
            #[cfg(unix)]
            agent: None,
            #[cfg(unix)]
            yes: Arc::default(),
            #[cfg(unix)]
            agent_left: Duration::MAX,
            vault,
            known: HashMap::new(),
            uses: Uses::default(),
            found: Arc::default(),
            marks: (None, None),
            report: Arc::new(report),
            holds: Arc::default(),
        }
    }

    /// Whether a key is held here, for whoever must wait until there is none.
    pub(crate) fn holds(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.holds)
    }

    /// Does the jobs, one after the other, until nobody sends any more.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if matches!(job, Job::Open(_) | Job::OpenFor(..) | Job::Qr(..)) {
                self.holds.store(true, Ordering::SeqCst);
            }
            self.work(job);
            self.holds.store(self.vault.is_some(), Ordering::SeqCst);
        }
        if let Some(vault) = self.vault.take() {
            vault.close();
        }
    }

    fn tell(&self, report: Report) {
        (self.report)(report);
    }

    fn work(&mut self, job: Job) {
        match job {
            Job::Open(typed) => self.open(typed.as_ref()),
            Job::OpenFor(typed, job) => self.open_for(&typed, *job),
            Job::Codes(wanted) => self.codes(&wanted),
            Job::Again(given) => {
                let report = self.copied(given, When::Now);
                self.tell(report);
            }
            Job::Copy { id, when, yes } => {
                let done = self.copy(id, when, yes);
                self.settle(done, |yes| Job::Copy { id, when, yes });
            }
            Job::Show { id, yes } => {
                let done = self.code(id, When::Now, yes).map(|code| {
                    let used = false;
                    Report::Shown(Given { id, code, used })
                });
                self.settle(done, |yes| Job::Show { id, yes });
            }
            Job::Pair { id, yes } => {
                let done = self.pair(id, yes).map(|pair| Report::Pair(id, pair));
                self.settle(done, |yes| Job::Pair { id, yes });
            }
            Job::Qr(id, typed) => {
                let report = self.qr(id, &typed);
                self.tell(report);
            }
            Job::Change(change) => self.change(change),
            Job::Find(search, find) => self.look_for(search, find),
            Job::Forget => self.found().forget(),
            Job::Look => self.look(),
            Job::Note(uses) => self.note(uses),
            Job::Lock(whose) => self.lock(whose),
        }
    }

    /// Tells what a job has come to.
    fn settle(&mut self, done: Done<Report>, again: impl FnOnce(Yes) -> Job) {
        let report = match done {
            Ok(report) => report,
            Err(Trouble::Fault(fault)) => Report::Failed(said(&fault)),
            Err(Trouble::Asks(id)) => Report::Asks(id, again(Yes::Said)),
            Err(Trouble::NeedsVault) => Report::NeedsPassphrase(again(Yes::NotAsked)),
            Err(Trouble::Locked) => {
                self.forget();
                Report::Locked
            }
        };
        self.tell(report);
    }

    /// The accounts: of a vault that is open, of the agent, or of the vault with what is at hand.
    fn open(&mut self, typed: Option<&SecretText>) {
        // Before anything is read: what is saved from here on is seen as a change.
        self.marks = self.looks();
        if typed.is_none() && self.vault.is_none() && self.ask_agent() {
            return self.accounts();
        }
        if self.vault.is_none() {
            match self.context.open_quietly(typed, Asking::Usual) {
                Ok(Some(vault)) => self.vault = Some(vault),
                Ok(None) => return self.tell(Report::Locked),
                Err(fault) => {
                    let is_wrong = fault.exit() == Exit::WrongPassphrase && typed.is_some();
                    let report = if is_wrong {
                        Report::Wrong(said(&fault), None)
                    } else {
                        Report::Shut(said(&fault))
                    };
                    return self.tell(report);
                }
            }
        }
        self.accounts();
    }

    /// Opens the vault itself for something that the agent doesn't do, and does it.
    fn open_for(&mut self, typed: &SecretText, job: Job) {
        self.marks = self.looks();
        match self.context.open_quietly(Some(typed), Asking::Usual) {
            Ok(Some(vault)) => {
                // The agent stays beside it: what locks it locks this too.
                self.vault = Some(vault);
                self.work(job);
            }
            Ok(None) => self.tell(Report::Locked),
            Err(fault) => self.tell(Report::Wrong(said(&fault), Some(job))),
        }
    }

    /// Whether an agent is there and unlocked.
    #[cfg(unix)]
    fn ask_agent(&mut self) -> bool {
        let Ok(Some(mut client)) = self.context.connect() else {
            return false;
        };
        let is_unlocked = client.status().is_ok_and(|status| status.held.is_some());
        if !is_unlocked {
            return false;
        }
        // The person is asked in the interface, before the question is put to the agent again.
        let yes = Arc::clone(&self.yes);
        client.ask_first(move |_| yes.swap(false, Ordering::SeqCst).then_some(true));
        self.agent = Some(client);
        true
    }

    #[cfg(not(unix))]
    fn ask_agent(&mut self) -> bool {
        false
    }

    /// Tells all accounts.
    fn accounts(&mut self) {
        let read = self.read_accounts();
        match read {
            Ok((live, trash, source)) => {
                self.known = live
                    .iter()
                    .map(|summary| (summary.id, summary.clone()))
                    .collect();
                self.uses = self.recall();
                let warnings = self.context.screen.take_held();
                self.tell(Report::Accounts(Accounts {
                    live,
                    trash,
                    source,
                    uses: self.uses.clone(),
                    warnings,
                }));
            }
            Err(Trouble::Fault(fault)) => {
                self.forget();
                self.tell(Report::Shut(said(&fault)));
            }
            Err(Trouble::Locked | Trouble::Asks(_) | Trouble::NeedsVault) => {
                self.forget();
                self.tell(Report::Locked);
            }
        }
    }

    fn read_accounts(&self) -> Done<(Vec<Summary>, Vec<Summary>, Source)> {
        if let Some(vault) = &self.vault {
            return Ok((vault.summaries()?, vault.trash(), Source::Vault));
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            let live = client.list(Which::Live)?.summaries;
            let trash = client.list(Which::Trash)?.summaries;
            return Ok((live, trash, Source::Agent));
        }
        Err(Trouble::Locked)
    }

    fn now(&self) -> Done<UnixTime> {
        Ok(self.context.now()?)
    }

    /// Codes for the screen; an account that can't give one is left out.
    fn codes(&mut self, wanted: &[(AccountId, u64)]) {
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

    fn code_of_step(&self, id: &AccountId, step: u64) -> Done<Code> {
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
    fn code(&mut self, id: AccountId, when: When, yes: Yes) -> Done<Code> {
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

    fn next_hotp(&mut self, id: &AccountId, now: UnixTime) -> Done<Code> {
        if let Some(vault) = &mut self.vault {
            return Ok(vault.next_hotp(id, now)?);
        }
        #[cfg(unix)]
        if let Some(client) = &mut self.agent {
            return Ok(client.next_hotp(id, now)?);
        }
        Err(Trouble::Locked)
    }

    fn known(&self, id: AccountId) -> Done<Summary> {
        let gone = || Fault::new(Exit::NotFound, "this account isn't there any more");
        Ok(self.known.get(&id).cloned().ok_or_else(gone)?)
    }

    /// Whether a code of this account may leave: the person is asked where the account wants it.
    fn may(&self, summary: &Summary, yes: Yes) -> Done {
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

    fn copy(&mut self, id: AccountId, when: When, yes: Yes) -> Done<Report> {
        let code = self.code(id, when, yes)?;
        let step = code.step();
        let used = step.is_some_and(|step| {
            let handed_out = Ledger::at(self.context.files.ledger()).handed_out();
            handed_out.is_ok_and(|out| out.has(&id, step))
        });
        Ok(self.copied(Given { id, code, used }, when))
    }

    /// Puts a code into the clipboard.
    fn copied(&self, given: Given, when: When) -> Report {
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

    fn pair(&mut self, id: AccountId, yes: Yes) -> Done<Pair> {
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
    fn agents_pair(&self, id: AccountId, now: UnixTime) -> Done<Pair> {
        let client = self.agent.as_ref().ok_or(Trouble::Locked)?;
        Ok(client.pair_at(&id, now, Pairing::Previous)?)
    }

    #[cfg(not(unix))]
    fn agents_pair(&self, _id: AccountId, _now: UnixTime) -> Done<Pair> {
        Err(Trouble::Locked)
    }

    /// The account as a QR code: the passphrase was typed for it, and is tried on the vault itself.
    fn qr(&self, id: AccountId, typed: &SecretText) -> Report {
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

    /// Looks whether somebody else has changed the vault, locked the agent, or used codes.
    fn look(&mut self) {
        #[cfg(unix)]
        if self.is_locked_elsewhere() {
            self.forget();
            return self.tell(Report::Locked);
        }
        let looks = self.looks();
        if looks == self.marks {
            return;
        }
        let vault_changed = looks.0 != self.marks.0;
        self.marks = looks;
        if vault_changed {
            #[cfg(unix)]
            if let Some(vault) = &self.vault {
                let anew = self.now().and_then(|now| Ok(vault.read_anew(now)?));
                match anew {
                    Ok(anew) => self.vault = Some(anew),
                    Err(Trouble::Fault(fault)) => {
                        self.forget();
                        return self.tell(Report::Shut(said(&fault)));
                    }
                    Err(Trouble::Locked | Trouble::Asks(_) | Trouble::NeedsVault) => return,
                }
            }
            self.accounts();
        }
        // The codes that are known may be others by now, or taken.
        self.tell(Report::Stale);
    }

    /// Whether the agent, of which the accounts were had, has forgotten the key. Where it only had its time, unused because the
    /// vault itself is open here by now, it goes on without it.
    #[cfg(unix)]
    fn is_locked_elsewhere(&mut self) -> bool {
        let Some(client) = &self.agent else {
            return false;
        };
        match client.status() {
            Ok(status) => {
                if let Some(held) = status.held {
                    self.agent_left = held.left.min(held.idle_left);
                    return false;
                }
            }
            Err(AgentError::Locked | AgentError::NotRunning | AgentError::Ended) => {}
            // It has too much to do to say how it is: it is asked again.
            Err(_) => return false,
        }
        let ran_out = self.vault.is_some() && self.agent_left < RUNNING_OUT;
        if ran_out {
            self.agent = None;
        }
        !ran_out
    }

    fn looks(&self) -> (Mark, Mark) {
        let look = |path: &std::path::Path| {
            let found = std::fs::metadata(path).ok()?;
            #[cfg(unix)]
            let inode = std::os::unix::fs::MetadataExt::ino(&found);
            #[cfg(not(unix))]
            let inode = 0;
            Some((found.len(), found.modified().ok(), inode))
        };
        let ledger = self.context.files.ledger();
        (look(&self.context.files.vault), look(&ledger))
    }

    /// What was used. Where it can't be held or had, the list is in another order, and that is all.
    fn note(&mut self, uses: Uses) {
        let Ok(now) = self.now() else { return };
        let blob = Secret::new(uses.to_bytes());
        self.uses = uses;
        let until = now.plus_secs(uses::HELD_SECS);
        if let Some(vault) = &self.vault {
            let _ = vault.hold(uses::NAME, &blob, until);
            return;
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            let _ = client.hold(uses::NAME, &blob, until);
        }
    }

    fn recall(&self) -> Uses {
        let Ok(now) = self.now() else {
            return Uses::default();
        };
        let mut held = None;
        if let Some(vault) = &self.vault {
            held = vault.recall(uses::NAME, now).ok().flatten();
        } else {
            #[cfg(unix)]
            if let Some(client) = &self.agent {
                held = client.recall(uses::NAME, now).ok().flatten();
            }
        }
        held.map_or_else(Uses::default, |(blob, _)| Uses::from_bytes(blob.expose()))
    }

    fn lock(&mut self, whose: Whose) {
        self.forget();
        #[cfg(unix)]
        if whose == Whose::AgentsToo {
            let address = self.context.place.agent(&self.context.files);
            if let Err(error) = agent::lock(&address)
                && error.kind() != Kind::NotFound
            {
                self.tell(Report::Shut(said(&Fault::from(error))));
            }
        }
        #[cfg(not(unix))]
        let _ = whose;
    }

    /// Lets go of all keys, and of what was found.
    fn forget(&mut self) {
        self.vault = None;
        #[cfg(unix)]
        {
            self.agent = None;
        }
        self.found().forget();
        self.known.clear();
    }
}

/// A fault, for the screen.
fn said(fault: &Fault) -> Said {
    Said {
        tone: Tone::Error,
        text: vmfa::account::text::clean(fault.message()).into_owned(),
        hint: fault
            .advice()
            .map(|hint| vmfa::account::text::clean(hint).into_owned()),
    }
}
