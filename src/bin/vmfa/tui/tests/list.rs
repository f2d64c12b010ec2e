use super::*;

fn list() -> State {
    opened(five())
}

#[test]
fn every_action_does_what_the_help_says() {
    hold(
        list,
        &[
            ("down", "", "at 2"),
            ("j j", "", "at 3"),
            ("down up", "", "at 1"),
            ("j k", "", "at 1"),
            ("up", "", "at 1"),
            ("G", "", "at 5"),
            ("end", "", "at 5"),
            ("end down", "", "at 5"),
            ("end home", "", "at 1"),
            ("pagedown", "", "at 5"),
            ("ctrl-d ctrl-u", "", "at 1"),
            ("/", "", "at 1, searching \"\""),
            ("ctrl-f", "", "at 1, searching \"\""),
            ("enter", "Copy(#1, Now, NotAsked)", "at 1"),
            ("n", "Copy(#1, Next, NotAsked)", "at 1"),
            ("space", "", "at 1"),
            ("p", "Pair(#1, NotAsked)", "at 1"),
            ("q", "", "at 1, passphrase for QR of 1: typed 0"),
            ("i", "", "at 1, details of 1 0"),
            ("a", "", "at 1, add: choose 0"),
            ("e", "", "at 1, form 0 \"GitHub\""),
            ("f", "Favorite(#1, false)", "at 1, saving 1"),
            ("j f", "Favorite(#2, true)", "at 2, saving 1"),
            ("d", "Remove(#1)", "at 1, saving 1"),
            ("delete", "Remove(#1)", "at 1, saving 1"),
            (
                "u",
                "",
                "at 1, (nothing was deleted here; the trash may hold it)",
            ),
            ("t", "", "at 1, trash 0"),
            ("g", "", "at 1, groups 0"),
            (
                "s",
                "",
                "at 1, by use, (sorted by use: the most used first)",
            ),
            (
                "s s",
                "",
                "at 1, by time, (sorted by time: the last used or added first)",
            ),
            ("s s s", "", "at 1, (sorted by name)"),
            (
                "v",
                "",
                "at 1, hidden, (codes are hidden until you choose one)",
            ),
            ("v v", "", "at 1, (codes are shown)"),
            ("L", "Lock(AgentsToo)", "asleep"),
            ("?", "", "at 1, help 0"),
            ("f1", "", "at 1, help 0"),
            ("ctrl-z", "Suspend", "at 1"),
            ("ctrl-l", "Redraw", "at 1"),
            ("esc", "Quit", "at 1"),
            ("Q", "Quit", "at 1"),
            ("ctrl-c", "Quit", "at 1"),
            ("ctrl-q", "Quit", "at 1"),
        ],
    );
}

#[test]
fn what_an_account_does_not_do_is_said() {
    hold(
        list,
        &[
            (
                "j j enter",
                "Copy(#3, Now, NotAsked)",
                "at 3, (this account asks before each code)",
            ),
            ("j j space", "Show(#3, NotAsked)", "at 3"),
            ("j j j enter", "Copy(#4, Now, NotAsked)", "at 4"),
            (
                "j j j n",
                "",
                "at 4, (a counter has no code ahead of time: Space hides the one shown, then Enter takes the next)",
            ),
            (
                "j j j p",
                "",
                "at 4, (a counter-based account has no pair: take its codes one after the other)",
            ),
            (
                "j j j space",
                "",
                "at 4, (a counter: Enter takes its next code)",
            ),
        ],
    );
    let empty = || opened_as(Config::default(), accounts(Vec::new()));
    let none = "at none, (no account is chosen)";
    hold(
        empty,
        &[
            ("enter", "", none),
            ("n", "", none),
            ("space", "", none),
            ("p", "", none),
            ("q", "", none),
            ("i", "", none),
            ("e", "", none),
            ("f", "", none),
            ("d", "", none),
            ("t", "", "at none, (the trash is empty)"),
            (
                "g",
                "",
                "at none, (no groups yet: favourites, tags and AWS accounts make them)",
            ),
            ("j k G home pagedown", "", "at none"),
        ],
    );
}

#[test]
fn a_search_narrows_and_leaves_with_what_was_found() {
    hold(
        list,
        &[
            // A letter that means nothing else begins one.
            ("b", "", "at 3, searching \"b\""),
            ("/ s t e", "", "at 5, searching \"ste\""),
            ("/ s t e enter", "Copy(#5, Now, NotAsked)", "at 5"),
            ("/ s t e esc", "", "at 5"),
            ("/ s t e tab", "", "at 5, found \"ste\""),
            ("/ s t e tab esc", "", "at 5"),
            ("/ s t e tab esc esc", "Quit", "at 5"),
            ("/ s t e tab p", "Pair(#5, NotAsked)", "at 5, found \"ste\""),
            ("/ s t e tab / a", "", "at 5, searching \"stea\""),
            ("/ s t e backspace backspace", "", "at 5, searching \"s\""),
            ("/ s t e ctrl-u", "", "at 1, searching \"\""),
            ("/ down down", "", "at 3, searching \"\""),
            ("/ down down up", "", "at 2, searching \"\""),
            ("/ ctrl-n ctrl-n ctrl-p", "", "at 2, searching \"\""),
            ("/ pagedown pageup", "", "at 1, searching \"\""),
            ("/ alt-j", "", "at 2, searching \"\""),
            (
                "/ s t e alt-p",
                "Pair(#5, NotAsked)",
                "at 5, searching \"ste\"",
            ),
            ("/ s t e ctrl-q", "Quit", "at 5, searching \"ste\""),
            ("/ s t e ctrl-c", "Quit", "at 5, searching \"ste\""),
            ("/ x y z", "", "at none, searching \"xyz\""),
            ("/ x y z enter", "", "at 1, (no account is chosen)"),
            ("/ x y z esc", "", "at 1"),
        ],
    );
}

