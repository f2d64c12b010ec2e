//! `vmfa scan`: what is in a picture. Needs no vault.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use vmfa::account::text::clean;
use vmfa::account::{Draft, Drafted};
use vmfa::clock::UnixTime;
use vmfa::import::{self, Batch};
use vmfa::qr::{self, Scanned};
use vmfa::secret::SecretText;
use zeroize::Zeroizing;

use crate::args::Scan;
use crate::command::named;
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Scan) -> Outcome<Exit> {
    let mut worst = Exit::Done;
    let mut read_any = false;
    let mut values = Vec::new();
    let mut texts = Vec::new();
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
    let rows = match import::read_text(text.expose()) {
        Ok(read) => read.drafts,
        Err(refusal) => vec![Err(refusal)],
    };
    for row in rows {
        // The time is only for the account's record, and this one isn't kept.
        let row = row.and_then(|draft: Draft| draft.into_account(UnixTime::from_secs(0)));
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
    let fail = |error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound {
            Exit::NotFound
        } else {
            Exit::Internal
        };
        let what = if exit == Exit::NotFound {
            "no such file".into()
        } else {
            error.to_string()
        };
        Fault::new(exit, format!("{name}: {what}"))
    };
    let mut bytes = Zeroizing::new(Vec::new());
    if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(qr::MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
    } else {
        let metadata = std::fs::metadata(path).map_err(fail)?;
        if let Some(what) = unreadable(path, &metadata) {
            return Err(Fault::usage(format!("{name}: {what}, not a picture")));
        }
        let room = usize::try_from(metadata.len().min(qr::MAX_FILE_BYTES)).unwrap_or(0);
        bytes.reserve_exact(room + 1);
        File::open(path)
            .map_err(fail)?
            .take(qr::MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
    }
    if bytes.is_empty() {
        return Err(Fault::usage(format!("{name}: empty, not a picture")));
    }
    qr::scan(&bytes).map_err(|error| Fault::from(error).at(&name))
}

/// What can't be a picture, or would make us wait for ever.
fn unreadable(path: &Path, metadata: &std::fs::Metadata) -> Option<&'static str> {
    if metadata.is_dir() {
        return Some("a directory");
    }
    if metadata.is_file() {
        return None;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        // A shell's `<(command)` is a pipe with somebody at its other end.
        if kind.is_fifo() && (path.starts_with("/dev/fd") || path.starts_with("/proc")) {
            return None;
        }
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    let _ = path;
    Some("a device")
}

/// What to say of each migration that isn't whole.
pub(crate) fn warn_of_missing(context: &Context, batches: &[Batch]) {
    for batch in batches.iter().filter(|batch| !batch.is_complete()) {
        context
            .screen
            .warn(&format!("this migration is not whole: {batch}"));
    }
}
