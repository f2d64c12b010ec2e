//! Whether the policies that apply to one user keep everything shut until there is MFA.

use super::document::{Actions, Document, Effect, Statement};
use super::pattern::covers;
use super::session::{Caller, Holds, Verdict};

/// What is missing for MFA to be forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// No statement denies anything to those without MFA.
    NoDeny,
    /// There is a Deny, but only for some actions, some resources, or under a further condition.
    Partial,
    /// Sessions without MFA are denied; long-term access keys are not: `Bool` where `BoolIfExists` is needed.
    LongTermKeysPass,
    /// Long-term access keys are denied; sessions without MFA, such as the console's, are not.
    SessionsPass,
}

/// Given all identity policies that apply to one user (their own, inline and attached, and their groups'): what is missing for
/// a user without MFA to be kept from everything but enrolling; none where they are.
///
/// One Deny for both kinds of callers counts as much as two, one for each. Who is denied more, even enrolling, is kept out too.
pub fn lacks_force_mfa(documents: &[Document]) -> Option<Lack> {
    let mut partial = false;
    let (mut keys, mut sessions) = (false, false);
    for statement in documents.iter().flat_map(Document::statements) {
        let Some(verdict) = asks_for_mfa(statement) else {
            continue;
        };
        if is_broad(statement) && verdict.others.yes() {
            keys |= verdict.long_term_key.yes();
            sessions |= verdict.no_mfa.yes();
        } else {
            partial |= !verdict.others.no();
        }
    }
    match (keys, sessions) {
        (true, true) => None,
        (false, true) => Some(Lack::LongTermKeysPass),
        (true, false) => Some(Lack::SessionsPass),
        (false, false) if partial => Some(Lack::Partial),
        (false, false) => Some(Lack::NoDeny),
    }
}

/// What a Deny comes to that tells callers with MFA from one of the others.
pub(super) fn asks_for_mfa(statement: &Statement) -> Option<Verdict> {
    let verdict = Verdict::of(statement);
    let denies = statement.effect == Effect::Deny && !statement.principal && verdict.asks;
    let some = verdict.long_term_key.yes() || verdict.no_mfa.yes();
    // One that hits those with MFA as well is no demand for MFA; by age it may.
    (denies && some && verdict.mfa != Holds::Yes).then_some(verdict)
}

/// Whether a Deny is about everything, but for a list of actions that opens no service as a whole.
pub(super) fn is_broad(statement: &Statement) -> bool {
    let actions = match &statement.actions {
        Actions::These(these) => these.iter().any(|pattern| covers(pattern, "*")),
        Actions::AllBut(those) => !those.iter().any(|pattern| opens_a_service(pattern)),
    };
    actions && statement.is_about_all_resources()
}

/// `*`, `iam:*`, `i*`.
pub(super) fn opens_a_service(pattern: &str) -> bool {
    let actions = pattern.split_once(':').map_or(pattern, |parts| parts.1);
    !actions.is_empty() && actions.chars().all(|character| character == '*')
}

/// Whether another statement of the document denies to that caller all that this one denies to others.
pub(super) fn made_good(document: &Document, statement: &Statement, caller: Caller) -> bool {
    document.statements().iter().any(|other| {
        other.number != statement.number
            && asks_for_mfa(other)
                .is_some_and(|verdict| verdict.for_caller(caller).yes() && verdict.others.yes())
            && (other.is_about_all_resources() || other.resources == statement.resources)
            && is_as_wide(&other.actions, &statement.actions)
    })
}

fn is_as_wide(wide: &Actions, narrow: &Actions) -> bool {
    let within =
        |patterns: &[String], one: &String| patterns.iter().any(|pattern| covers(pattern, one));
    match (wide, narrow) {
        (Actions::These(wide), Actions::These(narrow)) => {
            narrow.iter().all(|one| within(wide, one))
        }
        (Actions::AllBut(wide), Actions::AllBut(narrow)) => {
            wide.iter().all(|one| within(narrow, one))
        }
        (Actions::These(wide), Actions::AllBut(_)) => within(wide, &"*".to_owned()),
        // Nothing that is left open on one side may be asked for on the other.
        (Actions::AllBut(wide), Actions::These(narrow)) => !wide.iter().any(|open| {
            narrow
                .iter()
                .any(|one| covers(open, one) || covers(one, open))
        }),
    }
}
