//! A list to choose an account from, where none was named and a person sits at the terminal.
//!
//! It is drawn on the terminal itself, below the prompt, whatever standard output is, and leaves nothing there. What is
//! chosen goes to the command as a query for the account's whole id.

mod view;

use vmfa::account::Summary;
use vmfa::account::query::MAX_LEN;

use crate::fault::{Exit, Fault, Outcome};
use crate::fuzzy::Haystacks;
use crate::prompt::Terminal;
use crate::tty::{Event, Key, Keyboard};

/// The most lines that are drawn.
const LINES: usize = 12;

/// Has a person choose one of these.
///
/// # Errors
/// Nothing was chosen; the terminal can't be used.
pub(crate) fn choose(terminal: Terminal, among: &[Summary]) -> Outcome<&Summary> {
    let mut list = List::new(among);
    let mut keyboard = Keyboard::new(terminal)?;
    let chosen = run(&mut keyboard, &mut list);
    // Whatever came of it, nothing of the list stays.
    let _ = keyboard.draw(view::GONE);
    match chosen? {
        Some(index) => Ok(&among[index]),
        None => Err(Fault::silent(Exit::Interrupted)),
    }
}

fn run(keyboard: &mut Keyboard, list: &mut List<'_>) -> Outcome<Option<usize>> {
    loop {
        let (columns, lines) = keyboard.size();
        list.lines = lines.saturating_sub(1).clamp(1, LINES);
        let frame = view::frame(&list.drawn(columns), &list.query, columns);
        keyboard.draw(&frame)?;
        match keyboard.next(None, &[]) {
            Event::Key(key) => match list.key(key) {
                Then::GoOn => {}
                Then::Choose(index) => return Ok(Some(index)),
                Then::Leave => return Ok(None),
            },
            Event::Resized => keyboard.draw(view::GONE)?,
            Event::Suspend => {
                keyboard.draw(view::GONE)?;
                keyboard.suspend()?;
            }
            Event::End => return Ok(None),
            Event::Time => {}
        }
    }
}

/// What comes after a key.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Choose(usize),
    Leave,
}

/// The accounts, and what of them is seen.
struct List<'s> {
    among: &'s [Summary],
    haystacks: Haystacks,
    query: String,
    /// Indices of those found, the best first.
    found: Vec<usize>,
    selected: usize,
    /// The first one that is seen.
    top: usize,
    /// The height, the line of the query included.
    lines: usize,
}

impl<'s> List<'s> {
    fn new(among: &'s [Summary]) -> Self {
        let mut list = Self {
            among,
            haystacks: Haystacks::new(among),
            query: String::new(),
            found: Vec::new(),
            selected: 0,
            top: 0,
            lines: LINES,
        };
        list.search();
        list
    }

    fn search(&mut self) {
        let hits = self.haystacks.search(&self.query);
        self.found = hits.into_iter().map(|hit| hit.index).collect();
        self.selected = 0;
        self.top = 0;
    }

    fn key(&mut self, key: Key) -> Then {
        let page = self.lines.saturating_sub(1).max(1);
        match key {
            Key::Enter => {
                return match self.found.get(self.selected) {
                    Some(index) => Then::Choose(*index),
                    None => Then::GoOn,
                };
            }
            Key::Escape | Key::Ctrl('c' | 'd' | 'g') => return Then::Leave,
            Key::Up | Key::Ctrl('p' | 'k') => self.select(self.selected.saturating_sub(1)),
            Key::Down | Key::Ctrl('n' | 'j') => self.select(self.selected + 1),
            Key::PageUp => self.select(self.selected.saturating_sub(page)),
            Key::PageDown => self.select(self.selected + page),
            Key::Char(character) if self.query.len() + character.len_utf8() <= MAX_LEN => {
                self.query.push(character);
                self.search();
            }
            Key::Backspace => {
                self.query.pop();
                self.search();
            }
            Key::Ctrl('u') => {
                self.query.clear();
                self.search();
            }
            Key::Ctrl('w') => {
                let words = self.query.trim_end();
                let end = words.rfind(' ').map_or(0, |space| space + 1);
                self.query.truncate(end);
                self.search();
            }
            Key::Char(_) | Key::Ctrl(_) | Key::Other => {}
        }
        Then::GoOn
    }

    fn select(&mut self, index: usize) {
        self.selected = index.min(self.found.len().saturating_sub(1));
    }

