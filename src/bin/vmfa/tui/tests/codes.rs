use super::*;
use crate::tui::board::Shown;

fn list_of(count: u8) -> Vec<Summary> {
    let one = |n| account(n, &format!("I{n:03}"), "a");
    (1..=count).map(one).collect()
}

/// As after the program's start: the state, and the codes that it asks for.
fn begun(live: Vec<Summary>, size: (u16, u16)) -> (State, Vec<(u8, u64)>) {
    let mut state = closed(Config::default());
    state.size = size;
    let effects = report(&mut state, Report::Accounts(accounts(live)));
    let wanted = asked(&effects);
    (state, wanted)
}

/// This step and the next of these accounts.
fn both(numbers: impl IntoIterator<Item = u8>) -> Vec<(u8, u64)> {
    let both = |number| [(number, STEP), (number, STEP + 1)];
    numbers.into_iter().flat_map(both).collect()
}

/// The code that stands in an account's line, and the seconds that are left.
fn line(state: &State, number: u8) -> (Option<String>, u64) {
    let board = board(state);
    let summary = board.summary(&id(number)).expect("it is there");
    match board.code_of(summary, state) {
        Shown::Step { now, left, .. } => (now.map(|given| given.code.as_str().into()), left),
        Shown::Single(code) => (Some(code.as_str().into()), 0),
        Shown::Counter(_) | Shown::Asks | Shown::Hidden | Shown::None => (None, 0),
    }
}

#[test]
fn codes_of_the_lines_and_of_a_page_around_and_nothing_twice() {
    // Ten lines: 12 less header and footer.
    let (mut state, wanted) = begun(list_of(60), (80, 12));
    assert_eq!(wanted, both(1..=20));
    assert_eq!(asked(&press(&mut state, "down")), []);
    assert_eq!(asked(&tick(&mut state, 1000)), []);
    // Line 25 is the last one on the screen: 16 to 25, and ten before and after.
    for _ in 0..23 {
        press(&mut state, "down");
    }
    let (mut state, _) = begun(list_of(60), (80, 12));
    assert_eq!(asked(&press(&mut state, "pagedown")), both([21]));
    assert_eq!(asked(&press(&mut state, "G")), both(41..=60));
    // What is on its way isn't asked for again.
    assert_eq!(asked(&press(&mut state, "home")), []);
    // A larger screen shows more of them.
    let (mut state, _) = begun(list_of(60), (80, 12));
    let effects = update(&mut state, Message::Resize(80, 17));
    assert_eq!(asked(&effects), both(21..=28));
}

#[test]
fn nothing_is_asked_for_twice_however_one_scrolls() {
    let (mut state, first) = begun(list_of(200), (80, 12));
    let mut all: Vec<(u8, u64)> = first;
    for _ in 0..25 {
        all.extend(asked(&press(&mut state, "pagedown")));
    }
    for _ in 0..25 {
        all.extend(asked(&press(&mut state, "pageup")));
    }
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(all.len(), once.len());
    assert_eq!(once, both(1..=200));
}

#[test]
fn who_asks_before_and_who_counts_is_never_asked_ahead() {
    let (mut state, mut wanted) = begun(five(), (80, 24));
    for second in 1..100 {
        let effects = tick(&mut state, second * 1000);
        wanted.extend(asked(&effects));
        answer(&mut state, &effects);
        assert!(!told(&effects).contains("Show"), "{}", told(&effects));
        press(&mut state, if second % 2 == 0 { "down" } else { "up" });
    }
    assert!(wanted.iter().all(|(number, _)| ![3, 4].contains(number)));
    assert!(wanted.contains(&(5, STEP + 3)));
}

#[test]
fn the_turn_of_a_step_waits_for_nobody() {
    let all = list_of(3);
    let mut state = answered(all.clone());
    tick(&mut state, 29_999);
    assert_eq!(
        line(&state, 1),
        (Some(code(&all[0], STEP).as_str().into()), 1)
    );
    let effects = tick(&mut state, 30_000);
    let next = code(&all[0], STEP + 1);
    assert_eq!(line(&state, 1), (Some(next.as_str().into()), 30));
    // And the one after it is asked for at once.
    let ahead: Vec<_> = (1..=3).map(|number| (number, STEP + 2)).collect();
    assert_eq!(asked(&effects), ahead);
}

