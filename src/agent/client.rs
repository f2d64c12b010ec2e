//! The other end: asks an agent.

use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::account::{AccountId, Summary};
use crate::agent::address::Address;
use crate::agent::error::AgentError;
use crate::agent::frame::{self, Inbox, NoFrame};
use crate::agent::keyholder::ASKING;
use crate::agent::peer;
use crate::agent::protocol::{
    Asked, Lifetimes, MAX_BLOB, Reply, Request, Status, Tag, When, Which, Whom, YES,
};
use crate::authenticator::Authenticator;
use crate::clock::{Stopwatch, UnixTime};
use crate::keep::Keep;
use crate::keyring::{AccessKey, Keyring};
use crate::otp::{Code, Pair, Pairing};
use crate::secret::{Secret, SecretText};
use crate::vault::Unlocked;

/// How long an answer may take that is a matter of microseconds, on a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long one may take that waits for a disk, or for another program's save.
const DISK_PATIENCE: Duration = Duration::from_secs(75);
/// How long the key may take to be gone once it is promised.
const END_PATIENCE: Duration = Duration::from_secs(8);
/// An answer that comes so soon is none of a person's.
const AT_ONCE: Duration = Duration::from_millis(300);
/// How often a question is put again when the agent closed the connection without a word.
const TRIES: usize = 4;
/// After so long without a word, the agent may just be closing the connection: a new one costs less than the doubt.
const STALE: Duration = Duration::from_millis(400);

/// A connection to an agent that runs as the same user.
pub struct Client {
    address: Address,
    connection: Mutex<Connection>,
    /// Told when the person is being asked on the desktop.
    on_asking: Option<fn()>,
    ask_first: Option<AskFirst>,
}

/// Asks the person on the terminal whether a code of this account may be given; none where there is no terminal.
type AskFirst = Box<dyn Fn(&Summary) -> Option<bool> + Send + Sync>;

struct Connection {
    stream: UnixStream,
    inbox: Inbox,
    last: Stopwatch,
    /// Whether a person's yes may be kept at the other end, for this connection alone.
    has_yes: bool,
}

impl Connection {
    fn new(address: &Address) -> Result<Self, AgentError> {
        peer::is_private(address.directory())?;
        let stream = peer::connect(address.socket(), PATIENCE)?;
        peer::is_ourselves(&stream)?;
        Ok(Self {
            stream,
            inbox: Inbox::new(),
            last: Stopwatch::start(),
            has_yes: false,
        })
    }
}

/// What a list holds.
pub struct Listed {
    /// The accounts.
    pub summaries: Vec<Summary>,
    /// How many records are of a kind that the agent doesn't know.
    pub unknown: u32,
}

impl Client {
    /// Connects, and makes sure that it is the same user who answers.
    ///
    /// # Errors
    /// No agent runs; the directory isn't ours alone; another user answers.
    pub fn connect(address: &Address) -> Result<Self, AgentError> {
        Ok(Self {
            connection: Mutex::new(Connection::new(address)?),
            address: address.clone(),
            on_asking: None,
            ask_first: None,
        })
    }

    /// Has `tell` called when an answer waits for a person at the desktop.
    pub fn on_asking(&mut self, tell: fn()) {
        self.on_asking = Some(tell);
    }

    /// Asks by `ask` where an account wants that and the agent has no desktop to ask on. Where `ask` can't ask either, the
    /// error is [`AgentError::AskFirst`].
    pub fn ask_first(&mut self, ask: impl Fn(&Summary) -> Option<bool> + Send + Sync + 'static) {
        self.ask_first = Some(Box::new(ask));
    }

    /// Asks the person whether one code (or pair) of this account may leave, where the account wants that. To be called when
    /// all else is settled, before the time is read and a step is claimed: the yes is good for a few seconds.
    ///
    /// # Errors
    /// The answer is no; nobody can be asked: [`AgentError::AskFirst`]; no answer.
    pub fn may(&self, summary: &Summary) -> Result<(), AgentError> {
        if !summary.confirm {
            return Ok(());
        }
        let may = |asked| Request::May {
            id: summary.id,
            asked,
        };
        let mut reply = self.ask(&may(Asked::Not))?;
        if let (Reply::AskFirst(summary), Some(ask)) = (&reply, &self.ask_first) {
            reply = match ask(summary) {
                Some(true) => self.ask(&may(Asked::OnTerminal))?,
                Some(false) => return Err(AgentError::Denied),
                None => reply,
            };
        }
        match reply {
            Reply::Done => {
                self.connection().has_yes = true;
                Ok(())
            }
            other => Err(refusal(other)),
        }
    }

