//! Keys: as the terminal sends them, as the configuration writes them, as the hints show them; and what each does.

#[cfg(test)]
mod tests;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::action::{ACTIONS, Action};

/// A key with what is held down beside it, in the one form in which equal keys compare equal: see [`Key::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    code: Code,
    ctrl: bool,
    alt: bool,
    shift: bool,
}

/// The keys that a terminal can tell from each other, whichever protocol it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Code {
    Char(char),
    F(u8),
    Named(Named),
}

/// Keys with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Named {
    Enter,
    Esc,
    Tab,
    Backspace,
    Delete,
    Insert,
    Home,
    End,
    PageUp,
    PageDown,
    Up,
    Down,
    Left,
    Right,
}

/// A named key, as the configuration writes it and as the hints show it.
const NAMED: [(Named, &str, &str); 14] = [
    (Named::Enter, "enter", "Enter"),
    (Named::Esc, "esc", "Esc"),
    (Named::Tab, "tab", "Tab"),
    (Named::Backspace, "backspace", "Backspace"),
    (Named::Delete, "delete", "Del"),
    (Named::Insert, "insert", "Ins"),
    (Named::Home, "home", "Home"),
    (Named::End, "end", "End"),
    (Named::PageUp, "pageup", "PgUp"),
    (Named::PageDown, "pagedown", "PgDn"),
    (Named::Up, "up", "Up"),
    (Named::Down, "down", "Down"),
    (Named::Left, "left", "Left"),
    (Named::Right, "right", "Right"),
];

/// The highest function key that terminals have a code for.
const MAX_F: u8 = 24;

/// How keys are written, for an error.
pub(crate) const WRITTEN: &str = "a key is one character (\"G\", \"?\"), or space, enter, esc, tab, backspace, delete, insert, home, end, \
     pageup, pagedown, up, down, left, right, f1 to f24, perhaps after ctrl-, alt- or shift-";

impl Key {
    /// The key of an event; nothing for one that is let go, for a modifier alone, and for keys that mean something to the
    /// desktop rather than to us.
    pub(crate) fn of(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let held = event.modifiers;
        if held.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META) {
            return None;
        }
        let (code, back) = match event.code {
            KeyCode::Char(character) => (Code::Char(character), false),
            KeyCode::F(number) => (Code::F(number), false),
            KeyCode::Enter => (Code::Named(Named::Enter), false),
            KeyCode::Esc => (Code::Named(Named::Esc), false),
            KeyCode::Tab => (Code::Named(Named::Tab), false),
            KeyCode::BackTab => (Code::Named(Named::Tab), true),
            KeyCode::Backspace => (Code::Named(Named::Backspace), false),
            KeyCode::Delete => (Code::Named(Named::Delete), false),
            KeyCode::Insert => (Code::Named(Named::Insert), false),
            KeyCode::Home => (Code::Named(Named::Home), false),
            KeyCode::End => (Code::Named(Named::End), false),
            KeyCode::PageUp => (Code::Named(Named::PageUp), false),
            KeyCode::PageDown => (Code::Named(Named::PageDown), false),
            KeyCode::Up => (Code::Named(Named::Up), false),
            KeyCode::Down => (Code::Named(Named::Down), false),
            KeyCode::Left => (Code::Named(Named::Left), false),
            KeyCode::Right => (Code::Named(Named::Right), false),
            KeyCode::Null
            | KeyCode::CapsLock
            | KeyCode::ScrollLock
            | KeyCode::NumLock
            | KeyCode::PrintScreen
            | KeyCode::Pause
            | KeyCode::Menu
            | KeyCode::KeypadBegin
            | KeyCode::Media(_)
            | KeyCode::Modifier(_) => return None,
        };
        let key = Self {
            code,
            ctrl: held.contains(KeyModifiers::CONTROL),
            alt: held.contains(KeyModifiers::ALT),
            shift: back || held.contains(KeyModifiers::SHIFT),
        };
        Some(key.settled())
    }

    /// The one form of a key. Some terminals send a capital, some a small letter with Shift, some both; with Ctrl held most
    /// can't tell a capital from a small letter, nor ^M, ^I and ^[ from Enter, Tab and Esc.
    fn settled(self) -> Self {
        let Self {
            code,
            ctrl,
            alt,
            shift,
        } = self;
        let Code::Char(character) = code else {
            return self;
        };
        let (code, ctrl) = match (ctrl, character.to_ascii_lowercase()) {
            (true, 'm') => (Code::Named(Named::Enter), false),
            (true, 'i') => (Code::Named(Named::Tab), false),
            (true, '[') => (Code::Named(Named::Esc), false),
            (true, small) => (Code::Char(small), true),
            (false, _) if shift => (Code::Char(capital(character)), false),
            (false, _) => (Code::Char(character), false),
        };
        Self {
            code,
            ctrl,
            alt,
            // A character has Shift in it.
            shift: shift && matches!(code, Code::Named(_)),
        }
    }

    /// A key as the configuration writes it: "enter", "ctrl-f", "G".
    ///
    /// # Errors
    /// What is wrong with it, to be read after the word itself.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        loop {
            let lower = rest.to_ascii_lowercase();
            let (held, word) = match lower.split_once('-') {
                Some(("ctrl", _)) => (&mut ctrl, "ctrl-"),
                Some(("alt", _)) => (&mut alt, "alt-"),
                Some(("shift", _)) => (&mut shift, "shift-"),
                Some(_) | None => break,
            };
            if *held {
                return Err("has the same modifier twice");
            }
            *held = true;
            rest = &rest[word.len()..];
        }
        let code = Code::read(rest).ok_or("is no key")?;
        if let (Code::Char(_), true, true) = (code, ctrl, shift) {
            return Err("can't be told from the same key without shift by most terminals");
        }
        if let (Code::Char(character), true) = (code, shift)
            && capital(character) == character
            && !character.is_uppercase()
        {
            return Err("is another character on every keyboard: write that character");
        }
        let key = Self {
            code,
            ctrl,
            alt,
            shift,
        };
        Ok(key.settled())
    }

    /// As the configuration writes it.
    pub(crate) fn written(self) -> String {
        let name = match self.code {
            Code::Char(' ') => "space".into(),
            Code::Char(character) => character.to_string(),
            Code::F(number) => format!("f{number}"),
            Code::Named(named) => named.words().0.to_owned(),
        };
        self.held(["ctrl-", "alt-", "shift-"]) + &name
    }

    /// As the hints show it: "Enter", "^F", "Space".
    pub(crate) fn shown(self) -> String {
        let name = match self.code {
            Code::Char(character) if self.ctrl && !self.alt && character.is_ascii_graphic() => {
                return format!("^{}", character.to_ascii_uppercase());
            }
            Code::Char(' ') => "Space".into(),
            Code::Char(character) => character.to_string(),
            Code::F(number) => format!("F{number}"),
            Code::Named(named) => named.words().1.to_owned(),
        };
        self.held(["Ctrl-", "Alt-", "Shift-"]) + &name
    }

    fn held(self, words: [&str; 3]) -> String {
        let held = [self.ctrl, self.alt, self.shift];
        held.iter()
            .zip(words)
            .filter_map(|(held, word)| held.then_some(word))
            .collect()
    }
}

