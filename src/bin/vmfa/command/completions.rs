//! `vmfa completions`: scripts for shells, generated from the arguments themselves.
//!
//! For bash, zsh and fish a few lines of our own are added that offer account names, as an agent tells them, where a command
//! takes a QUERY. A name is a text from outside: each shell gets it as data, on a line of `vmfa complete-names`, and quotes
//! it before it comes into the command line. It is never part of a script.

use clap::{Arg, CommandFactory};
use clap_complete::Shell;

use crate::args::{Arguments, Completions};
use crate::command::names;
use crate::fault::Outcome;
use crate::unlock::Context;

const BASH: &str = include_str!("completions/vmfa.bash");
const FISH: &str = include_str!("completions/vmfa.fish");
const ZSH: &str = include_str!("completions/vmfa.zsh");

pub(crate) fn run(context: &Context, input: &Completions) -> Outcome {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(input.shell, &mut command, "vmfa", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match input.shell {
        Shell::Bash => script.push_str(&filled(BASH, &command)),
        Shell::Fish => script.push_str(&filled(FISH, &command)),
        Shell::Zsh => script = zsh(&script, &filled(ZSH, &command)),
        // Elvish, PowerShell, and what may come: commands and options.
        _ => {}
    }
    context.screen.raw(script.as_bytes())
}

/// Our lines, with the words that stand in them for what the arguments tell.
fn filled(lines: &str, command: &clap::Command) -> String {
    lines
        .replace("@COMMANDS@", &with_query(command).join(" "))
        .replace("@PATTERN@", &with_query(command).join("|"))
        .replace("@VALUED@", &with_value(command).join("|"))
        .replace("@NAMES@", names::WORD)
}

/// The commands that take a QUERY for an account that isn't in the trash.
fn with_query(command: &clap::Command) -> Vec<String> {
    let takes = |command: &&clap::Command| {
        let mut positionals = command.get_positionals();
        positionals.any(is_query) && command.get_name() != "restore"
    };
    let subcommands = command.get_subcommands().filter(takes);
    subcommands
        .map(|command| command.get_name().to_owned())
        .collect()
}

fn is_query(argument: &Arg) -> bool {
    let names = argument.get_value_names().unwrap_or_default();
    names.iter().any(|name| name.starts_with("QUERY"))
}

/// The options that are followed by a value.
fn with_value(command: &clap::Command) -> Vec<String> {
    let of = |command: &clap::Command| -> Vec<String> {
        let options = command.get_opts();
        let options = options.filter(|option| option.get_action().takes_values());
        options
            .filter_map(|option| option.get_long().map(|long| format!("--{long}")))
            .collect()
    };
    let mut all = of(command);
    all.extend(command.get_subcommands().flat_map(of));
    all.sort_unstable();
    all.dedup();
    all
}

/// In zsh's script each argument names what completes it: a QUERY is completed by our function.
fn zsh(script: &str, ours: &str) -> String {
    let lines = script.lines().map(|line| {
        let is_query = line.starts_with("'*::query -- ") || line.starts_with("':query -- ");
        match line.strip_suffix(":_default' \\") {
            Some(line) if is_query => format!("{line}:_vmfa_names' \\\n"),
            Some(_) | None => format!("{line}\n"),
        }
    });
    let script: String = lines.collect();
    // The last lines run what is above them.
    match script.rfind("\nif [ ") {
        Some(at) => format!("{}\n{ours}{}", &script[..at], &script[at..]),
        None => format!("{script}\n{ours}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_that_take_an_account() {
        let commands = with_query(&Arguments::command());
        for command in [
            "code", "pair", "list", "show", "edit", "rename", "remove", "qr", "export",
        ] {
            assert!(commands.iter().any(|one| one == command), "{command}");
        }
        for command in ["restore", "add", "scan", "import", "completions"] {
            assert!(!commands.iter().any(|one| one == command), "{command}");
        }
    }

    #[test]
    fn the_options_with_a_value() {
        let options = with_value(&Arguments::command());
        for option in ["--vault", "--at", "--png"] {
            assert!(options.iter().any(|one| one == option), "{option}");
        }
        assert!(!options.iter().any(|one| one == "--json" || one == "--help"));
    }

    #[test]
    fn every_query_of_zsh_is_completed_by_names() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Zsh, &mut Arguments::command(), "vmfa", &mut script);
        let script = String::from_utf8(script).expect("UTF-8");
        let script = zsh(&script, "OURS\n");
        let (ours, run) = (script.find("OURS"), script.rfind("\nif [ "));
        assert!(ours < run && ours.is_some(), "{script}");
        let queries: Vec<&str> = script
            .lines()
            .filter(|line| line.contains(":query -- "))
            .collect();
        assert!(queries.len() > 8);
        for line in queries {
            assert!(line.contains(":_vmfa_names"), "{line}");
        }
    }
}
