//! Claims of one and of many.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Barrier;

use proptest::prelude::*;

use super::*;

fn id(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn ledger() -> (tempfile::TempDir, Ledger) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(directory.path().join("vault.ledger"));
    (directory, ledger)
}

fn put(ledger: &Ledger, bytes: &[u8]) {
    let _ = std::fs::remove_file(&ledger.path);
    std::fs::File::create(&ledger.path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

#[test]
fn the_nearest_unused_step_then_a_wait() {
    let (_directory, ledger) = ledger();
    let claims: Vec<Claim> = (0..6)
        .map(|_| ledger.claim(&id(1), 100, 2).unwrap())
        .collect();
    let expected = [100, 99, 101, 98, 102].map(Claim::Step);
    assert_eq!(claims[..5], expected);
    // At 101 the tolerance reaches 103, which nobody has used.
    assert_eq!(claims[5], Claim::WaitFor(101));
    assert_eq!(ledger.claim(&id(1), 101, 2).unwrap(), Claim::Step(103));
    // Another account has steps of its own.
    assert_eq!(ledger.claim(&id(2), 100, 0).unwrap(), Claim::Step(100));
    assert_eq!(ledger.claim(&id(2), 100, 0).unwrap(), Claim::WaitFor(101));
    assert_eq!(ledger.check().unwrap(), 2);
}

#[test]
fn a_wait_passes_over_steps_that_are_used_already() {
    let (_directory, ledger) = ledger();
    ledger.mark(&id(1), &[100, 101, 102]).unwrap();
    assert_eq!(ledger.claim(&id(1), 100, 0).unwrap(), Claim::WaitFor(103));
    assert_eq!(ledger.claim(&id(1), 103, 0).unwrap(), Claim::Step(103));
}

#[test]
fn the_first_and_the_last_step() {
    let (_directory, ledger) = ledger();
    assert_eq!(ledger.claim(&id(1), 0, 1).unwrap(), Claim::Step(0));
    assert_eq!(ledger.claim(&id(1), 0, 1).unwrap(), Claim::Step(1));
    assert_eq!(ledger.claim(&id(1), 0, 1).unwrap(), Claim::WaitFor(1));
    assert_eq!(
        ledger.claim(&id(1), u64::MAX, 0).unwrap(),
        Claim::Step(u64::MAX)
    );
    assert_eq!(
        ledger.claim(&id(1), u64::MAX, 0).unwrap(),
        Claim::WaitFor(u64::MAX)
    );
}

#[test]
fn a_clock_that_leaps_neither_repeats_a_step_nor_blocks() {
    let (_directory, ledger) = ledger();
    assert_eq!(ledger.claim(&id(1), 100, 0).unwrap(), Claim::Step(100));
    // Far ahead, and back again.
    assert_eq!(
        ledger.claim(&id(1), 9_000_000, 0).unwrap(),
        Claim::Step(9_000_000)
    );
    assert_eq!(ledger.claim(&id(1), 101, 0).unwrap(), Claim::Step(101));
    assert_eq!(ledger.claim(&id(1), 100, 0).unwrap(), Claim::WaitFor(102));
    assert_eq!(
        ledger.claim(&id(1), 9_000_000, 0).unwrap(),
        Claim::WaitFor(9_000_001)
    );
}

#[test]
fn the_file_stays_small() {
    let (_directory, ledger) = ledger();
    for step in 0..300 {
        ledger.mark(&id(1), &[step]).unwrap();
    }
    let record = file::read(&ledger.path).ok().unwrap();
    let remembered = (0..300)
        .filter(|step| record.is_used(&id(1), *step))
        .count();
    assert_eq!(remembered, REMEMBERED);
    assert!(record.is_used(&id(1), 299));
    let lines = (0..ACCOUNTS).map(|number| format!("{number:032x} 1\n"));
    let mut record =
        Record::from_text(format!("vmfa ledger 1\n{}", lines.collect::<String>()).as_bytes())
            .ok()
            .unwrap();
    record.mark(&id(0xff), &[1]);
    assert_eq!(record.accounts(), ACCOUNTS);
    assert!(
        !record.is_used(&AccountId::from_bytes([0; 16]), 1),
        "the one claimed for first is forgotten"
    );
}

#[test]
fn within_is_bounded_so_that_no_step_in_reach_is_forgotten() {
    let (_directory, ledger) = ledger();
    let mut seen = std::collections::HashSet::new();
    let mut waited = 0;
    for current in 1000..1100 {
        for _ in 0..3 {
            match ledger.claim(&id(1), current, u32::MAX).unwrap() {
                Claim::Step(step) => {
                    assert!(seen.insert(step), "{step} twice");
                    assert!(step.abs_diff(current) <= u64::from(MAX_WITHIN));
                }
                Claim::WaitFor(step) => {
                    assert!(step > current);
                    waited += 1;
                }
            }
        }
    }
    assert!(waited > 0);
}

#[test]
fn what_is_damaged_is_told_and_mended_and_the_rest_kept() {
    let (_directory, ledger) = ledger();
    ledger.mark(&id(1), &[100]).unwrap();
    ledger.mark(&id(2), &[200]).unwrap();
    let text = std::fs::File::open(&ledger.path)
        .and_then(std::io::read_to_string)
        .unwrap();
    put(&ledger, text.replace(" 100", " 1x0").as_bytes());
    assert!(matches!(
        ledger.check(),
        Err(LedgerError::Damaged { lines: 1, .. })
    ));
    assert_eq!(ledger.claim(&id(2), 200, 0).unwrap(), Claim::WaitFor(201));
    assert_eq!(ledger.claim(&id(1), 100, 0).unwrap(), Claim::Step(100));
    assert_eq!(ledger.check().unwrap(), 2);

    put(&ledger, b"");
    assert_eq!(ledger.check().unwrap(), 0);
    assert_eq!(ledger.claim(&id(1), 7, 0).unwrap(), Claim::Step(7));
    assert_eq!(ledger.check().unwrap(), 1);
    // Any cut is read, and what is whole of it counts.
    for len in "vmfa ledger 1\n".len()..text.len() {
        put(&ledger, &text.as_bytes()[..len]);
        assert!(
            matches!(ledger.claim(&id(1), 300, 0).unwrap(), Claim::Step(300)),
            "{len}"
        );
    }
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let (directory, ledger) = ledger();
    for foreign in [
        &b"VMFA1 a vault"[..],
        b"\xff\xfe",
        b"vmfa ledger 2\n",
        &[0; 512],
        b"\0vmfa ledger 1\n",
        b"\n",
    ] {
        put(&ledger, foreign);
        assert!(matches!(
            ledger.claim(&id(1), 1, 0),
            Err(LedgerError::Foreign(_))
        ));
        assert!(matches!(ledger.check(), Err(LedgerError::Foreign(_))));
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::open(&ledger.path).unwrap(), &mut read)
            .unwrap();
        assert_eq!(read, foreign);
    }
    std::fs::remove_file(&ledger.path).unwrap();
    std::fs::create_dir(&ledger.path).unwrap();
    assert!(matches!(
        ledger.claim(&id(1), 1, 0),
        Err(LedgerError::NotAFile(_))
    ));
    std::fs::remove_dir(&ledger.path).unwrap();

    let missing = Ledger::at(directory.path().join("nowhere/vault.ledger"));
    assert!(matches!(
        missing.claim(&id(1), 1, 0),
        Err(LedgerError::Io { .. })
    ));
    assert_eq!(missing.check().unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_refused_and_files_are_the_owners_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (directory, ledger) = ledger();
    let target = directory.path().join("target");
    symlink(&target, &ledger.path).unwrap();
    assert!(matches!(
        ledger.claim(&id(1), 1, 0),
        Err(LedgerError::NotAFile(_))
    ));
    assert!(!target.exists());
    std::fs::remove_file(&ledger.path).unwrap();

    rustix::fs::mknodat(
        rustix::fs::CWD,
        &ledger.path,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    assert!(matches!(
        ledger.claim(&id(1), 1, 0),
        Err(LedgerError::NotAFile(_))
    ));
    std::fs::remove_file(&ledger.path).unwrap();

    let [path, lock, new] = Ledger::files_of(&ledger.path);
    std::fs::remove_file(&lock).unwrap();
    symlink(&target, &lock).unwrap();
    assert!(matches!(
        ledger.claim(&id(1), 1, 0),
        Err(LedgerError::NotAFile(_))
    ));
    std::fs::remove_file(&lock).unwrap();

    // A link in the place of the new file is replaced, not followed.
    symlink(&target, &new).unwrap();
    ledger.mark(&id(1), &[1]).unwrap();
    assert!(!target.exists() && !new.exists());
    for file in [path, lock] {
        assert_eq!(
            std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_not_for_ever() {
    let (_directory, mut ledger) = ledger();
    ledger.patience = Duration::from_millis(50);
    let held = file::lock(&ledger.path, Locking::Held, PATIENCE).unwrap();
    let error = ledger.claim(&id(1), 100, 0).unwrap_err();
    assert!(matches!(error, LedgerError::Busy { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.hint().is_some());
    assert!(matches!(
        ledger.mark(&id(1), &[100]),
        Err(LedgerError::Busy { .. })
    ));
    // Reading waits for nobody.
    assert_eq!(ledger.check().unwrap(), 0);

    ledger.patience = PATIENCE;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ledger.claim(&id(1), 100, 0).unwrap());
        std::thread::sleep(Duration::from_millis(50));
        drop(held);
        assert_eq!(waiting.join().unwrap(), Claim::Step(100));
    });
}

/// Each of eight callers claims in each round; the steps that came, with how often.
fn race(ledger: impl Fn() -> Ledger + Sync, rounds: u64) -> HashMap<u64, usize> {
    let barrier = Barrier::new(8);
    let mut given = HashMap::new();
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let ledger = ledger();
                    let mut steps = Vec::new();
                    for round in 0..rounds {
                        barrier.wait();
                        if let Ok(Claim::Step(step)) = ledger.claim(&id(1), 1000 + round, 1) {
                            steps.push(step);
                        }
                    }
                    steps
                })
            })
            .collect();
        for racer in racers {
            for step in racer.join().unwrap() {
                *given.entry(step).or_default() += 1;
            }
        }
    });
    given
}