impl Code {
    fn read(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        if let (Some(one), None) = (characters.next(), characters.next()) {
            // A space by itself is hard to see in a file, yet means one thing only.
            let is_seen = !one.is_control() && (!one.is_whitespace() || one == ' ');
            return is_seen.then_some(Self::Char(one));
        }
        let lower = text.to_ascii_lowercase();
        if lower == "space" {
            return Some(Self::Char(' '));
        }
        let number = lower
            .strip_prefix('f')
            .filter(|rest| !rest.starts_with(['0', '+']));
        if let Some(number) = number.and_then(|rest| rest.parse().ok()) {
            return (1..=MAX_F).contains(&number).then_some(Self::F(number));
        }
        let named = NAMED.iter().find(|(_, written, _)| *written == lower)?;
        Some(Self::Named(named.0))
    }
}

impl Named {
    /// As the configuration writes it, and as the hints show it.
    fn words(self) -> (&'static str, &'static str) {
        let row = NAMED.iter().find(|(named, _, _)| *named == self);
        row.map_or(("", ""), |(_, written, shown)| (written, shown))
    }
}

/// A letter with Shift; the character itself where that is no single other one.
fn capital(character: char) -> char {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        (_, _) => character,
    }
}

/// Which key does what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keymap(Vec<(Key, Action)>);

/// What stands in the way of a keymap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clash {
    /// One key for two actions.
    Twice(Key, Action, Action),
    /// An action without any key, that needs one.
    Without(Action),
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(&[]).expect("the table of actions has no key twice: held by a test")
    }
}

impl Keymap {
    /// The usual keys, but for the actions that are named here, which have these. A key that is given here is taken from the
    /// action that usually has it: a new version with a key more must not make an old configuration wrong.
    ///
    /// # Errors
    /// A key given to two actions; nothing left to leave or to search with.
    pub(crate) fn of(given: &[(Action, Vec<Key>)]) -> Result<Self, Clash> {
        let mut taken: Vec<(Key, Action)> = Vec::new();
        for (action, keys) in given {
            for key in keys {
                match taken.iter().find(|(other, _)| other == key) {
                    Some((_, other)) if other != action => {
                        return Err(Clash::Twice(*key, *other, *action));
                    }
                    Some(_) => {}
                    None => taken.push((*key, *action)),
                }
            }
        }
        let mut all = Vec::new();
        for row in ACTIONS {
            if given.iter().any(|(action, _)| *action == row.action) {
                all.extend(taken.iter().filter(|(_, action)| *action == row.action));
                continue;
            }
            for key in row.keys.iter().filter_map(|key| Key::read(key).ok()) {
                if taken.iter().any(|(other, _)| *other == key) {
                    continue;
                }
                match all.iter().find(|(other, _)| *other == key) {
                    Some((_, other)) => return Err(Clash::Twice(key, *other, row.action)),
                    None => all.push((key, row.action)),
                }
            }
        }
        let needed = [Action::Quit, Action::Search].into_iter();
        for action in needed {
            if !all.iter().any(|(_, there)| *there == action) {
                return Err(Clash::Without(action));
            }
        }
        Ok(Self(all))
    }

    /// What a key does, if anything.
    pub(crate) fn action(&self, event: &KeyEvent) -> Option<Action> {
        let key = Key::of(event)?;
        let of = |key: Key| {
            let found = self.0.iter().find(|(other, _)| *other == key);
            found.map(|(_, action)| *action)
        };
        // Shift with an arrow or Enter is a slip; Shift-Tab goes the other way, and is no slip.
        let is_slip = key.shift && key.code != Code::Named(Named::Tab);
        of(key).or_else(|| {
            let without = Key {
                shift: false,
                ..key
            };
            is_slip.then(|| of(without)).flatten()
        })
    }

    /// An action's keys, the first one first.
    pub(crate) fn keys(&self, action: Action) -> impl Iterator<Item = Key> + '_ {
        let those = self.0.iter().filter(move |(_, there)| *there == action);
        those.map(|(key, _)| *key)
    }

    /// The first key of an action as the hints show it; empty where it has none.
    pub(crate) fn shown(&self, action: Action) -> String {
        self.keys(action).next().map(Key::shown).unwrap_or_default()
    }
}
