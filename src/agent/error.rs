//! What can go wrong between a client and an agent.

use std::path::{Path, PathBuf};

use crate::account::Summary;
use crate::account::text::clean;
use crate::agent::protocol::NotOne;
use crate::failure::{Fails, Kind};

/// Why there is no agent, or no answer from it.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody listens at the socket.
    #[error("no agent runs")]
    NotRunning,
    /// The agent holds no key.
    #[error("the agent is locked")]
    Locked,
    /// The directory of the socket could be somebody else's doing.
    #[error("the agent's directory {} {what}", clean(&.path.display().to_string()))]
    Directory {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Something else stands where the socket or its lock should be.
    #[error("{} {what}", clean(&.path.display().to_string()))]
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another user is at the other end.
    #[error("the agent's socket is answered by another user (uid {0}), and was told nothing")]
    OtherUser(u32),
    /// The agent serves another vault.
    #[error("the agent that runs is for another vault: {}", clean(.0))]
    OtherVault(String),
    /// The agent speaks another version.
    #[error("the agent that runs is of another version: vmfa {}, protocol {version} (this is {})", clean(.program), crate::agent::protocol::VERSION)]
    OtherVersion {
        /// Its protocol.
        version: u16,
        /// Its program's version.
        program: String,
    },
    /// An agent runs already.
    #[error("an agent runs already")]
    RunsAlready,
    /// No answer came in time.
    #[error("the agent doesn't answer")]
    Silent,
    /// What listens doesn't answer, and isn't known to be an agent.
    #[error("what listens at {} doesn't answer, and couldn't be ended", clean(&.path.display().to_string()))]
    Unending {
        /// The socket.
        path: PathBuf,
    },
    /// The connection ended before an answer.
    #[error("the agent ended before it answered")]
    Ended,
    /// What came is no answer, or the agent found the request to be none.
    #[error("the agent and this program don't understand each other")]
    NotUnderstood,
    /// The query means no account, or several.
    #[error("no single account")]
    NotOne(NotOne),
    /// The account wants the person to be asked on the terminal first.
    #[error("the account wants to be asked for")]
    AskFirst(Box<Summary>),
    /// The person said no, or didn't answer.
    #[error("no code was given")]
    Denied,
    /// Too many wait already, for a person or for another program's save.
    #[error("too many codes wait at the agent already")]
    Busy,
    /// The agent tried, and failed.
    #[error("{}", clean(.message))]
    Failed {
        /// What can be done.
        kind: Kind,
        /// What happened.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// More than a frame holds.
    #[error("too large for the agent")]
    TooLarge,
    /// The system refused a file or a directory.
    #[error("the agent's {what} {}: {source}", clean(&.path.display().to_string()))]
    File {
        /// What it is.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system failed.
    #[error("the agent's {what}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}

impl AgentError {
    pub(super) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    pub(super) fn io_at(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

impl Fails for AgentError {
    fn kind(&self) -> Kind {
        match self {
            Self::Locked | Self::NotRunning | Self::AskFirst(_) => Kind::Locked,
            Self::Directory { .. } | Self::InTheWay { .. } | Self::TooLarge => Kind::Usage,
            Self::NotOne(NotOne::Several(..)) => Kind::Ambiguous,
            Self::NotOne(NotOne::Nothing(..)) => Kind::NotFound,
            Self::Denied => Kind::Interrupted,
            Self::OtherVault(_)
            | Self::OtherVersion { .. }
            | Self::RunsAlready
            | Self::Busy
            | Self::Ended => Kind::Conflict,
            Self::OtherUser(_)
            | Self::Silent
            | Self::NotUnderstood
            | Self::Unending { .. }
            | Self::File { .. }
            | Self::Io { .. } => Kind::Internal,
            Self::Failed { kind, .. } => *kind,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotRunning | Self::Locked => Some("`vmfa unlock` starts and unlocks one".into()),
            Self::Directory { .. } => {
                Some("it must be a directory of yours that nobody else may enter: chmod 700 it, or move it away".into())
            }
            Self::InTheWay { .. } => Some("move it away; the agent makes its own".into()),
            Self::OtherUser(_) => Some("find out who put it there; --no-agent works without it".into()),
            Self::OtherVersion { .. } => Some("`vmfa agent stop`, then `vmfa unlock` starts this version's".into()),
            Self::OtherVault(_) => Some("`vmfa agent stop` ends it; --no-agent works without it".into()),
            Self::RunsAlready => Some("`vmfa agent status` tells about it".into()),
            // Somebody locked it, or it ended by itself. A code isn't asked for twice: the counter may have moved on.
            Self::Ended => Some("run it again; a code of a counter may be skipped then".into()),
            Self::Silent | Self::NotUnderstood => {
                Some("`vmfa agent stop` ends it; --no-agent works without it".into())
            }
            Self::Unending { .. } => Some("find out which process it is (`ss -xlp` shows it) and end it; --no-agent works without it".into()),
            Self::Failed { hint, .. } => hint.clone(),
            Self::TooLarge => Some("--no-agent works without it".into()),
            Self::Busy => Some("answer the questions that are open, or let the other program end its save; then try again".into()),
            // Whoever could not be asked is told otherwise; here a yes came, and went unused for too long.
            Self::AskFirst(_) => Some("a yes is good for one code, and for some seconds: run it again".into()),
            Self::NotOne(_) | Self::Denied | Self::File { .. } | Self::Io { .. } => None,
        }
    }
}
