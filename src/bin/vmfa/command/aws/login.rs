//! `vmfa aws login`: a link that signs a browser in.

use vmfa::aws::console::{self, Wanted};
use vmfa::aws::session;

use crate::args::aws::Login;
use crate::command::aws::Trip;
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

pub(super) fn run(context: &Context, input: &Login) -> Outcome {
    let mut trip = Trip::for_session(context, &input.session)?;
    if trip.plan.roles.is_empty() {
        return Err(Fault::usage(format!(
            "profile {} has no role_arn: AWS signs a browser in from a role's session only",
            vmfa::account::text::clean(&trip.plan.profile)
        ))
        .hint("name a profile with role_arn and source_profile"));
    }
    if let Some(seconds) = input.console_duration
        && !(900..=43_200).contains(&seconds)
    {
        return Err(Fault::usage(format!(
            "--console-duration {seconds}: the console's session lasts 900 to 43200 seconds"
        )));
    }
    if let Some(endpoint) = &input.endpoint
        && !is_safe(endpoint)
    {
        return Err(Fault::usage(
            "--endpoint: not an https:// address; the session would be sent in clear",
        ));
    }
    context.screen.needs_stdout()?;
    trip.begin()?;
    let partition = trip.partition();
    let session = if input.session.new {
        session::new_session(&mut trip.desk, &mut trip.calls, &trip.plan)
    } else {
        session::session(&mut trip.desk, &mut trip.calls, &trip.plan)
    };
    let session = trip.desk.settle(session)?;
    let wanted = Wanted {
        endpoint: input.endpoint.clone(),
        destination: input.destination.clone(),
        duration: input.console_duration,
    };
    let link = console::link(&mut trip.calls, session, &partition, &wanted);
    let link = trip.desk.settle(link)?;
    trip.desk.close();
    match link {
        Some(link) => context.screen.line(link.expose()),
        None => Err(Fault::new(
            Exit::Usage,
            format!("where the console of the partition {partition} is isn't known"),
        )),
    }
}

/// Over TLS, or to this very machine; no question in it yet, since one is added.
fn is_safe(endpoint: &str) -> bool {
    if endpoint.contains(['?', '#']) {
        return false;
    }
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    endpoint.starts_with("https://")
        || local.iter().any(|host| {
            endpoint.strip_prefix(host).is_some_and(|rest| {
                // Nothing but a port before the path: what looks like a host may be a user's name otherwise.
                let port = rest.split('/').next().unwrap_or_default();
                port.is_empty()
                    || port
                        .strip_prefix(':')
                        .is_some_and(|port| port.parse::<u16>().is_ok())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn a_session_leaves_in_clear_for_this_machine_alone() {
        for yes in [
            "https://signin.aws.amazon.com/federation",
            "http://127.0.0.1:8080/federation",
            "http://localhost",
        ] {
            assert!(is_safe(yes), "{yes}");
        }
        for no in [
            "http://signin.aws.amazon.com/federation",
            "http://127.0.0.1:80@example.org/federation",
            "http://localhost.example.org/",
            "http://127.0.0.1.example.org",
            "https://example.org/federation?x=y",
            "ftp://127.0.0.1",
        ] {
            assert!(!is_safe(no), "{no}");
        }
    }
}
