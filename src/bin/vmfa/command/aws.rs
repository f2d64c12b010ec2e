//! `vmfa aws`: one file a command. Here: from a profile's name to who signs, who holds the vault, and who makes the calls.

mod csv;
mod desk;
mod device;
mod enroll;
mod files;
mod key;
mod login;
mod policy;
mod remote;
mod session;
mod status;

use vmfa::account::text::clean;
use vmfa::aws::arn::Partition;
use vmfa::aws::plan::{Plan, Wanted};
use vmfa::aws::profile::{Profiles, is_region, is_vmfa};
use vmfa::aws::remote::Keys;
use vmfa::aws::wire::Greeting;

use crate::args::aws::{Aws, Profile, Session};
use crate::command::aws::desk::Desk;
use crate::command::aws::remote::Calls;
use crate::command::quoted;
use crate::fault::{Exit, Fault, Outcome};
use crate::place::AwsPlace;
use crate::unlock::Context;

pub(crate) use remote::MARK;

pub(crate) fn run(context: &Context, input: Aws) -> Outcome<Exit> {
    let done = |(): ()| Exit::Done;
    match input {
        Aws::Enroll(input) => enroll::run(context, &input).map(done),
        Aws::Status(input) => status::run(context, &input).map(done),
        Aws::Resync(input) => device::resync(context, &input).map(done),
        Aws::Rename(input) => device::rename(context, &input).map(done),
        Aws::Remove(input) => device::remove(context, &input).map(done),
        Aws::Rotate(input) => device::rotate(context, &input).map(done),
        Aws::Credentials(input) => session::credentials(context, &input).map(done),
        Aws::Exec(input) => session::exec(context, &input),
        Aws::Env(input) => session::env(context, &input).map(done),
        Aws::Login(input) => login::run(context, &input).map(done),
        Aws::Key(input) => key::run(context, &input).map(done),
        Aws::ImportCsv(input) => csv::run(context, &input).map(done),
        Aws::Policy(input) => policy::run(context, &input),
    }
}

/// What a trip to AWS needs.
pub(crate) struct Trip<'c> {
    pub(crate) desk: Desk<'c>,
    pub(crate) calls: Calls,
    pub(crate) plan: Plan,
    /// The region that the profile or the environment names.
    pub(crate) region: Option<String>,
}

impl<'c> Trip<'c> {
    /// For a profile, or the environment's.
    pub(crate) fn new(context: &'c Context, profile: &Profile) -> Outcome<Self> {
        Self::of(context, profile, None, None)
    }

    /// For a session.
    pub(crate) fn for_session(context: &'c Context, input: &Session) -> Outcome<Self> {
        let serial = input.serial_number.clone();
        if let Some(seconds) = input.duration
            && !(900..=129_600).contains(&seconds)
        {
            return Err(Fault::usage(format!(
                "--duration {seconds}: a session lasts 900 to 129600 seconds"
            )));
        }
        Self::of(context, &input.profile, serial, input.duration)
    }

