use super::dialogs::{job, list};
use super::*;
use crate::tui::message::{Find, RowKind};

fn adding() -> State {
    let mut state = list();
    press(&mut state, "a");
    state
}

#[test]
fn each_way_of_adding() {
    let typing = "at 1, add: type \"\" secret 0 at 1";
    hold(
        adding,
        &[
            ("down", "", "at 1, add: choose 1"),
            ("j j tab", "", "at 1, add: choose 3"),
            ("up", "", "at 1, add: choose 3"),
            ("k backtab", "", "at 1, add: choose 2"),
            ("esc", "", "at 1"),
            ("enter", "", typing),
            ("p", "", typing),
            ("p esc", "", "at 1, add: choose 0"),
            ("f", "", "at 1, add: path \"\""),
            ("f x y", "", "at 1, add: path \"xy\""),
            ("f enter", "", "at 1, add: path \"\""),
            ("f x esc", "", "at 1, add: choose 0"),
            ("f x enter", "Picture(\"x\")", "at 1, add: looking"),
            ("s", "Screen", "at 1, add: looking"),
            ("c", "Clipboard", "at 1, add: looking"),
            ("down down enter", "Screen", "at 1, add: looking"),
            ("c x enter tab", "", "at 1, add: looking"),
            ("c esc", "Forget", "at 1"),
            ("z", "", "at 1, add: choose 0"),
            ("p x tab y", "", "at 1, add: type \"y\" secret 1 at 0"),
            ("p tab tab x", "", "at 1, add: type \"\" secret 1 at 1"),
            ("p enter", "", typing),
            (
                "p x enter",
                "",
                "at 1, add: type \"\" secret 1 at 0 (a secret needs a name: ISSUER:NAME)",
            ),
            ("p x tab y enter", "Text(name: \"y\")", "at 1, add: looking"),
        ],
    );
}

#[test]
fn what_is_pasted_goes_where_it_belongs() {
    let uri = "otpauth://totp/A:b?secret=JBSWY3DP";
    for (before, text, looks) in [
        ("", uri, "at 1, add: type \"\" secret 34 at 1"),
        ("", "JBSWY3DP", "at 1, add: type \"\" secret 8 at 0"),
        ("p", uri, "at 1, add: type \"\" secret 34 at 1"),
        ("p tab", uri, "at 1, add: type \"\" secret 34 at 0"),
        ("p tab", "A:b", "at 1, add: type \"A:b\" secret 0 at 0"),
        ("f", "/tmp/a b.png\n", "at 1, add: path \"/tmp/a b.png\""),
        ("c", uri, "at 1, add: looking"),
    ] {
        let mut state = adding();
        press(&mut state, before);
        paste(&mut state, text);
        assert_eq!(seen(&state), looks, "{before} {text}");
    }
    let mut state = adding();
    paste(&mut state, uri);
    let Job::Find(_, Find::Text { text, name }) = job(press(&mut state, "enter")) else {
        panic!("nothing is looked for");
    };
    assert_eq!((text.expose(), name.as_str()), (uri, ""));
}

