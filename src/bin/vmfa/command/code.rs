//! `vmfa code`: one code.

use std::time::Duration;

use serde_json::{Value, json};
use vmfa::account::Summary;
use vmfa::account::query::{self, Found, Glance};
#[cfg(unix)]
use vmfa::agent::AgentError;
use vmfa::clock::{Clock, UnixTime};
#[cfg(unix)]
use vmfa::failure::Kind;
use vmfa::otp::{self, Moment, OtpError, Scheme};
use vmfa::vault::Unlocked;

use crate::args::{Code, MfaProcess};
use crate::clipboard::{self, Copied};
#[cfg(unix)]
use crate::command::by_query;
use crate::command::giver::Giver;
use crate::command::{fresh, named, pick, words_of};
use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Code) -> Outcome {
    // Nobody should type a passphrase for a name that can be none.
    words_of(&input.query)?;
    #[cfg(unix)]
    if let Some((summary, code)) = by_agent(context, input)? {
        return give(context, &summary, &code, input);
    }
    let vault = context.open()?;
    let summary = &picked(&vault, &input.query)?;
    needs_stdout(context, input)?;
    let mut giver = Giver::of_vault(context, vault);
    let code = one(context, &mut giver, summary, input)?;
    giver.close();
    give(context, summary, &code, input)
}

/// For a program that sends it to AWS: a code that nobody had, of a step that AWS takes.
pub(crate) fn for_process(context: &Context, input: MfaProcess) -> Outcome {
    let input = Code {
        query: input.query,
        fresh: true,
        within: AWS_WITHIN,
        ..Code::default()
    };
    run(context, &input)
}

/// AWS takes codes of so many steps either way of the present one.
const AWS_WITHIN: u32 = 2;

/// By the agent, if there is one that can answer: in one question where nothing but the present code is wanted.
#[cfg(unix)]
fn by_agent(context: &Context, input: &Code) -> Outcome<Option<(Summary, otp::Code)>> {
    let Some(client) = context.agent() else {
        return Ok(None);
    };
    let query = words_of(&input.query)?;
    let is_plain = !input.fresh && !input.next && input.min_validity.is_none();
    needs_stdout(context, input)?;
    let mut known = None;
    if is_plain {
        let now = match input.at {
            Some(at) => UnixTime::from_secs(at),
            None => context.now()?,
        };
        let answer = client.code_of(&query, now);
        match answer {
            // A counter is put forward by a question of its own.
            Err(AgentError::Failed {
                kind: Kind::Usage, ..
            }) => {}
            // The person is asked first, and what the time is then.
            Err(AgentError::AskFirst(summary)) => known = Some(*summary),
            answer => return by_query(context, &query, answer),
        }
    }
    let found = match known {
        Some(summary) => Ok(summary),
        None => client.find(&query),
    };
    let Some(summary) = by_query(context, &query, found)? else {
        return Ok(None);
    };
    let mut giver = Giver::of_agent(context, client);
    let code = one(context, &mut giver, &summary, input)?;
    giver.close();
    Ok(Some((summary, code)))
}

/// Standard output is needed by all that print a code.
fn needs_stdout(context: &Context, input: &Code) -> Outcome {
    if input.copy && !input.json {
        return Ok(());
    }
    context.screen.needs_stdout()
}

/// Whether nobody is ever given this code again.
fn is_used_up(summary: &Summary, input: &Code) -> bool {
    input.fresh || matches!(summary.scheme, Scheme::Hotp(_))
}

/// To where it was asked for.
fn give(context: &Context, summary: &Summary, code: &otp::Code, input: &Code) -> Outcome {
    if !input.copy {
        return print(context, summary, code, input);
    }
    let span = input.copy_for.unwrap_or(clipboard::CLEAR_AFTER);
    let copied = match clipboard::copy(&context.place, code.as_str(), span) {
        Ok(copied) => copied,
        Err(fault) => {
            // Better seen by the person than seen by nobody.
            if is_used_up(summary, input) && context.screen.out_is_terminal() {
                print(context, summary, code, input)?;
            }
            return Err(fault);
        }
    };
    let cleared = match copied {
        Copied::Cleared(span) => Some(span.as_secs()),
        Copied::Stays => None,
    };
    if input.json {
        let now = if input.at.is_some() {
            None
        } else {
            context.clock.now().ok()
        };
        let mut value = described(summary, code, now);
        // What is asked for is that nobody sees it.
        if let Some(object) = value.as_object_mut() {
            object.shift_remove("code");
        }
        value["copied"] = true.into();
        value["cleared_after"] = cleared.into();
        return context.screen.json(&value);
    }
    let held = match input.at {
        Some(_) => String::new(),
        None => format!(", {}", validity(code, context.now()?)),
    };
    let left = match cleared {
        Some(seconds) => format!("it leaves the clipboard in {seconds} s"),
        None => {
            "through the terminal, which can't be asked: it stays until something else is copied"
                .into()
        }
    };
    context
        .screen
        .remark(&format!("copied: {}{held}; {left}", named(summary)));
    Ok(())
}

fn print(context: &Context, summary: &Summary, code: &otp::Code, input: &Code) -> Outcome {
    if input.json {
        let now = if input.at.is_some() {
            None
        } else {
            context.clock.now().ok()
        };
        return context.screen.json(&described(summary, code, now));
    }
    context.screen.line(code.as_str())?;
    if context.screen.err_is_terminal() && input.at.is_none() {
        context.screen.remark(&format!(
            "{}, {}",
            named(summary),
            validity(code, context.now()?)
        ));
    }
    Ok(())
}

