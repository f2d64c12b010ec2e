//! Getting an open vault: which credentials are tried, and how often a person is asked.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::path::Path;

#[cfg(unix)]
use vmfa::agent::{AgentError, Client};
use vmfa::clock::{Clock, System, UnixTime};
use vmfa::failure::{Fails, Kind};
use vmfa::secret::{Secret, SecretText};
use vmfa::vault::{
    self, Credential, Files, KdfLimit, KdfParams, Locked, News, Rollback, SlotInfo, SlotKind,
    Unlocked, VaultError,
};

use crate::args::Global;
#[cfg(unix)]
use crate::command::confirm;
use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;
#[cfg(feature = "tui")]
use crate::place::Source;
use crate::print::Screen;

/// How often a person may mistype.
const TRIES: usize = 3;
/// Above this memory, or above this memory times passes, a vault opens only with `--accept-high-kdf`.
const USUAL_M_KIB: u32 = 256 << 10;
const USUAL_WORK_KIB: u64 = 4 << 20;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) place: Place,
    pub(crate) global: Global,
    pub(crate) files: Files,
    pub(crate) clock: System,
    /// The vault that was opened to choose an account from, for the command that goes on with it.
    opened: RefCell<Option<(Asking, Unlocked)>>,
    /// Whether copies beside the vault were spoken of already.
    told_copies: Cell<bool>,
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
            opened: RefCell::new(None),
            told_copies: Cell::new(false),
        })
    }

    /// The same for another thread, which says nothing by itself.
    #[cfg(feature = "tui")]
    pub(crate) fn held_back(&self, place: Place) -> Self {
        Self {
            screen: Screen::held_back(),
            place,
            global: self.global.clone(),
            files: self.files.clone(),
            clock: System,
            opened: RefCell::default(),
            told_copies: Cell::default(),
        }
    }

    /// The agent, where one runs and is wanted.
    #[cfg(unix)]
    pub(crate) fn agent(&self) -> Option<Client> {
        match self.connect() {
            Ok(Some(mut client)) => {
                client.on_asking(|| {
                    let _ = writeln!(
                        std::io::stderr(),
                        "this account asks before each code: answer the notification on the desktop"
                    );
                });
                client.ask_first(confirm::may);
                Some(client)
            }
            Ok(None) => None,
            Err(error) => {
                self.without_agent(error);
                None
            }
        }
    }

    /// A connection to the agent, where one runs and is wanted; nobody is told anything.
    #[cfg(unix)]
    pub(crate) fn connect(&self) -> Result<Option<Client>, AgentError> {
        if self.agent_is_unwanted() {
            return Ok(None);
        }
        match Client::connect(&self.place.agent(&self.files)) {
            Ok(client) => Ok(Some(client)),
            Err(AgentError::NotRunning) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the vault is to be opened here.
    #[cfg(unix)]
    pub(crate) fn agent_is_unwanted(&self) -> bool {
        let global = &self.global;
        global.no_agent || self.place.no_agent || global.recovery || global.accept_rollback
    }

    /// Whether the vault can be opened without anybody typing.
    #[cfg(unix)]
    pub(crate) fn has_credential(&self) -> Outcome<bool> {
        let key_file = self.global.key_file.is_some() || self.place.key_file.is_some();
        Ok(key_file || self.source(Asking::Usual)?.is_some())
    }

    /// Says why the agent isn't asked, and what to do about it.
    #[cfg(unix)]
    fn without_agent(&self, error: AgentError) {
        let fault = Fault::from(error);
        self.screen.warn(&format!(
            "{}; going on without it{}",
            fault.message(),
            fault
                .advice()
                .map(|hint| format!(" ({hint})"))
                .unwrap_or_default()
        ));
    }

    /// What the agent answered; nothing where the vault itself must be asked.
    #[cfg(unix)]
    pub(crate) fn answered<T>(&self, answer: Result<T, AgentError>) -> Outcome<Option<T>> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        match error {
            AgentError::AskFirst(summary) => return Err(confirm::nobody(&summary)),
            AgentError::Locked | AgentError::NotRunning | AgentError::Ended => return Ok(None),
            // The vault will say the same of what was asked for, and more of what it is itself.
            AgentError::Failed {
                kind: Kind::Usage | Kind::NotFound,
                ..
            }
            | AgentError::NotOne(_)
            | AgentError::Denied
            | AgentError::Busy
            | AgentError::RunsAlready => return Err(error.into()),
            AgentError::Failed { .. }
            | AgentError::Directory { .. }
            | AgentError::InTheWay { .. }
            | AgentError::OtherUser(_)
            | AgentError::OtherVault(_)
            | AgentError::OtherVersion { .. }
            | AgentError::Silent
            | AgentError::Unending { .. }
            | AgentError::NotUnderstood
            | AgentError::TooLarge
            | AgentError::File { .. }
            | AgentError::Io { .. } => self.without_agent(error),
        }
        Ok(None)
    }

    pub(crate) fn now(&self) -> Outcome<UnixTime> {
        Ok(self.clock.now()?)
    }

    /// The vault's path as a person writes it.
    pub(crate) fn vault_name(&self) -> String {
        self.place.show(&self.files.vault)
    }

    fn rollback(&self) -> Rollback {
        if self.global.accept_rollback {
            Rollback::Accept
        } else {
            Rollback::Refuse
        }
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
        if let Some((asked, vault)) = self.opened.take()
            && (asked == asking || asked == Asking::Again)
        {
            return Ok(vault);
        }
        // From here on the process holds a passphrase, and then a key.
        #[cfg(unix)]
        vmfa::secret::process::keep_out();
        let rollback = self.rollback();
        // A vault opens whatever the clock says; a code that needs the time will say that there is none.
        let now = self.clock.now().unwrap_or(UnixTime::from_secs(0));
        // First the file: nobody should type a passphrase for a vault that isn't there or is damaged.
        let locked = Locked::open(&self.files, self.limit())?;
        let slots = locked.slots();
        // What was just read serves the first attempt; opening takes a locked vault up, so another one reads it again.
        let just_read = Cell::new(Some(locked));
        let path = &self.files.vault;
        let mut vault = self.try_credentials(path, &slots, asking, |credential| {
            let locked = match just_read.take() {
                Some(locked) => locked,
                None => Locked::open(&self.files, self.limit())?,
            };
            locked.unlock(credential, rollback, now)
        })?;
        vault.on_wait(|| {
            let _ = writeln!(
                std::io::stderr(),
                "waiting for another program to finish its save"
            );
        });
        self.warn_of(&vault);
        Ok(vault)
    }

    /// Opens the vault without asking anybody: with what was typed elsewhere, else with what is at hand; none where a
    /// passphrase must be typed.
    #[cfg(feature = "tui")]
    pub(crate) fn open_quietly(
        &self,
        typed: Option<&SecretText>,
        asking: Asking,
    ) -> Outcome<Option<Unlocked>> {
        #[cfg(unix)]
        vmfa::secret::process::keep_out();
        let rollback = self.rollback();
        let now = self.clock.now().unwrap_or(UnixTime::from_secs(0));
        let slots = Locked::open(&self.files, self.limit())?.slots();
        let open = |credential: &Credential| {
            Locked::open(&self.files, self.limit())?.unlock(credential, rollback, now)
        };
        let ways = Ways::of(&slots);
        let key = self.key_file()?;
        let takes_text = self.global.recovery || ways.passphrase || ways.both && key.is_some();
        let alone = key
            .as_ref()
            .filter(|_| ways.key_file && !self.global.recovery);
        let vault = match (typed, alone) {
            (Some(typed), _) if takes_text => self.attempt(&ways, key.as_ref(), typed, &open)?,
            // What was typed must count: a key file that the environment names shows no secret all by itself.
            (_, Some(_)) if asking == Asking::Again && self.global.key_file.is_none() => {
                return Err(ways.nothing_fits(&self.vault_name()));
            }
            (_, Some(key)) => match open(&Credential::KeyFile(key.duplicate())) {
                Err(error) if error.kind() == Kind::WrongPassphrase && takes_text => {
                    return Ok(None);
                }
                opened => opened?,
            },
            (_, None) if !takes_text => return Err(ways.nothing_fits(&self.vault_name())),
            (_, None) => match self.source(Asking::Usual)? {
                // A command may ask by itself, on the terminal that the interface has.
                Some(Source::Command(_)) | None => return Ok(None),
                Some(source) => {
                    let text = self.read_source(&source)?;
                    self.attempt(&ways, key.as_ref(), &text, &open)?
                }
            },
        };
        self.warn_of(&vault);
        self.tell_copies(&vault);
        Ok(Some(vault))
    }

    /// What there is to say of a vault that was just opened.
    fn warn_of(&self, vault: &Unlocked) {
        for danger in vault::dangers(&self.files) {
            let advice = danger.advice.map(|advice| format!(": {advice}"));
            self.screen
                .warn(&format!("{}{}", danger.text, advice.unwrap_or_default()));
        }
        if vault.fork_seen() {
            self.screen.warn(
                "another copy of this vault went on from the same generation, and what it held is missing here: \
                 if you have it, `vmfa backup merge FILE` takes it in",
            );
        }
        if let Some(problem) = vault.pin_problem() {
            self.screen.warn(problem);
        }
    }

    /// Says once that a program which syncs the directory left a copy of the vault there, with changes that are missing here:
    /// to a person, and where the vault was saved or the interface opened it, so that a code waits for no directory.
    pub(crate) fn tell_copies(&self, vault: &Unlocked) {
        if !self.screen.is_read() || self.told_copies.replace(true) {
            return;
        }
        for (copy, news) in vault.copies_with_news() {
            let word = copy.word();
            self.screen.warn(&match news {
                News::Changes => format!(
                    "{} is a copy of this vault with changes that are missing here: `vmfa backup merge {word}` takes them in",
                    self.place.show(&copy.path)
                ),
                News::Unknown => format!(
                    "{} is a copy of this vault that doesn't open with its key: `vmfa --vault {word} backup merge VAULT` merges \
                     this one there; if that says that it did, `vmfa backup restore {word}` puts the result here",
                    self.place.show(&copy.path)
                ),
                News::Unread => format!(
                    "{} seems to be a copy of this vault, and wasn't looked into, for its size or since it can't be read: \
                     `vmfa backup merge {word}` takes in what is missing here",
                    self.place.show(&copy.path)
                ),
            });
        }
    }

    /// Keeps an open vault for the next who wants it open in this way: nobody should type a passphrase twice.
    pub(crate) fn keep_open(&self, asking: Asking, vault: Unlocked) {
        self.opened.replace(Some((asking, vault)));
    }

    /// Puts a backup in the vault's place.
    pub(crate) fn restore_backup(&self, backup: &Path) -> Outcome<Unlocked> {
        let now = self.now()?;
        let slots = vault::backup_slots(backup, self.limit())?;
        self.try_credentials(backup, &slots, Asking::Usual, |credential| {
            vault::restore_backup(&self.files, backup, credential, self.limit(), now)
        })
    }

    /// Tries what is at hand on the vault at `path`: the key file alone, then the passphrase with it and without it. What is
    /// typed wrong is asked for again.
    fn try_credentials<T>(
        &self,
        path: &Path,
        slots: &[SlotInfo],
        asking: Asking,
        open: impl Fn(&Credential) -> Result<T, VaultError>,
    ) -> Outcome<T> {
        let ways = Ways::of(slots);
        let key = self.key_file()?;
        if key.is_some() && !ways.key_file && !ways.both && !self.global.recovery {
            self.screen
                .warn("the key file opens nothing here: no slot of this vault is for one");
        }
        // A key file that the environment names must not show a secret all by itself.
        let alone = ways.key_file
            && !self.global.recovery
            && (asking == Asking::Usual || self.global.key_file.is_some());
        if let (Some(key), true) = (&key, alone) {
            match open(&Credential::KeyFile(key.duplicate())) {
                Err(error)
                    if error.kind() == Kind::WrongPassphrase && (ways.both || ways.passphrase) => {}
                done => return Ok(done?),
            }
        }
        if !(self.global.recovery || ways.passphrase || ways.both && key.is_some()) {
            return Err(ways.nothing_fits(&self.place.show(path)));
        }
        let attempt = |text: &SecretText| self.attempt(&ways, key.as_ref(), text, &open);
        if let Some(source) = self.source(asking)? {
            return Ok(attempt(&self.read_source(&source)?)?);
        }
        let what = if self.global.recovery {
            "recovery code"
        } else {
            "passphrase"
        };
        let again = if asking == Asking::Again {
            ", typed now,"
        } else {
            ""
        };
        let terminal = self.terminal(&format!("the {what}{again}"))?;
        let question = format!(
            "{} for {}: ",
            if self.global.recovery {
                "Recovery code"
            } else {
                "Passphrase"
            },
            self.place.show(path)
        );
        for _ in 1..TRIES {
            match attempt(&terminal.hidden(&question)?) {
                Err(error) if is_mistyped(&error) => terminal.say(&format!(
                    "{}; try again",
                    vmfa::account::text::clean(&error.to_string())
                )),
                done => return Ok(done?),
            }
        }
        Ok(attempt(&terminal.hidden(&question)?)?)
    }

    /// A passphrase (or the recovery code), with the key file where the two belong together.
    fn attempt<T>(
        &self,
        ways: &Ways,
        key: Option<&Secret>,
        text: &SecretText,
        open: &impl Fn(&Credential) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        if self.global.recovery {
            return open(&Credential::RecoveryCode(text.duplicate()));
        }
        if let (Some(key), true) = (key, ways.both) {
            let both = Credential::PassphraseAndKeyFile(text.duplicate(), key.duplicate());
            match open(&both) {
                Err(error) if error.kind() == Kind::WrongPassphrase && ways.passphrase => {}
                done => return done,
            }
        }
        open(&Credential::Passphrase(text.duplicate()))
    }

    /// A credential for a new vault.
    pub(crate) fn new_credential(&self) -> Outcome<Credential> {
        let passphrase = self.new_passphrase(self.source(Asking::Usual)?)?;
        Ok(with_key_file(passphrase, self.key_file()?))
    }

    /// `M_KIB,T,P` as three numbers, or what is usual where nothing is given.
    pub(crate) fn kdf(&self, given: Option<&str>, usual: KdfParams) -> Outcome<KdfParams> {
        let Some(given) = given else { return Ok(usual) };
        let numbers: Vec<u32> = given
            .split(',')
            .map_while(|word| word.trim().parse().ok())
            .collect();
        let (&[m_kib, t, p], 3) = (numbers.as_slice(), given.split(',').count()) else {
            return Err(Fault::usage(format!(
                "--kdf: {} is not three numbers M_KIB,T,P",
                crate::command::quoted(given)
            ))
            .hint("such as --kdf 65536,3,4"));
        };
        let costly = m_kib > USUAL_M_KIB || u64::from(m_kib) * u64::from(t) > USUAL_WORK_KIB;
        if costly && !self.global.accept_high_kdf {
            return Err(Fault::usage(format!(
                "--kdf {given}: more than 256 MiB, or more than 4 GiB in all passes: such a vault opens only with --accept-high-kdf"
            ))
            .hint("say --accept-high-kdf here too if that is what you want"));
        }
        Ok(KdfParams::new(m_kib, t, p)?)
    }
}

