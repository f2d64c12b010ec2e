//! Whether what was read back is what was written.

use crate::account::Account;
use crate::export::format::Target;
use crate::export::loss::{Fate, Lost, held};

/// How an export differs from the accounts it was made of, its declared losses aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The labels of those that should be there and aren't, or have another secret or other parameters.
    pub missing: Vec<String>,
    /// How many are there that nobody put there.
    pub extra: usize,
    /// The labels of those that are there, with the same codes, and with a label, a tag or another word changed.
    pub changed: Vec<String>,
}

impl Comparison {
    /// Whether every account is there with its codes, and no other.
    pub fn agrees(&self) -> bool {
        self.missing.is_empty() && self.extra == 0
    }
}

/// Holds the accounts that were read out of an export against those that went in.
pub fn compare(
    target: &Target,
    accounts: &[Account],
    fates: &[Fate],
    read: &[Account],
) -> Comparison {
    let mut comparison = Comparison::default();
    let mut left: Vec<&Account> = read.iter().collect();
    for (account, fate) in accounts.iter().zip(fates) {
        let Some(wanted) = held(account, fate) else {
            continue;
        };
        // Two accounts may have the same codes and differ in their words: the one that is most alike first.
        let is_alike = |found: &Account| {
            has_same_label(&wanted, found) && has_same_words(target, &wanted, found)
        };
        let is_it = |found: &&Account| gives_same_codes(&wanted, found);
        let find =
            |is: &dyn Fn(&Account) -> bool| left.iter().position(|found| is_it(found) && is(found));
        let best = find(&is_alike)
            .or_else(|| find(&|found| has_same_label(&wanted, found)))
            .or_else(|| find(&|_| true));
        match best {
            Some(index) => {
                let found = left.remove(index);
                if !is_alike(found) {
                    comparison.changed.push(account.summary.label());
                }
            }
            None => comparison.missing.push(account.summary.label()),
        }
    }
    comparison.extra = left.len();
    comparison
}

fn gives_same_codes(wanted: &Account, found: &Account) -> bool {
    wanted.gives_same_codes_as(found) && wanted.summary.counter == found.summary.counter
}

fn has_same_label(wanted: &Account, found: &Account) -> bool {
    wanted.summary.issuer == found.summary.issuer && wanted.summary.name == found.summary.name
}

fn has_same_words(target: &Target, wanted: &Account, found: &Account) -> bool {
    let (wanted, found) = (&wanted.summary, &found.summary);
    let is_unread = |lost| target.unread.contains(&lost);
    wanted.tags == found.tags
        && (wanted.note == found.note || is_unread(Lost::Note))
        && (wanted.favorite == found.favorite || is_unread(Lost::Favorite))
        && wanted.trashed.is_some() == found.trashed.is_some()
        && wanted.label_issuer == found.label_issuer
        && wanted.image == found.image
        && wanted.serial_number == found.serial_number
}
