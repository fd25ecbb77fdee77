//! Which revisions go when a service has too many?

use super::Service;
use crate::name::RevisionName;

/// How many revisions a service keeps, as documented under quotas.
pub const LIMIT: usize = 1000;

/// How many of the oldest revisions must be looked at to find those that go, of a service with `count`:
/// as many as there are too many, and those among them that must stay.
pub fn candidates(service: &Service, count: usize) -> usize {
    match count.saturating_sub(LIMIT) {
        0 => 0,
        surplus => surplus + service.status.serving.len() + 1,
    }
}

/// The revisions beyond the limit, of a service with `count`, out of its `oldest` ones. One that requests
/// can reach, and the latest, never go.
pub fn excess(
    service: &Service,
    oldest: impl IntoIterator<Item = RevisionName>,
    count: usize,
) -> Vec<RevisionName> {
    let removable = oldest.into_iter().filter(|name| service.check_deletable(name).is_ok());
    removable.take(count.saturating_sub(LIMIT)).collect()
}
