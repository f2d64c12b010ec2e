use super::*;
use crate::aws::fake::{
    ACCOUNT, FakeHost, FakeRemote, KEYS, NOON, base, lasting, plan, refused, serial, unable,
    wrong_code,
};
use crate::aws::operation::{
    AssumeRole, Authorizations, Authorized, Device, GetAccountAuthorizationDetails,
    GetAccountPasswordPolicy, GetCredentialReport, GetSessionToken, ListAccessKeys, ListMfaDevices,
    ListVirtualMfaDevices, NamedPolicy, UserKey,
};
use crate::aws::policy::{ForceMfa, force_mfa};
use crate::failure::{Fails as _, Kind};

const DAY: u64 = 86_400;
const HEAD: &str = "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
    access_key_2_active,access_key_2_last_rotated\n";

fn device(name: &str, owner: Option<&str>) -> Device {
    Device {
        serial_number: serial(name),
        user_name: owner.map(str::to_owned),
        enable_date: owner.map(|_| NOON - DAY),
    }
}

fn key(id: &str, is_active: bool, days: u64) -> UserKey {
    UserKey {
        access_key_id: id.into(),
        is_active,
        create_date: Some(NOON - days * DAY),
    }
}

fn named(name: &str, document: &str) -> NamedPolicy {
    NamedPolicy {
        name: name.into(),
        document: document.into(),
    }
}

fn forcing() -> NamedPolicy {
    let options = ForceMfa::default();
    named("force", &force_mfa(&options))
}

fn someone(name: &str, groups: &[&str], policies: Vec<NamedPolicy>) -> Authorized {
    Authorized {
        name: name.into(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        policies,
    }
}

/// AWS that knows alice with one device, and lets her see all of her own.
fn cloud() -> FakeRemote {
    let mut remote = FakeRemote::of_user("alice");
    remote.on(|_: ListMfaDevices| Ok(vec![device("alice", Some("alice"))]));
    remote.on(|_: GetSessionToken| Ok(lasting("ASIAUSER", 43_200)));
    remote.on(|_: ListAccessKeys| {
        Ok(vec![
            key("AKIANEW", true, 90),
            key("AKIAOLD", true, 91),
            key("AKIAOFF", false, 900),
        ])
    });
    remote.on(|_: GetAccountPasswordPolicy| Ok(None));
    remote.on(|_: GetAccountAuthorizationDetails| {
        Ok(Authorizations {
            users: vec![someone("alice", &["all"], Vec::new())],
            groups: vec![someone("all", &[], vec![forcing()])],
        })
    });
    remote
}

fn ids(findings: &[Finding]) -> Vec<(&str, Vec<&str>)> {
    findings
        .iter()
        .map(|finding| {
            (
                finding.id,
                finding.names.iter().map(String::as_str).collect(),
            )
        })
        .collect()
}

#[test]
fn a_session_of_the_device_signs_and_tells_that_it_is_in_step() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = cloud();
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(seen.asker.user(), Some("alice"));
    let devices = seen.devices.as_ref().unwrap();
    assert_eq!(devices[0].step, Step::In);
    assert_eq!(devices[0].enabled, Some(NOON - DAY));
    let account = devices[0].account.as_ref().unwrap();
    assert_eq!(account.label(), "Amazon Web Services:alice");
    assert_eq!(seen.force, Some(Force::Forced));
    assert!(matches!(seen.password_policy, Some(None)));
    assert_eq!(seen.hidden, []);
    for made in &remote.made {
        if made.operation == ListAccessKeys::NAME
            || made.operation == GetAccountPasswordPolicy::NAME
        {
            assert_eq!(made.by, "ASIAUSER", "{}", made.operation);
        }
    }
    // 90 days old is not older than 90 days, and what is switched off may be as old as it likes.
    assert_eq!(ids(&seen.findings()), [("old-access-key", vec!["AKIAOLD"])]);

    // A held session stands: no code is used up for looking.
    own(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(remote.codes().len(), 1);
}

#[test]
fn a_device_whose_codes_are_refused_has_drifted() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = cloud();
    remote.on(|_: GetSessionToken| Err(wrong_code()));
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(seen.devices.as_ref().unwrap()[0].step, Step::Drifted);
    let [made] = remote.calls::<ListAccessKeys>()[..] else {
        panic!("one ListAccessKeys");
    };
    assert_eq!(made.by, "AKIAUSER");
    assert_eq!(
        ids(&seen.findings())[0],
        ("drifted", vec![serial("alice").as_str()])
    );
}

