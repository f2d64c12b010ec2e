//! The interface as a whole: a state and a message, the state after it and what is asked for.

mod adding;
mod codes;
mod dialogs;
mod gate;
mod list;
mod passphrase;
mod storm;
mod views;

use std::time::Duration;

use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use vmfa::account::{AccountId, Summary};
use vmfa::clock::{UnixTime, Uptime};
use vmfa::otp::{Algorithm, Code, Digits, Generator, Hotp, Pairing, Period, Scheme, Totp};
use vmfa::secret::SecretText;

use crate::tui::board::Group;
use crate::tui::config::{Config, Sort};
use crate::tui::message::{
    Accounts, Effect, Given, Job, Message, Report, Row, RowKind, Said, Source, Tone, Yes,
};
use crate::tui::state::{AddStep, Dialog, Form, GateStep, Purpose, Stage, State};
use crate::tui::theme::{Kind, Theme};
use crate::tui::update::update;
use crate::tui::uses::Uses;

/// A step of 30 s begins here.
const NOW: u64 = 1_700_000_010;
/// That step.
const STEP: u64 = NOW / 30;

fn id(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn number(id: &AccountId) -> u8 {
    id.as_bytes()[0]
}

fn account(number: u8, issuer: &str, name: &str) -> Summary {
    Summary {
        added: NOW - 1000,
        ..crate::fixture::account(*id(number).as_bytes(), issuer, name)
    }
}

fn totp(digits: u64, period: u64, t0: u64) -> Scheme {
    Scheme::Totp(Totp {
        algorithm: Algorithm::Sha1,
        digits: Digits::new(digits).expect("digits"),
        period: Period::new(period).expect("a period"),
        t0,
    })
}

fn hotp() -> Scheme {
    Scheme::Hotp(Hotp {
        algorithm: Algorithm::Sha1,
        digits: Digits::new(6).expect("digits"),
    })
}

/// One of each kind, in the order of their names: a favourite, a device of AWS, one that asks, a counter, Steam.
fn five() -> Vec<Summary> {
    let mut all = vec![
        account(1, "GitHub", "alice"),
        account(2, "AWS", "root"),
        account(3, "Bank", "carol"),
        account(4, "Legacy", "token"),
        account(5, "Steam", "gamer"),
    ];
    all[0].favorite = true;
    all[1].serial_number = Some("arn:aws:iam::123456789012:mfa/root".into());
    all[1].tags = vec!["work".into()];
    all[2].confirm = true;
    all[3].scheme = hotp();
    all[3].counter = Some(7);
    all[4].scheme = Scheme::Steam;
    all
}

fn accounts(live: Vec<Summary>) -> Accounts {
    Accounts {
        live,
        trash: Vec::new(),
        source: Source::Vault,
        uses: Uses::default(),
        warnings: Vec::new(),
    }
}

/// With two in the trash; the first of them was put there last.
fn with_trash(live: Vec<Summary>) -> Accounts {
    let mut all = accounts(live);
    for (number, name, trashed) in [(21, "older", NOW - 50), (22, "newer", NOW - 10)] {
        let mut one = account(number, "Gone", name);
        one.trashed = Some(trashed);
        all.trash.push(one);
    }
    all
}

fn generator(scheme: &Scheme) -> Generator {
    // The secret of the tables in RFC 4226 and 6238.
    let secret = vmfa::base32::decode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").expect("a secret");
    Generator::new(scheme, &secret, None).expect("a generator")
}

fn code(summary: &Summary, step: u64) -> Code {
    generator(&summary.scheme)
        .code_of_step(step)
        .expect("a code")
}

fn given(summary: &Summary, step: u64) -> Given {
    Given {
        id: summary.id,
        code: code(summary, step),
        used: false,
    }
}

fn counted(summary: &Summary, counter: u64) -> Given {
    let code = generator(&summary.scheme).code_of_counter(counter);
    Given {
        id: summary.id,
        code: code.expect("a code"),
        used: false,
    }
}

fn closed(config: Config) -> State {
    State::new(
        config,
        Theme::new(Kind::Mono, &[]),
        "vault.vmfa".into(),
        (80, 24),
        UnixTime::from_secs(NOW),
        Uptime::from_duration(Duration::from_secs(1000)),
    )
}

fn report(state: &mut State, report: Report) -> Vec<Effect> {
    update(state, Message::Report(report))
}

fn opened_as(config: Config, accounts: Accounts) -> State {
    let mut state = closed(config);
    report(&mut state, Report::Accounts(accounts));
    state
}

fn opened(live: Vec<Summary>) -> State {
    opened_as(Config::default(), with_trash(live))
}

/// Gives what was asked for, as the worker does.
fn answer(state: &mut State, effects: &[Effect]) {
    let live: Vec<Summary> = match &state.stage {
        Stage::Open(board) => board.live.clone(),
        Stage::Locked(_) => return,
    };
    let mut codes = Vec::new();
    for (number, step) in asked(effects) {
        if let Some(one) = live.iter().find(|one| one.id == id(number)) {
            codes.push(given(one, step));
        }
    }
    report(state, Report::Codes(codes));
}

/// As [`opened`], with the codes of all lines.
fn answered(live: Vec<Summary>) -> State {
    let mut state = closed(Config::default());
    let effects = report(&mut state, Report::Accounts(with_trash(live)));
    answer(&mut state, &effects);
    state
}

/// A key as people write it: `x`, `G`, `enter`, `ctrl-x`, `alt-x`.
fn key(written: &str) -> KeyEvent {
    let (held, name) = match written.split_once('-') {
        Some(("ctrl", name)) => (KeyModifiers::CONTROL, name),
        Some(("alt", name)) => (KeyModifiers::ALT, name),
        Some(_) | None => (KeyModifiers::NONE, written),
    };
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "delete" => KeyCode::Delete,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pageup" => KeyCode::PageUp,
        "pagedown" => KeyCode::PageDown,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "f1" => KeyCode::F(1),
        "space" => KeyCode::Char(' '),
        other => {
            let mut characters = other.chars();
            let one = characters.next().expect("a character");
            assert!(characters.next().is_none(), "no key: {written}");
            KeyCode::Char(one)
        }
    };
    KeyEvent::new(code, held)
}

