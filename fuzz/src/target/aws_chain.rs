//! A config and a credentials file, parted by a zero byte: from each profile a way to its credentials or an error that is fit
//! for a terminal, and the plan for a session that follows from it.

use vmfa::account::text::clean;
use vmfa::aws::ini::Ini;
use vmfa::aws::plan::{Plan, Wanted};
use vmfa::aws::profile::{File, Profiles, Source, is_vmfa};
use vmfa::failure::Fails;

pub fn run(bytes: &[u8]) {
    let mut files = bytes.splitn(2, |byte| *byte == 0);
    let mut file = || match Ini::read(files.next()?) {
        Ok(ini) => Some(ini),
        Err(error) => {
            fit(&error.to_string());
            None
        }
    };
    let (config, credentials) = (file(), file());
    let profiles = Profiles::new(config, credentials);
    let names: Vec<String> = profiles.names().map(String::from).collect();
    for name in &names {
        let profile = profiles.get(name).expect("it was named");
        assert_eq!(profile.name(), name);
        match profiles.chain(name) {
            Ok(chain) => {
                assert!(chain.len() <= names.len() + 1);
                let last = chain.last().expect("the profile itself");
                assert!(!matches!(last.source, Source::SourceProfile { .. }));
            }
            Err(error) => told(&error),
        }
        if let Err(error) = profiles.refuse_loop(name) {
            told(&error);
        }
        settings(&profile);
        let wanted = Wanted {
            profile: Some(name.clone()),
            endpoint: "https://sts.amazonaws.com".into(),
            ..Wanted::default()
        };
        match Plan::new(&profiles, wanted) {
            Ok(plan) => {
                assert!(plan.roles.len() <= names.len());
                let _ = (plan.signer().is_ok(), plan.base_profile(), plan.partition());
            }
            Err(error) => told(&error),
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = is_vmfa(text);
    }
}

fn settings(profile: &vmfa::aws::profile::Profile<'_>) {
    let mut errors = Vec::new();
    errors.extend(profile.role_arn().err());
    errors.extend(profile.source_profile().err());
    errors.extend(profile.credential_source().err());
    errors.extend(profile.mfa_serial().err());
    match profile.duration_seconds() {
        Ok(Some(duration)) => assert!((900..=43_200).contains(&duration.value)),
        Ok(None) => {}
        Err(error) => errors.push(error),
    }
    errors.extend(profile.role_session_name().err());
    errors.extend(profile.external_id().err());
    errors.extend(profile.own_region().err());
    errors.extend(profile.endpoint_url("sts").err());
    errors.extend(profile.credential_process().err());
    errors.extend(profile.ca_bundle().err());
    errors.extend(profile.keys(File::Config).err());
    errors.extend(profile.keys(File::Credentials).err());
    errors.extend(profile.source().err());
    errors.iter().for_each(|error| told(error));
}

fn told(error: &impl Fails) {
    fit(&error.to_string());
    if let Some(hint) = error.hint() {
        fit(&hint);
    }
}

fn fit(said: &str) {
    assert_eq!(clean(said), said);
}
