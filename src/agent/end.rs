//! Ending an agent, also one that doesn't answer: what holds a key must be able to lose it.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::agent::address::Address;
use crate::agent::client::Client;
use crate::agent::error::AgentError;
use crate::agent::lock::{Holder, holder};
use crate::agent::peer;
use crate::clock::Deadline;

/// The name of the supervisor's process.
pub(super) const AGENT: &std::ffi::CStr = c"vmfa-agent";
/// How long an agent that begins or ends may have the lock and no socket.
const SETTLE: Duration = Duration::from_secs(3);
/// How long an agent may take to be gone once it has said so, or was told by a signal: longer than a keyholder may.
const GO: Duration = Duration::from_secs(5);
/// The same for one that was killed.
const DIE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(2);

/// What ending something came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There was no agent.
    WasNone,
    /// The key is gone.
    Done,
}

/// Has the key at this address forgotten; it is gone when this returns. An agent that doesn't answer is ended.
///
/// # Errors
/// Something that isn't an agent listens there; another user's; the agent couldn't be ended.
pub fn lock(address: &Address) -> Result<Ended, AgentError> {
    end(address, Client::lock)
}

/// Ends the agent at this address; it is gone when this returns, and another one can begin.
///
/// # Errors
/// As [`lock`].
pub fn stop(address: &Address) -> Result<Ended, AgentError> {
    let ended = end(address, Client::stop)?;
    if is_free(address, GO) {
        Ok(ended)
    } else {
        force(address)
    }
}

fn end(address: &Address, how: fn(Client) -> Result<(), AgentError>) -> Result<Ended, AgentError> {
    let settled = Deadline::after(SETTLE);
    let mut none = Ended::WasNone;
    loop {
        match Client::connect(address).and_then(how) {
            Ok(()) => return Ok(Ended::Done),
            Err(AgentError::NotRunning) => match holder(&address.lock()) {
                Holder::Nobody => return Ok(none),
                Holder::Somebody(_) if !settled.has_passed() => std::thread::sleep(PAUSE),
                // Its socket was taken away: nobody can ask it for anything, and the key is there.
                Holder::Somebody(_) => return force(address),
            },
            // It closed the connection for others, or has just ended.
            Err(AgentError::Ended) if !settled.has_passed() => {
                none = Ended::Done;
                std::thread::sleep(PAUSE);
            }
            Err(AgentError::Silent | AgentError::Ended | AgentError::NotUnderstood) => {
                return force(address);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Ends the process that has the lock: by asking, then by force.
fn force(address: &Address) -> Result<Ended, AgentError> {
    for (signal, patience) in [(Signal::TERM, GO), (Signal::KILL, DIE)] {
        match holder(&address.lock()) {
            Holder::Nobody => break,
            Holder::Somebody(Some(pid)) if is_agent(pid) => {
                let _ = kill_process(pid, signal);
            }
            Holder::Somebody(_) => return Err(unending(address)),
        }
        if is_free(address, patience) {
            break;
        }
    }
    if holder(&address.lock()) != Holder::Nobody {
        return Err(unending(address));
    }
    // The keyholder has the socket, too, and loses it after its memory.
    let until = Deadline::after(DIE);
    while !until.has_passed() {
        match peer::connect(address.socket(), Duration::ZERO) {
            Err(AgentError::NotRunning) => return Ok(Ended::Done),
            Ok(_) | Err(_) => std::thread::sleep(PAUSE),
        }
    }
    // A service manager goes on listening, which is no agent.
    match Client::connect(address).and_then(|client| client.status()) {
        Ok(status) if status.held.is_none() => Ok(Ended::Done),
        Ok(_) | Err(_) => Err(unending(address)),
    }
}

fn is_free(address: &Address, patience: Duration) -> bool {
    let until = Deadline::after(patience);
    while holder(&address.lock()) != Holder::Nobody {
        if until.has_passed() {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

fn unending(address: &Address) -> AgentError {
    AgentError::Unending {
        path: address.socket().to_owned(),
    }
}

/// Whether that number is an agent's here. In a container of its own, the same directory may be another one's.
#[cfg(target_os = "linux")]
fn is_agent(pid: Pid) -> bool {
    use std::io::Read as _;
    let Ok(file) = std::fs::File::open(format!("/proc/{}/comm", pid.as_raw_pid())) else {
        return false;
    };
    let mut name = Vec::new();
    let read = file.take(64).read_to_end(&mut name);
    read.is_ok() && name.trim_ascii_end() == AGENT.to_bytes()
}

#[cfg(not(target_os = "linux"))]
fn is_agent(_pid: Pid) -> bool {
    true
}
