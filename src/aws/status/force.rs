//! Whether users and groups are kept from everything until there is MFA, by all policies that apply to each.

use super::Force;
use crate::aws::operation::{Authorized, NamedPolicy};
use crate::aws::policy::{Document, lacks_force_mfa};

/// Of a user: by its own policies and those of its groups.
pub(super) fn of_user(user: &Authorized, groups: &[Authorized]) -> Force {
    let of_groups = groups
        .iter()
        .filter(|group| user.groups.contains(&group.name))
        .flat_map(|group| &group.policies);
    of(user.policies.iter().chain(of_groups))
}

/// Of a group by itself.
pub(super) fn of_group(group: &Authorized) -> Force {
    of(group.policies.iter())
}

fn of<'a>(policies: impl Iterator<Item = &'a NamedPolicy>) -> Force {
    let mut documents = Vec::new();
    let mut unreadable = None;
    for policy in policies {
        match Document::read(&policy.document) {
            Ok(document) => documents.push(document),
            Err(_) => unreadable = Some(policy.name.clone()),
        }
    }
    // What can be read may suffice: nothing that another policy says takes a Deny back.
    match (lacks_force_mfa(&documents), unreadable) {
        (None, _) => Force::Forced,
        (Some(_), Some(name)) => Force::Unreadable(name),
        (Some(lack), None) => Force::Lacks(lack),
    }
}
