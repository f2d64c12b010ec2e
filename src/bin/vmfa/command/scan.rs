//! `vmfa scan`: what is in a picture. Needs no vault.

use std::path::Path;

use serde_json::{Value, json};
use vmfa::account::text::clean;
use vmfa::account::{Draft, Drafted};
use vmfa::clock::UnixTime;
use vmfa::import::{self, Batch};
use vmfa::qr::{self, Scanned};
use vmfa::secret::SecretText;

use crate::args::Scan;
use crate::command::found;
use crate::command::named;
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Scan) -> Outcome<Exit> {
    let mut worst = Exit::Done;
    let mut read_any = false;
    let mut values = Vec::new();
    let mut texts = Vec::new();
    for found in elsewhere(context, input) {
        match found {
            Ok(found) => {
                read_any = true;
                for remark in &found.remarks {
                    context.screen.warn(remark);
                }
                if found.bare_secret.is_some() {
                    found
                        .told()
                        .iter()
                        .try_for_each(|line| context.screen.line(line))?;
                }
                for (name, text) in found.texts {
                    one(context, input, &name, &text, &mut values)?;
                    texts.push(text);
                }
            }
            Err(fault) => {
                worst = fault.exit();
                if input.json {
                    values.push(
                        json!({ "picture": "screen or clipboard", "error": fault.message() }),
                    );
                }
                fault.report(context.screen.err_colours());
            }
        }
    }
    for path in &input.pictures {
        let name = picture_name(context, path);
        let scanned = match read(context, path) {
            Ok(scanned) if scanned.texts.is_empty() => Err(without_code(&name, &scanned)),
            other => other,
        };
        match scanned {
            Ok(scanned) => {
                read_any = true;
                for text in &scanned.texts {
                    one(context, input, &name, text, &mut values)?;
                }
                texts.extend(scanned.texts);
            }
            Err(fault) => {
                worst = fault.exit();
                if input.json {
                    values.push(json!({ "picture": name, "error": fault.message() }));
                }
                fault.report(context.screen.err_colours());
            }
        }
    }
    if input.json {
        context.screen.json(&Value::Array(values))?;
    }
    let together = import::collect(texts.iter().map(|text| ("", text.expose())));
    warn_of_missing(context, &together.batches);
    Ok(if worst != Exit::Done && read_any {
        Exit::Partly
    } else {
        worst
    })
}

/// What is on the screens and in the clipboard, as far as it was asked for.
fn elsewhere(context: &Context, input: &Scan) -> Vec<Outcome<found::Found>> {
    let mut all = Vec::new();
    #[cfg(feature = "screen")]
    if input.screen {
        all.push(found::on_screen(&context.place));
    }
    if input.clipboard {
        all.push(found::in_clipboard(&context.place));
    }
    all
}

/// The accounts in a text, a line each: issuer, name and parameters, and why one is none.
pub(crate) fn told(name: &str, text: &SecretText) -> Vec<String> {
    let rows = rows(text).into_iter();
    rows.map(|row| said(name, &row)).collect()
}

/// The accounts in a text, or why not. The time is only for an account's record, and these aren't kept.
fn rows(text: &SecretText) -> Vec<Result<Drafted, vmfa::account::Refusal>> {
    let rows = match import::read_text(text.expose()) {
        Ok(read) => read.drafts,
        Err(refusal) => vec![Err(refusal)],
    };
    let checked =
        |row: Result<Draft, _>| row.and_then(|draft| draft.into_account(UnixTime::from_secs(0)));
    rows.into_iter().map(checked).collect()
}

/// One QR code, as it was asked for.
fn one(
    context: &Context,
    input: &Scan,
    name: &str,
    text: &SecretText,
    values: &mut Vec<Value>,
) -> Outcome {
    if input.secrets && !input.json {
        // A terminal gets no control characters; a pipe gets the text as it stands.
        let shown = if context.screen.out_is_terminal() {
            clean(text.expose())
        } else {
            text.expose().into()
        };
        return context.screen.line(&shown);
    }
    for row in rows(text) {
        if input.json {
            let mut value = described(name, &row);
            if input.secrets {
                value["text"] = text.expose().into();
            }
            values.push(value);
        } else {
            context.screen.line(&said(name, &row))?;
        }
    }
    Ok(())
}

fn said(name: &str, row: &Result<Drafted, vmfa::account::Refusal>) -> String {
    match row {
        Ok(Drafted { account, .. }) => {
            let scheme = &account.summary.scheme;
            let moving = match (scheme.period(), account.summary.counter) {
                (Some(period), _) => format!("{period} s"),
                (None, counter) => format!("counter {}", counter.unwrap_or(0)),
            };
            format!(
                "{name}: {}   {} {} {} digits, {moving}, secret of {} bits",
                named(&account.summary),
                scheme.name(),
                scheme.algorithm_name(),
                scheme.digits(),
                account.secret.len() * 8
            )
        }
        Err(refusal) => format!("{name}: no account: {}", clean(&refusal.to_string())),
    }
}

fn described(name: &str, row: &Result<Drafted, vmfa::account::Refusal>) -> Value {
    match row {
        Ok(Drafted { account, .. }) => {
            let summary = &account.summary;
            json!({
                "picture": name,
                "issuer": summary.issuer,
                "account": summary.name,
                "type": summary.scheme.name(),
                "algorithm": summary.scheme.algorithm_name(),
                "digits": summary.scheme.digits(),
                "period": summary.scheme.period(),
                "counter": summary.counter,
                "secret_bits": account.secret.len() * 8,
            })
        }
        Err(refusal) => json!({ "picture": name, "refused": refusal.to_string() }),
    }
}

/// A picture's name, safe to print.
pub(crate) fn picture_name(context: &Context, path: &Path) -> String {
    if path.as_os_str() == "-" {
        "standard input".into()
    } else {
        context.place.show(path)
    }
}

/// The error for a picture that has no QR code.
pub(crate) fn without_code(name: &str, scanned: &Scanned) -> Fault {
    Fault::new(Exit::NotFound, format!("{name}: no QR code in this picture of {} x {} pixels", scanned.width, scanned.height))
        .hint("is the whole code in it, with some white around? A larger or sharper picture helps; or type the secret: `vmfa add NAME --secret -`")
}

/// Every QR code of the picture at a path, or of standard input for `-`.
pub(crate) fn read(context: &Context, path: &Path) -> Outcome<Scanned> {
    let name = picture_name(context, path);
    let bytes = if path.as_os_str() == "-" {
        files::read_stdin(qr::MAX_FILE_BYTES)?
    } else {
        let read = files::read(path, qr::MAX_FILE_BYTES);
        read.map_err(|fault| fault.at(&name))?.0
    };
    if bytes.is_empty() {
        return Err(Fault::usage(format!("{name}: empty, not a picture")));
    }
    let scanned = qr::scan(&bytes).map_err(|error| Fault::from(error).at(&name))?;
    if scanned.damaged {
        context.screen.warn(&format!(
            "{name}: the picture is cut off or damaged; what could be read of it was read"
        ));
    }
    Ok(scanned)
}

/// What to say of each migration that isn't whole.
pub(crate) fn warn_of_missing(context: &Context, batches: &[Batch]) {
    for batch in batches.iter().filter(|batch| !batch.is_complete()) {
        context
            .screen
            .warn(&format!("this migration is not whole: {batch}"));
    }
}
