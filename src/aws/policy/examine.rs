//! What is wrong with a policy that is meant to force MFA, and what to write instead.

mod conditions;
mod denies;
mod exceptions;
mod grants;
mod whole;

use super::document::{Document, Statement};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy doesn't do what it is meant to, or locks people out.
    Error,
    /// Likely not meant, or a nuisance for those who enrol.
    Warning,
    /// A trade-off: to know, and to decide.
    Note,
}

/// Which statement a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub number: usize,
    /// Its Sid, as written.
    pub sid: Option<String>,
}

/// One thing to say about a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its stable name: `bool-without-if-exists`.
    pub id: &'static str,
    /// The statement; none where it is the whole policy.
    pub statement: Option<Place>,
    /// What is wrong.
    pub text: String,
    /// What to write instead.
    pub advice: String,
}

/// What there is to say about a policy: errors first, then warnings, then notes, each in the order of the statements.
pub fn examine(document: &Document) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    whole::examine(document, &mut findings);
    for statement in document.statements() {
        conditions::examine(statement, &mut findings);
        denies::examine(document, statement, &mut findings);
        exceptions::examine(statement, &mut findings);
    }
    grants::examine(document, &mut findings);
    let number = |finding: &Finding| finding.statement.as_ref().map_or(0, |place| place.number);
    findings
        .0
        .sort_by_key(|finding| (finding.severity, number(finding)));
    findings.0
}

/// What was found so far.
struct Findings(Vec<Finding>);

impl Findings {
    fn at(
        &mut self,
        severity: Severity,
        id: &'static str,
        statement: &Statement,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Finding {
            severity,
            id,
            statement: Some(Place {
                number: statement.number,
                sid: statement.sid.clone(),
            }),
            text: text.into(),
            advice: advice.into(),
        });
    }

    fn whole(
        &mut self,
        severity: Severity,
        id: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.0.push(Finding {
            severity,
            id,
            statement: None,
            text: text.into(),
            advice: advice.into(),
        });
    }

    fn has(&self, id: &str) -> bool {
        self.0.iter().any(|finding| finding.id == id)
    }
}
