//! The list: which accounts are in it, in which order, with which codes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use vmfa::account::query::aws_account_id;
use vmfa::account::{AccountId, Summary};
use vmfa::clock::{UnixTime, Uptime};
use vmfa::otp::{Code, Moment, Scheme};

use crate::fuzzy::{Haystacks, Marks};
use crate::tui::config::Sort;
use crate::tui::layout;
use crate::tui::line::Line;
use crate::tui::message::{Accounts, Given, Source};
use crate::tui::state::{Dialog, State};
use crate::tui::uses::Uses;

/// A counter's code, or one that was asked for, stays on the screen for so long.
const SHOWN_SECS: u64 = 30;
/// A code that hasn't come for so long is asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// The list and what lies over it.
pub(crate) struct Board {
    pub(crate) live: Vec<Summary>,
    pub(crate) trash: Vec<Summary>,
    pub(crate) source: Source,
    pub(crate) uses: Uses,
    /// Searching uses up its scratch memory, drawing what was found too.
    haystacks: RefCell<Haystacks>,
    /// Indices into `live`, in the order in which they are shown.
    pub(crate) shown: Vec<usize>,
    pub(crate) query: Line,
    pub(crate) is_searching: bool,
    pub(crate) group: Option<Group>,
    pub(crate) sort: Sort,
    /// Which of `shown`.
    pub(crate) selected: usize,
    /// The first line of the list on the screen.
    pub(crate) top: usize,
    pub(crate) privacy: bool,
    /// Whose code is shown although codes are hidden, and until when.
    pub(crate) revealed: Option<(AccountId, u64)>,
    codes: HashMap<AccountId, Vec<Given>>,
    /// Asked for and not here yet, and since when.
    asked: HashMap<(AccountId, u64), Uptime>,
    /// Codes of counters and of accounts that ask, and until when each is shown.
    single: HashMap<AccountId, (Code, u64)>,
    pub(crate) dialog: Option<Dialog>,
    /// What was deleted, the last at the end.
    pub(crate) deleted: Vec<AccountId>,
}

/// What a list can be narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Group {
    Favorites,
    Tag(String),
    /// An AWS account, by its ID.
    AwsAccount(String),
}

/// What stands in the place of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown<'b> {
    /// The present code, the next one (where it is known), and the seconds that are left.
    Step {
        now: Option<&'b Given>,
        next: Option<&'b Given>,
        left: u64,
        period: u64,
    },
    /// A counter's code, or one of an account that asks, made a moment ago.
    Single(&'b Code),
    /// Made when it is asked for: a counter's.
    Counter(u64),
    /// Made when it is asked for and said yes to.
    Asks,
    /// Hidden until it is chosen.
    Hidden,
    /// There is none at this moment: the clock stands before the account's first step.
    None,
}

impl Board {
    pub(crate) fn new(accounts: Accounts, sort: Sort, privacy: bool) -> Self {
        let mut board = Self {
            haystacks: RefCell::new(Haystacks::new::<Summary>(&[])),
            live: Vec::new(),
            trash: Vec::new(),
            source: accounts.source,
            uses: Uses::default(),
            shown: Vec::new(),
            query: Line::new(),
            is_searching: false,
            group: None,
            sort,
            selected: 0,
            top: 0,
            privacy,
            revealed: None,
            codes: HashMap::new(),
            asked: HashMap::new(),
            single: HashMap::new(),
            dialog: None,
            deleted: Vec::new(),
        };
        board.take(accounts);
        board
    }

    /// Takes the accounts as they are now; what was selected stays so.
    pub(crate) fn take(&mut self, accounts: Accounts) {
        let selected = self.selected_id();
        let trash_line = self.trash_line();
        let schemes: HashMap<AccountId, Scheme> = self
            .live
            .iter()
            .map(|summary| (summary.id, summary.scheme.clone()))
            .collect();
        self.haystacks = RefCell::new(Haystacks::new(&accounts.live));
        self.live = accounts.live;
        self.trash = accounts.trash;
        self.trash
            .sort_by_key(|summary| (std::cmp::Reverse(summary.trashed), summary.id));
        self.source = accounts.source;
        self.uses = accounts.uses;
        // An account that is another now has other codes.
        let same: HashSet<AccountId> = self
            .live
            .iter()
            .filter(|summary| schemes.get(&summary.id) == Some(&summary.scheme))
            .map(|summary| summary.id)
            .collect();
        self.codes.retain(|id, _| same.contains(id));
        self.asked.clear();
        self.single.retain(|id, _| same.contains(id));
        if let Some(group) = &self.group
            && !self.groups().iter().any(|(other, _)| other == group)
        {
            self.group = None;
        }
        self.arrange();
        if let Some(id) = selected {
            self.select(&id);
        }
        self.keep_dialog(trash_line);
    }

