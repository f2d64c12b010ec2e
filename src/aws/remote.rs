//! The contract of whoever makes the calls to AWS.

use crate::aws::operation::Operation;
use crate::secret::SecretText;

/// Whose name a call is made in.
pub enum Signer {
    /// Whoever the SDK finds: the environment, then a profile as the SDK resolves it (SSO, roles, another program).
    Found(Option<String>),
    /// These keys.
    Keys(Keys),
}

/// Credentials: of a user, or of a session when there is a token.
pub struct Keys {
    /// `AKIA…` of a user, `ASIA…` of a session.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: SecretText,
    /// What tells AWS that it is a session.
    pub session_token: Option<SecretText>,
}

impl Keys {
    /// A second copy, on purpose.
    pub fn duplicate(&self) -> Self {
        Self {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.duplicate(),
            session_token: self.session_token.as_ref().map(SecretText::duplicate),
        }
    }
}

impl Signer {
    /// A second copy, on purpose.
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Found(profile) => Self::Found(profile.clone()),
            Self::Keys(keys) => Self::Keys(keys.duplicate()),
        }
    }
}

/// What came back from a call.
pub struct Answered<T> {
    /// AWS's answer.
    pub output: T,
    /// Whose name it was made in: the half of the key that isn't secret.
    pub access_key_id: String,
    /// Whether that was a session's key.
    pub is_session: bool,
}

/// Makes calls, one after the other.
pub trait Remote {
    /// Makes one call. One that sends a code is made once; any other is repeated a few times where that can help.
    ///
    /// # Errors
    /// It wasn't answered as asked.
    fn call<O: Operation>(
        &mut self,
        signer: &Signer,
        operation: &O,
    ) -> Result<Answered<O::Output>, CallError>;

    /// Seconds to add to this machine's clock to get AWS's, from the last answer that told; whole seconds, good to about one.
    fn skew(&self) -> Option<i64>;
}

/// Why a call wasn't answered as asked. The texts are AWS's own and not yet fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// Which call, as `service:Operation`.
    pub operation: &'static str,
    /// What became of it.
    pub what: Failed,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// AWS said no.
    Refused {
        /// AWS's code, such as `AccessDenied`.
        code: String,
        /// AWS's sentence.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// AWS wasn't reached, or didn't answer in time.
    Offline(String),
    /// There are no credentials to sign with.
    NoCredentials(String),
    /// What came back can't be understood.
    NotUnderstood(String),
    /// The program that makes the calls can't be had.
    NoCaller(String),
}

impl CallError {
    /// AWS's code, where AWS said no.
    pub fn code(&self) -> Option<&str> {
        match &self.what {
            Failed::Refused { code, .. } => Some(code),
            Failed::Offline(_)
            | Failed::NoCredentials(_)
            | Failed::NotUnderstood(_)
            | Failed::NoCaller(_) => None,
        }
    }

    /// AWS's sentence, where AWS said no.
    pub fn message(&self) -> &str {
        match &self.what {
            Failed::Refused { message, .. } => message,
            Failed::Offline(why)
            | Failed::NoCredentials(why)
            | Failed::NotUnderstood(why)
            | Failed::NoCaller(why) => why,
        }
    }

    /// Whether AWS may answer otherwise later: it wasn't reached, had a fault of its own, or asked for patience.
    pub fn is_passing(&self) -> bool {
        match &self.what {
            Failed::Offline(_) => true,
            Failed::Refused { code, status, .. } => {
                *status >= 500
                    || *status == 429
                    || code.starts_with("Throttl")
                    || code == "RequestLimitExceeded"
            }
            Failed::NoCredentials(_) | Failed::NotUnderstood(_) | Failed::NoCaller(_) => false,
        }
    }
}
