//! A Deny about MFA: whom it hits, and what of it.

use super::super::document::{Actions, Document, Effect, Resources, Statement, Use};
use super::super::enforced::{asks_for_mfa, is_broad, made_good, opens_a_service};
use super::super::session::{AGE, Caller, Holds, PRESENT, Verdict, narrowing};
use super::super::shown;
use super::{Findings, Severity};

/// What a Deny without MFA has to say, in full.
const RIGHT: &str =
    "write \"Condition\": {\"BoolIfExists\": {\"aws:MultiFactorAuthPresent\": \"false\"}}";

pub(super) fn examine(document: &Document, statement: &Statement, findings: &mut Findings) {
    let verdict = Verdict::of(statement);
    if statement.effect != Effect::Deny || !verdict.asks || verdict.others.no() {
        return;
    }
    whom(document, statement, &verdict, findings);
    if asks_for_mfa(statement).is_some() {
        of_what(document, statement, &verdict, findings);
        if document.meant() == Use::Organisation {
            in_an_organisation(statement, &verdict, findings);
        }
    }
    age(statement, &verdict, findings);
}

fn whom(document: &Document, statement: &Statement, verdict: &Verdict, findings: &mut Findings) {
    let (keys, sessions, mfa) = (verdict.long_term_key, verdict.no_mfa, verdict.mfa);
    if mfa == Holds::Yes {
        let text = if sessions == Holds::Yes && keys == Holds::Yes {
            "it denies everyone, whether they used MFA or not"
        } else {
            "it denies those who did use MFA"
        };
        findings.at(Severity::Error, "denies-with-mfa", statement, text, RIGHT);
        return;
    }
    if keys.no() && sessions.no() {
        if mfa.no() {
            let text = "it denies nobody: no request there is meets this condition";
            findings.at(Severity::Error, "never-matches", statement, text, RIGHT);
        }
        return;
    }
    if keys.no() && !made_good(document, statement, Caller::LongTermKey) {
        let operator = operator_on(statement, PRESENT).unwrap_or("this condition");
        findings.at(
            Severity::Error,
            "bool-without-if-exists",
            statement,
            format!(
                "a request with a long-term access key has no aws:MultiFactorAuthPresent, so {} never matches it: \
                 the command line stays open without MFA",
                shown(operator)
            ),
            RIGHT,
        );
    }
    if sessions.no() && !made_good(document, statement, Caller::NoMfa) {
        findings.at(
            Severity::Error,
            "sessions-without-mfa-pass",
            statement,
            "it denies where the key doesn't exist, but a session without MFA, such as the console's, has it with the value \
             \"false\", and passes",
            RIGHT,
        );
    }
}

fn of_what(document: &Document, statement: &Statement, verdict: &Verdict, findings: &mut Findings) {
    let advice = "write \"Resource\": \"*\", and a NotAction that lists what stays open";
    match &statement.resources {
        Resources::These(_) | Resources::AllBut(_) if !statement.is_about_all_resources() => {
            let text = "it denies on some resources only: all others stay open without MFA";
            findings.at(
                Severity::Warning,
                "deny-limited-resources",
                statement,
                text,
                advice,
            );
        }
        Resources::These(_) | Resources::AllBut(_) | Resources::Unsaid => {}
    }
    if let Actions::These(these) = &statement.actions
        && !these
            .iter()
            .any(|pattern| opens_a_service(pattern) && !pattern.contains(':'))
        && !has_broad_deny(document)
    {
        let text = "it denies some actions only: all others stay open without MFA";
        findings.at(
            Severity::Warning,
            "deny-limited-actions",
            statement,
            text,
            advice,
        );
    }
    if verdict.others == Holds::Depends {
        let keys: Vec<String> = narrowing(statement).map(shown).collect();
        let leaves_some_out = keys
            .iter()
            .all(|key| key.eq_ignore_ascii_case("aws:PrincipalArn"));
        findings.at(
            if leaves_some_out { Severity::Note } else { Severity::Warning },
            "deny-narrowed",
            statement,
            format!("it denies only where its other conditions hold as well ({}): whoever falls outside needs no MFA", keys.join(", ")),
            "leave the other conditions out, unless those left out are meant to be",
        );
    }
}

/// A service control policy reaches the roles of all accounts, which have no MFA of their own.
fn in_an_organisation(statement: &Statement, verdict: &Verdict, findings: &mut Findings) {
    let has = |name: &str| {
        statement
            .conditions
            .iter()
            .any(|it| it.key.eq_ignore_ascii_case(name))
    };
    if !has("aws:PrincipalArn") && !has("aws:PrincipalType") && verdict.others.yes() {
        findings.at(
            Severity::Error,
            "scp-denies-roles",
            statement,
            "in a service control policy it denies roles too: an instance's, a function's or a pipeline's session has no MFA, and \
             stops working",
            "add \"ArnLike\": {\"aws:PrincipalArn\": \"arn:aws:iam::*:user/*\"} to the condition",
        );
        return;
    }
    findings.at(
        Severity::Note,
        "scp-root-user",
        statement,
        "it doesn't hold for the root users of the member accounts; no service control policy reaches the management account",
        "remove the member accounts' root credentials, or give root its own statement with arn:aws:iam::*:root",
    );
}

fn age(statement: &Statement, verdict: &Verdict, findings: &mut Findings) {
    if operator_on(statement, AGE).is_none() {
        return;
    }
    let text = if verdict.long_term_key.no() && verdict.no_mfa.no() {
        "aws:MultiFactorAuthAge exists only where MFA was used: by itself this limits how old MFA may be, and asks nobody for it"
    } else {
        "sessions end early for what it denies: one of 36 hours is as good as the age allows"
    };
    findings.at(
        Severity::Note,
        "mfa-age",
        statement,
        text,
        "keep a Deny with BoolIfExists aws:MultiFactorAuthPresent \"false\" beside it, and the age above the length of a session",
    );
}

fn has_broad_deny(document: &Document) -> bool {
    document.statements().iter().any(|other| {
        is_broad(other) && asks_for_mfa(other).is_some_and(|verdict| verdict.others.yes())
    })
}

fn operator_on<'a>(statement: &'a Statement, key: &str) -> Option<&'a str> {
    statement
        .conditions
        .iter()
        .find(|condition| condition.key.eq_ignore_ascii_case(key))
        .map(|condition| condition.operator.as_str())
}