/// Typed wrong rather than anything worse.
fn is_mistyped(error: &VaultError) -> bool {
    error.kind() == Kind::WrongPassphrase || matches!(error, VaultError::RecoveryTypo(_))
}

/// A passphrase, with a key file as its second half if there is one.
pub(crate) fn with_key_file(passphrase: SecretText, key_file: Option<Secret>) -> Credential {
    match key_file {
        Some(key) => Credential::PassphraseAndKeyFile(passphrase, key),
        None => Credential::Passphrase(passphrase),
    }
}

/// Which kinds of slots a vault has.
struct Ways {
    passphrase: bool,
    both: bool,
    key_file: bool,
}

impl Ways {
    fn of(slots: &[SlotInfo]) -> Self {
        let passphrase = |with: bool| {
            slots.iter().any(|slot| match slot.kind {
                SlotKind::Passphrase { with_key_file, .. } => with_key_file == with,
                SlotKind::KeyFile | SlotKind::Recovery | SlotKind::Unknown(_) => false,
            })
        };
        Self {
            passphrase: passphrase(false),
            both: passphrase(true),
            key_file: slots.iter().any(|slot| slot.kind == SlotKind::KeyFile),
        }
    }

    fn nothing_fits(&self, path: &str) -> Fault {
        let (what, hint) = if self.both {
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
        Fault::new(Exit::Locked, format!("{path}: {what}")).hint(hint)
    }
}
