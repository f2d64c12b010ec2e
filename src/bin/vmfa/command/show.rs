//! `vmfa show`: all about one account.

use vmfa::account::text::clean;
use vmfa::account::{Summary, key_uri};
use vmfa::base32;

use crate::args::Show;
#[cfg(unix)]
use crate::command::{by_query, words_of};
use crate::command::{list, named, pick};
use crate::fault::Outcome;
use crate::unlock::{Asking, Context};

pub(crate) fn run(context: &Context, input: &Show) -> Outcome {
    let secrets = input.secret || input.uri;
    // A secret is never the agent's to give.
    #[cfg(unix)]
    if !secrets && let Some(client) = context.agent() {
        let query = words_of(&input.query)?;
        let found = client.find(&query);
        if let Some(summary) = by_query(context, &query, found)? {
            return print(context, &summary, None, input);
        }
    }
    let vault = context.open_by(if secrets {
        Asking::Again
    } else {
        Asking::Usual
    })?;
    let summaries: Vec<_> = vault.live().collect();
    let summary = pick(&input.query, &summaries)?;
    let screen = &context.screen;
    if input.secret {
        return screen.line(base32::encode(&vault.account(&summary.id)?.secret).expose());
    }
    if input.uri {
        return screen.line(key_uri::write(&vault.account(&summary.id)?).expose());
    }
    let bits = vault.account(&summary.id)?.secret.len() * 8;
    print(context, summary, Some(bits), input)
}

/// The account without its secret; how long that is, where it could be looked at.
fn print(context: &Context, summary: &Summary, bits: Option<usize>, input: &Show) -> Outcome {
    let screen = &context.screen;
    if input.json {
        return screen.json(&list::described(summary));
    }
    let mut text = screen.bold(&named(summary));
    for (name, value) in fields(summary, bits) {
        let name = screen.faint(&format!("{name:<14}"));
        text.push_str(&format!("\n  {name} {}", clean(&value)));
    }
    screen.line(&text)
}

pub(crate) fn fields(summary: &Summary, bits: Option<usize>) -> Vec<(&'static str, String)> {
    let scheme = &summary.scheme;
    let mut fields = vec![
        ("issuer", summary.issuer.clone()),
        ("account", summary.name.clone()),
        (
            "label prefix",
            summary.label_issuer.clone().unwrap_or_default(),
        ),
        ("type", scheme.name().into()),
        ("algorithm", scheme.algorithm_name().into()),
        ("digits", scheme.digits().to_string()),
        (
            "period",
            scheme
                .period()
                .map(|period| format!("{period} s"))
                .unwrap_or_default(),
        ),
        (
            "counter",
            summary
                .counter
                .map(|counter| format!("{counter} (the next one)"))
                .unwrap_or_default(),
        ),
        (
            "steps from",
            if scheme.t0() == 0 {
                String::new()
            } else {
                format!("{} s after 1970", scheme.t0())
            },
        ),
        (
            "secret",
            match bits {
                Some(bits) => format!("{bits} bits; `vmfa show --secret` prints it"),
                None => "`vmfa show --secret` prints it".into(),
            },
        ),
        (
            "serial number",
            summary.serial_number.clone().unwrap_or_default(),
        ),
        ("tags", summary.tags.join(" ")),
        ("note", summary.note.clone()),
        (
            "favorite",
            if summary.favorite {
                "yes".into()
            } else {
                String::new()
            },
        ),
        (
            "confirm",
            if summary.confirm {
                "yes: asks before each code".into()
            } else {
                String::new()
            },
        ),
        ("image", summary.image.clone().unwrap_or_default()),
        ("id", summary.id.to_string()),
    ];
    if summary.conflict {
        fields.push((
            "CONFLICT",
            "two writers gave this account two secrets; both are kept: try both, remove the wrong one, `vmfa edit --settled`".into(),
        ));
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields
}