    fn of(
        context: &'c Context,
        input: &Profile,
        serial: Option<String>,
        duration: Option<u32>,
    ) -> Outcome<Self> {
        let mut place = context.place.aws()?;
        let named = input.profile.as_deref();
        if let Some(region) = &input.region
            && !is_region(region)
        {
            return Err(Fault::usage(format!(
                "--region {}: not the name of a region",
                quoted(region)
            )));
        }
        let profiles = files::profiles(context, &place)?;
        if context.place.is_asked_by_ourselves() {
            return Err(circle(&profiles, named.or(place.profile.as_deref())));
        }
        // As with awscli: what the command line names goes before keys in the environment, and they before AWS_PROFILE.
        let keys = place.keys.take().filter(|_| named.is_none());
        let keys = keys.map(|(access_key_id, secret_access_key, session_token)| Keys {
            access_key_id,
            secret_access_key,
            session_token,
        });
        let profile = named.map(str::to_owned).or_else(|| place.profile.clone());
        let wanted = Wanted {
            profile: profile.clone(),
            keys,
            serial,
            duration,
            role_session_name: place.role_session_name.clone(),
            endpoint: endpoints(&profiles, profile.as_deref(), &place),
        };
        let plan = Plan::new(&profiles, wanted).map_err(Fault::from)?;
        let known = profiles.get(&plan.profile);
        let region = match known {
            Some(profile) => profile
                .own_region()
                .map_err(Fault::from)?
                .map(|found| found.value.to_owned()),
            None => None,
        };
        let ca_bundle = match known {
            Some(profile) => profile.ca_bundle().map_err(Fault::from)?,
            None => None,
        };
        let ca_bundle = ca_bundle.map(|found| found.value.to_owned());
        let region = input
            .region
            .clone()
            .or_else(|| place.region.clone())
            .or(region);
        let usual = plan.partition().unwrap_or_default();
        let usual_region = usual.region().unwrap_or("us-east-1");
        let greeting = Greeting {
            version: env!("CARGO_PKG_VERSION").into(),
            profile: known.is_some().then(|| plan.profile.clone()),
            region: region.clone().unwrap_or_else(|| usual_region.into()),
            ca_bundle: place
                .ca_bundle
                .as_ref()
                .and_then(|path| path.to_str())
                .map(str::to_owned)
                .or(ca_bundle),
        };
        Ok(Self {
            desk: Desk::new(context),
            calls: Calls::new(greeting),
            plan,
            region,
        })
    }

    /// Opens the vault or finds the agent, and has what the vault keeps looked up.
    pub(crate) fn begin(&mut self) -> Outcome {
        let settled = self.plan.settle(&mut self.desk);
        self.desk.settle(settled)
    }

    /// As [`Trip::begin`], for what ends in a save: whatever needs a passphrase comes first, since nobody should be asked in
    /// the middle.
    pub(crate) fn begin_to_save(&mut self) -> Outcome {
        self.desk.vault()?;
        self.begin()
    }

    /// The partition that the profile works in.
    pub(crate) fn partition(&self) -> Partition {
        let region = self.region.as_deref().map(Partition::of_region);
        self.plan.partition().or(region).unwrap_or_default()
    }
}

/// Where the calls of a profile go, so far as somebody said it: sessions of one place aren't another's.
fn endpoints(profiles: &Profiles, profile: Option<&str>, place: &AwsPlace) -> String {
    let profile = profiles.get(profile.unwrap_or("default"));
    let of = |service| {
        let found = profile?.endpoint_url(service).ok()??;
        Some(found.value.to_owned())
    };
    let sts = place
        .endpoint_sts
        .clone()
        .or_else(|| place.endpoint.clone());
    sts.or_else(|| of("sts")).unwrap_or_default()
}

/// Looking for credentials led back here.
fn circle(profiles: &Profiles, asked: Option<&str>) -> Fault {
    let process = |name: &str| profiles.get(name)?.credential_process().ok()?;
    // Its own line, as a rule, perhaps by way of a script; else one that names it.
    let own = asked.and_then(|name| Some((process(name)?, name)));
    let other = profiles.names().find_map(|name| {
        let process = process(name)?;
        let ours = is_vmfa(process.value)?;
        (ours.profile.as_deref() == asked).then_some((process, name))
    });
    let line = own
        .or(other)
        .map(|(process, name)| format!("{}, profile {}", process.at, clean(name)));
    let whose = asked.map_or_else(
        || "the default profile".into(),
        |name| format!("profile {}", quoted(name)),
    );
    Fault::usage(format!(
        "vmfa looks for the credentials of {whose}, and is asked for them itself{}",
        line.map(|line| format!(": {line}")).unwrap_or_default()
    ))
    .hint("change that credential_process to name a profile that has credentials of its own, or keep the access key in the vault: `vmfa aws key add`")
}
