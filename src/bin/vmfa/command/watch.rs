//! `vmfa watch`: codes with their countdown, for as long as somebody looks.
//!
//! In place, the next code is made ready while the present one holds: at the turn of a step it only has to be shown.

mod alarm;
mod source;
#[cfg(test)]
mod tests;
mod view;

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::PollFlags;
use vmfa::account::{Summary, query};
use vmfa::clock::UnixTime;
use vmfa::otp::{Code, Moment, Scheme};

use crate::args::Watch;
use crate::command::watch::alarm::Alarm;
use crate::command::watch::source::{Lapse, Source};
use crate::command::{list, named, pick, words_of};
use crate::fault::{Fault, Outcome};
use crate::prompt::Terminal;
use crate::tty::{Event, Key, Keyboard};
use crate::unlock::Context;

/// How often a locked agent is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The most accounts that are watched at once.
const MOST: usize = 1000;

pub(crate) fn run(context: &Context, input: &Watch) -> Outcome {
    if !input.all {
        words_of(&input.query)?;
    }
    let in_place = !input.json && !input.plain && !context.place.is_dumb;
    let is_for_program = input.json || !context.screen.out_is_terminal();
    let mut source = Source::open(context, is_for_program)?;
    let keyboard = if in_place && context.screen.out_is_terminal() {
        Terminal::open().map(Keyboard::new).transpose()?
    } else {
        None
    };
    let look = match (&keyboard, input.json, input.all) {
        (Some(_), _, _) => Look::InPlace,
        (None, true, _) => Look::Json,
        (None, false, true) => Look::Labelled,
        (None, false, false) => Look::Lines,
    };
    let mut watch = Watching {
        context,
        input,
        look,
        keyboard,
        alarm: Alarm::new(),
        watched: Vec::new(),
    };
    let ended = watch.go_on(&mut source);
    if let Some(keyboard) = &mut watch.keyboard {
        let _ = keyboard.draw(view::GONE);
    }
    ended
}

/// How codes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// With a countdown, in one place of the terminal.
    InPlace,
    Json,
    /// A code a line.
    Lines,
    /// A code a line, and whose it is.
    Labelled,
}

/// An account with its present code and the next one.
struct Watched {
    summary: Summary,
    present: Code,
    next: Option<Code>,
}

struct Watching<'c> {
    context: &'c Context,
    input: &'c Watch,
    look: Look,
    keyboard: Option<Keyboard>,
    alarm: Alarm,
    watched: Vec<Watched>,
}

/// What ends a wait.
enum Waited {
    GoOn,
    Quit,
}

