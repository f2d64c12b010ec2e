//! Where the trips to AWS start: the vault or the agent that holds it, the ledger, the person at the terminal.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vmfa::account::{Account, AccountId, Summary};
#[cfg(unix)]
use vmfa::agent::{AgentError, Client};
use vmfa::authenticator::Authenticator;
use vmfa::aws::error::AwsError;
use vmfa::aws::host::Host;
use vmfa::aws::remote::Keys;
use vmfa::clock::{Clock, Stopwatch, UnixTime};
use vmfa::failure::{Fails, Kind};
use vmfa::keep::Keep;
use vmfa::keyring::Keyring;
use vmfa::ledger::Ledger;
use vmfa::otp::{Code, Moment, OtpError, Pair, Pairing, Scheme};
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::{Added, Unlocked};

use crate::command::{confirm, save};
use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

/// Serves the trips to AWS from the agent for as long as it answers, and from the vault itself from there on.
pub(crate) struct Desk<'c> {
    context: &'c Context,
    locks: PathBuf,
    #[cfg(unix)]
    agent: Agent,
    vault: Option<Unlocked>,
    /// Whether a person said yes to the code that is next.
    has_yes: bool,
    /// What was warned of: once is enough.
    warned: RefCell<Vec<String>>,
    /// What stopped a trip on this side, whole: an [`AwsError`] tells less.
    fault: Option<Fault>,
}

/// The agent, as far as it is known.
#[cfg(unix)]
enum Agent {
    NotAsked,
    Connected(Client),
    /// None runs, or it is locked: the vault itself is asked.
    Absent,
}

/// A fault on its way through the library.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Carried {
    message: String,
    hint: Option<String>,
    kind: Kind,
}

