//! What a profile wants: who signs, which roles follow, for how long, with which device.

use serde_json::json;

use crate::account::text::clean;
use crate::aws::arn::{Arn, Partition};
use crate::aws::error::AwsError;
use crate::aws::hashed;
use crate::aws::host::Host;
use crate::aws::profile::{Device, Link, Ours, ProfileError, Profiles, Setting, Source, is_vmfa};
use crate::aws::remote::{Keys, Signer};
use crate::secret::SecretText;

/// How long a user's own session lasts where nobody says it: what GetSessionToken gives by itself.
pub const USUAL_SESSION: u32 = 43_200;
/// How long a role's session lasts where nobody says it, and at most when it is had from a session.
pub const USUAL_ROLE: u32 = 3_600;
/// A root user's session lasts so long at most.
const MOST_OF_ROOT: u32 = 3_600;
/// A session is handed out with more than 15 minutes left, so one that lasts 15 minutes would never be.
const LEAST: u32 = 1_800;

/// Who signs in the end: with a user's key, as a rule.
enum Base {
    /// The keys that the environment holds.
    Keys(Keys),
    /// What is found for a profile.
    Profile {
        /// Its name.
        name: String,
        /// Keys that stand in a file: they sign, whatever else the profile says, as botocore has it.
        keys: Option<Keys>,
        /// What of its settings tells one identity from another.
        says: String,
        /// Where the SDK would only find vmfa again, the error that says so.
        itself: Option<ProfileError>,
    },
    /// Whoever the SDK finds without a profile.
    Anyone,
}

/// A role on the way.
#[derive(Debug, Clone)]
pub struct Role {
    /// Which one.
    pub arn: Arn,
    /// The session's name.
    pub session_name: String,
    /// What the role's owner asked to be told.
    pub external_id: Option<String>,
    /// For how long, where the profile says it.
    pub duration: Option<u32>,
}

/// What a profile wants.
pub struct Plan {
    /// The profile, as the person named it.
    pub profile: String,
    base: Base,
    /// The key that the vault keeps for it: it goes first.
    kept: Option<Keys>,
    /// From the base outwards; none for the user's own session.
    pub roles: Vec<Role>,
    /// The device, where the profile or the person says it.
    pub serial: Option<String>,
    duration: Option<u32>,
    endpoint: String,
}

/// What is asked for besides the profile's name.
#[derive(Default)]
pub struct Wanted {
    /// The profile; none for the usual one.
    pub profile: Option<String>,
    /// Keys that the environment holds. They count where no profile was named on the command line, as with awscli.
    pub keys: Option<Keys>,
    /// The device.
    pub serial: Option<String>,
    /// How long the session is to last, in seconds.
    pub duration: Option<u32>,
    /// The name of a role's session where the profile says none.
    pub role_session_name: Option<String>,
    /// Where calls go: sessions of one endpoint aren't another's.
    pub endpoint: String,
}

impl Plan {
    /// From the profiles and what is asked for.
    ///
    /// # Errors
    /// The profile can't be used, or isn't there.
    pub fn new(profiles: &Profiles, wanted: Wanted) -> Result<Self, AwsError> {
        let named = wanted.profile.is_some();
        let profile = wanted.profile.unwrap_or_else(|| "default".into());
        let mut plan = Self {
            base: Base::Anyone,
            kept: None,
            roles: Vec::new(),
            serial: wanted.serial,
            duration: wanted.duration,
            endpoint: wanted.endpoint,
            profile,
        };
        if let Some(keys) = wanted.keys {
            plan.base = Base::Keys(keys);
            return Ok(plan);
        }
        if !named && profiles.get(&plan.profile).is_none() {
            return Ok(plan);
        }
        if profiles.get(&plan.profile).is_none() {
            // A key in the vault needs no section in a file.
            let missing = ProfileError::NoProfile(clean(&plan.profile).into_owned());
            plan.base = Base::Profile {
                name: plan.profile.clone(),
                keys: None,
                says: String::new(),
                itself: Some(missing),
            };
            return Ok(plan);
        }
        let (mut chain, mut end) = profiles.way(&plan.profile)?;
        // What vmfa gives for another profile is that profile's: it is followed, unless it leads back here.
        while end.is_none()
            && let Some(Link {
                source: Source::Process(command),
                ..
            }) = chain.last()
            && let Some(Ours {
                profile: Some(next),
            }) = is_vmfa(command.value)
            && !matches!(
                profiles.refuse_loop(&plan.profile),
                Err(ProfileError::Ours { .. })
            )
        {
            if profiles.get(&next).is_none() {
                let missing = ProfileError::NoProfile(clean(&next).into_owned());
                end = Some((next, missing));
                break;
            }
            let (more, further) = profiles.way(&next)?;
            chain.extend(more);
            end = further;
        }
        for link in &chain {
            if plan.serial.is_none() {
                plan.serial = link.profile.mfa_serial()?.map(|serial| match serial.value {
                    Device::Virtual(serial) => serial.as_str().to_owned(),
                    Device::Other(number) => number,
                });
            }
            if let Source::SourceProfile { role, .. } = &link.source {
                let text =
                    |setting: Option<Setting<&str>>| setting.map(|found| found.value.to_owned());
                let session_name = text(link.profile.role_session_name()?)
                    .or_else(|| wanted.role_session_name.clone())
                    .unwrap_or_else(|| session_name(&plan.profile));
                plan.roles.push(Role {
                    arn: role.value.clone(),
                    session_name,
                    external_id: text(link.profile.external_id()?),
                    duration: link.profile.duration_seconds()?.map(|found| found.value),
                });
            } else if plan.duration.is_none() && plan.roles.is_empty() {
                plan.duration = link.profile.duration_seconds()?.map(|found| found.value);
            }
        }
        plan.roles.reverse();
        if let (Some(duration), Some(last)) = (plan.duration, plan.roles.last_mut()) {
            last.duration = Some(duration);
            plan.duration = None;
        }
        let Some(last) = chain.last() else {
            return Ok(plan);
        };
        if let Some((name, error)) = end {
            // The files have no credentials for it; the vault may.
            plan.base = Base::Profile {
                name,
                keys: None,
                says: String::new(),
                itself: Some(error),
            };
            return Ok(plan);
        }
        let name = last.profile.name().to_owned();
        let (mut keys, mut itself) = (None, None);
        let says = match &last.source {
            Source::Keys(found) => {
                keys = Some(Keys {
                    access_key_id: found.access_key_id.clone(),
                    secret_access_key: found.secret_access_key.duplicate(),
                    session_token: found.session_token.as_ref().map(SecretText::duplicate),
                });
                found.access_key_id.clone()
            }
            Source::Process(command) => {
                itself = is_vmfa(command.value).map(|_| ProfileError::Ours {
                    at: command.at,
                    profile: clean(&name).into_owned(),
                });
                command.value.to_owned()
            }
            Source::Sso(sso) => [
                sso.start_url.value,
                sso.account_id.value,
                sso.role_name.value,
            ]
            .join(" "),
            Source::CredentialSource { role, from } => format!("{} {:?}", role.value, from.value),
            Source::WebIdentity { role, token_file } => {
                format!("{} {}", role.value, token_file.value)
            }
            Source::Login(login) => login.value.to_owned(),
            Source::SourceProfile { .. } | Source::Nothing => String::new(),
        };
        plan.base = Base::Profile {
            name,
            keys,
            says,
            itself,
        };
        Ok(plan)
    }

