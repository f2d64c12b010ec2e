//! All that the interface knows. Changed by `update` alone, looked at by `view`.

use std::time::Duration;

use vmfa::account::{AccountId, Summary};
use vmfa::clock::{UnixTime, Uptime};
use vmfa::otp::Pair;
use vmfa::qr::Drawing;

use crate::tui::board::Board;
use crate::tui::config::Config;
use crate::tui::line::Line;
use crate::tui::message::{Edited, Fields, Job, Row, Said};
use crate::tui::theme::Theme;

/// How long something that is said stays.
pub(crate) const TOAST: Duration = Duration::from_secs(6);

/// The whole of it.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) theme: Theme,
    /// How the vault is called.
    pub(crate) vault_name: String,
    pub(crate) now: UnixTime,
    pub(crate) uptime: Uptime,
    /// When a person last did something.
    pub(crate) touched: Uptime,
    /// Columns and lines.
    pub(crate) size: (u16, u16),
    pub(crate) stage: Stage,
    pub(crate) toast: Option<Toast>,
    /// How many changes are on their way to the disk.
    pub(crate) saving: usize,
    /// How often accounts to be added were looked for.
    pub(crate) searches: u64,
    /// The person wants to leave, and a save isn't finished.
    pub(crate) is_leaving: bool,
}

/// Whether there is something to see.
pub(crate) enum Stage {
    Locked(Gate),
    Open(Box<Board>),
}

/// What stands before the accounts.
pub(crate) struct Gate {
    pub(crate) line: Line,
    pub(crate) step: GateStep,
    /// Why it isn't open.
    pub(crate) said: Option<Said>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GateStep {
    /// Nobody was here for a while; a key asks the agent first.
    Asleep,
    /// Being opened.
    Opening,
    /// The passphrase is asked for.
    Asking,
    /// It can't be opened from here: Enter tries again.
    Shut,
}

/// Something said for a while.
pub(crate) struct Toast {
    pub(crate) said: Said,
    /// That a code was copied: Esc needn't take this away before it leaves.
    pub(crate) is_last_word: bool,
    pub(crate) until: Uptime,
}

/// What lies over the list.
pub(crate) enum Dialog {
    Help {
        scroll: usize,
    },
    Details {
        id: AccountId,
        scroll: usize,
    },
    Pair {
        id: AccountId,
        pair: Option<Pair>,
    },
    Form(Box<Form>),
    Add(Adding),
    Groups {
        selected: usize,
    },
    Trash {
        selected: usize,
        /// The account whose erasing is asked about: the trash may change meanwhile.
        erasing: Option<AccountId>,
    },
    /// The passphrase for something that needs the vault itself.
    Passphrase {
        line: Line,
        purpose: Purpose,
        said: Option<Said>,
        is_opening: bool,
    },
    Qr {
        id: AccountId,
        drawing: Drawing,
        /// When it is taken off the screen.
        until: Uptime,
    },
    /// Yes or no to a code of an account that asks.
    Asks {
        id: AccountId,
        job: Option<Job>,
    },
}

impl Dialog {
    pub(crate) fn passphrase(purpose: Purpose) -> Self {
        Self::Passphrase {
            line: Line::new(),
            purpose,
            said: None,
            is_opening: false,
        }
    }