    /// Which account of the trash is chosen.
    fn trash_line(&self) -> Option<AccountId> {
        match &self.dialog {
            Some(Dialog::Trash { selected, .. }) => {
                self.trash.get(*selected).map(|summary| summary.id)
            }
            Some(_) | None => None,
        }
    }

    /// Holds what lies over the list to the accounts that there are now: it goes with its account, and the trash with its last.
    fn keep_dialog(&mut self, trash_line: Option<AccountId>) {
        let groups = match self.dialog {
            Some(Dialog::Groups { .. }) => self.groups().len(),
            Some(_) | None => 0,
        };
        let trash = &self.trash;
        let live = &self.live;
        let is_there = |id: &AccountId| live.iter().any(|summary| summary.id == *id);
        let is_kept = match &mut self.dialog {
            Some(Dialog::Trash { selected, erasing }) => {
                let place = |id: &AccountId| trash.iter().position(|summary| summary.id == *id);
                *selected = trash_line
                    .and_then(|id| place(&id))
                    .unwrap_or((*selected).min(trash.len().saturating_sub(1)));
                *erasing = erasing.filter(|id| place(id).is_some());
                !trash.is_empty()
            }
            Some(Dialog::Groups { selected }) => {
                *selected = (*selected).min(groups);
                true
            }
            Some(
                Dialog::Details { id, .. }
                | Dialog::Pair { id, .. }
                | Dialog::Qr { id, .. }
                | Dialog::Asks { id, .. },
            ) => is_there(id),
            // What was typed stays, and what becomes of it is said.
            Some(
                Dialog::Help { .. } | Dialog::Form(_) | Dialog::Add(_) | Dialog::Passphrase { .. },
            )
            | None => true,
        };
        if !is_kept {
            self.dialog = None;
        }
    }

    /// Puts the list in order again, after a change of the query, the group or the sort.
    pub(crate) fn arrange(&mut self) {
        let in_group = |summary: &Summary| match &self.group {
            None => true,
            Some(Group::Favorites) => summary.favorite,
            Some(Group::Tag(tag)) => summary.tags.contains(tag),
            Some(Group::AwsAccount(id)) => aws_account_id(summary) == Some(id.as_str()),
        };
        let query = self.query.text().trim();
        if query.is_empty() {
            let mut shown: Vec<usize> = (0..self.live.len())
                .filter(|index| in_group(&self.live[*index]))
                .collect();
            let live = &self.live;
            let name = |index: &usize| {
                let one = &live[*index];
                (one.issuer.to_lowercase(), one.name.to_lowercase(), one.id)
            };
            let uses = &self.uses;
            // Favourites first, whatever the order.
            match self.sort {
                Sort::Name => {
                    shown.sort_by_cached_key(|index| (!live[*index].favorite, name(index)))
                }
                Sort::Use => shown.sort_by_cached_key(|index| {
                    let count = uses.count(&live[*index].id);
                    (!live[*index].favorite, u32::MAX - count, name(index))
                }),
                Sort::Recent => shown.sort_by_cached_key(|index| {
                    let one = &live[*index];
                    let last = uses.last(&one.id).max(one.added);
                    (!one.favorite, u64::MAX - last, name(index))
                }),
            }
            self.shown = shown;
        } else {
            let hits = self.haystacks.borrow_mut().search(query);
            let hits = hits.into_iter().map(|hit| hit.index);
            self.shown = hits.filter(|index| in_group(&self.live[*index])).collect();
        }
        self.selected = self.selected.min(self.shown.len().saturating_sub(1));
    }

    /// Which characters of an account the query has met.
    pub(crate) fn marks(&self, summary: &Summary) -> Marks {
        match self.query.text().trim() {
            "" => Marks::default(),
            query => self.haystacks.borrow_mut().marks(query, summary),
        }
    }

