//! Devices that are there already: brought into step, removed, replaced.

use crate::account::Summary;
use crate::account::text::clean;
use crate::aws::arn::SerialNumber;
use crate::aws::enroll::{self, Enrolled, Orphan, Parties, State, call, parties};
use crate::aws::error::AwsError;
use crate::aws::hashed;
use crate::aws::host::Host;
use crate::aws::operation::{DeactivateMfaDevice, Device, ListMfaDevices};
use crate::aws::plan::Plan;
use crate::aws::remote::{Remote, Signer};
use crate::aws::session;
use crate::secret::Secret;

/// Which device is meant.
#[derive(Default)]
pub struct Which {
    /// Whose; none for whoever signs.
    pub user: Option<String>,
    /// Its name or serial number; none for the only one.
    pub device: Option<String>,
}

/// Whether the last device of a user may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It stays: nobody is locked out by mistake.
    Kept,
    /// It goes: somebody said so.
    Removed,
}

/// A device that something was done with.
pub struct Managed {
    /// Whose it is.
    pub user: String,
    /// Its serial number.
    pub serial: String,
    /// The account in the vault, if there is one.
    pub account: Option<Summary>,
}

/// How long an unfinished rotation is remembered.
const UNFINISHED: u64 = 24 * 3600;

/// Brings a device of this vault into step with AWS's clock.
///
/// # Errors
/// No such device; AWS said no.
pub fn resync<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    which: &Which,
) -> Result<Managed, AwsError> {
    let parties = parties(host, remote, plan, which.user.as_deref())?;
    let device = one_of(&list(remote, &parties)?, which, &parties.user)?;
    let account = accounts(host, &device)?
        .into_iter()
        .next()
        .ok_or_else(|| AwsError::NoSuchDevice(clean(&device).into_owned()))?;
    enroll::resync(host, remote, &parties.signer, &parties.user, &account)?;
    Ok(Managed {
        user: parties.user,
        serial: device,
        account: Some(account),
    })
}

/// Takes a device from its user and deletes it; its account goes into the trash. The last one stays unless somebody said so.
///
/// # Errors
/// No such device; it is the last one; AWS said no. What an earlier run began is finished by the next that names the device.
pub fn remove<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    which: &Which,
    last: Last,
) -> Result<Managed, AwsError> {
    let mut parties = parties(host, remote, plan, which.user.as_deref())?;
    let theirs = list(remote, &parties)?;
    let device = match left_over(host, remote, &parties, &theirs, which)? {
        Some(left) => left,
        None => {
            let device = one_of(&theirs, which, &parties.user)?;
            if theirs.len() == 1 && last == Last::Kept {
                return Err(AwsError::LastDevice {
                    serial: clean(&device).into_owned(),
                    user: parties.user,
                });
            }
            device
        }
    };
    with_mfa(host, remote, plan, &mut parties, &theirs)?;
    let account = retire(host, remote, &parties, &device)?;
    // What was had with it is worth nothing for the next one.
    session::forget(host, plan)?;
    Ok(Managed {
        user: parties.user,
        serial: device,
        account,
    })
}

/// Puts a new device in the place of one: the new one is enabled and proven before the old one goes.
///
/// # Errors
/// No such device; AWS said no. Until the new one is proven, the old one stays as it is; the next run picks up.
pub fn rotate<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    which: &Which,
    wanted: enroll::Wanted,
) -> Result<(Managed, Enrolled), AwsError> {
    let mut parties = parties(host, remote, plan, which.user.as_deref())?;
    let theirs = list(remote, &parties)?;
    let (old, name) = match unfinished(host, &parties, which, wanted.device_name.as_deref())? {
        Some(unfinished) => unfinished,
        None => {
            let old = one_of(&theirs, which, &parties.user)?;
            let name = wanted.device_name.clone();
            let name = name.unwrap_or_else(|| next_name(&old));
            (old, name)
        }
    };
    let until = host.now()?.plus_secs(UNFINISHED);
    let note = Secret::new(format!("{old}\n{name}").into_bytes());
    host.hold(&rotation(&parties), &note, until)?;
    let wanted = enroll::Wanted {
        user: which.user.clone(),
        device_name: Some(name),
        orphan: Orphan::Kept,
        ..wanted
    };
    let enrolled = enroll::enroll(host, remote, plan, &wanted)?;
    with_mfa(host, remote, plan, &mut parties, &theirs)?;
    let account = retire(host, remote, &parties, &old)?;
    host.forget(&rotation(&parties))?;
    Ok((
        Managed {
            user: parties.user,
            serial: old,
            account,
        },
        enrolled,
    ))
}

/// Signs with an MFA session from here on: who has a device changes devices with nothing less.
fn with_mfa<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    parties: &mut Parties,
    theirs: &[Device],
) -> Result<(), AwsError> {
    if parties.is_own && !parties.is_session && !theirs.is_empty() {
        parties.signer = Signer::Keys(session::of_user(host, remote, plan)?.keys);
    }
    Ok(())
}

