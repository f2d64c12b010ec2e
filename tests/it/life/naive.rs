//! The control: accounts kept as a simple program would keep them. The same driver must find it out.
//!
//! One kind writes in place; one replaces its file as a whole, and forgets at once what it has erased; one never forgets it.

#![expect(
    clippy::disallowed_methods,
    reason = "what a simple program would do is the point"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::keeper::{FILE, Keeper, fork, hotp};
use super::world::{KEPT, Op, Shown, Sizes, There, View};

pub(super) const IN_PLACE: u8 = 0;
pub(super) const FORGETS: u8 = 1;
pub(super) const HOARDS: u8 = 2;

pub(super) struct Naive<const KIND: u8> {
    dir: PathBuf,
    file: Text,
}

#[derive(Clone, Default)]
struct Text {
    generation: u64,
    lines: BTreeMap<u32, Line>,
}

#[derive(Clone)]
struct Line {
    stamp: u64,
    is_erased: bool,
    shown: Shown,
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Text {
    fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(words)?;
        let mut lines = text.lines();
        let generation = lines.next().ok_or("an empty file")?;
        let mut read = Self {
            generation: generation.parse().map_err(words)?,
            lines: BTreeMap::new(),
        };
        for line in lines {
            let parts: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
            let parts = parts.map_err(words)?;
            let [account, stamp, erased, note, trashed, counter] = parts[..] else {
                return Err(format!("a line with {} parts", parts.len()));
            };
            let shown = Shown {
                note: note as u32,
                trashed: (trashed > 0).then_some(trashed),
                counter: (counter > 0).then(|| counter - 1),
            };
            let line = Line {
                stamp,
                is_erased: erased == 1,
                shown,
            };
            read.lines.insert(account as u32, line);
        }
        Ok(read)
    }

    fn write(&self, path: &Path, in_place: bool) -> Result<(), String> {
        let to = if in_place {
            path.to_owned()
        } else {
            path.with_extension("new")
        };
        let mut file = fs::File::create(&to).map_err(words)?;
        writeln!(file, "{}", self.generation).map_err(words)?;
        for (account, line) in &self.lines {
            let Shown {
                note,
                trashed,
                counter,
            } = line.shown;
            let (erased, trashed) = (u8::from(line.is_erased), trashed.unwrap_or(0));
            let counter = counter.map_or(0, |counter| counter + 1);
            let stamp = line.stamp;
            writeln!(
                file,
                "{account} {stamp} {erased} {note} {trashed} {counter}"
            )
            .map_err(words)?;
        }
        if !in_place {
            fs::rename(to, path).map_err(words)?;
        }
        Ok(())
    }

    fn top(&self) -> u64 {
        let stamps = self.lines.values().map(|line| line.stamp);
        stamps.max().unwrap_or(0)
    }

    fn stamp(&self, now: u64) -> u64 {
        ((now * 1000) << 16).max(self.top() + 1)
    }

    fn add(&mut self, account: u32, counts: bool, now: u64) {
        let line = Line {
            stamp: self.stamp(now),
            is_erased: false,
            shown: Shown {
                note: 0,
                trashed: None,
                counter: counts.then_some(0),
            },
        };
        self.lines.insert(account, line);
    }

    fn change(&mut self, account: u32, now: u64, change: impl FnOnce(&mut Shown)) {
        let stamp = self.stamp(now);
        if let Some(line) = self.lines.get_mut(&account) {
            line.stamp = stamp;
            change(&mut line.shown);
        }
    }

    fn erase(&mut self, account: u32, now: u64, forgets: bool) {
        let stamp = self.stamp(now);
        if forgets {
            self.lines.remove(&account);
        } else if let Some(line) = self.lines.get_mut(&account) {
            (line.stamp, line.is_erased) = (stamp, true);
        }
    }

    fn next(&mut self, account: u32) -> Option<u64> {
        let counter = &mut self.lines.get_mut(&account)?.shown.counter;
        let given = *counter;
        *counter = given.map(|given| given + 1);
        given
    }

    fn take_in(&mut self, other: Self) {
        for (account, line) in other.lines {
            match self.lines.get_mut(&account) {
                None => {
                    self.lines.insert(account, line);
                }
                Some(kept) => {
                    let counter = kept.shown.counter.max(line.shown.counter);
                    if line.stamp > kept.stamp {
                        *kept = line;
                    }
                    kept.shown.counter = counter;
                }
            }
        }
    }

