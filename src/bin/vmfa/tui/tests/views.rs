use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;
use vmfa::clock::Stopwatch;
use vmfa::qr::Drawing;

use super::*;
use crate::tui::view::view;

/// What is drawn at the state's own size, and where the cursor is.
pub(super) fn drawn(state: &State) -> (Buffer, Option<Position>) {
    let (width, height) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let mut cursor = None;
    let frame = terminal
        .draw(|frame| {
            view(state, frame);
        })
        .expect("drawn");
    let buffer = frame.buffer.clone();
    if terminal.backend().cursor_visible() {
        cursor = Some(terminal.get_cursor_position().expect("a cursor"));
    }
    (buffer, cursor)
}

/// Each line as a terminal shows it. Of a wide character the second cell must be blank, and be there.
pub(super) fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let line = |y| {
        let mut text = String::new();
        let mut x = area.x;
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            let width = symbol.width();
            assert!(width == 1 || width == 2, "{symbol:?} at {x}, {y}");
            if width == 2 {
                assert!(x + 1 < area.right(), "half of {symbol} at {x}, {y}");
                assert_eq!(
                    buffer[(x + 1, y)].symbol(),
                    " ",
                    "{symbol} at {x}, {y} is covered"
                );
            }
            text.push_str(symbol);
            x += width as u16;
        }
        text
    };
    (area.y..area.bottom()).map(line).collect()
}

