//! The document as a whole: its version, its size, whether it forces MFA at all.

use super::super::document::{Actions, Document, Effect, Resources, Use};
use super::super::enforced::asks_for_mfa;
use super::super::session::Verdict;
use super::{Findings, Severity};

/// The quotas of IAM and of Organizations, in characters; IAM leaves out white space.
const USER_INLINE: usize = 2048;
const GROUP_INLINE: usize = 5120;
const SCP: usize = 5120;
const MANAGED: usize = 6144;
const ROLE_INLINE: usize = 10_240;

pub(super) fn examine(document: &Document, findings: &mut Findings) {
    version(document, findings);
    size(document, findings);
    for statement in document
        .statements()
        .iter()
        .filter(|statement| statement.principal)
    {
        findings.at(
            Severity::Error,
            "principal-in-identity-policy",
            statement,
            "it names a Principal, as the trust policy of a role or the policy of a bucket does: IAM refuses that in a policy for users, \
             groups or roles",
            "take Principal out, or examine the policy that was meant",
        );
    }
    forced(document, findings);
}

fn version(document: &Document, findings: &mut Findings) {
    let current = "write \"Version\": \"2012-10-17\"";
    let has_variables = document.statements().iter().any(|statement| {
        let resources = match &statement.resources {
            Resources::These(list) | Resources::AllBut(list) => list.as_slice(),
            Resources::Unsaid => &[],
        };
        let values = statement
            .conditions
            .iter()
            .flat_map(|condition| &condition.values);
        resources.iter().any(|text| text.contains("${"))
            || values.into_iter().any(|value| value.text().contains("${"))
    });
    let (id, what) = match document.version() {
        Some("2012-10-17") => return,
        Some("2008-10-17") => ("old-version", "Version is 2008-10-17"),
        Some(_) => {
            let text = "IAM knows two versions, 2012-10-17 and 2008-10-17, and refuses the policy";
            findings.whole(Severity::Error, "unknown-version", text, current);
            return;
        }
        None => ("no-version", "without a Version it is that of 2008-10-17"),
    };
    if has_variables {
        let text = format!(
            "{what}, in which ${{aws:username}} is no variable but plain text: the statements that use it fit no user"
        );
        findings.whole(Severity::Error, "version-without-variables", text, current);
    } else {
        findings.whole(
            Severity::Warning,
            id,
            format!("{what}: variables such as ${{aws:username}} won't work in it"),
            current,
        );
    }
}

fn size(document: &Document, findings: &mut Findings) {
    let has = document.characters();
    if document.meant() == Use::Organisation {
        if has > SCP {
            let text = format!(
                "{has} characters without white space: a service control policy was long limited to {SCP}"
            );
            findings.whole(
                Severity::Warning,
                "too-large-for-scp",
                text,
                "split it, or see your organisation's quota",
            );
        }
        return;
    }
    if has > MANAGED {
        findings.whole(
            Severity::Error,
            "too-large",
            format!("{has} characters without white space: a managed policy may have {MANAGED}, an inline one {USER_INLINE} in a user, \
                     {GROUP_INLINE} in a group and {ROLE_INLINE} in a role"),
            "split it, or shorten its lists with wildcards",
        );
    } else if has > USER_INLINE {
        let group = if has > GROUP_INLINE {
            "neither a user nor a group"
        } else {
            "no user"
        };
        findings.whole(
            Severity::Note,
            "inline-size",
            format!("{has} characters without white space: as an inline policy it fits {group} ({USER_INLINE} in a user, {GROUP_INLINE} in a group)"),
            "make it a managed policy, and attach it to a group",
        );
    }
}

fn forced(document: &Document, findings: &mut Findings) {
    let verdicts = || {
        document
            .statements()
            .iter()
            .map(|statement| (statement, Verdict::of(statement)))
    };
    // A Deny that is wrong has its own findings.
    let tries = document
        .statements()
        .iter()
        .any(|statement| asks_for_mfa(statement).is_some())
        || verdicts().any(|(statement, verdict)| statement.effect == Effect::Deny && verdict.asks);
    if tries {
        return;
    }
    let advice = "add the Deny that `vmfa aws policy force-mfa` prints";
    if verdicts().any(|(_, verdict)| verdict.asks) {
        findings.whole(
            Severity::Warning,
            "no-mfa-deny",
            "it grants only with MFA, but denies nothing without: what another policy grants stays open without MFA",
            advice,
        );
    } else {
        let all = |actions: &Actions| matches!(actions, Actions::These(these) if these.iter().any(|one| one == "*"));
        let denies_all = document.statements().iter().any(|it| {
            it.effect == Effect::Deny
                && all(&it.actions)
                && it.is_about_all_resources()
                && it.conditions.is_empty()
        });
        let text = if denies_all {
            "it denies everything to everyone, whether they used MFA or not"
        } else {
            "nothing in it asks for MFA"
        };
        findings.whole(Severity::Error, "no-mfa-condition", text, advice);
    }
}