#[test]
fn each_account_has_its_own_steps() {
    let mut all = list_of(4);
    all[1].scheme = totp(8, 60, 0);
    all[2].scheme = totp(6, 30, 7);
    all[3].scheme = totp(6, 30, NOW + 100);
    let (mut state, wanted) = begun(all.clone(), (80, 24));
    let long = NOW / 60;
    let late = (NOW - 7) / 30;
    assert_eq!(
        wanted,
        [
            (1, STEP),
            (1, STEP + 1),
            (2, long),
            (2, long + 1),
            (3, late),
            (3, late + 1)
        ]
    );
    let lefts = |state: &State| [1, 2, 3, 4].map(|number| line(state, number).1);
    // 1,700,000,010 is 30 s into a minute, and seven seconds before the third's turn.
    assert_eq!(lefts(&state), [30, 30, 7, 0]);
    tick(&mut state, 500);
    assert_eq!(lefts(&state), [30, 30, 7, 0]);
    tick(&mut state, 1_000);
    assert_eq!(lefts(&state), [29, 29, 6, 0]);
    tick(&mut state, 30_001);
    assert_eq!(lefts(&state), [30, 60, 7, 0]);
    // The fourth's first step.
    let effects = tick(&mut state, 100_000);
    assert_eq!(line(&state, 4).1, 30);
    assert!(asked(&effects).contains(&(4, 0)));
}

#[test]
fn a_clock_that_jumps_shows_no_code_of_another_time() {
    let all = list_of(1);
    let mut state = answered(all.clone());
    for (seconds, up) in [
        (0_i64, 1),
        (3600, 2),
        (-3600, 3),
        (86_400 * 365, 4),
        (1, 5),
        (-1, 6),
        (0, 7),
    ] {
        let now = NOW.saturating_add_signed(seconds);
        let effects = tick_to(&mut state, now * 1000, up);
        let right = code(&all[0], now / 30);
        let shown = line(&state, 1).0;
        assert!(
            shown.is_none() || shown.as_deref() == Some(right.as_str()),
            "{seconds}"
        );
        answer(&mut state, &effects);
        assert_eq!(
            line(&state, 1).0.as_deref(),
            Some(right.as_str()),
            "{seconds}"
        );
    }
    // Back before 1970's first step of all: nothing, and nothing fails.
    tick_to(&mut state, 0, 8);
}

#[test]
fn an_answer_that_never_came_is_asked_for_again() {
    let (mut state, wanted) = begun(list_of(2), (80, 24));
    assert_eq!(wanted, both(1..=2));
    // One comes, one doesn't.
    let one = list_of(2)[0].clone();
    report(
        &mut state,
        Report::Codes(vec![given(&one, STEP), given(&one, STEP + 1)]),
    );
    let mut again = Vec::new();
    for second in 1..=20 {
        again.extend(asked(&tick(&mut state, second * 1000)));
    }
    assert!(again.contains(&(2, STEP)), "{again:?}");
    assert!(again.len() <= 8, "not every second: {again:?}");
    assert!(again.iter().all(|(number, _)| *number == 2));
}

#[test]
fn what_is_held_does_not_grow() {
    let all = list_of(200);
    let (mut state, _) = begun(all, (80, 12));
    // An hour of scrolling about.
    for second in 1..3600 {
        let effects = tick(&mut state, second * 1000);
        answer(&mut state, &effects);
        let effects = press(
            &mut state,
            if second % 40 < 20 {
                "pagedown"
            } else {
                "pageup"
            },
        );
        // Every second answer is lost.
        if second % 2 == 0 {
            answer(&mut state, &effects);
        }
        // The list on the screen's own timer would lock it otherwise.
    }
    let steps = board(&state).known_steps();
    let now = STEP + 3599 / 30;
    assert!(
        steps.iter().all(|(_, step)| *step >= now),
        "old codes are held"
    );
    assert!(steps.len() <= 400, "{}", steps.len());
}

