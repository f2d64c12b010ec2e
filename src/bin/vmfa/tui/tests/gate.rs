use super::*;

fn asking() -> State {
    let mut state = closed(Config::default());
    report(&mut state, Report::Locked);
    state
}

#[test]
fn the_gate_opens() {
    let mut state = closed(Config::default());
    assert_eq!(seen(&state), "opening");
    // Nothing to type into yet.
    assert_eq!(told(&press(&mut state, "x enter")), "");
    report(&mut state, Report::Locked);
    assert_eq!(seen(&state), "asking");
    assert_eq!(told(&press(&mut state, "enter")), "");
    type_in(&mut state, "wrong");
    assert_eq!(seen(&state), "asking, typed 5");
    assert_eq!(told(&press(&mut state, "enter")), "Open(typed: true)");
    assert_eq!(seen(&state), "opening");
    report(&mut state, Report::Wrong(error("it opens nothing"), None));
    assert_eq!(seen(&state), "asking, (it opens nothing)");
    paste(&mut state, "right\n");
    assert_eq!(seen(&state), "asking, typed 5, (it opens nothing)");
    let effects = press(&mut state, "enter");
    let [Effect::Do(Job::Open(Some(typed)))] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(typed.expose(), "right");
    // What was wrong isn't said of what is being tried.
    assert_eq!(seen(&state), "opening");
    report(&mut state, Report::Accounts(accounts(five())));
    assert_eq!(seen(&state), "at 1");
}

#[test]
fn the_gate_is_left() {
    hold(
        asking,
        &[
            ("esc", "Quit", "asking"),
            ("x y esc", "", "asking"),
            ("x y esc esc", "Quit", "asking"),
            ("ctrl-c", "Quit", "asking"),
            ("x ctrl-c", "Quit", "asking, typed 1"),
            ("ctrl-z", "Suspend", "asking"),
            ("ctrl-l", "Redraw", "asking"),
        ],
    );
    let opening = || closed(Config::default());
    hold(opening, &[("esc", "Quit", "opening")]);
}

#[test]
fn what_cannot_be_opened_says_why_and_tries_again() {
    let mut state = closed(Config::default());
    report(&mut state, Report::Shut(error("the file is damaged")));
    assert_eq!(seen(&state), "shut, (the file is damaged)");
    assert_eq!(told(&press(&mut state, "x")), "");
    assert_eq!(told(&press(&mut state, "enter")), "Open(typed: false)");
    assert_eq!(seen(&state), "opening");
    // Out of the list, too.
    let mut state = opened(five());
    report(&mut state, Report::Shut(error("the file is damaged")));
    assert_eq!(seen(&state), "shut, (the file is damaged)");
}

#[test]
fn nobody_there_for_a_while_and_nothing_is_left() {
    let mut state = answered(five());
    press(&mut state, "down");
    assert_eq!(told(&tick(&mut state, 599_999)), "Look");
    assert_eq!(told(&tick(&mut state, 600_000)), "Lock(Ours)");
    assert_eq!(seen(&state), "asleep");
    assert!(state.board().is_none() && state.toast.is_none());
    assert_eq!(told(&tick(&mut state, 700_000)), "");
    // A key asks the agent first; whichever it is, it does nothing else.
    assert_eq!(told(&press(&mut state, "esc")), "Open(typed: false)");
    assert_eq!(seen(&state), "opening");
}

#[test]
fn whatever_a_person_does_puts_the_lock_off() {
    let does: [fn(&mut State); 3] = [
        |state| drop(press(state, "down")),
        |state| drop(mouse(state, MouseEventKind::ScrollDown, 1, 1)),
        |state| drop(paste(state, "a")),
    ];
    for act in does {
        let mut state = opened(five());
        tick(&mut state, 599_000);
        act(&mut state);
        tick(&mut state, 1_198_999);
        assert!(state.board().is_some());
        tick(&mut state, 1_199_000);
        assert!(state.board().is_none());
    }
    // What the worker says isn't somebody.
    let mut state = opened(five());
    tick(&mut state, 599_000);
    report(&mut state, Report::Failed(error("no")));
    tick(&mut state, 600_000);
    assert_eq!(seen(&state), "asleep");
    // And who wants it never is never locked out.
    let never = Config {
        lock_after: None,
        ..Config::default()
    };
    let mut state = opened_as(never, accounts(five()));
    tick(&mut state, 1 << 40);
    assert_eq!(seen(&state), "at 1");
}

