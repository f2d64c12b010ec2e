//! `vmfa aws credentials`, `exec` and `env`: a session for another program.

use std::process::Command;

use vmfa::aws::process::{self, Shell};
use vmfa::aws::session::{self, Credentials};
use zeroize::Zeroizing;

use crate::args::aws::{self as args, Env, Exec, Session};
use crate::command::aws::Trip;
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

/// The session that is wanted, and the region that goes with it.
pub(super) fn of(context: &Context, input: &Session) -> Outcome<(Credentials, Option<String>)> {
    let mut trip = Trip::for_session(context, input)?;
    trip.begin()?;
    let Trip {
        mut desk,
        mut calls,
        plan,
        region,
    } = trip;
    let session = if input.new {
        session::new_session(&mut desk, &mut calls, &plan)
    } else {
        session::session(&mut desk, &mut calls, &plan)
    };
    let session = desk.settle(session)?;
    desk.close();
    Ok((session, region))
}

pub(super) fn credentials(context: &Context, input: &args::Credentials) -> Outcome {
    context.screen.needs_stdout()?;
    let (session, _) = of(context, &input.session)?;
    context.screen.line(&session::process_answer(&session))
}

pub(super) fn env(context: &Context, input: &Env) -> Outcome {
    let shell = match input.shell {
        args::Shell::Sh => Shell::Posix,
        args::Shell::Fish => Shell::Fish,
        args::Shell::Powershell => Shell::PowerShell,
    };
    if input.unset {
        return context.screen.raw(process::unsets(shell).as_bytes());
    }
    context.screen.needs_stdout()?;
    let (session, region) = of(context, &input.session)?;
    context
        .screen
        .raw(process::exports(&session, region.as_deref(), shell).as_bytes())?;
    if context.screen.err_is_terminal() {
        let words = match shell {
            Shell::Posix => "eval \"$(vmfa aws env --unset)\"",
            Shell::Fish => "vmfa aws env --unset --shell fish | source",
            Shell::PowerShell => {
                "vmfa aws env --unset --shell powershell | Out-String | Invoke-Expression"
            }
        };
        context.screen.remark(&format!(
            "until {}; to take it out again: {words}",
            process::iso8601(session.expires)
        ));
    }
    Ok(())
}

pub(super) fn exec(context: &Context, input: &Exec) -> Outcome<Exit> {
    let Some((program, arguments)) = input.command.split_first() else {
        return Err(Fault::usage("which command?"));
    };
    let (session, region) = of(context, &input.session)?;
    let variables: Vec<(&str, Zeroizing<String>)> = process::variables(&session, region.as_deref());
    let mut command = Command::new(program);
    command.args(arguments);
    for name in process::UNSET {
        command.env_remove(name);
    }
    for (name, value) in &variables {
        command.env(name, value.as_str());
    }
    drop(session);
    let error = become_it(&mut command)?;
    let name = vmfa::account::text::clean(&program.to_string_lossy()).into_owned();
    Err(match error.kind() {
        std::io::ErrorKind::NotFound => {
            Fault::new(Exit::NotFound, format!("{name}: no such command"))
        }
        _ => Fault::new(Exit::Internal, format!("{name}: {error}")),
    })
}

/// This process becomes the command: its signals and its exit code are the command's own.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Outcome<std::io::Error> {
    use std::os::unix::process::CommandExt as _;
    Ok(command.exec())
}

/// Where no process becomes another: it is waited for, and its exit code passed on.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Outcome<std::io::Error> {
    match command.status() {
        Ok(status) if status.success() => Err(Fault::silent(Exit::Done)),
        Ok(_) => Err(Fault::silent(Exit::Internal)),
        Err(error) => Ok(error),
    }
}