#[test]
fn a_device_that_aws_cannot_check_is_unclear() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = cloud();
    remote.on(|_: GetSessionToken| Err(unable()));
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    let step = &seen.devices.as_ref().unwrap()[0].step;
    assert!(
        matches!(step, Step::Unclear(why) if why.contains("can't check")),
        "{step:?}"
    );
    assert_eq!(ids(&seen.findings()), [("old-access-key", vec!["AKIAOLD"])]);
}

#[test]
fn a_device_that_is_not_here_is_said_and_none_is_too() {
    let mut host = FakeHost::with_device("bob");
    let mut remote = cloud();
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    let devices = seen.devices.as_ref().unwrap();
    assert_eq!(
        (&devices[0].account, &devices[0].step),
        (&None, &Step::Untried)
    );
    assert_eq!(
        ids(&seen.findings())[0],
        ("not-in-vault", vec![serial("alice").as_str()])
    );
    assert!(remote.codes().is_empty());

    // A token of metal is where it is.
    remote.on(|_: ListMfaDevices| {
        Ok(vec![Device {
            serial_number: "GAHT12345678".into(),
            user_name: Some("alice".into()),
            enable_date: None,
        }])
    });
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(ids(&seen.findings())[0].0, "old-access-key");

    remote.on(|_: ListMfaDevices| Ok(Vec::new()));
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(ids(&seen.findings())[0], ("no-mfa", vec![]));
}

#[test]
fn what_may_not_be_seen_is_no_error() {
    let mut host = FakeHost::new();
    host.access_keys.insert("base".into(), "AKIAUSER".into());
    let mut remote = FakeRemote::of_user("alice");
    remote.on(|_: ListAccessKeys| Err(refused("NoSuchEntity", "odd\u{1b}[2J")));
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    assert!(seen.devices.is_none() && seen.keys.is_none() && seen.force.is_none());
    assert!(seen.password_policy.is_none());
    let names: Vec<&str> = seen.hidden.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["devices", "access_keys", "password_policy", "force_mfa"]
    );
    assert_eq!(seen.hidden[0].1, "not allowed to see (iam:ListMFADevices)");
    assert!(seen.hidden[1].1.contains("NoSuchEntity") && !seen.hidden[1].1.contains('\u{1b}'));
    assert_eq!(seen.findings(), []);
}

#[test]
fn where_aws_is_out_of_reach_that_is_the_answer() {
    let mut host = FakeHost::with_device("bob");
    let mut remote = cloud();
    remote.on(|_: ListAccessKeys| Err(Failed::Offline("no route".into())));
    let error = own(&mut host, &mut remote, &base()).err().unwrap();
    assert_eq!(error.kind(), Kind::Offline);
    let error = own(&mut host, &mut FakeRemote::default(), &base())
        .err()
        .unwrap();
    assert_eq!(error.code(), Some("AccessDenied"));
    // A clock that is off refuses every signature.
    let mut remote = cloud();
    remote.skew = Some(1200);
    remote.on(|_: GetAccountPasswordPolicy| {
        Err(refused("SignatureDoesNotMatch", "Signature expired: x"))
    });
    let error = own(&mut host, &mut remote, &base());
    assert!(matches!(error, Err(AwsError::Clock { skew: 1200, .. })));
}

#[test]
fn the_root_user_is_looked_for_among_the_virtual_devices() {
    let mut host = FakeHost::with_device("root-account-mfa-device");
    let mut remote = FakeRemote::of_arn(&format!("arn:aws:iam::{ACCOUNT}:root"));
    remote.on(|_: ListVirtualMfaDevices| {
        Ok(vec![
            device("root-account-mfa-device", Some("root")),
            device("bob", Some("bob")),
            device("free", None),
        ])
    });
    remote.on(|_: ListAccessKeys| Ok(vec![key("AKIAROOT", true, 1)]));
    remote.on(|_: GetSessionToken| Ok(lasting("ASIAROOT", 3600)));
    let seen = own(&mut host, &mut remote, &base()).unwrap();
    let devices = seen.devices.as_ref().unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].step, Step::In);
    assert_eq!(
        ids(&seen.findings()),
        [("root-access-key", vec!["AKIAROOT"])]
    );
    remote.on(|_: ListVirtualMfaDevices| Ok(Vec::new()));
    let seen = own(&mut FakeHost::with_device("x"), &mut remote, &base()).unwrap();
    assert_eq!(ids(&seen.findings())[0].0, "root-no-mfa");
}

