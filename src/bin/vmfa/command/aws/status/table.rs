//! The answer as a person reads it: tables, then what to do.

use vmfa::account::text::clean;
use vmfa::aws::policy::Lack;
use vmfa::aws::process::iso8601;
use vmfa::aws::status::{
    Asker, Everyone, Finding, Force, Hidden, Key, OneDevice, Own, Rules, Step, User,
};
use vmfa::clock::UnixTime;

use crate::command::{counted, named};
use crate::fault::Outcome;
use crate::print::{Screen, Table};

/// So many names stand in a line; --json has them all.
const MOST_NAMES: usize = 20;
const NOTHING: &str = "-";

pub(super) fn own(screen: &Screen, own: &Own) -> Outcome {
    head(screen, &own.asker)?;
    if let Some(devices) = own.devices.as_ref().filter(|all| !all.is_empty()) {
        let mut table = Table::new(&["MFA DEVICE", "ENABLED", "IN THE VAULT AS", "STEP"]);
        for device in devices {
            table.row(vec![
                device_name(device),
                day(device.enabled),
                vault(device),
                step(device).into(),
            ]);
        }
        screen.line("")?;
        table.print(screen)?;
        for device in devices {
            if let Step::Unclear(reason) = &device.step {
                screen
                    .line(&screen.faint(&clean(&format!("{}: {reason}", device_name(device)))))?;
            }
        }
    }
    if let Some(keys) = own.keys.as_ref().filter(|all| !all.is_empty()) {
        let mut table = Table::new(&["ACCESS KEY ID", "STATE", "AGE"]);
        for key in keys {
            table.row(vec![
                key.id.clone().unwrap_or_else(|| NOTHING.into()),
                if key.is_active { "active" } else { "inactive" }.into(),
                match (key.days(own.now), key.is_old(own.now)) {
                    (Some(days), true) => format!("{}: old", counted(days as usize, "day")),
                    (Some(days), false) => counted(days as usize, "day"),
                    (None, _) => "?".into(),
                },
            ]);
        }
        screen.line("")?;
        table.print(screen)?;
    }
    screen.line("")?;
    if let Some(rules) = &own.password_policy {
        screen.line(&password_policy(rules))?;
    }
    if let Some(force) = &own.force {
        screen.line(&format!("Force-MFA policy: {}", clean(&told(force))))?;
    }
    ending(screen, &own.hidden, &own.findings())
}

pub(super) fn everyone(screen: &Screen, all: &Everyone) -> Outcome {
    head(screen, &all.asker)?;
    let mut table = Table::new(&[
        "USER",
        "MFA",
        "IN THE VAULT AS",
        "STEP",
        "KEYS",
        "CONSOLE",
        "FORCE-MFA",
    ]);
    for user in &all.users {
        // A user without a device has a row, too.
        let devices = user.devices.iter().map(Some);
        let none = user.devices.is_empty().then_some(None);
        for (index, device) in devices.chain(none).enumerate() {
            table.row(row(user, device, index == 0, all.now));
        }
    }
    screen.line("")?;
    table.print(screen)?;
    screen.line("")?;
    if let Some(rules) = &all.password_policy {
        screen.line(&password_policy(rules))?;
    }
    ending(screen, &all.hidden, &all.findings())
}

fn row(user: &User, device: Option<&OneDevice>, first: bool, now: UnixTime) -> Vec<String> {
    let mfa = match (device, user.mfa) {
        (Some(device), _) => device_name(device),
        (None, Some(true)) => "yes".into(),
        (None, Some(false)) => "NONE".into(),
        (None, None) => "?".into(),
    };
    let in_vault = device.map_or_else(|| NOTHING.into(), vault);
    let step = device.map_or(NOTHING, step).into();
    if !first {
        return [String::new(), mfa, in_vault, step]
            .into_iter()
            .chain(std::iter::repeat_n(String::new(), 3))
            .collect();
    }
    let force = match &user.force {
        Some(Force::Forced) => "yes",
        Some(Force::Lacks(_)) => "NO",
        Some(Force::Unreadable(_)) => "?",
        None => NOTHING,
    };
    vec![
        user.name.clone(),
        mfa,
        in_vault,
        step,
        keys(user.keys.as_deref(), now),
        match user.password {
            Some(true) => "yes",
            Some(false) => "no",
            None if user.is_root() => NOTHING,
            None => "?",
        }
        .into(),
        force.into(),
    ]
}

