//! A long life: operations at random on one vault, held against a model after each, with the clock moving on by years and the
//! process killed in the middle.

#![expect(clippy::print_stderr, reason = "a test says what it came to")]

mod driver;
mod keeper;
mod naive;
mod world;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::evidence::{Row, tell};
use driver::{How, TOO_LONG, live, quick_dir};
use keeper::{Keeper, Vmfa};
use vmfa::clock::Stopwatch;
use world::{Chance, Op, World};

/// A process of [`driver::live`]. By itself it does nothing.
#[test]
fn a_keeper_that_is_told() {
    driver::keep_as_told();
}

fn lives(seed: u64, steps: u64) {
    let watch = Stopwatch::start();
    let tally = live(How::Vmfa, seed, steps);
    tell(&Row {
        suite: "life",
        cases: Some(tally.steps),
        faults: Some(tally.kills),
        losses: Some(u64::from(tally.loss.is_some())),
        control: None,
        seconds: watch.elapsed(),
    });
    eprintln!("{tally:?}, {:?}", watch.elapsed());
    assert_eq!(tally.loss, None);
    assert_eq!(tally.steps, steps);
    assert!(tally.kills > 0 && tally.stood > 0 && tally.stood < tally.kills && tally.codes > 0);
}

#[test]
fn thousands_of_operations_lose_nothing() {
    lives(1, 3000);
}

#[test]
#[ignore = "it takes most of an hour: tests/run --long"]
fn a_million_operations_lose_nothing() {
    lives(2, 1_000_000);
}

#[test]
fn a_naive_keeper_is_found_out() {
    let watch = Stopwatch::start();
    let mut found = 0;
    let mut lost = |how| {
        let losses: Vec<String> = (0..3)
            .filter_map(|seed| live(how, seed, 3000).loss)
            .collect();
        found += losses.len() as u64;
        losses
    };
    let (in_place, forgets) = (lost(How::InPlace), lost(How::Forgets));
    let hoards = lost(How::Hoards);
    tell(&Row {
        suite: "life",
        cases: None,
        faults: None,
        losses: None,
        control: Some(found),
        seconds: watch.elapsed(),
    });
    assert!(!in_place.is_empty() && !forgets.is_empty() && !hoards.is_empty());
    // By what they do wrong, and by nothing else.
    let too_long = |loss: &String| loss.contains(TOO_LONG);
    assert!(
        forgets.iter().all(|loss| loss.contains("merge")),
        "{forgets:?}"
    );
    assert!(hoards.iter().all(too_long), "{hoards:?}");
}

struct Whole;

impl ReferenceStateMachine for Whole {
    type State = World;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<World> {
        Just(World::new()).boxed()
    }

    fn transitions(state: &World) -> BoxedStrategy<Op> {
        let state = state.clone();
        any::<u64>()
            .prop_map(move |seed| state.pick(&mut Chance(seed)))
            .boxed()
    }

    fn apply(mut state: World, op: &Op) -> World {
        state.apply(op);
        state
    }

    fn preconditions(state: &World, op: &Op) -> bool {
        state.takes(op)
    }
}

/// The vault in this process, and when it is.
struct Kept {
    dir: tempfile::TempDir,
    keeper: Option<Vmfa>,
    now: u64,
}

impl StateMachineTest for Whole {
    type SystemUnderTest = Kept;
    type Reference = Self;

    fn init_test(world: &World) -> Kept {
        let dir = quick_dir();
        let keeper = Some(Vmfa::open(dir.path(), world.now()).unwrap());
        let now = world.now();
        Kept { dir, keeper, now }
    }

    fn apply(mut kept: Kept, world: &World, op: Op) -> Kept {
        let keeper = kept.keeper.take().unwrap();
        let (keeper, code) = keeper.perform(&op, kept.now).unwrap();
        if let Op::Next(account) = op {
            let counter = world.counter(account).unwrap() - 1;
            assert_eq!(code, Some(keeper::hotp(account, counter)));
        }
        kept.now = world.now();
        kept.keeper = Some(keeper);
        kept
    }

    fn check_invariants(kept: &Kept, world: &World) {
        let wanted = world.view();
        assert_eq!(kept.keeper.as_ref().unwrap().holds().unwrap(), wanted);
        let (found, _) = Vmfa::look(kept.dir.path(), kept.now).unwrap();
        assert_eq!(found, wanted);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_comes_to_what_the_model_says(sequential 1..80 => Whole);
}
