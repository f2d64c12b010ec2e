//! What comes in and what goes out: messages change the state, effects are what the state asks for.

use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use vmfa::account::{AccountId, Summary};
use vmfa::clock::{UnixTime, Uptime};
use vmfa::otp::{Code, Pair};
use vmfa::qr::Drawing;
use vmfa::secret::SecretText;

use crate::tui::uses::Uses;

/// Something that happened.
pub(crate) enum Message {
    /// The time, before anything that happens then.
    Tick(UnixTime, Uptime),
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(SecretText),
    /// Columns and lines.
    Resize(u16, u16),
    Report(Report),
    /// The machine is about to sleep, or the screen was locked.
    MustLock,
}

/// What the state asks for.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Something that touches the vault, the agent, the clipboard or a file: done in order, beside the screen.
    Do(Job),
    /// Give the terminal to the shell until it comes back.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Take the terminal anew, and draw every cell.
    Retake,
    Quit,
}

/// Which code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    Next,
}

/// Whether the person has said yes to a code of an account that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yes {
    Said,
    NotAsked,
}

/// Work for the desk.
pub(crate) enum Job {
    /// Find the accounts: of the agent, or of the vault, with the passphrase if one was typed.
    Open(Option<SecretText>),
    /// Open the vault itself with this passphrase, then do that.
    OpenFor(SecretText, Box<Job>),
    /// Codes of these time steps.
    Codes(Vec<(AccountId, u64)>),
    /// A code into the clipboard; for a counter-based account its next one.
    Copy {
        id: AccountId,
        when: When,
        yes: Yes,
    },
    /// A code that is on the screen into the clipboard: a counter's, which was made before.
    Again(Given),
    /// The code of an account that asks before each, to be shown.
    Show {
        id: AccountId,
        yes: Yes,
    },
    Pair {
        id: AccountId,
        yes: Yes,
    },
    /// The account as a QR code, after the passphrase was typed.
    Qr(AccountId, SecretText),
    Change(Change),
    /// Look for accounts, to show what was found. Each search has a number: its answer is for whoever still waits for it.
    Find(u64, Find),
    /// What was found isn't wanted.
    Forget,
    /// Look whether the vault was changed by somebody else.
    Look,
    /// Note what was used.
    Note(Uses),
    /// Forget the keys, here and (if so) at the agent.
    Lock(Whose),
}

/// Whose key is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Only this process's.
    Ours,
    /// The agent's too.
    AgentsToo,
}

/// Where accounts are looked for.
pub(crate) enum Find {
    /// A Key URI, several, or a secret, pasted or typed; with a name for a secret.
    Text {
        text: SecretText,
        name: String,
    },
    Picture(String),
    Screen,
    Clipboard,
}

/// A change of the vault that is saved at once.
pub(crate) enum Change {
    /// Words of an account, as typed.
    Edit(AccountId, Box<Edited>),
    Favorite(AccountId, bool),
    Remove(AccountId),
    Restore(AccountId),
    /// Out of the trash, for good.
    Erase(AccountId),
    /// What the search of this number has found.
    Add(u64),
}

/// The fields of the form, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields {
    pub(crate) issuer: String,
    pub(crate) name: String,
    /// Separated by commas.
    pub(crate) tags: String,
    pub(crate) note: String,
    pub(crate) serial_number: String,
    pub(crate) confirm: bool,
}

/// A form that was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edited {
    /// What stood in it when it was opened.
    pub(crate) before: Fields,
    pub(crate) after: Fields,
}

/// Where the accounts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Agent,
    Vault,
}

