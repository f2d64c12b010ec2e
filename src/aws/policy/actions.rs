//! Which actions enrolling a device takes, and which must not stay open without MFA.

use super::examine::Severity;

/// An action that has to work before there is MFA, and what happens where it doesn't.
pub(super) struct Needed {
    pub(super) action: &'static str,
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) without: &'static str,
}

/// What AWS's own list keeps open, and why. The errors are those without which nobody gets a device.
pub(super) const NEEDED: [Needed; 8] = [
    Needed {
        action: "iam:CreateVirtualMFADevice",
        id: "missing-create-virtual-mfa-device",
        severity: Severity::Error,
        without: "a new user can't make a virtual MFA device, so never gets in",
    },
    Needed {
        action: "iam:EnableMFADevice",
        id: "missing-enable-mfa-device",
        severity: Severity::Error,
        without: "a new user can't enable an MFA device, so never gets in",
    },
    Needed {
        action: "iam:ListMFADevices",
        id: "missing-list-mfa-devices",
        severity: Severity::Error,
        without: "the console's Security credentials page can't show the user's devices, and offers no way to assign one",
    },
    Needed {
        action: "iam:GetMFADevice",
        id: "missing-get-mfa-device",
        severity: Severity::Warning,
        without: "the console asks for each device's details (the API itself answers for FIDO keys only) and shows \
                  \"access denied\" on the page where a new user assigns a device",
    },
    Needed {
        action: "iam:ListVirtualMFADevices",
        id: "missing-list-virtual-mfa-devices",
        severity: Severity::Warning,
        without: "a device that was made and never enabled isn't found again, and its name stays taken",
    },
    Needed {
        action: "iam:ResyncMFADevice",
        id: "missing-resync-mfa-device",
        severity: Severity::Warning,
        without: "a user whose device has drifted can't bring it in step without an administrator",
    },
    Needed {
        action: "iam:GetUser",
        id: "missing-get-user",
        severity: Severity::Warning,
        without: "the console's page and the command line can't look up the user who is enrolling",
    },
    Needed {
        action: "sts:GetSessionToken",
        id: "missing-get-session-token",
        severity: Severity::Note,
        without: "nothing breaks: no policy governs GetSessionToken. AWS lists it all the same, and a reader who looks for it \
                  takes the list for incomplete",
    },
];

/// An action that must not stay open without MFA, and what it lets a thief of a key or password do.
pub(super) struct Dangerous {
    pub(super) action: &'static str,
    pub(super) severity: Severity,
    pub(super) lets: &'static str,
}

pub(super) const DANGEROUS: [Dangerous; 19] = [
    danger(
        "iam:DeactivateMFADevice",
        "take the user's MFA off (AWS refuses that to long-term keys of a user with a device, not in every case)",
    ),
    danger(
        "iam:CreateAccessKey",
        "make more keys, which stay when the stolen one is found",
    ),
    danger("iam:UpdateAccessKey", "switch an old key on again"),
    danger(
        "iam:CreateLoginProfile",
        "give the user a password for the console",
    ),
    danger(
        "iam:UpdateLoginProfile",
        "set the user's password without knowing the old one",
    ),
    danger("iam:AttachUserPolicy", "attach any policy"),
    danger("iam:PutUserPolicy", "write any policy"),
    danger("iam:DetachUserPolicy", "take this policy off the user"),
    danger("iam:DetachGroupPolicy", "take this policy off its group"),
    danger("iam:DeleteGroupPolicy", "delete this policy from its group"),
    danger("iam:DeleteUserPolicy", "delete this policy from the user"),
    danger("iam:CreatePolicyVersion", "rewrite this policy"),
    danger(
        "iam:SetDefaultPolicyVersion",
        "bring back an earlier version of this policy",
    ),
    danger(
        "iam:RemoveUserFromGroup",
        "leave the group that this policy is attached to",
    ),
    danger("iam:AddUserToGroup", "join the administrators"),
    warned(
        "iam:DeleteVirtualMFADevice",
        "delete devices that aren't assigned; AWS advises against it, since an administrator can do it where an enrolment was broken off",
    ),
    warned(
        "sts:AssumeRole",
        "take every role whose trust policy doesn't itself ask for MFA",
    ),
    warned("iam:UploadSSHPublicKey", "add an SSH key for CodeCommit"),
    warned(
        "iam:CreateServiceSpecificCredential",
        "make a password for CodeCommit or Keyspaces",
    ),
];

const fn danger(action: &'static str, lets: &'static str) -> Dangerous {
    Dangerous {
        action,
        severity: Severity::Error,
        lets,
    }
}

const fn warned(action: &'static str, lets: &'static str) -> Dangerous {
    Dangerous {
        action,
        severity: Severity::Warning,
        lets,
    }
}

pub(super) const CHANGE_PASSWORD: &str = "iam:ChangePassword";
pub(super) const PASSWORD_POLICY: &str = "iam:GetAccountPasswordPolicy";
pub(super) const LIST_USERS: &str = "iam:ListUsers";
