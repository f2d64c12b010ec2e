//! Codes, said and copied.

use std::time::Duration;

use vmfa::account::Summary;
use vmfa::clock::UnixTime;
use vmfa::otp::{Moment, Pairing, Scheme};
use zeroize::Zeroizing;

use crate::clipboard::{self, Copied};
use crate::command::{counted, fresh};
use crate::fault::{Fault, Outcome};
use crate::plain::session::Session;
use crate::plain::spoken::{called, grouped, left};

/// With fewer seconds left the next code is said too.
const SOON: Duration = Duration::from_secs(5);

impl Session<'_> {
    pub(super) fn speak(&mut self, summary: &Summary) -> Outcome {
        self.chosen = Some(summary.id);
        let context = self.context;
        let giver = self.giver()?;
        giver.may(summary)?;
        if let Scheme::Hotp(_) = summary.scheme {
            let code = giver.next_hotp(summary)?;
            let left = left(&code, context.now()?);
            return self.say_code(&[&called(summary), ": ", &grouped(code.as_str()), ", ", &left]);
        }
        // Both at once, since a yes is good for one question.
        if is_soon(summary, context.now()?)? {
            let codes = giver.pair_at(summary, || context.now(), Pairing::Next)?;
            let left = left(&codes.first, context.now()?);
            let (first, second) = (&codes.first, &codes.second);
            return self.say_code(&[
                &called(summary),
                ": ",
                &grouped(first.as_str()),
                ", ",
                &left,
                "; then ",
                &grouped(second.as_str()),
            ]);
        }
        let code = giver.code_at(summary, || context.now())?;
        let left = left(&code, context.now()?);
        self.say_code(&[&called(summary), ": ", &grouped(code.as_str()), ", ", &left])
    }

    pub(super) fn copy(&mut self, summary: &Summary) -> Outcome {
        let context = self.context;
        let clear_after = self.clear_after.unwrap_or(clipboard::LONGEST);
        let giver = self.giver()?;
        giver.may(summary)?;
        let code = if let Scheme::Hotp(_) = summary.scheme {
            // A counter's code can't be made again.
            clipboard::is_there(&context.place)?;
            giver.next_hotp(summary)?
        } else {
            giver.code_at(summary, || context.now())?
        };
        let copied = clipboard::copy(&context.place, code.as_str(), clear_after);
        if copied.is_err()
            && let Scheme::Hotp(_) = summary.scheme
        {
            self.say_code(&[&called(summary), ": ", &grouped(code.as_str())])?;
        }
        let stays = match copied? {
            Copied::Cleared(after) if self.clear_after.is_some() => {
                let after = counted(after.as_secs() as usize, "second");
                format!("it leaves the clipboard in {after}")
            }
            Copied::Cleared(_) | Copied::Stays => "it stays in the clipboard".into(),
        };
        let left = left(&code, context.now()?);
        self.say(&format!(
            "copied the code of {}, {left}; {stays}",
            called(summary)
        ))
    }

    pub(super) fn pair(&mut self, summary: &Summary) -> Outcome {
        if let Scheme::Hotp(_) = summary.scheme {
            return Err(
                Fault::usage("a counter-based account has no pair of time steps")
                    .hint("say code twice: the first code, then the second"),
            );
        }
        let context = self.context;
        let giver = self.giver()?;
        giver.may(summary)?;
        let codes = giver.pair_at(summary, || context.now(), Pairing::Previous)?;
        fresh::mark(context, &summary.id, &[&codes.first, &codes.second]);
        self.say(&format!(
            "{}: type these two in this order, at once",
            called(summary)
        ))?;
        self.say_code(&["first: ", &grouped(codes.first.as_str())])?;
        self.say_code(&["second: ", &grouped(codes.second.as_str())])
    }

    /// Says a line with a code in it, of which nothing is left behind.
    fn say_code(&self, parts: &[&str]) -> Outcome {
        // Never grows, so no piece of it stays where it was.
        let len = parts.iter().map(|part| part.len()).sum();
        let mut line = Zeroizing::new(String::with_capacity(len));
        parts.iter().for_each(|part| line.push_str(part));
        self.say(&line)
    }
}

/// Whether the present code is about to end.
fn is_soon(summary: &Summary, now: UnixTime) -> Outcome<bool> {
    let step = summary.scheme.step_at(now)?;
    Ok(match summary.scheme.window(step)? {
        Moment::Step { until, .. } => now.until(until) < SOON,
        Moment::Counter(_) => false,
    })
}
