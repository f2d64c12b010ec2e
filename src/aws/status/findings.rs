//! What a person should do: the worst first.

use super::{Everyone, Finding, Force, Key, OneDevice, Own, Step, User};
use crate::aws::arn::Caller;

/// What the caller should do.
pub(super) fn of_own(own: &Own) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_root = own.asker.kind == Caller::Root;
    let devices = own.devices.as_deref();
    let mut say = |id, text: String, names: Vec<String>, advice| {
        findings.push(Finding {
            id,
            text,
            names,
            advice,
        });
    };
    if devices.is_some_and(<[OneDevice]>::is_empty) {
        if is_root {
            say(
                "root-no-mfa",
                "the root user has no MFA".into(),
                Vec::new(),
                ROOT_MFA,
            );
        } else {
            let text = "there is no MFA device".into();
            say("no-mfa", text, Vec::new(), "run `vmfa aws enroll`");
        }
    }
    let keys = own.keys.as_deref().unwrap_or_default();
    if is_root && keys.iter().any(|key| key.is_active) {
        say(
            "root-access-key",
            "the root user has an access key".into(),
            ids(keys),
            ROOT_KEY,
        );
    }
    let devices = devices.unwrap_or_default();
    let drifted: Vec<String> = serials(devices.iter().filter(|one| one.step == Step::Drifted));
    if !drifted.is_empty() {
        say(
            "drifted",
            "AWS refuses the codes of a device".into(),
            drifted,
            DRIFTED,
        );
    }
    // A hardware token or a passkey can't be here.
    let virtuals = devices
        .iter()
        .filter(|one| one.serial_number.contains(":mfa/"));
    let elsewhere = serials(virtuals.filter(|one| one.account.is_none()));
    if !elsewhere.is_empty() && devices.iter().all(|one| one.account.is_none()) {
        say(
            "not-in-vault",
            format!(
                "{} not in this vault",
                counted(elsewhere.len(), "MFA device is", "MFA devices are")
            ),
            elsewhere,
            "add its secret with `vmfa add` and tell its ARN by `vmfa edit NAME --serial-number ARN`, or enroll one more: `vmfa aws enroll --device-name NAME`",
        );
    }
    let old = keys.iter().filter(|key| key.is_old(own.now)).cloned();
    let old: Vec<Key> = old.collect();
    if !old.is_empty() {
        say("old-access-key", old_keys(old.len()), ids(&old), OLD_KEY);
    }
    if let Some(Force::Lacks(_)) = &own.force {
        let names = own.asker.user().map(str::to_owned);
        say(
            "no-force-mfa",
            "no policy of the user's or of its groups' forces MFA".into(),
            names.into_iter().collect(),
            FORCE,
        );
    }
    findings
}