/// What the desk says.
pub(crate) enum Report {
    /// The accounts, when opened and after each change.
    Accounts(Accounts),
    /// They can't be had without a passphrase.
    Locked,
    /// They can't be had, and this is why.
    Shut(Said),
    Codes(Vec<Given>),
    /// A code is in the clipboard (or, with what is said, isn't).
    Copied {
        given: Given,
        said: Said,
    },
    /// A code of an account that asks, to be shown.
    Shown(Given),
    Pair(AccountId, Pair),
    /// The account's QR code.
    Qr(AccountId, Drawing),
    /// The vault itself must be open for it: the passphrase is wanted.
    NeedsPassphrase(Job),
    /// The account asks first.
    Asks(AccountId, Job),
    /// Looking has found this.
    Found(u64, Vec<Row>),
    /// Looking has found a secret and nothing else: it needs a name.
    Bare(u64, SecretText),
    /// Looking has found nothing, and why.
    NotFound(u64, Said),
    /// The change is on the disk; with the account that it put into the trash.
    Saved(Said, Option<AccountId>),
    /// The change isn't on the disk, and nothing else has changed.
    NotSaved(Said),
    /// What was added wants its two codes now: a device of AWS.
    Added(Vec<AccountId>, Said),
    /// The passphrase opens nothing; with what it was typed for.
    Wrong(Said, Option<Job>),
    /// Other programs have taken codes: what is known of the codes on the screen is old.
    Stale,
    /// It didn't work; nothing has changed.
    Failed(Said),
}

/// All accounts.
pub(crate) struct Accounts {
    pub(crate) live: Vec<Summary>,
    pub(crate) trash: Vec<Summary>,
    pub(crate) source: Source,
    pub(crate) uses: Uses,
    /// What there is to warn of.
    pub(crate) warnings: Vec<String>,
}

/// A code, and whether another program was given it to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) id: AccountId,
    pub(crate) code: Code,
    pub(crate) used: bool,
}

/// What was found of an account to be added, or why it is none; safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) kind: RowKind,
}

/// What a row of what was found is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// It can be added.
    Wanted,
    /// No account, and why.
    Refused,
    /// What there is to know about how it was found.
    Remark,
}

/// Something for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) tone: Tone,
    /// Safe to show.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

/// How it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Note,
    Warning,
    Error,
}

impl Said {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
            hint: None,
        }
    }

    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self::new(Tone::Good, text)
    }

    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self::new(Tone::Note, text)
    }
}

impl Job {
    /// Whether it writes to the vault.
    pub(crate) fn saves(&self) -> bool {
        match self {
            Self::Change(_) => true,
            Self::OpenFor(_, job) => job.saves(),
            Self::Open(_)
            | Self::Codes(_)
            | Self::Copy { .. }
            | Self::Show { .. }
            | Self::Again(_)
            | Self::Pair { .. }
            | Self::Qr(..)
            | Self::Find(..)
            | Self::Forget
            | Self::Look
            | Self::Note(_)
            | Self::Lock(_) => false,
        }
    }
}

impl std::fmt::Debug for Job {
    /// What is asked for, never a passphrase or a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(typed) => write!(f, "Open(typed: {})", typed.is_some()),
            Self::OpenFor(_, job) => write!(f, "OpenFor({job:?})"),
            Self::Codes(wanted) => write!(f, "Codes({wanted:?})"),
            Self::Copy { id, when, yes } => write!(f, "Copy({id}, {when:?}, {yes:?})"),
            Self::Again(given) => write!(f, "Again({})", given.id),
            Self::Show { id, yes } => write!(f, "Show({id}, {yes:?})"),
            Self::Pair { id, yes } => write!(f, "Pair({id}, {yes:?})"),
            Self::Qr(id, _) => write!(f, "Qr({id})"),
            Self::Change(change) => write!(f, "{change:?}"),
            Self::Find(_, find) => write!(f, "{find:?}"),
            Self::Forget => write!(f, "Forget"),
            Self::Look => write!(f, "Look"),
            Self::Note(_) => write!(f, "Note"),
            Self::Lock(whose) => write!(f, "Lock({whose:?})"),
        }
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Edit(id, edited) => write!(f, "Edit({id}, {:?})", edited.after),
            Self::Favorite(id, is) => write!(f, "Favorite({id}, {is})"),
            Self::Remove(id) => write!(f, "Remove({id})"),
            Self::Restore(id) => write!(f, "Restore({id})"),
            Self::Erase(id) => write!(f, "Erase({id})"),
            Self::Add(_) => write!(f, "Add"),
        }
    }
}

impl std::fmt::Debug for Find {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { name, .. } => write!(f, "Text(name: {name:?})"),
            Self::Picture(path) => write!(f, "Picture({path:?})"),
            Self::Screen => write!(f, "Screen"),
            Self::Clipboard => write!(f, "Clipboard"),
        }
    }
}
