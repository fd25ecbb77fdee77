//! Which revisions go when a service has too many?

use super::Service;
use crate::name::RevisionName;

/// How many revisions a service keeps, as documented under quotas.
pub const LIMIT: usize = 1000;

/// The revisions beyond the limit, oldest first, of those whose names and numbers are given. One that
/// requests can reach, and the latest, never go.
pub fn excess(service: &Service, mut revisions: Vec<(u64, RevisionName)>, limit: usize) -> Vec<RevisionName> {
    let surplus = revisions.len().saturating_sub(limit);
    revisions.sort_unstable_by_key(|(number, _)| *number);
    let removable =
        revisions.into_iter().map(|(_, name)| name).filter(|name| service.check_deletable(name).is_ok());
    removable.take(surplus).collect()
}
