//! What can go wrong on the way to AWS, and what to do about it.

use crate::account::text::clean_within;
use crate::aws::arn::SerialNumber;
use crate::aws::profile::ProfileError;
use crate::aws::remote::{CallError, Failed};
use crate::failure::{Fails, Kind};
use crate::ledger::LedgerError;

/// The longest text of AWS's that is repeated.
const MAX_TEXT: usize = 600;

/// Beyond so many seconds of skew it may be the reason for a refused signature; AWS's own limit is 900.
pub const SKEW_OF_SIGNATURES: i64 = 240;

/// Why a trip to AWS ended.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// A call wasn't answered as asked.
    #[error("{}", call(.0))]
    Call(CallError),
    /// A call was refused, and this machine's clock is the reason.
    #[error("{operation}: AWS refuses the signature, since {}", clock(*.skew))]
    Clock {
        /// Which call.
        operation: &'static str,
        /// Seconds to add to this machine's clock.
        skew: i64,
    },
    /// The vault, the agent or the person said no.
    #[error("{0}")]
    Held(Box<dyn Fails + Send + Sync>),
    /// The ledger can't be used: no code may go out.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A profile can't be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Every code that was tried was refused.
    #[error("{serial}: AWS refused {tries} codes in a row{}", since(*.skew))]
    CodesRefused {
        /// The device.
        serial: String,
        /// How many.
        tries: usize,
        /// Seconds to add to this machine's clock, where AWS told.
        skew: Option<i64>,
    },
    /// AWS can't check a code of this device now.
    #[error("{serial}: AWS can't check its codes")]
    Unable {
        /// The device.
        serial: String,
    },
    /// No account of the vault is the device.
    #[error("no account in the vault has the serial number {0}")]
    NoSuchDevice(String),
    /// The user has devices, and none of them is in the vault.
    #[error("none of the user's MFA devices is in this vault: {}", .0.join(", "))]
    NoneOfOurs(Vec<String>),
    /// There is no device for a session with MFA.
    #[error("profile {0}: there is no MFA device in the vault for it")]
    NoDevice(String),
    /// The credentials are a session's, and a session can't be had from them.
    #[error(
        "profile {0}: its credentials are those of a session, and AWS gives no session for a session"
    )]
    SessionAlready(String),
    /// Who signs isn't a user, and no user was named.
    #[error("{arn} is no IAM user")]
    NotAUser {
        /// Who signs.
        arn: String,
    },
    /// The root user's device is enabled in the console.
    #[error(
        "these are the root user's credentials, and AWS enables the root user's device in the console only"
    )]
    Root,
    /// A device of this name isn't ours.
    #[error("{serial} exists already{}", owned(.owner.as_deref()))]
    Foreign {
        /// The device.
        serial: SerialNumber,
        /// The user who has it.
        owner: Option<String>,
    },
    /// The user has as many devices as AWS allows.
    #[error("{user} has {count} MFA devices, and AWS allows no more")]
    TooManyDevices {
        /// The user.
        user: String,
        /// How many.
        count: usize,
    },
    /// What AWS created isn't what it should be.
    #[error("AWS's answer to CreateVirtualMFADevice can't be used: {0}")]
    OddDevice(&'static str),
    /// It would take away the only device.
    #[error(
        "{serial} is the only MFA device of {user}: without it nothing may be done that asks for MFA"
    )]
    LastDevice {
        /// The device.
        serial: String,
        /// The user.
        user: String,
    },
    /// The device isn't the user's.
    #[error("{user} has no MFA device {device}{}", listed(.known))]
    NotTheirs {
        /// The user.
        user: String,
        /// What was asked for.
        device: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It is one of several, and none was named.
    #[error("{user} has more than one MFA device{}", listed(.known))]
    WhichDevice {
        /// The user.
        user: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Another process that asked for the same just failed.
    #[error("{message}")]
    SameAs {
        /// What it said.
        message: String,
        /// What it advised.
        hint: Option<String>,
        /// What can be done.
        kind: Kind,
    },
    /// Another process has been asking for the same for too long.
    #[error("another vmfa has been asking AWS for the same for 5 minutes")]
    InFlight,
    /// An unfinished device of that name can't be deleted.
    #[error("{0} is left over from an unfinished enrolment, and no policy lets you delete it")]
    OrphanStays(SerialNumber),
    /// A name that AWS doesn't take.
    #[error("a device can't be called {0}")]
    DeviceName(String),
    /// The lock that keeps processes from asking twice can't be had.
    #[error("{path}: {source}")]
    Lock {
        /// The directory.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl AwsError {
    /// From an error of the vault, of the agent, or of whoever asks the person.
    pub fn held(error: impl Fails + Send + Sync + 'static) -> Self {
        Self::Held(Box::new(error))
    }

    /// From a call, with the clock as the reason where it is.
    pub fn of(error: CallError, skew: Option<i64>) -> Self {
        let by_clock = matches!(
            error.code(),
            Some("SignatureDoesNotMatch" | "RequestExpired" | "InvalidSignatureException")
        ) && (error.message().contains("Signature expired")
            || error.message().contains("not yet current")
            || skew.is_some_and(|skew| skew.abs() > SKEW_OF_SIGNATURES));
        match skew {
            Some(skew) if by_clock => Self::Clock {
                operation: error.operation,
                skew,
            },
            Some(_) | None => Self::Call(error),
        }
    }

    /// Whether AWS may answer otherwise later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Call(error) => error.is_passing(),
            Self::SameAs { kind, .. } => *kind == Kind::Offline,
            Self::Clock { .. }
            | Self::Held(_)
            | Self::Ledger(_)
            | Self::Profile(_)
            | Self::CodesRefused { .. }
            | Self::Unable { .. }
            | Self::NoSuchDevice(_)
            | Self::NoneOfOurs(_)
            | Self::NoDevice(_)
            | Self::SessionAlready(_)
            | Self::NotAUser { .. }
            | Self::Root
            | Self::Foreign { .. }
            | Self::TooManyDevices { .. }
            | Self::OddDevice(_)
            | Self::LastDevice { .. }
            | Self::NotTheirs { .. }
            | Self::WhichDevice { .. }
            | Self::InFlight
            | Self::OrphanStays(_)
            | Self::DeviceName(_)
            | Self::Lock { .. } => false,
        }
    }

    /// AWS's code, where AWS said no.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call(error) => error.code(),
            _no_call => None,
        }
    }
}

