//! Each call: its question in our words, AWS's answer back in them.

use std::time::Duration;

use aws_smithy_types::DateTime;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use vmfa::aws::operation::{
    AssumeRole, Authorizations, Authorized, CreateVirtualMfaDevice, CreatedDevice,
    DeactivateMfaDevice, DeleteVirtualMfaDevice, Device, Done, EnableMfaDevice,
    GetAccountAuthorizationDetails, GetAccountPasswordPolicy, GetCallerIdentity,
    GetCredentialReport, GetSessionToken, GetSigninToken, Identity, ListAccessKeys, ListMfaDevices,
    ListVirtualMfaDevices, NamedPolicy, Operation, PasswordPolicy, ResyncMfaDevice, Sent, Session,
    UserKey,
};
use vmfa::aws::remote::Failed;
use vmfa::aws::wire::{Answer, Outcome, Question};
use vmfa::secret::SecretText;
use zeroize::{Zeroize, Zeroizing};

use crate::failed;
use crate::service::{Service, Signed};

/// Makes the call that a question asks for; the answer as a line without its end.
pub(crate) async fn answer(service: &mut Service, question: Question<'_>) -> Zeroizing<Vec<u8>> {
    let Question {
        signer,
        operation,
        input,
    } = question;
    let (access_key_id, is_session, output) = match service.sign(signer).await {
        Ok(signed) => {
            let output = make(service, &signed, &operation, input).await;
            (signed.access_key_id, signed.is_session, output)
        }
        Err(failed) => (String::new(), false, Err(failed)),
    };
    let answer = Answer {
        skew: service.skew.seconds(),
        access_key_id,
        is_session,
        outcome: match &output {
            Ok(output) => Outcome::Output(output),
            Err(failed) => failed.clone().into(),
        },
    };
    let line = serde_json::to_vec(&answer).unwrap_or_else(|_| b"null".to_vec());
    if let Ok(output) = output {
        // The same text once more, with whatever is secret in it.
        let mut text = String::from(Box::<str>::from(output));
        text.zeroize();
    }
    Zeroizing::new(line)
}

type Made = Result<Box<RawValue>, Failed>;

async fn make(service: &Service, signed: &Signed, operation: &str, input: &RawValue) -> Made {
    match operation {
        GetCallerIdentity::NAME => output(get_caller_identity(service, signed).await?),
        GetSessionToken::NAME => output(get_session_token(service, signed, parse(input)?).await?),
        AssumeRole::NAME => output(assume_role(service, signed, parse(input)?).await?),
        GetSigninToken::NAME => output(crate::signin::get(parse(input)?).await?),
        CreateVirtualMfaDevice::NAME => output(create(service, signed, parse(input)?).await?),
        DeleteVirtualMfaDevice::NAME => {
            let DeleteVirtualMfaDevice { serial_number } = parse(input)?;
            let call = service.iam(signed).delete_virtual_mfa_device();
            let sent = call.serial_number(serial_number).send().await;
            sent.map_err(failed::of)?;
            output(Done {})
        }
        EnableMfaDevice::NAME => {
            let input: EnableMfaDevice = parse(input)?;
            let call = service.iam_once(signed).enable_mfa_device();
            let sent = call
                .user_name(input.user_name)
                .serial_number(input.serial_number)
                .authentication_code1(input.authentication_code1.as_str())
                .authentication_code2(input.authentication_code2.as_str())
                .send()
                .await;
            sent.map_err(failed::of)?;
            output(Done {})
        }
        ResyncMfaDevice::NAME => {
            let input: ResyncMfaDevice = parse(input)?;
            let call = service.iam_once(signed).resync_mfa_device();
            let sent = call
                .user_name(input.user_name)
                .serial_number(input.serial_number)
                .authentication_code1(input.authentication_code1.as_str())
                .authentication_code2(input.authentication_code2.as_str())
                .send()
                .await;
            sent.map_err(failed::of)?;
            output(Done {})
        }
        DeactivateMfaDevice::NAME => {
            let input: DeactivateMfaDevice = parse(input)?;
            let call = service.iam(signed).deactivate_mfa_device();
            let sent = call
                .user_name(input.user_name)
                .serial_number(input.serial_number)
                .send()
                .await;
            sent.map_err(failed::of)?;
            output(Done {})
        }
        ListMfaDevices::NAME => output(list_mfa_devices(service, signed, parse(input)?).await?),
        ListVirtualMfaDevices::NAME => output(list_virtual(service, signed).await?),
        ListAccessKeys::NAME => output(list_access_keys(service, signed, parse(input)?).await?),
        GetAccountPasswordPolicy::NAME => output(password_policy(service, signed).await?),
        GetCredentialReport::NAME => output(credential_report(service, signed).await?),
        GetAccountAuthorizationDetails::NAME => output(authorizations(service, signed).await?),
        _ => Err(Failed::NotUnderstood(format!(
            "{operation} is no call that this program knows"
        ))),
    }
}

