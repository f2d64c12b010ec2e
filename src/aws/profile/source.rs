//! Where a profile's credentials come from, in the order in which botocore looks.

use super::{At, CredentialSource, File, Keys, Profile, ProfileError, Setting};
use crate::account::text::clean;
use crate::aws::arn::Arn;
use crate::aws::ini::{Entry, Value};

/// Where a profile's credentials come from.
pub enum Source<'a> {
    /// A role, assumed with the credentials of a profile; perhaps of this same one, with its static keys.
    SourceProfile {
        /// The role.
        role: Setting<Arn>,
        /// The other profile's name.
        profile: Setting<&'a str>,
    },
    /// A role, assumed with the credentials of the environment, the machine or the container.
    CredentialSource {
        /// The role.
        role: Setting<Arn>,
        /// Which of them.
        from: Setting<CredentialSource>,
    },
    /// A role, assumed with a token that stands in a file.
    WebIdentity {
        /// The role.
        role: Setting<Arn>,
        /// The file, as it is written.
        token_file: Setting<&'a str>,
    },
    /// A role of IAM Identity Center.
    Sso(Sso<'a>),
    /// Keys that stand in one of the files.
    Keys(Keys),
    /// What `aws login` left.
    Login(Setting<&'a str>),
    /// A program that prints them.
    Process(Setting<&'a str>),
    /// Nothing in the files: the environment, the machine or the container may have some.
    Nothing,
}

/// What IAM Identity Center needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sso<'a> {
    /// `sso_start_url`.
    pub start_url: Setting<&'a str>,
    /// `sso_region`.
    pub region: Setting<&'a str>,
    /// `sso_account_id`.
    pub account_id: Setting<&'a str>,
    /// `sso_role_name`.
    pub role_name: Setting<&'a str>,
    /// `sso_session`: the section that the first two may come from.
    pub session: Option<Setting<&'a str>>,
}

impl<'a> Profile<'a> {
    /// Where its credentials come from when it is the profile that was asked for.
    ///
    /// # Errors
    /// What was found first can't be used. What would come after it isn't looked at.
    pub fn source(&self) -> Result<Source<'a>, ProfileError> {
        match self.has_role() {
            true => self.role(),
            false => self.provided(),
        }
    }

    /// Where its credentials come from when another profile names it as its source: here static keys go before a role.
    pub(super) fn source_for_other(&self) -> Result<Source<'a>, ProfileError> {
        match self.has_role() && !self.has_static() {
            true => self.role(),
            false => self.provided(),
        }
    }

    /// Half of a pair of keys is enough to be taken for one.
    pub(super) fn has_static(&self) -> bool {
        self.has("aws_access_key_id") || self.has("aws_secret_access_key")
    }

    fn has_role(&self) -> bool {
        self.has("role_arn") && !self.has("web_identity_token_file")
    }

    fn role(&self) -> Result<Source<'a>, ProfileError> {
        let profile = self.source_profile()?;
        let from = self.text("credential_source")?;
        let at = self.entry("role_arn").map_or(self.at(), |(at, _)| at);
        let missing = |key, missing| ProfileError::Missing {
            at,
            profile: clean(self.name).into_owned(),
            key,
            missing,
        };
        let role = || {
            let role = self.role_arn()?;
            role.ok_or_else(|| missing("role_arn", "role_arn"))
        };
        match (profile, from) {
            (Some(profile), Some(from)) => Err(ProfileError::Both {
                at: profile.at,
                other: from.at,
                profile: clean(self.name).into_owned(),
                key: "source_profile",
                other_key: "credential_source",
            }),
            (None, None) => Err(missing("role_arn", "source_profile or credential_source")),
            (Some(profile), None) => Ok(Source::SourceProfile {
                role: role()?,
                profile,
            }),
            (None, Some(_)) => {
                let from = self.credential_source()?;
                let from = from.ok_or_else(|| missing("role_arn", "credential_source"))?;
                Ok(Source::CredentialSource {
                    role: role()?,
                    from,
                })
            }
        }
    }

    /// All but a role with a source, in botocore's order.
    fn provided(&self) -> Result<Source<'a>, ProfileError> {
        if let Some(token_file) = self.text("web_identity_token_file")?
            && !token_file.value.is_empty()
        {
            let role = self.role_arn()?.ok_or_else(|| ProfileError::Missing {
                at: token_file.at,
                profile: clean(self.name).into_owned(),
                key: "web_identity_token_file",
                missing: "role_arn",
            })?;
            return Ok(Source::WebIdentity { role, token_file });
        }
        if let Some(sso) = self.sso()? {
            return Ok(Source::Sso(sso));
        }
        if let Some(keys) = self.keys(File::Credentials)? {
            return Ok(Source::Keys(keys));
        }
        if let Some(login) = self.text("login_session")? {
            return Ok(Source::Login(login));
        }
        if let Some(process) = self.credential_process()? {
            return Ok(Source::Process(process));
        }
        Ok(match self.keys(File::Config)? {
            Some(keys) => Source::Keys(keys),
            None => Source::Nothing,
        })
    }

    fn sso(&self) -> Result<Option<Sso<'a>>, ProfileError> {
        let of_profile = ["sso_role_name", "sso_account_id"];
        let Some((at, _)) = of_profile.iter().find_map(|key| self.entry(key)) else {
            return Ok(None);
        };
        let session = self.text("sso_session")?;
        let entries = match &session {
            Some(session) => self.sso_session(session)?,
            None => Vec::new(),
        };
        let get = |key: &'static str| {
            if let Some(own) = self.text(key)? {
                return Ok(own);
            }
            let theirs = entries.iter().find(|(_, entry)| entry.key() == key);
            let theirs = theirs.and_then(|(at, entry)| {
                let value = entry.text()?;
                Some(Setting { value, at: *at })
            });
            theirs.ok_or_else(|| ProfileError::Missing {
                at,
                profile: clean(self.name).into_owned(),
                key: "sso settings",
                missing: key,
            })
        };
        Ok(Some(Sso {
            role_name: get("sso_role_name")?,
            account_id: get("sso_account_id")?,
            start_url: get("sso_start_url")?,
            region: get("sso_region")?,
            session,
        }))
    }

    /// What the sso-session says. Where the profile says it too, both must say the same.
    fn sso_session(&self, named: &Setting<&str>) -> Result<Vec<(At, &'a Entry)>, ProfileError> {
        let dangling = || ProfileError::Dangling {
            at: named.at,
            key: "sso_session",
            name: clean(named.value).into_owned(),
        };
        let index = self.all.sso_sessions.get(named.value);
        let found = index.and_then(|index| self.all.config_section(*index));
        let (ini, section) = found.ok_or_else(dangling)?;
        let entries = ini.entries(section).map(|entry| {
            let session = At {
                file: File::Config,
                line: entry.line(),
            };
            match self.entry(entry.key()) {
                Some((at, own)) if !is_same(own.value(), entry.value()) => {
                    Err(ProfileError::Differs {
                        at,
                        session,
                        key: clean(entry.key()).into_owned(),
                    })
                }
                Some(_) | None => Ok((session, entry)),
            }
        });
        entries.collect()
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.same_as(other),
        (Value::Block(one), Value::Block(other)) => {
            one.len() == other.len()
                && one.iter().all(|entry| {
                    let found = other.iter().find(|other| other.key() == entry.key());
                    found.is_some_and(|found| is_same(entry.value(), found.value()))
                })
        }
        (Value::Text(_), Value::Block(_)) | (Value::Block(_), Value::Text(_)) => false,
    }
}