#[test]
fn what_was_found_is_added_or_left() {
    let found = |count| {
        let mut state = adding();
        press(&mut state, "c");
        report(&mut state, Report::Found(1, rows(count)));
        state
    };
    hold(
        || found(2),
        &[
            ("enter", "Add", "at 1, add: saving, saving 1"),
            ("y", "Add", "at 1, add: saving, saving 1"),
            ("y enter esc n", "", "at 1, add: saving, saving 1"),
            ("n", "Forget", "at 1"),
            ("esc", "Forget", "at 1"),
            ("x", "", "at 1, add: found 2"),
        ],
    );
    // Nothing in it that could be added.
    let nothing = || {
        let mut state = adding();
        press(&mut state, "c");
        let row = Row {
            text: "row 1: no secret".into(),
            kind: RowKind::Refused,
        };
        report(&mut state, Report::Found(1, vec![row]));
        state
    };
    hold(
        nothing,
        &[("y", "", "at 1, add: found 1"), ("enter", "Forget", "at 1")],
    );
    // A device of AWS wants its two codes at once.
    let mut state = found(1);
    press(&mut state, "enter");
    let mut more = five();
    more.push(account(6, "Amazon Web Services", "new"));
    more[5].serial_number = Some("arn:aws:iam::123456789012:mfa/new".into());
    report(&mut state, Report::Accounts(accounts(more)));
    let effects = report(
        &mut state,
        Report::Added(vec![id(6)], Said::good("added 1 account")),
    );
    assert_eq!(told(&effects), "Pair(#6, Said)");
    assert_eq!(seen(&state), "at 6, (added 1 account)");
    // Of several the person chooses.
    let mut state = found(2);
    press(&mut state, "enter");
    let effects = report(
        &mut state,
        Report::Added(vec![id(2), id(5)], Said::good("added 2")),
    );
    assert_eq!(told(&effects), "");
    assert_eq!(seen(&state), "at 2, (added 2)");
}

#[test]
fn what_was_typed_is_not_lost_when_nothing_is_found() {
    let mut state = adding();
    press(&mut state, "p");
    paste(&mut state, "JBSWY3D1");
    press(&mut state, "tab");
    paste(&mut state, "A:b");
    press(&mut state, "enter");
    report(
        &mut state,
        Report::NotFound(1, error("secret: '1' is not base32")),
    );
    assert_eq!(
        seen(&state),
        "at 1, add: type \"A:b\" secret 8 at 0 (secret: '1' is not base32)"
    );
    let mut state = adding();
    press(&mut state, "f x enter");
    report(&mut state, Report::NotFound(1, error("x: not there")));
    assert_eq!(seen(&state), "at 1, add: path \"x\" (x: not there)");
    // Where nothing was typed, the ways are there again.
    let mut state = adding();
    press(&mut state, "s");
    report(&mut state, Report::NotFound(1, error("no screen")));
    assert_eq!(seen(&state), "at 1, add: choose 0 (no screen)");
    // Added, and not saved: likewise.
    let mut state = adding();
    press(&mut state, "c");
    report(&mut state, Report::Found(1, rows(1)));
    press(&mut state, "enter");
    report(&mut state, Report::NotSaved(error("no room")));
    assert_eq!(seen(&state), "at 1, add: choose 0 (no room)");
    // What was typed is there again then, too.
    let mut state = adding();
    press(&mut state, "f x enter");
    report(&mut state, Report::Found(1, rows(1)));
    press(&mut state, "enter");
    report(&mut state, Report::NotSaved(error("no room")));
    assert_eq!(seen(&state), "at 1, add: path \"x\" (no room)");
}

#[test]
fn what_was_found_comes_too_late() {
    let mut state = adding();
    press(&mut state, "c esc");
    report(&mut state, Report::Found(1, rows(2)));
    assert_eq!(seen(&state), "at 1");
    // Another way is being gone by now: what is typed there stays.
    for keys in ["c esc a", "c esc a p x", "c esc a f x"] {
        let mut state = list();
        press(&mut state, "a");
        press(&mut state, keys);
        let before = seen(&state);
        report(&mut state, Report::Found(1, rows(2)));
        assert_eq!(seen(&state), before, "{keys}");
    }
}

#[test]
fn an_answer_to_an_earlier_search_is_not_taken_for_this_one() {
    let mut state = adding();
    press(&mut state, "c esc a c");
    report(&mut state, Report::Found(1, rows(1)));
    report(&mut state, Report::NotFound(1, error("no")));
    assert!(seen(&state).contains("looking"), "{}", seen(&state));
    report(&mut state, Report::Found(2, rows(2)));
    let Job::Change(change) = job(press(&mut state, "enter")) else {
        panic!("nothing is added");
    };
    assert!(matches!(change, crate::tui::message::Change::Add(2)));
}
