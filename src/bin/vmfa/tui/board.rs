//! The list: which accounts are in it, in which order, with which codes.

mod codes;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use vmfa::account::query::aws_account_id;
use vmfa::account::{AccountId, Summary};
use vmfa::clock::Uptime;
use vmfa::otp::{Code, Scheme};

pub(crate) use self::codes::{Shown, left};
use crate::fuzzy::{Haystacks, Marks};
use crate::tui::config::Sort;
use crate::tui::line::Line;
use crate::tui::message::{Accounts, Given, Source};
use crate::tui::state::Dialog;
use crate::tui::uses::Uses;

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
    /// The counter whose next code is being made.
    pub(crate) taking: Option<AccountId>,
    /// Whose code was hidden last.
    pub(crate) hid: Option<AccountId>,
    /// What was clicked last.
    pub(crate) clicked: Option<AccountId>,
    /// What is on its way out of the trash, to be chosen when it is here.
    pub(crate) coming: Option<AccountId>,
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
            taking: None,
            hid: None,
            clicked: None,
            coming: None,
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
        // What was brought back is chosen: whoever goes on with it means it.
        let is_back = |id: &AccountId| self.live.iter().any(|summary| summary.id == *id);
        let back = self.coming.filter(is_back);
        if back.is_some() {
            self.coming = None;
        }
        if let Some(id) = back.or(selected) {
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
}