fn parse<T: DeserializeOwned>(input: &RawValue) -> Result<T, Failed> {
    serde_json::from_str(input.get())
        .map_err(|_| Failed::NotUnderstood("the question can't be understood".into()))
}

fn output(output: impl Serialize) -> Made {
    to_raw_value(&output).map_err(|_| Failed::NotUnderstood("the answer can't be written".into()))
}

/// AWS's answer lacks what every such answer has.
fn lacks(what: &str) -> Failed {
    Failed::NotUnderstood(format!("AWS's answer has no {what}"))
}

fn seconds(date: Option<&DateTime>) -> Option<u64> {
    date.and_then(|date| u64::try_from(date.secs()).ok())
}

async fn get_caller_identity(service: &Service, signed: &Signed) -> Result<Identity, Failed> {
    let call = service.sts(signed).get_caller_identity();
    let answer = call.send().await.map_err(failed::of)?;
    Ok(Identity {
        account: answer.account.ok_or_else(|| lacks("Account"))?,
        arn: answer.arn.ok_or_else(|| lacks("Arn"))?,
    })
}

async fn get_session_token(
    service: &Service,
    signed: &Signed,
    input: GetSessionToken,
) -> Result<Session, Failed> {
    let mut call = service
        .sts_once(signed)
        .get_session_token()
        .duration_seconds(input.duration_seconds);
    if let Some(mfa) = input.mfa {
        call = call
            .serial_number(mfa.serial_number)
            .token_code(mfa.token_code.as_str());
    }
    session(call.send().await.map_err(failed::of)?.credentials)
}

async fn assume_role(
    service: &Service,
    signed: &Signed,
    input: AssumeRole,
) -> Result<Session, Failed> {
    let mut call = service
        .sts_once(signed)
        .assume_role()
        .role_arn(input.role_arn)
        .role_session_name(input.role_session_name)
        .duration_seconds(input.duration_seconds)
        .set_external_id(input.external_id);
    if let Some(mfa) = input.mfa {
        call = call
            .serial_number(mfa.serial_number)
            .token_code(mfa.token_code.as_str());
    }
    session(call.send().await.map_err(failed::of)?.credentials)
}

fn session(credentials: Option<aws_sdk_sts::types::Credentials>) -> Result<Session, Failed> {
    let credentials = credentials.ok_or_else(|| lacks("Credentials"))?;
    // They go into environments and shells. AWS's never hold anything else.
    let parts = [
        &credentials.access_key_id,
        &credentials.secret_access_key,
        &credentials.session_token,
    ];
    if !parts
        .iter()
        .all(|part| part.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(lacks("Credentials of visible ASCII"));
    }
    let secret = |text: String| Sent(SecretText::new(text));
    Ok(Session {
        access_key_id: credentials.access_key_id,
        secret_access_key: secret(credentials.secret_access_key),
        session_token: secret(credentials.session_token),
        expiration: seconds(Some(&credentials.expiration)).ok_or_else(|| lacks("Expiration"))?,
    })
}

