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

/// What libraries copied of a secret and let go of isn't left in memory.
#[cfg(unix)]
#[global_allocator]
static MEMORY: vmfa::secret::page::heap::Wiping = vmfa::secret::page::heap::Wiping;

fn main() -> ExitCode {
    fault::quiet_panics();
    // A secret may come by standard input before anything is opened.
    #[cfg(unix)]
    vmfa::secret::process::leave_no_core();
    let arguments: Vec<_> = std::env::args_os().collect();
    let ended = std::panic::catch_unwind(|| command::run(arguments));
    // A system that gives a process's pages to another without wiping them, or writes them to a disk, finds none of ours there.
    vmfa::secret::wipe_stack();
    match ended {
        Ok(exit) => exit.into(),
        // The hook has said where; a secret in the panic's own message must not be printed.
        Err(_) => fault::Exit::Internal.into(),
    }
}
