//! How it stands with MFA: of the caller, or of every user of the account, and what a person should do about it.
//!
//! Whatever AWS doesn't let the caller see is left out and named with the reason; that is no error. The IAM calls are signed by
//! a session with MFA where a device of the user is in the vault, since a Force-MFA policy denies them otherwise; whether such
//! a session can be had also tells whether the device is in step.

mod everyone;
mod findings;
mod force;
mod own;
pub mod report;
#[cfg(test)]
mod tests;

use crate::account::Summary;
use crate::aws::arn::{Arn, Caller};
use crate::aws::enroll::call;
use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::operation::{GetCallerIdentity, Operation, PasswordPolicy};
use crate::aws::plan::Plan;
use crate::aws::policy::Lack;
use crate::aws::refusal;
use crate::aws::remote::{Answered, CallError, Failed, Keys, Remote, Signer};
use crate::aws::session;
use crate::clock::UnixTime;

pub use everyone::{Everyone, Group, User, everyone};
pub use own::{Own, own};

/// An access key that is older should be replaced: what CIS's benchmark for AWS asks for.
pub const OLD_KEY_DAYS: u64 = 90;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The ARN that signs.
    pub arn: String,
    /// The AWS account ID.
    pub account: String,
    /// What kind of caller that is.
    pub kind: Caller,
}

/// A device of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneDevice {
    /// Its ARN, or the number printed on a hardware token.
    pub serial_number: String,
    /// Since when it is enabled, in seconds since 1970, where AWS tells it.
    pub enabled: Option<u64>,
    /// The account of the vault that is this device.
    pub account: Option<Summary>,
    /// Whether AWS takes its codes.
    pub step: Step,
}

/// Whether AWS takes the codes of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A session was had by a code of this vault.
    In,
    /// AWS refused several codes.
    Drifted,
    /// It was tried, and can't be told: with the reason.
    Unclear(String),
    /// It wasn't tried.
    Untried,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `AKIA…`; the credential report doesn't tell it.
    pub id: Option<String>,
    /// Whether it may be used.
    pub is_active: bool,
    /// Since when there is one, in seconds since 1970.
    pub since: Option<u64>,
}

impl Key {
    /// Its age in whole days.
    pub fn days(&self, now: UnixTime) -> Option<u64> {
        let since = UnixTime::from_secs(self.since?);
        Some(since.until(now).as_secs() / 86_400)
    }

    /// Whether it is in use and has been for too long.
    pub fn is_old(&self, now: UnixTime) -> bool {
        self.is_active && self.days(now).is_some_and(|days| days > OLD_KEY_DAYS)
    }
}

/// Whether the identity policies of a user or a group keep everything shut until there is MFA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Force {
    /// They do.
    Forced,
    /// They don't, and this is missing.
    Lacks(Lack),
    /// It can't be told, since this policy can't be read.
    Unreadable(String),
}

/// Something that a person should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its stable name: `no-mfa`.
    pub id: &'static str,
    /// What was found, without the names: `3 users have no MFA`.
    pub text: String,
    /// Whom or what it is about.
    pub names: Vec<String>,
    /// What to do.
    pub advice: &'static str,
}

