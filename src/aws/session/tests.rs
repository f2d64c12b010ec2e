use super::*;
use crate::aws::fake::{
    FakeHost, FakeRemote, KEYS, NOON, base, denied, lasting, plan, refused, serial, wrong_code,
};
use crate::aws::operation::Device;
use crate::aws::remote::Failed;
use crate::failure::{Fails as _, Kind};
use serde_json::Value;

const DAY: u64 = 43_200;

/// AWS that knows the user alice with these devices and gives sessions.
fn cloud(devices: &[&str]) -> FakeRemote {
    let mut remote = FakeRemote::of_user("alice");
    let devices: Vec<Device> = devices
        .iter()
        .map(|name| Device {
            serial_number: serial(name),
            user_name: Some("alice".into()),
            enable_date: Some(NOON - 1000),
        })
        .collect();
    remote.on(move |_: ListMfaDevices| Ok(devices.clone()));
    gives(&mut remote, DAY);
    remote.on(|asked: AssumeRole| {
        let name = asked.role_arn.rsplit('/').next().unwrap().to_uppercase();
        Ok(lasting(
            &format!("ASIA{name}"),
            asked.duration_seconds as u64,
        ))
    });
    remote
}

/// Sessions end so many seconds after noon.
fn gives(remote: &mut FakeRemote, seconds: u64) {
    remote.on(move |_: GetSessionToken| Ok(lasting("ASIAUSER", seconds)));
}

fn offline(remote: &mut FakeRemote) {
    remote.on(|_: GetSessionToken| Err(Failed::Offline("no route".into())));
}

fn asked(remote: &FakeRemote) -> usize {
    remote.calls::<GetSessionToken>().len()
}

fn roles(settings: &str) -> Plan {
    let config = format!(
        "[profile base]\n{KEYS}[profile ops]\nsource_profile = base\n\
         role_arn = arn:aws:iam::123456789012:role/ops\n{settings}"
    );
    plan(&config, "ops")
}

#[test]
fn a_session_is_held_until_15_minutes_are_left() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    let first = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(first.keys.access_key_id, "ASIAUSER");
    assert_eq!(first.expires, UnixTime::from_secs(NOON + DAY));
    host.pass(std::time::Duration::from_secs(DAY - 15 * 60 - 1));
    assert!(
        recall(&mut host, &plan.name(plan.roles.len()), LEAST_LEFT)
            .unwrap()
            .is_some()
    );
    let again = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(again.keys.secret_access_key.expose(), "session secret");
    assert_eq!(
        asked(&remote),
        1,
        "one is held with 15 minutes and a second left"
    );
    host.pass(std::time::Duration::from_secs(1));
    assert!(
        recall(&mut host, &plan.name(plan.roles.len()), LEAST_LEFT)
            .unwrap()
            .is_none()
    );
    gives(&mut remote, 2 * DAY);
    let renewed = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(asked(&remote), 2);
    assert_eq!(renewed.expires, UnixTime::from_secs(NOON + 2 * DAY));
}

#[test]
fn a_forgotten_session_is_asked_for_anew_and_an_unreadable_one_was_never_held() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    session(&mut host, &mut remote, &plan).unwrap();
    forget(&mut host, &plan).unwrap();
    session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(asked(&remote), 2);
    for (blob, _) in host.held.values_mut() {
        *blob = b"[1]".to_vec();
    }
    session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(asked(&remote), 3);
}

#[test]
fn sessions_of_another_profile_device_or_duration_are_others() {
    let mut host = FakeHost::with_device("alice");
    host.access_keys.insert("more".into(), "AKIAMORE".into());
    let mut remote = cloud(&["alice"]);
    let serial = serial("alice");
    let config = format!(
        "[profile base]\n{KEYS}[profile more]\n{KEYS}[profile long]\n{KEYS}duration_seconds = 7200\n\
         [profile named]\n{KEYS}mfa_serial = {serial}\n"
    );
    for (index, profile) in ["base", "more", "long", "named"].into_iter().enumerate() {
        for _ in 0..2 {
            session(&mut host, &mut remote, &plan(&config, profile)).unwrap();
            assert_eq!(asked(&remote), index + 1, "{profile}");
        }
    }
    let durations: Vec<_> = remote
        .calls::<GetSessionToken>()
        .iter()
        .map(|made| made.input["duration_seconds"].as_u64())
        .collect();
    assert_eq!(durations, [Some(DAY), Some(DAY), Some(7200), Some(DAY)]);
}

#[test]
fn who_waited_reads_what_another_process_was_given() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    let mut other = FakeHost::with_device("alice");
    session(&mut other, &mut remote, &plan).unwrap();
    let theirs = other.held.clone();
    host.meanwhile
        .push_back(Box::new(move |host| host.held = theirs));
    let read = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(read.keys.access_key_id, "ASIAUSER");
    assert_eq!(asked(&remote), 1);
}