async fn create(
    service: &Service,
    signed: &Signed,
    input: CreateVirtualMfaDevice,
) -> Result<CreatedDevice, Failed> {
    let call = service.iam_once(signed).create_virtual_mfa_device();
    let answer = call
        .virtual_mfa_device_name(input.virtual_mfa_device_name)
        .send()
        .await
        .map_err(failed::of)?;
    let device = answer
        .virtual_mfa_device
        .ok_or_else(|| lacks("VirtualMFADevice"))?;
    let seed = device
        .base32_string_seed
        .ok_or_else(|| lacks("Base32StringSeed"))?;
    Ok(CreatedDevice {
        serial_number: device.serial_number,
        base32_string_seed: Sent(
            SecretText::from_utf8(seed.into_inner())
                .ok_or_else(|| lacks("Base32StringSeed in text"))?,
        ),
    })
}

async fn list_mfa_devices(
    service: &Service,
    signed: &Signed,
    input: ListMfaDevices,
) -> Result<Vec<Device>, Failed> {
    let call = service
        .iam(signed)
        .list_mfa_devices()
        .set_user_name(input.user_name);
    let mut pages = call.into_paginator().items().send();
    let mut devices = Vec::new();
    while let Some(device) = pages.next().await {
        let device = device.map_err(failed::of)?;
        devices.push(Device {
            serial_number: device.serial_number,
            user_name: Some(device.user_name),
            enable_date: seconds(Some(&device.enable_date)),
        });
    }
    Ok(devices)
}

async fn list_virtual(service: &Service, signed: &Signed) -> Result<Vec<Device>, Failed> {
    let call = service.iam(signed).list_virtual_mfa_devices();
    let mut pages = call.into_paginator().items().send();
    let mut devices = Vec::new();
    while let Some(device) = pages.next().await {
        let device = device.map_err(failed::of)?;
        devices.push(Device {
            user_name: device.user.map(|user| {
                if user.user_name.is_empty() {
                    user.arn.rsplit([':', '/']).next().unwrap_or("?").to_owned()
                } else {
                    user.user_name
                }
            }),
            serial_number: device.serial_number,
            enable_date: seconds(device.enable_date.as_ref()),
        });
    }
    Ok(devices)
}

async fn list_access_keys(
    service: &Service,
    signed: &Signed,
    input: ListAccessKeys,
) -> Result<Vec<UserKey>, Failed> {
    let call = service
        .iam(signed)
        .list_access_keys()
        .set_user_name(input.user_name);
    let mut pages = call.into_paginator().items().send();
    let mut keys = Vec::new();
    while let Some(key) = pages.next().await {
        let key = key.map_err(failed::of)?;
        keys.push(UserKey {
            access_key_id: key.access_key_id.unwrap_or_default(),
            is_active: key.status == Some(aws_sdk_iam::types::StatusType::Active),
            create_date: seconds(key.create_date.as_ref()),
        });
    }
    Ok(keys)
}

async fn password_policy(
    service: &Service,
    signed: &Signed,
) -> Result<Option<PasswordPolicy>, Failed> {
    let call = service.iam(signed).get_account_password_policy();
    let policy = match call.send().await {
        Ok(answer) => answer.password_policy,
        Err(error) => match failed::of(error) {
            Failed::Refused { code, .. } if code.starts_with("NoSuchEntity") => None,
            failed => return Err(failed),
        },
    };
    Ok(policy.map(|policy| {
        let requires = [
            ("symbols", policy.require_symbols),
            ("numbers", policy.require_numbers),
            ("uppercase characters", policy.require_uppercase_characters),
            ("lowercase characters", policy.require_lowercase_characters),
        ];
        let requires = requires.into_iter().filter(|(_, required)| *required);
        PasswordPolicy {
            minimum_password_length: policy.minimum_password_length,
            max_password_age: policy.max_password_age,
            password_reuse_prevention: policy.password_reuse_prevention,
            allow_users_to_change_password: policy.allow_users_to_change_password,
            requires: requires.map(|(name, _)| name.to_owned()).collect(),
        }
    }))
}

