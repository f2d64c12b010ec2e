//! Enrolment: a device is created, saved, enabled and proven, in this order, and what was interrupted is picked up.
//!
//! The secret is in the vault, on the disk, before AWS is told to enable the device: at no point a device is enabled whose
//! secret nobody has. Before a device is created, a note of the intent is held, so that one whose secret was lost on its way
//! here is known to be ours, and is replaced.

use std::time::Duration;

use crate::account::Draft;
use crate::account::Summary;
use crate::account::text::clean;
use crate::aws::arn::{Arn, Caller, SerialNumber, is_device_name};
use crate::aws::error::AwsError;
use crate::aws::flight::Flight;
use crate::aws::host::Host;
use crate::aws::operation::{
    CreateVirtualMfaDevice, DeleteVirtualMfaDevice, Device, EnableMfaDevice, GetCallerIdentity,
    ListMfaDevices, ListVirtualMfaDevices, Operation, ResyncMfaDevice,
};
use crate::aws::plan::Plan;
use crate::aws::refusal;
use crate::aws::remote::{Answered, Remote, Signer};
use crate::aws::session;
use crate::aws::token::{TRIES, for_codes, now_there, tell_skew};
use crate::clock::UnixTime;
use crate::ledger::Claim;
use crate::otp::{Code, Moment, OtpError};
use crate::secret::Secret;

/// How long AWS takes, after a device was enabled, until all of it knows: about 8 to 14 seconds were seen.
pub const PROPAGATION: Duration = Duration::from_secs(15);
/// How long is waited once more where it took longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// AWS allows a user so many devices.
const MAX_DEVICES: usize = 8;
/// AWS's seeds have 40 bytes; less than RFC 4226 asks for (section 4, R6) is none of AWS's.
const LEAST_SECRET: usize = 16;
/// How long an intent is remembered: whoever comes back later looks for themselves.
const INTENT: u64 = 24 * 3600;
/// The issuer in the label of AWS's own QR pictures.
pub const ISSUER: &str = "Amazon Web Services";

/// What is to be enrolled.
pub struct Wanted {
    /// For whom; none for whoever signs.
    pub user: Option<String>,
    /// The device's name; none for the user's.
    pub device_name: Option<String>,
    /// What becomes of a device of that name that nobody has and whose secret isn't here.
    pub orphan: Orphan,
    /// How long is waited between enabling and proof.
    pub propagation: Duration,
}

/// What becomes of a device that nobody has and whose secret isn't here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphan {
    /// It is named and left alone.
    Kept,
    /// It is deleted, and a new one is made: somebody said so.
    Replaced,
}

/// What became of an enrolment.
pub struct Enrolled {
    /// The account in the vault.
    pub account: Summary,
    /// The device.
    pub serial: SerialNumber,
    /// Whose it is.
    pub user: String,
    /// Whether an earlier run had begun.
    pub picked_up: bool,
    /// Whether AWS took a code of it.
    pub proof: Proof,
}

/// Whether AWS took a code of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It did.
    Proven,
    /// It is another user's: only that user's access key or password could tell.
    OfAnother,
    /// The credentials are a session's, which can't ask for one.
    OfSession,
}

/// How long what a file said of a user is remembered.
const NOTED: u64 = 90 * 24 * 3600;

/// Remembers where a user signs in to the console, for the account to come.
///
/// # Errors
/// It can't be stored.
pub fn note_user(host: &mut impl Host, user: &str, link: Option<&str>) -> Result<(), AwsError> {
    let until = host.now()?.plus_secs(NOTED);
    let link = link.unwrap_or_default();
    host.hold(&noted(user), &Secret::new(link.as_bytes().to_vec()), until)
}

fn noted(user: &str) -> String {
    format!("aws user {}", crate::aws::hashed(user.as_bytes()))
}

/// Who signs and for whom.
pub(super) struct Parties {
    pub(super) signer: Signer,
    pub(super) is_session: bool,
    /// Whether who signs is the user.
    pub(super) is_own: bool,
    pub(super) user: String,
    /// The ARN of who signs.
    pub(super) arn: Arn,
}

