//! The settings of a profile, each checked, and each with its line.

use super::{At, File, Profile, ProfileError, Setting};
use crate::account::text::clean;
use crate::aws::arn::{Arn, Partition, SerialNumber};
use crate::aws::ini::{Entry, Value};
use crate::secret::SecretText;

/// Where a role's credentials come from when no profile is named for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// `Environment`: `AWS_ACCESS_KEY_ID` and what goes with it.
    Environment,
    /// `Ec2InstanceMetadata`: the role of the machine.
    Ec2InstanceMetadata,
    /// `EcsContainer`: the role of the container.
    EcsContainer,
}

/// What `mfa_serial` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// A virtual device: what vmfa can be.
    Virtual(SerialNumber),
    /// A device that one holds in one's hand, by its serial number.
    Other(String),
}

/// Static keys, as they stand in a file.
pub struct Keys {
    /// The half that isn't secret.
    pub access_key_id: String,
    /// The half that is.
    pub secret_access_key: SecretText,
    /// For keys that are valid for a time only.
    pub session_token: Option<SecretText>,
    /// Where the access key ID stands.
    pub at: At,
}

impl Keys {
    /// A second copy, on purpose.
    pub fn duplicate(&self) -> Self {
        Self {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.duplicate(),
            session_token: self.session_token.as_ref().map(SecretText::duplicate),
            at: self.at,
        }
    }
}

type Found<T> = Result<Option<Setting<T>>, ProfileError>;

impl<'a> Profile<'a> {
    /// Any setting as it stands, by its key in lower case.
    ///
    /// # Errors
    /// The value is a block.
    pub fn text(&self, key: &'static str) -> Found<&'a str> {
        self.entry(key).map(|found| text(key, found)).transpose()
    }

    /// `role_arn`.
    ///
    /// # Errors
    /// Not the ARN of a role.
    pub fn role_arn(&self) -> Found<Arn> {
        self.parsed("role_arn", "is not the ARN of a role", |text| {
            Arn::new(text).filter(|arn| {
                let is_role = arn.resource().starts_with("role/") && !arn.name().is_empty();
                arn.service() == "iam" && !arn.account().is_empty() && is_role
            })
        })
    }

    /// `source_profile`: the name of the profile that a role is assumed with.
    ///
    /// # Errors
    /// The value is a block.
    pub fn source_profile(&self) -> Found<&'a str> {
        self.text("source_profile")
    }

    /// `credential_source`.
    ///
    /// # Errors
    /// Not one of the three that there are.
    pub fn credential_source(&self) -> Found<CredentialSource> {
        let wrong = "is none of Environment, Ec2InstanceMetadata and EcsContainer";
        self.parsed("credential_source", wrong, |text| match text {
            "Environment" => Some(CredentialSource::Environment),
            "Ec2InstanceMetadata" => Some(CredentialSource::Ec2InstanceMetadata),
            "EcsContainer" => Some(CredentialSource::EcsContainer),
            _ => None,
        })
    }

    /// `mfa_serial`.
    ///
    /// # Errors
    /// Not a serial number that STS would take: 9 to 256 characters, word characters and `=/:,.@-`.
    pub fn mfa_serial(&self) -> Found<Device> {
        self.parsed("mfa_serial", "is not a serial number", |text| {
            let fits = (9..=256).contains(&text.len()) && is_made_of(text, "_+=/:,.@-");
            let other = || fits.then(|| Device::Other(text.into()));
            SerialNumber::new(text).map(Device::Virtual).or_else(other)
        })
    }

    /// `duration_seconds`. botocore passes over a value that isn't a number; that is an error here.
    ///
    /// # Errors
    /// Not a number from 900 to 129600.
    pub fn duration_seconds(&self) -> Found<u32> {
        let wrong = "is not a number of seconds from 900 to 129600";
        self.parsed("duration_seconds", wrong, |text| {
            text.parse()
                .ok()
                .filter(|seconds| (900..=129_600).contains(seconds))
        })
    }