#[test]
fn a_failure_holds_for_those_who_waited_and_for_nobody_later() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    remote.on(|_: GetSessionToken| Err(wrong_code()));
    let first = session(&mut host, &mut remote, &plan).err().unwrap();
    assert!(matches!(first, AwsError::CodesRefused { .. }));
    assert_eq!(asked(&remote), 3);
    // This one began in the same moment.
    let second = session(&mut host, &mut remote, &plan).err().unwrap();
    assert!(matches!(
        second,
        AwsError::SameAs {
            kind: Kind::Refused,
            ..
        }
    ));
    assert_eq!(second.to_string(), first.to_string());
    assert_eq!(second.hint(), first.hint());
    assert_eq!(asked(&remote), 3, "no code was used up");
    // And this one after it.
    host.pass(std::time::Duration::from_secs(1));
    gives(&mut remote, DAY);
    assert!(session(&mut host, &mut remote, &plan).is_ok());
}

#[test]
fn the_word_of_a_failure_tells_nothing_of_the_profile_and_damage_to_it_is_no_matter() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    remote.on(|_: GetSessionToken| Err(denied()));
    session(&mut host, &mut remote, &plan).err().unwrap();
    let files: Vec<_> = std::fs::read_dir(host.locks()).unwrap().flatten().collect();
    let word = files
        .iter()
        .find(|file| file.path().extension().is_some_and(|end| end == "word"));
    let word = word.unwrap().path();
    assert!(!word.to_string_lossy().contains("base"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&word), mode(host.locks())), (0o600, 0o700));
    }
    gives(&mut remote, DAY);
    let mut file = std::fs::File::create(&word).unwrap();
    std::io::Write::write_all(&mut file, b"{").unwrap();
    assert!(session(&mut host, &mut remote, &plan).is_ok());
}

#[test]
fn where_aws_is_out_of_reach_a_session_that_ends_soon_is_better_than_none() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    session(&mut host, &mut remote, &plan).unwrap();
    offline(&mut remote);
    host.pass(std::time::Duration::from_secs(DAY - 600));
    let held = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(held.keys.access_key_id, "ASIAUSER");
    assert!(host.has_said("the session that is held ends soon"));
    // Seconds have gone by with trying; less than a minute is nothing.
    host.pass(std::time::Duration::from_secs(
        600 - 60 - host.passed() % 60,
    ));
    let error = session(&mut host, &mut remote, &plan).err().unwrap();
    assert_eq!(error.kind(), Kind::Offline);
}

#[test]
fn a_refusal_is_told_whatever_is_held() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), base());
    session(&mut host, &mut remote, &plan).unwrap();
    remote.on(|_: GetSessionToken| Err(refused("InvalidClientTokenId", "no such key")));
    host.pass(std::time::Duration::from_secs(DAY - 600));
    let error = session(&mut host, &mut remote, &plan).err().unwrap();
    assert_eq!(error.code(), Some("InvalidClientTokenId"));
}

#[test]
fn an_hour_of_a_role_is_had_from_the_users_session() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), roles("external_id = x1\n"));
    let session = session(&mut host, &mut remote, &plan).unwrap();
    assert_eq!(session.keys.access_key_id, "ASIAOPS");
    let [made] = remote.calls::<AssumeRole>()[..] else {
        panic!("one AssumeRole");
    };
    assert_eq!(made.by, "ASIAUSER");
    assert_eq!(made.input["mfa"], Value::Null);
    assert_eq!(made.input["duration_seconds"], 3600);
    assert_eq!(made.input["external_id"], "x1");
    assert_eq!(made.input["role_session_name"], "vmfa-ops");
    assert_eq!(remote.codes().len(), 1, "one code for both");
    // The user's session is held as well: the next role needs no code.
    assert!(of_user(&mut host, &mut remote, &plan).is_ok());
    assert_eq!(asked(&remote), 1);
}

#[test]
fn more_than_an_hour_of_a_role_is_asked_for_with_the_code() {
    let mut host = FakeHost::with_device("alice");
    let (mut remote, plan) = (cloud(&["alice"]), roles("duration_seconds = 7200\n"));
    // Not even by a session that is held.
    of_user(&mut host, &mut remote, &plan).unwrap();
    session(&mut host, &mut remote, &plan).unwrap();
    let [made] = remote.calls::<AssumeRole>()[..] else {
        panic!("one AssumeRole");
    };
    assert_eq!(made.by, "AKIAUSER");
    assert_eq!(made.input["mfa"]["serial_number"], serial("alice"));
    assert_eq!(made.input["duration_seconds"], 7200);
}

#[test]
fn a_role_after_a_role_lasts_an_hour_at_most() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = cloud(&["alice"]);
    let config = format!(
        "[profile base]\n{KEYS}[profile ops]\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/ops\n\
         duration_seconds = 7200\n[profile far]\nsource_profile = ops\n\
         role_arn = arn:aws:iam::210987654321:role/far\nduration_seconds = 7200\n"
    );
    session(&mut host, &mut remote, &plan(&config, "far")).unwrap();
    let made: Vec<_> = remote
        .calls::<AssumeRole>()
        .iter()
        .map(|made| (made.by.clone(), made.input["duration_seconds"].as_u64()))
        .collect();
    assert_eq!(
        made,
        [
            ("AKIAUSER".into(), Some(7200)),
            ("ASIAOPS".into(), Some(3600))
        ]
    );
}