/// Who signs, and for whom: for themselves where nobody is named. For another user the profile acts as it stands: by its
/// role, or by a session with MFA where there is a device for one.
pub(super) fn parties<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    user: Option<&str>,
) -> Result<Parties, AwsError> {
    let signer = plan.signer()?;
    let identity = identity(remote, &signer)?;
    let own = match Caller::of(&identity.arn) {
        Caller::User { name } => Some(name),
        Caller::Root | Caller::Role { .. } | Caller::Other => None,
    };
    match (user, own) {
        (Some(user), own) if own.as_deref() != Some(user) => {
            let signer = acting(host, remote, plan, signer)?;
            let Identified { arn, .. } = self::identity(remote, &signer)?;
            Ok(Parties {
                signer,
                is_session: true,
                is_own: false,
                user: user.to_owned(),
                arn,
            })
        }
        (_, Some(own)) => Ok(Parties {
            signer,
            is_session: identity.is_session,
            is_own: true,
            user: own,
            arn: identity.arn,
        }),
        (_, None) if Caller::of(&identity.arn) == Caller::Root => Err(AwsError::Root),
        (_, None) => Err(AwsError::NotAUser {
            arn: identity.arn.as_str().to_owned(),
        }),
    }
}

struct Identified {
    arn: Arn,
    is_session: bool,
}

fn identity<R: Remote>(remote: &mut R, signer: &Signer) -> Result<Identified, AwsError> {
    let answered = call(remote, signer, &GetCallerIdentity {})?;
    let arn = Arn::new(&answered.output.arn).ok_or_else(|| AwsError::NotAUser {
        arn: clean(&answered.output.arn).into_owned(),
    })?;
    Ok(Identified {
        arn,
        is_session: answered.is_session,
    })
}

/// Who acts for another user.
fn acting<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    signer: Signer,
) -> Result<Signer, AwsError> {
    match session::session(host, remote, plan) {
        Ok(session) => Ok(Signer::Keys(session.keys)),
        // No device is here for a session with MFA: as whoever signs, then.
        Err(
            AwsError::NoDevice(_)
            | AwsError::NoneOfOurs(_)
            | AwsError::NoSuchDevice(_)
            | AwsError::SessionAlready(_),
        ) if plan.roles.is_empty() => Ok(signer),
        Err(error) => Err(error),
    }
}

/// A call, with the clock named where it is the reason for a no.
pub(super) fn call<R: Remote, O: Operation>(
    remote: &mut R,
    signer: &Signer,
    operation: &O,
) -> Result<Answered<O::Output>, AwsError> {
    let answered = remote.call(signer, operation);
    answered.map_err(|error| AwsError::of(error, remote.skew()))
}

/// As [`call`], with nothing where policies forbid it.
fn allowed<R: Remote, O: Operation>(
    remote: &mut R,
    signer: &Signer,
    operation: &O,
) -> Result<Option<O::Output>, AwsError> {
    match remote.call(signer, operation) {
        Ok(answered) => Ok(Some(answered.output)),
        Err(error) if refusal::is_denied(&error) => Ok(None),
        Err(error) => Err(AwsError::of(error, remote.skew())),
    }
}

/// What AWS knows of a device.
pub(super) enum State {
    Enabled(String),
    Unassigned,
    Absent,
    /// It may not be asked.
    Unknown,
}

