//! The process that owns the socket, the signals and the keyholder, and holds no key itself.
//!
//! While there is a keyholder, that one alone accepts connections: a request never takes a way through here. Without one,
//! this process answers: "locked", or by starting a keyholder for whoever brings a key.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::agent::address::Address;
use crate::agent::alarm::wait_for;
use crate::agent::desktop::{self, Answer, Question};
use crate::agent::door::Door;
use crate::agent::end::AGENT;
use crate::agent::error::AgentError;
use crate::agent::frame::{self, NoFrame, PATIENCE};
use crate::agent::hold::Then;
use crate::agent::keyholder::{Inheritance, LAST_SAVE, QUESTION, STOP, TAKEN_BACK, understood};
use crate::agent::lock;
use crate::agent::peer;
use crate::agent::protocol::{MAX_FRAME, REQUEST_HEAD, Reply, Request, Status, Verb};
use crate::clock::{Deadline, Stopwatch};
use crate::desktop::Buses;

/// How long a keyholder may take to end by itself; a save that is under way is let finish. logind waits five seconds for the
/// key to be gone before the machine sleeps; a save that is killed leaves the vault as it was before or after.
const LEAVE: Duration = Duration::from_secs(3);
const _: () = assert!(LAST_SAVE.as_millis() < LEAVE.as_millis() && LEAVE.as_millis() < 5000);
/// How long a person may take to answer on the desktop: less than the keyholder waits for it.
const ANSWER: Duration = Duration::from_secs(60);
/// How long to wait for the lock of an agent that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// How long an agent that nobody watches stays without a key. One is started whenever a key is brought.
const LINGER: Duration = Duration::from_secs(15 * 60);
/// How often to look whether clients still find the socket: where they don't, nobody could lock.
const LOOK: Duration = Duration::from_secs(60);
/// What an unlock says: a key of 32 bytes with its length, and two lifetimes.
const MAX_UNLOCK: usize = 4 + 32 + 8 + 8;

/// Where clients come in.
pub enum Socket {
    /// Made here, at the address.
    Own,
    /// Made by a service manager, and handed to us listening.
    Given(OwnedFd),
}

/// What the supervisor needs from its caller.
pub struct Service<'a> {
    /// Where it listens.
    pub address: &'a Address,
    /// The vault's path, to be told.
    pub name: String,
    /// The socket.
    pub socket: Socket,
    /// Whether it ends after a while without a key.
    pub lingers: bool,
    /// Starts the keyholder with what it inherits.
    pub start: &'a dyn Fn(Inheritance) -> std::io::Result<Child>,
    /// Where the desktop speaks and is asked.
    pub buses: Buses,
    /// Called once clients can connect.
    pub ready: &'a dyn Fn(),
}

/// Serves until it is stopped by a client or a signal, or isn't needed any more.
///
/// # Errors
/// Another agent listens there; the directory isn't ours alone; something else stands in the socket's place; the system
/// refused what is needed.
pub fn supervise(service: Service<'_>) -> Result<(), AgentError> {
    super::harden(AGENT);
    let bound = Bound::new(service.address, service.socket)?;
    let (hangups, hup) = UnixStream::pair().map_err(AgentError::io("signal line"))?;
    let (terms, term) = UnixStream::pair().map_err(AgentError::io("signal line"))?;
    for (signal, line) in [(SIGHUP, &hup), (SIGTERM, &term), (SIGINT, &term)] {
        let line = line.try_clone().map_err(AgentError::io("signal line"))?;
        signal_hook::low_level::pipe::register(signal, line).map_err(AgentError::io("signal"))?;
    }
    let (wake, woken) = UnixStream::pair().map_err(AgentError::io("wake-up line"))?;
    let (to_main, events) = mpsc::channel();
    let post = Post {
        to_main,
        wake: Arc::new(wake),
    };
    let cues = post.clone();
    desktop::watch(&service.buses, peer::own_uid(), move |_sleep_or_lock| {
        // A delay that logind grants ends after a few seconds anyway.
        cues.has_locked();
    });
    let mut supervisor = Supervisor {
        address: service.address,
        name: service.name,
        lingers: service.lingers,
        start: service.start,
        session: service.buses.session,
        bound,
        door: Arc::new(Door::default()),
        post,
        held: None,
        is_held: Arc::default(),
    };
    (service.ready)();
    let ended = supervisor.run(&hangups, &terms, &woken, &events);
    supervisor.lock();
    ended
}

