//! A process that keeps accounts does as it is told over a pipe, and is killed now and then; after every operation, what is
//! on the disk is held against the model.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads its own files, and says how far it is"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use vmfa::clock::Stopwatch;

use super::keeper::{FILE, Keeper, Vmfa, hotp};
use super::naive::{FORGETS, HOARDS, IN_PLACE, Naive};
use super::world::{Chance, KEPT, Op, World, mark};

/// The file that tells a process that it keeps accounts, and how.
const MARK: &str = "this directory is kept";
/// What every answer begins with: the test harness prints before it.
const ANSWER: &str = "=> ";
/// The vault, its lock, the backups and one that a kill left, a temporary file, two directories of pins, that of the copies
/// elsewhere, the mark.
const FILES: usize = 2 + KEPT + 1 + 1 + 2 + 1 + 1;
/// What is said of a file that holds what should be forgotten.
pub(super) const TOO_LONG: &str = "the file is too long";
/// One in so many saves is cut short.
const KILLS: u64 = 25;

/// How accounts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Vmfa,
    InPlace,
    Forgets,
    Hoards,
}

const WAYS: [(How, &str); 4] = [
    (How::Vmfa, "vmfa"),
    (How::InPlace, "in place"),
    (How::Forgets, "forgets"),
    (How::Hoards, "hoards"),
];

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) steps: u64,
    pub(super) kills: u64,
    /// Of those, the saves that stood.
    pub(super) stood: u64,
    pub(super) codes: u64,
    /// The longest that the file was.
    pub(super) longest: u64,
    pub(super) loss: Option<String>,
}

/// The present directory's keeper, told by its parent. In a directory without the mark, it does nothing.
pub(super) fn keep_as_told() {
    let Ok(how) = fs::read_to_string(MARK) else {
        return;
    };
    match WAYS.iter().find(|(_, name)| *name == how).unwrap().0 {
        How::Vmfa => keep::<Vmfa>(),
        How::InPlace => keep::<Naive<IN_PLACE>>(),
        How::Forgets => keep::<Naive<FORGETS>>(),
        How::Hoards => keep::<Naive<HOARDS>>(),
    }
}

fn keep<K: Keeper>() {
    let dir = Path::new(".");
    let mut keeper: Option<K> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (now, op) = line.split_once(' ').unwrap();
        let (now, op): (u64, Op) = (now.parse().unwrap(), op.parse().unwrap());
        let opened = keeper.take().map_or_else(|| K::open(dir, now), Ok);
        let done = opened
            .and_then(|keeper| keeper.perform(&op, now))
            .and_then(|(keeper, code)| Ok((keeper.holds()?, keeper, code)));
        let answer = match done {
            Ok((view, kept, code)) => {
                keeper = Some(kept);
                format!("ok {} {}", mark(&view), code.unwrap_or("-".into()))
            }
            Err(error) => format!("error {error}"),
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{ANSWER}{answer}").unwrap();
        out.flush().unwrap();
    }
}

struct Told {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Told {
    fn start(dir: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "life::a_keeper_that_is_told", "--nocapture"])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What one says that has lost its parent is of no interest; what it failed at, it answers.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    fn tell(&mut self, now: u64, op: &Op) {
        // One that has ended says nothing either.
        drop(writeln!(self.orders, "{now} {op}"));
    }

    fn answer(&mut self) -> Result<(u64, String), String> {
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line).unwrap() == 0 {
                return Err("the process ended by itself".into());
            }
            if let Some(answer) = parsed(&line) {
                return answer;
            }
        }
    }

    /// Killed where it stands; what it had said by then.
    fn kill(mut self) -> Option<Result<(u64, String), String>> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut rest = String::new();
        self.answers.read_to_string(&mut rest).unwrap();
        rest.lines().find_map(parsed)
    }

    fn end(mut self) {
        drop(self.orders);
        self.process.wait().unwrap();
    }
}

fn parsed(line: &str) -> Option<Result<(u64, String), String>> {
    let (_, answer) = line.split_once(ANSWER)?;
    let Some(told) = answer.trim().strip_prefix("ok ") else {
        return Some(Err(answer.trim().into()));
    };
    let (mark, code) = told.split_once(' ')?;
    Some(Ok((mark.parse().ok()?, code.into())))
}

/// Where nothing waits for a disk, if there is such a place.
pub(super) fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// So many operations on one vault, until something is lost.
pub(super) fn live(how: How, seed: u64, steps: u64) -> Tally {
    let dir = quick_dir();
    let name = WAYS.iter().find(|(way, _)| *way == how).unwrap().1;
    fs::write(dir.path().join(MARK), name).unwrap();
    let mut life = Life {
        how,
        dir: dir.path().to_owned(),
        world: World::new(),
        generation: 0,
        given: BTreeMap::new(),
        chance: Chance(seed),
        usual: Duration::from_millis(2),
        tally: Tally::default(),
    };
    let mut told = Told::start(&life.dir);
    told.tell(life.world.now(), &Op::Reopen);
    life.tally.loss = told.answer().err();
    life.generation = life.look().map_or(0, |(_, generation)| generation);
    while life.tally.steps < steps && life.tally.loss.is_none() {
        match life.step(told) {
            Ok(next) => told = next,
            Err(loss) => {
                let at = life.tally.steps;
                life.tally.loss = Some(format!("{name}, seed {seed}, step {at}: {loss}"));
                return life.tally;
            }
        }
    }
    told.end();
    life.tally
}

struct Life {
    how: How,
    dir: PathBuf,
    world: World,
    generation: u64,
    /// The counter after the last code of each account.
    given: BTreeMap<u32, u64>,
    chance: Chance,
    /// How long a save takes about here.
    usual: Duration,
    tally: Tally,
}

