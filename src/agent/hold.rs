//! The open vault in the keyholder: requests in, replies out. It knows nothing of sockets and processes.

use std::sync::atomic::Ordering;
use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use crate::account::query::{Found, Index};
use crate::account::{AccountId, Summary};
use crate::agent::lifetime::Lifetime;
use crate::agent::protocol::{
    Asked, Held, KEYS, Lifetimes, NAMED, NotOne, Reply, Request, Status, When, Which, Whom, YES,
};
use crate::agent::turns::{AtomicUsize, RwLock};
use crate::authenticator::Authenticator as _;
use crate::clock::{Clock, Deadline, System, UnixTime, Uptime};
use crate::failure::Fails;
use crate::keep::Keep as _;
use crate::keyring::{AccessKey, Keyring as _};
use crate::otp::{Code, Pairing};
use crate::secret::Secret;
use crate::secret::page::Guard;
use crate::vault::{Files, Mark, Unlocked, VaultError};

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    Yes,
    No,
    /// Nobody could be asked here.
    NotAsked,
    /// Too many questions are open.
    Busy,
}

/// Asks the person whether a code of this account may leave, for as long as somebody waits for the answer.
pub(super) type Ask = Box<dyn Fn(&Summary, &dyn Fn() -> bool) -> Allowed + Send + Sync>;

/// Who asks, by one connection.
pub(super) struct Asker<'c> {
    /// Whether it is still there.
    pub(super) is_there: &'c dyn Fn() -> bool,
    /// What a person has allowed it: one code of this account, until then.
    pub(super) yes: Option<(AccountId, Deadline)>,
}

impl Asker<'_> {
    /// Whether a person's yes is good still.
    pub(super) fn has_yes(&self) -> bool {
        self.yes.is_some_and(|(_, until)| !until.has_passed())
    }

    /// Uses up the yes that an account asks for, if it asks for one.
    fn use_yes(&mut self, summary: &Summary) -> Result<(), Trouble> {
        if !summary.confirm {
            return Ok(());
        }
        let is_allowed = self.has_yes() && self.yes.is_some_and(|(id, _)| id == summary.id);
        if !is_allowed {
            return Err(Reply::AskFirst(Box::new(summary.clone())).into());
        }
        self.yes = None;
        Ok(())
    }
}

/// What is to be done after the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// The key goes.
    Lock,
    /// The key goes, and the agent with it.
    Stop,
}

/// The vault that is held, for how long, and who is asked.
pub(super) struct Hold {
    files: Files,
    /// The vault's path, for who asks what this agent is for.
    name: String,
    lifetime: Lifetime,
    ask: Ask,
    state: RwLock<State>,
    /// How many requests wait for a disk, or for another program's save.
    slow: AtomicUsize,
}

/// How many of those there may be: the other threads go on answering.
const MAX_SLOW: usize = 4;

/// One of them, until dropped: when its answer has been said.
struct Slow<'a>(&'a AtomicUsize);

impl<'a> Slow<'a> {
    fn begin(slow: &'a AtomicUsize) -> Result<Self, Trouble> {
        let begun = Self(slow);
        if slow.fetch_add(1, Ordering::SeqCst) < MAX_SLOW {
            Ok(begun)
        } else {
            Err(Reply::Busy.into())
        }
    }
}

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct State {
    /// None when it couldn't be read again: the process ends then.
    vault: Option<Unlocked>,
    /// What the file looked like before it was read.
    mark: Option<Mark>,
    live: Vec<Summary>,
    index: Index,
    unknown: u32,
    guard: Guard,
}

impl State {
    fn new(mut vault: Unlocked, mark: Option<Mark>, guard: Guard) -> Self {
        vault.note_places();
        let (live, unknown) = vault.survey();
        Self {
            index: Index::new(&live),
            live,
            unknown: unknown as u32,
            mark,
            guard,
            vault: Some(vault),
        }
    }
}

/// Why a request has no answer of its own.
enum Trouble {
    Vault(Box<VaultError>),
    Reply(Box<Reply>),
}

