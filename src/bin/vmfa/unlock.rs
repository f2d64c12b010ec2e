//! Getting an open vault: which credential, from where, how often asked.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vmfa::clock::{Clock, System};
use vmfa::failure::{Fails, Kind};
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::{
    self, Credential, Files, KdfLimit, KdfParams, Locked, Rollback, SlotKind, Unlocked,
};
use zeroize::Zeroizing;

use crate::args::Global;
use crate::fault::{Exit, Fault, Outcome};
use crate::place::{Place, Source};
use crate::print::Screen;
use crate::prompt::Terminal;
use crate::strength::Strength;

/// The longest passphrase file or command output that is read.
const MAX_PASSPHRASE: u64 = 64 << 10;
/// The longest key file.
const MAX_KEY_FILE: u64 = 1 << 20;
/// How often a person may mistype.
const TRIES: usize = 3;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) place: Place,
    pub(crate) global: Global,
    pub(crate) files: Files,
    pub(crate) clock: System,
}

/// Whether what the environment says is enough, or the person has to say it in this very call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    Usual,
    /// Before a secret is shown: typed now, or named on this command line.
    Again,
}

impl Context {
    pub(crate) fn new(global: Global, place: Place) -> Outcome<Self> {
        let files = place.files(global.vault.as_deref())?;
        let screen = Screen::new(place.colours_allowed);
        Ok(Self {
            screen,
            place,
            global,
            files,
            clock: System,
        })
    }

    pub(crate) fn now(&self) -> Outcome<vmfa::clock::UnixTime> {
        Ok(self.clock.now()?)
    }

    /// The vault's path as a person writes it.
    pub(crate) fn vault_name(&self) -> String {
        self.place.show(&self.files.vault)
    }

    fn limit(&self) -> KdfLimit {
        if self.global.accept_high_kdf {
            KdfLimit::High
        } else {
            KdfLimit::Usual
        }
    }

    /// Opens the vault.
    pub(crate) fn open(&self) -> Outcome<Unlocked> {
        self.open_by(Asking::Usual)
    }

    /// Opens the vault, with the credential given in this very call where a secret is to be shown.
    pub(crate) fn open_by(&self, asking: Asking) -> Outcome<Unlocked> {
        let rollback = if self.global.accept_rollback {
            Rollback::Accept
        } else {
            Rollback::Refuse
        };
        self.with_credential(asking, |credential| {
            let locked = Locked::open(&self.files, self.limit())?;
            locked.unlock(
                credential,
                rollback,
                self.clock
                    .now()
                    .unwrap_or(vmfa::clock::UnixTime::from_secs(0)),
            )
        })
    }

    /// Puts a backup in the vault's place.
    pub(crate) fn restore_backup(&self, backup: &Path) -> Outcome<Unlocked> {
        let now = self.now()?;
        self.with_slots_of(backup, Asking::Usual, |credential| {
            vault::restore_backup(&self.files, backup, credential, self.limit(), now)
        })
    }

    fn with_credential<T>(
        &self,
        asking: Asking,
        open: impl Fn(&Credential) -> Result<T, vault::VaultError>,
    ) -> Outcome<T> {
        self.with_slots_of(&self.files.vault, asking, open)
    }

