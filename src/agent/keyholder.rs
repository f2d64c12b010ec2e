//! The child process that holds the key. It locks by ending: no library can leave a key behind in a process that is gone.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError, mpsc};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::account::Summary;
use crate::account::text::clean;
use crate::agent::alarm::Alarm;
use crate::agent::door::{Door, SEATS};
use crate::agent::frame::{self, Inbox, NoFrame, PATIENCE};
use crate::agent::hold::{Allowed, Asker, Hold, Then};
use crate::agent::peer;
use crate::agent::protocol::{Head, REQUEST_HEAD, Reply, Request, Tag, VERSION, Verb, YES};
use crate::agent::turns::{self, AtomicUsize, Mutex};
use crate::agent::{AgentError, Ending};
use crate::clock::{Deadline, Uptime};
use crate::secret::wipe_stack;
use crate::vault::Files;

/// A thread's stack: many times what a request needs, and little to wipe.
const STACK: usize = 512 << 10;
/// How long a person may take to answer, and a little for the way there and back.
pub(super) const ASKING: Duration = Duration::from_secs(65);
/// How often it is looked whether somebody still waits for a person's answer.
pub(super) const GLANCE: Duration = Duration::from_millis(100);
/// How many may wait for a person at a time.
const QUESTIONS: usize = 4;
/// How long a save that is under way may take before the process ends all the same.
pub(super) const LAST_SAVE: Duration = Duration::from_secs(2);

/// What the supervisor gives to its child.
pub struct Inheritance {
    /// Where clients come in.
    pub listener: OwnedFd,
    /// To the supervisor: its end is the end.
    pub control: OwnedFd,
    /// The client that unlocks; the head of its request has been read.
    pub client: OwnedFd,
}

/// The line from keyholder to supervisor: 'Q', a number and a text ask a question; 'S' says that the agent is to end.
/// 'T' and a number take a question back.
pub(super) const QUESTION: u8 = b'Q';
pub(super) const TAKEN_BACK: u8 = b'T';
pub(super) const STOP: u8 = b'S';

/// Holds the key until something ends it. Everything is over when this returns: the process must end then.
///
/// # Errors
/// The supervisor has gone before anything began, or the system refused what is needed.
pub fn hold(
    files: Files,
    name: String,
    tag: Tag,
    inherited: Inheritance,
) -> Result<Ending, AgentError> {
    super::harden(c"vmfa-key");
    // One that was stopped, say, must not outlive a supervisor that was killed.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let listener = Arc::new(UnixListener::from(inherited.listener));
    let mut control = UnixStream::from(inherited.control);
    let client = UnixStream::from(inherited.client);
    let head = read_head(&mut control)?;

    let (to_main, from_workers) = mpsc::channel();
    let (wake, woken) = UnixStream::pair().map_err(AgentError::io("wake-up line"))?;
    // A terminal's ^C and a service manager's stop reach both processes; a save that is under way is let finish all the same.
    let is_told = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&is_told))
            .map_err(AgentError::io("signal"))?;
        let line = wake.try_clone().map_err(AgentError::io("signal line"))?;
        signal_hook::low_level::pipe::register(signal, line).map_err(AgentError::io("signal"))?;
    }
    let line = Arc::new(Line {
        control: Mutex::new(
            control
                .try_clone()
                .map_err(AgentError::io("control line"))?,
        ),
        answers: Mutex::new(None),
        asking: Mutex::new(0),
        waiting: AtomicUsize::new(0),
    });

    let Some(hold) = take_key(files, name, &client, head, &line) else {
        return Ok(Ending::Locked);
    };
    let shared = Arc::new(Shared {
        hold,
        tag,
        door: Arc::new(Door::default()),
        to_main: Mutex::new(to_main),
        wake,
        is_told,
    });
    wipe_stack();
    // The one who unlocked may ask on.
    start(&shared, None, Some(client))?;
    for _ in 0..SEATS {
        start(&shared, Some(Arc::clone(&listener)), None)?;
    }
    let ending = wait(&shared, &control, &woken, &from_workers, &line);
    let until = Deadline::after(LAST_SAVE);
    while !shared.hold.let_go() && !until.has_passed() {
        std::thread::sleep(Duration::from_millis(2));
    }
    wipe_stack();
    if ending == Ending::Stopped {
        let _ = control.write_all(&[STOP]);
    }
    Ok(ending)
}

/// The head of the request that the supervisor has read.
fn read_head(control: &mut UnixStream) -> Result<Head, AgentError> {
    let mut bytes = [0; REQUEST_HEAD];
    control
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| control.read_exact(&mut bytes))
        .map_err(AgentError::io("control line"))?;
    Head::read(&bytes).ok_or(AgentError::NotUnderstood)
}

