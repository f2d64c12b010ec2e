//! From the text to a configuration. Whatever isn't understood is refused with its place: a word that was misspelt would else
//! silently do nothing.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::near::nearest;
use super::{Config, ConfigError, LOOKS, MOST_AHEAD, NEVER, SETTINGS, SORTS, STARTS};
use crate::args::span;
use crate::command::quoted;
use crate::tui::action::{ACTIONS, Action};
use crate::tui::keys::{Clash, Key, Keymap, WRITTEN};
use crate::tui::theme::{COLORS, MODIFIERS, PARTS, Paint};

/// What was found, and between which bytes.
struct Wrong {
    at: Range<usize>,
    message: String,
    hint: Option<String>,
}

type Read<T> = Result<T, Wrong>;
type Value<'v> = Spanned<DeValue<'v>>;

impl Config {
    /// Reads a configuration, in TOML.
    ///
    /// # Errors
    /// The first thing in it that isn't understood.
    pub(crate) fn read(text: &str) -> Result<Self, ConfigError> {
        // Some editors begin a file with this mark; it is no part of what they show.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let parsed = DeTable::parse(text).map_err(|error| Wrong {
            at: error.span().unwrap_or(0..0),
            message: error.message().lines().collect::<Vec<_>>().join("; "),
            hint: None,
        });
        let read = parsed.and_then(|table| settings(table.get_ref()));
        read.map_err(|wrong| wrong.placed(text))
    }
}

impl Wrong {
    fn new(at: Range<usize>, message: String) -> Self {
        Self {
            at,
            message,
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn placed(self, text: &str) -> ConfigError {
        let (line, column) = place(text, self.at.start);
        ConfigError {
            line,
            column,
            message: self.message,
            hint: self.hint,
        }
    }
}

/// The line and the column of a byte, in characters, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let begun = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[begun..].chars().count() + 1)
}

/// The entries of a table in the order in which they are written: the first mistake is told first.
fn entries<'t, 'v>(table: &'t DeTable<'v>) -> Vec<(&'t str, Range<usize>, &'t Value<'v>)> {
    let each = table.iter();
    let mut all: Vec<_> = each
        .map(|(name, value)| (name.get_ref().as_ref(), name.span(), value))
        .collect();
    all.sort_by_key(|(_, at, _)| at.start);
    all
}

fn settings(table: &DeTable<'_>) -> Read<Config> {
    let mut config = Config::default();
    for (name, at, value) in entries(table) {
        match name {
            "theme" => config.look = one_of(name, value, LOOKS)?,
            "lock-after" => config.lock_after = time(name, value)?,
            "clear-clipboard-after" => config.clear_clipboard_after = time(name, value)?,
            "privacy" => config.privacy = yes_or_no(name, value)?,
            "sort" => config.sort = one_of(name, value, SORTS)?,
            "mouse" => config.mouse = yes_or_no(name, value)?,
            "start" => config.start = one_of(name, value, STARTS)?,
            "plain" => config.plain = yes_or_no(name, value)?,
            "next-code-from" => config.next_code_from = seconds(name, value)?,
            "colors" => config.colors = colors(name, value)?,
            "keys" => config.keymap = keymap(name, value)?,
            _ => return Err(unknown("setting", name, at, &SETTINGS)),
        }
    }
    Ok(config)
}

/// A name that means nothing here.
fn unknown(what: &str, name: &str, at: Range<usize>, names: &[&str]) -> Wrong {
    Wrong::new(at, format!("there is no {what} {}", quoted(name))).hint(offered(name, names))
}

/// What could have been written, and what probably was meant.
fn offered(written: &str, names: &[&str]) -> String {
    let all = names.join(", ");
    match nearest(written, names) {
        Some(name) => format!("perhaps {name}? It can be one of: {all}"),
        None => format!("it can be one of: {all}"),
    }
}

/// Another kind of value than the one that is wanted.
fn not_a(name: &str, value: &Value<'_>, wanted: &str) -> Wrong {
    let found = match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Wrong::new(
        value.span(),
        format!("{} is {found}, not {wanted}", quoted(name)),
    )
}

fn text<'t>(name: &str, value: &'t Value<'_>, wanted: &str) -> Read<&'t str> {
    let text = value.get_ref().as_str();
    text.ok_or_else(|| not_a(name, value, wanted))
}

fn yes_or_no(name: &str, value: &Value<'_>) -> Read<bool> {
    let known = value.get_ref().as_bool();
    known.ok_or_else(|| not_a(name, value, "true or false").hint("without quotes"))
}

fn one_of<T: Copy>(name: &str, value: &Value<'_>, words: &[(&str, T)]) -> Read<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let found = text(name, value, "a word in quotes").map_err(|wrong| {
        let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
        wrong.hint(format!("it can be one of: {}", names.join(", ")))
    })?;
    let known = words.iter().find(|(word, _)| *word == found);
    known.map(|(_, meant)| *meant).ok_or_else(|| {
        let message = format!("{} can't be {}", quoted(name), quoted(found));
        Wrong::new(value.span(), message).hint(offered(found, &names))
    })
}

