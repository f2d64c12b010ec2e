//! What a statement's conditions come to for each of the three callers that differ in MFA.
//!
//! Sources: the IAM User Guide on `aws:MultiFactorAuthPresent`, on condition operators with a key that doesn't exist
//! (`…IfExists` and the negated ones are then true, the others false), and on `Null`.

use super::document::{Condition, Statement};
use super::operator::{Base, Operator, Set};
use super::pattern::covers;

/// An IAM user's request, by what it says about MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A long-term access key: no key about MFA exists.
    LongTermKey,
    /// A session without MFA, the console's too: "false", and no age.
    NoMfa,
    /// A session with MFA: "true", and an age.
    Mfa,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    /// On what only the request tells.
    Depends,
}

impl Holds {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Depends, _) | (_, Self::Depends) => Self::Depends,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    pub(super) fn yes(self) -> bool {
        self == Self::Yes
    }

    pub(super) fn no(self) -> bool {
        self == Self::No
    }
}

/// A key about MFA, by its name in lower case.
pub(super) const PRESENT: &str = "aws:multifactorauthpresent";
pub(super) const AGE: &str = "aws:multifactorauthage";

/// A statement's conditions, apart: those about MFA, for each caller, and all others, for an IAM user who calls directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether any condition is about MFA.
    pub(super) asks: bool,
    pub(super) long_term_key: Holds,
    pub(super) no_mfa: Holds,
    pub(super) mfa: Holds,
    pub(super) others: Holds,
}

impl Verdict {
    pub(super) fn of(statement: &Statement) -> Self {
        let about_mfa = |condition: &&Condition| is_about_mfa(&condition.key);
        let all = |caller: Caller| {
            let each = statement.conditions.iter().filter(about_mfa);
            each.fold(Holds::Yes, |holds, condition| {
                holds.and(evaluate(condition, caller))
            })
        };
        let others = statement
            .conditions
            .iter()
            .filter(|condition| !is_about_mfa(&condition.key));
        Self {
            asks: statement
                .conditions
                .iter()
                .any(|condition| is_about_mfa(&condition.key)),
            long_term_key: all(Caller::LongTermKey),
            no_mfa: all(Caller::NoMfa),
            mfa: all(Caller::Mfa),
            // The callers differ in one more thing, that a long-term key has no time of issue; without MFA is who matters.
            others: others.fold(Holds::Yes, |holds, condition| {
                holds.and(evaluate(condition, Caller::NoMfa))
            }),
        }
    }

    /// The conditions about MFA, for one caller.
    pub(super) fn for_caller(&self, caller: Caller) -> Holds {
        match caller {
            Caller::LongTermKey => self.long_term_key,
            Caller::NoMfa => self.no_mfa,
            Caller::Mfa => self.mfa,
        }
    }
}

/// The keys, other than those about MFA, on which it depends whether a statement holds.
pub(super) fn narrowing(statement: &Statement) -> impl Iterator<Item = &str> {
    let others = statement
        .conditions
        .iter()
        .filter(|it| !is_about_mfa(&it.key));
    others
        .filter(|condition| evaluate(condition, Caller::NoMfa) == Holds::Depends)
        .map(|condition| condition.key.as_str())
}

pub(super) fn is_about_mfa(key: &str) -> bool {
    key.eq_ignore_ascii_case(PRESENT) || key.eq_ignore_ascii_case(AGE)
}

/// What a request says under a key.
enum Said {
    Nothing,
    This(&'static str),
    /// Something that isn't known beforehand.
    Something,
    /// The ARN of some IAM user.
    UserArn,
    /// It isn't known whether the key exists.
    Unknown,
}

fn said(key: &str, caller: Caller) -> Said {
    let has_session = caller != Caller::LongTermKey;
    match key.to_ascii_lowercase().as_str() {
        PRESENT if !has_session => Said::Nothing,
        PRESENT if caller == Caller::Mfa => Said::This("true"),
        PRESENT => Said::This("false"),
        AGE if caller == Caller::Mfa => Said::Something,
        AGE => Said::Nothing,
        "aws:viaawsservice" | "aws:principalisawsservice" => Said::This("false"),
        "aws:principaltype" => Said::This("User"),
        "aws:username" | "aws:userid" | "aws:principalaccount" => Said::Something,
        "aws:principalarn" => Said::UserArn,
        "aws:securetransport" => Said::This("true"),
        _ => Said::Unknown,
    }
}

fn evaluate(condition: &Condition, caller: Caller) -> Holds {
    // IAM refuses a policy with an operator that it doesn't know.
    let Some(operator) = Operator::new(&condition.operator) else {
        return Holds::No;
    };
    let said = said(&condition.key, caller);
    let holds = |yes: bool| if yes { Holds::Yes } else { Holds::No };
    let any = |test: &dyn Fn(&str) -> bool| condition.values.iter().any(|value| test(value.text()));
    if operator.base == Base::Null {
        return match said {
            Said::Nothing => holds(any(&|value| value.eq_ignore_ascii_case("true"))),
            Said::This(_) | Said::Something | Said::UserArn => {
                holds(any(&|value| value.eq_ignore_ascii_case("false")))
            }
            Said::Unknown => Holds::Depends,
        };
    }
    match said {
        Said::Unknown | Said::Something => Holds::Depends,
        Said::Nothing => match operator.set {
            Some(Set::All) => Holds::Yes,
            Some(Set::Any) => holds(operator.if_exists),
            None => holds(operator.if_exists || operator.negated),
        },
        Said::UserArn => among_users(condition, operator),
        Said::This(said) => {
            let same = match operator.base {
                Base::Bool => any(&|value| value.eq_ignore_ascii_case(said)),
                Base::Text if operator.like => any(&|value| covers(value, said)),
                Base::Text => any(&|value| value == said),
                // Neither an ARN, a number nor a date.
                Base::Null | Base::Arn | Base::Other => false,
            };
            holds(same != operator.negated)
        }
    }
}

/// Whether `aws:PrincipalArn` holds for every IAM user, for none, or for some.
fn among_users(condition: &Condition, operator: Operator) -> Holds {
    if !matches!(operator.base, Base::Text | Base::Arn) {
        return Holds::No;
    }
    let every = |value: &str| {
        ["aws", "aws-cn", "aws-us-gov", "*"]
            .iter()
            .any(|partition| covers(value, &format!("arn:{partition}:iam::*:user/*")))
    };
    let values = || condition.values.iter().map(super::document::Value::text);
    let matched = if values().any(|value| operator.like && every(value)) {
        Holds::Yes
    } else if values().all(is_no_user) {
        Holds::No
    } else {
        Holds::Depends
    };
    match (matched, operator.negated) {
        (Holds::Depends, _) => Holds::Depends,
        (Holds::Yes, negated) => {
            if negated {
                Holds::No
            } else {
                Holds::Yes
            }
        }
        (Holds::No, negated) => {
            if negated {
                Holds::Yes
            } else {
                Holds::No
            }
        }
    }
}

/// Whether an ARN, or a pattern of some, can't be a user's: a role's, or the root user's.
fn is_no_user(arn: &str) -> bool {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    ["role/", "assumed-role/", "federated-user/"]
        .iter()
        .any(|kind| resource.starts_with(kind))
        || resource == "root"
}
