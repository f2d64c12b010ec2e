//! The shared files and their profiles, against what botocore makes of the same files.
//!
//! `vectors/aws/config/make.py` wrote down what it saw; `tests/oracle/test_aws_config.py` holds that it still sees the same.

use serde_json::{Map, Value as Json};
use vmfa::aws::ini::{Entry, Ini, Value};
use vmfa::aws::profile::{CredentialSource, File, Keys, Profile, Profiles, Source};

const CASES: &str = include_str!("../../vectors/aws/config/cases.json");
const EXPECTED: &str = include_str!("../../vectors/aws/config/expected.json");

fn cases() -> Vec<(String, Option<String>, Option<String>)> {
    let cases: Vec<Json> = serde_json::from_str(CASES).unwrap();
    let text = |case: &Json, key: &str| case[key].as_str().map(String::from);
    let cases = cases.iter();
    let all = cases.map(|case| {
        (
            text(case, "name").unwrap(),
            text(case, "config"),
            text(case, "credentials"),
        )
    });
    all.collect()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::String(text.expose().into()),
        Value::Block(entries) => Json::Object(entries.iter().map(pair).collect()),
    }
}

fn pair(entry: &Entry) -> (String, Json) {
    (entry.key().into(), json(entry.value()))
}

fn keys(keys: &Keys) -> Json {
    let secret = keys.secret_access_key.expose();
    let token = keys.session_token.as_ref().map(|token| token.expose());
    Json::from(vec![
        Json::from(keys.access_key_id.as_str()),
        Json::from(secret),
        Json::from(token),
    ])
}

/// How a chain goes on and ends, in botocore's words.
fn outcome(profiles: &Profiles, name: &str) -> Map<String, Json> {
    let mut found = Map::new();
    let Ok(chain) = profiles.chain(name) else {
        found.insert("refused".into(), Json::from(true));
        return found;
    };
    let names: Vec<&str> = chain.iter().map(|link| link.profile.name()).collect();
    found.insert("chain".into(), names.into());
    let end = match &chain.last().unwrap().source {
        Source::SourceProfile { .. } => panic!("a chain ends with no source profile"),
        Source::CredentialSource { from, .. } => Some(match from.value {
            CredentialSource::Environment => "credential_source Environment",
            CredentialSource::Ec2InstanceMetadata => "credential_source Ec2InstanceMetadata",
            CredentialSource::EcsContainer => "credential_source EcsContainer",
        }),
        Source::WebIdentity { .. } => Some("assume-role-with-web-identity"),
        Source::Sso(_) => Some("sso"),
        Source::Keys(static_keys) => {
            found.insert("key".into(), keys(static_keys));
            Some(match static_keys.at.file {
                File::Credentials => "shared-credentials-file",
                File::Config => "config-file",
            })
        }
        Source::Login(_) => Some("login"),
        Source::Process(_) => Some("custom-process"),
        Source::Nothing => None,
    };
    found.insert("end".into(), end.into());
    found
}

fn endpoint(profile: &Profile<'_>, service: &str) -> Json {
    match profile.endpoint_url(service) {
        Ok(found) => found.map(|found| found.value).into(),
        Err(_) => Json::from("refused"),
    }
}

fn seen(profiles: &Profiles) -> Map<String, Json> {
    let profiles_seen = profiles.names().map(|name| {
        let profile = profiles.get(name).unwrap();
        let values: Map<String, Json> = profile
            .settings()
            .into_iter()
            .map(|(_, entry)| pair(entry))
            .collect();
        let mut found = outcome(profiles, name);
        found.insert("values".into(), values.into());
        let endpoints = ["sts", "iam"].map(|service| (service.into(), endpoint(&profile, service)));
        found.insert("endpoints".into(), Json::Object(Map::from_iter(endpoints)));
        (name.into(), found.into())
    });
    profiles_seen.collect()
}

/// botocore's name for a refusal says more than that it is one.
fn plainly(expected: &Json) -> Json {
    let mut all = expected.clone();
    for profile in all.as_object_mut().unwrap().values_mut() {
        if profile.get("refused").is_some() {
            profile["refused"] = Json::from(true);
        }
        for endpoint in profile["endpoints"].as_object_mut().unwrap().values_mut() {
            if endpoint.is_object() {
                *endpoint = Json::from("refused");
            }
        }
    }
    all
}

#[test]
fn each_file_says_to_us_what_it_says_to_botocore() {
    let expected: Json = serde_json::from_str(EXPECTED).unwrap();
    let cases = cases();
    assert_eq!(cases.len(), expected.as_object().unwrap().len());
    for (name, config, credentials) in cases {
        let read = |text: Option<String>| text.map(|text| Ini::read(text.as_bytes())).transpose();
        let files = read(config).and_then(|config| Ok((config, read(credentials)?)));
        let expected = &expected[&name];
        match files {
            Err(_) => assert_eq!(expected["refused"], Json::from(true), "{name}"),
            Ok((config, credentials)) => {
                let seen = seen(&Profiles::new(config, credentials));
                assert_eq!(Json::Object(seen), plainly(&expected["profiles"]), "{name}");
            }
        }
    }
}
