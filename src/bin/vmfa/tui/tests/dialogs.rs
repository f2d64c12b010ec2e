use vmfa::qr::Drawing;

use super::*;
use crate::tui::message::Change;

pub(super) fn list() -> State {
    opened(five())
}

fn pair() -> vmfa::otp::Pair {
    let now = UnixTime::from_secs(NOW);
    let pair = generator(&five()[0].scheme).pair_at(now, Pairing::Previous);
    pair.expect("a pair")
}

pub(super) fn drawing() -> Drawing {
    let uri = SecretText::new("otpauth://totp/GitHub:alice?secret=JBSWY3DPEHPK3PXP".into());
    Drawing::new(&uri).expect("a drawing")
}

/// The one job that is asked for.
pub(super) fn job(mut effects: Vec<Effect>) -> Job {
    match effects.pop() {
        Some(Effect::Do(job)) if effects.is_empty() => job,
        other => panic!("not one job: {other:?} {effects:?}"),
    }
}

#[test]
fn the_help_is_scrolled_to_its_end_and_back() {
    let small = || {
        let mut state = list();
        update(&mut state, Message::Resize(40, 10));
        press(&mut state, "?");
        state
    };
    hold(
        small,
        &[
            ("down", "", "at 1, help 1"),
            ("j j k", "", "at 1, help 1"),
            ("up", "", "at 1, help 0"),
            ("space pageup", "", "at 1, help 0"),
            ("end home", "", "at 1, help 0"),
            ("esc", "", "at 1"),
            ("enter", "", "at 1"),
            ("q", "", "at 1"),
            ("?", "", "at 1"),
            ("x", "", "at 1, help 0"),
            ("ctrl-c", "Quit", "at 1, help 0"),
        ],
    );
    // Beyond the end there is nothing: the first key back is seen.
    let mut state = small();
    press(&mut state, "end");
    let end = seen(&state);
    press(&mut state, "down pagedown");
    mouse(&mut state, MouseEventKind::ScrollDown, 1, 1);
    assert_eq!(seen(&state), end);
    press(&mut state, "up down");
    assert_eq!(seen(&state), end);
    press(&mut state, "up");
    assert_ne!(seen(&state), end);
    // Where all is seen there is nothing to scroll.
    let mut state = list();
    update(&mut state, Message::Resize(200, 60));
    press(&mut state, "? end");
    assert_eq!(seen(&state), "at 1, help 0");
}

#[test]
fn details() {
    let details = || {
        let mut state = list();
        press(&mut state, "j i");
        state
    };
    hold(
        details,
        &[
            ("esc", "", "at 2"),
            ("i", "", "at 2"),
            ("q", "", "at 2"),
            ("enter", "Copy(#2, Now, NotAsked)", "at 2, details of 2 0"),
            ("e", "", "at 2, form 0 \"AWS\""),
            ("end", "", "at 2, details of 2 0"),
        ],
    );
    let mut state = details();
    update(&mut state, Message::Resize(40, 6));
    press(&mut state, "end");
    let end = seen(&state);
    assert_ne!(end, "at 2, details of 2 0");
    press(&mut state, "down");
    assert_eq!(seen(&state), end);
}

#[test]
fn the_code_that_is_copied_is_the_one_that_is_looked_at() {
    let mut state = list();
    press(&mut state, "g down down enter i");
    assert_eq!(seen(&state), "at 2, tag work, details of 2 0");
    // Another program takes the tag away: the account isn't in the list any more.
    let mut others = five();
    others[1].tags.clear();
    others[4].tags = vec!["work".into()];
    report(&mut state, Report::Accounts(accounts(others)));
    assert_eq!(seen(&state), "at 5, tag work, details of 2 0");
    assert_eq!(told(&press(&mut state, "enter")), "Copy(#2, Now, NotAsked)");
}

#[test]
fn what_is_looked_at_goes_with_its_account() {
    let begins: [fn(&mut State); 4] = [
        |state| drop(press(state, "i")),
        |state| drop(report(state, Report::Pair(id(1), pair()))),
        |state| drop(report(state, Report::Asks(id(1), Job::Look))),
        |state| {
            press(state, "q x enter");
            report(state, Report::Qr(id(1), drawing()));
        },
    ];
    for begin in begins {
        let mut state = list();
        begin(&mut state);
        assert_ne!(seen(&state), "at 1");
        let mut others = five();
        others.remove(0);
        report(&mut state, Report::Accounts(accounts(others)));
        assert_eq!(seen(&state), "at 2");
    }
}