    pub(crate) fn selected(&self) -> Option<&Summary> {
        self.shown
            .get(self.selected)
            .map(|index| &self.live[*index])
    }

    pub(crate) fn selected_id(&self) -> Option<AccountId> {
        self.selected().map(|summary| summary.id)
    }

    pub(crate) fn summary(&self, id: &AccountId) -> Option<&Summary> {
        self.live.iter().find(|summary| summary.id == *id)
    }

    /// Selects the account, if it is shown.
    pub(crate) fn select(&mut self, id: &AccountId) {
        let mut shown = self.shown.iter();
        if let Some(at) = shown.position(|index| self.live[*index].id == *id) {
            self.selected = at;
        }
    }

    /// Moves the selection, and hides what was chosen to be seen.
    pub(crate) fn move_to(&mut self, at: usize) {
        let at = at.min(self.shown.len().saturating_sub(1));
        if at != self.selected {
            self.selected = at;
            self.revealed = None;
        }
    }

    /// Scrolls so that the selection is on the screen, which has so many lines for it.
    pub(crate) fn scroll(&mut self, lines: usize) {
        let lines = lines.max(1);
        if self.selected < self.top {
            self.top = self.selected;
        } else if self.selected >= self.top + lines {
            self.top = self.selected + 1 - lines;
        }
        self.top = self.top.min(self.shown.len().saturating_sub(lines));
    }

    /// The tags and AWS accounts that there are, each with how many accounts it has.
    pub(crate) fn groups(&self) -> Vec<(Group, usize)> {
        let mut counts: HashMap<Group, usize> = HashMap::new();
        for summary in &self.live {
            if summary.favorite {
                *counts.entry(Group::Favorites).or_default() += 1;
            }
            for tag in &summary.tags {
                *counts.entry(Group::Tag(tag.clone())).or_default() += 1;
            }
            if let Some(id) = aws_account_id(summary) {
                *counts.entry(Group::AwsAccount(id.to_owned())).or_default() += 1;
            }
        }
        let mut groups: Vec<(Group, usize)> = counts.into_iter().collect();
        groups.sort();
        groups
    }

