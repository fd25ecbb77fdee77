//! Which of some permissions does an account hold?

use super::{ConditionRequest, Policy, Realm, granted};
use crate::account::Account;
use crate::error::{Error, Result};

/// The subset of `permissions` that `policies` together grant to `account`, in the order asked; see
/// [`granted`].
///
/// # Errors
/// 400 for a wildcard, as documented for `testIamPermissions`.
pub fn held(
    policies: &[&Policy],
    realm: &Realm,
    account: &Account,
    permissions: Vec<String>,
    request: &ConditionRequest<'_>,
) -> Result<Vec<String>> {
    if let Some(wildcard) = permissions.iter().find(|permission| permission.contains('*')) {
        return Err(Error::field("permissions", format!("'{wildcard}': wildcards are not allowed")));
    }
    let holds =
        |permission: &String| granted(policies, realm, Some(account), permission, request).is_granted();
    Ok(permissions.into_iter().filter(holds).collect())
}