    /// Asks the vault for the key that it keeps for whoever signs. To be called once, before anything else is asked of the
    /// plan: a session that was had with another key is another session.
    ///
    /// # Errors
    /// The vault can't be asked.
    pub fn settle(&mut self, host: &mut impl Host) -> Result<(), AwsError> {
        let profile = self.base_profile().map(str::to_owned);
        self.kept = match profile {
            Some(profile) => host.access_key(&profile)?,
            None => None,
        };
        Ok(())
    }

    /// Who signs in the end.
    ///
    /// # Errors
    /// There is nobody but vmfa itself to ask.
    pub fn signer(&self) -> Result<Signer, AwsError> {
        if let Some(keys) = &self.kept {
            return Ok(Signer::Keys(keys.duplicate()));
        }
        match &self.base {
            Base::Keys(keys)
            | Base::Profile {
                keys: Some(keys), ..
            } => Ok(Signer::Keys(keys.duplicate())),
            Base::Anyone => Ok(Signer::Found(None)),
            Base::Profile {
                itself: Some(error),
                ..
            } => Err(error.clone().into()),
            Base::Profile { name, .. } => Ok(Signer::Found(Some(name.clone()))),
        }
    }

    /// The profile whose credentials sign, where there is one.
    pub fn base_profile(&self) -> Option<&str> {
        match &self.base {
            Base::Profile { name, .. } => Some(name),
            Base::Anyone => Some(&self.profile),
            Base::Keys(_) => None,
        }
    }

    /// The partition, as far as the profile tells it.
    pub fn partition(&self) -> Option<Partition> {
        let serial = self.serial.as_deref().and_then(Arn::new);
        let role = self.roles.first().map(|role| role.arn.clone());
        serial.or(role).map(|arn| arn.partition().clone())
    }

    /// How long the user's own session is to last, in seconds.
    pub(super) fn session_seconds(&self) -> u32 {
        let is_root = |serial: &String| serial.ends_with(":mfa/root-account-mfa-device");
        let most = match &self.serial {
            Some(serial) if is_root(serial) => MOST_OF_ROOT,
            Some(_) | None => 129_600,
        };
        self.duration.unwrap_or(USUAL_SESSION).clamp(LEAST, most)
    }

    /// The name under which a session of the way is held: the user's own at 0, then the roles'.
    pub(super) fn name(&self, level: usize) -> String {
        let base = match &self.base {
            Base::Keys(keys) => json!({ "key": keys.access_key_id }),
            Base::Profile { name, says, .. } => json!({ "profile": name, "says": says }),
            Base::Anyone => json!({ "profile": self.profile }),
        };
        let roles: Vec<_> = self.roles[..level]
            .iter()
            .map(|role| {
                json!([
                    role.arn.as_str(),
                    role.session_name,
                    role.external_id,
                    role.seconds()
                ])
            })
            .collect();
        let kept = self.kept.as_ref().map(|keys| &keys.access_key_id);
        let whole = json!([
            self.endpoint,
            base,
            kept,
            self.serial,
            self.session_seconds(),
            roles
        ]);
        format!("aws session {}", hashed(whole.to_string().as_bytes()))
    }
}

impl Role {
    /// How long its session is to last, in seconds.
    pub(super) fn seconds(&self) -> u32 {
        self.duration.unwrap_or(USUAL_ROLE).clamp(LEAST, 43_200)
    }
}

/// A session's name as STS takes it: 2 to 64 word characters and `=,.@-`.
fn session_name(profile: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_=,.@-+".contains(c);
    let name: String = profile
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    format!("vmfa-{name}").chars().take(64).collect()
}
