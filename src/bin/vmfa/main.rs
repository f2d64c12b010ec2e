//! The terminal: arguments, prompts, printing. The only place that reads the environment, asks a person, or prints.

mod args;
#[cfg(feature = "aws")]
#[allow(dead_code, reason = "the commands of `vmfa aws` use it")]
mod aws_files;
#[cfg(feature = "screen")]
mod capture;
mod clipboard;
mod command;
mod credential;
mod fault;
mod files;
#[cfg(test)]
mod fixture;
mod fuzzy;
mod hot;
#[cfg(unix)]
mod pick;
mod place;
mod plain;
mod print;
mod prompt;
mod strength;
#[cfg(unix)]
mod tty;
#[cfg(feature = "tui")]
mod tui;
mod unlock;
#[cfg(feature = "tui")]
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    fault::quiet_panics();
    let arguments: Vec<_> = std::env::args_os().collect();
    match std::panic::catch_unwind(|| command::run(arguments)) {
        Ok(exit) => exit.into(),
        // The hook has said where; a secret in the panic's own message must not be printed.
        Err(_) => fault::Exit::Internal.into(),
    }
}
