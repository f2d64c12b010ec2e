//! `vmfa pair`: two consecutive codes.

use std::time::Duration;

use serde_json::json;
use vmfa::account::Summary;
use vmfa::clock::{Clock, UnixTime};
use vmfa::otp::{Pair as Codes, Pairing, Scheme};

use crate::args::Pair;
use crate::command::giver::Giver;
#[cfg(unix)]
use crate::command::{by_query, words_of};
use crate::command::{fresh, named, pick};
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Pair) -> Outcome {
    #[cfg(unix)]
    if let Some(client) = context.agent() {
        let query = words_of(&input.query)?;
        let found = client.find(&query);
        if let Some(summary) = by_query(context, &query, found)? {
            return of(context, Giver::of_agent(context, client), &summary, input);
        }
    }
    let vault = context.open()?;
    let summaries: Vec<_> = vault.live().collect();
    let summary = pick(&input.query, &summaries)?.clone();
    of(context, Giver::of_vault(context, vault), &summary, input)
}

fn of(context: &Context, mut giver: Giver<'_>, summary: &Summary, input: &Pair) -> Outcome {
    if let Scheme::Hotp(_) = summary.scheme {
        return Err(
            Fault::usage("a counter-based (HOTP) account has no pair of time steps")
                .hint("run `vmfa code` twice: the first code, then the second"),
        );
    }
    let pairing = if input.next || input.wait {
        Pairing::Next
    } else {
        Pairing::Previous
    };
    context.screen.needs_stdout()?;
    giver.may(summary)?;
    let codes = giver.pair_at(summary, || context.now(), pairing)?;
    giver.close();
    fresh::mark(context, &summary.id, &[&codes.first, &codes.second]);
    if input.json {
        return print_json(context, summary, &codes);
    }
    context.screen.line(codes.first.as_str())?;
    if input.wait
        && let (Some((first, from)), Some((_, until))) =
            (codes.first.window(), codes.second.window())
    {
        let period = from.secs() - first.secs();
        // Set back a little, the second code is further away; by a step or more, both are codes of some other time.
        let is_other = |now: UnixTime| now >= until || now.plus_secs(period) < first;
        context.screen.wait("the second code in", || {
            let now = context.clock.now()?;
            Ok(if is_other(now) {
                Duration::ZERO
            } else {
                now.until(from)
            })
        })?;
        if is_other(context.clock.now()?) {
            return Err(Fault::new(
                Exit::Offline,
                "the clock was set or the machine slept meanwhile: the second code doesn't hold now",
            )
            .hint("nothing takes the first one alone: run this again for two new ones"));
        }
    }
    context.screen.line(codes.second.as_str())?;
    if context.screen.err_is_terminal() && pairing == Pairing::Previous {
        context.screen.remark(&format!(
            "{}: type them in this order, at once",
            named(summary)
        ));
    }
    Ok(())
}

fn print_json(context: &Context, summary: &Summary, codes: &Codes) -> Outcome {
    let both = [&codes.first, &codes.second];
    let valid: Vec<_> = both
        .iter()
        .filter_map(|code| code.window())
        .map(|(from, until)| json!({ "from": from.secs(), "until": until.secs() }))
        .collect();
    context.screen.json(&json!({
        "id": summary.id.to_string(),
        "issuer": summary.issuer,
        "account": summary.name,
        "serial_number": summary.serial_number,
        "codes": both.map(otp_text),
        "steps": both.map(vmfa::otp::Code::step),
        "valid": valid,
    }))
}

fn otp_text(code: &vmfa::otp::Code) -> &str {
    code.as_str()
}