/// How often the report is asked for while AWS makes it, and how long between.
const REPORT_TRIES: usize = 15;
const REPORT_PAUSE: Duration = Duration::from_secs(2);

/// The report is AWS's to make: within four hours of the last one it gives that again.
async fn credential_report(service: &Service, signed: &Signed) -> Result<String, Failed> {
    let iam = service.iam(signed);
    for _ in 0..REPORT_TRIES {
        let made = iam.generate_credential_report().send().await;
        let state = made.map_err(failed::of)?.state;
        if state == Some(aws_sdk_iam::types::ReportStateType::Complete) {
            let report = iam.get_credential_report().send().await;
            let content = report.map_err(failed::of)?.content;
            let content = content.ok_or_else(|| lacks("Content"))?.into_inner();
            return String::from_utf8(content).map_err(|_| lacks("Content in text"));
        }
        tokio::time::sleep(REPORT_PAUSE).await;
    }
    Err(Failed::Offline(
        "AWS is still making the credential report".into(),
    ))
}

async fn authorizations(service: &Service, signed: &Signed) -> Result<Authorizations, Failed> {
    let call = service.iam(signed).get_account_authorization_details();
    let mut pages = call.into_paginator().send();
    let (mut users, mut groups, mut managed) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed::of)?;
        users.extend(page.user_detail_list.unwrap_or_default());
        groups.extend(page.group_detail_list.unwrap_or_default());
        managed.extend(page.policies.unwrap_or_default());
    }
    let managed: Vec<(String, NamedPolicy)> = managed
        .into_iter()
        .filter_map(|policy| {
            let versions = policy.policy_version_list?;
            let version = versions.into_iter().find(|one| one.is_default_version)?;
            Some((
                policy.arn?,
                NamedPolicy {
                    name: policy.policy_name?,
                    document: decoded(&version.document?),
                },
            ))
        })
        .collect();
    let policies = |inline: Option<Vec<aws_sdk_iam::types::PolicyDetail>>,
                    attached: Option<Vec<aws_sdk_iam::types::AttachedPolicy>>| {
        let inline = inline.unwrap_or_default().into_iter().filter_map(|policy| {
            Some(NamedPolicy {
                name: policy.policy_name?,
                document: decoded(&policy.policy_document?),
            })
        });
        let attached = attached.unwrap_or_default().into_iter().filter_map(|one| {
            let arn = one.policy_arn?;
            managed
                .iter()
                .find(|(other, _)| *other == arn)
                .map(|(_, policy)| policy.clone())
        });
        inline.chain(attached).collect::<Vec<_>>()
    };
    Ok(Authorizations {
        users: users
            .into_iter()
            .map(|user| Authorized {
                name: user.user_name.unwrap_or_default(),
                groups: user.group_list.unwrap_or_default(),
                policies: policies(user.user_policy_list, user.attached_managed_policies),
            })
            .collect(),
        groups: groups
            .into_iter()
            .map(|group| Authorized {
                name: group.group_name.unwrap_or_default(),
                groups: Vec::new(),
                policies: policies(group.group_policy_list, group.attached_managed_policies),
            })
            .collect(),
    })
}

/// Documents come with RFC 3986's percent encoding (IAM's API reference, PolicyDetail).
fn decoded(document: &str) -> String {
    let mut bytes = Vec::with_capacity(document.len());
    let mut rest = document.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = |at: usize| {
            after
                .get(at)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            (byte, _, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| document.to_owned())
}
