//! Codes for calls: each goes through the ledger, so that none is sent twice, and AWS's budget is kept.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::account::Summary;
use crate::aws::error::{AwsError, clock};
use crate::aws::host::Host;
use crate::aws::operation::Mfa;
use crate::aws::refusal;
use crate::aws::remote::{CallError, Remote};
use crate::clock::{Clock, Fixed, Shifted, UnixTime};
use crate::ledger::{Attempt, Budget};
use crate::otp::{Code, Moment, OtpError};

/// AWS takes codes of so many steps either way of the present one.
const WITHIN: u32 = 2;
/// How many codes are tried for one call.
pub(super) const TRIES: usize = 3;
/// AWS checks nine codes of a device in three minutes, right or wrong. Ten seconds more, since a code that was claimed may
/// be on its way for some time.
pub const BUDGET: Budget = Budget {
    attempts: 9,
    seconds: 190,
};
/// A skew beyond this is taken into account for codes; what is less is the network's.
const SKEW_OF_CODES: i64 = 5;
/// A skew beyond this is told to the person.
const SKEW_TO_TELL: i64 = 30;
/// How long is waited before a call is made again with another code, after AWS wasn't reached or asked for patience.
const PAUSES: [Duration; TRIES - 1] = [Duration::from_secs(1), Duration::from_secs(4)];

/// What of a skew is taken into account.
pub(super) fn for_codes(skew: Option<i64>) -> i64 {
    skew.filter(|skew| skew.abs() > SKEW_OF_CODES).unwrap_or(0)
}

/// Tells the person of a skew that matters, once.
pub(super) fn tell_skew(host: &impl Host, skew: Option<i64>) {
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW_TO_TELL) {
        host.warn(&format!(
            "{}: codes are made for AWS's time; set it, or other programs fail",
            clock(skew)
        ));
    }
}

/// The present moment by AWS's clock, as far as it is known.
pub(super) fn now_there(host: &impl Host, skew: i64) -> Result<UnixTime, AwsError> {
    let base = Fixed(host.now()?);
    Shifted { base, skew }.now().map_err(AwsError::held)
}

/// Makes a call that sends a code, with up to three codes: where one is refused, the next that nobody had.
pub(super) fn with_code<H: Host, R: Remote, T>(
    host: &mut H,
    remote: &mut R,
    device: &Summary,
    call: impl Fn(&mut R, Mfa) -> Result<T, CallError>,
) -> Result<T, AwsError> {
    let serial = device.serial_number.clone().unwrap_or_default();
    let mut skew = for_codes(remote.skew());
    let mut told = false;
    for tried in 1..=TRIES {
        let code = fresh(host, device, skew)?;
        let mfa = Mfa {
            serial_number: serial.clone(),
            token_code: code.as_str().to_owned().into(),
        };
        let error = match call(remote, mfa) {
            Ok(answer) => {
                if !told {
                    tell_skew(host, remote.skew());
                }
                return Ok(answer);
            }
            Err(error) => error,
        };
        if !told {
            tell_skew(host, remote.skew());
            told = remote.skew().is_some();
        }
        if refusal::is_unable(&error) {
            return Err(AwsError::Unable { serial });
        }
        if refusal::is_wrong_code(&error) {
            // A device that was brought into step with this very clock is off with it: take turns.
            let there = for_codes(remote.skew());
            skew = if skew == there { 0 } else { there };
        } else if !error.is_passing() || tried == TRIES {
            return Err(AwsError::of(error, remote.skew()));
        } else {
            // Whether the code arrived can't be known: it counts as used.
            host.wait("AWS didn't answer; trying again in", PAUSES[tried - 1])?;
        }
    }
    Err(AwsError::CodesRefused {
        serial,
        tries: TRIES,
        skew: remote.skew(),
    })
}

/// A code that nobody had, and that AWS takes now. Waits where every code within reach was used, or AWS's budget is spent.
pub(super) fn fresh(host: &mut impl Host, device: &Summary, skew: i64) -> Result<Code, AwsError> {
    loop {
        host.may(device)?;
        let there = now_there(host, skew)?;
        let current = device.scheme.step_at(there).map_err(AwsError::held)?;
        match host
            .ledger()
            .claim_attempt(&device.id, current, WITHIN, host.now()?, BUDGET)?
        {
            Attempt::Step(step) => return host.code(device, step),
            Attempt::WaitFor(step) => {
                let window = device.scheme.window(step).map_err(AwsError::held)?;
                let Moment::Step { from, .. } = window else {
                    return Err(AwsError::held(OtpError::AfterLastStep));
                };
                host.rest();
                host.wait(
                    "every code until now was handed out; the next one in",
                    there.until(from),
                )?;
            }
            Attempt::Spent(until) => {
                let span = host.now()?.until(until);
                host.rest();
                host.wait("AWS takes 9 codes in 3 minutes; the next one in", span)?;
            }
        }
    }
}