#[test]
fn a_role_signs_with_its_session_and_has_nothing_of_its_own() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = FakeRemote::of_arn(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/me"));
    remote.on(|_: ListMfaDevices| Ok(vec![device("alice", Some("alice"))]));
    remote.on(|_: GetSessionToken| Ok(lasting("ASIAUSER", 43_200)));
    remote.on(|_: AssumeRole| Ok(lasting("ASIAROLE", 3600)));
    remote.on(|_: GetAccountPasswordPolicy| Ok(None));
    let config = format!(
        "[profile base]\n{KEYS}[profile ops]\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/ops\n"
    );
    let seen = own(&mut host, &mut remote, &plan(&config, "ops")).unwrap();
    assert!(seen.devices.is_none() && seen.keys.is_none());
    assert_eq!(seen.findings(), []);
    assert_eq!(remote.calls::<GetAccountPasswordPolicy>()[0].by, "ASIAROLE");
}

/// AWS with a root user and four users, seen by alice: bob's device was enabled after the report, carol's was taken away, dan has
/// come and eve has gone since.
fn company() -> FakeRemote {
    let mut remote = cloud();
    let text = format!(
        "{HEAD}<root_account>,r,not_supported,false,true,2026-12-01T00:00:00+00:00,false,N/A\n\
         alice,a,true,true,true,2026-01-01T00:00:00+00:00,true,2027-01-14T00:00:00+00:00\n\
         bob,b,false,false,false,N/A,false,N/A\n\
         carol,c,no_information,true,false,2020-01-01T00:00:00+00:00,false,N/A\n\
         eve,e,true,false,true,2020-01-01T00:00:00+00:00,false,N/A\n"
    );
    remote.on(move |_: GetCredentialReport| Ok(text.clone()));
    remote.on(|_: ListVirtualMfaDevices| {
        Ok(vec![
            device("alice", Some("alice")),
            device("bobs", Some("bob")),
            device("left-over", None),
        ])
    });
    remote.on(|asked: ListMfaDevices| {
        Ok(match asked.user_name.as_deref() {
            None => vec![device("alice", Some("alice"))],
            Some("carol") => Vec::new(),
            Some("dan") => vec![Device {
                serial_number: "GAHT12345678".into(),
                user_name: Some("dan".into()),
                enable_date: Some(NOON),
            }],
            Some(other) => panic!("nobody need be asked for {other}"),
        })
    });
    remote.on(|asked: ListAccessKeys| {
        assert_eq!(asked.user_name.as_deref(), Some("dan"));
        Ok(vec![key("AKIADAN", true, 0)])
    });
    remote.on(|_: GetAccountAuthorizationDetails| {
        let bools = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}}"#;
        Ok(Authorizations {
            users: vec![
                someone("alice", &["all", "admins"], Vec::new()),
                someone("bob", &["readers"], vec![named("b", bools)]),
                someone("carol", &[], vec![forcing()]),
                someone("dan", &[], vec![named("odd", "{")]),
            ],
            groups: vec![
                someone("all", &[], vec![forcing()]),
                someone("admins", &[], Vec::new()),
                someone("readers", &[], Vec::new()),
                someone("empty", &[], Vec::new()),
            ],
        })
    });
    remote
}

#[test]
fn a_report_is_corrected_by_what_lists_tell() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = company();
    let all = everyone(&mut host, &mut remote, &base()).unwrap();
    let shown: Vec<_> = all
        .users
        .iter()
        .map(|user| {
            (
                user.name.as_str(),
                user.mfa,
                user.devices.len(),
                user.keys.as_ref().map(Vec::len),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("<root_account>", Some(false), 0, Some(1)),
            ("alice", Some(true), 1, Some(2)),
            ("bob", Some(true), 1, Some(0)),
            ("carol", Some(false), 0, Some(1)),
            ("dan", Some(true), 1, Some(1)),
        ]
    );
    assert_eq!(all.users[1].devices[0].step, Step::In);
    assert_eq!(all.users[2].devices[0].step, Step::Untried);
    assert_eq!(all.users[4].devices[0].serial_number, "GAHT12345678");
    let force: Vec<_> = all.users.iter().map(|user| user.force.clone()).collect();
    assert_eq!(
        force,
        [
            None,
            Some(Force::Forced),
            Some(Force::Lacks(Lack::LongTermKeysPass)),
            Some(Force::Forced),
            Some(Force::Unreadable("odd".into())),
        ]
    );
    assert_eq!(all.hidden, []);
    let findings = all.findings();
    let left_over = serial("left-over");
    assert_eq!(
        ids(&findings),
        [
            ("root-no-mfa", vec!["<root_account>"]),
            ("root-access-key", vec!["<root_account>"]),
            ("no-mfa", vec!["carol"]),
            ("old-access-key", vec!["alice"]),
            ("no-force-mfa", vec!["bob"]),
            // All of `admins` are in `all`, too.
            ("group-no-force-mfa", vec!["readers", "empty"]),
            ("force-mfa-unknown", vec!["dan"]),
            ("unassigned-device", vec![left_over.as_str()]),
            ("no-password-policy", vec![]),
        ]
    );
    assert_eq!(findings[2].text, "1 user has no MFA");
    assert_eq!(findings[3].text, "1 access key is older than 90 days");
}