    /// Tries a credential for the vault at `path`; a typed one is asked for again when it is wrong.
    fn with_slots_of<T>(
        &self,
        path: &Path,
        asking: Asking,
        open: impl Fn(&Credential) -> Result<T, vault::VaultError>,
    ) -> Outcome<T> {
        // First the file: nobody should type a passphrase for a vault that isn't there or is damaged.
        let files = Files {
            vault: path.to_owned(),
            state: self.files.state.clone(),
        };
        let slots = Locked::open(&files, self.limit())?.slots();
        let key_file = self.key_file(asking)?;
        let wants = |with: bool| {
            slots.iter().any(|slot| matches!(slot.kind, SlotKind::Passphrase { with_key_file, .. } if with_key_file == with))
        };
        let needs_passphrase = !self.global.recovery
            && match &key_file {
                None => true,
                Some(_) => !slots.iter().any(|slot| slot.kind == SlotKind::KeyFile),
            };
        if let (Some(key), false, false) = (&key_file, needs_passphrase, self.global.recovery) {
            return Ok(open(&Credential::KeyFile(key.duplicate()))?);
        }
        if !self.global.recovery && key_file.is_none() && !wants(false) {
            let (what, hint) = if wants(true) {
                (
                    "its passphrase works only together with a key file",
                    "name it with --key-file FILE",
                )
            } else {
                (
                    "the vault has no passphrase",
                    "use --key-file FILE or --recovery",
                )
            };
            return Err(
                Fault::new(Exit::Locked, format!("{}: {what}", self.place.show(path))).hint(hint),
            );
        }
        let credential = |text: SecretText| match (&key_file, self.global.recovery) {
            (_, true) => Credential::RecoveryCode(text),
            (Some(key), false) if wants(true) => {
                Credential::PassphraseAndKeyFile(text, key.duplicate())
            }
            (Some(_) | None, false) => Credential::Passphrase(text),
        };
        let source = self.source(asking)?;
        if let Some(source) = source {
            return Ok(open(&credential(self.read_source(&source)?))?);
        }
        let terminal = self.terminal(if asking == Asking::Again {
            "the passphrase again"
        } else {
            "the passphrase"
        })?;
        let what = if self.global.recovery {
            "Recovery code"
        } else {
            "Passphrase"
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let text = terminal.hidden(&format!("{what} for {}: ", self.place.show(path)))?;
            match open(&credential(text)) {
                Err(error) if error.kind() == Kind::WrongPassphrase && tries < TRIES => {
                    terminal.say(&format!(
                        "{}; try again",
                        vmfa::account::text::clean(&error.to_string())
                    ));
                }
                other => return Ok(other?),
            }
        }
    }

    /// The terminal, or the error that says how to do without one.
    fn terminal(&self, what: &str) -> Outcome<Terminal> {
        Terminal::open().ok_or_else(|| {
            Fault::new(
                Exit::Locked,
                format!(
                    "{what} for {} is needed, and there is no terminal to ask on",
                    self.vault_name()
                ),
            )
            .hint("name a source with --passphrase-file, --passphrase-fd or --passphrase-command")
        })
    }

    /// The source on the command line, else the environment's, unless the person has to say it in this very call.
    fn source(&self, asking: Asking) -> Outcome<Option<Source>> {
        let given = self.global.passphrase_file.clone().map(Source::File);
        let given = given.or(self.global.passphrase_fd.map(Source::Fd));
        let given = given.or_else(|| self.global.passphrase_command.clone().map(Source::Command));
        Ok(match asking {
            Asking::Usual => given.or_else(|| self.place.passphrase.clone()),
            Asking::Again => given,
        })
    }

    /// Whether a passphrase can be had without a person.
    pub(crate) fn has_source(&self) -> bool {
        matches!(self.source(Asking::Usual), Ok(Some(_)))
    }

    fn key_file(&self, asking: Asking) -> Outcome<Option<Secret>> {
        let path = match asking {
            Asking::Usual => self
                .global
                .key_file
                .as_ref()
                .or(self.place.key_file.as_ref()),
            // A key file alone must not show a secret because the environment names it; with a passphrase it is no more
            // than its second half.
            Asking::Again => self.global.key_file.as_ref(),
        };
        match (path, asking, &self.place.key_file) {
            (Some(path), _, _) => Ok(Some(self.read_key_file(path)?)),
            (None, Asking::Again, Some(path)) if self.slots_want_key_file() => {
                Ok(Some(self.read_key_file(path)?))
            }
            (None, _, _) => Ok(None),
        }
    }

    /// Whether every passphrase of the vault works only together with a key file, and no key file works alone.
    fn slots_want_key_file(&self) -> bool {
        Locked::open(&self.files, self.limit()).is_ok_and(|locked| {
            let slots = locked.slots();
            slots.iter().any(|slot| {
                matches!(
                    slot.kind,
                    SlotKind::Passphrase {
                        with_key_file: true,
                        ..
                    }
                )
            }) && !slots.iter().any(|slot| slot.kind == SlotKind::KeyFile)
        })
    }

