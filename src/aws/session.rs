//! Sessions: held sealed, made once for all who want the same, renewed in time.

#[cfg(test)]
mod tests;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::account::Summary;
use crate::account::text::clean;
use crate::aws::arn::{Arn, Caller, SerialNumber};
use crate::aws::error::AwsError;
use crate::aws::flight::Flight;
use crate::aws::host::Host;
use crate::aws::operation::{
    AssumeRole, GetCallerIdentity, GetSessionToken, ListMfaDevices, Sent, Session,
};
use crate::aws::plan::{Plan, Role, USUAL_ROLE};
use crate::aws::refusal;
use crate::aws::remote::{Keys, Remote, Signer};
use crate::aws::token;
use crate::clock::UnixTime;
use crate::secret::{Secret, SecretText};

/// A session is handed out with more than this left, in seconds: with less, botocore asks again at once, and again.
pub const LEAST_LEFT: u64 = 15 * 60;
/// When AWS can't be reached, one with so much left is better than none, in seconds.
const LAST_RESORT: u64 = 60;

/// A session.
pub struct Credentials {
    /// What signs.
    pub keys: Keys,
    /// When it ends.
    pub expires: UnixTime,
}

/// The session that a profile wants: a held one with more than 15 minutes left, or a new one.
///
/// # Errors
/// There is none to be had.
pub fn session<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
) -> Result<Credentials, AwsError> {
    at_level(host, remote, plan, plan.roles.len(), Age::Any)
}

/// As [`session`], but a new one, in place of the one that is held; of several processes that want one at the same time, one
/// still serves all.
///
/// # Errors
/// There is none to be had. The one that was held still is.
pub fn new_session<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
) -> Result<Credentials, AwsError> {
    at_level(host, remote, plan, plan.roles.len(), Age::New)
}

/// Which session is good enough.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Any,
    New,
}

/// The user's own session with MFA, whatever roles follow.
pub(super) fn of_user<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
) -> Result<Credentials, AwsError> {
    at_level(host, remote, plan, 0, Age::Any)
}

/// Forgets the sessions of a profile: the next one is new.
///
/// # Errors
/// The store can't be changed.
pub fn forget(host: &mut impl Host, plan: &Plan) -> Result<(), AwsError> {
    (0..=plan.roles.len()).try_for_each(|level| host.forget(&plan.name(level)))
}

fn at_level<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    level: usize,
    age: Age,
) -> Result<Credentials, AwsError> {
    let name = plan.name(level);
    let before = match (recall(host, &name, LEAST_LEFT)?, age) {
        (Some(held), Age::Any) => return Ok(held),
        (held, Age::Any | Age::New) => held.map(|held| held.keys.access_key_id),
    };
    let began = host.now()?;
    let flight = Flight::board(host, &name, began)?;
    if let Some(held) = recall(host, &name, LEAST_LEFT)?
        && Some(&held.keys.access_key_id) != before.as_ref()
    {
        return Ok(held);
    }
    let made = match level.checked_sub(1) {
        None => own(host, remote, plan),
        Some(index) => assumed(host, remote, plan, index),
    };
    match made {
        Ok(session) => {
            let session = Credentials::of(session);
            // It is worth something even where it can't be held: a full disk shouldn't cost a code for nothing.
            if let Err(error) = keep(host, &name, &session) {
                host.warn(&format!(
                    "the session can't be held for the next call: {error}"
                ));
            }
            flight.landed();
            Ok(session)
        }
        Err(error) => {
            if age == Age::Any
                && error.is_passing()
                && let Some(held) = recall(host, &name, LAST_RESORT)?
            {
                host.warn(&format!("{error}; the session that is held ends soon"));
                return Ok(held);
            }
            flight.failed(&error, host.now()?);
            Err(error)
        }
    }
}

/// The user's own session, with MFA.
fn own<H: Host, R: Remote>(host: &mut H, remote: &mut R, plan: &Plan) -> Result<Session, AwsError> {
    let signer = plan.signer()?;
    if let Signer::Keys(Keys {
        session_token: Some(_),
        ..
    }) = &signer
    {
        return Err(AwsError::SessionAlready(plan.profile.clone()));
    }
    let device = device(host, remote, plan, &signer)?;
    own_by(host, remote, plan, &signer, &device)
}

/// The user's own session by a device of which it is known that it is the user's.
pub(super) fn own_by<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    signer: &Signer,
    device: &Summary,
) -> Result<Session, AwsError> {
    token::with_code(host, remote, device, |remote, mfa| {
        let call = GetSessionToken {
            duration_seconds: plan.session_seconds() as i32,
            mfa: Some(mfa),
        };
        Ok(remote.call(signer, &call)?.output)
    })
}

