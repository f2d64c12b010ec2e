//! The model: what a vault and its copies must hold, as plain maps; and the operations, each with what it means.
//!
//! It knows the promises and nothing of the vault's code: the latest stamp of an account wins, a counter only grows, an
//! erased account is gone from every copy that learns of it within 400 days.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

const DAY: u64 = 86400;
/// How long an erased account is remembered, at least.
pub(super) const REMEMBERED: u64 = 400 * DAY;
/// How many earlier generations are kept.
pub(super) const KEPT: usize = 5;
/// The present key, and those before it that a vault still knows.
const KEYS: usize = 9;
/// Copies of the vault that are changed elsewhere.
pub(super) const FORKS: usize = 2;
/// About how many accounts there are.
const CROWD: usize = 24;

/// Something that is done to the vault. Accounts are told by a number of their own, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add {
        account: u32,
        counts: bool,
    },
    /// Several at once, in one save.
    Import {
        first: u32,
        count: u32,
    },
    Edit {
        account: u32,
        note: u32,
    },
    Remove(u32),
    Restore(u32),
    Erase(u32),
    /// The next code of a counter.
    Next(u32),
    /// Another key file in the place of one: the vault gets a new key.
    Key(u32),
    Passphrase(u32),
    /// A backup comes into the vault's place: the latest is 0.
    Backup(usize),
    /// The vault is let go and opened again.
    Reopen,
    /// The clock moves on, or back.
    Clock(i64),
    /// The vault is copied to another machine.
    Fork(usize),
    /// Something is done there.
    There(usize, There),
    /// What was done there comes back, and an account is added.
    Merge {
        fork: usize,
        account: u32,
    },
    /// The copy is thrown away.
    Drop(usize),
}

impl Op {
    /// Whether the vault itself is another one afterwards.
    pub(super) fn saves(&self) -> bool {
        match self {
            Self::Add { .. }
            | Self::Import { .. }
            | Self::Edit { .. }
            | Self::Remove(_)
            | Self::Restore(_)
            | Self::Erase(_)
            | Self::Next(_)
            | Self::Key(_)
            | Self::Passphrase(_)
            | Self::Backup(_)
            | Self::Merge { .. } => true,
            Self::Reopen | Self::Clock(_) | Self::Fork(_) | Self::There(..) | Self::Drop(_) => {
                false
            }
        }
    }
}

/// What is done to a copy on another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Add(u32),
    Edit { account: u32, note: u32 },
    Remove(u32),
    Erase(u32),
    Next(u32),
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Add { account, counts } => write!(f, "add {account} {}", u8::from(counts)),
            Self::Import { first, count } => write!(f, "import {first} {count}"),
            Self::Edit { account, note } => write!(f, "edit {account} {note}"),
            Self::Remove(account) => write!(f, "remove {account}"),
            Self::Restore(account) => write!(f, "restore {account}"),
            Self::Erase(account) => write!(f, "erase {account}"),
            Self::Next(account) => write!(f, "next {account}"),
            Self::Key(key) => write!(f, "key {key}"),
            Self::Passphrase(number) => write!(f, "passphrase {number}"),
            Self::Backup(which) => write!(f, "backup {which}"),
            Self::Reopen => write!(f, "reopen"),
            Self::Clock(by) => write!(f, "clock {by}"),
            Self::Fork(fork) => write!(f, "fork {fork}"),
            Self::There(fork, There::Add(account)) => write!(f, "there-add {fork} {account}"),
            Self::There(fork, There::Edit { account, note }) => {
                write!(f, "there-edit {fork} {account} {note}")
            }
            Self::There(fork, There::Remove(account)) => write!(f, "there-remove {fork} {account}"),
            Self::There(fork, There::Erase(account)) => write!(f, "there-erase {fork} {account}"),
            Self::There(fork, There::Next(account)) => write!(f, "there-next {fork} {account}"),
            Self::Merge { fork, account } => write!(f, "merge {fork} {account}"),
            Self::Drop(fork) => write!(f, "drop {fork}"),
        }
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let verb = words.next().ok_or("an empty line")?;
        let numbers: Vec<i64> = words.map(|word| word.parse().unwrap()).collect();
        let n = |at: usize| numbers[at] as u32;
        let size = |at: usize| numbers[at] as usize;
        Ok(match verb {
            "add" => Self::Add {
                account: n(0),
                counts: n(1) == 1,
            },
            "import" => Self::Import {
                first: n(0),
                count: n(1),
            },
            "edit" => Self::Edit {
                account: n(0),
                note: n(1),
            },
            "remove" => Self::Remove(n(0)),
            "restore" => Self::Restore(n(0)),
            "erase" => Self::Erase(n(0)),
            "next" => Self::Next(n(0)),
            "key" => Self::Key(n(0)),
            "passphrase" => Self::Passphrase(n(0)),
            "backup" => Self::Backup(size(0)),
            "reopen" => Self::Reopen,
            "clock" => Self::Clock(numbers[0]),
            "fork" => Self::Fork(size(0)),
            "there-add" => Self::There(size(0), There::Add(n(1))),
            "there-edit" => Self::There(
                size(0),
                There::Edit {
                    account: n(1),
                    note: n(2),
                },
            ),
            "there-remove" => Self::There(size(0), There::Remove(n(1))),
            "there-erase" => Self::There(size(0), There::Erase(n(1))),
            "there-next" => Self::There(size(0), There::Next(n(1))),
            "merge" => Self::Merge {
                fork: size(0),
                account: n(1),
            },
            "drop" => Self::Drop(size(0)),
            other => return Err(format!("no such operation: {other}")),
        })
    }
}

