//! A connection to a bus: saying who we are, calling and being told.

use std::collections::VecDeque;
use std::io::{IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, recvmsg, send, socket_with,
};

use super::address::sockets;
use super::wire::{self, FIXED_LEN, Kind, Malformed, Message, Method, Values};
use crate::clock::Deadline;

/// The bus's own name. Nobody else can send under it.
pub(crate) const DRIVER: &str = "org.freedesktop.DBus";
const DRIVER_PATH: &str = "/org/freedesktop/DBus";

/// A message longer than this is none of those that we wait for: it is passed over.
const MAX_KEPT: u64 = 64 << 10;
/// So many messages may wait while an answer is awaited.
const MAX_WAITING: usize = 1024;
/// As many descriptors as a bus lets into one message.
const MAX_FDS: usize = 16;
/// A line of the greeting.
const MAX_LINE: usize = 1024;

/// The connection can't be used any more, or never could.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl From<Malformed> for Lost {
    fn from(_: Malformed) -> Self {
        Self
    }
}

impl From<Errno> for Lost {
    fn from(_: Errno) -> Self {
        Self
    }
}

/// Why there is no answer to a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The other side said no, or nothing in time.
    Refused,
    /// The connection is lost.
    Lost,
}

impl From<Lost> for Unanswered {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

impl From<Errno> for Unanswered {
    fn from(_: Errno) -> Self {
        Self::Lost
    }
}

/// Whether messages may bring file descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    Taken,
    Refused,
}

/// A connection to a bus.
#[derive(Debug)]
pub(crate) struct Bus {
    /// Never blocks, and isn't inherited.
    socket: OwnedFd,
    descriptors: Descriptors,
    received: Vec<u8>,
    /// How much of what comes belongs to a message that is passed over.
    to_skip: u64,
    fds: VecDeque<OwnedFd>,
    /// Came while an answer was awaited.
    waiting: VecDeque<Message>,
    serial: u32,
    /// The unique name that the bus gave us.
    name: String,
}

impl Bus {
    /// Connects to the first socket of an address that answers, and greets.
    pub(crate) fn connect(
        address: &str,
        descriptors: Descriptors,
        deadline: Deadline,
    ) -> Result<Self, Lost> {
        for socket in sockets(address) {
            if let Ok(socket) = open(&socket, deadline) {
                return Self::greet(socket, descriptors, deadline);
            }
        }
        Err(Lost)
    }

    fn greet(socket: OwnedFd, descriptors: Descriptors, deadline: Deadline) -> Result<Self, Lost> {
        let mut bus = Self {
            socket,
            descriptors,
            received: Vec::new(),
            to_skip: 0,
            fds: VecDeque::new(),
            waiting: VecDeque::new(),
            serial: 0,
            name: String::new(),
        };
        // The user is known by the socket's credentials; the number says which of them is meant.
        let mut greeting = b"\0AUTH EXTERNAL ".to_vec();
        for digit in rustix::process::geteuid().as_raw().to_string().bytes() {
            let _ = write!(greeting, "{digit:02x}");
        }
        greeting.extend_from_slice(b"\r\n");
        bus.send(&greeting, deadline)?;
        if !bus.line(deadline)?.starts_with(b"OK ") {
            return Err(Lost);
        }
        if descriptors == Descriptors::Taken {
            bus.send(b"NEGOTIATE_UNIX_FD\r\n", deadline)?;
            // A bus that passes none says so, and is of use all the same.
            bus.line(deadline)?;
        }
        bus.send(b"BEGIN\r\n", deadline)?;
        match bus.ask_driver("Hello", &Values::default(), deadline) {
            Ok(answer) => {
                let name = answer.values("s").and_then(|mut values| values.string());
                bus.name = name.unwrap_or_default().to_owned();
                Ok(bus)
            }
            Err(Unanswered::Refused | Unanswered::Lost) => Err(Lost),
        }
    }

    /// The unique name that the bus gave us.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks the bus to pass on the signals that match a rule.
    pub(crate) fn add_match(&mut self, rule: &str, deadline: Deadline) -> Result<(), Lost> {
        match self.ask_driver("AddMatch", &Values::default().string(rule), deadline) {
            Ok(_) => Ok(()),
            Err(Unanswered::Refused | Unanswered::Lost) => Err(Lost),
        }
    }

    /// Who has a name now: a unique name.
    pub(crate) fn owner(&mut self, name: &str, deadline: Deadline) -> Result<Option<String>, Lost> {
        let name = Values::default().string(name);
        match self.ask_driver("GetNameOwner", &name, deadline) {
            Ok(answer) => Ok(answer
                .values("s")
                .and_then(|mut values| values.string().map(str::to_owned))),
            Err(Unanswered::Refused) => Ok(None),
            Err(Unanswered::Lost) => Err(Lost),
        }
    }

    /// Has a name's owner started, if the bus knows how to.
    pub(crate) fn start(&mut self, name: &str, deadline: Deadline) -> Result<(), Unanswered> {
        let values = Values::default().string(name).u32(0);
        self.ask_driver("StartServiceByName", &values, deadline)
            .map(|_| ())
    }

    fn ask_driver(
        &mut self,
        member: &str,
        values: &Values,
        deadline: Deadline,
    ) -> Result<Message, Unanswered> {
        let method = Method {
            destination: DRIVER,
            path: DRIVER_PATH,
            interface: DRIVER,
            member,
        };
        self.call(&method, values, deadline)
    }