    /// What is to be seen of an account's codes now.
    pub(crate) fn code_of(&self, summary: &Summary, state: &State) -> Shown<'_> {
        let is_revealed = matches!(self.revealed, Some((id, until)) if id == summary.id && state.now.secs() < until);
        if let Some((code, until)) = self.single.get(&summary.id)
            && state.now.secs() < *until
        {
            return Shown::Single(code);
        }
        if let Some(counter) = summary.counter.filter(|_| is_counter(&summary.scheme)) {
            return Shown::Counter(counter);
        }
        if summary.confirm {
            return Shown::Asks;
        }
        if self.privacy && !is_revealed {
            return Shown::Hidden;
        }
        let Ok(step) = summary.scheme.step_at(state.now) else {
            return Shown::None;
        };
        let Ok(Moment::Step { until, .. }) = summary.scheme.window(step) else {
            return Shown::None;
        };
        let of = |step: u64| {
            let given = self.codes.get(&summary.id)?;
            given.iter().find(|given| given.code.step() == Some(step))
        };
        Shown::Step {
            now: of(step),
            next: step.checked_add(1).and_then(of),
            left: left(state.now, until),
            period: u64::from(summary.scheme.period().unwrap_or(30)),
        }
    }

    /// The codes that the screen needs or will soon need, and that nobody asked for yet: of the lines on it, and of a page
    /// more in both directions, for this step and the next, so that the turn of a step waits for nobody.
    pub(crate) fn wanted(
        &mut self,
        state_now: UnixTime,
        uptime: Uptime,
        lines: usize,
    ) -> Vec<(AccountId, u64)> {
        // An answer may never come: the vault was busy, the account has no code. It is bounded by what was seen meanwhile.
        self.asked
            .retain(|_, since| !uptime.until(since.plus(AGAIN)).is_zero());
        let first = self.top.saturating_sub(lines);
        let last = (self.top + 2 * lines).min(self.shown.len());
        let mut wanted = Vec::new();
        for index in &self.shown[first.min(last)..last] {
            let summary = &self.live[*index];
            let hidden = self.privacy
                && !matches!(self.revealed, Some((id, until)) if id == summary.id && state_now.secs() < until);
            if hidden || summary.confirm || is_counter(&summary.scheme) {
                continue;
            }
            let Ok(step) = summary.scheme.step_at(state_now) else {
                continue;
            };
            let known = self.codes.get(&summary.id);
            for step in [Some(step), step.checked_add(1)].into_iter().flatten() {
                let one = (summary.id, step);
                let is_known = known
                    .is_some_and(|known| known.iter().any(|given| given.code.step() == Some(step)));
                if !is_known && !self.asked.contains_key(&one) {
                    self.asked.insert(one, uptime);
                    wanted.push(one);
                }
            }
        }
        wanted
    }

    /// Takes codes that were asked for.
    pub(crate) fn give(&mut self, given: Vec<Given>) {
        for one in given {
            let Some(step) = one.code.step() else {
                continue;
            };
            self.asked.remove(&(one.id, step));
            let known = self.codes.entry(one.id).or_default();
            known.retain(|known| known.code.step() != Some(step));
            known.push(one);
        }
    }

    /// Forgets all codes; those that are seen are asked for again.
    pub(crate) fn forget_codes(&mut self) {
        self.codes.clear();
        self.asked.clear();
        self.single.clear();
        self.revealed = None;
    }

    /// The time steps whose codes are here.
    pub(crate) fn known_steps(&self) -> Vec<(AccountId, u64)> {
        let given = self.codes.values().flatten();
        given
            .filter_map(|given| Some((given.id, given.code.step()?)))
            .collect()
    }

    /// Shows a code that was made once: a counter's, or one that was said yes to.
    pub(crate) fn show_single(&mut self, id: AccountId, code: Code, now: UnixTime) {
        let until = match code.moment() {
            Moment::Step { until, .. } => until.secs(),
            Moment::Counter(_) => now.secs().saturating_add(SHOWN_SECS),
        };
        self.single.insert(id, (code, until));
    }

    /// Shows this account's code for a while although codes are hidden.
    pub(crate) fn reveal(&mut self, id: AccountId, now: UnixTime) {
        self.revealed = Some((id, now.secs().saturating_add(SHOWN_SECS)));
    }

    /// Takes off the screen what was shown of this account by choice.
    pub(crate) fn hide(&mut self, id: &AccountId) {
        self.single.remove(id);
        if matches!(self.revealed, Some((revealed, _)) if revealed == *id) {
            self.revealed = None;
        }
    }

    /// Whether a countdown is on the screen, or something that goes by itself.
    pub(crate) fn has_countdown(&self, state: &State) -> bool {
        if matches!(self.dialog, Some(Dialog::Pair { .. })) || !self.single.is_empty() {
            return true;
        }
        let lines = layout::list_lines(state.size);
        let visible = self.shown.iter().skip(self.top).take(lines);
        visible
            .map(|index| self.code_of(&self.live[*index], state))
            .any(|shown| matches!(shown, Shown::Step { .. } | Shown::None))
    }

    /// Lets go of what has had its time, and of what is hidden.
    pub(crate) fn tidy(&mut self, now: UnixTime) {
        self.single.retain(|_, (_, until)| now.secs() < *until);
        if matches!(self.revealed, Some((_, until)) if now.secs() >= until) {
            self.revealed = None;
        }
        let revealed = self.revealed.map(|(id, _)| id);
        let is_hidden = |id: &AccountId| self.privacy && revealed != Some(*id);
        self.asked.retain(|(id, _), _| !is_hidden(id));
        self.codes.retain(|id, known| {
            // A code whose time is over is of no use, unless the clock is set back: then it is asked for again.
            known.retain(|given| given.code.window().is_some_and(|(_, until)| now < until));
            !known.is_empty() && !is_hidden(id)
        });
    }
}

/// Seconds until then, a begun one counted.
pub(crate) fn left(now: UnixTime, until: UnixTime) -> u64 {
    now.until(until).as_millis().div_ceil(1000) as u64
}

fn is_counter(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Hotp(_) => true,
        Scheme::Totp(_) | Scheme::Steam | Scheme::Motp | Scheme::Yandex => false,
    }
}