/// Enrolls a device, or finishes what an earlier run began.
///
/// # Errors
/// It stopped somewhere. Whatever was done is picked up by the next run.
pub fn enroll<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    wanted: &Wanted,
) -> Result<Enrolled, AwsError> {
    let mut parties = parties(host, remote, plan, wanted.user.as_deref())?;
    let name = wanted.device_name.as_ref().unwrap_or(&parties.user).clone();
    let serial = Some(name.as_str())
        .filter(|name| is_device_name(name))
        .and_then(|name| SerialNumber::of(parties.arn.partition(), parties.arn.account(), name))
        .ok_or_else(|| AwsError::DeviceName(clean(&name).into_owned()))?;
    // Two at once would take each other's unfinished device for an abandoned one.
    let began = host.now()?;
    let _flight = Flight::board(host, &format!("enroll {serial}"), began)?;
    let theirs = allowed(
        remote,
        &parties.signer,
        &ListMfaDevices {
            user_name: Some(parties.user.clone()),
        },
    )?;
    let theirs = theirs.unwrap_or_default();
    let is_theirs = |device: &Device| device.serial_number == serial.as_str();
    let ours = ours(host, &serial)?;
    let picked_up = ours.is_some();
    let state = if theirs.iter().any(is_theirs) {
        State::Enabled(parties.user.clone())
    } else {
        if theirs.len() >= MAX_DEVICES {
            return Err(AwsError::TooManyDevices {
                user: parties.user,
                count: theirs.len(),
            });
        }
        // Who has a device already changes devices with an MFA session only.
        if parties.is_own && !parties.is_session && !theirs.is_empty() {
            with_mfa(host, remote, plan, &mut parties, &theirs)?;
        }
        state(remote, &parties.signer, &serial)?
    };
    let enabled_at = match (&ours, state) {
        (Some(_), State::Enabled(owner)) if owner == parties.user => {
            let since = theirs.iter().find(|device| is_theirs(device));
            let since = since.and_then(|device| device.enable_date);
            Some(since.map_or(host.now()?, UnixTime::from_secs))
        }
        (_, State::Enabled(owner)) => {
            return Err(AwsError::Foreign {
                serial,
                owner: Some(clean(&owner).into_owned()),
            });
        }
        // A list may be behind: whether the device is really gone, enabling it tells.
        (Some(_), State::Unassigned | State::Absent | State::Unknown) => None,
        (None, State::Unassigned) => {
            if wanted.orphan == Orphan::Kept && host.recall(&intent(&serial))?.is_none() {
                return Err(AwsError::Foreign {
                    serial,
                    owner: None,
                });
            }
            host.tell(&format!(
                "deleting the unfinished device {serial}, which nobody has"
            ));
            delete_orphan(remote, &parties.signer, &serial)?;
            None
        }
        (None, State::Absent | State::Unknown) => None,
    };
    let account = match ours {
        Some(account) => account,
        None => create(host, remote, &parties, &serial, wanted.orphan)?,
    };
    let mut unproven = Unproven {
        account,
        serial,
        picked_up,
    };
    let enabled_at = match enabled_at {
        Some(moment) => moment,
        None => match enable(host, remote, &parties, &unproven) {
            // It was deleted after the account was saved: there is nothing to finish. The old account goes when the new one
            // is on the disk.
            Err(error) if picked_up && error.code() == Some("NoSuchEntity") => {
                let new = create(host, remote, &parties, &unproven.serial, wanted.orphan)?;
                let old = std::mem::replace(&mut unproven.account, new);
                unproven.picked_up = false;
                host.trash(&old.id, "AWS has no such device any more")?;
                enable(host, remote, &parties, &unproven)?
            }
            enabled => enabled?,
        },
    };
    let waited = enabled_at.until(host.now()?);
    let wait = wanted.propagation.saturating_sub(waited);
    prove(host, remote, plan, &parties, unproven, wait)
}

/// A device whose secret is on the disk.
struct Unproven {
    account: Summary,
    serial: SerialNumber,
    picked_up: bool,
}

fn ours(host: &mut impl Host, serial: &SerialNumber) -> Result<Option<Summary>, AwsError> {
    let found = host
        .devices()?
        .into_iter()
        .find(|summary| summary.serial_number.as_deref() == Some(serial.as_str()));
    Ok(found)
}

/// Signs with an MFA session from here on, by one of the user's devices that is in this vault.
fn with_mfa<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    parties: &mut Parties,
    theirs: &[Device],
) -> Result<(), AwsError> {
    let ours = host.devices()?;
    let is_ours = |device: &&Device| {
        ours.iter()
            .any(|summary| summary.serial_number.as_deref() == Some(&device.serial_number))
    };
    if !theirs.iter().any(|device| is_ours(&device)) {
        return Err(AwsError::NoneOfOurs(
            theirs
                .iter()
                .map(|device| device.serial_number.clone())
                .collect(),
        ));
    }
    let session = session::of_user(host, remote, plan)?;
    parties.signer = Signer::Keys(session.keys);
    Ok(())
}

pub(super) fn state<R: Remote>(
    remote: &mut R,
    signer: &Signer,
    serial: &SerialNumber,
) -> Result<State, AwsError> {
    let Some(all) = allowed(remote, signer, &ListVirtualMfaDevices {})? else {
        return Ok(State::Unknown);
    };
    let found = all
        .into_iter()
        .find(|device| device.serial_number == serial.as_str());
    Ok(match found {
        Some(Device {
            user_name: Some(owner),
            ..
        }) => State::Enabled(owner),
        Some(Device {
            enable_date: Some(_),
            ..
        }) => State::Enabled("somebody".into()),
        Some(_) => State::Unassigned,
        None => State::Absent,
    })
}

fn intent(serial: &SerialNumber) -> String {
    format!("aws intent {serial}")
}

pub(super) fn delete<R: Remote>(
    remote: &mut R,
    signer: &Signer,
    serial: &SerialNumber,
) -> Result<(), AwsError> {
    let operation = DeleteVirtualMfaDevice {
        serial_number: serial.as_str().to_owned(),
    };
    match call(remote, signer, &operation) {
        // An answer may have been lost, and the call made again.
        Err(error) if error.code() == Some("NoSuchEntity") => Ok(()),
        done => done.map(|_| ()),
    }
}