/// Reads the key from the client that unlocks, opens the vault with it, and tells the client. None when there is nothing to
/// hold.
fn take_key(
    files: Files,
    name: String,
    client: &UnixStream,
    head: Head,
    line: &Arc<Line>,
) -> Option<Hold> {
    let mut inbox = Inbox::new();
    let body = inbox.rest_of(client, head).ok()?.1;
    let say = |reply: &Reply| frame::write(client, &reply.write(), PATIENCE);
    let Some(Request::Unlock { key, lifetimes }) = Request::read(Verb::Unlock, body) else {
        let _ = say(&Reply::Malformed);
        return None;
    };
    inbox.clear();
    let asker = Arc::clone(line);
    let ask = Box::new(move |summary: &Summary, is_there: &dyn Fn() -> bool| {
        asker.ask(summary, is_there)
    });
    match Hold::new(files, name, &key, lifetimes, ask) {
        Ok(hold) => {
            drop(key);
            // Who unlocked may have gone meanwhile; the key was given all the same.
            let mut asker = Asker {
                is_there: &|| true,
                yes: None,
            };
            hold.answer(Request::Status, &mut asker, &mut |reply| {
                let _ = say(&reply);
            });
            Some(hold)
        }
        Err(error) => {
            let _ = say(&super::hold::failed(&error));
            None
        }
    }
}

/// What all threads share.
struct Shared {
    hold: Hold,
    tag: Tag,
    door: Arc<Door>,
    to_main: Mutex<mpsc::Sender<Ending>>,
    wake: UnixStream,
    /// Whether a signal has said that it is to end.
    is_told: Arc<AtomicBool>,
}

impl Shared {
    fn end(&self, ending: Ending) {
        let to_main = self.to_main.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = to_main.send(ending);
        let _ = (&self.wake).write_all(&[0]);
    }
}

