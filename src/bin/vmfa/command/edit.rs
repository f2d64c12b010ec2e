//! `vmfa edit` and `vmfa rename`.

use vmfa::account::Summary;
use vmfa::authenticator::Authenticator;
use vmfa::otp::Scheme;
use vmfa::secret::SecretText;
use vmfa::vault::Unlocked;

use crate::args::{Edit, Rename};
use crate::command::piped::secret_line;
use crate::command::relabel::Words;
use crate::command::{named, only_dash, pick, save};
use crate::fault::{Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: Edit) -> Outcome {
    only_dash("--pin", input.pin.as_deref())?;
    // Nobody should type a passphrase for words that can't be taken.
    words_of(&input)?;
    if !changes_anything(&input) {
        return Err(Fault::usage("nothing to change: name what")
            .hint("`vmfa edit --help` shows the options"));
    }
    let mut vault = context.open()?;
    let changed = change(context, &mut vault, &input)?;
    context
        .screen
        .remark(&format!("changed {}", named(&changed)));
    Ok(())
}

fn words_of(input: &Edit) -> Outcome<Words> {
    Words::new(
        input.issuer.as_deref(),
        input.account.as_deref(),
        input.note.as_deref(),
        &input.tags,
        input.serial_number.as_deref(),
    )
}

/// Changes an account of an open vault, and saves. Gives the account as it was.
pub(crate) fn change(context: &Context, vault: &mut Unlocked, input: &Edit) -> Outcome<Summary> {
    let pin = only_dash("--pin", input.pin.as_deref())?;
    let words = words_of(input)?;
    let summaries = vault.summaries()?;
    let summary = pick(&input.query, &summaries)?;
    if pin && !summary.scheme.takes_pin() {
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
    let mut changed = summary.clone();
    words.put_on(&mut changed)?;
    if changed.label().is_empty() {
        return Err(Fault::usage(
            "an account without issuer and name can't be asked for",
        ));
    }
    changed.tags.retain(|tag| !input.untags.contains(tag));
    changed.favorite = (changed.favorite || input.favorite) && !input.no_favorite;
    changed.confirm = (changed.confirm || input.confirm) && !input.no_confirm;
    changed.counter = input.counter.or(changed.counter);
    vault.change(&summary.id, now, |there| there.clone_from(&changed))?;
    if input.settled {
        vault.settle(&summary.id, now)?;
    }
    if let Some(pin) = pin {
        let pin = (!pin.is_empty()).then(|| SecretText::new(pin.expose().to_owned()));
        vault.set_pin(&summary.id, pin, now)?;
    }
    save(context, vault, now)?;
    Ok(summary.clone())
}

pub(crate) fn rename(context: &Context, input: &Rename) -> Outcome {
    let mut vault = context.open()?;
    let summaries = vault.summaries()?;
    let summary = pick(std::slice::from_ref(&input.query), &summaries)?;
    let mut new = summary.clone();
    Words::of_label(&input.new)?.put_on(&mut new)?;
    if input.new.trim().is_empty() || new.label().is_empty() {
        return Err(Fault::usage("the new name is empty"));
    }
    let now = context.now()?;
    vault.change(&summary.id, now, |there| there.clone_from(&new))?;
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
        || input.confirm
        || input.no_confirm
        || input.counter.is_some()
        || input.settled
}
