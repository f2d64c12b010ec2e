//! Conditions by their words: operators that don't exist, keys misspelt, values without quotation marks.

use super::super::document::{Condition, Statement, Value};
use super::super::operator::{Base, Operator};
use super::super::session::{AGE, PRESENT, is_about_mfa};
use super::super::shown;
use super::{Findings, Severity};

pub(super) fn examine(statement: &Statement, findings: &mut Findings) {
    for condition in &statement.conditions {
        words(statement, condition, findings);
        if condition.key.eq_ignore_ascii_case(PRESENT) {
            presence(statement, condition, findings);
        }
    }
}

fn words(statement: &Statement, condition: &Condition, findings: &mut Findings) {
    let (operator, key) = (shown(&condition.operator), shown(&condition.key));
    if Operator::new(&condition.operator).is_none() {
        findings.at(
            Severity::Error,
            "unknown-operator",
            statement,
            format!("\"{operator}\" is no condition operator: IAM refuses the policy"),
            "write BoolIfExists, Bool, or another of IAM's operators",
        );
    }
    if !is_about_mfa(&condition.key) && is_misspelt(&condition.key) {
        findings.at(
            Severity::Error,
            "unknown-mfa-key",
            statement,
            format!(
                "\"{key}\" is no key that AWS sets: a test of it never sees whether MFA was used"
            ),
            "write aws:MultiFactorAuthPresent",
        );
    }
    if condition
        .values
        .iter()
        .any(|value| matches!(value, Value::Bool(_)))
    {
        findings.at(
            Severity::Warning,
            "json-boolean",
            statement,
            format!(
                "the value of {key} is a JSON boolean. IAM's grammar lets the quotation marks be left off, so IAM takes it; \
                 programs that read or compare policies expect the string, and may not"
            ),
            "write \"true\" or \"false\", in quotation marks",
        );
    }
}

fn presence(statement: &Statement, condition: &Condition, findings: &mut Findings) {
    let Some(operator) = Operator::new(&condition.operator) else {
        return;
    };
    if !matches!(operator.base, Base::Bool | Base::Null) {
        findings.at(
            Severity::Warning,
            "mfa-operator",
            statement,
            format!(
                "{} compares aws:MultiFactorAuthPresent, which is a boolean",
                shown(&condition.operator)
            ),
            "write BoolIfExists in a Deny, Bool in an Allow",
        );
    }
    let is_boolean = |value: &Value| {
        ["true", "false"]
            .iter()
            .any(|word| value.text().eq_ignore_ascii_case(word))
    };
    if let Some(odd) = condition.values.iter().find(|value| !is_boolean(value)) {
        findings.at(
            Severity::Error,
            "mfa-value",
            statement,
            format!(
                "aws:MultiFactorAuthPresent is compared with \"{}\", which it never is",
                shown(odd.text())
            ),
            "write \"true\" or \"false\"",
        );
    }
    if operator.set.is_some() {
        findings.at(
            Severity::Warning,
            "mfa-set-operator",
            statement,
            format!(
                "{} is for keys of many values; aws:MultiFactorAuthPresent has one",
                shown(&condition.operator)
            ),
            "write BoolIfExists in a Deny, Bool in an Allow",
        );
    }
}

/// Whether a key is meant to be about MFA and isn't one that AWS knows.
fn is_misspelt(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    // IAM's own keys about security keys, and other services' keys, are what they are.
    let (service, name) = key.split_once(':').unwrap_or(("aws", &key));
    let near = |known: &str| {
        let known = known.split_once(':').map_or(known, |parts| parts.1);
        distance(name, known) <= 4
    };
    let says_so =
        name.contains("mfa") || name.contains("multifactor") || name.contains("multi-factor");
    near(PRESENT) || near(AGE) || says_so && (service == "aws" || service == "iam")
}

/// Levenshtein's distance; texts far longer than a key are far.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) =
        (one.chars().take(64).collect(), other.chars().collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != right);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}
