use ratatui::crossterm::event::KeyEventState;

use super::*;

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

fn sent(code: KeyCode, held: KeyModifiers) -> Option<String> {
    Key::of(&KeyEvent::new(code, held)).map(Key::written)
}

#[test]
fn what_terminals_send_for_one_key_is_one_key() {
    for (code, held, key) in [
        (KeyCode::Char('g'), NONE, "g"),
        (KeyCode::Char('G'), NONE, "G"),
        (KeyCode::Char('G'), SHIFT, "G"),
        // The kitty protocol, from a terminal that doesn't tell the shifted key.
        (KeyCode::Char('g'), SHIFT, "G"),
        (KeyCode::Char('?'), SHIFT, "?"),
        (KeyCode::Char('é'), SHIFT, "É"),
        // Its capital is two letters.
        (KeyCode::Char('ß'), SHIFT, "ß"),
        (KeyCode::Char(' '), NONE, "space"),
        (KeyCode::Char(' '), SHIFT, "space"),
        (KeyCode::Char('f'), CTRL, "ctrl-f"),
        (KeyCode::Char('F'), CTRL, "ctrl-f"),
        (KeyCode::Char('F'), CTRL.union(SHIFT), "ctrl-f"),
        (KeyCode::Char(' '), CTRL, "ctrl-space"),
        (KeyCode::Char('x'), ALT, "alt-x"),
        (KeyCode::Char('X'), ALT.union(SHIFT), "alt-X"),
        (KeyCode::Char('x'), CTRL.union(ALT), "ctrl-alt-x"),
        // What other terminals can't tell from a named key.
        (KeyCode::Char('m'), CTRL, "enter"),
        (KeyCode::Char('i'), CTRL, "tab"),
        (KeyCode::Char('['), CTRL, "esc"),
        (KeyCode::Enter, NONE, "enter"),
        (KeyCode::Enter, CTRL, "ctrl-enter"),
        (KeyCode::BackTab, NONE, "shift-tab"),
        (KeyCode::BackTab, SHIFT, "shift-tab"),
        (KeyCode::Tab, SHIFT, "shift-tab"),
        (KeyCode::Tab, NONE, "tab"),
        (KeyCode::F(12), NONE, "f12"),
        (KeyCode::PageUp, NONE, "pageup"),
        (KeyCode::Up, SHIFT, "shift-up"),
    ] {
        assert_eq!(sent(code, held).as_deref(), Some(key), "{code:?} {held:?}");
    }
}

#[test]
fn what_is_no_key_of_ours_does_nothing() {
    let keymap = Keymap::default();
    let with = |kind, state| KeyEvent {
        kind,
        state,
        ..KeyEvent::from(KeyCode::Char('p'))
    };
    let pair = Some(Action::Pair);
    let none = KeyEventState::NONE;
    assert_eq!(keymap.action(&with(KeyEventKind::Press, none)), pair);
    assert_eq!(keymap.action(&with(KeyEventKind::Repeat, none)), pair);
    let on_keypad = with(KeyEventKind::Press, KeyEventState::KEYPAD);
    assert_eq!(keymap.action(&on_keypad), pair);
    assert_eq!(keymap.action(&with(KeyEventKind::Release, none)), None);
    for (code, held) in [
        (KeyCode::Char('p'), KeyModifiers::SUPER),
        (KeyCode::Char('p'), ALT),
        (KeyCode::Char('p'), CTRL),
        (KeyCode::Char('z'), NONE),
        (KeyCode::CapsLock, NONE),
        (KeyCode::Null, NONE),
        (KeyCode::Tab, SHIFT),
    ] {
        let event = KeyEvent::new(code, held);
        assert_eq!(keymap.action(&event), None, "{code:?} {held:?}");
    }
}

#[test]
fn shift_with_a_named_key_is_a_slip() {
    let keymap = Keymap::default();
    let action = |code, held| keymap.action(&KeyEvent::new(code, held));
    assert_eq!(action(KeyCode::Enter, SHIFT), Some(Action::Copy));
    assert_eq!(action(KeyCode::Down, SHIFT), Some(Action::Down));
    // Not with a letter: that is another one.
    assert_eq!(action(KeyCode::Char('l'), SHIFT), Some(Action::Lock));
    assert_eq!(action(KeyCode::Char('l'), NONE), None);
}

