//! The calls that are made, and what of their answers is used: the parts of IAM's and STS's APIs that a virtual MFA device
//! needs, in their own words.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// A call.
pub trait Operation: Serialize + DeserializeOwned {
    /// `service:Operation`, as IAM policies write it.
    const NAME: &'static str;
    /// What is used of the answer.
    type Output: Serialize + DeserializeOwned;
}

/// Secret text on its way between `vmfa` and `vmfa-aws`. The one type that may be written out, on purpose.
pub struct Sent(pub SecretText);

impl Serialize for Sent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Sent;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Sent, E> {
                Ok(Sent(SecretText::new(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Sent, E> {
                Ok(Sent(SecretText::new(text)))
            }
        }
        deserializer.deserialize_string(Text)
    }
}

/// An answer of which nothing is used.
#[derive(Serialize, Deserialize)]
pub struct Done {}

/// A code on its way. It is worth something for two minutes; wiped all the same.
pub type SentCode = Zeroizing<String>;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $wire:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
    } -> $output:ty;)*) => {
        $($(#[$doc])*
        #[derive(Serialize, Deserialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Operation for $name {
            const NAME: &'static str = $wire;
            type Output = $output;
        })*
    };
}

operations! {
    /// Who signs.
    GetCallerIdentity = "sts:GetCallerIdentity" {} -> Identity;

    /// A session of the user who signs, with MFA when a serial number and a code are given.
    GetSessionToken = "sts:GetSessionToken" {
        /// 900 to 129,600 seconds.
        duration_seconds: i32,
        /// The device and its code.
        mfa: Option<Mfa>,
    } -> Session;

    /// A session of a role.
    AssumeRole = "sts:AssumeRole" {
        /// Which role.
        role_arn: String,
        /// The session's name, as it stands in logs.
        role_session_name: String,
        /// 900 seconds to the role's maximum.
        duration_seconds: i32,
        /// What the role's owner asked to be told.
        external_id: Option<String>,
        /// The device and its code.
        mfa: Option<Mfa>,
    } -> Session;

    /// A sign-in token for the console.
    GetSigninToken = "signin:GetSigninToken" {
        /// The federation endpoint.
        endpoint: String,
        /// The session's credentials.
        access_key_id: String,
        /// The session's credentials.
        secret_access_key: Sent,
        /// The session's credentials.
        session_token: Sent,
        /// How long the console's session lasts, where it may be said: 900 to 43,200 seconds.
        session_duration: Option<u32>,
    } -> SigninToken;

    /// A new virtual device. The answer is the only one that ever holds its seed.
    CreateVirtualMfaDevice = "iam:CreateVirtualMFADevice" {
        /// Its name.
        virtual_mfa_device_name: String,
    } -> CreatedDevice;

    /// Deletes a device that nobody has.
    DeleteVirtualMfaDevice = "iam:DeleteVirtualMFADevice" {
        /// Which device.
        serial_number: String,
    } -> Done;

    /// Gives a device to a user.
    EnableMfaDevice = "iam:EnableMFADevice" {
        /// To whom.
        user_name: String,
        /// Which device.
        serial_number: String,
        /// The earlier of two consecutive codes.
        authentication_code1: SentCode,
        /// The later one.
        authentication_code2: SentCode,
    } -> Done;

    /// Tells AWS how far a device's clock is off.
    ResyncMfaDevice = "iam:ResyncMFADevice" {
        /// Whose.
        user_name: String,
        /// Which device.
        serial_number: String,
        /// The earlier of two consecutive codes.
        authentication_code1: SentCode,
        /// The later one.
        authentication_code2: SentCode,
    } -> Done;

    /// Takes a device from a user.
    DeactivateMfaDevice = "iam:DeactivateMFADevice" {
        /// From whom.
        user_name: String,
        /// Which device.
        serial_number: String,
    } -> Done;

    /// The devices of a user: of the one who signs where none is named.
    ListMfaDevices = "iam:ListMFADevices" {
        /// Whose.
        user_name: Option<String>,
    } -> Vec<Device>;

    /// All virtual devices of the account, those that nobody has included.
    ListVirtualMfaDevices = "iam:ListVirtualMFADevices" {} -> Vec<Device>;

    /// The access keys of a user, without their secret halves.
    ListAccessKeys = "iam:ListAccessKeys" {
        /// Whose.
        user_name: Option<String>,
    } -> Vec<UserKey>;

    /// The account's rules for passwords; none where it has none of its own.
    GetAccountPasswordPolicy = "iam:GetAccountPasswordPolicy" {} -> Option<PasswordPolicy>;

    /// The credential report, made anew if need be: CSV.
    GetCredentialReport = "iam:GetCredentialReport" {} -> String;

    /// Users, groups and the policies that apply to them.
    GetAccountAuthorizationDetails = "iam:GetAccountAuthorizationDetails" {} -> Authorizations;
}

/// A device and its code.
#[derive(Serialize, Deserialize)]
pub struct Mfa {
    /// The device's serial number.
    pub serial_number: String,
    /// Its code.
    pub token_code: SentCode,
}

/// Who signs.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Identity {
    /// The AWS account ID.
    pub account: String,
    /// The ARN.
    pub arn: String,
}

/// A session's credentials.
#[derive(Serialize, Deserialize)]
pub struct Session {
    /// `ASIA…`.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: Sent,
    /// What tells AWS that it is a session.
    pub session_token: Sent,
    /// When it ends, in seconds since 1970.
    pub expiration: u64,
}

/// A sign-in token for the console.
#[derive(Serialize, Deserialize)]
pub struct SigninToken {
    /// Good for one sign-in within 15 minutes.
    pub token: Sent,
}

/// A device that was just made.
#[derive(Serialize, Deserialize)]
pub struct CreatedDevice {
    /// Its ARN.
    pub serial_number: String,
    /// Its secret in base32 text, as the API model says; AWS never tells it again.
    pub base32_string_seed: Sent,
}

/// A device as lists tell it.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its ARN, or the number printed on a hardware token.
    pub serial_number: String,
    /// The user who has it, where the list tells it; for the root user its ARN's last word.
    pub user_name: Option<String>,
    /// Since when it is enabled, in seconds since 1970; none for one that nobody has.
    pub enable_date: Option<u64>,
}

/// An access key as lists tell it.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct UserKey {
    /// `AKIA…`.
    pub access_key_id: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Since when there is one, in seconds since 1970.
    pub create_date: Option<u64>,
}

/// The account's rules for passwords.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct PasswordPolicy {
    /// The least number of characters.
    pub minimum_password_length: Option<i32>,
    /// Days until a new one is asked for.
    pub max_password_age: Option<i32>,
    /// How many former ones may not come again.
    pub password_reuse_prevention: Option<i32>,
    /// Whether users change their own.
    pub allow_users_to_change_password: bool,
    /// The kinds of characters asked for, in IAM's words.
    pub requires: Vec<String>,
}

/// A policy and its name.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct NamedPolicy {
    /// The name, or the ARN's last word.
    pub name: String,
    /// The document: JSON.
    pub document: String,
}

/// Users with what applies to each.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Authorizations {
    /// The users.
    pub users: Vec<Authorized>,
    /// The groups with their policies.
    pub groups: Vec<Authorized>,
}

/// A user or a group with its policies.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub struct Authorized {
    /// The name.
    pub name: String,
    /// The groups that a user is in.
    pub groups: Vec<String>,
    /// The policies of its own, inline and managed.
    pub policies: Vec<NamedPolicy>,
}
