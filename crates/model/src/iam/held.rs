//! Which of some permissions does an account hold?

use super::{Policy, granted};
use crate::account::Account;
use crate::error::{Error, Result};

/// The subset of `permissions` that `policies` together grant to `account`, in the order asked.
///
/// # Errors
/// 400 for a wildcard, as documented for `testIamPermissions`.
pub fn held(policies: &[&Policy], account: &Account, permissions: Vec<String>) -> Result<Vec<String>> {
    if let Some(wildcard) = permissions.iter().find(|permission| permission.contains('*')) {
        return Err(Error::field("permissions", format!("'{wildcard}': wildcards are not allowed")));
    }
    Ok(permissions
        .into_iter()
        .filter(|permission| granted(policies, Some(account), permission).is_granted())
        .collect())
}