/// What happens besides the signals.
enum Event {
    /// A client brings a key: its connection, and the head of its request.
    Unlock(UnixStream, [u8; REQUEST_HEAD]),
    /// The key must go; tell here when it is gone.
    Lock(mpsc::Sender<()>),
    /// A client ends the agent.
    Stop,
}

/// How threads reach the main one.
#[derive(Clone)]
struct Post {
    to_main: mpsc::Sender<Event>,
    wake: Arc<UnixStream>,
}

impl Post {
    fn send(&self, event: Event) {
        let _ = self.to_main.send(event);
        let _ = (&*self.wake).write_all(&[0]);
    }

    /// Has the key go. False when it hasn't in time.
    fn has_locked(&self) -> bool {
        let (gone, is_gone) = mpsc::channel();
        self.send(Event::Lock(gone));
        // After that time it is killed, which doesn't take long.
        is_gone.recv_timeout(LEAVE * 2).is_ok()
    }
}

/// The keyholder, while there is one.
struct Held {
    child: Child,
    control: UnixStream,
    /// The last question that it put, and whether somebody waits for the answer.
    asked: Option<([u8; 4], Arc<AtomicBool>)>,
}

impl Held {
    /// Nobody waits for the answer to the last question any more: it goes from the desktop.
    fn take_back(&mut self) {
        if let Some((_, is_wanted)) = self.asked.take() {
            is_wanted.store(false, Ordering::Relaxed);
        }
    }
}

struct Supervisor<'a> {
    address: &'a Address,
    name: String,
    lingers: bool,
    start: &'a dyn Fn(Inheritance) -> std::io::Result<Child>,
    /// The desktop's bus, where it can be asked.
    session: Option<String>,
    bound: Bound,
    door: Arc<Door>,
    post: Post,
    held: Option<Held>,
    /// The same, for the threads that serve clients.
    is_held: Arc<AtomicBool>,
}

