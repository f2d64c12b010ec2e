//! `vectors/aws/policy` says where each policy comes from.

use super::*;
use crate::aws::arn::Partition;

fn read(text: &str) -> Document {
    Document::read(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// `error:denies-nothing`, sorted.
fn found(document: &Document) -> Vec<String> {
    let word = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut found: Vec<String> = examine(document)
        .iter()
        .map(|finding| format!("{}:{}", word(finding.severity), finding.id))
        .collect();
    found.sort();
    found
}

fn has(text: &str, id: &str) -> bool {
    examine(&read(text)).iter().any(|finding| finding.id == id)
}

/// A document of one statement, without its braces.
fn one(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{{{statement}}}}}"#)
}

/// A Force-MFA Deny with that condition.
fn deny(condition: &str) -> String {
    let open: Vec<String> = actions::NEEDED
        .iter()
        .map(|needed| format!("\"{}\"", needed.action))
        .collect();
    let open = open.join(",");
    one(&format!(
        r#""Effect":"Deny","NotAction":[{open}],"Resource":"*","Condition":{condition}"#
    ))
}

/// An Allow of everything with that condition, and nothing else.
fn allow(condition: &str) -> String {
    one(&format!(
        r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}"#
    ))
}

/// A Force-MFA Deny that leaves those actions open.
fn leaving(open: &str) -> String {
    one(&format!(
        r#""Effect":"Deny","NotAction":[{open}],"Resource":"*","Condition":{{"BoolIfExists":{{"aws:MultiFactorAuthPresent":"false"}}}}"#
    ))
}

fn vectors() -> [(&'static str, &'static str); 8] {
    macro_rules! vector {
        ($name:literal) => {
            (
                $name,
                include_str!(concat!("../../../vectors/aws/policy/", $name)),
            )
        };
    }
    [
        vector!("article-boolean.json"),
        vector!("article-without-get-mfa-device.json"),
        vector!("article-list-users.json"),
        vector!("aws-self-manage.json"),
        vector!("aws-device-only.json"),
        vector!("get-policy-version.json"),
        vector!("get-group-policy.json"),
        vector!("describe-policy.json"),
    ]
}

#[test]
fn published_policies_are_told_what_is_wrong_with_them() {
    let table = include_str!("../../../vectors/aws/policy/expected.tsv");
    let mut seen = 0;
    for row in table.lines().skip(1) {
        let (name, ids) = row.split_once('\t').expect("two columns");
        let mut expected: Vec<&str> = ids.split(' ').collect();
        expected.sort_unstable();
        let text = vectors()
            .iter()
            .find(|vector| vector.0 == name)
            .expect("a vector of that name")
            .1;
        assert_eq!(found(&read(text)), expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, vectors().len());
}

#[test]
fn the_three_callers_decide_what_a_deny_is_worth() {
    for (condition, id) in [
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "bool-without-if-exists",
        ),
        (
            r#"{"StringEquals":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "bool-without-if-exists",
        ),
        (
            r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "sessions-without-mfa-pass",
        ),
        (
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "denies-with-mfa",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":["true","false"]}}"#,
            "denies-with-mfa",
        ),
        (
            r#"{"Null":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "denies-with-mfa",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"no"}}"#,
            "never-matches",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"no"}}"#,
            "mfa-value",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"},"Null":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "never-matches",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"},"NumericGreaterThan":{"aws:MultiFactorAuthAge":"1"}}"#,
            "never-matches",
        ),
        (
            r#"{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3600"}}"#,
            "mfa-age",
        ),
        (
            r#"{"StringEqualsIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "mfa-operator",
        ),
        (
            r#"{"ForAnyValue:Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "mfa-set-operator",
        ),
        (
            r#"{"BoolIfExist":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "unknown-operator",
        ),
        (
            r#"{"BoolIfExists":{"aws:MultifactorAuthPresence":"false"}}"#,
            "unknown-mfa-key",
        ),
        (
            r#"{"BoolIfExists":{"MultiFactorAuthPresent":"false"}}"#,
            "unknown-mfa-key",
        ),
        (
            r#"{"BoolIfExists":{"aws:MFAPresent":"false"}}"#,
            "unknown-mfa-key",
        ),
        (
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":false}}"#,
            "json-boolean",
        ),
        (
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#,
            "deny-narrowed",
        ),
    ] {
        assert!(has(&deny(condition), id), "{id}: {condition}");
    }
    for right in [
        r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
        r#"{"boolifexists":{"AWS:multifactorauthpresent":"False"}}"#,
        r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false","aws:ViaAWSService":"false"}}"#,
        r#"{"StringNotEquals":{"aws:MultiFactorAuthPresent":"true"}}"#,
        r#"{"ForAllValues:Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
        r#"{"NumericGreaterThanIfExists":{"aws:MultiFactorAuthAge":"3600"}}"#,
    ] {
        let document = read(&deny(right));
        assert!(
            examine(&document)
                .iter()
                .all(|finding| finding.severity != Severity::Error),
            "{right}"
        );
        assert_eq!(lacks_force_mfa(&[document]), None, "{right}");
    }
}

