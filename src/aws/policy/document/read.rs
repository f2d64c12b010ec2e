//! From text to a policy document, with the place of whatever isn't as IAM's grammar has it.

use super::super::json::Json;
use super::super::{MAX_LEN, PolicyError, shown};
use super::{Actions, Condition, Document, Effect, Resources, Statement, Use, Value};
use crate::account::percent::{Plus, decode};

/// Reads what [`Document::read`] says it does.
pub(super) fn document(text: &str) -> Result<Document, PolicyError> {
    if text.len() > MAX_LEN {
        return Err(PolicyError::TooLong);
    }
    let text = text.trim_start_matches('\u{feff}');
    let (json, meant) = unwrapped(Json::read(text)?)?;
    let Json::Object(members) = &json else {
        return Err(PolicyError::NotAPolicy("an object was expected"));
    };
    let mut version = None;
    let mut statements = None;
    for (name, value) in members {
        match name.as_str() {
            "Version" => version = Some(text_of(value, "Version")?),
            "Id" => drop(text_of(value, "Id")?),
            "Statement" => statements = Some(value),
            other => return Err(element("the document", &unknown(other, &TOP))),
        }
    }
    let statements = match statements {
        None => return Err(PolicyError::NotAPolicy("it has no Statement")),
        Some(Json::List(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    if statements.is_empty() {
        return Err(PolicyError::NotAPolicy("its Statement is empty"));
    }
    let statements = (1..)
        .zip(statements)
        .map(|(number, value)| statement(number, value))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Document {
        version,
        meant: meant.unwrap_or_else(|| guessed(&statements)),
        characters: dense(&json),
        statements,
    })
}

const TOP: [&str; 3] = ["Version", "Id", "Statement"];
const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
];

/// The document in an answer of AWS's command line, and what it is then meant for.
fn unwrapped(json: Json) -> Result<(Json, Option<Use>), PolicyError> {
    if json.get("Statement").is_some() {
        return Ok((json, None));
    }
    let (held, meant) =
        if let Some(policy) = json.get("Policy").filter(|it| it.get("Content").is_some()) {
            let kind = policy.get("PolicySummary").and_then(|it| it.get("Type"));
            let scp = kind == Some(&Json::Text("SERVICE_CONTROL_POLICY".into()));
            (policy.get("Content"), scp.then_some(Use::Organisation))
        } else {
            let version = json.get("PolicyVersion").and_then(|it| it.get("Document"));
            (version.or(json.get("PolicyDocument")), Some(Use::Identity))
        };
    match held {
        None => Ok((json, None)),
        Some(Json::Text(text)) => {
            if text.trim_start().starts_with('{') {
                return Ok((Json::read(text)?, meant));
            }
            // As IAM's API gives documents (RFC 3986).
            let plain = decode(text, Plus::Literal);
            if plain.invalid_utf8 {
                return Err(PolicyError::NotAPolicy(
                    "its url-encoded document isn't UTF-8",
                ));
            }
            Ok((Json::read(&plain.text)?, meant))
        }
        Some(document) => Ok((document.clone(), meant)),
    }
}

fn statement(number: usize, value: &Json) -> Result<Statement, PolicyError> {
    let here = format!("statement {number}");
    let Json::Object(members) = value else {
        return Err(element(&here, "an object was expected"));
    };
    let at = |name: &str| format!("{here}, {name}");
    let (mut sid, mut effect, mut principal) = (None, None, false);
    let (mut actions, mut resources) = (None, None);
    let mut conditions = Vec::new();
    for (name, value) in members {
        let twice = |there: bool, pair: &str| {
            if there {
                return Err(element(
                    &here,
                    &format!("both {pair} and Not{pair}: one of them"),
                ));
            }
            Ok(())
        };
        match name.as_str() {
            "Sid" => sid = Some(text_of(value, &at("Sid"))?),
            "Effect" => {
                effect = Some(match text_of(value, &at("Effect"))?.as_str() {
                    "Allow" => Effect::Allow,
                    "Deny" => Effect::Deny,
                    other => {
                        let problem = format!("\"{}\" is neither Allow nor Deny", shown(other));
                        return Err(element(&at("Effect"), &problem));
                    }
                });
            }
            "Action" | "NotAction" => {
                twice(actions.is_some(), "Action")?;
                let list = patterns(value, &at(name))?;
                if let Some(odd) = list.iter().find(|one| *one != "*" && !one.contains(':')) {
                    let problem = format!(
                        "\"{}\" has no service in front, as in iam:GetUser",
                        shown(odd)
                    );
                    return Err(element(&at(name), &problem));
                }
                actions = Some(if name == "Action" {
                    Actions::These(list)
                } else {
                    Actions::AllBut(list)
                });
            }
            "Resource" | "NotResource" => {
                twice(resources.is_some(), "Resource")?;
                let list = patterns(value, &at(name))?;
                resources = Some(if name == "Resource" {
                    Resources::These(list)
                } else {
                    Resources::AllBut(list)
                });
            }
            "Principal" | "NotPrincipal" => principal = true,
            "Condition" => conditions = read_conditions(value, &at("Condition"))?,
            other => return Err(element(&here, &unknown(other, &ELEMENTS))),
        }
    }
    let effect = effect.ok_or_else(|| element(&here, "it has no Effect"))?;
    let actions = actions.ok_or_else(|| element(&here, "it has neither Action nor NotAction"))?;
    if resources.is_none() && !principal {
        return Err(element(&here, "it has neither Resource nor NotResource"));
    }
    Ok(Statement {
        number,
        sid,
        effect,
        actions,
        resources: resources.unwrap_or(Resources::Unsaid),
        principal,
        conditions,
    })
}

fn read_conditions(value: &Json, at: &str) -> Result<Vec<Condition>, PolicyError> {
    let Json::Object(operators) = value else {
        return Err(element(
            at,
            "an object was expected: {\"operator\": {\"key\": \"value\"}}",
        ));
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let at = format!("{at}, {}", shown(operator));
        let Json::Object(keys) = keys else {
            return Err(element(&at, "an object was expected: {\"key\": \"value\"}"));
        };
        for (key, values) in keys {
            let at = format!("{at}, {}", shown(key));
            let values = match values {
                Json::List(list) => list
                    .iter()
                    .map(|value| scalar(value, &at))
                    .collect::<Result<_, _>>()?,
                one => vec![scalar(one, &at)?],
            };
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                values,
            });
        }
    }
    Ok(conditions)
}