    pub(crate) fn read_key_file(&self, path: &Path) -> Outcome<Secret> {
        Ok(Secret::new(std::mem::take(&mut *self.read_bounded(
            path,
            MAX_KEY_FILE,
            "key file",
        )?)))
    }

    /// The content of a regular file, up to a bound.
    fn read_bounded(&self, path: &Path, most: u64, what: &str) -> Outcome<Zeroizing<Vec<u8>>> {
        let fail = |error: std::io::Error| {
            let exit = if error.kind() == std::io::ErrorKind::NotFound {
                Exit::NotFound
            } else {
                Exit::Internal
            };
            Fault::new(exit, format!("{what} {}: {error}", self.place.show(path)))
        };
        let metadata = std::fs::metadata(path).map_err(fail)?;
        if metadata.is_dir() {
            return Err(Fault::usage(format!(
                "{what} {} is a directory",
                self.place.show(path)
            )));
        }
        #[cfg(unix)]
        if metadata.is_file() {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o077 != 0 {
                self.screen.warn(&format!(
                    "{what} {} can be read by others: chmod 600 it",
                    self.place.show(path)
                ));
            }
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            usize::try_from(most).unwrap_or(0).min(1 << 20) + 1,
        ));
        File::open(path)
            .map_err(fail)?
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        if bytes.len() as u64 > most {
            return Err(Fault::usage(format!(
                "{what} {} has more than {most} bytes",
                self.place.show(path)
            )));
        }
        Ok(bytes)
    }

    /// The first line that a source gives.
    pub(crate) fn read_source(&self, source: &Source) -> Outcome<SecretText> {
        let (what, bytes) = match source {
            Source::File(path) => (
                format!("passphrase file {}", self.place.show(path)),
                self.read_bounded(path, MAX_PASSPHRASE, "passphrase file")?,
            ),
            Source::Fd(fd) => {
                let what = format!("passphrase from file descriptor {fd}");
                let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE as usize));
                File::open(PathBuf::from(format!("/dev/fd/{fd}")))
                    .and_then(|file| file.take(MAX_PASSPHRASE).read_to_end(&mut bytes))
                    .map_err(|error| Fault::usage(format!("{what}: {error}")))?;
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
                    .warn(&format!("the passphrase is weak: {}", judgement.text));
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

    /// The credential for a new vault.
    pub(crate) fn new_credential(&self) -> Outcome<Credential> {
        let passphrase = self.new_passphrase(self.source(Asking::Usual)?)?;
        Ok(match self.key_file(Asking::Usual)? {
            Some(key) => Credential::PassphraseAndKeyFile(passphrase, key),
            None => Credential::Passphrase(passphrase),
        })
    }
}

/// `M_KIB,T,P` as three numbers.
pub(crate) fn kdf(given: Option<&str>) -> Outcome<KdfParams> {
    let Some(given) = given else {
        return Ok(KdfParams::DEFAULT);
    };
    let numbers: Vec<u32> = given
        .split(',')
        .map_while(|word| word.trim().parse().ok())
        .collect();
    match (numbers.as_slice(), given.split(',').count()) {
        (&[m, t, p], 3) => Ok(KdfParams::new(m, t, p)?),
        _ => Err(
            Fault::usage(format!("--kdf: {given:?} is not three numbers M_KIB,T,P"))
                .hint("such as --kdf 65536,3,4"),
        ),
    }
}

/// The first line that a shell command prints. It may ask on the terminal by itself, so its standard error is ours.
fn run(command: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let fail =
        |error: std::io::Error| Fault::new(Exit::Locked, format!("passphrase command: {error}"));
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE as usize));
    if let Some(out) = child.stdout.take() {
        out.take(MAX_PASSPHRASE)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
    }
    let status = child.wait().map_err(fail)?;
    if status.success() {
        Ok(bytes)
    } else {
        Err(Fault::new(
            Exit::Locked,
            format!("the passphrase command failed: {status}"),
        ))
    }
}
