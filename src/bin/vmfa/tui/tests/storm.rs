//! Anything, in any order.

use proptest::prelude::*;
use vmfa::qr::Drawing;

use super::views::{drawn, lines};
use super::*;
use crate::tui::message::{Change, When};

#[derive(Debug, Clone)]
enum Blow {
    Key(KeyCode, KeyModifiers),
    Paste(String),
    Mouse(MouseEventKind, u16, u16),
    /// Milliseconds by which the two clocks go on; the one that is set may go back.
    Tick(i64, u64),
    Resize(u16, u16),
    Report(u8, u8),
}

fn blow() -> impl Strategy<Value = Blow> {
    let codes = prop_oneof![
        8 => proptest::sample::select("jkpqnidaefgtsvuyxrcQGL?/ 1é日".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        6 => proptest::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace,
            KeyCode::Delete, KeyCode::Home, KeyCode::End, KeyCode::PageUp, KeyCode::PageDown,
            KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Right, KeyCode::F(1), KeyCode::Null,
        ]),
        1 => any::<char>().prop_map(KeyCode::Char),
    ];
    let held = prop_oneof![
        6 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
    ];
    let turned = proptest::sample::select(vec![
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
        MouseEventKind::Down(MouseButton::Left),
    ]);
    prop_oneof![
        12 => (codes, held).prop_map(|(code, held)| Blow::Key(code, held)),
        1 => proptest::sample::select(vec![
            "otpauth://totp/A:b?secret=JBSWY3DP", "日本\n語", "", "\u{1b}[31m", "👩‍💻e\u{301}",
        ]).prop_map(|text| Blow::Paste(text.into())),
        1 => (turned, 0..210_u16, 0..70_u16).prop_map(|(kind, x, y)| Blow::Mouse(kind, x, y)),
        2 => (-100_000..100_000_i64, 0..40_000_u64).prop_map(|(now, up)| Blow::Tick(now, up)),
        2 => (1..=200_u16, 1..=60_u16).prop_map(|(width, height)| Blow::Resize(width, height)),
        1 => (1..=12_u16, 1..=5_u16).prop_map(|(width, height)| Blow::Resize(width, height)),
        8 => (any::<u8>(), any::<u8>()).prop_map(|(which, what)| Blow::Report(which, what)),
    ]
}

/// Fewer accounts or more, and others in the trash.
fn some(what: u8) -> Accounts {
    let mut live = five();
    live.push(account(6, "株式会社ほげほげ", "山田太郎@例え.jp"));
    live.push(account(7, "Cafe\u{301}", "👩‍💻"));
    for extra in 30..30 + what / 8 {
        live.push(account(extra, &format!("I{extra}"), "x"));
    }
    let mut number = 0;
    live.retain(|_| {
        number += 1;
        number % 7 != what % 9
    });
    let mut all = with_trash(if what.is_multiple_of(11) {
        Vec::new()
    } else {
        live
    });
    all.trash.truncate(usize::from(what % 3));
    all
}

fn said_of(which: u8, what: u8, step: u64) -> Report {
    let all = five();
    let one = &all[usize::from(what) % 5];
    let timed = &all[usize::from(what) % 2];
    let change = || match what % 4 {
        0 => Change::Add(1),
        1 => Change::Remove(one.id),
        2 => Change::Erase(id(21)),
        _ => Change::Favorite(one.id, true),
    };
    match which % 19 {
        0 | 17 | 18 => Report::Accounts(some(what)),
        1 => Report::Locked,
        2 => Report::Shut(error("shut")),
        3 => Report::Codes(vec![given(timed, step), given(timed, step + 1)]),
        4 => Report::Copied {
            given: given(timed, step),
            said: Said::good("copied"),
        },
        5 => Report::Copied {
            given: counted(&all[3], u64::from(what)),
            said: error("not copied"),
        },
        6 => Report::Shown(given(&all[2], step)),
        7 => {
            let now = UnixTime::from_secs(NOW);
            let pair = generator(&timed.scheme).pair_at(now, Pairing::Previous);
            Report::Pair(timed.id, pair.expect("a pair"))
        }
        8 => {
            let uri = SecretText::new(format!(
                "otpauth://totp/A:b?secret={}",
                "JBSWY3DP".repeat(1 + usize::from(what % 30))
            ));
            Report::Qr(one.id, Drawing::new(&uri).expect("a drawing"))
        }
        9 => Report::NeedsPassphrase(Job::Change(change())),
        10 => Report::Asks(
            one.id,
            Job::Copy {
                id: one.id,
                when: When::Now,
                yes: Yes::Said,
            },
        ),
        11 => Report::Found(1, rows(usize::from(what))),
        12 => Report::Saved(Said::good("saved"), Some(one.id)),
        13 => Report::NotSaved(error("not saved")),
        14 => Report::Added(vec![one.id], Said::good("added")),
        15 => Report::Wrong(error("wrong"), Some(Job::Change(change()))),
        _ => Report::Stale,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_something_is_drawn(blows in proptest::collection::vec(blow(), 1..60), begins in any::<bool>()) {
        let mut state = if begins { answered(five()) } else { closed(Config::default()) };
        let (mut now, mut up) = (NOW * 1000, 0_u64);
        for blow in blows {
            match blow {
                Blow::Key(code, held) => {
                    update(&mut state, Message::Key(KeyEvent::new(code, held)));
                }
                Blow::Paste(text) => {
                    paste(&mut state, &text);
                }
                Blow::Mouse(kind, x, y) => {
                    mouse(&mut state, kind, x, y);
                }
                Blow::Tick(by, more) => {
                    now = now.saturating_add_signed(by);
                    up += more;
                    tick_to(&mut state, now, up);
                }
                Blow::Resize(width, height) => {
                    update(&mut state, Message::Resize(width, height));
                }
                Blow::Report(which, what) => {
                    report(&mut state, said_of(which, what, now / 30_000));
                }
            }
            let (width, height) = state.size;
            let (buffer, cursor) = drawn(&state);
            prop_assert_eq!(lines(&buffer).len(), usize::from(height));
            if let Some(cursor) = cursor {
                prop_assert!(cursor.x < width && cursor.y < height, "{}", cursor);
            }
            if let Stage::Open(board) = &state.stage {
                prop_assert!(board.shown.is_empty() || board.selected < board.shown.len());
            }
            // It never spins.
            tick_to(&mut state, now, up);
            prop_assert!(state.rest().is_none_or(|rest| !rest.is_zero()), "{}", seen(&state));
        }
    }
}