impl Supervisor<'_> {
    fn run(
        &mut self,
        hangups: &UnixStream,
        terms: &UnixStream,
        woken: &UnixStream,
        events: &mpsc::Receiver<Event>,
    ) -> Result<(), AgentError> {
        let (mut looked, mut idle) = (Stopwatch::start(), Stopwatch::start());
        loop {
            let ready = self.wait(hangups, terms, woken)?;
            if ready.term {
                return Ok(());
            }
            if looked.elapsed() >= LOOK {
                if !self.bound.is_in_place() {
                    return Ok(());
                }
                looked = Stopwatch::start();
            }
            if !ready.nothing() || self.held.is_some() || self.door.taken() > 0 {
                idle = Stopwatch::start();
            }
            if ready.hangup {
                drain(hangups);
                self.lock();
            }
            if ready.woken {
                drain(woken);
            }
            let mut is_changed = ready.hangup;
            while let Ok(event) = events.try_recv() {
                is_changed = true;
                match event {
                    Event::Unlock(client, head) => self.unlock(client, &head),
                    Event::Lock(gone) => {
                        self.lock();
                        let _ = gone.send(());
                    }
                    Event::Stop => return Ok(()),
                }
            }
            if is_changed {
                // What was ready may be another keyholder's line by now, or a client that has been let in already.
                continue;
            }
            if ready.control && self.hear() == Heard::Stop {
                return Ok(());
            }
            if ready.client {
                self.accept();
            }
            if self.lingers && idle.elapsed() >= LINGER {
                return Ok(());
            }
        }
    }

    /// Waits for whatever comes first.
    fn wait(
        &self,
        hangups: &UnixStream,
        terms: &UnixStream,
        woken: &UnixStream,
    ) -> Result<Ready, AgentError> {
        let in_from = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = vec![
            in_from(hangups.as_fd()),
            in_from(terms.as_fd()),
            in_from(woken.as_fd()),
        ];
        // The clients are the keyholder's while there is one.
        fds.push(match &self.held {
            Some(held) => in_from(held.control.as_fd()),
            None => in_from(self.bound.listener.as_fd()),
        });
        let look = Timespec {
            tv_sec: LOOK.as_secs().cast_signed(),
            tv_nsec: 0,
        };
        wait_for(&mut fds, Some(&look)).map_err(AgentError::io("wait"))?;
        let [hangup, term, woken, last] = [0, 1, 2, 3].map(|at| !fds[at].revents().is_empty());
        Ok(Ready {
            hangup,
            term,
            woken,
            control: last && self.held.is_some(),
            client: last && self.held.is_none(),
        })
    }

    /// Takes a client in while there is no keyholder; a thread of its own answers it.
    fn accept(&self) {
        let Ok((stream, _)) = self.bound.listener.accept() else {
            return;
        };
        if peer::is_ourselves(&stream).is_err() || !self.door.has_room(PATIENCE) {
            return;
        }
        let seat = self.door.enter(stream);
        let (post, tag, name) = (self.post.clone(), *self.address.tag(), self.name.clone());
        let is_held = Arc::clone(&self.is_held);
        let serve = move || {
            let stream = seat.stream();
            loop {
                let (head, bytes) = match frame::read_head(stream) {
                    Ok(head) => head,
                    Err(NoFrame::Length) => {
                        let _ = frame::write(stream, &Reply::Malformed.write(), PATIENCE);
                        return;
                    }
                    Err(NoFrame::Closed | NoFrame::Late | NoFrame::Failed) => return,
                };
                // A key is not read here, but by the process that will hold it.
                let brings_key =
                    head.verb == Some(Verb::Unlock) && head.version == super::protocol::VERSION;
                if brings_key && head.tag == tag {
                    if head.body > MAX_UNLOCK {
                        let _ = frame::write(stream, &Reply::Malformed.write(), PATIENCE);
                    } else if frame::is_there(stream, head.body)
                        && let Ok(client) = stream.try_clone()
                    {
                        seat.is_answered();
                        post.send(Event::Unlock(client, bytes));
                    }
                    return;
                }
                let Ok(body) = frame::read_body(stream, head.body.min(MAX_FRAME)) else {
                    return;
                };
                seat.is_answered();
                let (reply, then) = match understood(&tag, &name, &head, &body) {
                    // Another client may have unlocked since this one came in.
                    Ok(Request::Lock) if !post.has_locked() => return,
                    // It asks again, and the keyholder hears it.
                    Ok(request) if request.may_be_repeated() && is_held.load(Ordering::SeqCst) => {
                        return;
                    }
                    Ok(Request::Status) => (locked_status(&name), Then::GoOn),
                    Ok(Request::Lock) => (Reply::Done, Then::Lock),
                    Ok(_) => (Reply::Locked, Then::GoOn),
                    Err(answer) => *answer,
                };
                let is_heard = frame::write(stream, &reply.write(), PATIENCE).is_ok();
                match then {
                    Then::GoOn if is_heard => seat.is_idle(),
                    // Nothing is held: the end of the connection says so.
                    Then::GoOn | Then::Lock => return,
                    // The connection ends with this process.
                    Then::Stop => {
                        post.send(Event::Stop);
                        std::thread::sleep(LEAVE * 2);
                        return;
                    }
                }
            }
        };
        let _ = std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(serve);
    }

    /// Starts a keyholder for a client that brings a key.
    fn unlock(&mut self, client: UnixStream, head: &[u8; REQUEST_HEAD]) {
        if self.held.is_some() {
            // Another was faster: this one asks again, and the keyholder will hear it.
            return;
        }
        self.is_held.store(true, Ordering::SeqCst);
        self.held = self.try_unlock(client, head).ok();
        self.is_held.store(self.held.is_some(), Ordering::SeqCst);
    }

    fn try_unlock(&self, client: UnixStream, head: &[u8; REQUEST_HEAD]) -> std::io::Result<Held> {
        let (mut control, inherited) = UnixStream::pair()?;
        control.write_all(head)?;
        let refuse = client.try_clone()?;
        let child = (self.start)(Inheritance {
            listener: self.bound.listener.try_clone()?.into(),
            control: inherited.into(),
            client: client.into(),
        });
        match child {
            Ok(child) => Ok(Held {
                child,
                control,
                asked: None,
            }),
            Err(error) => {
                let reply = Reply::Failed {
                    kind: crate::failure::Kind::Internal,
                    message: format!(
                        "the agent can't start the process that holds the key: {error}"
                    ),
                    hint: String::new(),
                };
                let _ = frame::write(&refuse, &reply.write(), PATIENCE);
                Err(error)
            }
        }
    }

    /// What the keyholder says, or that it has ended.
    fn hear(&mut self) -> Heard {
        let Some(held) = &mut self.held else {
            return Heard::Nothing;
        };
        match read_word(&mut held.control) {
            Some(Word::Stop) => Heard::Stop,
            Some(Word::Question(number, text)) => {
                if let Ok(mut control) = held.control.try_clone() {
                    let is_wanted = Arc::new(AtomicBool::new(true));
                    held.asked = Some((number, Arc::clone(&is_wanted)));
                    let session = self.session.clone();
                    let asks = move || {
                        let mut answer = [0; 5];
                        answer[..4].copy_from_slice(&number);
                        answer[4] = match ask(session.as_deref(), &text, &is_wanted) {
                            Answer::No => 0,
                            Answer::Yes => 1,
                            Answer::CannotAsk => 2,
                        };
                        let _ = control.write_all(&answer);
                    };
                    let _ = std::thread::Builder::new().spawn(asks);
                }
                Heard::Nothing
            }
            Some(Word::TakenBack(number)) => {
                if held.asked.as_ref().is_some_and(|(last, _)| *last == number) {
                    held.take_back();
                }
                Heard::Nothing
            }
            None => {
                self.lock();
                Heard::Nothing
            }
        }
    }

    /// Ends the keyholder; the key is gone when this returns.
    fn lock(&mut self) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        held.take_back();
        // The end of the line ends it; a copy of ours in a thread that asks mustn't keep it open.
        let _ = held.control.shutdown(std::net::Shutdown::Both);
        let until = Deadline::after(LEAVE);
        loop {
            match held.child.try_wait() {
                Ok(None) if !until.has_passed() => std::thread::sleep(Duration::from_millis(1)),
                Ok(Some(_)) => break,
                Ok(None) | Err(_) => {
                    let _ = held.child.kill();
                    let _ = held.child.wait();
                    break;
                }
            }
        }
        self.is_held.store(false, Ordering::SeqCst);
    }
}

