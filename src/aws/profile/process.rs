//! A `credential_process` that is vmfa itself.

use crate::aws::ini::words;

/// vmfa, as a command calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The profile that it names, if it names one.
    pub profile: Option<String>,
}

/// How deep a shell in a shell is looked into.
const MOST_SHELLS: usize = 4;

/// Whether a command runs vmfa: by itself, through `env`, or through a shell's `-c`.
pub fn is_vmfa(command: &str) -> Option<Ours> {
    of_line(command, MOST_SHELLS)
}

fn of_line(line: &str, shells: usize) -> Option<Ours> {
    let words = words(line)?;
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
    of_words(&words, shells)
}

fn of_words(words: &[&str], shells: usize) -> Option<Ours> {
    let (first, rest) = words.split_first()?;
    match file_name(first) {
        "vmfa" | "vmfa-aws" => Some(Ours {
            profile: profile(rest),
        }),
        "env" => of_words(behind_env(rest), shells.checked_sub(1)?),
        "exec" | "command" | "nohup" => of_words(rest, shells.checked_sub(1)?),
        "sh" | "bash" | "dash" | "zsh" | "ksh" => {
            let at = rest.iter().position(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.contains('c')
            })?;
            of_script(rest.get(at + 1)?, shells.checked_sub(1)?)
        }
        _ => None,
    }
}

/// Each command of a script, as far as it can be told without being a shell.
fn of_script(script: &str, shells: usize) -> Option<Ours> {
    script
        .split([';', '|', '&', '\n', '(', ')', '{', '}'])
        .find_map(|part| {
            let words = words(part)?;
            let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
            let begin = words.iter().position(|word| !is_assignment(word))?;
            of_words(&words[begin..], shells)
        })
}

/// What `env` runs: behind its options and assignments.
fn behind_env<'a, 'b>(mut rest: &'a [&'b str]) -> &'a [&'b str] {
    while let Some((first, more)) = rest.split_first() {
        let with_value = ["-u", "--unset", "-C", "--chdir"].contains(first);
        rest = match first {
            _ if with_value => more.get(1..).unwrap_or(&[]),
            word if word.starts_with('-') || is_assignment(word) => more,
            _ => return rest,
        };
    }
    rest
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(fits)
    })
}

fn file_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The value of `--profile`, written in one word or two.
fn profile(words: &[&str]) -> Option<String> {
    words.iter().enumerate().find_map(|(index, word)| {
        let value = match *word {
            "--profile" => words.get(index + 1).copied(),
            word => word.strip_prefix("--profile="),
        };
        value.map(String::from)
    })
}