#[test]
fn an_allow_that_asks_for_mfa_wants_bool() {
    for (condition, id) in [
        (
            r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "if-exists-in-allow",
        ),
        (
            r#"{"Null":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "null-is-not-mfa",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#,
            "allows-without-mfa-only",
        ),
        (
            r#"{"ForAllValues:Bool":{"aws:MultiFactorAuthPresent":["true","false"]}}"#,
            "condition-without-effect",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "no-mfa-deny",
        ),
        (
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "enrolment-needs-mfa",
        ),
    ] {
        assert!(has(&allow(condition), id), "{id}: {condition}");
    }
}

#[test]
fn what_stays_open_is_enough_and_not_too_much() {
    let enough: Vec<String> = actions::NEEDED
        .iter()
        .map(|needed| format!("\"{}\"", needed.action))
        .collect();
    for needed in &actions::NEEDED {
        let rest: Vec<String> = enough
            .iter()
            .filter(|one| !one.contains(needed.action))
            .cloned()
            .collect();
        assert!(has(&leaving(&rest.join(",")), needed.id), "{}", needed.id);
        assert!(
            !has(&leaving(&enough.join(",")), needed.id),
            "{}",
            needed.id
        );
    }
    for (open, id) in [
        (r#""*""#, "denies-nothing"),
        (r#""iam:*""#, "open-service"),
        (r#""iam:Deactivate*""#, "open-dangerous-action"),
        (r#""iam:CreateAccessKey""#, "open-dangerous-action"),
        (r#""sts:AssumeRole""#, "open-dangerous-action"),
        (r#""s3:GetObject""#, "open-without-mfa"),
        (r#""iam:ListUsers""#, "keeps-list-users"),
        (r#""iam:ChangePassword""#, "password-policy-missing"),
        (
            r#""iam:ChangePassword","iam:GetAccountPasswordPolicy""#,
            "password-without-mfa",
        ),
    ] {
        assert!(
            has(&leaving(&format!("{},{open}", enough.join(","))), id),
            "{id}"
        );
    }
    // Wildcards open what they cover.
    assert!(!has(
        &leaving(r#""iam:*MFADevice*","iam:GetUser""#),
        "missing-get-mfa-device"
    ));
    let all = r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#;
    assert!(has(&one(all), "locks-out-enrolment"));
    let some = all.replace(r#""Action":"*""#, r#""Action":["ec2:*","s3:*"]"#);
    assert!(has(&one(&some), "deny-limited-actions"));
    let here = all.replace(r#""Resource":"*""#, r#""Resource":"arn:aws:s3:::box/*""#);
    assert!(has(&one(&here), "deny-limited-resources"));
}

#[test]
fn grants_are_on_ones_own_devices() {
    let grant = |action: &str, resource: &str| {
        one(&format!(
            r#""Effect":"Allow","Action":"{action}","Resource":"{resource}""#
        ))
    };
    for (action, resource, id) in [
        (
            "iam:CreateVirtualMFADevice",
            "arn:aws:iam::*:mfa/${aws:username}",
            "device-name-forced",
        ),
        (
            "iam:CreateVirtualMFADevice",
            "arn:aws:iam::*:user/${aws:username}",
            "create-resource",
        ),
        (
            "iam:EnableMFADevice",
            "arn:aws:iam::*:mfa/*",
            "enable-resource",
        ),
        ("iam:EnableMFADevice", "*", "others-credentials"),
        (
            "iam:EnableMFADevice",
            "arn:aws:iam::123456789012:user/*",
            "others-credentials",
        ),
        (
            "iam:*AccessKey*",
            "arn:aws:iam::*:user/*",
            "others-credentials",
        ),
        (
            "iam:ListVirtualMFADevices",
            "arn:aws:iam::*:mfa/*",
            "needs-star-resource",
        ),
    ] {
        assert!(has(&grant(action, resource), id), "{id}");
    }
    let fine = grant("iam:EnableMFADevice", "arn:aws:iam::*:user/${aws:username}");
    for id in ["others-credentials", "enable-resource"] {
        assert!(!has(&fine, id), "{id}");
        assert!(!has(&grant("*", "*"), id), "an administrator's grant: {id}");
    }
}

#[test]
fn the_document_as_a_whole() {
    let old = deny(r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#);
    assert!(has(&old.replace("2012-10-17", "2008-10-17"), "old-version"));
    assert!(has(
        &old.replace("2012-10-17", "2026-01-01"),
        "unknown-version"
    ));
    assert!(has(
        &old.replace(r#""Version":"2012-10-17","#, ""),
        "no-version"
    ));
    let variable = r#"{"Statement":{"Effect":"Allow","Action":"iam:EnableMFADevice","Resource":"arn:aws:iam::*:user/${aws:username}"}}"#;
    assert!(has(variable, "version-without-variables"));
    assert!(has(
        &one(r#""Effect":"Allow","Action":"*","Resource":"*""#),
        "no-mfa-condition"
    ));
    let trust = one(r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole""#);
    assert!(has(&trust, "principal-in-identity-policy"));
    let long = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!(r#""s3:Get{at:04}""#)).collect();
        leaving(&names.join(","))
    };
    assert!(has(&long(160), "inline-size"));
    assert!(has(&long(600), "too-large"));
    // White space doesn't count.
    let spaced = read(&old.replace(',', ",\n\n   "));
    assert_eq!(spaced.characters(), read(&old).characters());
    assert_eq!(read(&old).characters(), old.len());
}

#[test]
fn what_is_printed_has_no_error_and_forces_mfa() {
    use SelfService::{Certificates, Git, Keys, Passwords, Ssh};
    for partition in ["aws", "aws-cn", "aws-us-gov"] {
        let partition = Partition::new(partition).expect("a partition");
        for first_password in [FirstPassword::WithMfa, FirstPassword::BeforeMfa] {
            for device_names in [DeviceNames::Free, DeviceNames::UserName] {
                for self_service in [
                    vec![],
                    vec![Keys, Passwords],
                    vec![Git, Ssh, Certificates, Passwords, Keys, Keys],
                ] {
                    let options = ForceMfa {
                        partition: partition.clone(),
                        first_password,
                        device_names,
                        self_service,
                    };
                    let text = force_mfa(&options);
                    let document = read(&text);
                    assert!(
                        found(&document)
                            .iter()
                            .all(|finding| finding.starts_with("note:")),
                        "{:?}",
                        found(&document)
                    );
                    assert!(document.characters() <= 5120, "fits inline in a group");
                    assert_eq!(lacks_force_mfa(&[document]), None);
                    assert_eq!(
                        text.matches("arn:").count(),
                        text.matches(&format!("arn:{partition}:")).count()
                    );
                }
            }
            let options = Scp {
                partition: partition.clone(),
                first_password,
                left_out: vec![],
            };
            let document = read(&scp(&options));
            assert_eq!(document.meant(), Use::Organisation);
            assert!(
                found(&document)
                    .iter()
                    .all(|finding| finding.starts_with("note:")),
                "{:?}",
                found(&document)
            );
            let left_out = vec![format!("arn:{partition}:iam::*:user/machines/*")];
            let document = read(&scp(&Scp {
                left_out,
                ..options
            }));
            assert!(
                found(&document).contains(&"note:deny-narrowed".to_owned()),
                "{:?}",
                found(&document)
            );
            assert!(
                found(&document)
                    .iter()
                    .all(|finding| finding.starts_with("note:")),
                "{:?}",
                found(&document)
            );
        }
    }
}

#[test]
fn all_policies_of_a_user_together_force_mfa_or_lack_something() {
    let right = read(&deny(
        r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
    ));
    let sessions = read(&deny(r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#));
    let keys = read(&deny(r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#));
    let with = read(&allow(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#));
    let everyone = read(&deny("{}"));
    let narrow = r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#;
    let narrow = read(&deny(narrow));
    let roles = r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"},"StringEquals":{"aws:PrincipalType":"AssumedRole"}}"#;
    let roles = read(&deny(roles));
    let open = read(&leaving(r#""iam:*""#));
    for (documents, lack) in [
        (vec![], Some(Lack::NoDeny)),
        (vec![with.clone()], Some(Lack::NoDeny)),
        (vec![everyone], Some(Lack::NoDeny)),
        (vec![roles], Some(Lack::NoDeny)),
        (vec![with, right], None),
        (vec![sessions.clone()], Some(Lack::LongTermKeysPass)),
        (vec![keys.clone()], Some(Lack::SessionsPass)),
        (vec![sessions, keys], None),
        (vec![narrow], Some(Lack::Partial)),
        (vec![open], Some(Lack::Partial)),
    ] {
        assert_eq!(lacks_force_mfa(&documents), lack);
    }
}

#[test]
fn a_pair_in_one_document_makes_good_what_each_lacks() {
    let open = r#""NotAction":["iam:CreateVirtualMFADevice","iam:EnableMFADevice"],"Resource":"*""#;
    let pair = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Deny",{open},"Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"false"}}}}}},
            {{"Effect":"Deny",{open},"Condition":{{"Null":{{"aws:MultiFactorAuthPresent":"true"}}}}}}]}}"#
    );
    for id in ["bool-without-if-exists", "sessions-without-mfa-pass"] {
        assert!(!has(&pair, id), "{id}");
        let other = pair.replacen("iam:EnableMFADevice", "s3:*", 1);
        assert!(has(&other, "bool-without-if-exists") || has(&other, "sessions-without-mfa-pass"));
    }
}

#[test]
fn errors_say_where() {
    let bad = |text: &str, says: &str| {
        let error = Document::read(text).expect_err(text).to_string();
        assert!(error.contains(says), "{error:?} should say {says:?}");
    };
    bad("", "not JSON");
    bad("[]", "an object was expected");
    bad("{}", "no Statement");
    bad(r#"{"Statement":[]}"#, "empty");
    bad(
        &one(r#""Effect":"deny","Action":"*","Resource":"*""#),
        "statement 1, Effect: \"deny\"",
    );
    bad(
        &one(r#""Effect":"Deny","Resource":"*""#),
        "neither Action nor NotAction",
    );
    bad(
        &one(r#""Effect":"Deny","Action":"*""#),
        "neither Resource nor NotResource",
    );
    bad(
        &one(r#""Effect":"Deny","Action":"*","NotAction":"a:b","Resource":"*""#),
        "both Action and NotAction",
    );
    bad(
        &one(r#""Effect":"Deny","NotActions":"*","Resource":"*""#),
        "it is written NotAction",
    );
    bad(
        &one(r#""Effect":"Deny","Action":"ListUsers","Resource":"*""#),
        "statement 1, Action: \"ListUsers\" has no service",
    );
    bad(
        &one(r#""Effect":"Deny","Action":[1],"Resource":"*""#),
        "statement 1, Action: a string",
    );
    let condition = |text: &str| {
        one(&format!(
            r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{text}"#
        ))
    };
    bad(
        &condition(r#"{"Bool":"false"}"#),
        "statement 1, Condition, Bool: an object",
    );
    bad(
        &condition(r#"{"Bool":{"aws:x":null}}"#),
        "statement 1, Condition, Bool, aws:x: a string",
    );
    bad(
        &condition(r#"{"Bool":{"aws:x":"1"},"Bool":{"aws:y":"1"}}"#),
        "\"Bool\" stands twice",
    );
    bad(&" ".repeat(MAX_LEN + 1), "more than");
    bad(&"[".repeat(1000), "recursion limit");
    bad(
        "{\"\u{202e}x\":1,\"Statement\":[{}]}",
        "\"x\" is no element",
    );
    read(&format!("\u{feff}{}", deny("{}")));
}