/// Holds a user's session that was had otherwise, as the proof of a device is.
pub(super) fn keep_own(
    host: &mut impl Host,
    plan: &Plan,
    session: Session,
) -> Result<(), AwsError> {
    keep(host, &plan.name(0), &Credentials::of(session))
}

/// A role's session: with a code where it is to last more than an hour, else from a session.
fn assumed<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    index: usize,
) -> Result<Session, AwsError> {
    let role = &plan.roles[index];
    if index > 0 {
        let before = at_level(host, remote, plan, index, Age::Any)?;
        return chained(remote, role, before);
    }
    if recall(host, &plan.name(0), LEAST_LEFT)?.is_some() && role.seconds() <= USUAL_ROLE {
        let before = of_user(host, remote, plan)?;
        return chained(remote, role, before);
    }
    let signer = plan.signer()?;
    let is_session = matches!(&signer, Signer::Keys(keys) if keys.session_token.is_some());
    let device = if is_session {
        None
    } else {
        match device(host, remote, plan, &signer) {
            Ok(device) => Some(device),
            // Without MFA, then: the role's trust policy decides.
            Err(AwsError::NoDevice(_) | AwsError::NoneOfOurs(_) | AwsError::SessionAlready(_)) => {
                None
            }
            Err(error) => return Err(error),
        }
    };
    match device {
        Some(device) if role.seconds() > USUAL_ROLE => {
            token::with_code(host, remote, &device, |remote, mfa| {
                Ok(remote
                    .call(&signer, &call(role, role.seconds(), Some(mfa)))?
                    .output)
            })
        }
        Some(_) => {
            let before = of_user(host, remote, plan)?;
            chained(remote, role, before)
        }
        None => remote
            .call(&signer, &call(role, role.seconds(), None))
            .map(|answered| answered.output)
            .map_err(|error| AwsError::of(error, remote.skew())),
    }
}

/// From a session: an hour at most, whatever the profile says (IAM's user guide, "Role chaining").
fn chained<R: Remote>(
    remote: &mut R,
    role: &Role,
    before: Credentials,
) -> Result<Session, AwsError> {
    let signer = Signer::Keys(before.keys);
    let seconds = role.seconds().min(USUAL_ROLE);
    let answer = remote.call(&signer, &call(role, seconds, None));
    match answer {
        Ok(answered) => Ok(answered.output),
        Err(error) => Err(AwsError::of(error, remote.skew())),
    }
}

fn call(role: &Role, seconds: u32, mfa: Option<crate::aws::operation::Mfa>) -> AssumeRole {
    AssumeRole {
        role_arn: role.arn.as_str().to_owned(),
        role_session_name: role.session_name.clone(),
        duration_seconds: seconds as i32,
        external_id: role.external_id.clone(),
        mfa,
    }
}

/// The account of the vault that is the device of whoever signs.
pub(super) fn device<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    signer: &Signer,
) -> Result<Summary, AwsError> {
    let ours = host.devices()?;
    if let Some(serial) = &plan.serial {
        let is_it = |summary: &&Summary| summary.serial_number.as_ref() == Some(serial);
        if let Some(found) = ours.iter().find(is_it) {
            if ours.iter().filter(is_it).count() > 1 {
                host.warn(&format!(
                    "more than one account has the serial number {}: the latest, {}, is used",
                    clean(serial),
                    clean(&found.label()),
                ));
            }
            return Ok(found.clone());
        }
        // Another device may have taken its place since somebody wrote that line.
        return match among(remote, plan, signer, ours) {
            Ok(found) => {
                host.warn(&format!(
                    "the profile names {}, which isn't in this vault; {} is the user's and is used: change mfa_serial",
                    clean(serial),
                    clean(found.serial_number.as_deref().unwrap_or_default()),
                ));
                Ok(found)
            }
            Err(error) if error.is_passing() => Err(error),
            Err(_) => Err(AwsError::NoSuchDevice(clean(serial).into_owned())),
        };
    }
    among(remote, plan, signer, ours)
}

