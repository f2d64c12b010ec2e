//! What is allowed: enough to enrol, on one's own devices, and not without MFA where MFA was asked for.

use super::super::document::{Actions, Document, Effect, Resources, Statement, Use};
use super::super::enforced::lacks_force_mfa;
use super::super::pattern::covers;
use super::super::session::{Caller, Verdict};
use super::super::shown;
use super::{Findings, Severity};

/// Actions on a user, by which one user could take over another.
const ON_A_USER: [&str; 9] = [
    "iam:EnableMFADevice",
    "iam:DeactivateMFADevice",
    "iam:ResyncMFADevice",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:DeleteAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:DeleteLoginProfile",
];

/// Actions that know no resource: only "*" fits.
const ON_NOTHING: [&str; 3] = [
    "iam:ListVirtualMFADevices",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
];

const CREATE: &str = "iam:CreateVirtualMFADevice";
const ENABLE: &str = "iam:EnableMFADevice";

pub(super) fn examine(document: &Document, findings: &mut Findings) {
    let forced = lacks_force_mfa(std::slice::from_ref(document)).is_none();
    for statement in allows(document) {
        with_mfa(statement, forced, findings);
        resources(statement, findings);
    }
    if document.meant() == Use::Identity && !findings.has("no-mfa-condition") {
        enrolment(document, findings);
    }
}

fn allows(document: &Document) -> impl Iterator<Item = &Statement> {
    document
        .statements()
        .iter()
        .filter(|statement| statement.effect == Effect::Allow && !statement.principal)
}

/// An Allow that asks for MFA, by whom it serves.
fn with_mfa(statement: &Statement, forced: bool, findings: &mut Findings) {
    const RIGHT: &str =
        "write \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}";
    let verdict = Verdict::of(statement);
    if !verdict.asks {
        return;
    }
    let [keys, sessions, mfa] =
        [Caller::LongTermKey, Caller::NoMfa, Caller::Mfa].map(|caller| verdict.for_caller(caller));
    if mfa.no() {
        let text = if keys.no() && sessions.no() {
            "it allows nobody: no request there is meets this condition"
        } else {
            "it allows only those who didn't use MFA"
        };
        findings.at(
            Severity::Error,
            "allows-without-mfa-only",
            statement,
            text,
            RIGHT,
        );
        return;
    }
    // Where a Deny keeps them out anyway, the slip does no harm by itself.
    let severity = if forced {
        Severity::Warning
    } else {
        Severity::Error
    };
    match (keys.yes(), sessions.yes()) {
        (true, false) => findings.at(
            severity,
            "if-exists-in-allow",
            statement,
            "a request with a long-term access key has no such key, and an …IfExists in an Allow then holds: long-term keys get in \
             without MFA",
            RIGHT,
        ),
        (false, true) => findings.at(
            severity,
            "null-is-not-mfa",
            statement,
            "the key exists in every session, with MFA or without: sessions without MFA get in",
            RIGHT,
        ),
        (true, true) => findings.at(
            severity,
            "condition-without-effect",
            statement,
            "the condition holds with MFA and without",
            RIGHT,
        ),
        (false, false) => {}
    }
}

fn resources(statement: &Statement, findings: &mut Findings) {
    let (Actions::These(actions), Resources::These(resources)) =
        (&statement.actions, &statement.resources)
    else {
        return;
    };
    let names = |action: &str| {
        // An administrator's grant of everything is no slip.
        actions
            .iter()
            .any(|pattern| covers(pattern, action) && !covers(pattern, "iam:*"))
    };
    let on = |kind: &str| resources.iter().any(|resource| fits(resource, kind));
    if names(CREATE) {
        if !on("mfa/") {
            findings.at(
                Severity::Error,
                "create-resource",
                statement,
                format!("{CREATE} is about a device (arn:aws:iam::*:mfa/…), and no resource here is one: it allows nothing"),
                "write \"Resource\": \"arn:aws:iam::*:mfa/*\"",
            );
        } else if !resources
            .iter()
            .any(|resource| fits(resource, "mfa/") && !resource.contains("${"))
        {
            findings.at(
                Severity::Note,
                "device-name-forced",
                statement,
                "a device has to be called exactly as its user is: the console asks for a name and then denies any other, and a second \
                 device isn't possible",
                "write \"Resource\": \"arn:aws:iam::*:mfa/*\", unless the names are to tell whose device it is",
            );
        }
    }
    if names(ENABLE) && !on("user/") {
        findings.at(
            Severity::Error,
            "enable-resource",
            statement,
            format!("{ENABLE} is about a user (arn:aws:iam::*:user/…), and no resource here is one: it allows nothing"),
            "write \"Resource\": \"arn:aws:iam::*:user/${aws:username}\"",
        );
    }
    let of_others = resources.iter().find(|resource| {
        let name = resource.splitn(6, ':').nth(5).unwrap_or(resource);
        fits(resource, "user/") && !resource.contains("${aws:username}") && name.contains('*')
    });
    if let (Some(action), Some(resource)) =
        (ON_A_USER.iter().find(|action| names(action)), of_others)
    {
        findings.at(
            Severity::Error,
            "others-credentials",
            statement,
            format!(
                "{action} on \"{}\": every user may do that to every other",
                shown(resource)
            ),
            "write \"Resource\": \"arn:aws:iam::*:user/${aws:username}\"",
        );
    }
    for action in ON_NOTHING.iter().filter(|action| names(action)) {
        if !resources.iter().any(|resource| covers(resource, "*")) {
            findings.at(
                Severity::Warning,
                "needs-star-resource",
                statement,
                format!("{action} knows no resources: with anything but \"*\" it allows nothing"),
                format!("give {action} a statement of its own with \"Resource\": \"*\""),
            );
        }
    }
}

/// Whether a resource pattern can mean something of that kind in IAM: `mfa/`, `user/`.
fn fits(resource: &str, kind: &str) -> bool {
    if covers(resource, "*") {
        return true;
    }
    let name = resource.splitn(6, ':').nth(5).unwrap_or_default();
    let begin = name.split(['*', '?']).next().unwrap_or_default();
    name.starts_with(kind) || begin.len() < name.len() && kind.starts_with(begin)
}

/// Whether a user without a device may make and enable one, as far as this document says.
fn enrolment(document: &Document, findings: &mut Findings) {
    let granted = |action: &str| -> Vec<Verdict> {
        allows(document)
            .filter(|statement| statement.is_about(action))
            .map(Verdict::of)
            .collect()
    };
    let wanted = [CREATE, ENABLE];
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|action| granted(action).is_empty())
        .collect();
    if !missing.is_empty() {
        findings.whole(
            Severity::Note,
            "no-enrolment-grant",
            format!("it doesn't allow {}: a user enrols only if another policy does", missing.join(" and ")),
            "add the Allow statements that `vmfa aws policy force-mfa` prints, or attach a policy that has them",
        );
    }
    for action in wanted {
        let verdicts = granted(action);
        let anyone = |verdict: &Verdict| verdict.long_term_key.yes() || verdict.no_mfa.yes();
        if !verdicts.is_empty() && !verdicts.iter().any(anyone) {
            findings.whole(
                Severity::Error,
                "enrolment-needs-mfa",
                format!(
                    "{action} is allowed only with MFA, which a user without a device can't have"
                ),
                "allow it without the condition about MFA",
            );
        }
    }
}
