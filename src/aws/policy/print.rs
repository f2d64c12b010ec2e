//! The policies that `vmfa aws policy` prints.

use serde_json::{Value, json};

use super::actions::{CHANGE_PASSWORD, PASSWORD_POLICY};
use crate::aws::arn::Partition;

/// When a user may change the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstPassword {
    /// Only with MFA: whoever has to change the first password at the first sign-in is locked out.
    #[default]
    WithMfa,
    /// Before there is MFA: a stolen password can be changed by the thief.
    BeforeMfa,
}

/// What a user's virtual MFA devices may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceNames {
    /// Anything: several devices a user, and the console asks for the name.
    #[default]
    Free,
    /// As the user is called, and nothing else.
    UserName,
}

/// What of their own credentials users manage themselves, with MFA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelfService {
    /// Access keys.
    Keys,
    /// The password of the console.
    Passwords,
    /// X.509 signing certificates.
    Certificates,
    /// SSH keys of CodeCommit.
    Ssh,
    /// Passwords for CodeCommit over HTTPS, and other services' own.
    Git,
}

impl SelfService {
    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Keys => &[
                "iam:CreateAccessKey",
                "iam:DeleteAccessKey",
                "iam:GetAccessKeyLastUsed",
                "iam:ListAccessKeys",
                "iam:UpdateAccessKey",
            ],
            Self::Passwords => &[CHANGE_PASSWORD, "iam:GetLoginProfile"],
            Self::Certificates => &[
                "iam:DeleteSigningCertificate",
                "iam:ListSigningCertificates",
                "iam:UpdateSigningCertificate",
                "iam:UploadSigningCertificate",
            ],
            Self::Ssh => &[
                "iam:DeleteSSHPublicKey",
                "iam:GetSSHPublicKey",
                "iam:ListSSHPublicKeys",
                "iam:UpdateSSHPublicKey",
                "iam:UploadSSHPublicKey",
            ],
            Self::Git => &[
                "iam:CreateServiceSpecificCredential",
                "iam:DeleteServiceSpecificCredential",
                "iam:ListServiceSpecificCredentials",
                "iam:ResetServiceSpecificCredential",
                "iam:UpdateServiceSpecificCredential",
            ],
        }
    }
}

/// What a Force-MFA policy is to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForceMfa {
    /// Where the accounts are. IAM wants the right one in an ARN, not a wildcard.
    pub partition: Partition,
    /// When a user may change the password.
    pub first_password: FirstPassword,
    /// What a user's devices may be called.
    pub device_names: DeviceNames,
    /// What users manage themselves, with MFA.
    pub self_service: Vec<SelfService>,
}

/// What a service control policy is to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scp {
    /// Where the accounts are.
    pub partition: Partition,
    /// When a user may change the password.
    pub first_password: FirstPassword,
    /// ARNs of users for whom it doesn't hold: machines that have no MFA. `*` is a wildcard.
    pub left_out: Vec<String>,
}

/// What enrolling takes of a user's own rights on the user.
const OWN_USER: [&str; 5] = [
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ResyncMFADevice",
];
const CREATE: &str = "iam:CreateVirtualMFADevice";
const LIST: &str = "iam:ListVirtualMFADevices";
const SESSION: &str = "sts:GetSessionToken";

/// A policy for a group: enrolling is allowed, and everything else denied until there is MFA. JSON, indented by two, without a
/// final newline.
pub fn force_mfa(options: &ForceMfa) -> String {
    let before = options.first_password == FirstPassword::BeforeMfa;
    let passwords = before || options.self_service.contains(&SelfService::Passwords);
    // A user below a path has it in the ARN; the name itself can't hold a slash, so the second line means nobody else.
    let own = ["user/${aws:username}", "user/*/${aws:username}"]
        .map(|name| arn(&options.partition, name));
    let devices = match options.device_names {
        DeviceNames::Free => arn(&options.partition, "mfa/*"),
        DeviceNames::UserName => arn(&options.partition, "mfa/${aws:username}"),
    };
    let mut on_account = vec![LIST];
    on_account.extend(passwords.then_some(PASSWORD_POLICY));
    let mut on_self = OWN_USER.to_vec();
    on_self.extend(before.then_some(CHANGE_PASSWORD));
    let mut with_mfa = vec!["iam:DeactivateMFADevice"];
    let mut services = options.self_service.clone();
    services.sort();
    services.dedup();
    with_mfa.extend(services.iter().flat_map(|service| service.actions()));
    with_mfa.retain(|action| !on_self.contains(action));
    on_self.sort_unstable();
    with_mfa.sort_unstable();
    let has_mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    document(vec![
        allow("SeeWhatEnrolmentNeeds", &on_account, json!("*")),
        allow("MakeADevice", &[CREATE], json!(devices)),
        allow("EnrolOneself", &on_self, json!(own)),
        conditional(
            allow("ManageOneselfWithMFA", &with_mfa, json!(own)),
            has_mfa.clone(),
        ),
        conditional(
            allow(
                "DropUnusedDevicesWithMFA",
                &["iam:DeleteVirtualMFADevice"],
                json!(devices),
            ),
            has_mfa,
        ),
        deny(
            "NothingElseWithoutMFA",
            options.first_password,
            json!({ "BoolIfExists": without_mfa() }),
        ),
    ])
}

/// A service control policy: IAM users in the organisation's accounts are denied everything but enrolling until there is MFA.
/// Roles and AWS's own services are none of its business, since their ARNs aren't users'.
pub fn scp(options: &Scp) -> String {
    let users = arn(&options.partition, "user/*");
    let mut condition = json!({
        "BoolIfExists": without_mfa(),
        "ArnLike": { "aws:PrincipalArn": users },
    });
    if !options.left_out.is_empty() {
        condition["ArnNotLike"] = json!({ "aws:PrincipalArn": options.left_out });
    }
    document(vec![deny(
        "UsersNothingElseWithoutMFA",
        options.first_password,
        condition,
    )])
}

/// A call that a service makes in the user's name follows one that the user made, which was held to MFA already; some services
/// don't pass on that there was MFA, and would fail.
fn without_mfa() -> Value {
    json!({ "aws:MultiFactorAuthPresent": "false", "aws:ViaAWSService": "false" })
}

fn arn(partition: &Partition, resource: &str) -> String {
    format!("arn:{partition}:iam::*:{resource}")
}

fn document(statements: Vec<Value>) -> String {
    format!(
        "{:#}",
        json!({ "Version": "2012-10-17", "Statement": statements })
    )
}

fn allow(sid: &str, actions: &[&str], resources: Value) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

fn conditional(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

fn deny(sid: &str, first_password: FirstPassword, condition: Value) -> Value {
    let mut open = OWN_USER.to_vec();
    open.extend([CREATE, LIST, SESSION]);
    if first_password == FirstPassword::BeforeMfa {
        open.extend([CHANGE_PASSWORD, PASSWORD_POLICY]);
    }
    open.sort_unstable();
    json!({ "Sid": sid, "Effect": "Deny", "NotAction": open, "Resource": "*", "Condition": condition })
}