    fn view(&self) -> View {
        let lines = self.lines.iter().filter(|(_, line)| !line.is_erased);
        lines.map(|(a, line)| (*a, line.shown.clone())).collect()
    }
}

impl<const KIND: u8> Naive<KIND> {
    fn backup(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("backup-{generation}"))
    }
}

impl<const KIND: u8> Keeper for Naive<KIND> {
    const SIZES: Sizes = Sizes {
        account: 64,
        tombstone: 64,
        machine: 0,
        rest: 64,
        filled: |len| len,
    };

    fn open(dir: &Path, _now: u64) -> Result<Self, String> {
        let path = dir.join(FILE);
        let dir = dir.to_owned();
        if path.exists() {
            let file = Text::read(&path)?;
            return Ok(Self { dir, file });
        }
        fs::create_dir_all(dir.join("elsewhere")).map_err(words)?;
        let file = Text::default();
        file.write(&path, true)?;
        Ok(Self { dir, file })
    }

    fn perform(mut self, op: &Op, now: u64) -> Result<(Self, Option<String>), String> {
        let before = self.file.clone();
        let file = &mut self.file;
        let mut code = None;
        match *op {
            Op::Add { account, counts } => file.add(account, counts, now),
            Op::Import { first, count } => {
                (first..first + count).for_each(|account| file.add(account, account % 3 == 0, now));
            }
            Op::Edit { account, note } => file.change(account, now, |shown| shown.note = note),
            Op::Remove(account) => file.change(account, now, |shown| shown.trashed = Some(now)),
            Op::Restore(account) => file.change(account, now, |shown| shown.trashed = None),
            Op::Erase(account) => file.erase(account, now, KIND == FORGETS),
            Op::Next(account) => {
                code = file.next(account).map(|counter| hotp(account, counter));
            }
            Op::Key(_) | Op::Passphrase(_) => {}
            Op::Backup(which) => {
                let generation = before.generation.checked_sub(1 + which as u64);
                let path = self.backup(generation.ok_or("a backup is missing")?);
                let mut back = Text::read(&path)?;
                // It is as careful with counters as it should be.
                for earlier in 0..=KEPT as u64 {
                    let seen = match earlier {
                        0 => Ok(before.clone()),
                        _ => Text::read(&self.backup(before.generation.saturating_sub(earlier))),
                    };
                    for (account, line) in seen.into_iter().flat_map(|seen| seen.lines) {
                        if let Some(back) = back.lines.get_mut(&account) {
                            back.shown.counter = back.shown.counter.max(line.shown.counter);
                        }
                    }
                }
                back.generation = before.generation;
                self.file = back;
            }
            Op::Reopen => {
                self.file = Text::read(&self.dir.join(FILE))?;
                return Ok((self, code));
            }
            Op::Clock(_) | Op::Drop(_) => return Ok((self, code)),
            Op::Fork(at) => {
                fs::copy(self.dir.join(FILE), fork(&self.dir, at)).map_err(words)?;
                return Ok((self, code));
            }
            Op::There(at, there) => {
                let path = fork(&self.dir, at);
                let mut file = Text::read(&path)?;
                match there {
                    There::Add(account) => file.add(account, false, now),
                    There::Edit { account, note } => {
                        file.change(account, now, |shown| shown.note = note);
                    }
                    There::Remove(account) => {
                        file.change(account, now, |shown| shown.trashed = Some(now));
                    }
                    There::Erase(account) => file.erase(account, now, KIND == FORGETS),
                    There::Next(account) => drop(file.next(account)),
                }
                file.write(&path, KIND == IN_PLACE)?;
                return Ok((self, code));
            }
            Op::Merge { fork: at, account } => {
                file.take_in(Text::read(&fork(&self.dir, at))?);
                file.add(account, false, now);
            }
        }
        let path = self.dir.join(FILE);
        fs::copy(&path, self.backup(before.generation)).map_err(words)?;
        self.file.generation = before.generation + 1;
        self.file.write(&path, KIND == IN_PLACE)?;
        Ok((self, code))
    }

    fn holds(&self) -> Result<View, String> {
        Ok(self.file.view())
    }

    fn look(dir: &Path, _now: u64) -> Result<(View, u64), String> {
        let file = Text::read(&dir.join(FILE))?;
        Ok((file.view(), file.generation))
    }
}