    /// Calls a method and waits for its answer. What else comes meanwhile is kept for [`Self::next`].
    pub(crate) fn call(
        &mut self,
        method: &Method<'_>,
        values: &Values,
        deadline: Deadline,
    ) -> Result<Message, Unanswered> {
        self.serial = self.serial.wrapping_add(1).max(1);
        let serial = self.serial;
        self.send(&method.call(serial, values), deadline)?;
        loop {
            let Some(message) = self.receive(Some(deadline))? else {
                return Err(Unanswered::Refused);
            };
            // Anybody on the bus may send something that looks like an answer.
            let answers = message.reply_to == Some(serial) && message.sender == method.destination;
            match message.kind {
                Kind::Return if answers => return Ok(message),
                Kind::Error if answers => return Err(Unanswered::Refused),
                Kind::Signal if self.waiting.len() < MAX_WAITING => self.waiting.push_back(message),
                Kind::Signal => return Err(Unanswered::Lost),
                // Nobody has a reason to call us, and an answer that nobody awaits any more came too late.
                Kind::Return | Kind::Error | Kind::Call | Kind::Other => {}
            }
        }
    }

    /// The next signal; nothing when the deadline has passed. Without a deadline it may take for ever.
    pub(crate) fn next(&mut self, deadline: Option<Deadline>) -> Result<Option<Message>, Lost> {
        if let Some(message) = self.waiting.pop_front() {
            return Ok(Some(message));
        }
        loop {
            match self.receive(deadline)? {
                Some(message) if message.kind != Kind::Signal => {}
                signal_or_none => return Ok(signal_or_none),
            }
        }
    }

    /// The next message of any kind.
    fn receive(&mut self, deadline: Option<Deadline>) -> Result<Option<Message>, Lost> {
        loop {
            // Somebody who never stops talking mustn't keep us for longer than was said.
            if deadline.is_some_and(Deadline::has_passed) {
                return Ok(None);
            }
            if let Some(message) = self.take_message()? {
                return Ok(Some(message));
            }
            if !self.read_more(deadline)? {
                return Ok(None);
            }
        }
    }

    /// A message out of what was received, if it is all there.
    fn take_message(&mut self) -> Result<Option<Message>, Lost> {
        let skipped = self.to_skip.min(self.received.len() as u64);
        self.received.drain(..skipped as usize);
        self.to_skip -= skipped;
        let Some(fixed) = self.received.first_chunk::<FIXED_LEN>() else {
            return Ok(None);
        };
        let length = wire::length(fixed)?;
        if length > MAX_KEPT {
            if self.descriptors == Descriptors::Taken {
                // Unread, it doesn't tell how many of the descriptors are its own: those of later ones would be mistaken.
                return Err(Lost);
            }
            self.to_skip = length;
            return Ok(None);
        }
        let length = length as usize;
        let Some(bytes) = self.received.get(..length) else {
            return Ok(None);
        };
        let mut message = Message::read(bytes)?;
        self.received.drain(..length);
        // Descriptors stand in no message: they come in the order of the messages that announce them.
        let count = message.fd_count as usize;
        if count > self.fds.len() {
            return Err(Lost);
        }
        message.fds = self.fds.drain(..count).collect();
        Ok(Some(message))
    }

    fn line(&mut self, deadline: Deadline) -> Result<Vec<u8>, Lost> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let mut line: Vec<u8> = self.received.drain(..end + 2).collect();
                line.truncate(end);
                return Ok(line);
            }
            if self.received.len() > MAX_LINE || !self.read_more(Some(deadline))? {
                return Err(Lost);
            }
        }
    }

    /// Reads what there is, at least a byte; false when the deadline has passed first.
    fn read_more(&mut self, deadline: Option<Deadline>) -> Result<bool, Lost> {
        let mut bytes = [0; 4096];
        loop {
            if !ready(&self.socket, PollFlags::IN, deadline)? {
                return Ok(false);
            }
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            // Not inherited: a delay lock in a child's hands would hold up the machine's sleep.
            let came = recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            );
            let len = match came {
                Ok(came) => came.bytes,
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(_) => return Err(Lost),
            };
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(fds) = message {
                    self.fds.extend(fds);
                }
            }
            // More than a message's worth that no message announced.
            if len == 0 || self.fds.len() > 4 * MAX_FDS {
                return Err(Lost);
            }
            self.received.extend_from_slice(&bytes[..len]);
            return Ok(true);
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Lost> {
        while !bytes.is_empty() {
            match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(len) => bytes = &bytes[len..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !ready(&self.socket, PollFlags::OUT, Some(deadline))? {
                        return Err(Lost);
                    }
                }
                Err(_) => return Err(Lost),
            }
        }
        Ok(())
    }
}

fn open(address: &SocketAddrUnix, deadline: Deadline) -> Result<OwnedFd, Lost> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    loop {
        match connect(&socket, address) {
            Ok(()) => return Ok(socket),
            Err(Errno::INTR) => {}
            // As many others wait to be let in as may: nothing tells when there is room again.
            Err(Errno::AGAIN) if !deadline.has_passed() => {
                std::thread::sleep(Duration::from_millis(50).min(deadline.left()));
            }
            Err(_) => return Err(Lost),
        }
    }
}

/// Waits until the socket can be read or written; false when the deadline has passed first.
fn ready(socket: &OwnedFd, what: PollFlags, deadline: Option<Deadline>) -> Result<bool, Lost> {
    loop {
        let left = deadline.map(Deadline::left);
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(socket, what)], left.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(_) => return Err(Lost),
        }
    }
}
