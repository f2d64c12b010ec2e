//! `vmfa edit` and `vmfa rename`.

use vmfa::account::text::clean;
use vmfa::authenticator::Authenticator;
use vmfa::otp::Scheme;
use vmfa::secret::SecretText;

use crate::args::{Edit, Rename};
use crate::command::piped::secret_line;
use crate::command::{named, only_dash, pick, save};
use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: Edit) -> Outcome {
    let pin = only_dash("--pin", input.pin.as_deref())?;
    let serial_number = input
        .serial_number
        .as_deref()
        .map(serial_number)
        .transpose()?;
    if !changes_anything(&input) {
        return Err(Fault::usage("nothing to change: name what")
            .hint("`vmfa edit --help` shows the options"));
    }
    let mut vault = context.open()?;
    let summaries = vault.summaries()?;
    let summary = pick(&input.query, &summaries)?;
    if pin && !matches!(summary.scheme, Scheme::Motp | Scheme::Yandex) {
        return Err(Fault::usage(format!(
            "{} is {} and has no PIN: only motp and yandex mix one in",
            named(summary),
            summary.scheme.name()
        )));
    }
    if let (Some(_), false) = (input.counter, matches!(summary.scheme, Scheme::Hotp(_))) {
        return Err(Fault::usage(format!(
            "{} is time-based and has no counter",
            named(summary)
        )));
    }
    let pin = if pin {
        Some(secret_line("PIN", &mut None)?)
    } else {
        None
    };
    let now = context.now()?;
    vault.change(&summary.id, now, |summary| {
        let text = |given: &Option<String>, field: &mut String| {
            if let Some(given) = given {
                *field = clean(given).into_owned();
            }
        };
        text(&input.issuer, &mut summary.issuer);
        text(&input.account, &mut summary.name);
        text(&input.note, &mut summary.note);
        if input.issuer.is_some() {
            summary.label_issuer = None;
        }
        if let Some(serial_number) = &serial_number {
            summary.serial_number.clone_from(serial_number);
        }
        for tag in input.tags.iter().map(|tag| clean(tag).into_owned()) {
            if !tag.is_empty() && !summary.tags.contains(&tag) {
                summary.tags.push(tag);
            }
        }
        summary.tags.retain(|tag| !input.untags.contains(tag));
        summary.favorite = (summary.favorite || input.favorite) && !input.no_favorite;
        summary.counter = input.counter.or(summary.counter);
    })?;
    if input.settled {
        vault.settle(&summary.id, now)?;
    }
    if let Some(pin) = pin {
        let pin = (!pin.is_empty()).then(|| SecretText::new(pin.expose().to_owned()));
        vault.set_pin(&summary.id, pin, now)?;
    }
    save(context, &mut vault, now)?;
    context
        .screen
        .remark(&format!("changed {}", named(summary)));
    Ok(())
}

pub(crate) fn rename(context: &Context, input: &Rename) -> Outcome {
    let mut vault = context.open()?;
    let summaries = vault.summaries()?;
    let summary = pick(std::slice::from_ref(&input.query), &summaries)?;
    let (issuer, name) = split_name(&input.new);
    if name.is_empty() && issuer.as_deref().is_none_or(str::is_empty) {
        return Err(Fault::usage("the new name is empty"));
    }
    let now = context.now()?;
    let mut new = summary.clone();
    vault.change(&summary.id, now, |summary| {
        summary.name.clone_from(&name);
        if let Some(issuer) = &issuer {
            summary.issuer.clone_from(issuer);
            summary.label_issuer = None;
        }
        new = summary.clone();
    })?;
    save(context, &mut vault, now)?;
    context
        .screen
        .remark(&format!("{} is now {}", named(summary), named(&new)));
    Ok(())
}

fn changes_anything(input: &Edit) -> bool {
    let texts = [
        &input.issuer,
        &input.account,
        &input.note,
        &input.serial_number,
        &input.pin,
    ];
    texts.iter().any(|text| text.is_some())
        || !input.tags.is_empty()
        || !input.untags.is_empty()
        || input.favorite
        || input.no_favorite
        || input.counter.is_some()
        || input.settled
}

/// ISSUER:NAME, or a name alone.
pub(crate) fn split_name(text: &str) -> (Option<String>, String) {
    let text = clean(text);
    match text.split_once(':') {
        Some((issuer, name)) => (Some(issuer.trim().into()), name.trim().into()),
        None => (None, text.trim().into()),
    }
}

/// An MFA device's serial number is an ARN; an empty one takes it away.
pub(crate) fn serial_number(given: &str) -> Outcome<Option<String>> {
    let given = clean(given);
    let fields: Vec<&str> = given.splitn(6, ':').collect();
    match fields.as_slice() {
        [""] => Ok(None),
        ["arn", partition, "iam", "", account, resource]
            if partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource
                    .strip_prefix("mfa/")
                    .is_some_and(|name| !name.is_empty()) =>
        {
            Ok(Some(given.into_owned()))
        }
        _ => Err(Fault::usage(format!(
            "--serial-number: {given:?} is not the ARN of a virtual MFA device"
        ))
        .hint("such as arn:aws:iam::123456789012:mfa/alice")),
    }
}