fn rotation(parties: &Parties) -> String {
    let whose = format!("{} {}", parties.arn.account(), parties.user);
    format!("aws rotation {}", hashed(whose.as_bytes()))
}

/// The old device and the new one's name of a rotation that was interrupted, where it is the one that is asked for.
fn unfinished(
    host: &mut impl Host,
    parties: &Parties,
    which: &Which,
    name: Option<&str>,
) -> Result<Option<(String, String)>, AwsError> {
    let note = host.recall(&rotation(parties))?;
    let note = note.and_then(|(note, _)| String::from_utf8(note.expose().to_vec()).ok());
    let Some((old, new)) = note.as_deref().and_then(|note| note.split_once('\n')) else {
        return Ok(None);
    };
    let is_old = which
        .device
        .as_deref()
        .is_none_or(|wanted| is_called(old, wanted));
    let is_new = name.is_none_or(|name| name == new);
    Ok((is_old && is_new).then(|| (old.to_owned(), new.to_owned())))
}

/// A device that was named, of which this vault holds the account, and which nobody has any more: an earlier run stopped on
/// its way.
fn left_over<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    parties: &Parties,
    theirs: &[Device],
    which: &Which,
) -> Result<Option<String>, AwsError> {
    let Some(wanted) = &which.device else {
        return Ok(None);
    };
    if theirs
        .iter()
        .any(|device| is_called(&device.serial_number, wanted))
    {
        return Ok(None);
    }
    let ours = host.devices()?.into_iter().find_map(|summary| {
        let serial = SerialNumber::new(summary.serial_number.as_deref()?)?;
        let fits =
            serial.arn().account() == parties.arn.account() && is_called(serial.as_str(), wanted);
        fits.then_some(serial)
    });
    let Some(serial) = ours else {
        return Ok(None);
    };
    Ok(match enroll::state(remote, &parties.signer, &serial)? {
        State::Unassigned | State::Absent => Some(serial.as_str().to_owned()),
        // Of one that may not be looked for, nothing is certain.
        State::Enabled(_) | State::Unknown => None,
    })
}

/// Whether a device has this name or serial number.
fn is_called(serial: &str, wanted: &str) -> bool {
    serial == wanted || SerialNumber::new(serial).is_some_and(|serial| serial.name() == wanted)
}

/// `alice` -> `alice-2` -> `alice-3`: AWS never gives a device another name, and two can't have one.
fn next_name(serial: &str) -> String {
    let name = serial.rsplit('/').next().unwrap_or(serial);
    match name.rsplit_once('-') {
        Some((stem, number)) => match number.parse::<u32>() {
            Ok(number) if number < 10_000 => format!("{stem}-{}", number + 1),
            Ok(_) | Err(_) => format!("{name}-2"),
        },
        None => format!("{name}-2"),
    }
}

fn list<R: Remote>(remote: &mut R, parties: &Parties) -> Result<Vec<Device>, AwsError> {
    let operation = ListMfaDevices {
        user_name: Some(parties.user.clone()),
    };
    Ok(call(remote, &parties.signer, &operation)?.output)
}

/// The serial number of the device that is meant.
fn one_of(theirs: &[Device], which: &Which, user: &str) -> Result<String, AwsError> {
    let known = || theirs.iter().map(|one| one.serial_number.clone()).collect();
    match &which.device {
        Some(wanted) => {
            let fits = |device: &&Device| is_called(&device.serial_number, wanted);
            let found = theirs
                .iter()
                .find(fits)
                .map(|one| one.serial_number.clone());
            found.ok_or_else(|| AwsError::NotTheirs {
                user: user.into(),
                device: clean(wanted).into_owned(),
                known: known(),
            })
        }
        None => match theirs {
            [only] => Ok(only.serial_number.clone()),
            [] => Err(AwsError::NotTheirs {
                user: user.into(),
                device: "at all".into(),
                known: Vec::new(),
            }),
            _several => Err(AwsError::WhichDevice {
                user: user.into(),
                known: known(),
            }),
        },
    }
}

/// The accounts that are the device, the latest first.
fn accounts(host: &mut impl Host, serial: &str) -> Result<Vec<Summary>, AwsError> {
    let mut devices = host.devices()?;
    devices.retain(|summary| summary.serial_number.as_deref() == Some(serial));
    Ok(devices)
}

/// Deactivated, deleted, and its account in the trash, in this order. What an earlier run has done already is passed over.
fn retire<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    parties: &Parties,
    device: &str,
) -> Result<Option<Summary>, AwsError> {
    let operation = DeactivateMfaDevice {
        user_name: parties.user.clone(),
        serial_number: device.to_owned(),
    };
    match call(remote, &parties.signer, &operation) {
        Err(error) if error.code() == Some("NoSuchEntity") => {}
        done => drop(done?),
    }
    // A device of another kind ends with its deactivation.
    if let Some(serial) = SerialNumber::new(device) {
        enroll::delete(remote, &parties.signer, &serial)?;
    }
    let accounts = accounts(host, device)?;
    for account in &accounts {
        host.trash(&account.id, "removed at AWS")?;
    }
    Ok(accounts.into_iter().next())
}
