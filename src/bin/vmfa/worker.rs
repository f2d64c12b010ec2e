//! What the interface asks for, done beside the screen: it alone touches the vault, the agent, the clipboard and files.

mod change;
mod find;
mod give;
mod look;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use vmfa::account::{AccountId, Summary};
#[cfg(unix)]
use vmfa::agent::protocol::Which;
#[cfg(unix)]
use vmfa::agent::{self, AgentError, Client};
use vmfa::authenticator::Authenticator;
use vmfa::clock::UnixTime;
use vmfa::failure::{Fails, Kind};
use vmfa::otp::OtpError;
use vmfa::secret::SecretText;
use vmfa::vault::{Unlocked, VaultError};

use crate::fault::{Exit, Fault};
use crate::tui::message::{Accounts, Given, Job, Report, Said, Source, Tone, When, Whose, Yes};
use crate::tui::uses::Uses;
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