/// Asks the person on the desktop, if there is one.
fn ask(session: Option<&str>, label: &str, is_wanted: &AtomicBool) -> Answer {
    let question = Question {
        title: format!("Give a code of {label}?"),
        text: "A program asks the vmfa agent for it.".into(),
    };
    session.map_or(Answer::CannotAsk, |session| {
        desktop::ask(session, &question, ANSWER, &|| {
            is_wanted.load(Ordering::Relaxed)
        })
    })
}

#[derive(PartialEq, Eq)]
enum Heard {
    Nothing,
    Stop,
}

/// What is ready.
struct Ready {
    hangup: bool,
    term: bool,
    woken: bool,
    control: bool,
    client: bool,
}

impl Ready {
    /// The time was over.
    fn nothing(&self) -> bool {
        !(self.hangup || self.term || self.woken || self.control || self.client)
    }
}

fn locked_status(name: &str) -> Reply {
    Reply::Status(Status {
        pid: std::process::id(),
        program: env!("CARGO_PKG_VERSION").into(),
        vault: name.into(),
        held: None,
    })
}

/// What a keyholder says on its line.
enum Word {
    Question([u8; 4], String),
    TakenBack([u8; 4]),
    Stop,
}

/// None when it says nothing more.
fn read_word(control: &mut UnixStream) -> Option<Word> {
    let mut word = [0];
    control.set_read_timeout(Some(PATIENCE)).ok()?;
    control.read_exact(&mut word).ok()?;
    match word {
        [STOP] => Some(Word::Stop),
        [QUESTION] => {
            let (mut number, mut len) = ([0; 4], [0; 2]);
            control.read_exact(&mut number).ok()?;
            control.read_exact(&mut len).ok()?;
            let mut text = vec![0; usize::from(u16::from_le_bytes(len))];
            control.read_exact(&mut text).ok()?;
            Some(Word::Question(number, String::from_utf8(text).ok()?))
        }
        [TAKEN_BACK] => {
            let mut number = [0; 4];
            control.read_exact(&mut number).ok()?;
            Some(Word::TakenBack(number))
        }
        _other => None,
    }
}