impl From<Reply> for Trouble {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        Self::Vault(Box::new(error))
    }
}

impl Hold {
    /// Opens the vault with the key.
    ///
    /// # Errors
    /// The vault can't be opened with it.
    pub(super) fn new(
        files: Files,
        name: String,
        key: &Secret,
        lifetimes: Lifetimes,
        ask: Ask,
    ) -> Result<Self, VaultError> {
        let mark = Mark::of(&files);
        let (vault, guard) = Unlocked::open_held(&files, key, now())?;
        Ok(Self {
            lifetime: Lifetime::new(lifetimes, Uptime::now()),
            state: RwLock::new(State::new(vault, mark, guard)),
            slow: AtomicUsize::new(0),
            files,
            name,
            ask,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Lets the key go, once nobody uses it; nobody can begin to use it afterwards. False when somebody still does: a save
    /// that is under way, say.
    pub(super) fn let_go(&self) -> bool {
        match self.state.try_write() {
            Ok(mut state) => state.vault = None,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().vault = None,
            Err(TryLockError::WouldBlock) => return false,
        }
        // After that: what begins now finds no key.
        self.slow.load(Ordering::SeqCst) == 0
    }

    /// Answers one request. `say` sends a reply; a list takes several.
    pub(super) fn answer(
        &self,
        request: Request,
        asker: &mut Asker<'_>,
        say: &mut dyn FnMut(Reply),
    ) -> Then {
        // A look at the agent doesn't count as use.
        let is_use = !matches!(request, Request::Status | Request::Lock | Request::Stop);
        if is_use
            && !matches!(request, Request::Unlock { .. })
            && !self.lifetime.touch(Uptime::now())
        {
            say(Reply::Locked);
            return Then::Lock;
        }
        match self.try_answer(request, asker, say) {
            Ok(then) => then,
            Err(Trouble::Reply(reply)) => {
                say(*reply);
                Then::GoOn
            }
            Err(Trouble::Vault(error)) => {
                let is_lost = self.read().vault.is_none();
                say(failed(&error));
                if is_lost { Then::Lock } else { Then::GoOn }
            }
        }
    }

    fn try_answer(
        &self,
        request: Request,
        asker: &mut Asker<'_>,
        say: &mut dyn FnMut(Reply),
    ) -> Result<Then, Trouble> {
        match request {
            Request::Status => say(Reply::Status(self.status())),
            Request::Lock => {
                say(Reply::Done);
                return Ok(Then::Lock);
            }
            Request::Stop => {
                say(Reply::Done);
                return Ok(Then::Stop);
            }
            Request::Unlock { key, lifetimes } => {
                self.unlock_again(&key, lifetimes)?;
                say(Reply::Status(self.status()));
            }
            Request::List(which) => self.list(which, say)?,
            Request::Find(query) => {
                let state = self.fresh()?;
                let found = find(&state, &query)?;
                say(Reply::Found(Box::new(found.clone())));
            }
            Request::Code { whom, when } => {
                let (summary, code) = self.code(&whom, when, asker)?;
                say(Reply::Code(Box::new(summary), code));
            }
            Request::Pair { id, now, pairing } => {
                let pair = self.pair(&id, now, pairing, asker)?;
                say(Reply::Pair(pair));
            }
            Request::HotpNext { id, now } => {
                asker.use_yes(&self.live(&id)?)?;
                let _slow = Slow::begin(&self.slow)?;
                let (summary, code) = self.next_hotp(&id, now)?;
                say(Reply::Code(Box::new(summary), code));
            }
            Request::May { id, asked } => {
                asker.yes = None;
                let summary = self.live(&id)?;
                if summary.confirm {
                    self.allowed(&summary, asked, asker, say)?;
                    asker.yes = Some((id, Deadline::after(YES)));
                }
                say(Reply::Done);
            }
            Request::SessionGet { name, now } => {
                let held = vault(&*self.fresh()?)?.recall(&name, now)?;
                say(Reply::Session(held));
            }
            Request::SessionPut { name, blob, until } => {
                let _slow = Slow::begin(&self.slow)?;
                let sealed = vault(&*self.fresh()?)?.seal_session(&name, &blob, until)?;
                sealed.write()?;
                say(Reply::Done);
            }
            Request::SessionForget(name) => {
                vault(&*self.fresh()?)?.forget(&name)?;
                say(Reply::Done);
            }
            Request::AccessKey(profile) => {
                let found = vault(&*self.fresh()?)?.access_key(&profile)?;
                say(Reply::AccessKey(found));
            }
            Request::AccessKeys => {
                let keys = vault(&*self.fresh()?)?.access_keys()?;
                say_keys(&keys, say);
            }
        }
        Ok(Then::GoOn)
    }

    fn status(&self) -> Status {
        let state = self.read();
        let left = self.lifetime.left(Uptime::now());
        Status {
            pid: std::process::id(),
            program: env!("CARGO_PKG_VERSION").into(),
            vault: self.name.clone(),
            held: state.vault.as_ref().map(|vault| Held {
                accounts: state.live.len() as u32,
                generation: vault.generation(),
                guard: state.guard,
                left: left.whole,
                idle_left: left.idle,
            }),
        }
    }

    /// Begins the lifetimes anew, for who has the vault's key at this moment.
    fn unlock_again(&self, key: &Secret, lifetimes: Lifetimes) -> Result<(), Trouble> {
        let mark = Mark::of(&self.files);
        // Opened anew rather than compared: the passphrase may have been changed since, and the new key is right.
        let (vault, guard) = Unlocked::open_held(&self.files, key, now())?;
        let mut state = self.write();
        if state.vault.is_none() {
            // It was let go meanwhile, and stays so: whoever gave that order is about to be told.
            return Err(Reply::Locked.into());
        }
        *state = State::new(vault, mark, guard);
        self.lifetime.renew(lifetimes, Uptime::now());
        Ok(())
    }

    fn list(&self, which: Which, say: &mut dyn FnMut(Reply)) -> Result<(), Trouble> {
        let state = self.fresh()?;
        let trash;
        let summaries = match which {
            Which::Live => &state.live,
            Which::Trash => {
                trash = vault(&state)?.trash();
                &trash
            }
        };
        // Parts of about 32 KiB: a frame has a bound, and a summary has none that is small.
        let mut replies = Vec::new();
        let mut part = Vec::new();
        let mut len = 0;
        for summary in summaries {
            let own = crate::vault::summary_to_bytes(summary).len() + 32;
            if len + own > 32 << 10 && !part.is_empty() {
                replies.push(Reply::Part(std::mem::take(&mut part)));
                len = 0;
            }
            len += own;
            part.push(summary.clone());
        }
        replies.push(Reply::Part(part));
        replies.push(Reply::End(state.unknown));
        // Said without the lock: a client that reads slowly must keep nobody else waiting.
        drop(state);
        replies.into_iter().for_each(say);
        Ok(())
    }

    fn live(&self, id: &AccountId) -> Result<Summary, Trouble> {
        let state = self.fresh()?;
        Ok(vault(&state)?.summary(id)?.clone())
    }

    /// An account that wants to be asked for: by the desktop if there is one, else by the client on its terminal.
    fn allowed(
        &self,
        summary: &Summary,
        asked: Asked,
        asker: &Asker<'_>,
        say: &mut dyn FnMut(Reply),
    ) -> Result<(), Trouble> {
        say(Reply::Asking);
        match ((self.ask)(summary, asker.is_there), asked) {
            (Allowed::Yes, _) | (Allowed::NotAsked, Asked::OnTerminal) => Ok(()),
            (Allowed::No, _) => Err(Reply::Denied.into()),
            (Allowed::Busy, _) => Err(Reply::Busy.into()),
            (Allowed::NotAsked, Asked::Not) => {
                Err(Reply::AskFirst(Box::new(summary.clone())).into())
            }
        }
    }

    /// The account, its yes and its code are of one and the same state of the vault, the newest: what was true when a person
    /// was asked may not be so any more.
    fn code(
        &self,
        whom: &Whom,
        when: When,
        asker: &mut Asker<'_>,
    ) -> Result<(Summary, Code), Trouble> {
        let state = self.fresh()?;
        let vault = vault(&state)?;
        let summary = match whom {
            Whom::Query(query) => find(&state, query)?,
            Whom::Id(id) => vault.summary(id)?,
        };
        asker.use_yes(summary)?;
        let code = match when {
            When::At(now) => vault.code_at(&summary.id, now)?,
            When::Step(step) => vault.code_of_step(&summary.id, step)?,
        };
        Ok((summary.clone(), code))
    }

    fn pair(
        &self,
        id: &AccountId,
        now: UnixTime,
        pairing: Pairing,
        asker: &mut Asker<'_>,
    ) -> Result<crate::otp::Pair, Trouble> {
        let state = self.fresh()?;
        let vault = vault(&state)?;
        asker.use_yes(vault.summary(id)?)?;
        Ok(vault.pair_at(id, now, pairing)?)
    }

    /// The next code of a counter, and the account as it is then. The save may wait a minute for another program's, and so
    /// has a reading of the vault of its own: whoever asks for something else meanwhile doesn't wait. Of several saves at a
    /// time each takes the vault's lock as if it were a process of its own.
    fn next_hotp(&self, id: &AccountId, now: UnixTime) -> Result<(Summary, Code), Trouble> {
        let key = vault(&self.read())?.held_key();
        let mut saving = key.open(self::now())?;
        let code = saving.next_hotp(id, now)?;
        // The file is another one now, whatever its times and numbers say.
        self.write().mark = None;
        Ok((saving.summary(id)?.clone(), code))
    }

    /// The state, read again where the file has changed. Where that can't be done, the key is gone: what the file says now
    /// is not what a code would be made from.
    fn fresh(&self) -> Result<RwLockReadGuard<'_, State>, Trouble> {
        let mark = Mark::of(&self.files);
        {
            let state = self.read();
            if mark.is_some() && state.mark == mark {
                return Ok(state);
            }
        }
        let mut state = self.write();
        if mark.is_none() || state.mark != mark {
            let vault = state.vault.take().ok_or(Reply::Locked)?;
            let vault = vault.read_again(now())?;
            *state = State::new(vault, mark, state.guard);
        }
        drop(state);
        Ok(self.read())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In parts that fit into a frame each; one without any where there is none.
fn say_keys(keys: &[AccessKey], say: &mut dyn FnMut(Reply)) {
    let mut left = keys;
    loop {
        let (part, rest) = left.split_at(left.len().min(KEYS));
        left = rest;
        say(Reply::AccessKeys {
            keys: part.to_vec(),
            more: !left.is_empty(),
        });
        if left.is_empty() {
            return;
        }
    }
}

fn vault(state: &State) -> Result<&Unlocked, Trouble> {
    state.vault.as_ref().ok_or_else(|| Reply::Locked.into())
}

fn find<'s>(state: &'s State, query: &str) -> Result<&'s Summary, Trouble> {
    let named = |indices: &[usize]| -> Vec<Summary> {
        let first = indices.iter().take(NAMED);
        first.map(|index| state.live[*index].clone()).collect()
    };
    let not_one = match state.index.find(query, &state.live) {
        Found::One(index) => return Ok(&state.live[index]),
        Found::Several(indices) => NotOne::Several(named(&indices), indices.len() as u32),
        Found::Nothing(indices) => NotOne::Nothing(
            named(&indices),
            indices.len() as u32,
            state.live.len() as u32,
        ),
    };
    Err(Reply::NotOne(not_one).into())
}

/// The moment for the vault's own stamps. A vault opens whatever the clock says.
fn now() -> UnixTime {
    System.now().unwrap_or(UnixTime::from_secs(0))
}

pub(super) fn failed(error: &VaultError) -> Reply {
    Reply::Failed {
        kind: error.kind(),
        message: error.to_string(),
        hint: error.hint().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
