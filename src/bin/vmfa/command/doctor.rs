//! `vmfa doctor`: what could go wrong, before it does.

#[cfg(all(
    feature = "net",
    any(all(target_env = "gnu", target_feature = "crt-static"), test)
))]
mod names;

use serde_json::{Value, json};
use vmfa::failure::Fails;
use vmfa::ledger::Ledger;
use vmfa::vault::{self, Finding, Severity};

use crate::args::Doctor;
use crate::command::counted;
use crate::fault::{Exit, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Doctor) -> Outcome<Exit> {
    let mut findings = vault::examine(&context.files);
    findings.extend(ledger(context));
    findings.extend(clock(context));
    let mut exit = Exit::Done;
    if let Some(url) = &input.clock {
        match server_time::skew(context, url) {
            Ok(finding) => findings.push(finding),
            Err(fault) => {
                exit = fault.exit();
                findings.push(Finding {
                    severity: Severity::Warning,
                    text: format!("the clock could not be compared: {}", fault.message()),
                    advice: Some(
                        "name a server that answers, such as https://sts.amazonaws.com".into(),
                    ),
                });
            }
        }
    }
    let is_missing = std::fs::symlink_metadata(&context.files.vault).is_err();
    if is_missing {
        exit = Exit::NotFound;
    } else if findings
        .iter()
        .any(|finding| finding.severity == Severity::Problem)
    {
        exit = Exit::Damaged;
    }
    if input.json {
        let described = |finding: &Finding| json!({ "severity": word(finding.severity), "text": finding.text, "advice": finding.advice });
        context
            .screen
            .json(&Value::Array(findings.iter().map(described).collect()))?;
        return Ok(exit);
    }
    for finding in &findings {
        let screen = &context.screen;
        let mark = match finding.severity {
            Severity::Fine => screen.faint("ok     "),
            Severity::Warning => screen.bold("warning"),
            Severity::Problem => screen.bold("PROBLEM"),
        };
        screen.line(&format!(
            "{mark}  {}",
            vmfa::account::text::clean(&finding.text)
        ))?;
        if let Some(advice) = &finding.advice {
            screen.line(&format!(
                "         -> {}",
                vmfa::account::text::clean(advice)
            ))?;
        }
    }
    if exit == Exit::Done {
        context
            .screen
            .remark("`vmfa check` tests every record, with the passphrase");
    }
    Ok(exit)
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fine => "fine",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    }
}

/// Whether the ledger can be read.
fn ledger(context: &Context) -> Option<Finding> {
    match Ledger::at(context.files.ledger()).check() {
        Ok(0) => None,
        Ok(accounts) => Some(Finding {
            severity: Severity::Fine,
            text: format!(
                "the ledger remembers the fresh codes of {}",
                counted(accounts, "account")
            ),
            advice: None,
        }),
        Err(error) => Some(Finding {
            severity: Severity::Warning,
            text: error.to_string(),
            advice: error.hint(),
        }),
    }
}

/// A clock that is years off shows without a server: this program wasn't built in the future.
fn clock(context: &Context) -> Option<Finding> {
    /// 2026-01-01T00:00:00Z.
    const BUILT_AFTER: u64 = 1_767_225_600;
    let problem = |text: String| Finding {
        severity: Severity::Problem,
        text,
        advice: Some("set this machine's clock: every code is wrong until then".into()),
    };
    match context.now() {
        Err(_) => Some(problem("the clock stands before 1970".into())),
        Ok(now) if now.secs() < BUILT_AFTER => Some(problem(
            "the clock stands before this program was made".into(),
        )),
        Ok(_) => None,
    }
}

#[cfg(feature = "net")]
mod server_time {
    use std::time::Duration;

    use vmfa::vault::{Finding, Severity};

    use crate::fault::{Exit, Fault, Outcome};
    use crate::unlock::Context;

    /// How far this machine's clock is from a server's, to about a second: that is what a Date header tells.
    pub(super) fn skew(context: &Context, url: &str) -> Outcome<Finding> {
        let shown = vmfa::account::text::clean(url).into_owned();
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .max_redirects(3)
            .build();
        #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
        let agent = ureq::Agent::with_parts(
            config,
            ureq::unversioned::transport::DefaultConnector::default(),
            super::names::Getent,
        );
        #[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
        let agent: ureq::Agent = config.into();
        let before = context.now()?;
        let answer = agent.head(url).call().map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Fault::usage(format!("--clock: {shown:?} is not a URL"))
                    .hint("such as https://sts.amazonaws.com")
            }
            other => Fault::new(Exit::Offline, format!("{shown}: {other}")),
        })?;
        let after = context.now()?;
        let date = answer
            .headers()
            .get("date")
            .and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
        let server = date
            .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
            .ok_or_else(|| {
                Fault::new(
                    Exit::Refused,
                    format!("{shown}: the answer has no Date header"),
                )
            })?;
        // The header is cut to the second, and was written somewhere between our two looks at the clock.
        let server = server.as_millis() as i128 + 500;
        let millis = |time: vmfa::clock::UnixTime| {
            i128::from(time.secs()) * 1000 + i128::from(time.subsec_millis())
        };
        let ours = (millis(before) + millis(after)) / 2;
        let off = ours - server;
        let seconds = (off.abs() + 500) / 1000;
        let way = if off > 0 { "ahead of" } else { "behind" };
        Ok(match seconds {
            0..=2 => Finding {
                severity: Severity::Fine,
                text: format!("the clock agrees with {shown}"),
                advice: None,
            },
            3..=29 => Finding {
                severity: Severity::Warning,
                text: format!("the clock is {seconds} s {way} {shown}: some codes will be refused"),
                advice: Some("let the system set its clock by NTP".into()),
            },
            _ => Finding {
                severity: Severity::Problem,
                text: format!("the clock is {seconds} s {way} {shown}: codes will be refused"),
                advice: Some(
                    "set the clock, or let the system do it by NTP (`timedatectl set-ntp true`)"
                        .into(),
                ),
            },
        })
    }
}

#[cfg(not(feature = "net"))]
mod server_time {
    use vmfa::vault::Finding;

    use crate::fault::{Fault, Outcome};
    use crate::unlock::Context;

    pub(super) fn skew(_context: &Context, _url: &str) -> Outcome<Finding> {
        Err(Fault::usage(
            "--clock: this vmfa was built without the feature `net`",
        ))
    }
}
