//! Which permissions does a role hold, and which roles and permissions are there?
//!
//! A role of an API that groundrun does not emulate is listed with the permissions that matter here.

mod permissions;
mod table;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::error::{Error, Result};

pub use permissions::RUN_INVOKE;
pub use table::ROLES;

/// A predefined role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name without `roles/`.
    pub id: &'static str,
    /// A short name for people.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Whether the hosted role holds more than is listed here.
    pub is_partial: bool,
    /// What it holds, in no order.
    pub permissions: &'static [&'static str],
}

/// Every permission that is known here.
static PERMISSIONS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| ROLES.iter().flat_map(|role| role.permissions).copied().collect());

/// What permissions begin with that are all known here.
const JUDGED: &[&str] = &["run.", "iam.serviceAccounts.", "iam.serviceAccountKeys.", "iam.roles."];

/// The predefined role of this full name; `None` if it is not in the table.
pub fn predefined_role(name: &str) -> Option<&'static Role> {
    let id = name.strip_prefix("roles/")?;
    let at = ROLES.binary_search_by_key(&id, |role| role.id).ok()?;
    ROLES.get(at)
}

/// The permissions of a predefined role; `None` if it is not in the table. Of custom roles the
/// [`super::Realm`] knows.
pub fn role_permissions(role: &str) -> Option<&'static [&'static str]> {
    predefined_role(role).map(|role| role.permissions)
}

/// Whether `name` can be in a custom role: one that is known, or is well formed and of an API that is not
/// emulated, whose permissions are not known here.
pub fn is_permission(name: &str) -> bool {
    if JUDGED.iter().any(|prefix| name.starts_with(prefix)) {
        return PERMISSIONS.contains(name);
    }
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.split('.').count() == 3
        && name.split('.').all(is_word)
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
}

/// The predefined roles that grant something on the resource with this full name, as
/// `//run.googleapis.com/projects/p/locations/l/services/s`.
///
/// # Errors
/// 400 if it is no full resource name of a project, a service or a service account.
pub fn grantable_roles(full_resource_name: &str) -> Result<Vec<&'static Role>> {
    let prefixes = prefixes(full_resource_name)?;
    let is_basic = |role: &Role| !role.id.contains('.');
    let grants = |role: &&Role| match prefixes {
        [] => true,
        _ => {
            !is_basic(role)
                && role.permissions.iter().any(|held| prefixes.iter().any(|prefix| held.starts_with(prefix)))
        }
    };
    Ok(ROLES.iter().filter(grants).collect())
}

/// The permissions that can be asked for on the resource with this full name, sorted.
///
/// # Errors
/// As [`grantable_roles`].
pub fn testable_permissions(full_resource_name: &str) -> Result<Vec<&'static str>> {
    let prefixes = prefixes(full_resource_name)?;
    let is_of = |name: &&str| prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
    Ok(PERMISSIONS.iter().copied().filter(is_of).collect())
}

/// What the permissions on a resource begin with; anything on a project.
fn prefixes(full_resource_name: &str) -> Result<&'static [&'static str]> {
    let parts: Vec<&str> = full_resource_name.split('/').collect();
    // The host does not tell: gcloud puts that of its endpoint override there.
    match parts.as_slice() {
        ["", "", _, "projects", project] if !project.is_empty() => Ok(&[]),
        ["", "", _, "projects", _, "locations", _, "services", service] if !service.is_empty() => {
            Ok(&["run.services.", "run.routes.", "run.revisions.", "run.configurations."])
        }
        ["", "", _, "projects", _, "serviceAccounts", account] if !account.is_empty() => {
            Ok(&["iam.serviceAccounts.", "iam.serviceAccountKeys."])
        }
        _ => Err(Error::field(
            "full_resource_name",
            format!(
                "'{full_resource_name}' is not the full name of a project, a service or a service account, such \
                 as //cloudresourcemanager.googleapis.com/projects/PROJECT."
            ),
        )),
    }
}

impl Role {
    /// The full name: `roles/run.invoker`.
    pub fn name(&self) -> String {
        format!("roles/{}", self.id)
    }

    /// The role as the API answers it; a list leaves the permissions out unless it is asked for them.
    pub fn to_json(&self, with_permissions: bool) -> Value {
        let more = if self.is_partial { " (groundrun lists the permissions that it knows.)" } else { "" };
        let mut json = json!({
            "name": self.name(),
            "title": self.title,
            "description": format!("{}{more}", self.description),
            "stage": "GA",
            "etag": "AA==",
        });
        if with_permissions {
            let sorted: BTreeSet<&str> = self.permissions.iter().copied().collect();
            json["includedPermissions"] = json!(sorted);
        }
        json
    }
}

#[cfg(test)]
mod tests;
