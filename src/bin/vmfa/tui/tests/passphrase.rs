use super::dialogs::{drawing, job, list};
use super::*;
use crate::tui::message::Change;

#[test]
fn a_qr_code_wants_the_passphrase_each_time() {
    let mut state = list();
    press(&mut state, "q enter");
    assert_eq!(seen(&state), "at 1, passphrase for QR of 1: typed 0");
    type_in(&mut state, "ab");
    paste(&mut state, "cd");
    let Job::Qr(asked, typed) = job(press(&mut state, "enter")) else {
        panic!("no QR code is asked for");
    };
    assert_eq!((number(&asked), typed.expose()), (1, "abcd"));
    assert_eq!(seen(&state), "at 1, passphrase for QR of 1: opening 0");
    assert_eq!(told(&press(&mut state, "x enter")), "");
    report(&mut state, Report::Wrong(error("it opens nothing"), None));
    assert_eq!(
        seen(&state),
        "at 1, passphrase for QR of 1: typed 0 (it opens nothing)"
    );
    press(&mut state, "x enter");
    report(&mut state, Report::Qr(id(1), drawing()));
    assert_eq!(seen(&state), "at 1, QR of 1");
    press(&mut state, "x down");
    assert_eq!(seen(&state), "at 1, QR of 1");
    // It shows a secret: a minute, and not longer.
    tick(&mut state, 59_999);
    assert_eq!(seen(&state), "at 1, QR of 1");
    assert_eq!(state.rest(), Some(Duration::from_millis(1)));
    tick(&mut state, 60_000);
    assert_eq!(seen(&state), "at 1");
    // Also where no countdown wakes anybody.
    let mut state = list();
    press(&mut state, "v q x enter");
    state.toast = None;
    report(&mut state, Report::Qr(id(1), drawing()));
    assert_eq!(state.rest(), Some(Duration::from_secs(60)));
    for keys in ["esc", "enter", "q", "space"] {
        let mut state = list();
        press(&mut state, "q x enter");
        report(&mut state, Report::Qr(id(1), drawing()));
        press(&mut state, keys);
        assert_eq!(seen(&state), "at 1", "{keys}");
    }
}

#[test]
fn a_qr_code_that_nobody_waits_for_is_not_shown() {
    for (keys, looks) in [
        ("q x enter esc", "at 1"),
        ("q x enter esc j q", "at 2, passphrase for QR of 2: typed 0"),
        // Asked for again, and not yet answered.
        ("q x enter esc q", "at 1, passphrase for QR of 1: typed 0"),
        ("q x enter esc a", "at 1, add: choose 0"),
    ] {
        let mut state = list();
        press(&mut state, keys);
        report(&mut state, Report::Qr(id(1), drawing()));
        assert_eq!(seen(&state), looks, "{keys}");
    }
}

#[test]
fn a_wrong_passphrase_keeps_the_job() {
    let mut state = list();
    let change = job(press(&mut state, "d"));
    assert_eq!(state.saving, 1);
    report(&mut state, Report::NeedsPassphrase(change));
    assert_eq!(seen(&state), "at 1, passphrase for true: typed 0");
    for round in 0..2 {
        type_in(&mut state, "wrong");
        let Job::OpenFor(typed, kept) = job(press(&mut state, "enter")) else {
            panic!("nothing is opened");
        };
        assert_eq!(typed.expose(), "wrong");
        assert!(matches!(*kept, Job::Change(Change::Remove(one)) if number(&one) == 1));
        assert_eq!(
            seen(&state),
            "at 1, passphrase for false: opening 0, saving 1",
            "{round}"
        );
        report(&mut state, Report::Wrong(error("no"), Some(*kept)));
        assert_eq!(
            seen(&state),
            "at 1, passphrase for true: typed 0 (no)",
            "{round}"
        );
    }
    type_in(&mut state, "right");
    press(&mut state, "enter");
    let mut fewer = five();
    fewer.remove(0);
    report(&mut state, Report::Accounts(accounts(fewer)));
    report(&mut state, Report::Saved(Said::good("done"), Some(id(1))));
    assert_eq!(seen(&state), "at 2, (done; u brings it back)");
}

#[test]
fn a_passphrase_that_is_not_wanted() {
    let mut state = list();
    let change = job(press(&mut state, "d"));
    report(&mut state, Report::NeedsPassphrase(change));
    type_in(&mut state, "x");
    assert_eq!(told(&press(&mut state, "esc")), "");
    assert_eq!(seen(&state), "at 1");
    // What is said of one that was left doesn't reach the next one.
    let mut state = list();
    press(&mut state, "q x enter esc");
    let change = job(press(&mut state, "d"));
    report(&mut state, Report::NeedsPassphrase(change));
    report(&mut state, Report::Wrong(error("no"), None));
    assert!(matches!(
        job(press(&mut state, "x enter")),
        Job::OpenFor(..)
    ));
    // Locked while it was being opened.
    let mut state = list();
    let change = job(press(&mut state, "d"));
    report(&mut state, Report::NeedsPassphrase(change));
    press(&mut state, "x enter");
    report(&mut state, Report::Failed(error("no")));
    assert!(seen(&state).contains("(no)"));
}

#[test]
fn a_change_by_another_program_does_not_take_the_question_away() {
    let mut state = list();
    let change = job(press(&mut state, "d"));
    report(&mut state, Report::NeedsPassphrase(change));
    let Job::OpenFor(_, kept) = job(press(&mut state, "x enter")) else {
        panic!("nothing is opened");
    };
    // Looked at before the passphrase was tried.
    report(&mut state, Report::Accounts(with_trash(five())));
    report(&mut state, Report::Wrong(error("no"), Some(*kept)));
    assert_eq!(seen(&state), "at 1, passphrase for true: typed 0 (no)");
}

#[test]
fn what_was_found_is_forgotten_with_the_passphrase_for_it() {
    let mut state = list();
    press(&mut state, "a c");
    report(&mut state, Report::Found(1, rows(1)));
    let add = job(press(&mut state, "enter"));
    report(&mut state, Report::NeedsPassphrase(add));
    assert_eq!(told(&press(&mut state, "esc")), "Forget");
    assert_eq!(seen(&state), "at 1");
}

#[test]
fn a_form_is_there_again_when_the_passphrase_for_it_is_not_given() {
    let mut state = list();
    press(&mut state, "e");
    type_in(&mut state, "!");
    let edit = job(press(&mut state, "ctrl-s"));
    report(&mut state, Report::NeedsPassphrase(edit));
    assert_eq!(told(&press(&mut state, "esc")), "");
    let Stage::Open(board) = &state.stage else {
        panic!("it is locked");
    };
    let Some(Dialog::Form(form)) = &board.dialog else {
        panic!("what was typed is lost");
    };
    assert!(form.lines[0].text().ends_with('!'));
    assert!(!form.is_saving);
}