/// At three sizes, one below the other.
fn pictures(mut state: State) -> String {
    let mut text = String::new();
    for (width, height) in [(40, 10), (80, 24), (200, 60)] {
        update(&mut state, Message::Resize(width, height));
        let (buffer, cursor) = drawn(&state);
        let cursor = cursor.map_or_else(String::new, |at| format!(", cursor at {at}"));
        text.push_str(&format!("---- {width}x{height}{cursor}\n"));
        let mut lines = lines(&buffer);
        // Empty lines at the end would only make a long file longer.
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// Everything that a line can be.
fn rich() -> Vec<Summary> {
    let mut all = five();
    all.extend([
        account(6, "株式会社ほげほげ", "山田太郎@例え.jp"),
        account(
            7,
            "An issuer with a name that is much longer than any column",
            "and.somebody.with.an.address.that.goes.on.and.on@subdomain.of.a.long.example.com",
        ),
        account(8, "Cafe\u{301}", "e\u{301}ric 👩‍💻"),
        account(9, "Seven", "digits"),
        account(10, "Eight", "digits"),
        account(11, "Ten", "digits"),
        account(12, "Nearly", "over"),
        account(13, "Taken", "elsewhere"),
        account(14, "Not", "answered"),
        account(15, "Not", "begun"),
        account(16, "", "no issuer"),
        account(17, "no name", ""),
        account(18, "", ""),
    ]);
    all[5].tags = vec![
        "仕事".into(),
        "work".into(),
        "a long tag of many words".into(),
    ];
    all[8].scheme = totp(7, 30, 0);
    all[9].scheme = totp(8, 60, 0);
    all[10].scheme = totp(10, 30, 0);
    all[11].scheme = totp(6, 30, NOW - 27);
    all[14].scheme = totp(6, 30, NOW + 100);
    all
}

/// As after a second at the interface: all codes but one are there, one was taken by another program.
fn full_as(config: Config) -> State {
    let mut state = closed(config);
    let effects = report(&mut state, Report::Accounts(with_trash(rich())));
    let mut codes = Vec::new();
    for (number, step) in asked(&effects) {
        let of = rich().into_iter().find(|one| one.id == id(number));
        let mut one = given(&of.expect("an account"), step);
        one.used = number == 13 && step == STEP;
        if number != 14 {
            codes.push(one);
        }
    }
    report(&mut state, Report::Codes(codes));
    state
}

fn full() -> State {
    full_as(Config::default())
}

fn after(keys: &str) -> State {
    let mut state = full();
    press(&mut state, keys);
    state
}

fn after_report(keys: &str, one: Report) -> State {
    let mut state = after(keys);
    report(&mut state, one);
    state
}

fn pair_of(number: usize) -> Report {
    let summary = &rich()[number - 1];
    let now = UnixTime::from_secs(NOW);
    let pair = generator(&summary.scheme).pair_at(now, Pairing::Previous);
    Report::Pair(summary.id, pair.expect("a pair"))
}

const URI: &str = "otpauth://totp/GitHub:alice?secret=JBSWY3DPEHPK3PXP&issuer=GitHub";

fn qr() -> Report {
    let drawing = Drawing::new(&SecretText::new(URI.into()));
    Report::Qr(id(1), drawing.expect("a drawing"))
}

#[test]
fn the_list_is_drawn() {
    insta::assert_snapshot!("list", pictures(full()));
    let mut state = full();
    report(
        &mut state,
        Report::Copied {
            given: counted(&rich()[3], 7),
            said: Said::good("Legacy:token: copied"),
        },
    );
    state.toast = None;
    insta::assert_snapshot!("list_counter_taken", pictures(state));
    let mut state = full();
    tick(&mut state, 26_000);
    insta::assert_snapshot!("list_expiring", pictures(state));
    let private = Config {
        privacy: true,
        ..Config::default()
    };
    insta::assert_snapshot!("list_hidden", pictures(full_as(private)));
    let empty = opened_as(Config::default(), accounts(Vec::new()));
    insta::assert_snapshot!("list_empty", pictures(empty));
}

#[test]
fn searches_and_groups_are_drawn() {
    insta::assert_snapshot!("search", pictures(after("/ e i")));
    let mut state = full();
    paste(&mut state, "山田");
    insta::assert_snapshot!("search_wide", pictures(state));
    insta::assert_snapshot!("search_nothing", pictures(after("/ x y z")));
    insta::assert_snapshot!("groups", pictures(after("g down down")));
    insta::assert_snapshot!("group", pictures(after("g down down enter s d")));
}

#[test]
fn dialogs_are_drawn() {
    insta::assert_snapshot!("help", pictures(after("?")));
    insta::assert_snapshot!("details", pictures(after("j j j j i")));
    insta::assert_snapshot!("pair_aws", pictures(after_report("", pair_of(2))));
    insta::assert_snapshot!("pair", pictures(after_report("", pair_of(6))));
    insta::assert_snapshot!(
        "pair_waiting",
        pictures(after_report("", pair_of(1)).pressed("r"))
    );
    insta::assert_snapshot!("form", pictures(after("j j j j e tab")));
    insta::assert_snapshot!("form_box", pictures(after("j j j j e up space")));
    insta::assert_snapshot!("trash", pictures(after("t down")));
    insta::assert_snapshot!("trash_erasing", pictures(after("t down x")));
    insta::assert_snapshot!(
        "asks",
        pictures(after_report("", Report::Asks(id(3), Job::Look)))
    );
    insta::assert_snapshot!("passphrase_qr", pictures(after("q a b c")));
    let wrong = Report::Wrong(error("this passphrase opens nothing"), None);
    insta::assert_snapshot!(
        "passphrase_wrong",
        pictures(after_report("q a enter", wrong))
    );
    let needs = || Report::NeedsPassphrase(Job::Look);
    insta::assert_snapshot!("passphrase_job", pictures(after_report("", needs())));
    let opening = after_report("", needs()).pressed("x enter");
    insta::assert_snapshot!("passphrase_opening", pictures(opening));
    insta::assert_snapshot!("qr", pictures(after_report("q x enter", qr())));
}

impl State {
    fn pressed(mut self, keys: &str) -> Self {
        press(&mut self, keys);
        self
    }
}

#[test]
fn adding_is_drawn() {
    insta::assert_snapshot!("add", pictures(after("a down")));
    insta::assert_snapshot!("add_typing", pictures(after("a p a b c tab N a m e")));
    insta::assert_snapshot!("add_no_name", pictures(after("a p a b c enter")));
    insta::assert_snapshot!("add_path", pictures(after("a f / t m p")));
    insta::assert_snapshot!("add_looking", pictures(after("a s")));
    let mut found = rows(12);
    found[1] = Row {
        text: "株式会社ほげほげ:山田太郎@例え.jp   TOTP SHA1 6 digits, 30 s".into(),
        kind: RowKind::Wanted,
    };
    found[2] = Row {
        text: "row 3, secret: '1' is not base32".into(),
        kind: RowKind::Refused,
    };
    let found = || Report::Found(1, found.clone());
    insta::assert_snapshot!("add_found", pictures(after_report("a c", found())));
    let saving = after_report("a c", found()).pressed("enter");
    insta::assert_snapshot!("add_saving", pictures(saving));
}

#[test]
fn the_gate_is_drawn() {
    insta::assert_snapshot!("gate_opening", pictures(closed(Config::default())));
    let mut state = closed(Config::default());
    report(&mut state, Report::Locked);
    type_in(&mut state, "passphrase");
    insta::assert_snapshot!("gate_asking", pictures(state));
    let mut state = closed(Config::default());
    report(
        &mut state,
        Report::Wrong(error("this passphrase opens nothing"), None),
    );
    insta::assert_snapshot!("gate_wrong", pictures(state));
    insta::assert_snapshot!("gate_asleep", pictures(after("L")));
    let said = Said {
        tone: Tone::Error,
        text: "the vault's file is damaged from byte 1234 on, and nothing of it can be read".into(),
        hint: Some("vmfa backup restore brings the last good one back".into()),
    };
    insta::assert_snapshot!("gate_shut", pictures(after_report("", Report::Shut(said))));
}

#[test]
fn what_is_said_is_drawn() {
    insta::assert_snapshot!("toast", pictures(after("s")));
    let said = Said {
        tone: Tone::Warning,
        text: "株式会社ほげほげ:山田太郎@例え.jp: copied, but another program was given this code"
            .into(),
        hint: Some("where each code is taken once, use the next one".into()),
    };
    let given = given(&rich()[5], STEP);
    let copied = Report::Copied { given, said };
    insta::assert_snapshot!("toast_warning", pictures(after_report("", copied)));
    let failed = Report::NotSaved(error("the disk is full"));
    insta::assert_snapshot!("toast_error", pictures(after_report("d", failed)));
}

#[test]
fn a_qr_code_on_the_screen_is_read_again() {
    let mut state = after_report("q x enter", qr());
    for size in [(80, 40), (57, 30), (200, 60)] {
        update(&mut state, Message::Resize(size.0, size.1));
        let (buffer, _) = drawn(&state);
        // A cell is two dots high; a dot is four pixels.
        let (width, height) = (usize::from(size.0), usize::from(size.1) * 2);
        let is_dark = |x: usize, y: usize| {
            let cell = &buffer[(x as u16, (y / 2) as u16)];
            let blocks = match cell.symbol() {
                "█" => [true, true],
                "▀" => [true, false],
                "▄" => [false, true],
                _ => [false, false],
            };
            // Whatever the theme: where there is a block, it is black on white.
            if blocks != [false, false] {
                assert_eq!(
                    (cell.fg, cell.bg),
                    (Color::Indexed(16), Color::Indexed(231))
                );
            }
            blocks[y % 2]
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width * 4, height * 4, |x, y| {
                if is_dark(x / 4, y / 4) { 0 } else { 255 }
            });
        let grids = image.detect_grids();
        let texts: Vec<_> = grids
            .iter()
            .map(|grid| grid.decode().expect("read").1)
            .collect();
        assert_eq!(texts, [URI], "{size:?}");
    }
    // Where half of it would be cut off, there is none, and it is said why.
    update(&mut state, Message::Resize(80, 12));
    let text = lines(&drawn(&state).0).join("\n");
    assert!(!text.contains('█') && text.contains("too small"), "{text}");
}

/// Every screen that there is, more or less.
fn screens() -> Vec<State> {
    let wrong = || Report::Wrong(error("no"), None);
    vec![
        full(),
        after("j j s"),
        after("/ e i"),
        after("?"),
        after("i"),
        after("e"),
        after("a"),
        after("a p x"),
        after("g"),
        after("t x"),
        after("v"),
        after("L"),
        after("q x"),
        after_report("q x enter", wrong()),
        after_report("", pair_of(2)),
        after_report("", Report::Shut(error("no"))),
        after_report("a c", Report::Found(1, rows(3))),
    ]
}

#[test]
fn without_colours_there_are_none() {
    for state in screens() {
        for cell in drawn(&state).0.content() {
            assert_eq!(
                (cell.fg, cell.bg),
                (Color::Reset, Color::Reset),
                "{}",
                seen(&state)
            );
        }
    }
}

#[test]
fn the_chosen_line_is_told_by_a_mark_too() {
    for (keys, row) in [("", 2), ("j j", 4), ("/ e i", 2)] {
        let (buffer, _) = drawn(&after(keys));
        for y in 2..20 {
            let marked = buffer[(0, y)].symbol() == ">";
            let reversed = buffer[(40, y)].modifier.contains(Modifier::REVERSED);
            assert_eq!((marked, reversed), (y == row, y == row), "{keys}, line {y}");
        }
    }
    for keys in ["g down", "t down"] {
        let (buffer, _) = drawn(&after(keys));
        let rows = lines(&buffer);
        let marked = rows.iter().filter(|row| row.contains("│ > ")).count();
        assert_eq!(marked, 1, "{keys}");
    }
}

#[test]
fn what_a_search_found_is_marked() {
    let (buffer, _) = drawn(&after("/ g i t"));
    let matched: String = (0..80)
        .filter(|x| buffer[(*x, 2)].modifier.contains(Modifier::UNDERLINED))
        .map(|x| buffer[(x, 2)].symbol().to_owned())
        .collect();
    assert_eq!(matched, "Git");
    let plain = drawn(&full()).0;
    assert!((0..80).all(|x| !plain[(x, 2)].modifier.contains(Modifier::UNDERLINED)));
}

#[test]
fn no_wide_character_is_cut_at_any_width() {
    for mut state in screens() {
        for width in 1..120 {
            for height in [1, 2, 3, 9, 13, 14, 24] {
                update(&mut state, Message::Resize(width, height));
                // Held by `lines`.
                let _ = lines(&drawn(&state).0);
            }
        }
    }
    let mut state = opened(
        (1..=20)
            .map(|n| account(n, "株式会社ほげほげ", "山田太郎@例え.jp"))
            .collect(),
    );
    // Beside a dialog: its edges fall on every column of the names.
    report(&mut state, Report::Asks(id(1), Job::Look));
    for width in 48..180 {
        update(&mut state, Message::Resize(width, 24));
        let _ = lines(&drawn(&state).0);
    }
}

#[test]
fn the_cursor_stands_behind_what_was_typed() {
    let at = |state: &State| drawn(state).1.map(|at| (at.x, at.y));
    assert_eq!(at(&full()), None);
    assert_eq!(at(&after("/ a b")), Some((3, 0)));
    let mut state = after("/");
    paste(&mut state, "日本");
    assert_eq!(at(&state), Some((5, 0)));
    // In a form: behind the wide characters, however narrow it is.
    let mut state = after("j e");
    press(&mut state, "ctrl-u");
    paste(&mut state, &"日本語".repeat(20));
    for (width, height) in [(80, 24), (40, 10), (30, 10), (20, 8)] {
        update(&mut state, Message::Resize(width, height));
        let (buffer, cursor) = drawn(&state);
        let cursor = cursor.expect("a cursor");
        assert!(cursor.x < width);
        // Before it the last character, whole; at it nothing.
        assert_eq!(buffer[(cursor.x - 2, cursor.y)].symbol(), "語", "{width}");
        assert_eq!(buffer[cursor].symbol(), " ", "{width}");
    }
}

#[test]
fn what_comes_from_outside_steers_no_terminal() {
    let evil = "a\u{1b}[31m\u{202e}b\u{200b}\u{9b}c\u{fdd0}";
    let said = || error(evil);
    let mut bad = account(1, evil, evil);
    bad.tags = vec![evil.into()];
    bad.note = evil.into();
    bad.serial_number = Some(evil.into());
    let named = |keys: &str| {
        let mut state = opened(vec![bad.clone()]);
        press(&mut state, keys);
        state
    };
    let mut states = vec![named(""), named("i"), named("e"), named("g"), named("/ a")];
    let mut state = named("");
    report(&mut state, Report::Failed(said()));
    states.push(state);
    let mut state = named("");
    report(&mut state, Report::Shut(said()));
    states.push(state);
    let mut state = named("a c");
    let row = Row {
        text: evil.into(),
        kind: RowKind::Wanted,
    };
    report(&mut state, Report::Found(1, vec![row]));
    states.push(state);
    let mut state = named("a f x enter");
    report(&mut state, Report::Failed(said()));
    states.push(state);
    let mut state = named("/");
    paste(&mut state, evil);
    states.push(state);
    let mut state = closed(Config::default());
    state.vault_name = evil.into();
    states.push(state);
    for state in states {
        for line in lines(&drawn(&state).0) {
            let bad = |c: char| {
                c.is_control() || ['\u{202e}', '\u{200b}', '\u{9b}', '\u{fdd0}'].contains(&c)
            };
            assert!(!line.contains(bad), "{}: {line:?}", seen(&state));
        }
    }
}

#[test]
fn a_key_among_ten_thousand_accounts() {
    let mut live = Vec::new();
    for number in 0..10_000_u32 {
        let mut one = account(
            1,
            &format!("Issuer {}", number % 97),
            &format!("user{number}@example.com"),
        );
        let mut bytes = [9; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        one.id = AccountId::from_bytes(bytes);
        one.tags = vec![format!("tag{}", number % 13)];
        live.push(one);
    }
    let mut state = opened(live);
    press(&mut state, "/");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal");
    let mut slowest = Duration::ZERO;
    for typed in ["u", "s", "e", "r", "9", "9", "backspace", "9", "9"] {
        let watch = Stopwatch::start();
        update(&mut state, Message::Key(key(typed)));
        terminal.draw(|frame| view(&state, frame)).expect("drawn");
        slowest = slowest.max(watch.elapsed());
    }
    assert!((2..10_000).contains(&board(&state).shown.len()));
    println!("10,000 accounts: the slowest key took {slowest:?}");
}
