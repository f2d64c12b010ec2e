//! Adding accounts: where from, what is typed, what was found.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use vmfa::secret::SecretText;

use super::{CLOSE, Kept, Then};
use crate::tui::line::Line;
use crate::tui::message::{Change, Find, Job, RowKind, Said};
use crate::tui::state::{AddStep, Adding, Dialog};

const NAME: usize = 0;
const SECRET: usize = 1;

pub(super) fn on_key(key: &KeyEvent, mut adding: Adding) -> Kept {
    if key.code == KeyCode::Esc {
        // What was found is forgotten with it.
        return match adding.step {
            AddStep::Saving => (Some(Dialog::Add(adding)), Then::Nothing),
            AddStep::Choose(_) => CLOSE,
            AddStep::Type { .. } | AddStep::Path(_) => {
                (Some(Dialog::adding(AddStep::Choose(0))), Then::Nothing)
            }
            AddStep::Looking | AddStep::Found(_) => (None, Then::Do(Job::Forget)),
        };
    }
    let ways = AddStep::WAYS.len();
    let mut then = Then::Nothing;
    match &mut adding.step {
        AddStep::Choose(at) => {
            let way = match key.code {
                KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => {
                    *at = (*at + 1) % ways;
                    None
                }
                KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => {
                    *at = at.checked_sub(1).unwrap_or(ways - 1);
                    None
                }
                KeyCode::Enter => Some(*at),
                KeyCode::Char(typed) => AddStep::WAYS.iter().position(|(_, key)| *key == typed),
                _ => None,
            };
            if let Some(way) = way {
                let (step, find) = AddStep::of_way(way);
                adding.step = step;
                adding.said = None;
                then = find.map_or(Then::Nothing, Then::Find);
            }
        }
        AddStep::Type { name, secret, at } => match key.code {
            KeyCode::Tab | KeyCode::Down | KeyCode::Up | KeyCode::BackTab => *at = 1 - *at,
            KeyCode::Enter => {
                let is_uri = secret.text().contains("://");
                if secret.is_empty() {
                    *at = SECRET;
                } else if name.text().trim().is_empty() && !is_uri {
                    *at = NAME;
                    adding.said = Some(Said::note("a secret needs a name: ISSUER:NAME"));
                } else {
                    let name = name.text().trim().to_owned();
                    let text = SecretText::new(secret.text().to_owned());
                    adding.look();
                    then = Then::Find(Find::Text { text, name });
                }
            }
            _ => {
                let line = if *at == NAME { name } else { secret };
                line.key(key);
            }
        },
        AddStep::Path(line) => match key.code {
            KeyCode::Enter if !line.is_empty() => {
                let path = line.text().trim().to_owned();
                adding.look();
                then = Then::Find(Find::Picture(path));
            }
            _ => {
                line.key(key);
            }
        },
        AddStep::Found(rows) => {
            let any = rows.iter().any(|row| row.kind == RowKind::Wanted);
            match key.code {
                KeyCode::Enter | KeyCode::Char('y' | 'Y') if any => {
                    adding.step = AddStep::Saving;
                    then = Then::Save(Change::Add(adding.search));
                }
                KeyCode::Char('n' | 'N') | KeyCode::Enter => return (None, Then::Do(Job::Forget)),
                _ => {}
            }
        }
        AddStep::Looking | AddStep::Saving => {}
    }
    (Some(Dialog::Add(adding)), then)
}

impl AddStep {
    /// A secret that is there, and a name to be typed.
    pub(in crate::tui::update) fn naming(text: &SecretText) -> Self {
        let mut secret = Line::new();
        secret.insert(text.expose());
        Self::Type {
            name: Line::new(),
            secret,
            at: NAME,
        }
    }

    fn typing() -> Self {
        Self::Type {
            name: Line::new(),
            secret: Line::new(),
            at: SECRET,
        }
    }

    /// The step behind a way in.
    fn of_way(way: usize) -> (Self, Option<Find>) {
        match way {
            0 => (Self::typing(), None),
            1 => (Self::Path(Line::new()), None),
            2 => (Self::Looking, Some(Find::Screen)),
            _ => (Self::Looking, Some(Find::Clipboard)),
        }
    }
}

impl Adding {
    /// What is pasted goes where it belongs.
    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.step {
            AddStep::Choose(_) => {
                let mut step = AddStep::typing();
                if let AddStep::Type { secret, at, .. } = &mut step {
                    secret.insert(text);
                    // A URI brings its name along.
                    *at = if text.contains("://") { SECRET } else { NAME };
                }
                self.step = step;
            }
            AddStep::Type { name, secret, at } => {
                if *at == NAME && !text.contains("://") {
                    name.insert(text);
                } else {
                    secret.insert(text);
                }
            }
            AddStep::Path(line) => line.insert(text),
            AddStep::Looking | AddStep::Found(_) | AddStep::Saving => {}
        }
    }

    /// What was typed is being looked at, and kept meanwhile.
    fn look(&mut self) {
        let typed = std::mem::replace(&mut self.step, AddStep::Looking);
        self.typed = Some(Box::new(typed));
        self.said = None;
    }

    /// Nothing came of it: what was typed is there again, or the ways in.
    pub(in crate::tui::update) fn fail(&mut self, said: Said) {
        self.step = self.typed.take().map_or(AddStep::Choose(0), |typed| *typed);
        self.said = Some(said);
    }
}