/// Keys, one after the other; what the last of them asks for.
fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for written in keys.split(' ').filter(|key| !key.is_empty()) {
        effects = update(state, Message::Key(key(written)));
    }
    effects
}

fn type_in(state: &mut State, text: &str) {
    for character in text.chars() {
        let key = KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE);
        update(state, Message::Key(key));
    }
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    update(state, Message::Paste(SecretText::new(text.into())))
}

/// So many milliseconds after the beginning, on both clocks.
fn tick(state: &mut State, millis: u64) -> Vec<Effect> {
    tick_to(state, NOW * 1000 + millis, millis)
}

/// The clocks apart: the one that is set, since 1970, and the one that never is.
fn tick_to(state: &mut State, unix_millis: u64, uptime_millis: u64) -> Vec<Effect> {
    let now = UnixTime::from_duration(Duration::from_millis(unix_millis));
    let up = Duration::from_secs(1000) + Duration::from_millis(uptime_millis);
    update(state, Message::Tick(now, Uptime::from_duration(up)))
}

fn mouse(state: &mut State, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    let modifiers = KeyModifiers::NONE;
    update(
        state,
        Message::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }),
    )
}

fn click(state: &mut State, row: u16) -> Vec<Effect> {
    mouse(state, MouseEventKind::Down(MouseButton::Left), 5, row)
}

/// The codes that are asked for: account and step.
fn asked(effects: &[Effect]) -> Vec<(u8, u64)> {
    let mut all = Vec::new();
    for effect in effects {
        if let Effect::Do(Job::Codes(wanted)) = effect {
            all.extend(wanted.iter().map(|(id, step)| (number(id), *step)));
        }
    }
    all
}

/// What is asked for besides codes for the screen, accounts by their number.
fn told(effects: &[Effect]) -> String {
    let others = effects.iter().filter_map(|effect| match effect {
        Effect::Do(Job::Codes(_)) => None,
        Effect::Do(job) => Some(format!("{job:?}")),
        Effect::Suspend | Effect::Redraw | Effect::Retake | Effect::Quit => {
            Some(format!("{effect:?}"))
        }
    });
    let mut text = others.collect::<Vec<_>>().join("; ");
    for number in 1..=30_u8 {
        text = text.replace(&id(number).to_string(), &format!("#{number}"));
    }
    text
}

