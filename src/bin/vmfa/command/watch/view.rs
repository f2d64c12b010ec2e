//! How watched codes look: texts out, and nothing else.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;
use vmfa::account::Summary;
use vmfa::clock::UnixTime;
use vmfa::otp::Code;
use zeroize::Zeroizing;

use crate::command::code::described;
use crate::command::named;
use crate::command::watch::Watched;
use crate::print::shorten;

/// From the first line on, everything is gone, and the cursor is back.
pub(super) const GONE: &str = "\r\x1b[J\x1b[?25h";

/// In its last seconds a code has the next one beside it.
const LAST: u64 = 10;

/// All lines, drawn from where the cursor is; it returns there. What was there is erased before: behind a line that is full,
/// the cursor stands on its last character, and would erase that.
pub(super) fn frame(
    watched: &[Watched],
    now: UnixTime,
    columns: usize,
    lines: usize,
    has_colours: bool,
) -> Zeroizing<String> {
    let mut all = texts(watched, now, columns, has_colours);
    all.truncate(lines.max(1));
    let mut text = Zeroizing::new(String::with_capacity(64 + all.len() * (columns + 32)));
    text.push_str("\x1b[?25l\x1b[?7l\r\x1b[J");
    for (at, line) in all.iter().enumerate() {
        if at > 0 {
            text.push_str("\r\n");
        }
        text.push_str(line);
    }
    text.push_str("\x1b[?7h\r");
    if all.len() > 1 {
        text.push_str(&format!("\x1b[{}A", all.len() - 1));
    }
    text
}

/// One account on two lines, several on one each.
pub(super) fn texts(
    watched: &[Watched],
    now: UnixTime,
    columns: usize,
    has_colours: bool,
) -> Vec<Zeroizing<String>> {
    match watched {
        [] => vec![Zeroizing::new(shorten("locked: vmfa unlock", columns))],
        [one] => vec![
            Zeroizing::new(shorten(&named(&one.summary), columns)),
            code(one, now, columns, has_colours),
        ],
        several => {
            // Codes of one width, so that what follows is aligned.
            let widest = several.iter().map(|one| grouped(&one.present).len()).max();
            let widest = widest.unwrap_or_default();
            several
                .iter()
                .map(|one| {
                    let left = left(&one.present, now);
                    let code = grouped(&one.present);
                    let mut line = Zeroizing::new(format!("{:<widest$} {left:>3}s  ", *code));
                    let room = columns.saturating_sub(line.len());
                    line.push_str(&shorten(&named(&one.summary), room));
                    line
                })
                .collect()
        }
    }
}

/// A code, the seconds that it holds, and in the last of them the next code if there is room.
fn code(one: &Watched, now: UnixTime, columns: usize, has_colours: bool) -> Zeroizing<String> {
    let left = left(&one.present, now);
    let mut line = Zeroizing::new(format!("{} {left:>2}s", *grouped(&one.present)));
    if let Some(next) = one.next.as_ref().filter(|_| left <= LAST) {
        // The sign says what the dimness says.
        let next = Zeroizing::new(format!(">{}", *grouped(next)));
        if line.width() + 1 + next.width() <= columns {
            let (faint, plain) = if has_colours {
                ("\x1b[2m", "\x1b[0m")
            } else {
                ("", "")
            };
            line.push_str(&format!(" {faint}{}{plain}", *next));
        }
    }
    line
}

/// The seconds that a code still holds, the one that has begun included.
fn left(code: &Code, now: UnixTime) -> u64 {
    let until = code.window().map(|(_, until)| now.until(until));
    until.map_or(0, |left| left.as_millis().div_ceil(1000) as u64)
}

/// In groups of three or four, as it is read aloud.
fn grouped(code: &Code) -> Zeroizing<String> {
    let text = code.as_str();
    let group = match text.len() {
        6 | 9 => 3,
        8 => 4,
        len => len.max(1),
    };
    let mut grouped = Zeroizing::new(String::with_capacity(16));
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % group == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

/// What a status bar shows of a code that begins, and all that `code --json` tells.
pub(super) fn json(summary: &Summary, code: &Code, now: UnixTime) -> Zeroizing<String> {
    let (from, until) = code.window().unwrap_or((now, now));
    let whole = from.until(until).as_millis().max(1);
    let percentage = now.until(until).as_millis() * 100 / whole;
    let mut value = json!({
        "text": code.as_str(),
        // waybar takes it for markup.
        "tooltip": as_markup(&named(summary)),
        "class": "code",
        "percentage": percentage.min(100) as u64,
    });
    if let (Value::Object(shown), Value::Object(all)) =
        (&mut value, described(summary, code, Some(now)))
    {
        shown.extend(all);
    }
    crate::print::json_line(&value)
}

/// What it shows while the agent is locked.
pub(super) fn locked_json() -> Zeroizing<String> {
    crate::print::json_line(&json!({
        "text": "",
        "tooltip": "locked: vmfa unlock",
        "class": "locked",
        "percentage": 0,
        "code": "",
    }))
}

fn as_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
