//! What must be known besides a policy to say whom it lets do what?

use std::collections::BTreeMap;

use super::custom_role::CustomRole;
use super::roles::role_permissions;
use super::{Identities, Policy};
use crate::error::{Error, Result};
use crate::name::Project;

/// What policies refer to: the people behind their members, and the permissions behind their roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Realm {
    /// Who is in a group, in a domain, or behind an address.
    pub identities: Identities,
    /// The custom roles, by their full names.
    pub roles: BTreeMap<String, CustomRole>,
}

impl Realm {
    /// Whether `role` holds `permission`; `None` if its permissions are not known.
    pub fn carries(&self, role: &str, permission: &str) -> Option<bool> {
        match self.roles.get(role) {
            Some(custom) => Some(custom.carries(permission)),
            None => role_permissions(role).map(|held| held.contains(&permission)),
        }
    }

    /// Checks that the custom roles that `policy`, which is to stand on something in `project`, binds are
    /// there. Those of organizations are not known here and pass.
    ///
    /// # Errors
    /// 400 in Google's words for a role that was never made, or is of another project.
    pub fn check_roles(&self, policy: &Policy, project: &Project) -> Result<()> {
        let own = format!("projects/{}/roles/", project.id);
        let is_there = |role: &str| role.starts_with(&own) && self.roles.contains_key(role);
        // What is no name of a role at all is refused in other words.
        let is_custom = |role: &str| {
            role.starts_with("projects/") && role.split('/').count() == 4 && !role.contains("_withcond_")
        };
        match policy.bindings.iter().find(|binding| is_custom(&binding.role) && !is_there(&binding.role)) {
            None => Ok(()),
            Some(binding) => Err(Error::in_words(format!(
                "Role {} does not exist in the resource's hierarchy.",
                binding.role
            ))),
        }
    }
}