impl Fails for Carried {
    fn kind(&self) -> Kind {
        self.kind
    }
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl<'c> Desk<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        let vault = std::path::absolute(&context.files.vault)
            .unwrap_or_else(|_| context.files.vault.clone());
        let name = vmfa::aws::hashed(vault.as_os_str().as_encoded_bytes());
        Self {
            context,
            locks: context.files.state.join(format!("aws-{name}")),
            #[cfg(unix)]
            agent: Agent::NotAsked,
            vault: None,
            has_yes: false,
            warned: RefCell::default(),
            fault: None,
        }
    }

    /// What came of a trip, with this side's own words where it stopped here.
    pub(crate) fn settle<T>(&mut self, result: Result<T, AwsError>) -> Outcome<T> {
        result.map_err(|error| match (error, self.fault.take()) {
            (AwsError::Held(_), Some(fault)) => fault,
            (error, _) => error.into(),
        })
    }

    /// The process is about to end, or to become another.
    pub(crate) fn close(self) {
        if let Some(vault) = self.vault {
            vault.close();
        }
    }

    /// The vault, opened if it isn't open yet.
    pub(crate) fn vault(&mut self) -> Outcome<&mut Unlocked> {
        let vault = match self.vault.take() {
            Some(vault) => vault,
            None => self.context.open()?,
        };
        Ok(self.vault.insert(vault))
    }

    fn carry<T>(&mut self, outcome: Outcome<T>) -> Result<T, AwsError> {
        outcome.map_err(|fault| {
            let carried = Carried {
                message: fault.message().to_owned(),
                hint: fault.advice().map(str::to_owned),
                kind: fault.exit().into(),
            };
            self.fault = Some(fault);
            AwsError::held(carried)
        })
    }

    /// Asks the agent; nothing where the vault itself must be asked.
    #[cfg(unix)]
    fn by_agent<T>(
        &mut self,
        ask: impl Fn(&Client) -> Result<T, AgentError>,
    ) -> Outcome<Option<T>> {
        if let Agent::NotAsked = self.agent {
            self.agent = match self.vault {
                // Whoever has opened the vault needs nobody else.
                Some(_) => Agent::Absent,
                None => self.context.agent().map_or(Agent::Absent, Agent::Connected),
            };
        }
        let Agent::Connected(client) = &self.agent else {
            return Ok(None);
        };
        let answer = self.context.answered(ask(client))?;
        if answer.is_none() {
            self.agent = Agent::Absent;
        }
        Ok(answer)
    }

    fn all_devices(&mut self) -> Outcome<Vec<Summary>> {
        let fits = |summary: &Summary| {
            summary.serial_number.is_some() && matches!(summary.scheme, Scheme::Totp(_))
        };
        let mut all = self.summaries(fits)?;
        // Of two with one serial number the later one counts: it replaced the other.
        all.sort_by_key(|summary| std::cmp::Reverse(summary.added));
        Ok(all)
    }

    fn summaries(&mut self, fits: impl Fn(&Summary) -> bool) -> Outcome<Vec<Summary>> {
        #[cfg(unix)]
        if let Some(mut all) = self.by_agent(Authenticator::summaries)? {
            all.retain(fits);
            return Ok(all);
        }
        Ok(self.vault()?.live_where(fits))
    }

    fn ask(&mut self, account: &Summary) -> Outcome {
        if !account.confirm {
            return Ok(());
        }
        #[cfg(unix)]
        if self.by_agent(|client| client.may(account))?.is_some() {
            self.has_yes = true;
            return Ok(());
        }
        // With the vault open: what is typed for it comes before the question.
        self.vault()?;
        confirm::ask(account)?;
        self.has_yes = true;
        Ok(())
    }

    /// The vault, for a code of an account: one that asks, and was answered at an agent that is gone since, asks again.
    fn vault_for(&mut self, account: &Summary) -> Outcome<&mut Unlocked> {
        let has_yes = std::mem::take(&mut self.has_yes);
        let vault = self.vault()?;
        if !has_yes
            && let [found] = vault
                .live_where(|one| one.id == account.id && one.confirm)
                .as_slice()
        {
            confirm::ask(found)?;
        }
        Ok(vault)
    }

    fn one_code(&mut self, account: &Summary, step: u64) -> Outcome<Code> {
        #[cfg(unix)]
        if let Some(code) = self.by_agent(|client| client.code_of_step(&account.id, step))? {
            return Ok(code);
        }
        Ok(self.vault_for(account)?.code_of_step(&account.id, step)?)
    }

    fn two_codes(&mut self, account: &Summary, step: u64) -> Outcome<Pair> {
        let Moment::Step { from, .. } = account.scheme.window(step)? else {
            return Err(OtpError::NotTimeBased.into());
        };
        #[cfg(unix)]
        if let Some(pair) =
            self.by_agent(|client| client.pair_at(&account.id, from, Pairing::Previous))?
        {
            return Ok(pair);
        }
        let vault = self.vault_for(account)?;
        Ok(vault.pair_at(&account.id, from, Pairing::Previous)?)
    }

    fn key_of(&mut self, profile: &str) -> Outcome<Option<Keys>> {
        let keys = |(key, secret): (vmfa::keyring::AccessKey, SecretText)| Keys {
            access_key_id: key.access_key_id,
            secret_access_key: secret,
            session_token: None,
        };
        #[cfg(unix)]
        if let Some(found) = self.by_agent(|client| client.access_key(profile))? {
            return Ok(found.map(keys));
        }
        Ok(self.vault()?.access_key(profile)?.map(keys))
    }

    fn save_new(&mut self, account: Account) -> Outcome<Summary> {
        let context = self.context;
        let now = context.now()?;
        let mut summary = account.summary.clone();
        let vault = self.vault()?;
        summary.id = match vault.add(account, now)? {
            Added::New(id)
            | Added::AlreadyThere(id)
            | Added::Restored(id)
            | Added::Namesake { id, .. } => id,
        };
        save(context, vault, now)?;
        Ok(summary)
    }

    fn put_in_trash(&mut self, id: &AccountId, why: &str) -> Outcome {
        let context = self.context;
        let now = context.now()?;
        let vault = self.vault()?;
        vault.change(id, now, |summary| {
            if !summary.note.is_empty() {
                summary.note.push('\n');
            }
            summary.note.push_str(why);
        })?;
        vault.remove(id, now)?;
        save(context, vault, now)
    }

    fn held(&mut self, name: &str) -> Outcome<Option<(Secret, UnixTime)>> {
        let now = self.context.now()?;
        #[cfg(unix)]
        if let Some(found) = self.by_agent(|client| client.recall(name, now))? {
            return Ok(found);
        }
        Ok(self.vault()?.recall(name, now)?)
    }

    fn keep(&mut self, name: &str, blob: &Secret, until: UnixTime) -> Outcome {
        #[cfg(unix)]
        if self
            .by_agent(|client| client.hold(name, blob, until))?
            .is_some()
        {
            return Ok(());
        }
        Ok(self.vault()?.hold(name, blob, until)?)
    }

    fn drop_held(&mut self, name: &str) -> Outcome {
        #[cfg(unix)]
        if self.by_agent(|client| client.forget(name))?.is_some() {
            return Ok(());
        }
        Ok(self.vault()?.forget(name)?)
    }
}

