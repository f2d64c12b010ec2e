//! What the keyholder's threads share, in many orders of their turns.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize as Count};
use std::sync::{Arc, Mutex};

use super::*;
use crate::agent::turns::scheduled::{orders, turn};
use crate::clock::Stopwatch;
use crate::vault::tests::evidence::tell;
use shuttle::thread;

const SHORT: Lifetimes = Lifetimes {
    whole: Duration::from_secs(60),
    idle: Duration::from_secs(10),
};

fn at(secs: u64) -> Uptime {
    Uptime::from_duration(Duration::from_secs(secs))
}

/// What counts a lifetime: the agent's own, or one that stands in its place.
trait Counts: Send + Sync + 'static {
    fn begin() -> Self;
    fn touch(&self, now: Uptime) -> bool;
}

impl Counts for Lifetime {
    fn begin() -> Self {
        Self::new(SHORT, at(0))
    }

    fn touch(&self, now: Uptime) -> bool {
        Self::touch(self, now)
    }
}

/// Looks, and then does: another one's turn may come in between.
struct Naive(Mutex<Uptime>);

impl Counts for Naive {
    fn begin() -> Self {
        Self(Mutex::new(at(10)))
    }

    fn touch(&self, now: Uptime) -> bool {
        let idle_end = *self.0.lock().unwrap();
        turn();
        if now.until(idle_end).is_zero() || now.until(at(60)).is_zero() {
            return false;
        }
        *self.0.lock().unwrap() = now.plus(SHORT.idle);
        true
    }
}

/// A use, from when it was asked for until its answer, by the order of all such moments.
struct Use {
    begun: u64,
    ended: u64,
    now: u64,
    allowed: bool,
}