/// The one of these accounts that is a device of whoever signs.
fn among<R: Remote>(
    remote: &mut R,
    plan: &Plan,
    signer: &Signer,
    ours: Vec<Summary>,
) -> Result<Summary, AwsError> {
    if ours.is_empty() {
        return Err(AwsError::NoDevice(plan.profile.clone()));
    }
    match remote.call(signer, &ListMfaDevices { user_name: None }) {
        Ok(answered) if answered.is_session => Err(AwsError::SessionAlready(plan.profile.clone())),
        Ok(answered) => {
            let theirs = answered.output;
            let matching = theirs.iter().find_map(|device| {
                ours.iter()
                    .find(|summary| summary.serial_number.as_deref() == Some(&device.serial_number))
            });
            match matching {
                Some(summary) => Ok(summary.clone()),
                None if theirs.is_empty() => Err(AwsError::NoDevice(plan.profile.clone())),
                None => Err(AwsError::NoneOfOurs(
                    theirs
                        .iter()
                        .map(|device| clean(&device.serial_number).into_owned())
                        .collect(),
                )),
            }
        }
        // Denied; or a session's credentials, which are no user's: AWS wants a name then.
        Err(error) if refusal::is_denied(&error) || refusal::wants_a_user(&error) => {
            by_name(remote, plan, signer, ours)
        }
        Err(error) => Err(AwsError::of(error, remote.skew())),
    }
}

/// Where the user may not list devices: one of the same AWS account, with the user's name, or the only one.
fn by_name<R: Remote>(
    remote: &mut R,
    plan: &Plan,
    signer: &Signer,
    ours: Vec<Summary>,
) -> Result<Summary, AwsError> {
    let answered = remote
        .call(signer, &GetCallerIdentity {})
        .map_err(|error| AwsError::of(error, remote.skew()))?;
    if answered.is_session {
        return Err(AwsError::SessionAlready(plan.profile.clone()));
    }
    let caller = Arn::new(&answered.output.arn).map(|arn| Caller::of(&arn));
    let mut same: Vec<(SerialNumber, Summary)> = ours
        .into_iter()
        .filter_map(|summary| {
            Some((
                SerialNumber::new(summary.serial_number.as_deref()?)?,
                summary,
            ))
        })
        .filter(|(serial, _)| serial.arn().account() == answered.output.account)
        .collect();
    let named = same.iter().position(|(serial, _)| match &caller {
        Some(Caller::User { name }) => serial.name() == name,
        Some(Caller::Root) => serial.name() == "root-account-mfa-device",
        Some(Caller::Role { .. } | Caller::Other) | None => false,
    });
    match named {
        Some(at) => Ok(same.swap_remove(at).1),
        None if same.len() == 1 => Ok(same.swap_remove(0).1),
        None => Err(AwsError::NoDevice(plan.profile.clone())),
    }
}

impl Credentials {
    fn of(session: Session) -> Self {
        Self {
            keys: Keys {
                access_key_id: session.access_key_id,
                secret_access_key: session.secret_access_key.0,
                session_token: Some(session.session_token.0),
            },
            expires: UnixTime::from_secs(session.expiration),
        }
    }
}

fn keep(host: &mut impl Host, name: &str, session: &Credentials) -> Result<(), AwsError> {
    let Keys {
        access_key_id,
        secret_access_key,
        session_token,
    } = &session.keys;
    let parts = (
        access_key_id,
        secret_access_key.expose(),
        session_token.as_ref().map(SecretText::expose),
    );
    let text = Secret::new(written(&parts).to_vec());
    host.hold(name, &text, session.expires)
}

fn recall(
    host: &mut impl Host,
    name: &str,
    least_left: u64,
) -> Result<Option<Credentials>, AwsError> {
    let Some((blob, expires)) = host.recall(name)? else {
        return Ok(None);
    };
    if host.now()?.until(expires).as_secs() <= least_left {
        return Ok(None);
    }
    // What can't be read was never held.
    let Ok((access_key_id, Sent(secret_access_key), session_token)) =
        serde_json::from_slice::<(String, Sent, Option<Sent>)>(blob.expose())
    else {
        return Ok(None);
    };
    Ok(Some(Credentials {
        keys: Keys {
            access_key_id,
            secret_access_key,
            session_token: session_token.map(|Sent(token)| token),
        },
        expires,
    }))
}

/// The answer to `credential_process`: one JSON object (AWS SDKs and Tools Reference Guide, "Process credential provider").
pub fn process_answer(session: &Credentials) -> Zeroizing<String> {
    let Keys {
        access_key_id,
        secret_access_key,
        session_token,
    } = &session.keys;
    let answer = ProcessAnswer {
        version: 1,
        access_key_id,
        secret_access_key: secret_access_key.expose(),
        session_token: session_token.as_ref().map(SecretText::expose),
        expiration: crate::aws::process::iso8601(session.expires),
    };
    Zeroizing::new(String::from_utf8_lossy(&written(&answer)).into_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessAnswer<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: Option<&'a str>,
    expiration: String,
}

/// A value as JSON, in a buffer that is wiped and large enough not to be moved.
fn written(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(32 << 10));
    // Texts and numbers can always be written.
    drop(serde_json::to_writer(&mut *text, value));
    text
}