impl Life {
    fn look(&self) -> Result<(super::world::View, u64), String> {
        let now = self.world.now();
        match self.how {
            How::Vmfa => Vmfa::look(&self.dir, now),
            How::InPlace => Naive::<IN_PLACE>::look(&self.dir, now),
            How::Forgets => Naive::<FORGETS>::look(&self.dir, now),
            How::Hoards => Naive::<HOARDS>::look(&self.dir, now),
        }
    }

    fn step(&mut self, mut told: Told) -> Result<Told, String> {
        self.tally.steps += 1;
        let op = self.world.pick(&mut self.chance);
        let watch = Stopwatch::start();
        told.tell(self.world.now(), &op);
        if op.saves() && self.chance.below(KILLS) == 0 {
            let after = self.usual.as_micros() as u64 * 2;
            std::thread::sleep(Duration::from_micros(self.chance.below(after)));
            self.killed(&op, told.kill())?;
            told = Told::start(&self.dir);
        } else {
            let (mark, code) = told.answer().map_err(|error| format!("{op}: {error}"))?;
            if op.saves() {
                self.usual = (self.usual * 15 + watch.elapsed()) / 16;
            }
            self.hand_out(&op, &code)?;
            self.world.apply(&op);
            if mark != super::world::mark(&self.world.view()) {
                return Err(format!("{op}: what is held in memory is another state"));
            }
            let (view, generation) = self.look().map_err(|error| format!("{op}: {error}"))?;
            self.counts_on(&op, generation);
            self.is_the_same(&op, &view, generation)?;
        }
        if let Op::Backup(_) = op {
            let world = &self.world;
            self.given.retain(|account, _| world.knows(*account));
        }
        self.is_bounded(&op)?;
        Ok(told)
    }

    /// After a kill: all of the operation or nothing of it; and if it was said to be done, all of it.
    fn killed(
        &mut self,
        op: &Op,
        said: Option<Result<(u64, String), String>>,
    ) -> Result<(), String> {
        self.tally.kills += 1;
        let said = said.transpose().map_err(|error| format!("{op}: {error}"))?;
        let (view, generation) = self
            .look()
            .map_err(|error| format!("{op}, killed: {error}"))?;
        if generation == self.generation {
            if said.is_some() {
                return Err(format!("{op}: it was said to be done, and isn't"));
            }
            self.world.is_cut = true;
        } else {
            self.tally.stood += 1;
            if let Some((_, code)) = &said {
                self.hand_out(op, code)?;
            }
            self.world.apply(op);
            self.counts_on(op, generation);
        }
        self.world.reopened();
        self.is_the_same(op, &view, generation)
    }

    /// The generation is the next one; after a merge, one above that of a copy that was saved more often.
    fn counts_on(&mut self, op: &Op, found: u64) {
        self.generation += u64::from(op.saves());
        if let Op::Merge { .. } = op {
            self.generation = self.generation.max(found);
        }
    }

    fn is_the_same(
        &self,
        op: &Op,
        view: &super::world::View,
        generation: u64,
    ) -> Result<(), String> {
        let wanted = self.world.view();
        if *view != wanted {
            let missing = wanted
                .iter()
                .filter(|(a, shown)| view.get(a) != Some(shown));
            let odd = view
                .iter()
                .filter(|(a, shown)| wanted.get(a) != Some(shown));
            let (missing, odd): (Vec<_>, Vec<_>) = (missing.collect(), odd.collect());
            return Err(format!("{op}: wanted {missing:?}, found {odd:?}"));
        }
        if generation != self.generation {
            let wanted = self.generation;
            return Err(format!("{op}: generation {generation}, not {wanted}"));
        }
        Ok(())
    }

    /// The code is the right one, of a counter that was never used.
    fn hand_out(&mut self, op: &Op, code: &str) -> Result<(), String> {
        let Op::Next(account) = *op else {
            return Ok(());
        };
        let counter = self.world.counter(account).unwrap();
        self.tally.codes += 1;
        if code != hotp(account, counter) {
            return Err(format!("{op}: not the code of counter {counter}"));
        }
        if self.given.get(&account).is_some_and(|used| counter < *used) {
            return Err(format!("{op}: counter {counter} was used before"));
        }
        self.given.insert(account, counter + 1);
        Ok(())
    }

    fn is_bounded(&mut self, op: &Op) -> Result<(), String> {
        let sizes = match self.how {
            How::Vmfa => Vmfa::SIZES,
            How::Hoards => Naive::<HOARDS>::SIZES,
            // To be found out by what they lose.
            How::InPlace | How::Forgets => return Ok(()),
        };
        let len = fs::metadata(self.dir.join(FILE))
            .map_err(|e| e.to_string())?
            .len();
        self.tally.longest = self.tally.longest.max(len);
        let most = self.world.longest(&sizes);
        if len > most {
            return Err(format!("{op}: {TOO_LONG}: {len} bytes, more than {most}"));
        }
        if self.tally.steps.is_multiple_of(100) {
            self.world.forget();
            let files = fs::read_dir(&self.dir).map_err(|e| e.to_string())?.count();
            if files > FILES && self.how == How::Vmfa {
                return Err(format!("{files} files in the directory"));
            }
            // What the pins of the copies elsewhere know doesn't matter; that they don't pile up does.
        }
        if self.tally.steps.is_multiple_of(20_000) {
            let Tally {
                steps,
                kills,
                codes,
                longest,
                ..
            } = &self.tally;
            eprintln!("{steps} operations, {kills} kills, {codes} codes, at most {longest} bytes");
        }
        Ok(())
    }
}