/// A thread that serves one connection after the other; or the given one first, and then no more.
fn start(
    shared: &Arc<Shared>,
    listener: Option<Arc<UnixListener>>,
    first: Option<UnixStream>,
) -> Result<(), AgentError> {
    let shared = Arc::clone(shared);
    let serve = move || {
        let mut inbox = Inbox::new();
        if let Some(stream) = first {
            serve(&shared, stream, &mut inbox);
        }
        let Some(listener) = listener else { return };
        loop {
            match listener.accept() {
                Ok((stream, _)) => serve(&shared, stream, &mut inbox),
                // No descriptors left, say: others will give theirs back.
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    };
    let spawned = std::thread::Builder::new().stack_size(STACK).spawn(serve);
    spawned.map(drop).map_err(AgentError::io("thread"))
}

fn serve(shared: &Shared, stream: UnixStream, inbox: &mut Inbox) {
    let served = catch_unwind(AssertUnwindSafe(|| converse(shared, stream, inbox)));
    if served.is_err() {
        // A bug of ours, and nobody knows what it left where.
        shared.end(Ending::Locked);
    }
    inbox.clear();
    wipe_stack();
}

fn converse(shared: &Shared, stream: UnixStream, inbox: &mut Inbox) {
    if peer::is_ourselves(&stream).is_err() {
        return;
    }
    let seat = shared.door.enter(stream);
    let is_there = || !frame::has_hung_up(seat.stream());
    let mut asker = Asker {
        is_there: &is_there,
        yes: None,
    };
    loop {
        // Whoever has a person's yes may take a little longer to use it.
        let begins = if asker.has_yes() { YES } else { PATIENCE };
        let (head, body) = match inbox.request(seat.stream(), begins) {
            Ok(request) => request,
            Err(NoFrame::Length) => {
                let _ = frame::write(seat.stream(), &Reply::Malformed.write(), PATIENCE);
                return;
            }
            Err(NoFrame::Closed | NoFrame::Late | NoFrame::Failed) => return,
        };
        seat.is_answered();
        let mut is_heard = true;
        let mut say = |reply: Reply| {
            is_heard = is_heard && frame::write(seat.stream(), &reply.write(), PATIENCE).is_ok();
        };
        let then = match understood(&shared.tag, shared.hold.name(), &head, body) {
            Ok(request) => {
                let renews = matches!(request, Request::Unlock { .. });
                let then = shared.hold.answer(request, &mut asker, &mut say);
                if renews {
                    // The lifetime may be a shorter one now: the alarm is set anew.
                    let _ = (&shared.wake).write_all(&[0]);
                }
                then
            }
            Err(answer) => {
                let (reply, then) = *answer;
                say(reply);
                then
            }
        };
        wipe_stack();
        match then {
            Then::GoOn if is_heard => seat.is_idle(),
            Then::GoOn => return,
            // The connection stays open until the process is gone: its end tells the client so.
            Then::Lock => {
                shared.end(Ending::Locked);
                std::thread::sleep(LAST_SAVE * 2);
                return;
            }
            Then::Stop => {
                shared.end(Ending::Stopped);
                std::thread::sleep(LAST_SAVE * 2);
                return;
            }
        }
    }
}

/// The request, or what to answer to one that can't be taken.
pub(super) fn understood(
    tag: &Tag,
    name: &str,
    head: &Head,
    body: &[u8],
) -> Result<Request, Box<(Reply, Then)>> {
    let go_on = |reply| Err(Box::new((reply, Then::GoOn)));
    match head.verb {
        // The same in every version and for every vault: whoever may not speak to an agent may still end it.
        Some(Verb::Stop) => return Err(Box::new((Reply::Done, Then::Stop))),
        _ if head.version != VERSION => {
            let program = env!("CARGO_PKG_VERSION").to_owned();
            return go_on(Reply::OtherVersion(VERSION, program));
        }
        None => return go_on(Reply::Malformed),
        Some(Verb::Status) => {}
        Some(_) if head.tag != *tag => {
            return go_on(Reply::OtherVault(name.to_owned()));
        }
        Some(_) => {}
    }
    let request = head.verb.and_then(|verb| Request::read(verb, body));
    request.map_or_else(|| go_on(Reply::Malformed), Ok)
}

/// Waits for what ends it: a client, the supervisor's end, or a lifetime's.
fn wait(
    shared: &Shared,
    control: &UnixStream,
    woken: &UnixStream,
    from_workers: &mpsc::Receiver<Ending>,
    line: &Line,
) -> Ending {
    let Ok(mut alarm) = Alarm::new() else {
        return Ending::Locked;
    };
    loop {
        let left = shared.hold.lifetime().left(Uptime::now()).least();
        if left.is_zero() || alarm.set(left).is_err() {
            return Ending::Locked;
        }
        let Ok([from_supervisor, from_worker]) = alarm.wait([control.as_fd(), woken.as_fd()])
        else {
            return Ending::Locked;
        };
        // Before the message is looked for: a byte that comes later wakes again.
        if from_worker && (&mut &*woken).read(&mut [0; 64]).is_err() {
            return Ending::Locked;
        }
        if let Ok(ending) = from_workers.try_recv() {
            return ending;
        }
        if shared.is_told.load(Ordering::SeqCst) {
            return Ending::Locked;
        }
        if from_supervisor && !line.take_answer(control) {
            return Ending::Locked;
        }
    }
}

/// Questions to the person go through the supervisor, which has the desktop.
struct Line {
    control: Mutex<UnixStream>,
    /// Where the answer to the present question goes, and the question's number.
    answers: Mutex<Option<(u32, mpsc::Sender<u8>)>>,
    /// One question at a time; the last one's number.
    asking: Mutex<u32>,
    waiting: AtomicUsize,
}

impl Line {
    fn ask(&self, summary: &Summary, is_there: &dyn Fn() -> bool) -> Allowed {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= QUESTIONS {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Allowed::Busy;
        }
        let allowed = match self.turn(is_there) {
            Some(number) => self.ask_next(summary, number, is_there),
            None => Allowed::No,
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        allowed
    }

    /// Waits until no other question is open. None when whoever asks has gone meanwhile.
    fn turn(&self, is_there: &dyn Fn() -> bool) -> Option<MutexGuard<'_, u32>> {
        loop {
            let turn = match self.asking.try_lock() {
                Ok(turn) => Some(turn),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            if !is_there() {
                return None;
            }
            if turn.is_some() {
                return turn;
            }
            turns::pause(GLANCE);
        }
    }

    fn ask_next(
        &self,
        summary: &Summary,
        mut number: MutexGuard<'_, u32>,
        is_there: &dyn Fn() -> bool,
    ) -> Allowed {
        *number = number.wrapping_add(1);
        let (give, answer) = mpsc::channel();
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = Some((*number, give));
        let text: String = clean(&summary.label()).chars().take(200).collect();
        let mut question = vec![QUESTION];
        question.extend_from_slice(&number.to_le_bytes());
        question.extend_from_slice(&(text.len() as u16).to_le_bytes());
        question.extend_from_slice(text.as_bytes());
        if !self.say(&question) {
            return Allowed::No;
        }
        let until = Deadline::after(ASKING);
        loop {
            match turns::receive(&answer, until.left().min(GLANCE)) {
                Ok(1) => return Allowed::Yes,
                Ok(2) => return Allowed::NotAsked,
                Ok(_) | Err(mpsc::RecvTimeoutError::Disconnected) => return Allowed::No,
                Err(mpsc::RecvTimeoutError::Timeout) if until.has_passed() => return Allowed::No,
                Err(mpsc::RecvTimeoutError::Timeout) if is_there() => {}
                // A yes would be for nobody: the next question takes its place.
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let mut word = vec![TAKEN_BACK];
                    word.extend_from_slice(&number.to_le_bytes());
                    self.say(&word);
                    return Allowed::No;
                }
            }
        }
    }

    /// Whether the supervisor could be told.
    fn say(&self, word: &[u8]) -> bool {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        control.write_all(word).is_ok()
    }

    /// Takes an answer from the supervisor. False when the supervisor has gone.
    fn take_answer(&self, mut control: &UnixStream) -> bool {
        let mut answer = [0; 5];
        if control.read_exact(&mut answer).is_err() {
            return false;
        }
        let [a, b, c, d, said] = answer;
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, give)) = &*answers
            && *number == u32::from_le_bytes([a, b, c, d])
        {
            let _ = give.send(said);
        }
        true
    }
}
