//! Amazon Resource Names, as far as IAM and STS speak them.

use std::fmt;

/// A partition of AWS: accounts, endpoints and consoles of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partition(String);

/// A partition, the region that stands for all of it, and the domains of its console and of its sign-in.
const PARTITIONS: [(&str, &str, &str, &str); 3] = [
    (
        "aws",
        "us-east-1",
        "console.aws.amazon.com",
        "signin.aws.amazon.com",
    ),
    (
        "aws-cn",
        "cn-north-1",
        "console.amazonaws.cn",
        "signin.amazonaws.cn",
    ),
    (
        "aws-us-gov",
        "us-gov-west-1",
        "console.amazonaws-us-gov.com",
        "signin.amazonaws-us-gov.com",
    ),
];

impl Partition {
    /// By its name: `aws`, or `aws-` and lower-case words.
    pub fn new(name: &str) -> Option<Self> {
        let words = |c: char| c.is_ascii_lowercase() || c == '-';
        let fits = name == "aws"
            || name.len() <= 32
                && name
                    .strip_prefix("aws-")
                    .is_some_and(|rest| !rest.is_empty())
                && name.chars().all(words);
        fits.then(|| Self(name.into()))
    }

    /// The partition that a region is in, by the region's name.
    pub fn of_region(region: &str) -> Self {
        let name = match region.split_once('-') {
            Some(("cn", _)) => "aws-cn",
            Some(("us", rest)) if rest.starts_with("gov-") => "aws-us-gov",
            Some(("us", rest)) if rest.starts_with("iso-") => "aws-iso",
            Some(("us", rest)) if rest.starts_with("isob-") => "aws-iso-b",
            Some(("us", rest)) if rest.starts_with("isof-") => "aws-iso-f",
            Some(("eu", rest)) if rest.starts_with("isoe-") => "aws-iso-e",
            Some(("eusc", _)) => "aws-eusc",
            Some(_) | None => "aws",
        };
        Self(name.into())
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub fn name(&self) -> &str {
        &self.0
    }

    fn row(&self) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
        PARTITIONS.iter().find(|row| row.0 == self.0)
    }

    /// A region of it, for calls that need any: nobody is asked for one where the partition decides it.
    pub fn region(&self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// Where its console is.
    pub fn console(&self) -> Option<&'static str> {
        self.row().map(|row| row.2)
    }

    /// Where its sign-in and federation are.
    pub fn sign_in(&self) -> Option<&'static str> {
        self.row().map(|row| row.3)
    }
}

impl Default for Partition {
    fn default() -> Self {
        Self("aws".into())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `arn:partition:service:region:account:resource`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    text: String,
    partition: Partition,
    /// Where service, account and resource stand in the text.
    service: (usize, usize),
    account: (usize, usize),
    resource: usize,
}

/// The longest that IAM knows: a path of 512 characters and what stands around it.
const MAX_LEN: usize = 2048;

impl Arn {
    /// Reads one. None for what isn't one, or holds anything but visible ASCII.
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > MAX_LEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let partition = Partition::new(parts.next()?)?;
        let place = |part: &str| {
            let begin = part.as_ptr() as usize - text.as_ptr() as usize;
            (begin, begin + part.len())
        };
        let service = place(parts.next()?);
        let _region = parts.next()?;
        let account = parts.next()?;
        if !(account.is_empty() || is_account_id(account)) {
            return None;
        }
        let resource = parts.next().filter(|resource| !resource.is_empty())?;
        Some(Self {
            partition,
            service,
            account: place(account),
            resource: place(resource).0,
            text: text.into(),
        })
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// The service, such as `iam`.
    pub fn service(&self) -> &str {
        &self.text[self.service.0..self.service.1]
    }

    /// The AWS account ID: twelve digits, or nothing.
    pub fn account(&self) -> &str {
        &self.text[self.account.0..self.account.1]
    }

    /// What is behind the account ID.
    pub fn resource(&self) -> &str {
        &self.text[self.resource..]
    }

