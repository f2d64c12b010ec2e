//! How it stands with every user: the credential report, corrected by what AWS tells of this very moment.
//!
//! AWS makes a report anew every four hours at most. Who has come since isn't in it, who has gone still is, and a device that
//! was enabled or taken away in between isn't told; lists tell.

use std::collections::{HashMap, HashSet};

use super::report::{self, Entry};
use super::{
    Asker, Finding, Force, Hidden, Key, OneDevice, Rules, Standing, findings, force, seen, sight,
};
use crate::aws::csv::CsvError;
use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::operation::{
    Authorizations, Device, GetAccountAuthorizationDetails, GetAccountPasswordPolicy,
    GetCredentialReport, ListAccessKeys, ListMfaDevices, ListVirtualMfaDevices, Operation,
};
use crate::aws::plan::Plan;
use crate::aws::remote::{CallError, Failed, Remote};
use crate::clock::UnixTime;

/// So many users are asked for one by one, where lists and report don't agree: IAM asks for patience soon.
const MOST_ASKED: usize = 100;

/// How it stands with every user. What is nothing wasn't seen; [`Everyone::hidden`] has the reason.
#[derive(Debug, Clone)]
pub struct Everyone {
    /// Who asks.
    pub asker: Asker,
    /// When.
    pub now: UnixTime,
    /// The root user first, where the report tells of it.
    pub users: Vec<User>,
    /// The groups.
    pub groups: Option<Vec<Group>>,
    /// Virtual devices that nobody has.
    pub unassigned: Option<Vec<OneDevice>>,
    /// The account's rules for passwords.
    pub password_policy: Option<Rules>,
    /// What wasn't seen: `report`, `virtual_devices`, `groups` (and with them, whether policies force MFA), `password_policy`.
    pub hidden: Hidden,
}

/// How it stands with a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, or `<root_account>`.
    pub name: String,
    /// The ARN, where it is known.
    pub arn: Option<String>,
    /// Whether there is a password for the console.
    pub password: Option<bool>,
    /// Whether there is an MFA device of any kind.
    pub mfa: Option<bool>,
    /// The virtual devices, and others where the user was asked for.
    pub devices: Vec<OneDevice>,
    /// The access keys.
    pub keys: Option<Vec<Key>>,
    /// Whether the policies force MFA; nothing for the root user, whom none binds.
    pub force: Option<Force>,
}

impl User {
    /// Whether this is the root user.
    pub fn is_root(&self) -> bool {
        self.name == report::ROOT
    }
}

/// How it stands with a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The users in it.
    pub users: Vec<String>,
    /// Whether its own policies force MFA.
    pub force: Force,
}

impl Everyone {
    /// What an administrator should do.
    pub fn findings(&self) -> Vec<Finding> {
        findings::of_everyone(self)
    }
}

/// Looks how it stands with every user.
///
/// # Errors
/// There is nobody to ask as, AWS can't be reached, or neither the report nor the users may be seen.
pub fn everyone<H: Host, R: Remote>(
    host: &mut H,
    remote: &mut R,
    plan: &Plan,
) -> Result<Everyone, AwsError> {
    let standing = Standing::of(host, remote, plan)?;
    let mut hidden = Hidden::new();
    let ours = host.devices()?;
    let report = remote.call(&standing.signer, &GetCredentialReport {});
    let refused = report.as_ref().err().cloned();
    let entries = match sight(report, remote.skew())? {
        Ok(text) => Ok(report::read(text.as_bytes()).map_err(|error| odd_report(&error))?),
        Err(reason) => Err(reason),
    };
    let everything = standing.see(remote, &GetAccountAuthorizationDetails {})?;
    if let (Some(error), Err(_)) = (refused, &everything) {
        // There would be nobody to show.
        return Err(AwsError::of(error, remote.skew()));
    }
    let virtuals = standing.see(remote, &ListVirtualMfaDevices {})?;
    let rules = standing.see(remote, &GetAccountPasswordPolicy {})?;
    let entries = seen(&mut hidden, "report", entries);
    let everything = seen(&mut hidden, "groups", everything);
    let virtuals = seen(&mut hidden, "virtual_devices", virtuals);
    let mut users = users(entries, everything.as_ref());
    let mut live = virtuals.as_ref().map(|all| by_owner(all, &users));
    ask_each(&standing, remote, &mut users, &mut live)?;
    let shown =
        |device: &Device| standing.device(&ours, device.serial_number.clone(), device.enable_date);
    for user in &mut users {
        if let Some(devices) = live.as_ref().and_then(|live| live.get(&user.name)) {
            user.devices = devices.iter().map(shown).collect();
        }
    }
    let unassigned = virtuals.map(|all| {
        let free = |device: &&Device| device.user_name.is_none() && device.enable_date.is_none();
        all.iter().filter(free).map(shown).collect()
    });
    Ok(Everyone {
        now: host.now()?,
        groups: everything.as_ref().map(groups),
        users,
        unassigned,
        password_policy: seen(&mut hidden, "password_policy", rules),
        asker: standing.asker,
        hidden,
    })
}