    pub(crate) fn adding(step: AddStep) -> Self {
        Self::Add(Adding {
            step,
            search: 0,
            typed: None,
            said: None,
        })
    }
}

/// What a passphrase is for.
pub(crate) enum Purpose {
    Qr(AccountId),
    Job(Option<Job>),
}

/// The fields of an account, being edited.
pub(crate) struct Form {
    pub(crate) id: AccountId,
    pub(crate) label: String,
    /// What stood in it at first: only what differs is changed.
    pub(crate) before: Fields,
    pub(crate) lines: [Line; Form::FIELDS],
    pub(crate) confirm: bool,
    /// Below the lines: the box for `confirm`.
    pub(crate) at: usize,
    pub(crate) said: Option<Said>,
    pub(crate) is_saving: bool,
}

impl Form {
    pub(crate) const FIELDS: usize = 5;
    pub(crate) const NAMES: [&'static str; Self::FIELDS] =
        ["issuer", "account", "tags (a, b)", "note", "AWS serial"];

    pub(crate) fn of(summary: &Summary) -> Self {
        let before = Fields {
            issuer: summary.issuer.clone(),
            name: summary.name.clone(),
            tags: summary.tags.join(", "),
            note: summary.note.clone(),
            serial_number: summary.serial_number.clone().unwrap_or_default(),
            confirm: summary.confirm,
        };
        Self {
            id: summary.id,
            label: summary.label(),
            lines: Self::lines(&before),
            confirm: before.confirm,
            before,
            at: 0,
            said: None,
            is_saving: false,
        }
    }

    /// The form as it was filled in before.
    pub(crate) fn again(summary: &Summary, edited: &Edited) -> Self {
        Self {
            lines: Self::lines(&edited.after),
            confirm: edited.after.confirm,
            before: edited.before.clone(),
            ..Self::of(summary)
        }
    }

    fn lines(fields: &Fields) -> [Line; Self::FIELDS] {
        [
            Line::of(&fields.issuer),
            Line::of(&fields.name),
            Line::of(&fields.tags),
            Line::of(&fields.note),
            Line::of(&fields.serial_number),
        ]
    }
}

/// An account on its way in.
pub(crate) struct Adding {
    pub(crate) step: AddStep,
    /// The number of the search whose answer is waited for, or was found.
    pub(crate) search: u64,
    /// What was typed: it comes back where nothing is found, and where it can't be saved.
    pub(crate) typed: Option<Box<AddStep>>,
    /// Why the last try failed.
    pub(crate) said: Option<Said>,
}

/// How far it is.
pub(crate) enum AddStep {
    /// Where from: an entry of [`AddStep::WAYS`].
    Choose(usize),
    /// A name for a secret, then the secret; or a URI.
    Type {
        name: Line,
        secret: Line,
        /// Which of the two the cursor is in.
        at: usize,
    },
    Path(Line),
    Looking,
    /// What was found, to be said yes to.
    Found(Vec<Row>),
    Saving,
}

impl AddStep {
    pub(crate) const WAYS: [(&'static str, char); 4] = [
        ("paste or type a URI or a secret", 'p'),
        ("a picture file", 'f'),
        ("the screen: find the QR code on it", 's'),
        ("the clipboard: a picture or a text", 'c'),
    ];
}

impl State {
    pub(crate) fn new(
        config: Config,
        theme: Theme,
        vault_name: String,
        size: (u16, u16),
        now: UnixTime,
        uptime: Uptime,
    ) -> Self {
        Self {
            config,
            theme,
            vault_name,
            now,
            uptime,
            touched: uptime,
            size,
            stage: Stage::Locked(Gate::new(GateStep::Opening)),
            toast: None,
            saving: 0,
            searches: 0,
            is_leaving: false,
        }
    }

    /// Says it for a while; nothing where all is taken off the screen: it may name an account.
    pub(crate) fn say(&mut self, said: Said) {
        if let Stage::Locked(_) = self.stage {
            return;
        }
        self.toast = Some(Toast {
            said,
            is_last_word: false,
            until: self.uptime.plus(TOAST),
        });
    }

    /// The list, if it is open.
    pub(crate) fn board(&self) -> Option<&Board> {
        match &self.stage {
            Stage::Open(board) => Some(board),
            Stage::Locked(_) => None,
        }
    }

    /// Takes everything off the screen and out of memory; what is to be forgotten elsewhere is for the caller.
    pub(crate) fn shut(&mut self, step: GateStep) {
        self.stage = Stage::Locked(Gate::new(step));
        self.toast = None;
    }

    /// How long nothing on the screen changes unless something happens; none for as long as one likes.
    pub(crate) fn rest(&self) -> Option<Duration> {
        let mut rest: Option<Duration> = None;
        let mut sooner = |other: Duration| {
            rest = Some(rest.map_or(other, |rest| rest.min(other)));
        };
        if let Some(toast) = &self.toast {
            sooner(self.uptime.until(toast.until));
        }
        if let (Stage::Locked(gate), Some(after)) = (&self.stage, self.config.lock_after)
            && !gate.line.is_empty()
        {
            sooner(self.uptime.until(self.touched.plus(after)));
        }
        if let Stage::Open(board) = &self.stage {
            // What is being saved isn't locked away; its end will be told.
            if let Some(after) = self.config.lock_after
                && self.saving == 0
            {
                sooner(self.uptime.until(self.touched.plus(after)));
            }
            if let Some(Dialog::Qr { until, .. }) = &board.dialog {
                sooner(self.uptime.until(*until));
            }
            if board.has_countdown(self) {
                // Every step begins at a whole second.
                sooner(Duration::from_millis(
                    1000 - u64::from(self.now.subsec_millis()),
                ));
            }
        }
        rest
    }
}

impl Gate {
    pub(crate) fn new(step: GateStep) -> Self {
        Self {
            line: Line::new(),
            step,
            said: None,
        }
    }
}