#[test]
fn what_other_programs_took_is_asked_for_anew() {
    let all = list_of(2);
    let mut state = answered(all.clone());
    let effects = report(&mut state, Report::Stale);
    let mut wanted = asked(&effects);
    wanted.sort_unstable();
    assert_eq!(wanted, both(1..=2));
    // Meanwhile what is there stays there.
    assert!(line(&state, 1).0.is_some());
    let mut used = given(&all[0], STEP);
    used.used = true;
    report(&mut state, Report::Codes(vec![used]));
    let Shown::Step { now: Some(now), .. } = board(&state).code_of(&all[0], &state) else {
        panic!("no code");
    };
    assert!(now.used);
}

#[test]
fn hidden_codes_are_not_asked_for_and_forgotten_again() {
    let config = Config {
        privacy: true,
        ..Config::default()
    };
    let hidden = || {
        let mut state = closed(config.clone());
        let effects = report(&mut state, Report::Accounts(accounts(five())));
        assert_eq!(asked(&effects), []);
        state
    };
    let mut state = hidden();
    for second in 1..60 {
        assert_eq!(asked(&tick(&mut state, second * 1000)), []);
    }
    // Shown, hidden by the same key, by another line, by time, by the mode.
    type Hide = fn(&mut State);
    let hides: [(&str, Hide); 5] = [
        ("the same key", |state| drop(press(state, "space"))),
        ("another line", |state| drop(press(state, "down"))),
        ("a search", |state| drop(press(state, "/ s"))),
        ("time", |state| drop(tick(state, 31_000))),
        ("the mode", |state| drop(press(state, "v v"))),
    ];
    for (how, hide) in hides {
        let mut state = hidden();
        let effects = press(&mut state, "space");
        assert_eq!(asked(&effects), both([1]), "{how}");
        answer(&mut state, &effects);
        assert!(line(&state, 1).0.is_some(), "{how}");
        hide(&mut state);
        assert_eq!(line(&state, 1).0, None, "{how}");
        assert_eq!(board(&state).known_steps(), [], "{how}");
    }
    // An answer that comes too late isn't kept.
    let mut state = hidden();
    let effects = press(&mut state, "space");
    press(&mut state, "space");
    answer(&mut state, &effects);
    assert_eq!(board(&state).known_steps(), []);
    // Another one is revealed: the first one's is forgotten.
    let mut state = hidden();
    let effects = press(&mut state, "space");
    answer(&mut state, &effects);
    let effects = press(&mut state, "j space");
    assert_eq!(asked(&effects), both([2]));
    assert_eq!(board(&state).known_steps(), []);
}

#[test]
fn a_hidden_code_is_shown_for_thirty_seconds() {
    let config = Config {
        privacy: true,
        ..Config::default()
    };
    let mut state = opened_as(config, accounts(five()));
    let effects = press(&mut state, "space");
    answer(&mut state, &effects);
    tick(&mut state, 29_999);
    assert!(line(&state, 1).0.is_some());
    tick(&mut state, 30_000);
    assert_eq!(line(&state, 1), (None, 0));
}

#[test]
fn a_counters_code_is_shown_for_a_while_and_then_forgotten() {
    let all = five();
    let mut state = answered(all.clone());
    let said = Said::good("Legacy:token: copied");
    report(
        &mut state,
        Report::Copied {
            given: counted(&all[3], 7),
            said,
        },
    );
    let seven = counted(&all[3], 7).code;
    assert_eq!(line(&state, 4).0.as_deref(), Some(seven.as_str()));
    tick(&mut state, 29_999);
    assert!(line(&state, 4).0.is_some());
    tick(&mut state, 30_000);
    assert_eq!(line(&state, 4).0, None);
}