#[test]
fn a_save_is_not_locked_away() {
    let mut state = opened(five());
    press(&mut state, "d");
    assert_eq!(told(&tick(&mut state, 600_000)), "Look");
    assert_eq!(seen(&state), "at 1, saving 1");
    // Nothing to do until the save has ended: no waking for a lock that can't be.
    assert!(!state.rest().expect("a countdown").is_zero());
    report(&mut state, Report::Saved(Said::good("done"), None));
    assert_eq!(told(&tick(&mut state, 600_001)), "Lock(Ours)");
}

#[test]
fn a_save_that_ends_in_a_lock_has_ended() {
    for end in [Report::Locked, Report::Shut(error("gone"))] {
        let mut state = opened(five());
        press(&mut state, "d");
        report(&mut state, end);
        assert_eq!(state.saving, 0);
    }
}

#[test]
fn what_comes_after_the_lock_shows_nothing() {
    let five = five();
    let reports: Vec<(&str, Report)> = vec![
        ("codes", Report::Codes(vec![given(&five[0], STEP)])),
        ("shown", Report::Shown(given(&five[2], STEP))),
        (
            "copied",
            Report::Copied {
                given: given(&five[0], STEP),
                said: Said::good("GitHub:alice: copied"),
            },
        ),
        ("accounts", Report::Accounts(accounts(five.clone()))),
        ("locked", Report::Locked),
        ("found", Report::Found(1, rows(2))),
        ("asks", Report::Asks(id(3), Job::Look)),
        ("needs", Report::NeedsPassphrase(Job::Look)),
        ("pair", Report::Pair(id(1), pair(&five[0]))),
        (
            "saved",
            Report::Saved(Said::good("GitHub:alice is in the trash"), Some(id(1))),
        ),
        (
            "added",
            Report::Added(vec![id(2)], Said::good("added AWS:root")),
        ),
        ("stale", Report::Stale),
    ];
    for (name, one) in reports {
        let mut state = answered(five.clone());
        press(&mut state, "L");
        let effects = report(&mut state, one);
        assert_eq!(
            (seen(&state).as_str(), asked(&effects)),
            ("asleep", vec![]),
            "{name}"
        );
    }
    // What went wrong is told all the same.
    let mut state = answered(five.clone());
    press(&mut state, "d L");
    report(&mut state, Report::NotSaved(error("no room on the disk")));
    assert_eq!(seen(&state), "asleep, (no room on the disk)");
}

fn pair(summary: &Summary) -> vmfa::otp::Pair {
    let now = UnixTime::from_secs(NOW);
    let pair = generator(&summary.scheme).pair_at(now, Pairing::Previous);
    pair.expect("a pair")
}

#[test]
fn another_program_locks_the_agent() {
    let mut state = answered(five());
    report(&mut state, Report::Locked);
    assert_eq!(seen(&state), "asking, (the agent was locked)");
}

#[test]
fn it_begins_as_configured() {
    let config = Config {
        start: crate::tui::config::Start::Search,
        privacy: true,
        sort: Sort::Use,
        ..Config::default()
    };
    let mut uses = Uses::default();
    uses.add(id(5), UnixTime::from_secs(NOW));
    let mut all = accounts(five());
    all.uses = uses;
    all.warnings = vec!["one".into(), "two".into()];
    let mut state = opened_as(config, all);
    assert_eq!(
        seen(&state),
        "at 1, searching \"\", by use, hidden, (one; two)"
    );
    assert_eq!(board(&state).shown, [0, 4, 1, 2, 3]);
    assert_eq!(told(&press(&mut state, "s")), "");
}

#[test]
fn half_a_passphrase_is_not_left_lying_about() {
    let mut state = asking();
    tick(&mut state, 1_000);
    assert_eq!(state.rest(), None);
    type_in(&mut state, "half");
    assert_eq!(state.rest(), Some(Duration::from_secs(600)));
    tick(&mut state, 600_999);
    assert_eq!(seen(&state), "asking, typed 4");
    tick(&mut state, 601_000);
    assert_eq!(seen(&state), "asking");
    assert_eq!(state.rest(), None);
}
