//! `vmfa aws resync`, `remove`, `rotate` and `rename`: devices that are there already.

use std::time::Duration;

use vmfa::account::text::clean;
use vmfa::aws::enroll::{Enrolled, Orphan, Proof, Wanted};
use vmfa::aws::manage::{self, Last, Managed, Which};

use crate::args::aws::{Device, Remove, Rename, Rotate};
use crate::command::aws::Trip;
use crate::command::named;
use crate::fault::Outcome;
use crate::unlock::Context;

pub(super) fn resync(context: &Context, input: &Device) -> Outcome {
    let mut trip = Trip::new(context, &input.profile)?;
    trip.begin()?;
    let managed = manage::resync(&mut trip.desk, &mut trip.calls, &trip.plan, &which(input));
    let managed = trip.desk.settle(managed)?;
    trip.desk.close();
    context
        .screen
        .line(&format!("{}: in step with AWS", clean(&managed.serial)))
}

pub(super) fn remove(context: &Context, input: &Remove) -> Outcome {
    let mut trip = Trip::new(context, &input.device.profile)?;
    trip.begin_to_save()?;
    let last = if input.last {
        Last::Removed
    } else {
        Last::Kept
    };
    let which = which(&input.device);
    let managed = manage::remove(&mut trip.desk, &mut trip.calls, &trip.plan, &which, last);
    let managed = trip.desk.settle(managed)?;
    trip.desk.close();
    context.screen.line(&gone(&managed))
}

pub(super) fn rotate(context: &Context, input: &Rotate) -> Outcome {
    replace(
        context,
        &input.device,
        input.device_name.as_deref(),
        input.propagation,
    )
}

pub(super) fn rename(context: &Context, input: &Rename) -> Outcome {
    let device = Device {
        profile: crate::args::aws::Profile {
            profile: input.profile.profile.clone(),
            region: input.profile.region.clone(),
        },
        user: input.user.clone(),
        device: Some(input.device.clone()),
    };
    replace(context, &device, Some(&input.name), input.propagation)
}

fn replace(context: &Context, device: &Device, name: Option<&str>, propagation: u16) -> Outcome {
    let mut trip = Trip::new(context, &device.profile)?;
    trip.begin_to_save()?;
    let wanted = Wanted {
        user: device.user.clone(),
        device_name: name.map(str::to_owned),
        orphan: Orphan::Kept,
        propagation: Duration::from_secs(propagation.into()),
    };
    let done = manage::rotate(
        &mut trip.desk,
        &mut trip.calls,
        &trip.plan,
        &which(device),
        wanted,
    );
    let (managed, enrolled) = trip.desk.settle(done)?;
    trip.desk.close();
    context.screen.line(&new(&enrolled))?;
    context.screen.line(&gone(&managed))
}

fn which(input: &Device) -> Which {
    Which {
        user: input.user.clone(),
        device: input.device.clone(),
    }
}

fn new(enrolled: &Enrolled) -> String {
    let proof = match enrolled.proof {
        Proof::Proven => "enabled and proven",
        Proof::OfAnother | Proof::OfSession => "enabled; the first sign-in will prove it",
    };
    format!(
        "{}: {proof}, in the vault as {}",
        enrolled.serial,
        named(&enrolled.account)
    )
}

fn gone(managed: &Managed) -> String {
    let account = match &managed.account {
        Some(account) => format!("; {} is in the trash", named(account)),
        None => String::new(),
    };
    format!(
        "{}: removed from {}{account}",
        clean(&managed.serial),
        clean(&managed.user)
    )
}