/// Deletes an unfinished device. A Force-MFA policy may forbid just that to whoever has no device yet.
fn delete_orphan<R: Remote>(
    remote: &mut R,
    signer: &Signer,
    serial: &SerialNumber,
) -> Result<(), AwsError> {
    match delete(remote, signer, serial) {
        Err(AwsError::Call(error)) if refusal::is_denied(&error) => {
            Err(AwsError::OrphanStays(serial.clone()))
        }
        done => done,
    }
}

/// Creates the device and saves its account.
fn create<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    parties: &Parties,
    serial: &SerialNumber,
    orphan: Orphan,
) -> Result<Summary, AwsError> {
    let intended = host.recall(&intent(serial))?.is_some();
    let until = host.now()?.plus_secs(INTENT);
    host.hold(&intent(serial), &Secret::new(b"1".to_vec()), until)?;
    let operation = CreateVirtualMfaDevice {
        virtual_mfa_device_name: serial.name().to_owned(),
    };
    let created = match call(remote, &parties.signer, &operation) {
        Err(error) if error.code() == Some("EntityAlreadyExists") => {
            if !intended && orphan == Orphan::Kept {
                host.forget(&intent(serial))?;
                return Err(AwsError::Foreign {
                    serial: serial.clone(),
                    owner: None,
                });
            }
            // Only one that nobody has can be deleted.
            match delete_orphan(remote, &parties.signer, serial) {
                Err(error) if error.code() == Some("DeleteConflict") => {
                    host.forget(&intent(serial))?;
                    return Err(AwsError::Foreign {
                        serial: serial.clone(),
                        owner: Some("a user".into()),
                    });
                }
                done => done?,
            }
            call(remote, &parties.signer, &operation)?
        }
        Err(error) => {
            // Nothing was made: a device of that name that somebody else makes is none of ours.
            if !intended && !error.is_passing() {
                host.forget(&intent(serial))?;
            }
            return Err(error);
        }
        Ok(created) => created,
    };
    let device = created.output;
    if device.serial_number != serial.as_str() {
        return Err(AwsError::OddDevice("it has another serial number"));
    }
    let link = host
        .recall(&noted(&parties.user))?
        .and_then(|(link, _)| String::from_utf8(link.expose().to_vec()).ok())
        .filter(|link| !link.is_empty());
    let draft = Draft {
        note: link.map(|link| format!("{} signs in at {link}", parties.user)),
        kind: Some("totp".into()),
        issuer: Some(ISSUER.into()),
        name: Some(format!("{}@{}", serial.name(), serial.arn().account())),
        secret: Some(device.base32_string_seed.0),
        serial_number: Some(serial.as_str().to_owned()),
        ..Draft::default()
    };
    let drafted = draft
        .into_account(host.now()?)
        .map_err(|_| AwsError::OddDevice("its seed isn't base32"))?;
    if drafted.account.secret.len() < LEAST_SECRET {
        return Err(AwsError::OddDevice("its seed is too short"));
    }
    let account = host.save(drafted.account)?;
    host.forget(&intent(serial))?;
    host.tell(&format!("created {serial}; its secret is in the vault"));
    Ok(account)
}

/// Enables the device with the codes of the step before and of the present one: AWS looks far around its clock for a pair, so
/// nobody has to wait for a second code, and none is sent that is still to come.
fn enable<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    parties: &Parties,
    Unproven {
        account, serial, ..
    }: &Unproven,
) -> Result<UnixTime, AwsError> {
    for tried in 1..=TRIES {
        let result = with_pair(host, remote, account, |remote, code1, code2| {
            let operation = EnableMfaDevice {
                user_name: parties.user.clone(),
                serial_number: serial.as_str().to_owned(),
                authentication_code1: code1,
                authentication_code2: code2,
            };
            remote.call(&parties.signer, &operation).map(|_| ())
        });
        let error = match result {
            Ok(()) => break,
            Err(error) => error,
        };
        // On a user's first device AWS asks for MFA as soon as it is enabled.
        let asks_for_mfa = matches!(&error, AwsError::Call(call) if refusal::needs_mfa(call));
        let known = error.code() == Some("EntityAlreadyExists") || asks_for_mfa;
        if !known && !error.is_passing() {
            return Err(error);
        }
        // The answer was lost, now or in an earlier attempt: see whose it is.
        if is_listed(remote, parties, serial)? {
            break;
        }
        match state(remote, &parties.signer, serial)? {
            State::Enabled(owner) if owner == parties.user => break,
            State::Enabled(owner) => {
                return Err(AwsError::Foreign {
                    serial: serial.clone(),
                    owner: Some(clean(&owner).into_owned()),
                });
            }
            State::Unassigned if tried < TRIES => {}
            State::Unassigned | State::Absent | State::Unknown => return Err(error),
        }
    }
    host.tell(&format!("enabled {serial} for {}", parties.user));
    host.now()
}