/// What wasn't seen: its name, and why.
pub type Hidden = Vec<(&'static str, String)>;

/// The account's rules for passwords: none where it has none of its own.
pub type Rules = Option<PasswordPolicy>;

/// Who asks, and who signs from here on.
struct Standing {
    asker: Asker,
    signer: Signer,
    /// The device that was tried.
    tried: Option<(String, Step)>,
}

impl Standing {
    /// Whoever the profile says; by a session with MFA where one can be had.
    fn of<H: Host, R: Remote>(host: &mut H, remote: &mut R, plan: &Plan) -> Result<Self, AwsError> {
        if !plan.roles.is_empty() {
            let session = session::session(host, remote, plan)?;
            let signer = Signer::Keys(session.keys);
            let (asker, _) = Asker::of(remote, &signer)?;
            return Ok(Self {
                asker,
                signer,
                tried: None,
            });
        }
        let signer = plan.signer()?;
        let (asker, is_session) = Asker::of(remote, &signer)?;
        let has_devices = matches!(asker.kind, Caller::User { .. } | Caller::Root);
        if is_session || !has_devices {
            return Ok(Self {
                asker,
                signer,
                tried: None,
            });
        }
        let device = match session::device(host, remote, plan, &signer) {
            Ok(device) => device,
            Err(error) if is_end(&error) => return Err(error),
            // None of the user's devices is in the vault, or which one is can't be told.
            Err(_) => {
                return Ok(Self {
                    asker,
                    signer,
                    tried: None,
                });
            }
        };
        let serial = device.serial_number.unwrap_or_default();
        let (signer, step) = match session::of_user(host, remote, plan) {
            Ok(session) => (Signer::Keys(session.keys), Step::In),
            Err(AwsError::CodesRefused { .. }) => (signer, Step::Drifted),
            Err(error) if is_end(&error) => return Err(error),
            Err(error) => (signer, Step::Unclear(error.to_string())),
        };
        Ok(Self {
            asker,
            signer,
            tried: Some((serial, step)),
        })
    }

    /// What is known of a device.
    fn device(&self, ours: &[Summary], serial_number: String, enabled: Option<u64>) -> OneDevice {
        let account = ours
            .iter()
            .filter(|summary| summary.serial_number.as_ref() == Some(&serial_number))
            .max_by_key(|summary| summary.added);
        let step = match &self.tried {
            Some((serial, step)) if *serial == serial_number => step.clone(),
            Some(_) | None => Step::Untried,
        };
        OneDevice {
            account: account.cloned(),
            serial_number,
            enabled,
            step,
        }
    }

    /// Asks for something that may be hidden from who signs.
    fn see<R: Remote, O: Operation>(
        &self,
        remote: &mut R,
        operation: &O,
    ) -> Result<Result<O::Output, String>, AwsError> {
        let answer = remote.call(&self.signer, operation);
        sight(answer, remote.skew())
    }
}

impl Asker {
    fn of<R: Remote>(remote: &mut R, signer: &Signer) -> Result<(Self, bool), AwsError> {
        let answered = call(remote, signer, &GetCallerIdentity {})?;
        let by_token = matches!(
            signer,
            Signer::Keys(Keys {
                session_token: Some(_),
                ..
            })
        );
        let arn = answered.output.arn;
        let kind = Arn::new(&arn).map_or(Caller::Other, |arn| Caller::of(&arn));
        let asker = Self {
            account: answered.output.account,
            arn,
            kind,
        };
        Ok((asker, answered.is_session || by_token))
    }

    /// The user who asks, where it is one.
    pub fn user(&self) -> Option<&str> {
        match &self.kind {
            Caller::User { name } => Some(name),
            Caller::Root | Caller::Role { .. } | Caller::Other => None,
        }
    }
}

/// What was answered, or why it isn't seen; an error where nothing else would be seen either.
fn sight<T>(
    answer: Result<Answered<T>, CallError>,
    skew: Option<i64>,
) -> Result<Result<T, String>, AwsError> {
    match answer {
        Ok(answered) => Ok(Ok(answered.output)),
        Err(error) if refusal::is_denied(&error) => {
            Ok(Err(format!("not allowed to see ({})", error.operation)))
        }
        Err(error) => match AwsError::of(error, skew) {
            error if is_end(&error) => Err(error),
            error => Ok(Err(error.to_string())),
        },
    }
}

/// What is seen, or nothing and the reason noted.
fn seen<T>(hidden: &mut Hidden, name: &'static str, answer: Result<T, String>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(reason) => {
            hidden.push((name, reason));
            None
        }
    }
}

/// Whether nothing else would come through either.
fn is_end(error: &AwsError) -> bool {
    let cannot_call = match error {
        AwsError::Call(error) => match &error.what {
            Failed::Offline(_) | Failed::NoCredentials(_) | Failed::NoCaller(_) => true,
            Failed::Refused { .. } | Failed::NotUnderstood(_) => false,
        },
        AwsError::Clock { .. } => true,
        _another => false,
    };
    cannot_call || error.is_passing()
}