/// The account that the words mean. Ten thousand summaries needn't be kept for one code.
fn picked(vault: &Unlocked, words: &[String]) -> Outcome<Summary> {
    let query = words_of(words)?;
    let mut glance = Glance::new(&query);
    let candidates = vault.live_where(|summary| glance.may_mean(summary));
    match query::find(&query, &candidates) {
        Found::One(_) | Found::Several(_) => pick(words, &candidates).cloned(),
        // What is near is among all the others.
        Found::Nothing(_) => pick(words, &vault.live().collect::<Vec<_>>()).cloned(),
    }
}

fn one(
    context: &Context,
    giver: &mut Giver<'_>,
    summary: &Summary,
    input: &Code,
) -> Outcome<otp::Code> {
    if input.copy && is_used_up(summary, input) {
        // Before it is made: there would be no second one.
        clipboard::is_there(&context.place)?;
    }
    if let Scheme::Hotp(_) = summary.scheme {
        if input.next || input.at.is_some() || input.min_validity.is_some() {
            return Err(
                Fault::usage("a counter-based (HOTP) account has no code for a moment")
                    .hint("without --at, --next and --min-validity its next code is given"),
            );
        }
        // Every code of a counter is fresh.
        giver.may(summary)?;
        return giver.next_hotp(summary);
    }
    if input.fresh {
        return fresh::code(context, giver, summary, input.within);
    }
    let moment = || match input.at {
        Some(at) => Ok(UnixTime::from_secs(at)),
        None => context.now(),
    };
    if input.next {
        giver.may(summary)?;
        return giver.code_of_step(summary, || {
            let step = summary.scheme.step_at(moment()?)?.checked_add(1);
            Ok(step.ok_or(OtpError::AfterLastStep)?)
        });
    }
    if let Some(least) = input.min_validity {
        return valid_for(context, giver, summary, input.at, least);
    }
    giver.may(summary)?;
    giver.code_at(summary, moment)
}

/// A code that holds for so many seconds still: the next one, when its time has come, where the present one doesn't.
fn valid_for(
    context: &Context,
    giver: &mut Giver<'_>,
    summary: &Summary,
    at: Option<u64>,
    least: u64,
) -> Outcome<otp::Code> {
    let period = u64::from(summary.scheme.period().unwrap_or(u32::MAX));
    if least > period {
        return Err(Fault::usage(format!(
            "--min-validity {least}: a code of this account holds for {period} s at most"
        )));
    }
    // Where the code of a moment ends too soon: the end of its step.
    let too_soon = |now: UnixTime| {
        let end = end_of_step(summary, now)?;
        Outcome::Ok((now.until(end).as_secs_f64() < least as f64).then_some(end))
    };
    if let Some(at) = at {
        let at = UnixTime::from_secs(at);
        giver.may(summary)?;
        let moment = too_soon(at)?.unwrap_or(at);
        return giver.code_at(summary, || Ok(moment));
    }
    let wait_until = |end: UnixTime| {
        context
            .screen
            .wait("the next code in", || Ok(context.clock.now()?.until(end)))
    };
    loop {
        if !summary.confirm {
            // The end of whatever step is the present one: the clock may be set meanwhile, or the machine sleep into another.
            context.screen.wait("the next code in", || {
                let now = context.now()?;
                Ok(too_soon(now)?.map_or(Duration::ZERO, |end| now.until(end)))
            })?;
            return giver.code_at(summary, || context.now());
        }
        giver.may(summary)?;
        let Some(end) = too_soon(context.now()?)? else {
            return giver.code_at(summary, || context.now());
        };
        // A yes can't be kept for so long: the code is made at once, and given when its time has come.
        let code = giver.code_at(summary, || Ok(end))?;
        wait_until(end)?;
        // Unless the machine slept meanwhile.
        if end_of_step(summary, context.now()?)? == end_of_step(summary, end)? {
            return Ok(code);
        }
    }
}

fn end_of_step(summary: &Summary, now: UnixTime) -> Outcome<UnixTime> {
    match summary.scheme.window(summary.scheme.step_at(now)?)? {
        Moment::Step { until, .. } => Ok(until),
        Moment::Counter(_) => Ok(now),
    }
}

/// How long a code holds, for the person at the terminal.
fn validity(code: &otp::Code, now: UnixTime) -> String {
    match code.moment() {
        Moment::Counter(counter) => format!("counter {counter}; the next code is another"),
        Moment::Step { from, .. } if now < from => {
            format!(
                "holds from {} s from now",
                now.until(from).as_millis().div_ceil(1000)
            )
        }
        Moment::Step { until, .. } if now < until => {
            format!("{} s left", now.until(until).as_secs())
        }
        Moment::Step { .. } => "of a step that has just passed".into(),
    }
}

/// A code with all that a program needs to know of it.
pub(crate) fn described(summary: &Summary, code: &otp::Code, now: Option<UnixTime>) -> Value {
    let mut value = json!({
        "id": summary.id.to_string(),
        "issuer": summary.issuer,
        "account": summary.name,
        "type": summary.scheme.name(),
        "code": code.as_str(),
    });
    match code.moment() {
        Moment::Counter(counter) => value["counter"] = counter.into(),
        Moment::Step { step, from, until } => {
            value["step"] = step.into();
            value["valid_from"] = from.secs().into();
            value["valid_until"] = until.secs().into();
            value["seconds_left"] = now.map(|now| now.until(until).as_secs()).into();
        }
    }
    value
}
