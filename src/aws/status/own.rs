//! How it stands with the caller.

use super::{
    Asker, Finding, Force, Hidden, Key, OneDevice, Rules, Standing, findings, force, seen,
};
use crate::aws::arn::Caller;
use crate::aws::error::AwsError;
use crate::aws::host::Host;
use crate::aws::operation::{
    Device, GetAccountAuthorizationDetails, GetAccountPasswordPolicy, ListAccessKeys,
    ListMfaDevices, ListVirtualMfaDevices,
};
use crate::aws::plan::Plan;
use crate::aws::remote::Remote;
use crate::clock::UnixTime;

/// How it stands with the caller. What is nothing wasn't seen; [`Own::hidden`] has the reason.
#[derive(Debug, Clone)]
pub struct Own {
    /// Who asks.
    pub asker: Asker,
    /// When.
    pub now: UnixTime,
    /// The devices.
    pub devices: Option<Vec<OneDevice>>,
    /// The access keys.
    pub keys: Option<Vec<Key>>,
    /// The account's rules for passwords.
    pub password_policy: Option<Rules>,
    /// Whether the caller's policies force MFA.
    pub force: Option<Force>,
    /// What wasn't seen: `devices`, `access_keys`, `password_policy`, `force_mfa`.
    pub hidden: Hidden,
}

impl Own {
    /// What the caller should do.
    pub fn findings(&self) -> Vec<Finding> {
        findings::of_own(self)
    }
}

/// Looks how it stands with the caller.
///
/// # Errors
/// There is nobody to ask as, or AWS can't be reached.
pub fn own<H: Host, R: Remote>(host: &mut H, remote: &mut R, plan: &Plan) -> Result<Own, AwsError> {
    let standing = Standing::of(host, remote, plan)?;
    let mut hidden = Hidden::new();
    let ours = host.devices()?;
    let (devices, keys, force) = match &standing.asker.kind {
        Caller::User { name } => {
            let devices = standing.see(remote, &ListMfaDevices { user_name: None })?;
            let keys = standing.see(remote, &ListAccessKeys { user_name: None })?;
            let force = standing.see(remote, &GetAccountAuthorizationDetails {})?;
            let force = force.and_then(|all| {
                let user = all.users.iter().find(|user| user.name == *name);
                let user = user.ok_or("AWS doesn't list the user's policies")?;
                Ok(force::of_user(user, &all.groups))
            });
            (devices, keys, force)
        }
        Caller::Root => {
            let devices = match standing.see(remote, &ListMfaDevices { user_name: None })? {
                Ok(devices) => Ok(devices),
                Err(_) => standing
                    .see(remote, &ListVirtualMfaDevices {})?
                    .map(|all| all.into_iter().filter(is_of_root).collect()),
            };
            let keys = standing.see(remote, &ListAccessKeys { user_name: None })?;
            let force = Err("no policy of the account binds the root user".into());
            (devices, keys, force)
        }
        Caller::Role { .. } | Caller::Other => {
            let none = |what: &str| Err(format!("a role has no {what}: it is assumed by others"));
            (
                none("MFA devices").map(|_: String| Vec::new()),
                none("access keys").map(|_: String| Vec::new()),
                Err("only policies of users are examined".into()),
            )
        }
    };
    let rules = standing.see(remote, &GetAccountPasswordPolicy {})?;
    let devices = seen(&mut hidden, "devices", devices).map(|devices| {
        let devices = devices.into_iter();
        devices
            .map(|device| standing.device(&ours, device.serial_number, device.enable_date))
            .collect()
    });
    let keys = seen(&mut hidden, "access_keys", keys).map(|keys| {
        let keys = keys.into_iter().map(|key| Key {
            id: Some(key.access_key_id),
            is_active: key.is_active,
            since: key.create_date,
        });
        keys.collect()
    });
    Ok(Own {
        devices,
        keys,
        password_policy: seen(&mut hidden, "password_policy", rules),
        force: seen(&mut hidden, "force_mfa", force),
        now: host.now()?,
        asker: standing.asker,
        hidden,
    })
}

/// The console calls the root user's first device so; lists tell the owner of any.
pub(super) fn is_of_root(device: &Device) -> bool {
    device.user_name.as_deref() == Some("root")
        || device
            .serial_number
            .ends_with(":mfa/root-account-mfa-device")
}