#[test]
fn a_code_that_was_said_yes_to_is_hidden_by_the_key_that_showed_it() {
    let all = five();
    let mut state = answered(all.clone());
    assert_eq!(told(&press(&mut state, "j j space")), "Show(#3, NotAsked)");
    let again = Job::Show {
        id: id(3),
        yes: Yes::Said,
    };
    report(&mut state, Report::Asks(id(3), again));
    assert_eq!(seen(&state), "at 3, 3 asks");
    assert_eq!(told(&press(&mut state, "y")), "Show(#3, Said)");
    report(&mut state, Report::Shown(given(&all[2], STEP)));
    assert!(line(&state, 3).0.is_some());
    assert_eq!(told(&press(&mut state, "space")), "");
    assert_eq!(line(&state, 3).0, None);
    // Once more, and no: the next press asks again.
    assert_eq!(told(&press(&mut state, "space")), "Show(#3, NotAsked)");
    let again = Job::Show {
        id: id(3),
        yes: Yes::Said,
    };
    report(&mut state, Report::Asks(id(3), again));
    press(&mut state, "n");
    assert_eq!(told(&press(&mut state, "space")), "Show(#3, NotAsked)");
    // At the end of its step it goes by itself.
    report(&mut state, Report::Shown(given(&all[2], STEP)));
    tick(&mut state, 29_999);
    assert!(line(&state, 3).0.is_some());
    tick(&mut state, 30_000);
    assert_eq!(line(&state, 3).0, None);
}

#[test]
fn an_account_that_became_another_has_other_codes() {
    let mut all = list_of(2);
    let mut state = answered(all.clone());
    all[0].scheme = totp(8, 30, 0);
    let effects = report(&mut state, Report::Accounts(accounts(all)));
    assert_eq!(line(&state, 1).0, None);
    assert!(line(&state, 2).0.is_some());
    assert_eq!(asked(&effects), both([1]));
}

fn rest(state: &State) -> Option<u64> {
    let rest = state.rest()?;
    Some(u64::try_from(rest.as_millis()).expect("short"))
}

#[test]
fn nothing_wakes_before_something_changes() {
    let never = || Config {
        lock_after: None,
        ..Config::default()
    };
    let mut state = opened_as(never(), accounts(five()));
    for (millis, expected) in [(0, 1000), (1, 999), (500, 500), (999, 1), (1000, 1000)] {
        tick(&mut state, millis);
        assert_eq!(rest(&state), Some(expected), "{millis}");
    }
    // Nothing moves: locked, hidden, empty, only what asks and what counts.
    press(&mut state, "L");
    assert_eq!(rest(&state), None);
    let private = Config {
        privacy: true,
        ..never()
    };
    let mut state = opened_as(private, accounts(five()));
    assert_eq!(rest(&state), None);
    press(&mut state, "space");
    assert_eq!(rest(&state), Some(1000));
    assert_eq!(rest(&opened_as(never(), accounts(Vec::new()))), None);
    let still = five().drain(2..4).collect();
    assert_eq!(rest(&opened_as(never(), accounts(still))), None);
    // What is said goes away, and the lock comes, without a countdown too.
    let mut state = opened(Vec::new());
    tick(&mut state, 250);
    assert_eq!(rest(&state), Some(599_750));
    press(&mut state, "s");
    assert_eq!(rest(&state), Some(6_000));
    tick(&mut state, 1_250);
    assert_eq!(rest(&state), Some(5_000));
    // A code before its first step: it will come.
    let mut early = account(1, "A", "b");
    early.scheme = totp(6, 30, NOW + 100);
    assert_eq!(rest(&opened_as(never(), accounts(vec![early]))), Some(1000));
}

#[test]
fn a_look_is_taken_once_a_second() {
    let mut state = opened(five());
    let looks = |effects: Vec<Effect>| told(&effects);
    assert_eq!(looks(tick(&mut state, 500)), "");
    assert_eq!(looks(tick(&mut state, 1000)), "Look");
    assert_eq!(looks(tick(&mut state, 1999)), "");
    assert_eq!(looks(tick(&mut state, 2000)), "Look");
}
