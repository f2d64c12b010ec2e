//! Accounts on their way in: what is pasted, a picture, the screen, the clipboard. Nothing is saved here.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};

use vmfa::account::text::clean;
use vmfa::account::{Draft, Drafted, Refusal};
use vmfa::import;
use vmfa::secret::SecretText;

use super::{Worker, said};
use crate::command::found::{self, Found};
use crate::command::piped::uris_of;
use crate::command::relabel::Words;
use crate::command::{named, scan};
use crate::fault::{Exit, Fault, Outcome};
use crate::place::Place;
use crate::tui::message::{Find, Report, Row, RowKind, Said, Tone};
use crate::unlock::Context;

/// What a search has found, for a yes.
#[derive(Default)]
pub(super) struct Harvest {
    /// The number of the search; what another one finds is dropped.
    pub(super) search: u64,
    pub(super) drafted: Vec<Drafted>,
}

impl Harvest {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Worker {
    pub(super) fn found(&self) -> MutexGuard<'_, Harvest> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for accounts on a thread of its own: it needs no key, may wait for a person whom the desktop asks, and a lock must not
    /// wait behind it.
    pub(super) fn look_for(&mut self, search: u64, find: Find) {
        *self.found() = Harvest {
            search,
            drafted: Vec::new(),
        };
        let finder = Finder {
            context: self.context.held_back(Place::read()),
            search,
        };
        let (found, report) = (Arc::clone(&self.found), Arc::clone(&self.report));
        let work = move || {
            let mut drafted = Vec::new();
            let answer = match finder.find(find, &mut drafted) {
                Ok(answer) => answer,
                Err(fault) => Report::NotFound(search, said(&fault)),
            };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            // Who has left it meanwhile, or locked, doesn't want it.
            if found.search == search {
                found.drafted = drafted;
                drop(found);
                report(answer);
            }
        };
        if std::thread::Builder::new()
            .name("search".into())
            .spawn(work)
            .is_err()
        {
            let text = "the system has no room for another thread";
            self.tell(Report::NotFound(search, Said::new(Tone::Error, text)));
        }
    }
}

struct Finder {
    context: Context,
    search: u64,
}

impl Finder {
    /// What is there to be added, in words, and as it will be.
    fn find(&self, find: Find, found: &mut Vec<Drafted>) -> Outcome<Report> {
        let mut rows = Vec::new();
        let drafts = match find {
            Find::Text { text, name } => typed(text, &name)?,
            Find::Picture(path) => self.picture(&path)?,
            #[cfg(feature = "screen")]
            Find::Screen => taken(found::on_screen(&self.context.place)?, &mut rows),
            Find::Clipboard => {
                let found = found::in_clipboard(&self.context.place)?;
                if let Some(secret) = found.bare_secret {
                    return Ok(Report::Bare(self.search, secret));
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
                        kind: RowKind::Wanted,
                    });
                    found.push(drafted);
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
        Ok(Report::Found(self.search, rows))
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
