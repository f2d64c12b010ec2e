//! Where watched codes come from: the agent, for as long as it is unlocked; or the vault, opened once, where there is none.

use vmfa::account::Summary;
use vmfa::agent::{AgentError, Client};
use vmfa::authenticator::Authenticator as _;
use vmfa::otp::Code;
use vmfa::vault::Unlocked;

use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

pub(super) enum Source<'c> {
    /// Connected or not: it may be locked and unlocked again.
    Agent(&'c Context, Option<Client>),
    Vault(Box<Unlocked>),
}

/// Why there is no code at this moment.
pub(super) enum Lapse {
    /// The agent has no key: one waits.
    Locked,
    Fault(Fault),
}

impl From<Fault> for Lapse {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<AgentError> for Lapse {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Locked | AgentError::NotRunning | AgentError::Ended => Self::Locked,
            other => Self::Fault(other.into()),
        }
    }
}

impl<'c> Source<'c> {
    /// The agent if it is unlocked. Else the vault, where that can be opened: a status bar has nobody to type a passphrase,
    /// and waits for the agent unless it was told of one.
    pub(super) fn open(context: &'c Context, is_for_program: bool) -> Outcome<Self> {
        if let Some(client) = context.agent() {
            let status = context.answered(client.status())?;
            if status.is_some_and(|status| status.held.is_some()) {
                return Ok(Self::Agent(context, Some(client)));
            }
        }
        if is_for_program && !context.has_credential()? && !context.agent_is_unwanted() {
            return Ok(Self::Agent(context, None));
        }
        Ok(Self::Vault(Box::new(context.open()?)))
    }

    /// Whether codes can be had again: a look that doesn't count as use.
    pub(super) fn is_unlocked(&mut self) -> bool {
        let Self::Agent(context, client) = self else {
            return true;
        };
        *client = Client::connect(&context.place.agent(&context.files)).ok();
        let status = client.as_ref().and_then(|client| client.status().ok());
        status.is_some_and(|status| status.held.is_some())
    }

    pub(super) fn summaries(&self) -> Result<Vec<Summary>, Lapse> {
        match self {
            Self::Agent(_, None) => Err(Lapse::Locked),
            Self::Agent(_, Some(client)) => Ok(client.summaries()?),
            Self::Vault(vault) => vault.summaries().map_err(|error| Fault::from(error).into()),
        }
    }

    pub(super) fn code(&self, summary: &Summary, step: u64) -> Result<Code, Lapse> {
        match self {
            Self::Agent(_, None) => Err(Lapse::Locked),
            Self::Agent(_, Some(client)) => Ok(client.code_of_step(&summary.id, step)?),
            Self::Vault(vault) => {
                let code = vault.code_of_step(&summary.id, step);
                code.map_err(|error| Fault::from(error).into())
            }
        }
    }
}