    /// The resource's last word: the name of a user, a device, a role.
    pub fn name(&self) -> &str {
        self.resource()
            .rsplit('/')
            .next()
            .unwrap_or_else(|| self.resource())
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether this is an AWS account ID: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The serial number of a virtual MFA device: its ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SerialNumber(Arn);

impl SerialNumber {
    /// Reads one: `arn:PARTITION:iam::ACCOUNT:mfa/NAME`, perhaps with a path before the name.
    pub fn new(text: &str) -> Option<Self> {
        let arn = Arn::new(text)?;
        let fits = arn.service() == "iam"
            && !arn.account().is_empty()
            && arn.resource().starts_with("mfa/")
            && is_device_name(arn.name());
        fits.then_some(Self(arn))
    }

    /// That of a device of this name, without a path, in an account.
    pub fn of(partition: &Partition, account: &str, name: &str) -> Option<Self> {
        Self::new(&format!("arn:{partition}:iam::{account}:mfa/{name}"))
    }

    /// The ARN.
    pub fn arn(&self) -> &Arn {
        &self.0
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a virtual device may be called so: word characters and `+=,.@-`, at most 226 of them (IAM's API reference,
/// CreateVirtualMFADevice).
pub fn is_device_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (1..=226).contains(&name.len()) && name.chars().all(fits)
}

/// Who signs, as STS says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The account's root user.
    Root,
    /// An IAM user.
    User {
        /// Its name, without the path.
        name: String,
    },
    /// A role's session.
    Role {
        /// The role's name.
        role: String,
        /// The session's name.
        session: String,
    },
    /// A federated user, or something newer.
    Other,
}

impl Caller {
    /// From the ARN that GetCallerIdentity answers.
    pub fn of(arn: &Arn) -> Self {
        let mut words = arn.resource().split('/');
        match (arn.service(), words.next(), words.next(), words.next()) {
            ("iam", Some("root"), None, None) => Self::Root,
            ("iam", Some("user"), Some(_), _) => Self::User {
                name: arn.name().into(),
            },
            ("sts", Some("assumed-role"), Some(role), Some(session)) => Self::Role {
                role: role.into(),
                session: session.into(),
            },
            (_, _, _, _) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_has_its_parts() {
        let serial = SerialNumber::new("arn:aws-cn:iam::123456789012:mfa/team/alice").unwrap();
        assert_eq!(serial.name(), "alice");
        assert_eq!(serial.arn().account(), "123456789012");
        assert_eq!(serial.arn().partition().region(), Some("cn-north-1"));
        assert_eq!(
            SerialNumber::of(&Partition::default(), "123456789012", "a").map(|s| s.to_string()),
            Some("arn:aws:iam::123456789012:mfa/a".into())
        );
        for no in [
            "",
            "arn:aws:iam::123456789012:user/alice",
            "arn:aws:iam::12345678901:mfa/alice",
            "arn:aws:sts::123456789012:mfa/alice",
            "arn:aws:iam::123456789012:mfa/",
            "arn:aws:iam::123456789012:mfa/al ice",
            "arn:aws:iam::123456789012:mfa/al\u{202e}ice",
            "arn:AWS:iam::123456789012:mfa/alice",
            "GAHT12345678",
        ] {
            assert_eq!(SerialNumber::new(no), None, "{no}");
        }
    }

    #[test]
    fn the_caller_is_told_from_the_arn() {
        let of = |text: &str| Caller::of(&Arn::new(text).unwrap());
        assert_eq!(of("arn:aws:iam::123456789012:root"), Caller::Root);
        assert_eq!(
            of("arn:aws:iam::123456789012:user/div/alice"),
            Caller::User {
                name: "alice".into()
            }
        );
        assert_eq!(
            of("arn:aws:sts::123456789012:assumed-role/ops/me"),
            Caller::Role {
                role: "ops".into(),
                session: "me".into()
            }
        );
        assert_eq!(
            of("arn:aws:sts::123456789012:federated-user/bob"),
            Caller::Other
        );
    }

    #[test]
    fn a_region_is_in_its_partition() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("us-gov-east-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(Partition::of_region(region).name(), partition);
        }
    }
}