    /// The lines below the query's, and how many were found.
    fn drawn(&mut self, columns: usize) -> Vec<String> {
        let height = self.lines.saturating_sub(1);
        self.top = self.top.min(self.selected);
        self.top = self.top.max((self.selected + 1).saturating_sub(height));
        let counts = format!("{}/{}", self.found.len(), self.among.len());
        let mut lines = vec![view::head(&self.query, &counts, columns)];
        for at in self.top..self.found.len().min(self.top + height) {
            let summary = &self.among[self.found[at]];
            let marks = self.haystacks.marks(&self.query, summary);
            lines.push(view::row(summary, &marks, at == self.selected, columns));
        }
        lines
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn account(number: u8, issuer: &str, name: &str) -> Summary {
        crate::fixture::account([number; 16], issuer, name)
    }

    /// A line without what only styles it.
    fn plain(line: &str) -> String {
        let mut plain = String::new();
        let mut rest = line;
        while let Some((text, behind)) = rest.split_once('\x1b') {
            plain.push_str(text);
            rest = behind.split_once('m').map_or("", |(_, rest)| rest);
        }
        plain + rest
    }

    #[test]
    fn keys_narrow_move_and_choose() {
        let all = [
            account(1, "GitHub", "me"),
            account(2, "GitLab", "me"),
            account(3, "日本銀行", "太郎"),
        ];
        let choose = |keys: &[Key]| {
            let mut list = List::new(&all);
            keys.iter()
                .map(|key| list.key(*key))
                .find(|then| *then != Then::GoOn)
        };
        let typed = |text: &str, then: &[Key]| {
            let keys: Vec<Key> = text
                .chars()
                .map(Key::Char)
                .chain(then.iter().copied())
                .collect();
            choose(&keys)
        };
        for (text, keys, expected) in [
            ("", &[Key::Enter][..], Some(Then::Choose(0))),
            ("", &[Key::Ctrl('j'), Key::Enter], Some(Then::Choose(1))),
            ("", &[Key::Ctrl('n'), Key::Enter], Some(Then::Choose(1))),
            ("", &[Key::Down, Key::Enter], Some(Then::Choose(1))),
            (
                "",
                &[Key::Down, Key::Ctrl('n'), Key::Ctrl('j'), Key::Enter],
                Some(Then::Choose(2)),
            ),
            (
                "",
                &[
                    Key::PageDown,
                    Key::Up,
                    Key::Ctrl('p'),
                    Key::Ctrl('k'),
                    Key::Enter,
                ],
                Some(Then::Choose(0)),
            ),
            ("lab", &[Key::Enter], Some(Then::Choose(1))),
            ("日本", &[Key::Enter], Some(Then::Choose(2))),
            ("nothing", &[Key::Enter], None),
            (
                "nothing",
                &[Key::Ctrl('u'), Key::Down, Key::Enter],
                Some(Then::Choose(1)),
            ),
            (
                "lab x",
                &[Key::Backspace, Key::Enter],
                Some(Then::Choose(1)),
            ),
            (
                "lab x",
                &[Key::Ctrl('w'), Key::Enter],
                Some(Then::Choose(1)),
            ),
            ("lab", &[Key::Escape], Some(Then::Leave)),
            ("", &[Key::Ctrl('c')], Some(Then::Leave)),
        ] {
            assert_eq!(typed(text, keys), expected, "{text:?} {keys:?}");
        }
    }

    #[test]
    fn what_is_selected_is_seen() {
        let all: Vec<Summary> = (0..30)
            .map(|n| account(n, "Same", &format!("n{n}")))
            .collect();
        let mut list = List::new(&all);
        list.lines = 4;
        for (key, seen, selected) in [
            (Key::Other, ["n0", "n1", "n2"], 0),
            (Key::Down, ["n0", "n1", "n2"], 1),
            (Key::PageDown, ["n2", "n3", "n4"], 2),
            (Key::Up, ["n2", "n3", "n4"], 1),
            (Key::PageUp, ["n0", "n1", "n2"], 0),
        ] {
            list.key(key);
            let lines: Vec<String> = list.drawn(40).iter().map(|line| plain(line)).collect();
            let expected: Vec<String> = (seen.iter().enumerate())
                .map(|(at, name)| {
                    format!("{} Same: {name}", if at == selected { '>' } else { ' ' })
                })
                .collect();
            assert_eq!(lines[1..], expected, "{key:?}");
        }
    }

    #[test]
    fn wide_characters_are_never_cut_in_half() {
        use unicode_width::UnicodeWidthStr as _;
        let all = [account(1, "株式会社日本銀行", "太郎@example.com")];
        let mut list = List::new(&all);
        list.key(Key::Char('株'));
        for columns in 1..50 {
            for line in list.drawn(columns) {
                let line = plain(&line);
                assert!(line.width() <= columns, "{columns}: {line:?}");
            }
        }
        assert_eq!(plain(&list.drawn(15)[1]), "> 株式会社日本…");
        // By more than colour.
        assert!(list.drawn(40)[1].contains("\x1b[1;4m株\x1b[0m"));
    }
}