#[test]
fn keys_are_written_and_shown() {
    for (written, shown) in [
        ("enter", "Enter"),
        ("ctrl-f", "^F"),
        ("ctrl-/", "^/"),
        ("ctrl-space", "Ctrl-Space"),
        ("ctrl-alt-x", "Ctrl-Alt-x"),
        ("ctrl-enter", "Ctrl-Enter"),
        ("?", "?"),
        ("space", "Space"),
        ("-", "-"),
        ("ctrl--", "^-"),
        ("alt--", "Alt--"),
        ("G", "G"),
        ("\"", "\""),
        ("\\", "\\"),
        ("日", "日"),
        ("f1", "F1"),
        ("f24", "F24"),
        ("f", "f"),
        ("shift-tab", "Shift-Tab"),
        ("pagedown", "PgDn"),
        ("delete", "Del"),
    ] {
        let key = Key::read(written);
        assert_eq!(key.map(Key::shown).as_deref(), Ok(shown), "{written}");
        assert_eq!(key.map(Key::written).as_deref(), Ok(written), "{written}");
    }
    for (also, written) in [
        ("Enter", "enter"),
        ("CTRL-F", "ctrl-f"),
        ("ctrl-F", "ctrl-f"),
        ("alt-ctrl-x", "ctrl-alt-x"),
        ("shift-g", "G"),
        ("shift-G", "G"),
        ("ctrl-m", "enter"),
        ("ctrl-i", "tab"),
        (" ", "space"),
        ("F5", "f5"),
    ] {
        let read = Key::read(also).map(Key::written);
        assert_eq!(read.as_deref(), Ok(written), "{also}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for (text, why) in [
        ("", "is no key"),
        ("entr", "is no key"),
        ("ctrl-", "is no key"),
        ("f0", "is no key"),
        ("f01", "is no key"),
        ("f+1", "is no key"),
        ("f25", "is no key"),
        ("f256", "is no key"),
        ("gg", "is no key"),
        ("\t", "is no key"),
        ("\u{7f}", "is no key"),
        ("\u{3000}", "is no key"),
        ("meta-x", "is no key"),
        ("ctrl-ctrl-x", "has the same modifier twice"),
        (
            "ctrl-shift-f",
            "can't be told from the same key without shift by most terminals",
        ),
        (
            "shift-1",
            "is another character on every keyboard: write that character",
        ),
    ] {
        assert_eq!(Key::read(text), Err(why), "{text:?}");
    }
}

#[test]
fn the_table_of_actions_has_keys_that_are_read_and_none_twice() {
    let mut all = Vec::new();
    for row in ACTIONS {
        for key in row.keys {
            assert_eq!(Key::read(key).map(Key::written).as_deref(), Ok(*key));
            assert!(!all.contains(key), "{key} twice");
            all.push(key);
        }
    }
    let keymap = Keymap::default();
    assert_eq!(keymap.0.len(), all.len());
    assert_eq!(keymap.shown(Action::Copy), "Enter");
    assert_eq!(keymap.shown(Action::Help), "?");
    assert_eq!(keymap.shown(Action::Reveal), "Space");
    assert_eq!(keymap.shown(Action::Suspend), "^Z");
}

fn key(text: &str) -> Key {
    Key::read(text).expect("a key")
}

#[test]
fn what_is_given_goes_before_what_is_usual() {
    let given = [
        (Action::Copy, vec![key("n"), key("ctrl-y"), key("n")]),
        (Action::Pair, vec![]),
    ];
    let keymap = Keymap::of(&given).expect("a keymap");
    let keys = |action| keymap.keys(action).map(Key::written).collect::<Vec<_>>();
    assert_eq!(keys(Action::Copy), ["n", "ctrl-y"]);
    assert_eq!(keys(Action::CopyNext), [""; 0]);
    assert_eq!(keymap.shown(Action::CopyNext), "");
    assert_eq!(keys(Action::Pair), [""; 0]);
    assert_eq!(keys(Action::Search), ["/", "ctrl-f"]);
    let enter = KeyEvent::from(KeyCode::Enter);
    assert_eq!(keymap.action(&enter), None);
}

#[test]
fn no_key_does_two_things_and_one_can_always_leave_and_search() {
    let twice = Keymap::of(&[
        (Action::Copy, vec![key("x")]),
        (Action::Pair, vec![key("y"), key("x")]),
    ]);
    let clash = Clash::Twice(key("x"), Action::Copy, Action::Pair);
    assert_eq!(twice, Err(clash));
    let without = |action, keys: &[&str]| {
        let keys = keys.iter().map(|text| key(text)).collect();
        Keymap::of(&[(action, keys)])
    };
    let clash = |action| Err(Clash::Without(action));
    assert_eq!(without(Action::Quit, &[]), clash(Action::Quit));
    assert_eq!(without(Action::Search, &[]), clash(Action::Search));
    // Taken away by another action.
    assert_eq!(
        without(Action::Copy, &["/", "ctrl-f"]),
        clash(Action::Search)
    );
    assert!(without(Action::Help, &[]).is_ok());
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_written_as_what_reads_the_same(text in "((ctrl|alt|shift)-){0,3}([ -~]|é|[a-z0-9]{1,9}|\\PC{0,3})") {
        if let Ok(key) = Key::read(&text) {
            proptest::prop_assert_eq!(Key::read(&key.written()), Ok(key));
            proptest::prop_assert!(!key.shown().is_empty());
        }
    }
}