fn call(error: &CallError) -> String {
    let said = clean_within(error.message(), MAX_TEXT);
    let said = said.trim();
    match &error.what {
        Failed::Refused { code, .. } if said.is_empty() => {
            format!("{}: AWS says {}", error.operation, clean_within(code, 80))
        }
        Failed::Refused { code, .. } => {
            format!(
                "{}: AWS says {}: {said}",
                error.operation,
                clean_within(code, 80)
            )
        }
        Failed::Offline(_) => format!("{}: AWS can't be reached: {said}", error.operation),
        Failed::NoCredentials(_) => {
            format!(
                "{}: there are no credentials to sign with: {said}",
                error.operation
            )
        }
        Failed::NotUnderstood(_) => format!("{}: {said}", error.operation),
        Failed::NoCaller(_) => said.to_owned(),
    }
}

/// This machine's clock beside AWS's, in words.
pub fn clock(skew: i64) -> String {
    let (size, side) = (
        skew.unsigned_abs(),
        if skew > 0 { "behind" } else { "ahead of" },
    );
    let span = match size {
        0..120 => format!("{size} s"),
        120..7200 => format!("{} min", (size + 30) / 60),
        _ => format!("{} h", (size + 1800) / 3600),
    };
    format!("this machine's clock is {span} {side} AWS's")
}

fn since(skew: Option<i64>) -> String {
    match skew {
        Some(skew) if skew.abs() > 30 => format!("; {}", clock(skew)),
        Some(_) | None => String::new(),
    }
}

fn owned(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!(" and belongs to {owner}"),
        None => ", belongs to nobody, and its secret isn't in this vault".into(),
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        return "; there is none".into();
    }
    format!(": {}", known.join(", "))
}

