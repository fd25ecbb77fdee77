//! How is one route of ten thousand replaced without copying the others?
//!
//! The stems of the hosts are spread over shards; a new table shares every shard that it does not change.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use super::balancer::Balancers;
use super::{Entry, HostMatch, Route};
use crate::name::ServiceId;
use crate::url::{HostStems, tag_splits};

/// 20,000 stems of 10,000 services make 80 a shard: what a change copies.
const SHARDS: usize = 256;

/// The seed is fixed, because the model draws no random number. The keys are the owner's own services.
pub(super) type Seed = BuildHasherDefault<DefaultHasher>;

type Shard = HashMap<Arc<str>, Arc<Route>, Seed>;

/// An immutable snapshot of every service that answers.
#[derive(Debug, Clone)]
pub struct RoutingTable {
    shards: Vec<Arc<Shard>>,
    /// To each mapped domain the stem of the service that it leads to. The route is looked up at each
    /// request, so that a mapping need not be published anew when its service is.
    domains: Arc<HashMap<Box<str>, Arc<str>, Seed>>,
    balancers: Arc<Balancers>,
}

impl Default for RoutingTable {
    fn default() -> Self {
        Self { shards: vec![Arc::default(); SHARDS], domains: Arc::default(), balancers: Arc::default() }
    }
}

impl RoutingTable {
    /// The service that `host` (lower case, no port) leads to, load balancers aside. A host as such is tried
    /// before its readings as `TAG---HOST`; a tag that the service does not have leads nowhere. Mapped
    /// domains come last: they cannot be hosts of services.
    pub fn route(&self, host: &str) -> Option<HostMatch<'_>> {
        self.route_own(host).or_else(|| self.route_mapped(host))
    }

    /// The service that has `host` itself, or a tag of which has it.
    pub(super) fn route_own(&self, host: &str) -> Option<HostMatch<'_>> {
        if let Some(route) = self.find(host) {
            return Some(HostMatch { route, tag: None, entry: Entry::Own });
        }
        tag_splits(host).find_map(|(tag, rest)| {
            let route = self.find(rest)?;
            let (tag, _) = route.tags.get_key_value(tag)?;
            Some(HostMatch { route, tag: Some(tag), entry: Entry::Own })
        })
    }

    /// The service that the domain `host` is mapped to.
    pub(super) fn route_mapped(&self, host: &str) -> Option<HostMatch<'_>> {
        let route = self.find_stem(self.domains.get(host)?)?;
        Some(HostMatch { route, tag: None, entry: Entry::Mapped })
    }

    /// Whether `host` (lower case, no port) is a mapped domain, also of a service that is not there.
    pub fn is_mapped(&self, host: &str) -> bool {
        self.domains.contains_key(host)
    }

    /// The route of the service with this id.
    pub fn get(&self, id: &ServiceId) -> Option<&Arc<Route>> {
        let hosts = HostStems::new(id);
        hosts.iter().filter_map(|stem| self.find_stem(stem)).find(|route| route.id == *id)
    }

    /// Every route, in no particular order.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        let entries = self.shards.iter().flat_map(|shard| shard.iter());
        // A service has several hosts; of those that no other service can have, count one.
        entries.filter(|(stem, route)| *stem == own_stem(&route.hosts)).map(|(_, route)| route)
    }

    /// This table with `route` in the place of the former route of its service.
    #[must_use]
    pub fn with(&self, route: Route) -> Self {
        self.with_all([route])
    }

    /// This table with each of `routes` in the place of the former route of its service: many for little
    /// more than one, because a shard is copied once. Of two routes with one host the later has it.
    #[must_use]
    pub fn with_all(&self, routes: impl IntoIterator<Item = Route>) -> Self {
        let mut table = self.clone();
        for route in routes.into_iter().map(Arc::new) {
            for stem in route.hosts.iter() {
                Arc::make_mut(table.shard_mut(stem)).insert(stem.clone(), route.clone());
            }
        }
        table
    }

    /// This table with each of `routes` in the place of the former route of its service, where what changed
    /// is not the services: of two with one host, the one that has it keeps it.
    #[must_use]
    pub fn refreshed(&self, routes: impl IntoIterator<Item = Route>) -> Self {
        let mut table = self.clone();
        for route in routes.into_iter().map(Arc::new) {
            for stem in route.hosts.iter() {
                if self.find_stem(stem).is_none_or(|known| known.id == route.id) {
                    Arc::make_mut(table.shard_mut(stem)).insert(stem.clone(), route.clone());
                }
            }
        }
        table
    }

    /// This table without the service with this id.
    #[must_use]
    pub fn without(&self, id: &ServiceId) -> Self {
        let mut table = self.clone();
        for stem in HostStems::new(id).iter() {
            // Regions outside the code table may share a code, and so two services a hash host.
            if self.find_stem(stem).is_some_and(|route| route.id == *id) {
                Arc::make_mut(table.shard_mut(stem)).remove(&**stem);
            }
        }
        table
    }

    /// This table with these domains, and no others, mapped to services.
    #[must_use]
    pub fn with_domains(&self, domains: impl IntoIterator<Item = (String, ServiceId)>) -> Self {
        let mapped = |(domain, service): (String, ServiceId)| {
            (domain.into_boxed_str(), Arc::clone(own_stem(&HostStems::new(&service))))
        };
        Self { domains: Arc::new(domains.into_iter().map(mapped).collect()), ..self.clone() }
    }

    /// This table with these load balancers, and no others.
    #[must_use]
    pub fn with_balancers(&self, balancers: Arc<Balancers>) -> Self {
        Self { balancers, ..self.clone() }
    }

    pub(super) fn balancers(&self) -> &Balancers {
        &self.balancers
    }

    /// The route of the service with this id, by the stem that only it has.
    pub(super) fn find_as(&self, id: &ServiceId, own_stem: &str) -> Option<&Arc<Route>> {
        self.find_stem(own_stem).filter(|route| route.id == *id)
    }

    fn find(&self, host: &str) -> Option<&Arc<Route>> {
        self.find_stem(HostStems::of(host)?)
    }

    fn find_stem(&self, stem: &str) -> Option<&Arc<Route>> {
        self.shards.get(shard_of(stem))?.get(stem)
    }

    fn shard_mut(&mut self, stem: &str) -> &mut Arc<Shard> {
        &mut self.shards[shard_of(stem)]
    }
}

/// The maps use the lowest and the highest bits of the same hash: a shard is chosen by others.
fn shard_of(stem: &str) -> usize {
    (Seed::default().hash_one(stem) >> 32) as usize % SHARDS
}

/// Of the stems of a service the one that no other service has, if there is one.
pub(super) fn own_stem(hosts: &HostStems) -> &Arc<str> {
    hosts.deterministic.as_ref().unwrap_or(&hosts.hash)
}