/// What a person would notice, in words.
fn seen(state: &State) -> String {
    let mut words = Vec::new();
    match &state.stage {
        Stage::Locked(gate) => {
            words.push(
                match gate.step {
                    GateStep::Asleep => "asleep",
                    GateStep::Opening => "opening",
                    GateStep::Asking => "asking",
                    GateStep::Shut => "shut",
                }
                .to_owned(),
            );
            if !gate.line.is_empty() {
                words.push(format!("typed {}", gate.line.graphemes()));
            }
            if let Some(said) = &gate.said {
                words.push(format!("({})", said.text));
            }
        }
        Stage::Open(board) => {
            words.push(match board.selected_id() {
                Some(id) => format!("at {}", number(&id)),
                None => "at none".into(),
            });
            if board.is_searching {
                words.push(format!("searching {:?}", board.query.text()));
            } else if !board.query.is_empty() {
                words.push(format!("found {:?}", board.query.text()));
            }
            match &board.group {
                None => {}
                Some(Group::Favorites) => words.push("favourites".into()),
                Some(Group::Tag(tag)) => words.push(format!("tag {tag}")),
                Some(Group::AwsAccount(id)) => words.push(format!("aws {id}")),
            }
            match board.sort {
                Sort::Name => {}
                Sort::Use => words.push("by use".into()),
                Sort::Recent => words.push("by time".into()),
            }
            if board.privacy {
                words.push("hidden".into());
            }
            if let Some(dialog) = &board.dialog {
                words.push(dialog_seen(dialog));
            }
        }
    }
    if state.saving > 0 {
        words.push(format!("saving {}", state.saving));
    }
    if let Some(toast) = &state.toast {
        words.push(format!("({})", toast.said.text));
    }
    words.join(", ")
}

fn dialog_seen(dialog: &Dialog) -> String {
    match dialog {
        Dialog::Help { scroll } => format!("help {scroll}"),
        Dialog::Details { id, scroll } => format!("details of {} {scroll}", number(id)),
        Dialog::Pair { id, pair } => format!("pair of {}: {}", number(id), pair.is_some()),
        Dialog::Form(form) => form_seen(form),
        Dialog::Add(adding) => {
            let step = match &adding.step {
                AddStep::Choose(at) => format!("choose {at}"),
                AddStep::Type { name, secret, at } => format!(
                    "type {:?} secret {} at {at}",
                    name.text(),
                    secret.graphemes()
                ),
                AddStep::Path(line) => format!("path {:?}", line.text()),
                AddStep::Looking => "looking".into(),
                AddStep::Found(rows) => format!("found {}", rows.len()),
                AddStep::Saving => "saving".into(),
            };
            let said = adding.said.as_ref();
            let said = said.map_or_else(String::new, |said| format!(" ({})", said.text));
            format!("add: {step}{said}")
        }
        Dialog::Groups { selected } => format!("groups {selected}"),
        Dialog::Trash { selected, .. } => format!("trash {selected}"),
        Dialog::Passphrase {
            line,
            purpose,
            said,
            is_opening,
        } => {
            let what = match purpose {
                Purpose::Qr(id) => format!("QR of {}", number(id)),
                Purpose::Job(job) => format!("{}", job.is_some()),
            };
            let said = said.as_ref();
            let said = said.map_or_else(String::new, |said| format!(" ({})", said.text));
            let how = if *is_opening { "opening" } else { "typed" };
            format!("passphrase for {what}: {how} {}{said}", line.graphemes())
        }
        Dialog::Qr { id, .. } => format!("QR of {}", number(id)),
        Dialog::Asks { id, .. } => format!("{} asks", number(id)),
    }
}

fn form_seen(form: &Form) -> String {
    let said = form.said.as_ref();
    let said = said.map_or_else(String::new, |said| format!(" ({})", said.text));
    let saving = if form.is_saving { " saving" } else { "" };
    let line = form
        .lines
        .get(form.at)
        .map_or_else(|| format!("[{}]", form.confirm), |line| line.text().into());
    format!("form {} {line:?}{saving}{said}", form.at)
}

fn board(state: &State) -> &crate::tui::board::Board {
    state.board().expect("it is open")
}

fn error(text: &str) -> Said {
    Said::new(Tone::Error, text)
}

fn rows(count: usize) -> Vec<Row> {
    let row = |number| Row {
        text: format!("account {number}"),
        kind: RowKind::Wanted,
    };
    (0..count).map(row).collect()
}

/// Keys to press, what the last one asks for, and what is to be seen after it.
type Case = (&'static str, &'static str, &'static str);

/// Each case from the same beginning.
fn hold(from: impl Fn() -> State, cases: &[Case]) {
    for (keys, asks, looks) in cases {
        let mut state = from();
        let effects = press(&mut state, keys);
        assert_eq!(
            (told(&effects).as_str(), seen(&state).as_str()),
            (*asks, *looks),
            "{keys}"
        );
    }
}
