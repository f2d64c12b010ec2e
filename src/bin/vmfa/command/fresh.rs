//! Codes that nobody was given before: the ledger decides, this waits.

use vmfa::account::{AccountId, Summary};
use vmfa::authenticator::Authenticator;
use vmfa::clock::Clock;
use vmfa::ledger::{Claim, Ledger};
use vmfa::otp::{Code, Moment};

use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

/// A code of a time step that is the caller's alone, within so many steps of the present one.
pub(crate) fn code<A: Authenticator>(
    context: &Context,
    authenticator: &A,
    summary: &Summary,
    within: u32,
) -> Outcome<Code> {
    let ledger = Ledger::at(context.files.ledger());
    loop {
        let now = context.clock.now()?;
        let present = summary.scheme.step_at(now)?;
        match ledger.claim(&summary.id, present, within)? {
            Claim::Step(step) => {
                return authenticator
                    .code_of_step(&summary.id, step)
                    .map_err(Fault::from);
            }
            Claim::WaitFor(step) => {
                let Moment::Step { from, .. } = summary.scheme.window(step)? else {
                    continue;
                };
                context.screen.wait(
                    "every code until now was handed out; the next one in",
                    || Ok(context.clock.now()?.until(from)),
                )?;
            }
        }
    }
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