#[test]
fn moving_the_cursor_in_a_search_leaves_the_choice() {
    for moves in ["left", "home", "end", "ctrl-a", "right"] {
        let mut state = list();
        press(&mut state, "/ e down down");
        let before = seen(&state);
        assert!(!before.starts_with("at 1"), "{before}");
        press(&mut state, moves);
        assert_eq!(seen(&state), before, "{moves}");
    }
}

#[test]
fn what_narrows_goes_first_and_the_account_stays_chosen() {
    let mut state = list();
    // All, favourites, a tag, an AWS account.
    press(&mut state, "g down down enter");
    assert_eq!(seen(&state), "at 2, tag work");
    assert_eq!(told(&press(&mut state, "esc")), "");
    assert_eq!(seen(&state), "at 2");
    assert_eq!(told(&press(&mut state, "esc")), "Quit");
}

#[test]
fn a_paste_into_the_list() {
    for (text, looks) in [
        ("stea\n", "at 5, searching \"stea\""),
        (
            " otpauth://totp/A:b?secret=JBSWY3DP\n",
            "at 1, add: type \"\" secret 35 at 1",
        ),
        (
            "OTPAUTH://totp/A:b?secret=JBSWY3DP",
            "at 1, add: type \"\" secret 34 at 1",
        ),
        (
            "otpauth-migration://offline?data=CgA%3D",
            "at 1, add: type \"\" secret 39 at 1",
        ),
        // Of no use in a search, and nothing to be seen by everybody.
        ("steam://JBSWY3DP", "at 1, add: type \"\" secret 16 at 1"),
    ] {
        let mut state = list();
        assert_eq!(told(&paste(&mut state, text)), "", "{text}");
        assert_eq!(seen(&state), looks, "{text}");
    }
    let mut state = list();
    paste(&mut state, &"x".repeat(100_000));
    assert_eq!(board(&state).query.text().len(), 200);
}

#[test]
fn the_mouse_chooses_copies_and_scrolls() {
    let mut state = list();
    // Below the header and the heads.
    assert_eq!(told(&click(&mut state, 3)), "");
    assert_eq!(seen(&state), "at 2");
    assert_eq!(told(&click(&mut state, 3)), "Copy(#2, Now, NotAsked)");
    for row in [0, 1, 7, 22, 23, 200] {
        assert_eq!(told(&click(&mut state, row)), "", "{row}");
        assert_eq!(seen(&state), "at 2", "{row}");
    }
    mouse(&mut state, MouseEventKind::ScrollDown, 5, 3);
    assert_eq!(seen(&state), "at 5");
    mouse(&mut state, MouseEventKind::ScrollUp, 5, 3);
    assert_eq!(seen(&state), "at 2");
    for kind in [
        MouseEventKind::Moved,
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Drag(MouseButton::Left),
    ] {
        assert_eq!(told(&mouse(&mut state, kind, 5, 4)), "");
        assert_eq!(seen(&state), "at 2");
    }
}

#[test]
fn a_key_that_is_let_go_does_nothing() {
    let mut state = list();
    for begins in ["", "/", "e", "q x", "a p x", "t x", "?"] {
        press(&mut state, begins);
        let before = seen(&state);
        for written in ["enter", "x", "y", "down", "esc", "ctrl-c"] {
            let mut released = key(written);
            released.kind = ratatui::crossterm::event::KeyEventKind::Release;
            assert!(update(&mut state, Message::Key(released)).is_empty());
            assert_eq!(seen(&state), before, "{begins} {written}");
        }
        press(&mut state, "esc esc");
    }
}

#[test]
fn the_choice_outlives_a_change_of_the_accounts() {
    let mut state = list();
    press(&mut state, "j j j");
    let mut fewer = five();
    fewer.remove(0);
    report(&mut state, Report::Accounts(accounts(fewer)));
    assert_eq!(seen(&state), "at 4");
    // What is chosen has gone: the one in its place is.
    let mut fewer = five();
    fewer.drain(0..1);
    fewer.remove(2);
    report(&mut state, Report::Accounts(accounts(fewer)));
    assert_eq!(number(&board(&state).selected_id().expect("one")), 5);
    report(&mut state, Report::Accounts(accounts(Vec::new())));
    assert_eq!(seen(&state), "at none");
    // A group that has gone is left.
    let mut state = list();
    press(&mut state, "g down down enter");
    report(
        &mut state,
        Report::Accounts(accounts(vec![account(9, "New", "one")])),
    );
    assert_eq!(seen(&state), "at 9");
}

