//! Which accounts may meet a query at all, told at a glance, so that only a few are looked at closely.
//!
//! Whatever a query meets, be it a whole label, a name, a serial number or words, the account holds each word of the query
//! where a word begins, with the signs before it left away. There are two exceptions: an id, and an AWS account ID, of which
//! the query may hold only the digits.

use std::borrow::Borrow;

use crate::account::Summary;
use crate::account::query::words::{key, parts, push_haystack};
use crate::account::query::{Query, SHORT_NAMES, short_name};

/// The accounts that may meet a query; none that does is left out.
pub(super) enum Candidates {
    All,
    /// In ascending order, each once.
    Some(Vec<usize>),
}

impl Candidates {
    /// The indices, in ascending order, in a slice so long.
    pub(super) fn indices(&self, len: usize) -> impl Iterator<Item = usize> {
        let (all, some) = match self {
            Self::All => (0..len, [].iter()),
            Self::Some(indices) => (0..0, indices.iter()),
        };
        all.chain(some.copied())
    }
}

/// The texts of which an account that meets the query holds all, folded, each where a word begins; none when nothing can be
/// told from its words.
pub(super) fn keys<'q>(query: &'q Query<'_>) -> Vec<&'q str> {
    query.words().into_iter().filter_map(key).collect()
}

/// Looks at all accounts, at each once.
pub(super) fn among<S: Borrow<Summary>>(query: &Query<'_>, among: &[S]) -> Candidates {
    let mut look = Look::new(query);
    if look.longest.is_none() {
        return Candidates::All;
    }
    let indices = 0..among.len();
    Candidates::Some(
        indices
            .filter(|index| look.may_meet(query, among[*index].borrow()))
            .collect(),
    )
}

/// A look at one account after another.
pub(super) struct Look {
    /// The longest key says most. Without one, nothing can be told.
    longest: Option<String>,
    /// Kept from one account to the next.
    text: String,
}

impl Look {
    pub(super) fn new(query: &Query<'_>) -> Self {
        let longest = keys(query).into_iter().max_by_key(|key| key.len());
        Self {
            longest: longest.map(str::to_owned),
            text: String::with_capacity(256),
        }
    }

    /// Whether an account may meet the query of which this look was made.
    pub(super) fn may_meet(&mut self, query: &Query<'_>, summary: &Summary) -> bool {
        let Some(longest) = &self.longest else {
            return true;
        };
        let text = &mut self.text;
        let mut holds = |key: &str| {
            in_ascii(summary, key).unwrap_or_else(|| {
                text.clear();
                push_haystack(summary, text);
                text.contains(key)
            })
        };
        holds(longest)
            || query.begins_id_of(summary)
            || query.aws_account.as_deref().is_some_and(holds)
    }
}

/// Whether the haystack of an account in plain ASCII holds a key, without building it; nothing for another account.
fn in_ascii(summary: &Summary, key: &str) -> Option<bool> {
    // A key holds no space, so it is within one part.
    let mut held = SHORT_NAMES.iter().any(|(_, short)| short.contains(key))
        && short_name(summary).is_some_and(|short| short.contains(key));
    for part in parts(summary) {
        if !part.is_ascii() {
            return None;
        }
        held = held || holds(part.as_bytes(), key.as_bytes());
    }
    Some(held)
}

/// Whether a text in plain ASCII holds another one, whatever the case.
fn holds(text: &[u8], key: &[u8]) -> bool {
    let Some(first) = key.first() else {
        return true;
    };
    let Some(last) = text.len().checked_sub(key.len()) else {
        return false;
    };
    // The fifth bit tells upper from lower case; what it makes alike besides is told apart by the closer look.
    (0..=last).any(|at| {
        text[at] | 0x20 == first | 0x20 && text[at..at + key.len()].eq_ignore_ascii_case(key)
    })
}