#[test]
fn threads_never_get_a_step_twice_and_do_without_the_lock() {
    let (directory, _) = ledger();
    let path = directory.path().join("locked.ledger");
    let given = race(|| Ledger::at(path.clone()), 40);
    assert!(given.values().all(|times| *times == 1), "{given:?}");
    assert_eq!(given.len(), 42, "every step within reach is given once");

    // How threads meet is up to the system: one of these races shows it.
    let doubled = (0..50).any(|race_number| {
        let path = directory.path().join(format!("unlocked-{race_number}"));
        let unlocked = || Ledger {
            path: path.clone(),
            locking: Locking::Skipped,
            patience: PATIENCE,
        };
        race(unlocked, 40).values().any(|times| *times > 1)
    });
    assert!(doubled, "without the lock a step is given twice");
}

/// Set for a copy of this test program that claims and writes down what it got.
const CHILD: &str = "VMFA_TEST_LEDGER";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test program starts copies of itself, told apart by the environment"
)]
fn processes_never_get_a_step_twice() {
    // All together fewer than are remembered: a process that the system leaves waiting claims around a step long past.
    const CLAIMS: usize = 15;
    if let Some(path) = std::env::var_os(CHILD) {
        let ledger = Ledger::at(path.into());
        let mut current = 5000;
        let mut claims = 0;
        while claims < CLAIMS {
            match ledger.claim(&id(1), current, 3).unwrap() {
                Claim::Step(step) => {
                    claims += 1;
                    println!("claimed {step}");
                }
                Claim::WaitFor(step) => current = step,
            }
        }
        return;
    }
    let (_directory, ledger) = ledger();
    let children: Vec<_> = (0..8)
        .map(|_| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "ledger::tests::processes_never_get_a_step_twice",
                    "--nocapture",
                ])
                .env(CHILD, &ledger.path)
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut given: HashMap<u64, usize> = HashMap::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            if let Some((_, step)) = line.split_once("claimed ") {
                *given.entry(step.parse().unwrap()).or_default() += 1;
            }
        }
    }
    assert_eq!(given.len(), 8 * CLAIMS, "as many steps as claims");
    assert!(given.values().all(|times| *times == 1), "{given:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Beside a model that forgets nothing: no step twice, the nearest first, and a wait that is exact.
    #[test]
    fn like_a_ledger_that_forgets_nothing(moves in prop::collection::vec((0u64..4, 0u32..4), 1..40)) {
        let (_directory, ledger) = ledger();
        let mut used = std::collections::HashSet::new();
        let mut current = 500;
        for (forward, within) in moves {
            current += forward;
            let distance = |step: u64| step.abs_diff(current);
            let free = |current: u64| {
                let near = u64::from(within);
                (current - near..=current + near).filter(|step| !used.contains(step)).collect::<Vec<_>>()
            };
            match ledger.claim(&id(1), current, within).unwrap() {
                Claim::Step(step) => {
                    prop_assert!(free(current).contains(&step));
                    prop_assert!(free(current).iter().all(|other| distance(step) <= distance(*other)));
                    used.insert(step);
                }
                Claim::WaitFor(step) => {
                    prop_assert!((current..step).all(|earlier| free(earlier).is_empty()));
                    prop_assert!(!free(step).is_empty());
                }
            }
        }
    }

    #[test]
    fn any_file_is_read(bytes in prop::collection::vec(any::<u8>(), 0..200), title in any::<bool>()) {
        let mut text = if title { b"vmfa ledger 1\n".to_vec() } else { Vec::new() };
        text.extend(bytes);
        let _ = Record::from_text(&text);
    }
}