/// What an administrator should do.
pub(super) fn of_everyone(all: &Everyone) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |id, text: String, names: Vec<String>, advice| {
        if !names.is_empty() {
            findings.push(Finding {
                id,
                text,
                names,
                advice,
            });
        }
    };
    let names = |which: &dyn Fn(&User) -> bool, root: bool| -> Vec<String> {
        let users = all.users.iter().filter(|user| user.is_root() == root);
        users
            .filter(|user| which(user))
            .map(|user| user.name.clone())
            .collect()
    };
    let is_without = |user: &User| user.mfa == Some(false);
    let in_use = |user: &User| user.keys.iter().flatten().any(|key| key.is_active);
    let root = names(&is_without, true);
    say(
        "root-no-mfa",
        "the root user has no MFA".into(),
        root,
        ROOT_MFA,
    );
    let root = names(&in_use, true);
    say(
        "root-access-key",
        "the root user has an access key".into(),
        root,
        ROOT_KEY,
    );
    let users = names(&is_without, false);
    say(
        "no-mfa",
        counted(users.len(), "user has no MFA", "users have no MFA"),
        users,
        "each runs `vmfa aws enroll`, or you do: `vmfa aws enroll --user NAME`",
    );
    let unknown = names(&|user| user.mfa.is_none(), false);
    say(
        "mfa-unknown",
        format!(
            "of {} it isn't known whether there is MFA",
            counted(unknown.len(), "user", "users")
        ),
        unknown,
        "AWS makes a new credential report every four hours at most: look again then",
    );
    let old = |key: &&Key| key.is_old(all.now);
    let with_old = names(
        &|user| user.keys.iter().flatten().any(|key| old(&key)),
        false,
    );
    let count = all
        .users
        .iter()
        .filter(|user| !user.is_root())
        .flat_map(|user| user.keys.iter().flatten())
        .filter(old)
        .count();
    say("old-access-key", old_keys(count), with_old, OLD_KEY);
    let lacks = |user: &User| matches!(user.force, Some(Force::Lacks(_)));
    say(
        "no-force-mfa",
        "users without a Force-MFA policy".into(),
        names(&lacks, false),
        FORCE,
    );
    let groups = all.groups.as_deref().unwrap_or_default().iter();
    let lacking = |name: &String| {
        let mut users = all.users.iter();
        users.any(|user| user.name == *name && lacks(user))
    };
    // One whose users are all kept by another group's policy asks nobody to do anything.
    let groups = groups
        .filter(|group| matches!(group.force, Force::Lacks(_)))
        .filter(|group| group.users.is_empty() || group.users.iter().any(lacking))
        .map(|group| group.name.clone());
    say(
        "group-no-force-mfa",
        "groups without a Force-MFA policy".into(),
        groups.collect(),
        "attach one to each, or put their users into a group that has one",
    );
    let unreadable = |user: &User| matches!(user.force, Some(Force::Unreadable(_)));
    say(
        "force-mfa-unknown",
        "users with a policy that can't be read here".into(),
        names(&unreadable, false),
        "examine it with `vmfa aws policy check`",
    );
    let drifted = all.users.iter().flat_map(|user| &user.devices);
    say(
        "drifted",
        "AWS refuses the codes of a device".into(),
        serials(drifted.filter(|one| one.step == Step::Drifted)),
        DRIFTED,
    );
    let unassigned = all.unassigned.as_deref().unwrap_or_default();
    say(
        "unassigned-device",
        counted(
            unassigned.len(),
            "virtual MFA device belongs to nobody",
            "virtual MFA devices belong to nobody",
        ),
        serials(unassigned.iter()),
        "an enrolment that was broken off: run it again, or delete the device with `aws iam delete-virtual-mfa-device`",
    );
    if let Some(None) = &all.password_policy {
        findings.push(Finding {
            id: "no-password-policy",
            text: "the account has no password policy of its own".into(),
            names: Vec::new(),
            advice: "AWS's own holds: 8 characters of three kinds; set one in the console under Account settings",
        });
    }
    findings
}

const ROOT_MFA: &str = "in the console as the root user: Security credentials, Assign MFA device, Authenticator app; save its QR picture, then `vmfa add QR.png` and `vmfa pair`";
const DRIFTED: &str = "run `vmfa aws resync`; where that is refused, too, the secret here isn't the device's any more: `vmfa aws enroll --device-name NAME`, with an administrator's help";
const ROOT_KEY: &str = "delete it in the console as the root user: nothing needs one";
const OLD_KEY: &str =
    "make a new one, put it in place, then make the old one inactive and delete it";
const FORCE: &str =
    "`vmfa aws policy force-mfa` prints one, to be attached to a group that all users are in";

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn old_keys(count: usize) -> String {
    let days = super::OLD_KEY_DAYS;
    let (one, many) = ("access key is older", "access keys are older");
    format!("{} than {days} days", counted(count, one, many))
}

fn ids(keys: &[Key]) -> Vec<String> {
    keys.iter().filter_map(|key| key.id.clone()).collect()
}

fn serials<'a>(devices: impl Iterator<Item = &'a OneDevice>) -> Vec<String> {
    devices.map(|device| device.serial_number.clone()).collect()
}
