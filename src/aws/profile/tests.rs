use super::*;
use crate::aws::arn::SerialNumber;

const ROLE: &str = "arn:aws-cn:iam::123456789012:role/ops";

fn profiles(config: &str, credentials: &str) -> Profiles {
    let read = |text: &str| Ini::read(text.as_bytes()).ok();
    Profiles::new(read(config), read(credentials))
}

fn at(file: File, line: usize) -> At {
    At { file, line }
}

#[test]
fn a_setting_has_its_file_and_line() {
    let all = profiles(
        &format!("[profile a]\nrole_arn = {ROLE}\nduration_seconds = 7200\nregion = one\n"),
        "[a]\n\nregion = two\n",
    );
    let profile = all.get("a").unwrap();
    assert_eq!(profile.at(), at(File::Config, 1));
    assert_eq!(profile.section(File::Config), Some("profile a"));
    let role = profile.role_arn().unwrap().unwrap();
    assert_eq!((role.value.name(), role.at), ("ops", at(File::Config, 2)));
    let duration = profile.duration_seconds().unwrap().unwrap();
    assert_eq!((duration.value, duration.at), (7200, at(File::Config, 3)));
    let region = profile.own_region().unwrap().unwrap();
    assert_eq!((region.value, region.at), ("two", at(File::Credentials, 3)));
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_line() {
    for (line, expected) in [
        (
            "duration_seconds = 899",
            "duration_seconds is not a number of seconds from 900 to 129600",
        ),
        (
            "duration_seconds = 129601",
            "duration_seconds is not a number of seconds from 900 to 129600",
        ),
        (
            "duration_seconds = 1h",
            "duration_seconds is not a number of seconds from 900 to 129600",
        ),
        (
            "role_arn = arn:aws:iam::123456789012:user/a",
            "role_arn is not the ARN of a role",
        ),
        ("role_arn =\n  a = b", "role_arn is a block, not a value"),
        ("mfa_serial = none", "mfa_serial is not a serial number"),
        (
            "external_id = a b",
            "external_id is not 2 to 1224 letters, digits and _+=,.@:/-",
        ),
        (
            "role_session_name = a",
            "role_session_name is not 2 to 64 letters, digits and _+=,.@-",
        ),
        ("region = a/b", "region is not a region's name"),
        (
            "endpoint_url = ftp://a",
            "endpoint_url is not an address that begins with http:// or https://",
        ),
    ] {
        let all = profiles(&format!("[profile a]\n\n{line}\n"), "");
        let profile = all.get("a").unwrap();
        let errors = [
            profile.duration_seconds().err(),
            profile.role_arn().err(),
            profile.mfa_serial().err(),
            profile.external_id().err(),
            profile.role_session_name().err(),
            profile.own_region().err(),
            profile.endpoint_url("sts").err(),
        ];
        let errors: Vec<String> = errors.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(errors, [format!("line 3 of AWS's config file: {expected}")]);
    }
}

#[test]
fn a_device_is_virtual_or_another() {
    for (serial, is_virtual) in [
        ("arn:aws:iam::123456789012:mfa/alice", true),
        ("GAHT12345678", false),
        ("arn:aws:iam::123456789012:u2f/user/alice/key", false),
    ] {
        let all = profiles(&format!("[default]\nmfa_serial = {serial}\n"), "");
        let device = all.get("default").unwrap().mfa_serial().unwrap().unwrap();
        assert_eq!(matches!(device.value, Device::Virtual(_)), is_virtual);
    }
}

#[test]
fn a_region_is_found_where_a_partition_decides_it() {
    let region = |lines: &str, environment, serial: Option<&str>| {
        let all = profiles(&format!("[profile a]\nx = 1\n{lines}"), "");
        let serial = serial.and_then(SerialNumber::new);
        let profile = all.get("a").unwrap();
        profile.region(environment, serial.as_ref()).unwrap()
    };
    let gov = "arn:aws-us-gov:iam::123456789012:mfa/alice";
    let role = format!("role_arn = {ROLE}\n");
    assert_eq!(region("region = x\n", Some("y"), None), "y");
    assert_eq!(region(&format!("region = x\n{role}"), None, None), "x");
    assert_eq!(region(&role, None, Some(gov)), "cn-north-1");
    let serial = format!("mfa_serial = {gov}\n");
    assert_eq!(region(&serial, None, None), "us-gov-west-1");
    assert_eq!(region("", None, Some(gov)), "us-gov-west-1");
    assert_eq!(region("", None, None), "us-east-1");
}

#[test]
fn a_circle_is_told_by_its_lines() {
    let all = profiles(
        &format!(
            "[profile a]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}\n"
        ),
        "[b]\nsource_profile = a\n",
    );
    let error = all.chain("a").err().unwrap();
    assert_eq!(
        error,
        ProfileError::Circle(vec![at(File::Config, 3), at(File::Credentials, 2)])
    );
    assert_eq!(
        error.to_string(),
        "the source profiles go in a circle: line 3 of AWS's config file, line 2 of AWS's credentials file"
    );
    let gone = all.chain("c").err().unwrap();
    assert_eq!(gone, ProfileError::NoProfile("c".into()));
}

#[test]
fn vmfa_is_known_in_whatever_it_is_wrapped() {
    let named = |name: &str| {
        Some(Ours {
            profile: Some(name.into()),
        })
    };
    for (command, expected) in [
        ("vmfa aws credentials --profile a", named("a")),
        (
            "\"/opt/my tools/vmfa\" aws credentials --profile='a b'",
            named("a b"),
        ),
        ("vmfa aws credentials", Some(Ours { profile: None })),
        ("vmfa-aws", Some(Ours { profile: None })),
        ("env vmfa aws credentials --profile a", named("a")),
        (
            "/usr/bin/env -u X -i A=1 vmfa aws credentials --profile a",
            named("a"),
        ),
        ("sh -c 'exec vmfa aws credentials --profile a'", named("a")),
        (
            "/bin/bash -lc \"cd /; X=1 vmfa aws credentials --profile=a\"",
            named("a"),
        ),
        (
            "env A=1 sh -c 'vmfa aws credentials --profile a | cat'",
            named("a"),
        ),
        ("aws-vault export vmfa", None),
        ("/opt/vmfa/other --profile a", None),
        ("vmfa 'open", None),
        ("", None),
        ("env", None),
        ("sh -c", None),
        ("env env env env env env vmfa", None),
    ] {
        assert_eq!(is_vmfa(command), expected, "{command}");
    }
}

#[test]
fn a_profile_that_asks_us_for_what_we_ask_it_is_refused() {
    let ours = |name: &str| format!("credential_process = vmfa aws credentials --profile {name}\n");
    let all = profiles(
        &format!(
            "[profile own]\n{}[profile far]\nrole_arn = {ROLE}\nsource_profile = near\n[profile near]\n{}[profile other]\n{}[profile unnamed]\ncredential_process = vmfa aws credentials\n",
            ours("own"),
            ours("far"),
            ours("keys"),
        ),
        "[keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG\n",
    );
    let refused = |name| all.refuse_loop(name).err().map(|error| error.places());
    assert_eq!(refused("own"), Some(vec![at(File::Config, 2)]));
    assert_eq!(refused("far"), Some(vec![at(File::Config, 7)]));
    assert_eq!(refused("near"), Some(vec![at(File::Config, 7)]));
    assert_eq!(refused("unnamed"), Some(vec![at(File::Config, 11)]));
    assert_eq!(refused("other"), None);
    assert_eq!(refused("keys"), None);
    let error = all.refuse_loop("own").err().unwrap();
    assert_eq!(
        error.to_string(),
        "line 2 of AWS's config file: credential_process of profile own asks vmfa, which needs that profile's own credentials"
    );
}

#[test]
fn a_new_section_is_read_back_as_its_profile() {
    for name in ["default", "a", "a b", "it's", "a\"b"] {
        let text = format!("[{}]\nx = 1\n", new_section(name));
        let all = profiles(&text, "");
        assert_eq!(all.names().collect::<Vec<_>>(), [name]);
    }
}