impl Fails for AwsError {
    fn kind(&self) -> Kind {
        match self {
            Self::Call(error) => match &error.what {
                Failed::Refused { .. } if error.is_passing() => Kind::Offline,
                Failed::Refused { .. } => Kind::Refused,
                Failed::Offline(_) => Kind::Offline,
                Failed::NoCredentials(_) => Kind::Usage,
                Failed::NotUnderstood(_) => Kind::Refused,
                Failed::NoCaller(_) => Kind::Internal,
            },
            Self::Held(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
            Self::Profile(error) => error.kind(),
            Self::SameAs { kind, .. } => *kind,
            Self::Clock { .. }
            | Self::CodesRefused { .. }
            | Self::Unable { .. }
            | Self::OddDevice(_)
            | Self::OrphanStays(_)
            | Self::TooManyDevices { .. } => Kind::Refused,
            Self::NoSuchDevice(_)
            | Self::NoneOfOurs(_)
            | Self::NoDevice(_)
            | Self::NotTheirs { .. } => Kind::NotFound,
            Self::WhichDevice { .. } => Kind::Ambiguous,
            Self::Foreign { .. } | Self::InFlight => Kind::Conflict,
            Self::SessionAlready(_)
            | Self::NotAUser { .. }
            | Self::Root
            | Self::LastDevice { .. }
            | Self::DeviceName(_) => Kind::Usage,
            Self::Lock { .. } => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Call(error) => return crate::aws::refusal::hint(error),
            Self::Held(error) => return error.hint(),
            Self::Ledger(error) => return error.hint(),
            Self::Profile(error) => return error.hint(),
            Self::SameAs { hint, .. } => return hint.clone(),
            Self::Clock { .. } => {
                "set this machine's clock (such as `timedatectl set-ntp true`), then try again: other programs are refused too"
            }
            Self::CodesRefused { skew, .. } if skew.is_some_and(|skew| skew.abs() > 30) => {
                "set this machine's clock, then run `vmfa aws resync`"
            }
            Self::CodesRefused { .. } => {
                "run `vmfa aws resync`: the device may be out of step; or another program used these codes"
            }
            Self::Unable { .. } => {
                "see that the serial number is right and enabled (`vmfa aws status`); after more than 9 attempts in 3 minutes, wait 3 minutes"
            }
            Self::NoSuchDevice(_) => {
                "change the profile's mfa_serial, or leave it out; `vmfa aws enroll` makes a device; of one that is in the vault without it: `vmfa edit NAME --serial-number ARN`"
            }
            Self::NoneOfOurs(_) => {
                "who has a device adds another only with a session that it gave: add its QR picture or secret (`vmfa add … --serial-number ARN`), or have an administrator remove it"
            }
            Self::NoDevice(_) => "run `vmfa aws enroll`",
            Self::SessionAlready(_) => {
                "name a profile with a user's access key, or add `role_arn` to the profile: a role can be had from a session"
            }
            Self::NotAUser { .. } => "say for which user: --user NAME",
            Self::Root => {
                "in the console: Security credentials, Assign MFA device, Authenticator app; save its QR picture, then `vmfa add --qr-file FILE` and `vmfa pair root`"
            }
            Self::Foreign { owner: None, .. } => {
                "look into `vmfa list --trash` first; if nobody is about to enable it, --replace deletes it and makes a new one; or choose another name: --device-name NAME"
            }
            Self::Foreign { .. } => "choose another name: --device-name NAME",
            Self::TooManyDevices { .. } => "remove one first: `vmfa aws remove DEVICE`",
            Self::OddDevice(_) => "nothing was enabled; try again",
            Self::LastDevice { .. } => {
                "enroll another one first, or use `vmfa aws rotate`; --last removes it all the same"
            }
            Self::NotTheirs { .. } => "`vmfa aws status` shows them",
            Self::WhichDevice { .. } => "name one of them",
            Self::DeviceName(_) => "use letters, digits and _+=,.@- alone, at most 226 of them",
            Self::InFlight => {
                "see whether one waits for a person or for a credential_process, and end it"
            }
            Self::OrphanStays(_) => {
                "enroll under another name: --device-name NAME; an administrator can delete the old one"
            }
            Self::Lock { .. } => return None,
        };
        Some(hint.into())
    }
}