fn odd_report(why: &CsvError) -> AwsError {
    AwsError::Call(CallError {
        operation: GetCredentialReport::NAME,
        what: Failed::NotUnderstood(format!("the credential report can't be read: {why}")),
    })
}

/// Everyone who is in the report and still there, then who has come since.
fn users(entries: Option<Vec<Entry>>, everything: Option<&Authorizations>) -> Vec<User> {
    let policies = |name: &str| {
        let all = everything?;
        let user = all.users.iter().find(|user| user.name == name)?;
        Some(force::of_user(user, &all.groups))
    };
    let there: Option<HashSet<&str>> =
        everything.map(|all| all.users.iter().map(|user| user.name.as_str()).collect());
    let mut users: Vec<User> = entries
        .into_iter()
        .flatten()
        .filter(|entry| {
            let is_there = there
                .as_ref()
                .is_none_or(|there| there.contains(&*entry.user));
            is_there || entry.user == report::ROOT
        })
        .map(|entry| User {
            force: policies(&entry.user),
            name: entry.user,
            arn: Some(entry.arn),
            password: entry.password,
            mfa: entry.mfa,
            devices: Vec::new(),
            keys: Some(entry.keys),
        })
        .collect();
    let reported: HashSet<String> = users.iter().map(|user| user.name.clone()).collect();
    let new = everything.iter().flat_map(|all| &all.users);
    let new = new.filter(|user| !reported.contains(&user.name));
    users.extend(new.map(|user| User {
        force: policies(&user.name),
        name: user.name.clone(),
        arn: None,
        password: None,
        mfa: None,
        devices: Vec::new(),
        keys: None,
    }));
    users
}

type Live = HashMap<String, Vec<Device>>;

fn by_owner(virtuals: &[Device], users: &[User]) -> Live {
    let namesake = users.iter().any(|user| user.name == "root");
    let mut live = Live::new();
    for device in virtuals {
        let console = device
            .serial_number
            .ends_with(":mfa/root-account-mfa-device");
        let owner = match device.user_name.as_deref() {
            Some("root") if console || !namesake => report::ROOT,
            Some(owner) => owner,
            None => continue,
        };
        live.entry(owner.to_owned())
            .or_default()
            .push(device.clone());
    }
    live
}

/// Asks for the users of whom the report knows nothing, or of whose device the lists know nothing: it may be of another kind,
/// or gone.
fn ask_each<R: Remote>(
    standing: &Standing,
    remote: &mut R,
    users: &mut [User],
    live: &mut Option<Live>,
) -> Result<(), AwsError> {
    let mut left = MOST_ASKED;
    let unlisted = live.is_none();
    for user in users.iter_mut().filter(|user| !user.is_root()) {
        let has_virtual = live
            .as_ref()
            .is_some_and(|live| live.contains_key(&user.name));
        if has_virtual {
            user.mfa = Some(true);
        }
        let unsure = !has_virtual && (unlisted || user.mfa != Some(false));
        if !(unsure || user.keys.is_none()) || left == 0 {
            continue;
        }
        left -= 1;
        let user_name = Some(user.name.clone());
        if unsure {
            let asked = ListMfaDevices {
                user_name: user_name.clone(),
            };
            // Who mayn't ask for one mayn't for others.
            let Ok(devices) = standing.see(remote, &asked)? else {
                left = 0;
                continue;
            };
            user.mfa = Some(!devices.is_empty());
            if !devices.is_empty() {
                live.get_or_insert_default()
                    .insert(user.name.clone(), devices);
            }
        }
        if user.keys.is_none()
            && let Ok(keys) = standing.see(remote, &ListAccessKeys { user_name })?
        {
            let keys = keys.into_iter().map(|key| Key {
                id: Some(key.access_key_id),
                is_active: key.is_active,
                since: key.create_date,
            });
            user.keys = Some(keys.collect());
        }
    }
    if let Some(root) = users.iter_mut().find(|user| user.is_root())
        && live
            .as_ref()
            .is_some_and(|live| live.contains_key(report::ROOT))
    {
        root.mfa = Some(true);
    }
    Ok(())
}

fn groups(all: &Authorizations) -> Vec<Group> {
    let groups = all.groups.iter().map(|group| Group {
        name: group.name.clone(),
        users: all
            .users
            .iter()
            .filter(|user| user.groups.contains(&group.name))
            .map(|user| user.name.clone())
            .collect(),
        force: force::of_group(group),
    });
    groups.collect()
}