/// Takes all that is in a line.
fn drain(line: &UnixStream) {
    let _ = line.set_nonblocking(true);
    let mut bytes = [0; 64];
    while matches!((&*line).read(&mut bytes), Ok(1..)) {}
}

/// The socket, listening.
struct Bound {
    listener: UnixListener,
    /// Of a socket made here: which file it is.
    own: Option<(PathBuf, u64)>,
    /// Held as long as we listen; after the socket's file, which is deleted before.
    _lock: Option<File>,
}

impl Bound {
    fn new(address: &Address, socket: Socket) -> Result<Self, AgentError> {
        match socket {
            // Whoever made it sees to it that there is one only; the lock tells clients who it is.
            Socket::Given(listener) => {
                let listener = UnixListener::from(listener);
                let is_here = listener
                    .local_addr()
                    .is_ok_and(|own| own.as_pathname() == Some(address.socket()))
                    && peer::is_private(address.directory()).is_ok();
                let lock = is_here.then(|| lock::take(&address.lock(), LOCK_PATIENCE).ok());
                Ok(Self {
                    listener,
                    own: None,
                    _lock: lock.flatten(),
                })
            }
            Socket::Own => Self::make(address),
        }
    }

    fn make(address: &Address) -> Result<Self, AgentError> {
        address.make_directory()?;
        let lock = lock::take(&address.lock(), LOCK_PATIENCE)?;
        let path = address.socket();
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(AgentError::io_at("socket", path)(error)),
            // Left behind by an agent that was killed: nobody holds the lock, so nobody of ours listens. A service manager's
            // socket is listened at without the lock.
            Ok(found) if found.file_type().is_socket() && found.uid() == peer::own_uid() => {
                // One that takes no connections in is there, too.
                if let Ok(_) | Err(AgentError::Silent) = peer::connect(path, Duration::ZERO) {
                    return Err(AgentError::RunsAlready);
                }
                fs::remove_file(path).map_err(AgentError::io_at("socket", path))?;
            }
            Ok(_) => {
                return Err(AgentError::InTheWay {
                    path: path.into(),
                    what: "is no socket of yours, and is left alone",
                });
            }
        }
        // `harden` has set the umask: nobody else may connect from the first moment on.
        let listener = UnixListener::bind(path).map_err(AgentError::io_at("socket", path))?;
        let inode = fs::symlink_metadata(path)
            .map_err(AgentError::io_at("socket", path))?
            .ino();
        Ok(Self {
            listener,
            own: Some((path.into(), inode)),
            _lock: Some(lock),
        })
    }

    /// Whether clients still find it: a socket that was deleted, or replaced by another, is heard of by nobody.
    fn is_in_place(&self) -> bool {
        match &self.own {
            None => true,
            Some((path, inode)) => {
                fs::symlink_metadata(path).is_ok_and(|found| found.ino() == *inode)
            }
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Some((path, inode)) = &self.own
            && fs::symlink_metadata(path).is_ok_and(|found| found.ino() == *inode)
        {
            let _ = fs::remove_file(path);
        }
    }
}