const BUDGET: Budget = Budget {
    attempts: 3,
    seconds: 180,
};

#[test]
fn attempts_are_counted_and_leave_the_window() {
    let (_directory, ledger) = ledger();
    let at = |secs: u64| UnixTime::from_secs(1_000_000 + secs);
    let claim = |step, secs| {
        ledger
            .claim_attempt(&id(1), step, 2, at(secs), BUDGET)
            .unwrap()
    };
    assert_eq!(claim(100, 0), Attempt::Step(100));
    assert_eq!(claim(100, 1), Attempt::Step(99));
    assert_eq!(claim(100, 2), Attempt::Step(101));
    assert_eq!(claim(100, 3), Attempt::Spent(at(180)));
    // Another device has a budget of its own, and a plain claim has none.
    let other = ledger.claim_attempt(&id(2), 100, 2, at(3), BUDGET);
    assert_eq!(other.unwrap(), Attempt::Step(100));
    assert_eq!(ledger.claim(&id(1), 100, 2).unwrap(), Claim::Step(98));
    assert_eq!(claim(106, 179), Attempt::Spent(at(180)));
    assert_eq!(claim(106, 180), Attempt::Step(106));
    assert_eq!(claim(106, 180), Attempt::Spent(at(181)));
    // A clock that was set back forgets what lies ahead, and no step is given again.
    assert_eq!(claim(100, 0), Attempt::Step(102));
    assert_eq!(claim(100, 0), Attempt::WaitFor(101));
}

#[cfg(feature = "aws")]
#[test]
fn a_pair_shares_no_step_with_another() {
    let (_directory, ledger) = ledger();
    let claim = |current| ledger.claim_pair(&id(1), current).unwrap();
    assert_eq!(claim(100), Claim::Step(100));
    assert_eq!(claim(100), Claim::WaitFor(102));
    assert_eq!(claim(101), Claim::WaitFor(102));
    assert_eq!(claim(102), Claim::Step(102));
    assert_eq!(ledger.claim(&id(1), 104, 0).unwrap(), Claim::Step(104));
    assert_eq!(claim(104), Claim::WaitFor(106));
    assert_eq!(claim(0), Claim::WaitFor(1));
}