fn scalar(value: &Json, at: &str) -> Result<Value, PolicyError> {
    match value {
        Json::Text(text) => Ok(Value::Text(text.clone())),
        Json::Bool(value) => Ok(Value::Bool(*value)),
        Json::Number(digits) => Ok(Value::Number(digits.clone())),
        Json::Null | Json::List(_) | Json::Object(_) => Err(element(at, "a string was expected")),
    }
}

fn patterns(value: &Json, at: &str) -> Result<Vec<String>, PolicyError> {
    match value {
        Json::List(list) => list.iter().map(|one| text_of(one, at)).collect(),
        one => Ok(vec![text_of(one, at)?]),
    }
}

fn text_of(value: &Json, at: &str) -> Result<String, PolicyError> {
    match value {
        Json::Text(text) => Ok(text.clone()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => {
            Err(element(at, "a string was expected"))
        }
    }
}

fn element(at: &str, problem: &str) -> PolicyError {
    PolicyError::Element {
        at: at.into(),
        problem: problem.into(),
    }
}

/// IAM refuses a document with an element it doesn't know; their case counts.
fn unknown(name: &str, known: &[&str]) -> String {
    let plain = |text: &str| text.to_ascii_lowercase().trim_end_matches('s').to_owned();
    let near = known.iter().find(|one| plain(one) == plain(name));
    match near {
        Some(near) => format!(
            "\"{}\" is no element of a policy: it is written {near}",
            shown(name)
        ),
        None => format!("\"{}\" is no element of a policy", shown(name)),
    }
}

/// A document that only denies, and says which principals it means, is what an organisation attaches.
fn guessed(statements: &[Statement]) -> Use {
    let names_principals = |statement: &Statement| {
        statement.conditions.iter().any(|condition| {
            let key = condition.key.to_ascii_lowercase();
            key == "aws:principalarn" || key == "aws:principaltype"
        })
    };
    let denies = |statement: &Statement| statement.effect == Effect::Deny;
    if statements.iter().all(denies) && statements.iter().any(names_principals) {
        Use::Organisation
    } else {
        Use::Identity
    }
}

/// How many characters the document takes without white space between its parts.
fn dense(json: &Json) -> usize {
    let quoted = |text: &str| {
        let escaped = |character: char| match character {
            '"' | '\\' => 2,
            _ if character.is_whitespace() => 0,
            _ => 1,
        };
        2 + text.chars().map(escaped).sum::<usize>()
    };
    let commas = |count: usize| count.saturating_sub(1);
    match json {
        Json::Null => 4,
        Json::Bool(value) => value.to_string().len(),
        Json::Number(digits) => digits.len(),
        Json::Text(text) => quoted(text),
        Json::List(list) => 2 + commas(list.len()) + list.iter().map(dense).sum::<usize>(),
        Json::Object(members) => {
            let each = |member: &(String, Json)| quoted(&member.0) + 1 + dense(&member.1);
            2 + commas(members.len()) + members.iter().map(each).sum::<usize>()
        }
    }
}
