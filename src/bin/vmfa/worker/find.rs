//! Accounts on their way in: what is pasted, a picture, the screen, the clipboard. Nothing is saved here.

use std::path::PathBuf;

use vmfa::account::text::clean;
use vmfa::account::{Draft, Drafted, Refusal};
use vmfa::import;
use vmfa::secret::SecretText;

use super::Worker;
use crate::command::found::{self, Found};
use crate::command::piped::uris_of;
use crate::command::relabel::Words;
use crate::command::{named, scan};
use crate::fault::{Exit, Fault, Outcome};
use crate::tui::message::{Find, Report, Row, RowKind};

impl Worker {
    /// What is there to be added, in words; it is kept for a yes.
    pub(super) fn find(&mut self, find: Find) -> Outcome<Report> {
        self.found.clear();
        let mut rows = Vec::new();
        let drafts = match find {
            Find::Text { text, name } => typed(text, &name)?,
            Find::Picture(path) => self.picture(&path)?,
            #[cfg(feature = "screen")]
            Find::Screen => taken(found::on_screen(&self.context.place)?, &mut rows),
            Find::Clipboard => {
                let found = found::in_clipboard(&self.context.place)?;
                if let Some(secret) = found.bare_secret {
                    return Ok(Report::Bare(secret));
                }
                taken(found, &mut rows)
            }
            #[cfg(not(feature = "screen"))]
            Find::Screen => {
                return Err(Fault::usage("vmfa was built without a look at the screen"));
            }
        };
        let now = self.context.now()?;
        for draft in drafts {
            match draft.and_then(|draft| draft.into_account(now)) {
                Ok(drafted) => {
                    rows.push(Row {
                        text: described(&drafted),
                        kind: RowKind::Account,
                    });
                    self.found.push(drafted);
                }
                Err(refusal) => rows.push(Row {
                    text: clean(&refusal.to_string()).into_owned(),
                    kind: RowKind::Refused,
                }),
            }
        }
        if rows.is_empty() {
            return Err(Fault::new(Exit::NotFound, "nothing was found in it"));
        }
        Ok(Report::Found(rows))
    }

    fn picture(&self, path: &str) -> Outcome<Vec<Result<Draft, Refusal>>> {
        // As shells write it; and terminals paste a file that is dropped on them in quotes.
        let path = path.trim_matches(['\'', '"']);
        let path = match (path.strip_prefix("~/"), self.context.place.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            (_, _) => PathBuf::from(path),
        };
        let scanned = scan::read(&self.context, &path)?;
        let name = scan::picture_name(&self.context, &path);
        if scanned.texts.is_empty() {
            return Err(scan::without_code(&name, &scanned));
        }
        Ok(together(&name, &scanned.texts))
    }
}

/// A Key URI (or several), or a secret with a name.
fn typed(text: SecretText, name: &str) -> Outcome<Vec<Result<Draft, Refusal>>> {
    let words = if name.is_empty() {
        None
    } else {
        Some(Words::of_label(name)?)
    };
    let mut drafts = if text.expose().contains("://") {
        let uris: Vec<SecretText> = uris_of("", &text).into_iter().map(|(_, uri)| uri).collect();
        together("", &uris)
    } else {
        vec![Ok(Draft {
            secret: Some(text),
            ..Draft::default()
        })]
    };
    if let (Some(words), [Ok(draft)]) = (words, drafts.as_mut_slice()) {
        if let Some(issuer) = words.issuer {
            draft.issuer = Some(issuer);
        }
        draft.name = words.name.or(draft.name.take());
    }
    Ok(drafts)
}

/// What was found on the screen or in the clipboard; what else is to be known becomes rows.
fn taken(found: Found, rows: &mut Vec<Row>) -> Vec<Result<Draft, Refusal>> {
    rows.extend(found.remarks.iter().map(|remark| Row {
        text: clean(remark).into_owned(),
        kind: RowKind::Remark,
    }));
    let texts = found.texts.iter();
    import::collect(texts.map(|(place, text)| (place.as_str(), text.expose()))).rows
}

/// What several texts hold: the parts of a migration find each other.
fn together(place: &str, texts: &[SecretText]) -> Vec<Result<Draft, Refusal>> {
    import::collect(texts.iter().map(|text| (place, text.expose()))).rows
}

/// An account, before it is one: never its secret.
fn described(drafted: &Drafted) -> String {
    let summary = &drafted.account.summary;
    let scheme = &summary.scheme;
    let moving = match (scheme.period(), summary.counter) {
        (Some(period), _) => format!("{period} s"),
        (None, counter) => format!("counter {}", counter.unwrap_or(0)),
    };
    let mut text = format!(
        "{}   {} {} {} digits, {moving}",
        named(summary),
        scheme.name(),
        scheme.algorithm_name(),
        scheme.digits()
    );
    for warning in &drafted.warnings {
        text.push_str(&format!("; {}", clean(&warning.to_string())));
    }
    text
}