/// What can be seen of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) note: u32,
    pub(super) trashed: Option<u64>,
    pub(super) counter: Option<u64>,
}

/// Every account that can be seen, in the trash or not.
pub(super) type View = BTreeMap<u32, Shown>;

/// A mark of a view, short enough for a line.
pub(super) fn mark(view: &View) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    for (account, shown) in view {
        (account, shown.note, shown.trashed, shown.counter).hash(&mut hasher);
    }
    hasher.finish()
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// When it was last written: milliseconds, and a count within one.
    stamp: u64,
    /// None when it was erased.
    body: Option<Body>,
    counter: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Body {
    note: u32,
    trashed: Option<u64>,
}

/// One file.
#[derive(Debug, Clone)]
struct Copy {
    records: BTreeMap<u32, Record>,
    /// The keys it was sealed under, the present one first.
    keys: Vec<u32>,
    /// Tombstones may be kept as of then: the latest stamp in the file when it was opened by who wrote this, or the clock then.
    as_of: u64,
}

impl Copy {
    fn top(&self) -> u64 {
        let stamps = self.records.values().map(|record| record.stamp);
        stamps.max().unwrap_or(0)
    }

    fn view(&self) -> View {
        let shown = |(account, record): (&u32, &Record)| {
            let body = record.body.as_ref()?;
            let shown = Shown {
                note: body.note,
                trashed: body.trashed,
                counter: record.counter,
            };
            Some((*account, shown))
        };
        self.records.iter().filter_map(shown).collect()
    }

    fn write(&mut self, account: u32, stamp: u64, body: Option<Body>, counter: Option<u64>) {
        let counter = self.records.get(&account).map_or(counter, |r| r.counter);
        let record = Record {
            stamp,
            body,
            counter,
        };
        self.records.insert(account, record);
    }

    fn change(&mut self, account: u32, stamp: u64, change: impl FnOnce(&mut Body)) {
        let record = self.records.get_mut(&account).unwrap();
        change(record.body.as_mut().unwrap());
        record.stamp = stamp;
    }

    fn lives(&self, account: u32) -> bool {
        self.body(account)
            .is_some_and(|body| body.trashed.is_none())
    }

    fn body(&self, account: u32) -> Option<&Body> {
        self.records.get(&account)?.body.as_ref()
    }

    fn counts(&self, account: u32) -> bool {
        self.lives(account) && self.records[&account].counter.is_some()
    }
}

/// A copy on another machine, and when it was taken.
#[derive(Debug, Clone)]
struct Fork {
    copy: Copy,
    taken: u64,
}

/// What a keeper's file takes at most, in bytes.
pub(super) struct Sizes {
    pub(super) account: u64,
    /// For what was erased, as long as a copy elsewhere may have it still.
    pub(super) tombstone: u64,
    /// For each machine that ever had a part in it.
    pub(super) machine: u64,
    pub(super) rest: u64,
    /// The length of the file that holds so much.
    pub(super) filled: fn(u64) -> u64,
}

