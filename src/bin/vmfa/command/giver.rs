//! Who gives the codes: the agent for as long as it can, and the vault itself from there on.

use vmfa::account::Summary;
#[cfg(unix)]
pub(crate) use vmfa::agent::protocol::Which;
#[cfg(unix)]
use vmfa::agent::{AgentError, Client};
use vmfa::authenticator::Authenticator;
use vmfa::clock::{Clock as _, UnixTime};
use vmfa::otp::{Code, Pair, Pairing};
use vmfa::vault::Unlocked;

use crate::command::confirm;
use crate::fault::Outcome;
use crate::unlock::Context;

/// The accounts, or those in the trash.
#[cfg(not(unix))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Live,
    Trash,
}

/// Gives the codes of one account. A moment or a step is asked for when it is known who gives the code: a passphrase may
/// have to be typed before.
pub(crate) struct Giver<'c> {
    context: &'c Context,
    #[cfg(unix)]
    agent: Option<Client>,
    vault: Option<Unlocked>,
    /// Whether a person said yes to the code that is next.
    has_yes: bool,
}

impl<'c> Giver<'c> {
    #[cfg(unix)]
    pub(crate) fn of_agent(context: &'c Context, client: Client) -> Self {
        Self {
            context,
            agent: Some(client),
            vault: None,
            has_yes: false,
        }
    }

    pub(crate) fn of_vault(context: &'c Context, vault: Unlocked) -> Self {
        Self {
            context,
            #[cfg(unix)]
            agent: None,
            vault: Some(vault),
            has_yes: false,
        }
    }

    /// Asks whether a code of this account may leave, if it is one that asks; once for a pair. To be called when everything
    /// else is settled, before the time is read and before a code is made or a step claimed: a no must use up nothing. What
    /// is allowed is to be had at once then, since an agent keeps a yes for some seconds only.
    ///
    /// # Errors
    /// The answer is no, or there is nobody to ask.
    pub(crate) fn may(&mut self, summary: &Summary) -> Outcome {
        if !summary.confirm {
            return Ok(());
        }
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            match client.may(summary) {
                Ok(()) => {
                    self.has_yes = true;
                    return Ok(());
                }
                Err(error) => self.go_on_without(error)?,
            }
        }
        // With the vault open: what is typed for it comes before the question.
        self.vault(summary)?;
        if !self.has_yes {
            confirm::ask(summary)?;
            self.has_yes = true;
        }
        Ok(())
    }

    pub(crate) fn code_at(
        &mut self,
        summary: &Summary,
        moment: impl Fn() -> Outcome<UnixTime>,
    ) -> Outcome<Code> {
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            match client.code_at(&summary.id, moment()?) {
                Ok(code) => return Ok(self.given(code)),
                Err(error) => self.instead(error)?,
            }
        }
        let vault = self.vault(summary)?;
        let code = vault.code_at(&summary.id, moment()?)?;
        Ok(self.given(code))
    }

    pub(crate) fn code_of_step(
        &mut self,
        summary: &Summary,
        step: impl Fn() -> Outcome<u64>,
    ) -> Outcome<Code> {
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            match client.code_of_step(&summary.id, step()?) {
                Ok(code) => return Ok(self.given(code)),
                Err(error) => self.instead(error)?,
            }
        }
        let vault = self.vault(summary)?;
        let code = vault.code_of_step(&summary.id, step()?)?;
        Ok(self.given(code))
    }

    pub(crate) fn pair_at(
        &mut self,
        summary: &Summary,
        moment: impl Fn() -> Outcome<UnixTime>,
        pairing: Pairing,
    ) -> Outcome<Pair> {
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            match client.pair_at(&summary.id, moment()?, pairing) {
                Ok(pair) => return Ok(self.given(pair)),
                Err(error) => self.instead(error)?,
            }
        }
        let vault = self.vault(summary)?;
        let pair = vault.pair_at(&summary.id, moment()?, pairing)?;
        Ok(self.given(pair))
    }

    pub(crate) fn next_hotp(&mut self, summary: &Summary) -> Outcome<Code> {
        #[cfg(unix)]
        if let Some(client) = &mut self.agent {
            match client.next_hotp(&summary.id, now_or_1970(self.context)) {
                Ok(code) => return Ok(self.given(code)),
                // It has certainly not been given.
                Err(error @ (AgentError::Locked | AgentError::NotRunning)) => {
                    self.instead(error)?;
                }
                // The code may be lost with the answer, and its counter used up: whoever runs it again knows it.
                Err(error) => return Err(error.into()),
            }
        }
        let now = now_or_1970(self.context);
        let code = self.vault(summary)?.next_hotp(&summary.id, now)?;
        Ok(self.given(code))
    }

    /// The accounts, or those in the trash.
    pub(crate) fn summaries(&mut self, which: Which) -> Outcome<Vec<Summary>> {
        #[cfg(unix)]
        if let Some(client) = &self.agent {
            match client.list(which) {
                Ok(listed) => return Ok(listed.summaries),
                Err(error) => self.go_on_without(error)?,
            }
        }
        let vault = self.vault_to_change()?;
        match which {
            Which::Live => Ok(vault.summaries()?),
            Which::Trash => Ok(vault.trash()),
        }
    }

    /// The vault itself, opened if it isn't open yet: no agent changes one.
    pub(crate) fn vault_to_change(&mut self) -> Outcome<&mut Unlocked> {
        let vault = match self.vault.take() {
            Some(vault) => vault,
            None => self.context.open()?,
        };
        Ok(self.vault.insert(vault))
    }

    /// The vault, if it is open here.
    pub(crate) fn opened(&mut self) -> Option<&mut Unlocked> {
        self.vault.as_mut()
    }

    /// The process is about to end.
    pub(crate) fn close(self) {
        if let Some(vault) = self.vault {
            vault.close();
        }
    }

    /// A yes is good for one code.
    fn given<T>(&mut self, code: T) -> T {
        self.has_yes = false;
        code
    }

    /// The agent could not be asked for a code; or the error is the answer.
    #[cfg(unix)]
    fn instead(&mut self, error: AgentError) -> Outcome {
        match error {
            // Somebody was asked, but it took too long from there.
            AgentError::AskFirst(_) => Err(error.into()),
            error => self.go_on_without(error),
        }
    }

    #[cfg(unix)]
    fn go_on_without(&mut self, error: AgentError) -> Outcome {
        if self.context.answered::<()>(Err(error))?.is_none() {
            self.agent = None;
        }
        Ok(())
    }

    /// The vault, opened in the agent's stead if it isn't open yet. An account that asks only since the agent was asked about
    /// it is asked for here.
    fn vault(&mut self, summary: &Summary) -> Outcome<&mut Unlocked> {
        let vault = match self.vault.take() {
            Some(vault) => vault,
            None => {
                let vault = self.context.open()?;
                let found = vault.live_where(|one| one.id == summary.id);
                if !self.has_yes
                    && let [found] = found.as_slice()
                {
                    confirm::ask(found)?;
                    self.has_yes = found.confirm;
                }
                vault
            }
        };
        Ok(self.vault.insert(vault))
    }
}

/// For a counter, which no clock is asked for: the time only says when it was saved, and stamps go forward by themselves.
fn now_or_1970(context: &Context) -> UnixTime {
    context.clock.now().unwrap_or(UnixTime::from_secs(0))
}
