//! What AWS's refusals mean, and what to do about each.

use crate::aws::remote::{CallError, Failed};

/// AWS says that a code is wrong, or was used before.
pub(super) fn is_wrong_code(error: &CallError) -> bool {
    match error.code() {
        Some("InvalidAuthenticationCode") => true,
        Some("AccessDenied") => error.message().contains("invalid MFA one time pass code"),
        Some(_) | None => false,
    }
}

/// AWS can't check a code: the serial number is wrong, the device isn't known everywhere yet, or too many codes were tried.
pub(super) fn is_unable(error: &CallError) -> bool {
    error.code() == Some("AccessDenied") && error.message().contains("unable to validate MFA code")
}

/// Who has a device already needs a session with MFA for its own devices.
pub(super) fn needs_mfa(error: &CallError) -> bool {
    error.code() == Some("AccessDenied")
        && error.message().contains("authenticated with an MFA device")
}

/// Policies forbid it.
pub(super) fn is_denied(error: &CallError) -> bool {
    matches!(
        error.code(),
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
    ) && !is_wrong_code(error)
        && !is_unable(error)
}

/// Who signs is no user, and the call names none.
pub(super) fn wants_a_user(error: &CallError) -> bool {
    matches!(error.code(), Some("ValidationError" | "NoSuchEntity"))
}

/// What to do about a call that failed.
pub(super) fn hint(error: &CallError) -> Option<String> {
    let code = match &error.what {
        Failed::Refused { code, .. } => code.as_str(),
        Failed::Offline(_) => {
            return Some(
                "see that the network is up and the endpoint is right, then try again".into(),
            );
        }
        Failed::NoCredentials(_) => {
            return Some(
                "`vmfa aws key add PROFILE` keeps an access key in the vault; or `aws configure --profile PROFILE`".into(),
            );
        }
        Failed::NotUnderstood(_) => return None,
        Failed::NoCaller(_) => {
            return Some(
                "install both programs of the package, `vmfa` and `vmfa-aws`, in one directory"
                    .into(),
            );
        }
    };
    let said = error.message();
    let hint = match code {
        "AccessDenied" if is_wrong_code(error) => {
            "the code was used before, or the device is out of step: `vmfa aws resync`"
        }
        "AccessDenied" if is_unable(error) => {
            "see that the serial number is right and enabled (`vmfa aws status`); after more than 9 attempts in 3 minutes, wait 3 minutes"
        }
        "AccessDenied" if needs_mfa(error) => {
            "who has a device already changes devices with an MFA session only: the device that is enabled must be in this vault, or an administrator does it with --user"
        }
        "AccessDenied" if said.contains("must provide both MFA serial number") => {
            "this is a mistake of vmfa's: please report it"
        }
        "AccessDenied" if said.contains("session credentials") => {
            "name a profile with a user's access key"
        }
        "AccessDenied" if said.contains("1 hour session limit") => {
            "a role that is assumed from a session lasts an hour at most: leave out the longer duration_seconds"
        }
        "AccessDenied" if said.contains("sts:AssumeRole") => {
            "the role's trust policy, or yours, doesn't allow it; one that asks for MFA needs a device: `vmfa aws enroll`"
        }
        "AccessDenied" if said.contains("with an explicit deny") => {
            "a policy denies it, as a Force-MFA policy does for sessions without MFA; `vmfa aws policy check` examines one"
        }
        "AccessDenied" | "AccessDeniedException" => {
            "no policy allows it: ask the account's administrator"
        }
        "ValidationError" if said.contains("MaxSessionDuration") => {
            "ask for less (duration_seconds), or have the role's maximum raised"
        }
        "ValidationError" if said.contains("1 hour session limit") => {
            "a role that is assumed from a session lasts an hour at most: leave out the longer duration_seconds"
        }
        "InvalidAuthenticationCode" => {
            "a pair that was taken once is refused; wait half a minute, then try again"
        }
        "EntityAlreadyExists" => "choose another name: --device-name NAME",
        "NoSuchEntity" | "NoSuchEntityException" => {
            "see that user and device are spelled right: `vmfa aws status`"
        }
        "DeleteConflict" => "it is still enabled for somebody: remove it there first",
        "LimitExceeded" => {
            "AWS allows 8 devices a user: remove one with `vmfa aws remove DEVICE`, then run this again: it goes on where it stopped"
        }
        "EntityTemporarilyUnmodifiable" => {
            "AWS is still busy with the last change: wait some minutes, then run this again: it goes on where it stopped"
        }
        "InvalidClientTokenId" => {
            "the access key doesn't exist (any more), is inactive, or belongs to another partition: see `vmfa aws status` or the console"
        }
        "ExpiredToken" | "ExpiredTokenException" => {
            "the session has ended: sign in again where it came from"
        }
        "SignatureDoesNotMatch" => {
            "the secret access key isn't that of the access key ID: enter both again"
        }
        "MissingAuthenticationToken" => "there is nothing to sign with: see `vmfa aws key add`",
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
            "AWS asks for patience: wait a minute, then try again"
        }
        "RegionDisabledException" => {
            "STS is switched off in this region: name another one in the profile"
        }
        _ if error.is_passing() => "AWS has a fault of its own: try again in a minute",
        _ => return None,
    };
    Some(hint.into())
}
