//! What a Deny without MFA leaves open: enough to enrol, and nothing that would take the MFA off again.

use super::super::actions::{CHANGE_PASSWORD, DANGEROUS, LIST_USERS, NEEDED, PASSWORD_POLICY};
use super::super::document::{Actions, Statement};
use super::super::enforced::{asks_for_mfa, opens_a_service};
use super::super::pattern::covers;
use super::super::shown;
use super::{Findings, Severity};

pub(super) fn examine(statement: &Statement, findings: &mut Findings) {
    let Some(verdict) = asks_for_mfa(statement) else {
        return;
    };
    if verdict.others.no() || !statement.is_about_all_resources() {
        return;
    }
    match &statement.actions {
        Actions::These(these) => {
            let everything = these.iter().any(|pattern| covers(pattern, "*"));
            if everything || these.iter().any(|pattern| covers(pattern, "iam:*")) {
                findings.at(
                    Severity::Error,
                    "locks-out-enrolment",
                    statement,
                    "it denies enrolling as well: a user without a device can never get one",
                    "write a NotAction with what enrolling takes; `vmfa aws policy force-mfa` prints one",
                );
            }
        }
        Actions::AllBut(open) if open.iter().any(|pattern| covers(pattern, "*")) => findings.at(
            Severity::Error,
            "denies-nothing",
            statement,
            "NotAction has \"*\": the statement denies nothing",
            "list the actions of enrolling, and no others",
        ),
        Actions::AllBut(open) => {
            too_little(statement, open, findings);
            too_much(statement, open, findings);
            passwords(statement, open, findings);
        }
    }
}

fn is_open(open: &[String], action: &str) -> bool {
    open.iter().any(|pattern| covers(pattern, action))
}

fn too_little(statement: &Statement, open: &[String], findings: &mut Findings) {
    for needed in NEEDED.iter().filter(|needed| !is_open(open, needed.action)) {
        findings.at(
            needed.severity,
            needed.id,
            statement,
            format!("without {}, {}", needed.action, needed.without),
            format!("add {} to the NotAction list", needed.action),
        );
    }
}

fn too_much(statement: &Statement, open: &[String], findings: &mut Findings) {
    for pattern in open {
        if opens_a_service(pattern) {
            findings.at(
                Severity::Error,
                "open-service",
                statement,
                format!("\"{}\" leaves all of a service open without MFA, removing the MFA device included where it is IAM's", shown(pattern)),
                "list the single actions that enrolling takes",
            );
            continue;
        }
        for danger in DANGEROUS
            .iter()
            .filter(|danger| covers(pattern, danger.action))
        {
            findings.at(
                danger.severity,
                "open-dangerous-action",
                statement,
                format!(
                    "{} stays open without MFA: whoever stole a key or a password can {}",
                    danger.action, danger.lets
                ),
                format!("take {} out of the NotAction list", shown(pattern)),
            );
        }
        if covers(pattern, LIST_USERS) {
            findings.at(
                Severity::Note,
                "keeps-list-users",
                statement,
                "keeps iam:ListUsers open without MFA: the console's list of users shows, and so whoever stole a key learns every user's \
                 name. Enrolling one's own device doesn't take it",
                "take iam:ListUsers out, unless users are to find themselves in the console's list",
            );
        }
        if !is_known(pattern) {
            findings.at(
                Severity::Warning,
                "open-without-mfa",
                statement,
                format!(
                    "\"{}\" stays open without MFA, and enrolling doesn't take it",
                    shown(pattern)
                ),
                "take it out of the NotAction list",
            );
        }
    }
}

/// Whether there is something else to say of a pattern, or nothing because it only reads from IAM or STS.
fn is_known(pattern: &str) -> bool {
    let lower = pattern.to_ascii_lowercase();
    let reads = ["iam:get", "iam:list", "sts:get"]
        .iter()
        .any(|start| lower.starts_with(start));
    reads
        || NEEDED.iter().any(|needed| covers(pattern, needed.action))
        || DANGEROUS
            .iter()
            .any(|danger| covers(pattern, danger.action))
        || covers(pattern, CHANGE_PASSWORD)
        || lower == "iam:registersecuritykey"
}

fn passwords(statement: &Statement, open: &[String], findings: &mut Findings) {
    match (is_open(open, CHANGE_PASSWORD), is_open(open, PASSWORD_POLICY)) {
        (false, _) => findings.at(
            Severity::Note,
            "first-password-locked",
            statement,
            "a user who must change the password at the first sign-in, or whose password has expired, can't: changing it is denied \
             without MFA, and enrolling comes after it",
            "add iam:ChangePassword and iam:GetAccountPasswordPolicy, at the price that a stolen password can then be changed without MFA; \
             or give out passwords that need no change",
        ),
        (true, false) => findings.at(
            Severity::Warning,
            "password-policy-missing",
            statement,
            "the password can be changed without MFA, but the console can't read what a new one must look like",
            "add iam:GetAccountPasswordPolicy, or take iam:ChangePassword out",
        ),
        (true, true) => findings.at(
            Severity::Note,
            "password-without-mfa",
            statement,
            "the password can be changed without MFA: a first sign-in that demands it works, and whoever stole a password can set another \
             (with it alone they still get no further without the device, unless none is enabled yet)",
            "take iam:ChangePassword out, if no password that is given out has to be changed at the first sign-in",
        ),
    }
}