#[test]
fn a_pair() {
    let pairs = || {
        let mut state = list();
        press(&mut state, "p");
        report(&mut state, Report::Pair(id(1), pair()));
        state
    };
    hold(
        pairs,
        &[
            ("x", "", "at 1, pair of 1: true"),
            ("r", "Pair(#1, NotAsked)", "at 1, pair of 1: false"),
            ("esc", "", "at 1"),
            ("enter", "", "at 1"),
            ("q", "", "at 1"),
            ("p", "", "at 1"),
        ],
    );
    let mut state = pairs();
    press(&mut state, "r");
    report(&mut state, Report::Failed(error("no")));
    assert_eq!(seen(&state), "at 1, (no)");
    // Its countdown goes on although the list's codes are hidden.
    let mut state = pairs();
    press(&mut state, "esc v");
    report(&mut state, Report::Pair(id(1), pair()));
    assert_eq!(state.rest(), Some(Duration::from_secs(1)));
}

#[test]
fn the_form() {
    let form = || {
        let mut state = list();
        press(&mut state, "j e");
        state
    };
    hold(
        form,
        &[
            ("tab", "", "at 2, form 1 \"root\""),
            ("enter", "", "at 2, form 1 \"root\""),
            ("down down", "", "at 2, form 2 \"work\""),
            ("up", "", "at 2, form 5 \"[false]\""),
            ("backtab space", "", "at 2, form 5 \"[true]\""),
            ("backtab space space", "", "at 2, form 5 \"[false]\""),
            ("backtab tab", "", "at 2, form 0 \"AWS\""),
            ("x y", "", "at 2, form 0 \"AWSxy\""),
            ("backspace home x", "", "at 2, form 0 \"xAW\""),
            ("space", "", "at 2, form 0 \"AWS \""),
            ("esc", "", "at 2"),
            ("x esc", "", "at 2"),
            ("x ctrl-c", "Quit", "at 2, form 0 \"AWSx\""),
        ],
    );
    for (keys, at) in [("x ctrl-s", 0), ("x up enter", 5)] {
        let mut state = form();
        let Job::Change(Change::Edit(edited, fields)) = job(press(&mut state, keys)) else {
            panic!("no edit");
        };
        assert_eq!(number(&edited), 2);
        assert_eq!(fields.after.issuer, "AWSx");
        assert_eq!(fields.after.tags, "work");
        assert_eq!(
            fields.after.serial_number,
            "arn:aws:iam::123456789012:mfa/root"
        );
        assert!(
            seen(&state).starts_with(&format!("at 2, form {at}")),
            "{}",
            seen(&state)
        );
        assert_eq!(state.saving, 1);
        // While it is saved, no key changes what is seen.
        let before = seen(&state);
        assert_eq!(told(&press(&mut state, "x esc tab ctrl-s enter")), "");
        paste(&mut state, "x");
        assert_eq!(seen(&state), before);
        report(&mut state, Report::NotSaved(error("no room")));
        assert!(seen(&state).ends_with(" (no room)"), "{}", seen(&state));
        assert_eq!(state.saving, 0);
        press(&mut state, "ctrl-s");
        report(
            &mut state,
            Report::Saved(Said::good("changed AWSx:root"), None),
        );
        assert_eq!(seen(&state), "at 2, (changed AWSx:root)");
    }
    // Neither issuer nor name: nothing is sent.
    let mut state = form();
    let effects = press(&mut state, "ctrl-u tab ctrl-u ctrl-s");
    assert_eq!(told(&effects), "");
    assert!(seen(&state).contains("can't be asked for"));
    // A paste goes where the cursor is.
    let mut state = form();
    press(&mut state, "tab tab tab");
    paste(&mut state, "two\nlines\n");
    assert_eq!(seen(&state), "at 2, form 3 \"two lines\"");
}

#[test]
fn groups() {
    let groups = || {
        let mut state = list();
        press(&mut state, "g");
        state
    };
    // All, favourites, the tag, the AWS account.
    hold(
        groups,
        &[
            ("down", "", "at 1, groups 1"),
            ("end down", "", "at 1, groups 3"),
            ("G k", "", "at 1, groups 2"),
            ("pagedown pageup", "", "at 1, groups 0"),
            ("enter", "", "at 1"),
            ("down enter", "", "at 1, favourites"),
            ("down enter g", "", "at 1, favourites, groups 1"),
            ("down enter g home enter", "", "at 1"),
            ("down down enter", "", "at 2, tag work"),
            ("G enter", "", "at 2, aws 123456789012"),
            ("down esc", "", "at 1"),
            ("g", "", "at 1"),
            ("q", "", "at 1"),
        ],
    );
    let mut state = groups();
    mouse(&mut state, MouseEventKind::ScrollDown, 1, 1);
    assert_eq!(seen(&state), "at 1, groups 3");
}

