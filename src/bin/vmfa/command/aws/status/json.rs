//! The answer as JSON. The names here are told in the help and are stable.

use serde_json::{Map, Value, json};
use vmfa::account::Summary;
use vmfa::aws::arn::Caller;
use vmfa::aws::policy::Lack;
use vmfa::aws::status::{
    Asker, Everyone, Finding, Force, Group, Hidden, Key, OneDevice, Own, Rules, Step, User,
};
use vmfa::clock::UnixTime;

pub(super) fn own(own: &Own) -> Value {
    let (force_mfa, lack) = force(own.force.as_ref());
    json!({
        "caller": caller(&own.asker),
        "devices": own.devices.as_ref().map(|all| array(all, device)),
        "access_keys": own.keys.as_ref().map(|all| array(all, |one| key(one, own.now))),
        "password_policy": rules(own.password_policy.as_ref()),
        "force_mfa": force_mfa,
        "lack": lack,
        "findings": array(&own.findings(), finding),
        "hidden": hidden(&own.hidden),
    })
}

pub(super) fn everyone(all: &Everyone) -> Value {
    json!({
        "caller": caller(&all.asker),
        "users": array(&all.users, |one| user(one, all.now)),
        "groups": all.groups.as_ref().map(|all| array(all, group)),
        "unassigned_devices": all.unassigned.as_ref().map(|all| array(all, device)),
        "password_policy": rules(all.password_policy.as_ref()),
        "findings": array(&all.findings(), finding),
        "hidden": hidden(&all.hidden),
    })
}

fn array<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    all.iter().map(one).collect()
}

fn caller(asker: &Asker) -> Value {
    json!({
        "arn": asker.arn,
        "account": asker.account,
        "kind": match asker.kind {
            Caller::User { .. } => "user",
            Caller::Role { .. } => "role",
            Caller::Root => "root",
            Caller::Other => "other",
        },
        "user": asker.user(),
    })
}

fn user(user: &User, now: UnixTime) -> Value {
    let (force_mfa, lack) = force(user.force.as_ref());
    json!({
        "name": user.name,
        "arn": user.arn,
        "root": user.is_root(),
        "console_password": user.password,
        "mfa": user.mfa,
        "devices": array(&user.devices, device),
        "access_keys": user.keys.as_ref().map(|all| array(all, |one| key(one, now))),
        "force_mfa": force_mfa,
        "lack": lack,
    })
}

fn group(group: &Group) -> Value {
    let (force_mfa, lack) = force(Some(&group.force));
    json!({
        "name": group.name,
        "users": group.users,
        "force_mfa": force_mfa,
        "lack": lack,
    })
}

fn device(device: &OneDevice) -> Value {
    let (step, reason) = match &device.step {
        Step::In => (Some("in-step"), None),
        Step::Drifted => (Some("drifted"), None),
        Step::Unclear(reason) => (None, Some(reason)),
        Step::Untried => (None, None),
    };
    let account = |summary: &Summary| {
        json!({
            "id": summary.id.to_string(),
            "label": summary.label(),
        })
    };
    json!({
        "serial_number": device.serial_number,
        "enabled": device.enabled,
        "account": device.account.as_ref().map(account),
        "step": step,
        "step_reason": reason,
    })
}

fn key(key: &Key, now: UnixTime) -> Value {
    json!({
        "access_key_id": key.id,
        "active": key.is_active,
        "created": key.since,
        "age_days": key.days(now),
        "old": key.is_old(now),
    })
}

fn force(force: Option<&Force>) -> (Option<bool>, Option<&'static str>) {
    match force {
        Some(Force::Forced) => (Some(true), None),
        Some(Force::Lacks(lack)) => (
            Some(false),
            Some(match lack {
                Lack::NoDeny => "no-deny",
                Lack::Partial => "partial",
                Lack::LongTermKeysPass => "long-term-keys-pass",
                Lack::SessionsPass => "sessions-pass",
            }),
        ),
        Some(Force::Unreadable(_)) | None => (None, None),
    }
}

/// Null where it wasn't seen, and where the account has none of its own: `hidden` tells which.
fn rules(rules: Option<&Rules>) -> Value {
    match rules {
        Some(Some(policy)) => json!({
            "minimum_password_length": policy.minimum_password_length,
            "max_password_age": policy.max_password_age,
            "password_reuse_prevention": policy.password_reuse_prevention,
            "allow_users_to_change_password": policy.allow_users_to_change_password,
            "requires": policy.requires,
        }),
        Some(None) | None => Value::Null,
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "text": finding.text,
        "names": finding.names,
        "advice": finding.advice,
    })
}

fn hidden(hidden: &Hidden) -> Value {
    let entries = hidden
        .iter()
        .map(|(name, reason)| ((*name).to_owned(), Value::from(reason.as_str())));
    Value::Object(entries.collect::<Map<_, _>>())
}