impl Watching<'_> {
    fn go_on(&mut self, source: &mut Source<'_>) -> Outcome {
        loop {
            let ended = match self.begin(source) {
                Ok(()) => self.while_unlocked(source),
                Err(lapse) => Err(lapse),
            };
            match ended {
                Ok(Waited::Quit) => return Ok(()),
                Ok(Waited::GoOn) => {}
                Err(Lapse::Fault(fault)) => return Err(fault),
                Err(Lapse::Locked) => {
                    if let Waited::Quit = self.while_locked(source)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Finds the accounts and makes their first codes.
    fn begin(&mut self, source: &mut Source<'_>) -> Result<(), Lapse> {
        let all = source.summaries()?;
        let chosen = chosen(self.input, &all)?;
        let mut watched = Vec::with_capacity(chosen.len());
        for summary in chosen {
            let step = self.step(&summary)?;
            let present = source.code(&summary, step)?;
            watched.push(Watched {
                summary,
                present,
                next: None,
            });
        }
        self.watched = watched;
        for at in 0..self.watched.len() {
            self.tell(at)?;
        }
        Ok(())
    }

    fn step(&self, summary: &Summary) -> Outcome<u64> {
        Ok(summary.scheme.step_at(self.context.now()?)?)
    }

    /// Shows codes, and at each turn of a step the one that was made ready for it.
    fn while_unlocked(&mut self, source: &mut Source<'_>) -> Result<Waited, Lapse> {
        loop {
            for at in 0..self.watched.len() {
                let step = self.step(&self.watched[at].summary)?;
                let one = &mut self.watched[at];
                if one.present.step() == Some(step) {
                    continue;
                }
                // Unless the clock was set, or the machine slept, the code is here already.
                one.present = match one.next.take() {
                    Some(next) if next.step() == Some(step) => next,
                    Some(_) | None => source.code(&one.summary, step)?,
                };
                self.tell(at)?;
            }
            self.draw()?;
            let mut is_ready = true;
            // A line isn't that urgent; and a program is never told a code that was made before the agent was locked.
            let is_in_place = self.look == Look::InPlace;
            for one in &mut self.watched {
                if is_in_place
                    && one.next.is_none()
                    && let Some(step) = one.present.step().and_then(|step| step.checked_add(1))
                {
                    one.next = Some(source.code(&one.summary, step)?);
                    is_ready = false;
                }
            }
            if !is_ready {
                self.draw()?;
            }
            let until = self.next_change()?;
            if let Waited::Quit = self.wait(Some(until), None)? {
                return Ok(Waited::Quit);
            }
        }
    }

    /// Waits until the agent is unlocked again; no code is shown meanwhile.
    fn while_locked(&mut self, source: &mut Source<'_>) -> Outcome<Waited> {
        self.watched.clear();
        match self.look {
            Look::Json => self.line(&view::locked_json())?,
            Look::InPlace => {}
            Look::Lines | Look::Labelled => {
                // What shows the last line shows no code that is over.
                self.line("")?;
                self.context
                    .screen
                    .remark("the agent is locked: `vmfa unlock`");
            }
        }
        while !source.is_unlocked() {
            self.draw()?;
            if let Waited::Quit = self.wait(None, Some(LOOK))? {
                return Ok(Waited::Quit);
            }
        }
        Ok(Waited::GoOn)
    }

    /// A line for a code that begins, where codes are told in lines.
    fn tell(&self, at: usize) -> Outcome {
        let one = &self.watched[at];
        match self.look {
            Look::InPlace => Ok(()),
            Look::Json => self.line(&view::json(&one.summary, &one.present, self.context.now()?)),
            Look::Lines => self.line(one.present.as_str()),
            Look::Labelled => self.line(&format!(
                "{}  {}",
                one.present.as_str(),
                named(&one.summary)
            )),
        }
    }

    /// A line that is on its way at once.
    fn line(&self, text: &str) -> Outcome {
        self.context.screen.line(text)
    }

    fn draw(&mut self) -> Outcome {
        let now = self.context.now()?;
        let has_colours = self.context.place.colours_allowed;
        let Some(keyboard) = &mut self.keyboard else {
            return Ok(());
        };
        let (columns, lines) = keyboard.size();
        let frame = view::frame(&self.watched, now, columns, lines, has_colours);
        keyboard.draw(&frame)
    }

    /// When something next looks other than it does: in place every second, else at the turn of a step.
    fn next_change(&self) -> Outcome<UnixTime> {
        let now = self.context.now()?;
        let ends = self.watched.iter().filter_map(|one| one.present.window());
        let turn = ends.map(|(_, until)| until).min();
        Ok(match (self.look, turn) {
            (Look::InPlace, _) | (_, None) => UnixTime::from_secs(now.secs() + 1),
            (Look::Json | Look::Lines | Look::Labelled, Some(turn)) => turn,
        })
    }

    /// Waits for a moment, or for so long; or for a key, a signal, or the reader's end.
    fn wait(&mut self, until: Option<UnixTime>, span: Option<Duration>) -> Outcome<Waited> {
        let now = self.context.now()?;
        let span = match until {
            Some(until) => self.alarm.set(now, until),
            None => span,
        };
        let out = std::io::stdout();
        let mut other = vec![(out.as_fd(), PollFlags::empty())];
        other.extend(until.and(self.alarm.fd()).map(|fd| (fd, PollFlags::IN)));
        let Some(keyboard) = &mut self.keyboard else {
            return Ok(match alarm::wait(span, &other) {
                alarm::Woken::Time => Waited::GoOn,
                alarm::Woken::ReaderGone => Waited::Quit,
            });
        };
        match keyboard.next(span, &other[1..]) {
            Event::Key(Key::Char('q') | Key::Ctrl('c' | 'd') | Key::Escape) | Event::End => {
                return Ok(Waited::Quit);
            }
            Event::Suspend => {
                keyboard.draw(view::GONE)?;
                keyboard.suspend()?;
            }
            Event::Resized => keyboard.draw(view::GONE)?,
            Event::Key(_) | Event::Time => {}
        }
        Ok(Waited::GoOn)
    }
}

/// The accounts to watch.
fn chosen(input: &Watch, all: &[Summary]) -> Outcome<Vec<Summary>> {
    if !input.all {
        let one = pick(&input.query, all)?;
        may_be_watched(one)?;
        return Ok(vec![one.clone()]);
    }
    let found = query::matching(&input.query.join(" "), all);
    let mut chosen: Vec<Summary> = found.into_iter().map(|at| all[at].clone()).collect();
    chosen.retain(|summary| may_be_watched(summary).is_ok());
    list::sort(&mut chosen);
    if chosen.is_empty() {
        return Err(Fault::new(
            crate::fault::Exit::NotFound,
            "no account that can be watched matches",
        )
        .hint("accounts that ask before each code and counter-based ones can't be watched"));
    }
    if chosen.len() > MOST {
        return Err(
            Fault::usage(format!("more than {MOST} accounts to watch")).hint("say more words")
        );
    }
    Ok(chosen)
}

fn may_be_watched(summary: &Summary) -> Outcome {
    if summary.confirm {
        return Err(Fault::usage(format!(
            "{} asks before each code, and nobody would be there to say yes at every step",
            named(summary)
        ))
        .hint("`vmfa code` gives one code of it"));
    }
    match (&summary.scheme, summary.scheme.window(0)) {
        (Scheme::Hotp(_), _) | (_, Ok(Moment::Counter(_))) => Err(Fault::usage(format!(
            "{} is counter-based (HOTP): its code holds until it is used, and watching would use them up",
            named(summary)
        ))
        .hint("`vmfa code` gives its next code")),
        (_, _) => Ok(()),
    }
}