fn time(name: &str, value: &Value<'_>) -> Read<Option<Duration>> {
    const ALLOWED: &str =
        "a time such as \"90s\", \"10m\" or \"1h30m\", from 1s to 30d, or \"never\"";
    let found = text(name, value, ALLOWED)?;
    if found == NEVER {
        return Ok(None);
    }
    span(found).map(Some).map_err(|_| {
        let message = format!("{} can't be {}", quoted(name), quoted(found));
        Wrong::new(value.span(), message).hint(format!("it can be {ALLOWED}"))
    })
}

fn seconds(name: &str, value: &Value<'_>) -> Read<u32> {
    let allowed = format!("a whole number of seconds from 0 to {MOST_AHEAD}");
    let Some(number) = value.get_ref().as_integer() else {
        return Err(not_a(name, value, &allowed));
    };
    let found = u32::from_str_radix(number.as_str(), number.radix()).ok();
    found.filter(|found| *found <= MOST_AHEAD).ok_or_else(|| {
        let message = format!("{} can't be {}", quoted(name), quoted(number.as_str()));
        Wrong::new(value.span(), message).hint(format!("it can be {allowed}"))
    })
}

fn table<'t, 'v>(name: &str, value: &'t Value<'v>) -> Read<&'t DeTable<'v>> {
    let table = value.get_ref().as_table();
    table.ok_or_else(|| {
        not_a(name, value, "a table").hint(format!("a line [{name}], and the entries below it"))
    })
}

fn colors(name: &str, value: &Value<'_>) -> Read<Vec<(&'static str, Paint)>> {
    let names: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
    let mut all = Vec::new();
    for (part, at, value) in entries(table(name, value)?) {
        let Some(known) = names.iter().find(|name| **name == part) else {
            return Err(unknown("part", part, at, &names));
        };
        let words = text(part, value, "a color in quotes")?;
        let paint = Paint::read(words).map_err(|word| {
            let colors = COLORS.iter().map(|(name, _)| *name);
            let modifiers = MODIFIERS.iter().map(|(name, _)| *name);
            let names: Vec<&str> = colors.chain(modifiers).collect();
            let message = if Paint::read(word).is_ok() {
                format!("{}: {} is a second color", quoted(part), quoted(word))
            } else {
                format!("{}: there is no color {}", quoted(part), quoted(word))
            };
            Wrong::new(value.span(), message).hint(format!("{}, or #rrggbb", offered(word, &names)))
        })?;
        all.push((*known, paint));
    }
    // In the order of the parts, so that two files that say the same are the same.
    all.sort_by_key(|(part, _)| names.iter().position(|name| name == part));
    Ok(all)
}

fn keymap(name: &str, value: &Value<'_>) -> Read<Keymap> {
    let names: Vec<&str> = ACTIONS.iter().map(|row| row.name).collect();
    let mut given: Vec<(Action, Vec<Key>)> = Vec::new();
    let mut places = Vec::new();
    let whole = value.span();
    for (action, at, value) in entries(table(name, value)?) {
        let Some(row) = ACTIONS.iter().find(|row| row.name == action) else {
            return Err(unknown("action", action, at, &names));
        };
        let listed = match value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => vec![value],
        };
        let mut keys = Vec::new();
        for value in listed {
            let key = key(action, value)?;
            keys.push(key);
            places.push((row.action, key, value.span()));
        }
        given.push((row.action, keys));
    }
    Keymap::of(&given).map_err(|clash| {
        let called = |action: Action| {
            let row = ACTIONS.iter().find(|row| row.action == action);
            row.map_or("", |row| row.name)
        };
        match clash {
            Clash::Twice(key, one, other) => {
                let place = places
                    .iter()
                    .find(|(action, there, _)| *action == other && *there == key);
                let at = place.map_or(whole.clone(), |(_, _, at)| at.clone());
                let (key, one, other) = (quoted(&key.written()), called(one), called(other));
                Wrong::new(
                    at,
                    format!("the key {key} is given to {one} and to {other}"),
                )
                .hint("one key does one thing; an action may have several keys, or none: []")
            }
            Clash::Without(action) => {
                let name = called(action);
                Wrong::new(whole.clone(), format!("{name} is left without any key"))
                    .hint(format!("give it one: {name} = \"…\"; {WRITTEN}"))
            }
        }
    })
}

fn key(action: &str, value: &Value<'_>) -> Read<Key> {
    let written = text(action, value, "a key in quotes, or a list of such")
        .map_err(|wrong| wrong.hint(WRITTEN))?;
    Key::read(written).map_err(|why| {
        let message = format!("{}: {} {why}", quoted(action), quoted(written));
        Wrong::new(value.span(), message).hint(WRITTEN)
    })
}
