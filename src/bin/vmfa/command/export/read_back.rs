//! An export is read before it is anywhere.

use vmfa::account::{Account, Drafted};
use vmfa::clock::UnixTime;
use vmfa::export::{Fate, Target, compare};
use vmfa::import::{self, Alone, ImportError, Source};
use vmfa::secret::{Secret, SecretText};

use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

/// What is to be written.
pub(super) struct Written<'a> {
    pub(super) target: &'a Target,
    /// By their names.
    pub(super) files: &'a [(String, Secret)],
    pub(super) passphrase: Option<&'a SecretText>,
}

/// Reads the files as `vmfa import` would, and holds every account in them against the one that went in.
pub(super) fn check(
    context: &Context,
    written: &Written<'_>,
    accounts: &[Account],
    fates: &[Fate],
    now: UnixTime,
) -> Outcome {
    if written.target.read_by.is_none() {
        return Ok(());
    }
    let read =
        read(written, now).map_err(|error| differs(&format!("it can't be read back: {error}")))?;
    let comparison = compare(written.target, accounts, fates, &read);
    if !comparison.agrees() {
        let mut what = Vec::new();
        if !comparison.missing.is_empty() {
            what.push(format!(
                "{} differ or are missing",
                few(&comparison.missing)
            ));
        }
        if comparison.extra > 0 {
            what.push(format!("{} too many", comparison.extra));
        }
        return Err(differs(&what.join("; ")));
    }
    if !comparison.changed.is_empty() {
        context.screen.warn(&format!(
            "read back, the codes are right and a word is not as it was: {}",
            few(&comparison.changed)
        ));
    }
    Ok(())
}

fn differs(what: &str) -> Fault {
    Fault::new(
        Exit::Internal,
        format!("the export isn't what went into it, and was not kept: {what}"),
    )
    .hint("please report this; another format may do meanwhile")
}

/// Some labels, and how many more.
fn few(labels: &[String]) -> String {
    const TOLD: usize = 5;
    let shown: Vec<&str> = labels.iter().take(TOLD).map(String::as_str).collect();
    match labels.len().saturating_sub(TOLD) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn read(written: &Written<'_>, now: UnixTime) -> Result<Vec<Account>, ImportError> {
    let mut rows = Vec::new();
    let mut texts = Vec::new();
    for (name, bytes) in written.files {
        let source = Source {
            name,
            bytes: bytes.expose(),
            beside: &Alone,
        };
        for reading in import::read(&source, None, written.passphrase)? {
            rows.extend(reading.contents.rows);
            texts.extend(reading.contents.texts);
        }
    }
    let texts = texts.iter();
    let collected = import::collect(texts.map(|(place, text)| (place.as_str(), text.expose())));
    rows.extend(collected.rows);
    // A row that is refused is an account that is missing.
    let drafted = rows
        .into_iter()
        .filter_map(|row| row.and_then(|draft| draft.into_account(now)).ok());
    Ok(drafted.map(|Drafted { account, .. }| account).collect())
}
