//! The passphrases of exports: from a source, from those that opened something before, or asked for.

use vmfa::import::{self, Format, ImportError, Reading, Source};
use vmfa::secret::SecretText;

use crate::args::Import;
use crate::fault::Fault;
use crate::place::Source as PassphraseSource;
use crate::prompt::Terminal;
use crate::unlock::Context;

/// How often a passphrase is asked for.
const TRIES: usize = 3;

/// The passphrases of exports: a given one, and those that opened something before.
pub(super) struct Keys {
    given: Option<PassphraseSource>,
    known: Vec<SecretText>,
}

/// Why a file isn't read: for what is in it, or for want of a passphrase.
pub(super) enum Broken {
    Import(ImportError),
    Fault(Fault),
}

impl Keys {
    pub(super) fn new(input: &Import) -> Self {
        let file = input
            .file_passphrase_file
            .clone()
            .map(PassphraseSource::File);
        let fd = input.file_passphrase_fd.map(PassphraseSource::Fd);
        let command = input
            .file_passphrase_command
            .clone()
            .map(PassphraseSource::Command);
        Self {
            given: file.or(fd).or(command),
            known: Vec::new(),
        }
    }

    /// Reads a file; the second value says whether a passphrase was needed. One that was found in a directory is not asked
    /// about unless it says that it is sealed.
    pub(super) fn read(
        &mut self,
        context: &Context,
        source: &Source<'_>,
        from: Option<&'static Format>,
        is_found: bool,
        shown: &str,
    ) -> Result<(Vec<Reading>, bool), Broken> {
        let closed = match import::read(source, from, None) {
            Ok(readings) => return Ok((readings, false)),
            Err(error @ (ImportError::NeedsPassphrase | ImportError::Unmarked)) => error,
            Err(error) => return Err(Broken::Import(error)),
        };
        for known in &self.known {
            match import::read(source, from, Some(known)) {
                Ok(readings) => return Ok((readings, true)),
                Err(ImportError::WrongPassphrase | ImportError::UnknownOrSealed) => {}
                Err(error) => return Err(Broken::Import(error)),
            }
        }
        if let Some(given) = self.given.take() {
            let passphrase = context.read_source(&given).map_err(Broken::Fault)?;
            let read = import::read(source, from, Some(&passphrase));
            self.known.push(passphrase);
            if is_found && matches!(read, Err(ImportError::UnknownOrSealed)) {
                return Err(Broken::Import(closed));
            }
            return read
                .map(|readings| (readings, true))
                .map_err(Broken::Import);
        }
        // Bytes that say nothing of themselves are tried with what is known; to ask for each in a directory would be a
        // nuisance.
        let is_asked_for = !(is_found && closed == ImportError::Unmarked);
        let Some(terminal) = Terminal::open().filter(|_| is_asked_for) else {
            let error = match (closed, self.known.is_empty()) {
                (ImportError::NeedsPassphrase, false) => ImportError::WrongPassphrase,
                (closed, _) => closed,
            };
            return Err(Broken::Import(error));
        };
        let mut last = closed;
        for _ in 0..TRIES {
            let question = format!("The passphrase of {} (Enter leaves the file out): ", shown);
            let passphrase = terminal.hidden(&question).map_err(Broken::Fault)?;
            if passphrase.is_empty() {
                return Err(Broken::Import(last));
            }
            match import::read(source, from, Some(&passphrase)) {
                Ok(readings) => {
                    self.known.push(passphrase);
                    return Ok((readings, true));
                }
                Err(error @ (ImportError::WrongPassphrase | ImportError::UnknownOrSealed)) => {
                    terminal.say(match &error {
                        ImportError::WrongPassphrase => "That isn't its passphrase.",
                        _unmarked => "Nothing that vmfa knows opens with that.",
                    });
                    last = error;
                }
                Err(error) => return Err(Broken::Import(error)),
            }
        }
        Err(Broken::Import(last))
    }
}