fn head(screen: &Screen, asker: &Asker) -> Outcome {
    screen.line(&screen.bold(&clean(&asker.arn)))
}

fn ending(screen: &Screen, hidden: &Hidden, findings: &[Finding]) -> Outcome {
    for (name, reason) in hidden {
        let name = match *name {
            "force_mfa" => "Force-MFA policy".to_owned(),
            name => name.replace('_', " "),
        };
        screen.line(&screen.faint(&clean(&format!("{name}: {reason}"))))?;
    }
    // What wasn't seen may want something done, too.
    match (findings.is_empty(), hidden.is_empty()) {
        (true, true) => return screen.line("nothing to do"),
        (true, false) => return Ok(()),
        (false, _) => {}
    }
    screen.line("")?;
    for finding in findings {
        let text = clean(&finding.text).into_owned();
        let names = clean(&names(&finding.names)).into_owned();
        screen.line(&format!("{}{names}", screen.bold(&text)))?;
        screen.line(&format!("  -> {}", finding.advice))?;
    }
    Ok(())
}

fn names(names: &[String]) -> String {
    let shown = names[..names.len().min(MOST_NAMES)].join(", ");
    match names.len().checked_sub(MOST_NAMES) {
        _ if names.is_empty() => String::new(),
        None | Some(0) => format!(": {shown}"),
        Some(more) => format!(": {shown} and {more} more (--json tells all)"),
    }
}

/// The name; of a hardware token or passkey all of it.
fn device_name(device: &OneDevice) -> String {
    let serial = &device.serial_number;
    match serial.split_once(":mfa/") {
        Some((_, path)) => path.rsplit('/').next().unwrap_or(path).to_owned(),
        None => serial.clone(),
    }
}

fn vault(device: &OneDevice) -> String {
    match &device.account {
        Some(account) => named(account),
        None => "not here".into(),
    }
}

fn step(device: &OneDevice) -> &'static str {
    match device.step {
        Step::In => "in step",
        Step::Drifted => "DRIFTED",
        Step::Unclear(_) => "?",
        Step::Untried => NOTHING,
    }
}

fn day(secs: Option<u64>) -> String {
    match secs {
        Some(secs) => iso8601(UnixTime::from_secs(secs))[..10].to_owned(),
        None => NOTHING.into(),
    }
}

/// The ages of the keys in use, in days.
fn keys(keys: Option<&[Key]>, now: UnixTime) -> String {
    let Some(keys) = keys else {
        return "?".into();
    };
    let ages = keys.iter().filter(|key| key.is_active).map(|key| {
        let old = if key.is_old(now) { " old" } else { "" };
        match key.days(now) {
            Some(days) => format!("{days} d{old}"),
            None => "?".into(),
        }
    });
    let ages: Vec<String> = ages.collect();
    match ages.is_empty() {
        true => NOTHING.into(),
        false => ages.join(", "),
    }
}

fn told(force: &Force) -> String {
    match force {
        Force::Forced => "yes: without MFA everything but enrolling is denied".into(),
        Force::Lacks(Lack::NoDeny) => "no: nothing is denied to those without MFA".into(),
        Force::Lacks(Lack::Partial) => {
            "no: some things are denied without MFA, and not everything".into()
        }
        Force::Lacks(Lack::LongTermKeysPass) => {
            "no: long-term access keys pass (Bool where BoolIfExists is needed)".into()
        }
        Force::Lacks(Lack::SessionsPass) => {
            "no: sessions without MFA pass, such as the console's".into()
        }
        Force::Unreadable(name) => format!("can't be told: the policy {name} can't be read"),
    }
}

fn password_policy(rules: &Rules) -> String {
    let Some(policy) = rules else {
        return "Password policy: none of the account's own".into();
    };
    let mut words = Vec::new();
    if let Some(least) = policy.minimum_password_length {
        words.push(format!("at least {least} characters"));
    }
    if !policy.requires.is_empty() {
        words.push(format!("with {}", policy.requires.join(", ")));
    }
    if let Some(days) = policy.max_password_age {
        words.push(format!("good for {days} days"));
    }
    if let Some(count) = policy.password_reuse_prevention {
        words.push(format!("none of the last {count} again"));
    }
    words.push(if policy.allow_users_to_change_password {
        "users may change their own".into()
    } else {
        "users may not change their own".into()
    });
    clean(&format!("Password policy: {}", words.join("; "))).into_owned()
}