    /// `role_session_name`.
    ///
    /// # Errors
    /// Not a name that STS would take: 2 to 64 word characters and `+=,.@-`.
    pub fn role_session_name(&self) -> Found<&'a str> {
        let wrong = "is not 2 to 64 letters, digits and _+=,.@-";
        self.checked("role_session_name", wrong, |text| {
            (2..=64).contains(&text.len()) && is_made_of(text, "_+=,.@-")
        })
    }

    /// `external_id`.
    ///
    /// # Errors
    /// Not one that STS would take: 2 to 1224 word characters and `+=,.@:/-`.
    pub fn external_id(&self) -> Found<&'a str> {
        let wrong = "is not 2 to 1224 letters, digits and _+=,.@:/-";
        self.checked("external_id", wrong, |text| {
            (2..=1224).contains(&text.len()) && is_made_of(text, "_+=,.@:/-")
        })
    }

    /// `region`, as the profile says it.
    ///
    /// # Errors
    /// Not a region's name.
    pub fn own_region(&self) -> Found<&'a str> {
        self.checked("region", "is not a region's name", is_region)
    }

    /// The region to call: what the environment says goes first, then the profile; where neither says one, that of the
    /// partition of `role_arn`, of `mfa_serial`, or of a serial number that is given.
    ///
    /// # Errors
    /// One of the settings that were looked at can't be used.
    pub fn region(
        &self,
        environment: Option<&str>,
        serial: Option<&SerialNumber>,
    ) -> Result<String, ProfileError> {
        if let Some(region) = environment {
            return Ok(region.into());
        }
        if let Some(region) = self.own_region()? {
            return Ok(region.value.into());
        }
        let role = self.role_arn()?.map(|role| role.value);
        let device = self.mfa_serial()?.and_then(|device| match device.value {
            Device::Virtual(serial) => Some(serial),
            Device::Other(_) => None,
        });
        let arns = [
            role.as_ref(),
            device.as_ref().map(SerialNumber::arn),
            serial.map(SerialNumber::arn),
        ];
        let found = arns
            .into_iter()
            .flatten()
            .find_map(|arn| arn.partition().region());
        Ok(found
            .or(Partition::default().region())
            .unwrap_or("us-east-1")
            .into())
    }

    /// The endpoint of a service, by its name in a `services` section, such as `sts` or `iam`: there first, else the
    /// profile's own `endpoint_url`. None too where `ignore_configured_endpoint_urls` is true.
    ///
    /// # Errors
    /// Not an address with http or https; `services` names no section.
    pub fn endpoint_url(&self, service: &str) -> Found<&'a str> {
        let ignored = self.text("ignore_configured_endpoint_urls")?;
        if ignored.is_some_and(|ignored| ignored.value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let wrong = "is not an address that begins with http:// or https://";
        let check = |found: Setting<&'a str>| match is_endpoint(found.value) {
            true => Ok(found),
            false => Err(ProfileError::Value {
                at: found.at,
                key: "endpoint_url",
                wrong,
            }),
        };
        // An empty one counts as none.
        let is_set = |found: &Setting<&str>| !found.value.is_empty();
        let found = match self.service_endpoint(service)?.filter(is_set) {
            Some(found) => Some(found),
            None => self.text("endpoint_url")?.filter(is_set),
        };
        found.map(check).transpose()
    }

    fn service_endpoint(&self, service: &str) -> Found<&'a str> {
        let Some(named) = self.text("services")? else {
            return Ok(None);
        };
        let dangling = || ProfileError::Dangling {
            at: named.at,
            key: "services",
            name: clean(named.value).into_owned(),
        };
        let index = self.all.services.get(named.value).ok_or_else(dangling)?;
        let found = self.all.config_section(*index);
        // A section that says nothing is as good as none.
        let found = found.filter(|(ini, section)| ini.entries(section).next().is_some());
        let (ini, section) = found.ok_or_else(dangling)?;
        let Some(Value::Block(block)) = ini.get(section, service).map(Entry::value) else {
            return Ok(None);
        };
        let entry = block.iter().find(|entry| entry.key() == "endpoint_url");
        Ok(entry.and_then(|entry| {
            Some(Setting {
                value: entry.text()?,
                at: At {
                    file: File::Config,
                    line: entry.line(),
                },
            })
        }))
    }

    /// `credential_process`: the command.
    ///
    /// # Errors
    /// The value is a block.
    pub fn credential_process(&self) -> Found<&'a str> {
        self.text("credential_process")
    }

    /// `ca_bundle`: a path, as it stands.
    ///
    /// # Errors
    /// The value is a block.
    pub fn ca_bundle(&self) -> Found<&'a str> {
        self.text("ca_bundle")
    }

    /// The static keys that one of the files holds.
    ///
    /// # Errors
    /// An access key ID without its secret half, or the one or the other empty.
    pub fn keys(&self, file: File) -> Result<Option<Keys>, ProfileError> {
        const ID: &str = "aws_access_key_id";
        const SECRET: &str = "aws_secret_access_key";
        let get = |key| {
            let found = self.entry_in(file, key);
            let found = found.map(|found| text(key, found)).transpose()?;
            let wrong = "is empty";
            match found {
                Some(Setting { value: "", at }) => Err(ProfileError::Value { at, key, wrong }),
                Some(_) | None => Ok(found),
            }
        };
        let Some(id) = get(ID)? else { return Ok(None) };
        if id.value.len() > 128 || !is_made_of(id.value, "_") {
            return Err(ProfileError::Value {
                at: id.at,
                key: ID,
                wrong: "is not an access key ID",
            });
        }
        let secret = get(SECRET)?.ok_or_else(|| ProfileError::Missing {
            at: id.at,
            profile: clean(self.name).into_owned(),
            key: ID,
            missing: SECRET,
        })?;
        // The older name goes first, as botocore has it.
        let token = match get("aws_security_token")? {
            Some(token) => Some(token),
            None => get("aws_session_token")?,
        };
        let secret_text = |setting: Setting<&str>| SecretText::new(setting.value.into());
        Ok(Some(Keys {
            access_key_id: id.value.into(),
            secret_access_key: secret_text(secret),
            session_token: token.map(secret_text),
            at: id.at,
        }))
    }

    fn parsed<T>(
        &self,
        key: &'static str,
        wrong: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Found<T> {
        let Some(found) = self.text(key)? else {
            return Ok(None);
        };
        let at = found.at;
        let value = read(found.value).ok_or(ProfileError::Value { at, key, wrong })?;
        Ok(Some(Setting { value, at }))
    }

    fn checked(
        &self,
        key: &'static str,
        wrong: &'static str,
        fits: impl FnOnce(&str) -> bool,
    ) -> Found<&'a str> {
        self.parsed(key, wrong, |text| fits(text).then_some(text))
    }
}

/// Whether it can be a region's name: one word of a host's name.
pub fn is_region(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether it can be an endpoint: http or https, and nothing that could end a line or a request.
pub fn is_endpoint(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text.len() <= 2048
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn is_made_of(text: &str, others: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn text<'a>(
    key: &'static str,
    (at, entry): (At, &'a Entry),
) -> Result<Setting<&'a str>, ProfileError> {
    let wrong = "is a block, not a value";
    let value = entry.text().ok_or(ProfileError::Value { at, key, wrong })?;
    Ok(Setting { value, at })
}