    /// How the agent is.
    ///
    /// # Errors
    /// No answer.
    pub fn status(&self) -> Result<Status, AgentError> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => Err(refusal(other)),
        }
    }

    /// Hands over the vault's key, for so long.
    ///
    /// # Errors
    /// The agent can't open the vault with it; no answer.
    pub fn unlock(&self, vault: &Unlocked, lifetimes: Lifetimes) -> Result<Status, AgentError> {
        let request = Request::Unlock {
            key: vault.key_for_agent(),
            lifetimes,
        };
        match self.ask(&request)? {
            Reply::Status(status) => Ok(status),
            other => Err(refusal(other)),
        }
    }

    /// Has the key forgotten; it is gone when this returns.
    ///
    /// # Errors
    /// No answer, or the process that held the key hasn't ended.
    pub(super) fn lock(self) -> Result<(), AgentError> {
        self.end(&Request::Lock)
    }

    /// Ends the agent; the key is gone when this returns.
    ///
    /// # Errors
    /// As [`Client::lock`].
    pub(super) fn stop(self) -> Result<(), AgentError> {
        self.end(&Request::Stop)
    }

    fn end(&self, request: &Request) -> Result<(), AgentError> {
        match self.ask(request)? {
            Reply::Done => {}
            other => return Err(refusal(other)),
        }
        // The system closes the connection when the process is gone, its memory first.
        let mut connection = self.connection();
        let Connection { stream, inbox, .. } = &mut *connection;
        match frame::read_reply(stream, inbox, END_PATIENCE) {
            Err(NoFrame::Closed) => Ok(()),
            Ok(_) | Err(NoFrame::Late | NoFrame::Length | NoFrame::Failed) => {
                Err(AgentError::Silent)
            }
        }
    }

    /// The one account that a query means.
    ///
    /// # Errors
    /// None, or several: [`AgentError::NotOne`].
    pub fn find(&self, query: &str) -> Result<Summary, AgentError> {
        match self.ask(&Request::Find(query.into()))? {
            Reply::Found(summary) => Ok(*summary),
            other => Err(refusal(other)),
        }
    }

    /// The code of the one account that a query means, in one question.
    ///
    /// # Errors
    /// As [`Client::find`] and [`Authenticator::code_at`].
    pub fn code_of(&self, query: &str, now: UnixTime) -> Result<(Summary, Code), AgentError> {
        self.code(Whom::Query(query.into()), When::At(now))
    }

    /// All accounts of a kind.
    ///
    /// # Errors
    /// No answer.
    pub fn list(&self, which: Which) -> Result<Listed, AgentError> {
        let mut connection = self.connection();
        let mut summaries = Vec::new();
        let mut reply = self.ask_again_on(&mut connection, &Request::List(which))?;
        loop {
            match reply {
                Reply::Part(mut part) => summaries.append(&mut part),
                Reply::End(unknown) => return Ok(Listed { summaries, unknown }),
                other => return Err(refusal(other)),
            }
            reply = self.next(&mut connection, PATIENCE)?;
        }
    }

    fn code(&self, whom: Whom, when: When) -> Result<(Summary, Code), AgentError> {
        match self.ask(&Request::Code { whom, when })? {
            Reply::Code(summary, code) => Ok((*summary, code)),
            other => Err(refusal(other)),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and asks again on a new connection where the agent had to close this one for others. A counter is never asked
    /// for twice: the first answer may only have been lost.
    fn ask(&self, request: &Request) -> Result<Reply, AgentError> {
        self.ask_again_on(&mut self.connection(), request)
    }

    /// As [`Client::ask`], where more than one reply may come.
    fn ask_again_on(
        &self,
        connection: &mut Connection,
        request: &Request,
    ) -> Result<Reply, AgentError> {
        let mut tries = if request.may_be_repeated() { TRIES } else { 1 };
        loop {
            tries -= 1;
            match self.ask_on(connection, request) {
                Err(AgentError::Ended) if tries > 0 => {
                    *connection = Connection::new(&self.address)?;
                }
                answer => return answer,
            }
        }
    }

    fn ask_on(&self, connection: &mut Connection, request: &Request) -> Result<Reply, AgentError> {
        let tag: &Tag = self.address.tag();
        let frame = request.write(tag).ok_or(AgentError::TooLarge)?;
        // A new connection has none; and whatever is asked next may use it up.
        let has_yes = std::mem::take(&mut connection.has_yes);
        let stale = if has_yes { YES } else { STALE };
        if connection.last.elapsed() > stale {
            *connection = Connection::new(&self.address)?;
        }
        frame::write(&connection.stream, &frame, PATIENCE).map_err(no_answer)?;
        let waits_for_disk = matches!(
            request,
            Request::HotpNext { .. } | Request::Unlock { .. } | Request::SessionPut { .. }
        );
        let patience = if waits_for_disk {
            DISK_PATIENCE
        } else {
            PATIENCE
        };
        self.next(connection, patience)
    }

    fn next(
        &self,
        connection: &mut Connection,
        mut patience: Duration,
    ) -> Result<Reply, AgentError> {
        let mut is_asking = false;
        loop {
            let Connection { stream, inbox, .. } = &mut *connection;
            let frame = match frame::read_reply(stream, inbox, patience) {
                // Nobody could be asked if the answer is here at once.
                Err(NoFrame::Late) if is_asking => {
                    is_asking = false;
                    patience = ASKING + DISK_PATIENCE;
                    if let Some(tell) = self.on_asking {
                        tell();
                    }
                    continue;
                }
                frame => frame.map_err(no_answer)?,
            };
            connection.last = Stopwatch::start();
            match Reply::read(&frame).ok_or(AgentError::NotUnderstood)? {
                Reply::Asking => {
                    is_asking = true;
                    patience = AT_ONCE;
                }
                reply => return Ok(reply),
            }
        }
    }
}

fn no_answer(no_frame: NoFrame) -> AgentError {
    match no_frame {
        NoFrame::Closed => AgentError::Ended,
        NoFrame::Late | NoFrame::Failed => AgentError::Silent,
        NoFrame::Length => AgentError::NotUnderstood,
    }
}

/// A reply that isn't what was asked for.
fn refusal(reply: Reply) -> AgentError {
    match reply {
        Reply::Locked => AgentError::Locked,
        Reply::NotOne(not_one) => AgentError::NotOne(not_one),
        Reply::OtherVault(vault) => AgentError::OtherVault(vault),
        Reply::AskFirst(summary) => AgentError::AskFirst(summary),
        Reply::Denied => AgentError::Denied,
        Reply::Busy => AgentError::Busy,
        Reply::Failed {
            kind,
            message,
            hint,
        } => AgentError::Failed {
            kind,
            message,
            hint: (!hint.is_empty()).then_some(hint),
        },
        Reply::OtherVersion(version, program) => AgentError::OtherVersion { version, program },
        Reply::Done
        | Reply::Status(_)
        | Reply::Part(_)
        | Reply::End(_)
        | Reply::Found(_)
        | Reply::Code(..)
        | Reply::Pair(_)
        | Reply::Session(_)
        | Reply::AccessKey(_)
        | Reply::AccessKeys { .. }
        | Reply::Asking
        | Reply::Malformed => AgentError::NotUnderstood,
    }
}

impl Authenticator for Client {
    type Error = AgentError;

    fn summaries(&self) -> Result<Vec<Summary>, AgentError> {
        Ok(self.list(Which::Live)?.summaries)
    }

    fn code_at(&self, id: &AccountId, now: UnixTime) -> Result<Code, AgentError> {
        Ok(self.code(Whom::Id(*id), When::At(now))?.1)
    }

    fn code_of_step(&self, id: &AccountId, step: u64) -> Result<Code, AgentError> {
        Ok(self.code(Whom::Id(*id), When::Step(step))?.1)
    }

    fn pair_at(&self, id: &AccountId, now: UnixTime, pairing: Pairing) -> Result<Pair, AgentError> {
        let request = Request::Pair {
            id: *id,
            now,
            pairing,
        };
        match self.ask(&request)? {
            Reply::Pair(pair) => Ok(pair),
            other => Err(refusal(other)),
        }
    }

    fn next_hotp(&mut self, id: &AccountId, now: UnixTime) -> Result<Code, AgentError> {
        match self.ask(&Request::HotpNext { id: *id, now })? {
            Reply::Code(_, code) => Ok(code),
            other => Err(refusal(other)),
        }
    }
}

impl Keep for Client {
    type Error = AgentError;

    fn hold(&self, name: &str, blob: &Secret, until: UnixTime) -> Result<(), AgentError> {
        if blob.len() > MAX_BLOB {
            return Err(AgentError::TooLarge);
        }
        let request = Request::SessionPut {
            name: name.into(),
            blob: blob.duplicate(),
            until,
        };
        match self.ask(&request)? {
            Reply::Done => Ok(()),
            other => Err(refusal(other)),
        }
    }

    fn recall(&self, name: &str, now: UnixTime) -> Result<Option<(Secret, UnixTime)>, AgentError> {
        let request = Request::SessionGet {
            name: name.into(),
            now,
        };
        match self.ask(&request)? {
            Reply::Session(held) => Ok(held),
            other => Err(refusal(other)),
        }
    }

    fn forget(&self, name: &str) -> Result<(), AgentError> {
        match self.ask(&Request::SessionForget(name.into()))? {
            Reply::Done => Ok(()),
            other => Err(refusal(other)),
        }
    }
}

impl Keyring for Client {
    type Error = AgentError;

    fn access_keys(&self) -> Result<Vec<AccessKey>, AgentError> {
        let mut connection = self.connection();
        let mut keys = Vec::new();
        let mut reply = self.ask_again_on(&mut connection, &Request::AccessKeys)?;
        loop {
            match reply {
                Reply::AccessKeys {
                    keys: mut part,
                    more,
                } => {
                    keys.append(&mut part);
                    if !more {
                        return Ok(keys);
                    }
                }
                other => return Err(refusal(other)),
            }
            reply = self.next(&mut connection, PATIENCE)?;
        }
    }

    fn access_key(&self, profile: &str) -> Result<Option<(AccessKey, SecretText)>, AgentError> {
        match self.ask(&Request::AccessKey(profile.into()))? {
            Reply::AccessKey(found) => Ok(found),
            other => Err(refusal(other)),
        }
    }
}