/// Whether the user has the device, as far as that may be asked.
fn is_listed<R: Remote>(
    remote: &mut R,
    parties: &Parties,
    serial: &SerialNumber,
) -> Result<bool, AwsError> {
    let operation = ListMfaDevices {
        user_name: Some(parties.user.clone()),
    };
    let theirs = allowed(remote, &parties.signer, &operation)?.unwrap_or_default();
    Ok(theirs
        .iter()
        .any(|device| device.serial_number == serial.as_str()))
}

/// Brings a device into step with AWS's clock.
pub(super) fn resync<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    signer: &Signer,
    user: &str,
    account: &Summary,
) -> Result<(), AwsError> {
    let serial = account.serial_number.clone().unwrap_or_default();
    with_pair(host, remote, account, |remote, code1, code2| {
        let operation = ResyncMfaDevice {
            user_name: user.to_owned(),
            serial_number: serial.clone(),
            authentication_code1: code1,
            authentication_code2: code2,
        };
        remote.call(signer, &operation).map(|_| ())
    })
}

type SentCode = crate::aws::operation::SentCode;

/// Makes a call that sends a pair: with a later one where it is refused. What became of a call that wasn't answered is the
/// caller's to find out.
fn with_pair<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    account: &Summary,
    call: impl Fn(&mut R, SentCode, SentCode) -> Result<(), crate::aws::remote::CallError>,
) -> Result<(), AwsError> {
    let skew = for_codes(remote.skew());
    tell_skew(host, remote.skew());
    for tried in 1..=TRIES {
        let step = loop {
            host.may(account)?;
            let there = now_there(host, skew)?;
            let present = account.scheme.step_at(there).map_err(AwsError::held)?;
            match host.ledger().claim_pair(&account.id, present)? {
                Claim::Step(step) => break step,
                Claim::WaitFor(step) => {
                    let window = account.scheme.window(step).map_err(AwsError::held)?;
                    let Moment::Step { from, .. } = window else {
                        return Err(AwsError::held(OtpError::AfterLastStep));
                    };
                    host.rest();
                    host.wait(
                        "these codes were sent before; two new ones in",
                        there.until(from),
                    )?;
                }
            }
        };
        let pair = host.pair(account, step)?;
        let sent = |code: &Code| SentCode::new(code.as_str().to_owned());
        let (first, second) = (sent(&pair.first), sent(&pair.second));
        let error = match call(remote, first, second) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let again =
            refusal::is_wrong_code(&error) || error.code() == Some("EntityTemporarilyUnmodifiable");
        if !again || tried == TRIES {
            return Err(AwsError::of(error, remote.skew()));
        }
    }
    Ok(())
}

/// Waits until all of AWS knows the device, and has STS take a code of it.
fn prove<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    parties: &Parties,
    unproven: Unproven,
    wait: Duration,
) -> Result<Enrolled, AwsError> {
    let Unproven {
        account,
        serial,
        picked_up,
    } = unproven;
    let enrolled = |account, proof| Enrolled {
        account,
        serial,
        user: parties.user.clone(),
        picked_up,
        proof,
    };
    if !parties.is_own {
        return Ok(enrolled(account, Proof::OfAnother));
    }
    if parties.is_session {
        return Ok(enrolled(account, Proof::OfSession));
    }
    if !wait.is_zero() {
        host.rest();
        host.wait("AWS is telling all its parts; proof in", wait)?;
    }
    // The user's long-term key asks, also where an MFA session did the rest: a session can't ask for a session.
    let signer = plan.signer()?;
    let mut waits = 2;
    let session = loop {
        match session::own_by(host, remote, plan, &signer, &account) {
            Err(AwsError::Unable { .. }) if waits > 0 => {
                waits -= 1;
                host.rest();
                host.wait(
                    "not all of AWS knows the device yet; once more in",
                    PATIENCE,
                )?;
            }
            done => break done?,
        }
    };
    if let Err(error) = session::keep_own(host, plan, session) {
        host.warn(&format!(
            "the session can't be held for the next call: {error}"
        ));
    }
    host.tell("proven: AWS took a code of it");
    Ok(enrolled(account, Proof::Proven))
}
