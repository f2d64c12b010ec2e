//! From an error to what the person reads, and to the exit code that a script reads.

use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;

use vmfa::account::text::clean;
use vmfa::failure::{Fails, Kind};

/// The exit codes, documented in the manual and held by tests: scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Internal = 1,
    Usage = 2,
    NotFound = 3,
    Locked = 4,
    WrongPassphrase = 5,
    Damaged = 6,
    Partly = 7,
    Refused = 8,
    Offline = 9,
    Interrupted = 130,
}

/// The table of exit codes as help and manual show it.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  internal error, or the system failed (disk full, no permission)
    2  usage: an option, a file, a secret or a picture can't be used
    3  not found, or ambiguous
    4  locked, and nobody to ask for the passphrase
    5  wrong passphrase, key file or recovery code
    6  damaged, or not a vault
    7  partly: some came in, some were refused
    8  refused by the remote
    9  offline, or changed by somebody else meanwhile
  130  interrupted";

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Internal => Self::Internal,
            Kind::Usage => Self::Usage,
            Kind::NotFound | Kind::Ambiguous => Self::NotFound,
            Kind::Locked => Self::Locked,
            Kind::WrongPassphrase => Self::WrongPassphrase,
            Kind::Damaged => Self::Damaged,
            Kind::Partly => Self::Partly,
            Kind::Refused => Self::Refused,
            Kind::Offline | Kind::Conflict => Self::Offline,
            Kind::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(feature = "aws")]
impl From<Exit> for Kind {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done | Exit::Internal => Self::Internal,
            Exit::Usage => Self::Usage,
            Exit::NotFound => Self::NotFound,
            Exit::Locked => Self::Locked,
            Exit::WrongPassphrase => Self::WrongPassphrase,
            Exit::Damaged => Self::Damaged,
            Exit::Partly => Self::Partly,
            Exit::Refused => Self::Refused,
            Exit::Offline => Self::Offline,
            Exit::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What stops a command: one line that says what and where, perhaps one that says what to do, and an exit code.
#[derive(Debug)]
pub(crate) struct Fault {
    exit: Exit,
    message: Option<String>,
    hint: Option<String>,
}

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Fault>;

impl Fault {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: Some(message.into()),
            hint: None,
        }
    }

    /// Everything has been said already, or there is nobody to say it to.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self {
            exit,
            message: None,
            hint: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts where it happened in front of what happened.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.message = self.message.map(|message| format!("{place}: {message}"));
        self
    }

    /// What happened, without the hint.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Says it on standard error. A standard error that is full or closed changes nothing: the exit code still tells.
    pub(crate) fn report(&self, coloured: bool) {
        let mut text = String::new();
        let (red, yellow, plain) = if coloured {
            ("\x1b[1;31m", "\x1b[33m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        if let Some(message) = &self.message {
            text.push_str(&format!("{red}vmfa:{plain} {}\n", clean(message)));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{yellow}hint:{plain} {}\n", clean(hint)));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

impl<E: Fails> From<E> for Fault {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let said = cause.to_string();
            if !message.contains(&said) {
                message = format!("{message}: {said}");
            }
            source = cause.source();
        }
        Self {
            exit: error.kind().into(),
            message: Some(message),
            hint: error.hint(),
        }
    }
}

/// For a process that has nobody to tell.
#[cfg(unix)]
pub(crate) fn silent_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A panic is a bug of ours. Its message could quote data, so only the place is told.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Some(first) = BEFORE.get() {
            first();
        }
        let place = info
            .location()
            .map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let _ = writeln!(
            std::io::stderr(),
            "vmfa: internal error{place}; nothing was half-written\nhint: please report this line"
        );
    }));
}

/// What is done before a panic is told: the interface gives the terminal back, so that the line is seen.
static BEFORE: OnceLock<fn()> = OnceLock::new();

/// Has this done before a panic is told. Only the first call counts.
#[cfg(feature = "tui")]
pub(crate) fn before_a_panic_is_told(first: fn()) {
    let _ = BEFORE.set(first);
}
