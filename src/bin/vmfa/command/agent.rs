//! `vmfa unlock`, `vmfa lock`, `vmfa agent`: the agent and its life.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;
use vmfa::agent::protocol::{Held, Lifetimes, Status};
use vmfa::agent::{self, AgentError, Client, Ended, Ending, Inheritance, Service, Socket};
use vmfa::clock::Deadline;
use vmfa::secret::page::Guard;

use crate::args::{Agent, AgentCommand, AgentStatus, Unlock};
use crate::command::{counted, unit};
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

/// How long a new agent may take until it listens.
const START: Duration = Duration::from_secs(10);
/// What a new agent says when it listens.
const READY: &str = "ready";
/// What it says when another one does.
const OTHER: &str = "another";

/// `vmfa unlock`.
pub(crate) fn unlock(context: &Context, input: &Unlock) -> Outcome {
    if context.global.no_agent || context.place.no_agent {
        return Err(Fault::usage(
            "`vmfa unlock` gives the key to an agent, and --no-agent (or VMFA_NO_AGENT) forbids one",
        )
        .hint("leave that out; `vmfa code` works without unlocking anything"));
    }
    let vault = context.open()?;
    let lifetimes = Lifetimes {
        whole: input.whole,
        idle: input.idle,
    };
    let until = Deadline::after(START);
    let status = loop {
        let client = match Client::connect(&context.place.agent(&context.files)) {
            Ok(client) => client,
            Err(AgentError::NotRunning) if !until.has_passed() => {
                start(context)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match client.unlock(&vault, lifetimes) {
            Ok(status) => break status,
            // It was just ending, or another one unlocked it at the same moment.
            Err(AgentError::Ended | AgentError::Locked) if !until.has_passed() => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    };
    let Some(held) = status.held else {
        return Err(Fault::new(Exit::Internal, "the agent didn't take the key"));
    };
    context.screen.remark(&format!(
        "unlocked for {}, or until {} without use",
        spelt(held.left),
        spelt(held.idle_left)
    ));
    if held.guard == Guard::Plain {
        context.screen.warn(
            "the system refused the agent locked memory (see `ulimit -l`): the key could be written to swap",
        );
    }
    Ok(())
}

/// `vmfa lock`.
pub(crate) fn lock(context: &Context) -> Outcome {
    let ended = agent::lock(&context.place.agent(&context.files))?;
    tell_ended(context, ended, "locked");
    Ok(())
}

/// `vmfa agent`.
pub(crate) fn run(context: &Context, input: &Agent) -> Outcome<Exit> {
    match &input.command {
        Some(AgentCommand::Status(input)) => status(context, input),
        Some(AgentCommand::Stop) => stop(context).map(|()| Exit::Done),
        Some(AgentCommand::Unit(input)) => unit::run(context, input).map(|()| Exit::Done),
        None if input.keyholder => keyholder(context),
        None if input.foreground => supervisor(context, input.detached),
        None => background(context).map(|()| Exit::Done),
    }
}

fn stop(context: &Context) -> Outcome {
    let ended = agent::stop(&context.place.agent(&context.files))?;
    tell_ended(context, ended, "stopped");
    Ok(())
}

/// To a person only: that nobody runs is what was wanted, and may yet be a wrong --vault.
fn tell_ended(context: &Context, ended: Ended, done: &str) {
    if context.screen.err_is_terminal() {
        context.screen.remark(match ended {
            Ended::Done => done,
            Ended::WasNone => "no agent runs",
        });
    }
}

fn background(context: &Context) -> Outcome {
    let until = Deadline::after(START);
    loop {
        // One that is just ending takes a connection in, and doesn't answer.
        let answer = Client::connect(&context.place.agent(&context.files))
            .and_then(|client| client.status());
        match answer {
            Ok(_) => return Ok(()),
            Err(AgentError::NotRunning) if !until.has_passed() => start(context)?,
            Err(AgentError::Ended) if !until.has_passed() => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn status(context: &Context, input: &AgentStatus) -> Outcome<Exit> {
    let status = match Client::connect(&context.place.agent(&context.files)) {
        Err(AgentError::NotRunning) => None,
        connected => Some(connected?.status()?),
    };
    let held = status.as_ref().and_then(|status| status.held.as_ref());
    if input.json {
        context.screen.json(&json!({
            "running": status.is_some(),
            "unlocked": held.is_some(),
            "pid": status.as_ref().map(|status| status.pid),
            "version": status.as_ref().map(|status| &status.program),
            "vault": status.as_ref().map(|status| &status.vault),
            "accounts": held.map(|held| held.accounts),
            "generation": held.map(|held| held.generation),
            "key": held.map(|held| guard(held.guard).0),
            "seconds_left": held.map(|held| held.left.as_secs()),
            "seconds_left_idle": held.map(|held| held.idle_left.as_secs()),
        }))?;
    } else {
        context.screen.line(&match &status {
            None => "no agent runs".to_owned(),
            Some(status) => told(context, status),
        })?;
    }
    Ok(match held {
        Some(_) => Exit::Done,
        None => Exit::Locked,
    })
}

/// An agent's state in a few lines.
fn told(context: &Context, status: &Status) -> String {
    let Status {
        pid,
        program,
        vault,
        held,
    } = status;
    let vault = context.place.show(Path::new(vault));
    let program = vmfa::account::text::clean(program);
    let process = format!("process {pid}, vmfa {program}");
    match held {
        None => format!("locked: {vault}\n  {process}"),
        Some(held) => format!(
            "unlocked: {vault}, {}\n  locks in {} if nobody asks for anything, in {} at the latest\n  the key is {}\n  {process}",
            counted(held.accounts as usize, "account"),
            spelt(idle(held)),
            spelt(held.left),
            guard(held.guard).1,
        ),
    }
}

fn idle(held: &Held) -> Duration {
    held.idle_left.min(held.left)
}

/// How a key is kept: for a script, and for a person.
fn guard(guard: Guard) -> (&'static str, &'static str) {
    match guard {
        Guard::Secret => (
            "memfd_secret",
            "in memory that not even the kernel maps (memfd_secret)",
        ),
        Guard::Locked => ("mlock", "in memory that is never written to swap"),
        Guard::Plain => ("plain", "in ordinary memory: the system gave no other"),
    }
}

/// A span in words, to what matters of it.
fn spelt(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, 1..=9) if !seconds.is_multiple_of(60) => {
            format!("{minutes} min {} s", seconds % 60)
        }
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Starts an agent that outlives this process, and waits until it listens.
fn start(context: &Context) -> Outcome {
    let failed = |error: std::io::Error| {
        Fault::new(
            Exit::Internal,
            format!("the agent can't be started: {error}"),
        )
    };
    let mut command = own_command(context).map_err(failed)?;
    command
        .args(["--foreground", "--detached"])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // It lives for days: what a script has open isn't kept open by it, nor is a passphrase file.
    vmfa::secret::page::descriptors::keep_from_children();
    let mut child = command.spawn().map_err(failed)?;
    let Some(said) = child.stdout.take().and_then(first_line) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(
            Fault::new(Exit::Internal, "the agent doesn't begin to listen")
                .hint("`vmfa agent --foreground` may show why; --no-agent works without it"),
        );
    };
    match said.trim_end() {
        READY => Ok(()),
        // Another one was faster: that one will do. It may just be about to listen.
        OTHER => {
            std::thread::sleep(Duration::from_millis(50));
            Ok(())
        }
        "" => Err(
            Fault::new(Exit::Internal, "the agent ended before it listened")
                .hint("`vmfa agent --foreground` shows why; --no-agent works without it"),
        ),
        why => Err(Fault::new(Exit::Internal, format!("the agent: {why}"))
            .hint("--no-agent works without it")),
    }
}

/// What a new agent says first, or as much as it said before it ended; none when it says nothing for too long.
fn first_line(mut out: ChildStdout) -> Option<String> {
    let until = Deadline::after(START);
    let mut said = Vec::new();
    while !said.contains(&b'\n') && said.len() < 4096 {
        let left = Timespec::try_from(until.left()).ok()?;
        let mut fds = [PollFd::new(&out, PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(0) => return None,
            Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut part = [0; 512];
        match out.read(&mut part) {
            Ok(0) => break,
            Ok(more) => said.extend_from_slice(&part[..more]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// This very program as an agent for this vault.
fn own_command(context: &Context) -> std::io::Result<Command> {
    let vault = std::path::absolute(&context.files.vault)?;
    let mut command = Command::new(own_program()?);
    command
        .arg0("vmfa")
        .env_clear()
        .envs(context.place.for_agent())
        // One heap for all threads: a vault that is read again by each of them in turn would else be kept once in each.
        .env("MALLOC_ARENA_MAX", "1")
        .arg("--vault")
        .arg(vault)
        .arg("agent");
    Ok(command)
}

/// The program that runs, also when its file was replaced meanwhile: an agent and its keyholder are of one version.
fn own_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    }
}

/// The supervisor. It ends when it is stopped.
fn supervisor(context: &Context, detached: bool) -> Outcome<Exit> {
    if detached {
        // Away from the terminal: its end isn't ours, and nothing is read from it or written to it.
        let _ = rustix::process::setsid();
    }
    let address = context.place.agent(&context.files);
    let spawn = |inherited: Inheritance| -> std::io::Result<Child> {
        own_command(context)?
            .arg("--keyholder")
            .stdin(Stdio::from(inherited.listener))
            .stdout(Stdio::from(inherited.control))
            .stderr(Stdio::from(inherited.client))
            .spawn()
    };
    let ready = || {
        if detached {
            let _ = writeln!(std::io::stdout(), "{READY}");
            let _ = to_nothing(&[Stream::Out]);
        } else if context.screen.err_is_terminal() {
            context
                .screen
                .remark("the agent listens; `vmfa unlock` in another terminal gives it the key");
        }
    };
    let socket = given_socket().map_or(Socket::Own, Socket::Given);
    let service = Service {
        address: &address,
        name: context.files.vault.display().to_string(),
        lingers: detached || matches!(socket, Socket::Given(_)),
        socket,
        start: &spawn,
        buses: context.place.buses(),
        ready: &ready,
    };
    match agent::supervise(service) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            let fault = Fault::from(error);
            if detached {
                let line = if fault.exit() == Exit::Offline {
                    OTHER
                } else {
                    fault.message()
                };
                let _ = writeln!(std::io::stdout(), "{line}");
                return Err(Fault::silent(fault.exit()));
            }
            Err(fault)
        }
    }
}

/// The socket that a service manager has made and handed over as standard input, as inetd did: systemd's
/// `StandardInput=socket`, launchd's `inetdCompatibility`.
fn given_socket() -> Option<OwnedFd> {
    let stdin = std::io::stdin();
    let name = rustix::net::getsockname(&stdin).ok()?;
    let is_unix = name.address_family() == rustix::net::AddressFamily::UNIX;
    // It has a name and nobody at the other end: it listens. Not every system can be asked directly.
    let is_connected = rustix::net::getpeername(&stdin).is_ok();
    (is_unix && !is_connected)
        .then(|| stdin.as_fd().try_clone_to_owned().ok())
        .flatten()
}

/// The keyholder. The key is gone when it ends.
fn keyholder(context: &Context) -> Outcome<Exit> {
    crate::fault::silent_panics();
    let own = |fd: std::io::Result<OwnedFd>| fd.map_err(|_| Fault::silent(Exit::Internal));
    let inherited = Inheritance {
        listener: own(std::io::stdin().as_fd().try_clone_to_owned())?,
        control: own(std::io::stdout().as_fd().try_clone_to_owned())?,
        client: own(std::io::stderr().as_fd().try_clone_to_owned())?,
    };
    // Nothing may print into a client's connection.
    to_nothing(&[Stream::In, Stream::Out, Stream::Err])
        .map_err(|_| Fault::silent(Exit::Internal))?;
    let address = context.place.agent(&context.files);
    let name = context.files.vault.display().to_string();
    let ended = agent::hold(context.files.clone(), name, *address.tag(), inherited);
    match ended {
        Ok(Ending::Locked | Ending::Stopped) => Ok(Exit::Done),
        Err(error) => Err(Fault::silent(Fault::from(error).exit())),
    }
}

/// One of the standard streams.
enum Stream {
    In,
    Out,
    Err,
}

/// Turns standard streams to nothing.
fn to_nothing(streams: &[Stream]) -> std::io::Result<()> {
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(OsStr::new("/dev/null"))?;
    for stream in streams {
        match stream {
            Stream::In => rustix::stdio::dup2_stdin(&null)?,
            Stream::Out => rustix::stdio::dup2_stdout(&null)?,
            Stream::Err => rustix::stdio::dup2_stderr(&null)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_spelt_to_what_matters() {
        let spelt = |seconds| spelt(Duration::from_secs(seconds));
        assert_eq!(spelt(8 * 3600), "8 h");
        assert_eq!(spelt(600), "10 min");
        assert_eq!(spelt(599), "9 min 59 s");
        assert_eq!(spelt(45), "45 s");
        assert_eq!(spelt(5400), "1 h 30 min");
        assert_eq!(spelt(90_000), "1 d 1 h");
    }
}