#[test]
fn a_role_without_a_device_is_asked_for_without_mfa() {
    let mut host = FakeHost::with_device("bob");
    let (mut remote, plan) = (cloud(&["alice"]), roles("duration_seconds = 7200\n"));
    session(&mut host, &mut remote, &plan).unwrap();
    let [made] = remote.calls::<AssumeRole>()[..] else {
        panic!("one AssumeRole");
    };
    assert_eq!(
        (made.by.as_str(), &made.input["mfa"]),
        ("AKIAUSER", &Value::Null)
    );
    assert_eq!(asked(&remote), 0);
}

#[test]
fn the_device_is_the_users_that_is_in_the_vault() {
    let sent = |remote: &FakeRemote| {
        let made = remote.calls::<GetSessionToken>();
        made[0].input["mfa"]["serial_number"].clone()
    };
    let mut host = FakeHost::with_device("bob");
    host.add_device(&serial("second"));
    let mut remote = cloud(&["first", "second"]);
    session(&mut host, &mut remote, &base()).unwrap();
    assert_eq!(sent(&remote), serial("second"));

    let error = session(
        &mut FakeHost::with_device("bob"),
        &mut cloud(&["first"]),
        &base(),
    );
    assert!(matches!(error, Err(AwsError::NoneOfOurs(theirs)) if theirs == [serial("first")]));
    let error = session(&mut FakeHost::with_device("bob"), &mut cloud(&[]), &base());
    assert!(matches!(error, Err(AwsError::NoDevice(_))));
    let named = plan(
        &format!("[profile base]\n{KEYS}mfa_serial = {}\n", serial("x")),
        "base",
    );
    let error = session(
        &mut FakeHost::with_device("bob"),
        &mut cloud(&["x"]),
        &named,
    );
    assert!(matches!(error, Err(AwsError::NoSuchDevice(named)) if named == serial("x")));
    // Another one took its place since that line was written.
    let mut host = FakeHost::with_device("bob");
    session(&mut host, &mut cloud(&["bob"]), &named).unwrap();
    assert!(host.has_said("change mfa_serial"));
}

#[test]
fn who_may_not_list_devices_has_the_one_of_the_same_name_or_the_only_one() {
    let remote = || {
        let mut remote = cloud(&[]);
        remote.on(|_: ListMfaDevices| Err(denied()));
        remote
    };
    let sent = |host: &mut FakeHost, mut remote: FakeRemote| {
        session(host, &mut remote, &base())?;
        let made = remote.calls::<GetSessionToken>();
        Ok::<_, AwsError>(made[0].input["mfa"]["serial_number"].clone())
    };
    let mut host = FakeHost::with_device("other");
    assert_eq!(sent(&mut host, remote()).unwrap(), serial("other"));
    let mut host = FakeHost::with_device("other");
    host.add_device(&serial("alice"));
    assert_eq!(sent(&mut host, remote()).unwrap(), serial("alice"));
    // Of another AWS account.
    let mut host = FakeHost::with_device("other");
    host.add_device("arn:aws:iam::210987654321:mfa/alice");
    assert_eq!(sent(&mut host, remote()).unwrap(), serial("other"));
    let mut host = FakeHost::with_device("other");
    host.add_device(&serial("another"));
    assert!(matches!(
        sent(&mut host, remote()),
        Err(AwsError::NoDevice(_))
    ));
}

#[test]
fn a_session_gives_no_session() {
    let mut host = FakeHost::with_device("alice");
    host.access_keys.clear();
    let mut remote = cloud(&["alice"]);
    remote.finds_session = true;
    let config = format!(
        "[profile base]\n{KEYS}aws_session_token = token\n[profile ops]\nsource_profile = base\n\
         role_arn = arn:aws:iam::123456789012:role/ops\n"
    );
    let error = session(&mut host, &mut remote, &plan(&config, "base"));
    assert!(matches!(error, Err(AwsError::SessionAlready(_))));
    assert_eq!(asked(&remote), 0);
    // But a role.
    let role = session(&mut host, &mut remote, &plan(&config, "ops")).unwrap();
    assert_eq!(role.keys.access_key_id, "ASIAOPS");
}

#[test]
fn the_answer_for_other_programs_is_as_their_guide_says() {
    let session = Credentials::of(lasting("ASIA", 3600));
    let told: Value = serde_json::from_str(&process_answer(&session)).unwrap();
    let expected = serde_json::json!({
        "Version": 1,
        "AccessKeyId": "ASIA",
        "SecretAccessKey": "session secret",
        "SessionToken": "session token",
        "Expiration": "2027-01-15T09:00:00Z",
    });
    assert_eq!(told, expected);
}
