//! Where a passphrase, a key file or a recovery code comes from.

use std::path::Path;
use std::process::{Command, Stdio};

use vmfa::secret::{Secret, SecretText};
use zeroize::Zeroizing;

use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::place::Source;
use crate::prompt::Terminal;
use crate::strength::Strength;
use crate::unlock::{Asking, Context};

/// The longest passphrase file or command output that is read.
const MAX_PASSPHRASE: u64 = 64 << 10;
/// The longest key file.
const MAX_KEY_FILE: u64 = 1 << 20;

impl Context {
    /// The source on the command line, else the environment's, unless the person has to say it in this very call.
    pub(crate) fn source(&self, asking: Asking) -> Outcome<Option<Source>> {
        let global = &self.global;
        let mut given: Vec<Source> = global
            .passphrase_file
            .clone()
            .map(Source::File)
            .into_iter()
            .chain(global.passphrase_fd.map(Source::Fd))
            .chain(global.passphrase_command.clone().map(Source::Command))
            .collect();
        if given.len() > 1 {
            return Err(Fault::usage(
                "more than one of --passphrase-file, --passphrase-fd and --passphrase-command is given",
            ));
        }
        match (given.pop(), asking) {
            (Some(source), _) => Ok(Some(source)),
            (None, Asking::Usual) => self.place.passphrase(),
            (None, Asking::Again) => Ok(None),
        }
    }

    /// Whether a passphrase can be had without a person.
    pub(crate) fn has_source(&self) -> bool {
        matches!(self.source(Asking::Usual), Ok(Some(_)))
    }

    /// The key file on the command line, else the environment's.
    pub(crate) fn key_file(&self) -> Outcome<Option<Secret>> {
        let named = self.global.key_file.as_ref();
        let path = named.or(self.place.key_file.as_ref());
        path.map(|path| self.read_key_file(path)).transpose()
    }

    pub(crate) fn read_key_file(&self, path: &Path) -> Outcome<Secret> {
        let mut bytes = self.read_named(path, MAX_KEY_FILE, "key file")?;
        Ok(Secret::new(std::mem::take(&mut *bytes)))
    }

    /// A file that holds a secret: whoever else can read it should be heard of.
    fn read_named(&self, path: &Path, most: u64, what: &str) -> Outcome<Zeroizing<Vec<u8>>> {
        let name = format!("{what} {}", self.place.show(path));
        let (bytes, metadata) = files::read(path, most).map_err(|fault| fault.at(&name))?;
        #[cfg(unix)]
        if metadata.is_file() {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o077 != 0 {
                self.screen
                    .warn(&format!("{name} can be read by others: chmod 600 it"));
            }
        }
        #[cfg(not(unix))]
        drop(metadata);
        Ok(bytes)
    }

    /// The first line that a source gives.
    pub(crate) fn read_source(&self, source: &Source) -> Outcome<SecretText> {
        let (what, bytes) = match source {
            Source::File(path) => (
                format!("passphrase file {}", self.place.show(path)),
                self.read_named(path, MAX_PASSPHRASE, "passphrase file")?,
            ),
            Source::Fd(fd) => {
                let what = format!("passphrase from file descriptor {fd}");
                let path = format!("/dev/fd/{fd}");
                let read = files::read(Path::new(&path), MAX_PASSPHRASE);
                let (bytes, _) = read.map_err(|fault| fault.at(&what))?;
                (what, bytes)
            }
            Source::Command(command) => ("passphrase command".to_owned(), run(command)?),
        };
        let first = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let first = first.strip_suffix(b"\r").unwrap_or(first);
        if first.is_empty() {
            return Err(Fault::new(
                Exit::Locked,
                format!("{what}: the first line is empty"),
            ));
        }
        SecretText::from_utf8(first.to_vec())
            .ok_or_else(|| Fault::usage(format!("{what}: not UTF-8")))
    }

    /// A new passphrase: from a source, or typed twice and judged.
    pub(crate) fn new_passphrase(&self, source: Option<Source>) -> Outcome<SecretText> {
        if let Some(source) = source {
            let passphrase = self.read_source(&source)?;
            let judgement = Strength::of(&passphrase);
            if judgement.weak {
                self.screen
                    .warn(&format!("the passphrase is {}", judgement.text));
            }
            return Ok(passphrase);
        }
        let terminal = self.terminal("a new passphrase")?;
        loop {
            let first = terminal.hidden("New passphrase: ")?;
            if first.is_empty() {
                terminal.say("An empty passphrase protects nothing. Choose one, or stop with ^C.");
                continue;
            }
            let judgement = Strength::of(&first);
            terminal.say(&format!("  {}", judgement.text));
            if judgement.weak && !terminal.confirm("Use it all the same?")? {
                continue;
            }
            if terminal.hidden("The same again: ")?.same_as(&first) {
                return Ok(first);
            }
            terminal.say("The two differ. Once more from the start.");
        }
    }

    /// The terminal, or the error that says how to do without one.
    pub(crate) fn terminal(&self, what: &str) -> Outcome<Terminal> {
        Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                format!(
                    "{what} for {} is needed, and there is no terminal to ask on",
                    self.vault_name()
                ),
            )
            .hint("run `vmfa unlock` in a terminal first, or name a source with --passphrase-file, --passphrase-fd or --passphrase-command")
        })
    }
}

/// What a shell command prints. It may ask on the terminal by itself, so its standard error is ours.
fn run(command: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    use std::io::Read;
    let fail =
        |error: std::io::Error| Fault::new(Exit::Locked, format!("passphrase command: {error}"));
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    // Never grows, so nothing is left behind by a reallocation.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE as usize));
    if let Some(out) = child.stdout.take() {
        out.take(MAX_PASSPHRASE)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
    }
    let status = child.wait().map_err(fail)?;
    // A command that prints more than we read is ended by the closed pipe: its first line is all that was wanted.
    if status.success() || bytes.len() as u64 == MAX_PASSPHRASE {
        Ok(bytes)
    } else {
        Err(Fault::new(
            Exit::Locked,
            format!("the passphrase command failed: {status}"),
        )
        .hint("run it by itself: its first line should be the passphrase"))
    }
}