#[test]
fn the_trash() {
    let trash = || {
        let mut state = list();
        press(&mut state, "t");
        state
    };
    // What was put there last is first.
    hold(
        trash,
        &[
            ("down down", "", "at 1, trash 1"),
            ("down up", "", "at 1, trash 0"),
            ("enter", "Restore(#22)", "at 1, saving 1"),
            ("down u", "Restore(#21)", "at 1, saving 1"),
            ("esc", "", "at 1"),
            ("q", "", "at 1"),
            ("t", "", "at 1"),
            // Erasing is asked about, and everything but y is no.
            ("x", "", "at 1, trash 0"),
            ("x y", "Erase(#22)", "at 1, trash 0, saving 1"),
            ("down delete Y", "Erase(#21)", "at 1, trash 0, saving 1"),
            ("x n", "", "at 1, trash 0"),
            ("x enter", "", "at 1, trash 0"),
            ("x esc", "", "at 1, trash 0"),
            ("x n y", "", "at 1, trash 0"),
            ("x down y", "", "at 1, trash 0"),
        ],
    );
}

#[test]
fn only_what_was_asked_about_is_erased() {
    // Another program puts something into the trash between the question and the answer.
    let mut state = list();
    press(&mut state, "t x");
    let mut more = with_trash(five());
    let mut newest = account(23, "Gone", "newest");
    newest.trashed = Some(NOW);
    more.trash.push(newest);
    report(&mut state, Report::Accounts(more));
    assert_eq!(told(&press(&mut state, "y")), "Erase(#22)");
    // The wheel is turned meanwhile.
    let mut state = list();
    press(&mut state, "t x");
    mouse(&mut state, MouseEventKind::ScrollDown, 1, 1);
    assert_eq!(told(&press(&mut state, "y")), "Erase(#22)");
    // It has gone by itself: nothing is asked any more.
    let mut state = list();
    press(&mut state, "t x");
    let mut fewer = with_trash(five());
    fewer.trash.remove(1);
    report(&mut state, Report::Accounts(fewer));
    assert_eq!(told(&press(&mut state, "y")), "");
    // Without the question, the same line stays chosen.
    let mut state = list();
    press(&mut state, "t down");
    let mut fewer = with_trash(five());
    fewer.trash.remove(1);
    report(&mut state, Report::Accounts(fewer));
    assert_eq!(told(&press(&mut state, "enter")), "Restore(#21)");
    // An empty one is no place to be.
    let mut state = list();
    press(&mut state, "t");
    report(&mut state, Report::Accounts(accounts(five())));
    assert_eq!(seen(&state), "at 1");
}

#[test]
fn an_account_asks() {
    let asks = || {
        let mut state = list();
        press(&mut state, "j j enter");
        let job = Job::Copy {
            id: id(3),
            when: crate::tui::message::When::Now,
            yes: Yes::Said,
        };
        report(&mut state, Report::Asks(id(3), job));
        state.toast = None;
        state
    };
    let no = "at 3, (no code was given)";
    hold(
        asks,
        &[
            ("y", "Copy(#3, Now, Said)", "at 3"),
            ("Y", "Copy(#3, Now, Said)", "at 3"),
            ("n", "", no),
            ("N", "", no),
            ("esc", "", no),
            ("enter", "", no),
            ("q", "", no),
            ("x", "", "at 3, 3 asks"),
        ],
    );
}

#[test]
fn what_is_being_typed_is_not_taken_away() {
    let typing: [(&str, &str); 3] = [
        ("e x", "at 1, form 0 \"GitHubx\""),
        ("a p x", "at 1, add: type \"\" secret 1 at 1"),
        ("q x", "at 1, passphrase for QR of 1: typed 1"),
    ];
    for (keys, looks) in typing {
        let reports = [
            Report::Pair(id(1), pair()),
            Report::Asks(id(3), Job::Look),
            Report::NeedsPassphrase(Job::Change(Change::Remove(id(1)))),
            Report::Failed(error("no")),
            Report::Saved(Said::good("yes"), None),
            Report::Accounts(accounts(five())),
            Report::Found(1, rows(1)),
            Report::Wrong(error("no"), None),
            Report::Qr(id(1), drawing()),
        ];
        for one in reports {
            let mut state = list();
            press(&mut state, keys);
            report(&mut state, one);
            let now = seen(&state);
            assert!(now.starts_with(looks), "{keys}: {now}");
        }
    }
}
