//! Codes that nobody was given before: the ledger decides, this waits.

use std::time::Duration;

use vmfa::account::{AccountId, Summary};
use vmfa::clock::Clock;
use vmfa::ledger::{Claim, Ledger};
use vmfa::otp::{Code, Moment};

use crate::command::giver::Giver;
use crate::fault::Outcome;
use crate::unlock::Context;

/// A code of a time step that is the caller's alone, within so many steps of the present one.
///
/// An account that asks is asked about before a step is claimed, so that a no uses up none; and once. A yes can't be kept until
/// a step is free: its step is claimed ahead then, its code made at once, and given when its time has come.
pub(crate) fn code(
    context: &Context,
    giver: &mut Giver<'_>,
    summary: &Summary,
    within: u32,
) -> Outcome<Code> {
    let ledger = Ledger::at(context.files.ledger());
    let present = || Outcome::Ok(summary.scheme.step_at(context.clock.now()?)?);
    loop {
        giver.may(summary)?;
        let mut at = present()?;
        let step = loop {
            match claim(context, &ledger, summary, at, within)? {
                Claim::Step(step) => break step,
                Claim::WaitFor(step) if summary.confirm => at = step,
                Claim::WaitFor(step) => {
                    wait_for(context, summary, at, step)?;
                    at = present()?;
                }
            }
        };
        let code = giver.code_of_step(summary, || Ok(step))?;
        if present()? < at {
            wait_for(context, summary, 0, at)?;
        }
        // Unless the machine slept meanwhile, the clock was set, or somebody took long for a passphrase. A step that ended just
        // now is over as well: the next one is there already.
        if present()?.abs_diff(step) <= u64::from(within) {
            return Ok(code);
        }
    }
}

/// Claims a step. AWS counts attempts, whoever makes them: for its devices the budget is kept.
fn claim(
    context: &Context,
    ledger: &Ledger,
    summary: &Summary,
    at: u64,
    within: u32,
) -> Outcome<Claim> {
    #[cfg(feature = "aws")]
    if summary.serial_number.is_some() {
        use vmfa::ledger::Attempt;
        let until = match ledger.claim_attempt(
            &summary.id,
            at,
            within,
            context.clock.now()?,
            vmfa::aws::BUDGET,
        )? {
            Attempt::Step(step) => return Ok(Claim::Step(step)),
            Attempt::WaitFor(step) => return Ok(Claim::WaitFor(step)),
            Attempt::Spent(until) => until,
        };
        let asked = context.clock.now()?;
        context
            .screen
            .wait("AWS takes 9 codes in 3 minutes; the next one in", || {
                let now = context.clock.now()?;
                Ok(if now < asked {
                    Duration::ZERO
                } else {
                    now.until(until)
                })
            })?;
        let now = summary.scheme.step_at(context.clock.now()?)?;
        return Ok(Claim::WaitFor(now.max(at)));
    }
    #[cfg(not(feature = "aws"))]
    let _ = context;
    Ok(ledger.claim(&summary.id, at, within)?)
}

/// Waits for a step; no longer when the clock is set back meanwhile, before the step `asked` of which it was said that there is a
/// wait: among the steps of then there may be one that is free.
fn wait_for(context: &Context, summary: &Summary, asked: u64, step: u64) -> Outcome {
    let Moment::Step { from, .. } = summary.scheme.window(step)? else {
        return Ok(());
    };
    context.screen.wait(
        "every code until now was handed out; the next one in",
        || {
            let now = context.clock.now()?;
            let is_back = summary.scheme.step_at(now)? < asked;
            Ok(if is_back {
                Duration::ZERO
            } else {
                now.until(from)
            })
        },
    )
}

/// Records that a person was shown these codes to enable a device: AWS takes each only once.
pub(crate) fn mark(context: &Context, id: &AccountId, codes: &[&Code]) {
    let steps: Vec<u64> = codes.iter().filter_map(|code| code.step()).collect();
    if let Err(error) = Ledger::at(context.files.ledger()).mark(id, &steps) {
        context
            .screen
            .warn(&format!("not recorded as used: {error}"));
    }
}