#[test]
fn what_was_deleted_comes_back_one_after_the_other() {
    let mut state = list();
    let said = |name: &str| Said::good(format!("{name} is in the trash"));
    for number in [21, 22, 23] {
        press(&mut state, "d");
        let name = format!("account {number}");
        report(&mut state, Report::Saved(said(&name), Some(id(number))));
    }
    assert!(seen(&state).ends_with("(account 23 is in the trash; u brings it back)"));
    // The third isn't in the trash any more: somebody else has taken it out.
    assert_eq!(told(&press(&mut state, "u")), "Restore(#22)");
    assert_eq!(told(&press(&mut state, "u")), "Restore(#21)");
    assert_eq!(told(&press(&mut state, "u")), "");
    assert!(seen(&state).ends_with("(nothing was deleted here; the trash may hold it)"));
}

#[test]
fn a_copy_is_told_and_counted() {
    let mut state = list();
    let effects = report(
        &mut state,
        Report::Copied {
            given: given(&five()[0], STEP),
            said: Said::good("GitHub:alice: copied"),
        },
    );
    assert_eq!(told(&effects), "Note");
    assert_eq!(board(&state).uses.count(&id(1)), 1);
    assert_eq!(seen(&state), "at 1, (GitHub:alice: copied)");
    // It is said for six seconds.
    tick(&mut state, 5_999);
    assert_eq!(seen(&state), "at 1, (GitHub:alice: copied)");
    tick(&mut state, 6_000);
    assert_eq!(seen(&state), "at 1");
}

#[test]
fn leaving_waits_for_what_is_being_saved() {
    let mut state = list();
    press(&mut state, "d");
    assert_eq!(told(&press(&mut state, "esc")), "");
    let effects = report(&mut state, Report::Saved(Said::good("done"), None));
    assert_eq!(told(&effects), "Quit");
    // Whoever insists may.
    let mut state = list();
    press(&mut state, "d");
    assert_eq!(told(&press(&mut state, "ctrl-c ctrl-c")), "Quit");
    // Two saves: the last one ends it.
    let mut state = list();
    press(&mut state, "d j d esc");
    assert_eq!(
        told(&report(&mut state, Report::Saved(Said::good("one"), None))),
        ""
    );
    assert_eq!(
        told(&report(&mut state, Report::Saved(Said::good("two"), None))),
        "Quit"
    );
}

#[test]
fn nobody_leaves_without_seeing_that_something_is_not_saved() {
    for failed in [
        Report::NotSaved(error("no room on the disk")),
        Report::NeedsPassphrase(Job::Change(crate::tui::message::Change::Remove(id(1)))),
    ] {
        let mut state = list();
        press(&mut state, "d esc");
        assert_eq!(told(&report(&mut state, failed)), "");
        assert_eq!(state.saving, 0);
        // Leaving is as it was: a save is waited for.
        press(&mut state, "esc");
        press(&mut state, "d");
        assert_eq!(told(&press(&mut state, "ctrl-c")), "");
    }
}

#[test]
fn the_size_changes_and_the_choice_stays_on_the_screen() {
    let many = (1..=30)
        .map(|n| account(n, &format!("I{n:02}"), "a"))
        .collect();
    let mut state = opened(many);
    press(&mut state, "G");
    for (size, top) in [
        ((80, 24), 9),
        ((80, 10), 22),
        ((80, 60), 0),
        ((80, 2), 29),
        ((0, 0), 29),
    ] {
        update(&mut state, Message::Resize(size.0, size.1));
        assert_eq!(board(&state).top, top, "{size:?}");
        assert_eq!(seen(&state), "at 30");
    }
    // In the middle: no further than it must, and back.
    press(&mut state, "k k k k k k k k k k");
    for (size, top) in [((80, 24), 9), ((80, 10), 12), ((80, 24), 9), ((80, 7), 15)] {
        update(&mut state, Message::Resize(size.0, size.1));
        assert_eq!(board(&state).top, top, "{size:?}");
        assert_eq!(seen(&state), "at 20");
    }
}

#[test]
fn what_is_told_of_a_message_holds_no_secret() {
    let secret = || SecretText::new("hunter2".into());
    let again = Box::new(Job::Open(Some(secret())));
    let find = crate::tui::message::Find::Text {
        text: secret(),
        name: "A:b".into(),
    };
    for job in [
        Job::Open(Some(secret())),
        Job::OpenFor(secret(), again),
        Job::Qr(id(1), secret()),
        Job::Find(1, find),
    ] {
        let text = format!("{:?}", Effect::Do(job));
        assert!(!text.contains("hunter2") && text.len() > 8, "{text}");
    }
    let given = given(&five()[0], STEP);
    assert!(!format!("{given:?}").contains(given.code.as_str()));
}