#[test]
fn without_the_report_the_lists_tell_and_the_other_way_round() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = company();
    remote.on(|_: GetCredentialReport| Err(crate::aws::fake::denied()));
    remote.on(|asked: ListMfaDevices| {
        let own = asked.user_name.is_none();
        Ok(own
            .then(|| device("alice", Some("alice")))
            .into_iter()
            .collect())
    });
    remote.on(|_: ListAccessKeys| Ok(Vec::new()));
    let all = everyone(&mut host, &mut remote, &base()).unwrap();
    let mfa: Vec<_> = all
        .users
        .iter()
        .map(|user| (user.name.as_str(), user.mfa))
        .collect();
    assert_eq!(
        mfa,
        [
            ("alice", Some(true)),
            ("bob", Some(true)),
            ("carol", Some(false)),
            ("dan", Some(false))
        ]
    );
    assert_eq!(
        all.hidden,
        [(
            "report",
            "not allowed to see (iam:GetCredentialReport)".to_owned()
        )]
    );

    let mut remote = company();
    for_nobody(&mut remote);
    remote.on(|_: ListVirtualMfaDevices| Err(crate::aws::fake::denied()));
    let all = everyone(&mut host, &mut remote, &base()).unwrap();
    // Eve is in the report, and nobody says that she has gone.
    assert_eq!(all.users.len(), 5);
    assert_eq!(all.users[4].name, "eve");
    assert!(all.groups.is_none() && all.unassigned.is_none());
    assert_eq!(all.users.iter().find(|user| user.force.is_some()), None);
    let names: Vec<&str> = all.hidden.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["groups", "virtual_devices"]);
    assert_eq!(all.users[2].mfa, Some(false), "as the report says");

    remote.on(|_: GetCredentialReport| Err(crate::aws::fake::denied()));
    let error = everyone(&mut host, &mut remote, &base()).err().unwrap();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(
        error.to_string().starts_with("iam:GetCredentialReport"),
        "{error}"
    );
}

fn for_nobody(remote: &mut FakeRemote) {
    remote.on(|_: GetAccountAuthorizationDetails| Err(crate::aws::fake::denied()));
    remote.on(|asked: ListMfaDevices| match asked.user_name {
        None => Ok(vec![device("alice", Some("alice"))]),
        Some(_) => Err(crate::aws::fake::denied()),
    });
}

#[test]
fn a_report_that_cannot_be_read_is_said() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = company();
    remote.on(|_: GetCredentialReport| Ok("user,arn\nx,y\n".into()));
    let error = everyone(&mut host, &mut remote, &base()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "iam:GetCredentialReport: the credential report can't be read: row 1: there is no column \"password_enabled\""
    );
}

#[test]
fn a_user_called_root_is_not_the_root_user() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = company();
    let text =
        format!("{HEAD}<root_account>,r,,false,false,,false,\nroot,a,true,false,false,,false,\n");
    remote.on(move |_: GetCredentialReport| Ok(text.clone()));
    remote.on(|_: GetAccountAuthorizationDetails| {
        Ok(Authorizations {
            users: vec![someone("root", &[], Vec::new())],
            groups: Vec::new(),
        })
    });
    remote.on(|_: ListVirtualMfaDevices| Ok(vec![device("theirs", Some("root"))]));
    let all = everyone(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(
        (all.users[0].mfa, all.users[1].mfa),
        (Some(false), Some(true))
    );
    remote.on(|_: ListVirtualMfaDevices| Ok(vec![device("root-account-mfa-device", Some("root"))]));
    let all = everyone(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(
        (all.users[0].mfa, all.users[1].mfa),
        (Some(true), Some(false))
    );
}

#[test]
fn not_everybody_of_a_large_company_is_asked_for() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = company();
    let rows: String = (0..300)
        .map(|n| format!("u{n},a,true,true,false,,false,\n"))
        .collect();
    remote.on(move |_: GetCredentialReport| Ok(format!("{HEAD}{rows}")));
    remote.on(|_: GetAccountAuthorizationDetails| Err(crate::aws::fake::denied()));
    remote.on(|_: ListMfaDevices| Ok(Vec::new()));
    everyone(&mut host, &mut remote, &base()).unwrap();
    // And once for the caller's own.
    assert_eq!(remote.calls::<ListMfaDevices>().len(), 101);
}