impl Host for Desk<'_> {
    fn now(&self) -> Result<UnixTime, AwsError> {
        self.context.clock.now().map_err(AwsError::held)
    }

    fn devices(&mut self) -> Result<Vec<Summary>, AwsError> {
        let outcome = self.all_devices();
        self.carry(outcome)
    }

    fn may(&mut self, account: &Summary) -> Result<(), AwsError> {
        let outcome = self.ask(account);
        self.carry(outcome)
    }

    fn code(&mut self, account: &Summary, step: u64) -> Result<Code, AwsError> {
        let outcome = self.one_code(account, step);
        self.carry(outcome)
    }

    fn pair(&mut self, account: &Summary, step: u64) -> Result<Pair, AwsError> {
        let outcome = self.two_codes(account, step);
        self.carry(outcome)
    }

    fn access_key(&mut self, profile: &str) -> Result<Option<Keys>, AwsError> {
        let outcome = self.key_of(profile);
        self.carry(outcome)
    }

    fn save(&mut self, account: Account) -> Result<Summary, AwsError> {
        let outcome = self.save_new(account);
        self.carry(outcome)
    }

    fn trash(&mut self, id: &AccountId, why: &str) -> Result<(), AwsError> {
        let outcome = self.put_in_trash(id, why);
        self.carry(outcome)
    }

    fn recall(&mut self, name: &str) -> Result<Option<(Secret, UnixTime)>, AwsError> {
        let outcome = self.held(name);
        self.carry(outcome)
    }

    fn hold(&mut self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), AwsError> {
        let outcome = self.keep(name, blob, until);
        self.carry(outcome)
    }

    fn forget(&mut self, name: &str) -> Result<(), AwsError> {
        let outcome = self.drop_held(name);
        self.carry(outcome)
    }

    fn rest(&mut self) {
        #[cfg(unix)]
        if let Agent::Connected(_) = self.agent {
            self.agent = Agent::NotAsked;
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::at(self.context.files.ledger())
    }

    fn locks(&self) -> &Path {
        &self.locks
    }

    fn tell(&self, text: &str) {
        if self.context.screen.err_is_terminal() {
            self.context
                .screen
                .remark(&vmfa::account::text::clean(text));
        }
    }

    fn warn(&self, text: &str) {
        let mut warned = self.warned.borrow_mut();
        if !warned.iter().any(|before| before == text) {
            self.context.screen.warn(text);
            warned.push(text.to_owned());
        }
    }

    fn wait(&self, what: &str, span: Duration) -> Result<(), AwsError> {
        let since = Stopwatch::start();
        let left = || Ok(span.saturating_sub(since.elapsed()));
        self.context.screen.wait(what, left).map_err(|fault| {
            AwsError::held(Carried {
                message: fault.message().to_owned(),
                hint: None,
                kind: fault.exit().into(),
            })
        })
    }
}