/// The vault, what was before, its copies, and the time.
#[derive(Debug, Clone)]
pub(super) struct World {
    ours: Rc<Copy>,
    /// The highest stamp that the open vault has seen.
    top: u64,
    past: VecDeque<Rc<Copy>>,
    forks: [Option<Fork>; FORKS],
    now: u64,
    /// The latest that the clock has ever shown.
    latest: u64,
    next: u32,
    notes: u32,
    keys: u32,
    /// How many copies were ever taken elsewhere.
    forked: u64,
    /// The latest stamp in the file when it was opened last.
    opened: u64,
    /// A save was cut short: there may be one backup more than is told here.
    pub(super) is_cut: bool,
}

/// The beginning: an empty vault at this time.
pub(super) const BEGIN: u64 = 1_800_000_000;

impl World {
    pub(super) fn new() -> Self {
        Self {
            ours: Rc::new(Copy {
                records: BTreeMap::new(),
                keys: vec![0],
                as_of: 0,
            }),
            top: 0,
            past: VecDeque::new(),
            forks: [None, None],
            now: BEGIN,
            latest: BEGIN,
            next: 1,
            notes: 0,
            keys: 0,
            forked: 0,
            opened: 0,
            is_cut: false,
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn view(&self) -> View {
        self.ours.view()
    }

    /// Whether anything is known of an account, be it that it was erased.
    pub(super) fn knows(&self, account: u32) -> bool {
        self.ours.records.contains_key(&account)
    }

    /// What a code's counter must be, before it is given.
    pub(super) fn counter(&self, account: u32) -> Option<u64> {
        self.ours.records.get(&account)?.counter
    }

    /// The longest that the file may be: what is there and what must be remembered, in the keeper's way.
    pub(super) fn longest(&self, sizes: &Sizes) -> u64 {
        let since = self.ours.as_of;
        let records = self.ours.records.values();
        let len: u64 = records
            .map(|record| match &record.body {
                Some(_) => sizes.account,
                None if (record.stamp >> 16) / 1000 + REMEMBERED >= since => sizes.tombstone,
                None => 0,
            })
            .sum();
        (sizes.filled)(len + sizes.rest + sizes.machine * self.forked.min(1024))
    }

    /// The vault was opened anew: after a kill, or as asked.
    pub(super) fn reopened(&mut self) {
        self.top = self.ours.top();
        self.opened = (self.top >> 16) / 1000;
    }

    fn stamp(&mut self) -> u64 {
        self.top = ((self.now * 1000) << 16).max(self.top + 1);
        self.top
    }

    /// Whether the operation means anything here.
    pub(super) fn takes(&self, op: &Op) -> bool {
        let ours = &self.ours;
        let is_new = |account: u32| !ours.records.contains_key(&account);
        let fork = |at: usize| self.forks[at].as_ref();
        match *op {
            Op::Add { account, .. } => is_new(account),
            Op::Import { first, count } => (first..first + count).all(is_new),
            Op::Edit { account, .. } => ours.body(account).is_some(),
            Op::Remove(account) => ours.lives(account),
            Op::Restore(account) => ours.body(account).is_some_and(|b| b.trashed.is_some()),
            Op::Erase(account) => ours.body(account).is_some(),
            Op::Next(account) => ours.counts(account),
            Op::Key(_) | Op::Passphrase(_) | Op::Reopen | Op::Clock(_) | Op::Fork(_) => true,
            Op::Backup(which) => !self.is_cut && which < self.past.len().min(KEPT),
            Op::There(at, there) => fork(at).is_some_and(|fork| match there {
                There::Add(account) => !fork.copy.records.contains_key(&account),
                There::Edit { account, .. } | There::Erase(account) => {
                    fork.copy.body(account).is_some()
                }
                There::Remove(account) => fork.copy.lives(account),
                There::Next(account) => fork.copy.counts(account),
            }),
            Op::Merge { fork: at, account } => {
                is_new(account) && fork(at).is_some_and(|fork| self.is_told(fork))
            }
            Op::Drop(at) => fork(at).is_some(),
        }
    }

    /// Whether what comes of a merge is promised: neither side may have forgotten what it erased, no two writings have one
    /// stamp, and the copy's key is known.
    fn is_told(&self, fork: &Fork) -> bool {
        let forgotten = |a: &Record, b: &Record| {
            a.body.is_none()
                && b.body.is_some()
                && (a.stamp >> 16) / 1000 + REMEMBERED < self.latest
        };
        let shared = fork.copy.records.iter().all(|(account, theirs)| {
            self.ours.records.get(account).is_none_or(|ours| {
                let is_tie = ours.stamp == theirs.stamp && ours.body != theirs.body;
                !is_tie && !forgotten(ours, theirs) && !forgotten(theirs, ours)
            })
        });
        shared
            && self.ours.keys.contains(&fork.copy.keys[0])
            && fork.taken + 2 * REMEMBERED > self.latest
    }

    /// Does what the operation means.
    pub(super) fn apply(&mut self, op: &Op) {
        let before = Rc::clone(&self.ours);
        self.change(op);
        if op.saves() {
            // A backup comes back as it was.
            if !matches!(op, Op::Backup(_)) {
                let as_of = self.opened.min(self.now);
                self.copy().as_of = as_of;
            }
            self.past.push_front(before);
            self.past.truncate(KEPT);
            self.is_cut = false;
        }
    }

    fn change(&mut self, op: &Op) {
        let now = self.now;
        let counter = |counts: bool| counts.then_some(0);
        let body = |note| {
            Some(Body {
                note,
                trashed: None,
            })
        };
        match *op {
            Op::Add { account, counts } => {
                let stamp = self.stamp();
                self.copy().write(account, stamp, body(0), counter(counts));
                self.next = self.next.max(account + 1);
            }
            Op::Import { first, count } => {
                for account in first..first + count {
                    let stamp = self.stamp();
                    let counter = counter(account % 3 == 0);
                    self.copy().write(account, stamp, body(0), counter);
                }
                self.next = self.next.max(first + count);
            }
            Op::Edit { account, note } => {
                let stamp = self.stamp();
                self.copy().change(account, stamp, |body| body.note = note);
                self.notes = self.notes.max(note);
            }
            Op::Remove(account) => {
                let stamp = self.stamp();
                self.copy()
                    .change(account, stamp, |body| body.trashed = Some(now));
            }
            Op::Restore(account) => {
                let stamp = self.stamp();
                self.copy()
                    .change(account, stamp, |body| body.trashed = None);
            }
            Op::Erase(account) => {
                let stamp = self.stamp();
                self.copy().write(account, stamp, None, None);
            }
            Op::Next(account) => count(self.copy(), account),
            // A changed passphrase changes the vault's key, too.
            Op::Key(key) | Op::Passphrase(key) => {
                self.keys = self.keys.max(key);
                let keys = &mut self.copy().keys;
                keys.insert(0, key);
                keys.truncate(KEYS);
            }
            Op::Backup(which) => {
                let mut back = Copy::clone(&self.past[which]);
                for copy in self.past.iter().chain([&self.ours]) {
                    raise(&mut back, copy);
                }
                self.ours = Rc::new(back);
                self.reopened();
            }
            Op::Reopen => {
                self.reopened();
            }
            Op::Clock(by) => {
                self.now = self.now.saturating_add_signed(by).max(BEGIN);
                self.latest = self.latest.max(self.now);
            }
            Op::Fork(at) => {
                self.forked += 1;
                self.forks[at] = Some(Fork {
                    copy: Copy::clone(&self.ours),
                    taken: self.now,
                });
            }
            Op::There(at, there) => {
                let fork = &mut self.forks[at].as_mut().unwrap().copy;
                let stamp = ((now * 1000) << 16).max(fork.top() + 1);
                match there {
                    There::Add(account) => {
                        fork.write(account, stamp, body(0), None);
                        self.next = self.next.max(account + 1);
                    }
                    There::Edit { account, note } => {
                        fork.change(account, stamp, |body| body.note = note);
                        self.notes = self.notes.max(note);
                    }
                    There::Remove(account) => {
                        fork.change(account, stamp, |body| body.trashed = Some(now));
                    }
                    There::Erase(account) => fork.write(account, stamp, None, None),
                    There::Next(account) => count(fork, account),
                }
            }
            Op::Merge { fork, account } => {
                let theirs = self.forks[fork].take().unwrap().copy;
                let ours = self.copy();
                for (account, record) in theirs.records {
                    match ours.records.get_mut(&account) {
                        None => {
                            ours.records.insert(account, record);
                        }
                        Some(kept) => {
                            let counter = kept.counter.max(record.counter);
                            if record.stamp > kept.stamp {
                                *kept = record;
                            }
                            kept.counter = counter;
                        }
                    }
                }
                self.top = self.top.max(self.ours.top());
                let stamp = self.stamp();
                self.copy().write(account, stamp, body(0), None);
                self.next = self.next.max(account + 1);
            }
            Op::Drop(fork) => {
                self.forks[fork] = None;
            }
        }
    }

    fn copy(&mut self) -> &mut Copy {
        Rc::make_mut(&mut self.ours)
    }

    /// Forgets what was erased so long ago that no copy comes back from then.
    pub(super) fn forget(&mut self) {
        // No later than what the file may still hold.
        let now = self.now.min(self.ours.as_of);
        self.copy().records.retain(|_, record| {
            record.body.is_some() || (record.stamp >> 16) / 1000 + 4 * REMEMBERED > now
        });
    }

    /// What is done next.
    pub(super) fn pick(&self, chance: &mut Chance) -> Op {
        loop {
            let op = self.any(chance);
            if self.takes(&op) {
                return op;
            }
            // A copy that can't be told about any more makes room.
            if let Op::Merge { fork, .. } = op
                && self.forks[fork].is_some()
            {
                return Op::Drop(fork);
            }
        }
    }

    fn any(&self, chance: &mut Chance) -> Op {
        let of = |copy: &Copy, chance: &mut Chance| -> u32 {
            let all: Vec<u32> = copy.view().into_keys().collect();
            match all.len() {
                0 => 0,
                len => all[chance.below(len as u64) as usize],
            }
        };
        let account = of(&self.ours, chance);
        let note = self.notes + 1;
        let fork = chance.below(FORKS as u64) as usize;
        let is_many = self.view().len() > CROWD;
        match chance.below(1000) {
            0..150 if is_many => Op::Erase(account),
            0..120 => Op::Add {
                account: self.next,
                counts: chance.below(2) == 0,
            },
            120..150 => Op::Import {
                first: self.next,
                count: 1 + chance.below(4) as u32,
            },
            150..420 => Op::Edit { account, note },
            420..480 => Op::Remove(account),
            480..530 => Op::Restore(account),
            530..580 => Op::Erase(account),
            580..780 => Op::Next(account),
            780..785 => Op::Key(self.keys + 1),
            785 if chance.below(2) == 0 => Op::Passphrase(self.keys + 1),
            785..795 => Op::Backup(chance.below(KEPT as u64) as usize),
            795..810 => Op::Reopen,
            810..816 => Op::Clock((1 + chance.below(60)) as i64 * DAY as i64),
            816 => Op::Clock(401 * DAY as i64),
            817..825 => Op::Clock(-(chance.below(2 * DAY) as i64)),
            825..860 => Op::Clock(1 + chance.below(3600) as i64),
            860..872 => Op::Fork(fork),
            872..875 => Op::Drop(fork),
            875..889 => Op::Merge {
                fork,
                account: self.next,
            },
            _ => {
                let Some(there) = &self.forks[fork] else {
                    return Op::Edit { account, note };
                };
                let account = of(&there.copy, chance);
                let there = match chance.below(10) {
                    0..2 => There::Add(self.next),
                    2..5 => There::Edit { account, note },
                    5 => There::Remove(account),
                    6 => There::Erase(account),
                    _ => There::Next(account),
                };
                Op::There(fork, there)
            }
        }
    }
}

fn count(copy: &mut Copy, account: u32) {
    let record = copy.records.get_mut(&account).unwrap();
    record.counter = record.counter.map(|counter| counter + 1);
}

/// A code that was given isn't given again, whatever copy comes back.
fn raise(back: &mut Copy, seen: &Copy) {
    for (account, record) in &mut back.records {
        if let Some(seen) = seen.records.get(account) {
            record.counter = record.counter.max(seen.counter);
        }
    }
}

/// Numbers at random from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
