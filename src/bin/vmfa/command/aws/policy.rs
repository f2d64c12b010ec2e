//! `vmfa aws policy`: a policy that forces MFA, printed or examined. Calls nobody and needs no vault.

use serde_json::{Value, json};
use vmfa::account::text::clean;
use vmfa::aws::arn::Partition;
use vmfa::aws::policy::{self, DeviceNames, Document, Finding, FirstPassword, Severity, Use};

use crate::args::aws::{ForceMfa, Policy, PolicyCheck, Scp, SelfService};
use crate::command::{counted, quoted};
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::Context;

pub(super) fn run(context: &Context, input: &Policy) -> Outcome<Exit> {
    match input {
        Policy::ForceMfa(input) => force_mfa(context, input),
        Policy::Scp(input) => scp(context, input),
        Policy::Check(input) => check(context, input),
    }
}

fn force_mfa(context: &Context, input: &ForceMfa) -> Outcome<Exit> {
    let options = policy::ForceMfa {
        partition: partition(&input.partition)?,
        first_password: first_password(input.allow_password_change),
        device_names: if input.device_is_user {
            DeviceNames::UserName
        } else {
            DeviceNames::Free
        },
        self_service: input.self_service.iter().map(service).collect(),
    };
    context
        .screen
        .line(&policy::force_mfa(&options))
        .map(|()| Exit::Done)
}

fn scp(context: &Context, input: &Scp) -> Outcome<Exit> {
    let partition = partition(&input.partition)?;
    let begin = format!("arn:{partition}:iam::");
    let is_user = |arn: &String| {
        arn.starts_with(&begin)
            && arn.contains(":user/")
            && arn.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if let Some(odd) = input.except.iter().find(|arn| !is_user(arn)) {
        return Err(Fault::usage(format!(
            "--except: {} is not the ARN of users in the partition {partition}",
            quoted(odd)
        ))
        .hint(format!("such as {begin}*:user/machines/*")));
    }
    let options = policy::Scp {
        partition,
        first_password: first_password(input.allow_password_change),
        left_out: input.except.clone(),
    };
    context
        .screen
        .line(&policy::scp(&options))
        .map(|()| Exit::Done)
}

fn partition(name: &str) -> Outcome<Partition> {
    Partition::new(name).ok_or_else(|| {
        Fault::usage(format!(
            "--partition: {} is not a partition of AWS",
            quoted(name)
        ))
        .hint("aws, aws-cn or aws-us-gov")
    })
}

fn first_password(allowed: bool) -> FirstPassword {
    if allowed {
        FirstPassword::BeforeMfa
    } else {
        FirstPassword::WithMfa
    }
}

fn service(service: &SelfService) -> policy::SelfService {
    match service {
        SelfService::Keys => policy::SelfService::Keys,
        SelfService::Passwords => policy::SelfService::Passwords,
        SelfService::Certificates => policy::SelfService::Certificates,
        SelfService::Ssh => policy::SelfService::Ssh,
        SelfService::Git => policy::SelfService::Git,
    }
}

fn check(context: &Context, input: &PolicyCheck) -> Outcome<Exit> {
    let document = read(context, input)?;
    let findings = policy::examine(&document);
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings, notes) = (
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note),
    );
    if input.json {
        context.screen.json(&json!({
            "characters": document.characters(),
            "errors": errors,
            "warnings": warnings,
            "notes": notes,
            "findings": findings.iter().map(described).collect::<Vec<_>>(),
        }))?;
    } else {
        for finding in &findings {
            print(context, finding)?;
        }
        let summary = if findings.is_empty() {
            "nothing to say against it".to_owned()
        } else {
            [
                counted(errors, "error"),
                counted(warnings, "warning"),
                counted(notes, "note"),
            ]
            .join(", ")
        };
        context.screen.line(&summary)?;
    }
    // As of `check` and `doctor`: what was looked at isn't sound.
    Ok(if errors > 0 {
        Exit::Damaged
    } else {
        Exit::Done
    })
}

fn read(context: &Context, input: &PolicyCheck) -> Outcome<Document> {
    let most = policy::MAX_LEN as u64;
    let (name, bytes) = if input.file.as_os_str() == "-" {
        ("standard input".to_owned(), files::read_stdin(most)?)
    } else {
        let name = context.place.show(&input.file);
        let read = files::read(&input.file, most).map_err(|fault| fault.at(&name))?;
        (name, read.0)
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        Fault::usage(format!(
            "{name}: byte {} is not UTF-8",
            error.valid_up_to() + 1
        ))
    })?;
    let document = Document::read(text).map_err(|error| Fault::from(error).at(&name))?;
    Ok(if input.scp {
        document.meant_for(Use::Organisation)
    } else {
        document
    })
}

fn print(context: &Context, finding: &Finding) -> Outcome {
    let screen = &context.screen;
    let mark = match finding.severity {
        Severity::Error => screen.bold("ERROR  "),
        Severity::Warning => screen.bold("warning"),
        Severity::Note => screen.faint("note   "),
    };
    let place = match &finding.statement {
        None => String::new(),
        Some(place) => match &place.sid {
            Some(sid) => format!("statement {} ({}): ", place.number, clean(sid)),
            None => format!("statement {}: ", place.number),
        },
    };
    screen.line(&format!(
        "{mark}  {place}{} {}",
        clean(&finding.text),
        screen.faint(&format!("[{}]", finding.id))
    ))?;
    screen.line(&format!("         -> {}", clean(&finding.advice)))
}

fn described(finding: &Finding) -> Value {
    json!({
        "severity": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "id": finding.id,
        "statement": finding.statement.as_ref().map(|place| json!({ "number": place.number, "sid": place.sid })),
        "text": finding.text,
        "advice": finding.advice,
    })
}
