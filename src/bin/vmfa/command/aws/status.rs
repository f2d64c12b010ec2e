//! `vmfa aws status`: how it stands with MFA, of the caller or of every user.

mod json;
mod table;

use crate::args::aws::Status;
use crate::command::aws::Trip;
use crate::fault::Outcome;
use crate::unlock::Context;
use vmfa::aws::status::{everyone, own};

pub(super) fn run(context: &Context, input: &Status) -> Outcome {
    let mut trip = Trip::new(context, &input.profile)?;
    trip.begin()?;
    if input.all_users {
        let all = everyone(&mut trip.desk, &mut trip.calls, &trip.plan);
        let all = trip.desk.settle(all)?;
        trip.desk.close();
        return match input.json {
            true => context.screen.json(&json::everyone(&all)),
            false => table::everyone(&context.screen, &all),
        };
    }
    let own = own(&mut trip.desk, &mut trip.calls, &trip.plan);
    let own = trip.desk.settle(own)?;
    trip.desk.close();
    match input.json {
        true => context.screen.json(&json::own(&own)),
        false => table::own(&context.screen, &own),
    }
}
