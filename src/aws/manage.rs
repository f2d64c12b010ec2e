//! Devices that are there already: brought into step, removed, replaced.

use crate::account::Summary;
use crate::aws::arn::SerialNumber;
use crate::aws::enroll::{self, Enrolled, Orphan, Parties, call, parties};
use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::operation::{DeactivateMfaDevice, Device, ListMfaDevices};
use crate::aws::plan::Plan;
use crate::aws::remote::{Remote, Signer};
use crate::aws::session;

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
    let signer = plan.signer()?;
    let parties = parties(remote, signer, which.user.as_deref())?;
    let device = one_of(&list(remote, &parties)?, which, &parties.user)?;
    let account = account(host, &device)?.ok_or_else(|| AwsError::NoSuchDevice(device.clone()))?;
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
/// No such device; it is the last one; AWS said no.
pub fn remove<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
    which: &Which,
    last: Last,
) -> Result<Managed, AwsError> {
    let signer = plan.signer()?;
    let mut parties = parties(remote, signer, which.user.as_deref())?;
    let theirs = list(remote, &parties)?;
    let device = one_of(&theirs, which, &parties.user)?;
    if theirs.len() == 1 && last == Last::Kept {
        return Err(AwsError::LastDevice {
            serial: device,
            user: parties.user,
        });
    }
    if parties.is_own && !parties.is_session {
        parties.signer = Signer::Keys(session::of_user(host, remote, plan)?.keys);
    }
    let account = account(host, &device)?;
    retire(host, remote, &parties, &device, account.as_ref())?;
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
    let signer = plan.signer()?;
    let mut parties = parties(remote, signer, which.user.as_deref())?;
    let theirs = list(remote, &parties)?;
    let new_name = wanted.device_name.clone();
    // A run that was interrupted left the new one beside the old one.
    let others: Vec<Device> = theirs
        .into_iter()
        .filter(|device| {
            new_name.as_deref()
                != SerialNumber::new(&device.serial_number)
                    .as_ref()
                    .map(SerialNumber::name)
        })
        .collect();
    let old = one_of(&others, which, &parties.user)?;
    let name = match new_name {
        Some(name) => name,
        None => next_name(&old),
    };
    let wanted = enroll::Wanted {
        user: which.user.clone(),
        device_name: Some(name),
        orphan: Orphan::Kept,
        ..wanted
    };
    let enrolled = enroll::enroll(host, remote, plan, &wanted)?;
    if parties.is_own && !parties.is_session {
        parties.signer = Signer::Keys(session::of_user(host, remote, plan)?.keys);
    }
    let account = account(host, &old)?;
    retire(host, remote, &parties, &old, account.as_ref())?;
    Ok((
        Managed {
            user: parties.user,
            serial: old,
            account,
        },
        enrolled,
    ))
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
            let fits = |device: &&Device| {
                device.serial_number == *wanted
                    || SerialNumber::new(&device.serial_number)
                        .is_some_and(|serial| serial.name() == wanted)
            };
            let found = theirs
                .iter()
                .find(fits)
                .map(|one| one.serial_number.clone());
            found.ok_or_else(|| AwsError::NotTheirs {
                user: user.into(),
                device: crate::account::text::clean(wanted).into_owned(),
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

fn account(host: &mut impl Host, serial: &str) -> Result<Option<Summary>, AwsError> {
    Ok(host
        .devices()?
        .into_iter()
        .find(|summary| summary.serial_number.as_deref() == Some(serial)))
}

/// Deactivated, deleted, and its account in the trash, in this order.
fn retire<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    parties: &Parties,
    device: &str,
    account: Option<&Summary>,
) -> Result<(), AwsError> {
    let operation = DeactivateMfaDevice {
        user_name: parties.user.clone(),
        serial_number: device.to_owned(),
    };
    call(remote, &parties.signer, &operation)?;
    // A device of another kind ends with its deactivation.
    if let Some(serial) = SerialNumber::new(device) {
        enroll::delete(remote, &parties.signer, &serial)?;
    }
    if let Some(account) = account {
        host.trash(&account.id, "removed at AWS")?;
    }
    Ok(())
}