/// Threads that use a key now and then. A use after one that was refused is refused; one within the idle time of one that
/// was allowed before is allowed.
fn lifetimes<C: Counts>() {
    let life = Arc::new(C::begin());
    let (clock, moments) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let uses: Arc<Mutex<Vec<Use>>> = Arc::default();
    let threads: Vec<_> = (0..4u64)
        .map(|number| {
            let (life, clock) = (Arc::clone(&life), Arc::clone(&clock));
            let (moments, uses) = (Arc::clone(&moments), Arc::clone(&uses));
            thread::spawn(move || {
                for round in 0..4 {
                    let tick = (number + round) % 4;
                    let now = clock.fetch_add(tick, Ordering::SeqCst) + tick;
                    let begun = moments.fetch_add(1, Ordering::SeqCst);
                    turn();
                    let allowed = life.touch(at(now));
                    let ended = moments.fetch_add(1, Ordering::SeqCst);
                    let done = Use {
                        begun,
                        ended,
                        now,
                        allowed,
                    };
                    uses.lock().unwrap().push(done);
                    turn();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let uses = uses.lock().unwrap();
    for late in uses.iter() {
        let earlier = || uses.iter().filter(|early| early.ended < late.begun);
        if late.allowed {
            assert!(earlier().all(|early| early.allowed), "it came back");
        } else if late.now < 60 && uses.iter().all(|one| one.allowed || one.now >= late.now) {
            // The clock of a use that is under way may have been read by then.
            let reach = earlier()
                .filter(|early| early.allowed)
                .map(|early| early.now + 10);
            let latest = uses.iter().filter(|one| one.begun < late.ended);
            let latest = latest.map(|one| one.now).max().unwrap_or(0);
            assert!(reach.max().unwrap_or(10) <= latest, "it was cut short");
        }
    }
}

const ORDERS: usize = 1000;

#[test]
fn lifetimes_are_counted_right_in_any_order() {
    let watch = Stopwatch::start();
    orders(ORDERS, lifetimes::<Lifetime>);
    tell(
        "threads",
        &[("cases", ORDERS as u64), ("faults", 0), ("losses", 0)],
        watch,
    );
}

/// Whether one of so many orders is found to be bad.
fn found(count: usize, model: impl Fn() + Send + Sync + 'static) -> u64 {
    u64::from(catch_unwind(AssertUnwindSafe(|| orders(count, model))).is_err())
}

/// A vault in a directory, of which each order gets a copy.
struct Pattern {
    dir: tempfile::TempDir,
    key: Vec<u8>,
    alice: AccountId,
    counter: AccountId,
    next: Count,
}

impl Pattern {
    fn new() -> Self {
        let bench = Bench::new(LONG);
        let dir = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap());
        std::fs::copy(&bench.files.vault, dir.path().join("pattern")).unwrap();
        Self {
            dir,
            key: bench.key.expose().to_vec(),
            alice: bench.id("alice"),
            counter: bench.id("counter"),
            next: Count::new(0),
        }
    }

    fn key(&self) -> Secret {
        Secret::new(self.key.clone())
    }

    /// A vault of its own, held.
    fn held(&self) -> (Files, Arc<Hold>) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let home = self.dir.path().join(number.to_string());
        if number > 0 {
            drop(std::fs::remove_dir_all(
                self.dir.path().join((number - 1).to_string()),
            ));
        }
        std::fs::create_dir(&home).unwrap();
        let files = Files {
            vault: home.join("vault.vmfa"),
            state: home.join("state"),
        };
        std::fs::copy(self.dir.path().join("pattern"), &files.vault).unwrap();
        let ask = Box::new(|_: &Summary, _: &dyn Fn() -> bool| Allowed::NotAsked);
        let hold = Hold::new(files.clone(), "here".into(), &self.key(), LONG, ask).unwrap();
        (files, Arc::new(hold))
    }
}

/// Whether a reply is of use to somebody who may not have a code any more.
fn gives(reply: &Reply) -> bool {
    matches!(reply, Reply::Code(..) | Reply::Pair(_))
}

/// When the key is said to be gone: once it is, or as soon as somebody has asked for it, which is the control.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lets {
    Go,
    TooSoon,
}

/// Clients ask, one of them unlocks again, somebody else saves, and one locks: once the key is let go, nothing that begins
/// gets a code; no counter is used twice; all of it comes to an end.
fn a_lock_among_requests(pattern: &Pattern, lets: Lets) {
    let (files, hold) = pattern.held();
    let gone = Arc::new(AtomicBool::new(false));
    let codes: Arc<Mutex<Vec<String>>> = Arc::default();
    let (alice, counter) = (pattern.alice, pattern.counter);
    let code = move || Request::Code {
        whom: Whom::Id(alice),
        when: When::At(NOON),
    };
    let next = move || Request::HotpNext {
        id: counter,
        now: NOON,
    };
    let key = pattern.key.clone();
    let unlock = move || Request::Unlock {
        key: Secret::new(key.clone()),
        lifetimes: LONG,
    };
    type Requests = Vec<Box<dyn Fn() -> Request + Send>>;
    let clients: Vec<Requests> = vec![
        vec![Box::new(code), Box::new(next), Box::new(code)],
        vec![
            Box::new(next),
            Box::new(next),
            Box::new(|| Request::List(Which::Live)),
        ],
        vec![
            Box::new(unlock),
            Box::new(code),
            Box::new(|| Request::Status),
        ],
    ];
    let threads: Vec<_> = clients
        .into_iter()
        .map(|requests| {
            let (hold, gone, codes) = (Arc::clone(&hold), Arc::clone(&gone), Arc::clone(&codes));
            thread::spawn(move || {
                let mut asker = newcomer();
                for request in requests {
                    let too_late = gone.load(Ordering::SeqCst);
                    let request = request();
                    let counts = matches!(request, Request::HotpNext { .. });
                    let mut said = Vec::new();
                    hold.answer(request, &mut asker, &mut |reply| said.push(reply));
                    assert!(
                        !(too_late && said.iter().any(gives)),
                        "a code after the lock"
                    );
                    for reply in said {
                        if let (Reply::Code(_, code), true) = (reply, counts) {
                            codes.lock().unwrap().push(code.as_str().to_owned());
                        }
                    }
                }
            })
        })
        .collect();
    let other = {
        let files = files.clone();
        let key = pattern.key();
        thread::spawn(move || {
            turn();
            let (mut vault, _) = Unlocked::open_held(&files, &key, NOON).unwrap();
            vault
                .add(account("of another process", totp(), "x"), NOON)
                .unwrap();
            vault.save(NOON).unwrap();
        })
    };
    let locked = {
        let (hold, gone) = (Arc::clone(&hold), Arc::clone(&gone));
        thread::spawn(move || {
            for _ in 0..3 {
                turn();
            }
            let then = hold.answer(Request::Lock, &mut newcomer(), &mut |_| {});
            assert_eq!(then, Then::Lock);
            if lets == Lets::TooSoon {
                gone.store(true, Ordering::SeqCst);
            }
            // As the keyholder's main thread does; the process ends then.
            while !hold.let_go() {
                turn();
            }
            gone.store(true, Ordering::SeqCst);
        })
    };
    for thread in threads.into_iter().chain([other, locked]) {
        thread.join().unwrap();
    }
    assert!(hold.read().vault.is_none(), "the key has come back");
    let codes = codes.lock().unwrap();
    let different: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(different.len(), codes.len(), "a counter was used twice");
    let (vault, _) = Unlocked::open_held(&files, &pattern.key(), NOON).unwrap();
    let there = vault.live().find(|summary| summary.id == counter).unwrap();
    assert!(there.counter >= Some(codes.len() as u64));
    assert_eq!(vault.live().count(), 3);
}

const HELD: usize = 150;

#[test]
fn no_code_leaves_once_the_key_is_let_go() {
    let watch = Stopwatch::start();
    let pattern = Pattern::new();
    orders(HELD, move || a_lock_among_requests(&pattern, Lets::Go));
    tell(
        "threads",
        &[
            ("cases", HELD as u64),
            ("faults", HELD as u64),
            ("losses", 0),
        ],
        watch,
    );
}

#[test]
fn a_naive_discipline_is_found_out() {
    let watch = Stopwatch::start();
    let pattern = Pattern::new();
    let lost = [
        found(ORDERS, lifetimes::<Naive>),
        found(HELD, move || a_lock_among_requests(&pattern, Lets::TooSoon)),
    ];
    tell("threads", &[("control", lost.iter().sum())], watch);
    assert_eq!(lost, [1, 1]);
}
