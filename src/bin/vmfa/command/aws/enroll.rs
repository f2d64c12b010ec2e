//! `vmfa aws enroll`: this becomes the user's MFA device.

use std::time::Duration;

use serde_json::json;
use vmfa::account::text::clean;
use vmfa::aws::enroll::{self, Enrolled, Orphan, Proof, Wanted};

use crate::args::aws::Enroll;
use crate::command::aws::{Trip, files};
use crate::command::named;
use crate::fault::Outcome;
use crate::unlock::Context;

pub(super) fn run(context: &Context, input: &Enroll) -> Outcome {
    let mut trip = Trip::new(context, &input.profile)?;
    let from = trip.plan.profile.clone();
    if let Some(name) = &input.write_config {
        files::may_write(context, name, &from, trip.region.as_deref())?;
    }
    trip.begin_to_save()?;
    let wanted = Wanted {
        user: input.user.clone(),
        device_name: input.device_name.clone(),
        orphan: if input.replace {
            Orphan::Replaced
        } else {
            Orphan::Kept
        },
        propagation: Duration::from_secs(input.propagation.into()),
    };
    let enrolled = enroll::enroll(&mut trip.desk, &mut trip.calls, &trip.plan, &wanted);
    let enrolled = trip.desk.settle(enrolled)?;
    let region = trip.region.clone();
    trip.desk.close();
    let written = match &input.write_config {
        Some(name) => Some(files::write_profile(
            context,
            name,
            &from,
            region.as_deref(),
        )?),
        None => None,
    };
    if input.json {
        return context.screen.json(&json!({
            "serial_number": enrolled.serial.as_str(),
            "user": enrolled.user,
            "id": enrolled.account.id.to_string(),
            "picked_up": enrolled.picked_up,
            "proven": enrolled.proof == Proof::Proven,
            "profile_written": input.write_config,
        }));
    }
    context.screen.line(&done(&enrolled))?;
    match (written, enrolled.proof) {
        (Some(written), _) => context.screen.line(&written),
        (None, Proof::OfAnother) => Ok(()),
        (None, Proof::Proven | Proof::OfSession) => {
            let name = format!("{from}-mfa");
            let lines = files::lines(context, &name, &from, region.as_deref())?;
            context.screen.line(&format!(
                "To let other programs sign in with it, put this into ~/.aws/config (or say --write-config {name}):\n\n{}",
                lines.trim_end()
            ))
        }
    }
}

fn done(enrolled: &Enrolled) -> String {
    let proof = match enrolled.proof {
        Proof::Proven => "is enabled and proven",
        Proof::OfAnother => "is enabled; only that user's own sign-in can prove it",
        Proof::OfSession => {
            "is enabled; a session's credentials can't prove it, the next sign-in will"
        }
    };
    let picked_up = if enrolled.picked_up {
        " (an earlier run had begun)"
    } else {
        ""
    };
    format!(
        "{} of {} {proof}{picked_up}; in the vault as {}",
        enrolled.serial,
        clean(&enrolled.user),
        named(&enrolled.account)
    )
}
