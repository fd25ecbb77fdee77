//! Which service, and which of its revisions, does a host name lead to?
//!
//! A [`RoutingTable`] is a value: the engine publishes a new one after every change, and the data plane
//! sees nothing else of the world.

pub mod access;
pub mod affinity;
pub mod balancer;
pub mod mask;
pub mod origin;
pub mod split;
mod table;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::audience::AudienceSet;
use crate::instance::InstanceSpec;
use crate::name::ServiceId;
use crate::url::{HostStems, UrlConfig};

pub use crate::service::values::Ingress;
pub use access::{Access, AccessFacts, Grantees, Public};
pub use affinity::Client;
pub use balancer::Balancers;
pub use origin::{Entry, Origin};
pub use split::{DICE, Split};
pub use table::RoutingTable;

/// Why a service that exists does not answer: the caller sees the page of a host that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closed {
    /// The run.app URLs are off, and the request came to one.
    DefaultUrlDisabled,
    /// The ingress setting does not allow this origin.
    Ingress(Ingress),
}

/// What the engine knows of a service when it publishes its route.
#[derive(Debug, Clone)]
pub struct RouteFacts<'a> {
    /// The service.
    pub id: ServiceId,
    /// How its URLs are built.
    pub urls: UrlConfig,
    /// Its custom audiences.
    pub custom_audiences: Vec<String>,
    /// Whether the invoker check is off.
    pub invoker_iam_disabled: bool,
    /// Who may call it otherwise.
    pub access: AccessFacts<'a>,
    /// From where it may be called.
    pub ingress: Ingress,
    /// Whether the run.app URLs are off.
    pub default_url_disabled: bool,
    /// The percentages of the revisions that serve; those of revisions that are not ready are left out.
    pub split: Vec<(u32, Arc<InstanceSpec>)>,
    /// The revisions that the tags lead to.
    pub tags: Vec<(String, Arc<InstanceSpec>)>,
}

/// Everything that the data plane must know of one service. Immutable.
#[derive(Debug, Clone)]
pub struct Route {
    /// The service.
    pub id: ServiceId,
    /// The hosts that it answers at, without their suffixes.
    pub hosts: HostStems,
    /// The audiences that its tokens may have.
    pub audiences: AudienceSet,
    /// Who may call it.
    pub access: Access,
    /// From where it may be called.
    pub ingress: Ingress,
    /// Whether the run.app URLs are off.
    pub default_url_disabled: bool,
    /// The revisions that requests without a tag are drawn from.
    pub split: Split,
    /// The revisions that the tags lead to.
    pub tags: BTreeMap<String, Arc<InstanceSpec>>,
}

impl Route {
    /// The route that follows from `facts`.
    pub fn build(facts: RouteFacts<'_>) -> Self {
        let hosts = HostStems::new(&facts.id);
        Self {
            audiences: AudienceSet::new(facts.custom_audiences, hosts.clone(), facts.urls),
            access: Access::new(&facts.id, facts.invoker_iam_disabled, &facts.access),
            ingress: facts.ingress,
            default_url_disabled: facts.default_url_disabled,
            split: Split::new(facts.split),
            tags: facts.tags.into_iter().collect(),
            hosts,
            id: facts.id,
        }
    }
}

/// The service that a host leads to, and the tag if the host names one that exists.
#[derive(Debug, Clone, Copy)]
pub struct HostMatch<'t> {
    /// The service.
    pub route: &'t Arc<Route>,
    /// The tag, as the route knows it.
    pub tag: Option<&'t str>,
    /// Whether the host is one of the service's own, or by what else it leads there.
    pub entry: Entry,
}

impl<'t> HostMatch<'t> {
    /// From where the request comes, if the client called from `client`: whoever calls a load balancer
    /// comes from that.
    pub fn origin(&self, client: Origin) -> Origin {
        match self.entry {
            Entry::Balancer(_) => Origin::LoadBalancer,
            Entry::Own | Entry::Mapped => client,
        }
    }

    /// The address of the load balancer that the request passed.
    pub fn balancer(&self) -> Option<IpAddr> {
        match self.entry {
            Entry::Balancer(address) => Some(address),
            Entry::Own | Entry::Mapped => None,
        }
    }

    /// Whether the service hides from a request from `client` to this host, and why. Mapped domains and load
    /// balancers are there also where the URLs under run.app are off.
    pub fn closed_to(&self, client: Origin) -> Option<Closed> {
        if self.route.default_url_disabled && self.entry == Entry::Own {
            return Some(Closed::DefaultUrlDisabled);
        }
        match (self.route.ingress, self.origin(client)) {
            (Ingress::All, _)
            | (Ingress::Internal | Ingress::InternalAndCloudLoadBalancing, Origin::Internal)
            | (Ingress::InternalAndCloudLoadBalancing, Origin::LoadBalancer) => None,
            (ingress, _) => Some(Closed::Ingress(ingress)),
        }
    }

    /// Whether the request goes to where its client went before, and so [`Self::pick_for`] is asked. At the
    /// host of a tag there is one revision only.
    pub fn has_affinity(&self) -> bool {
        self.tag.is_none() && self.route.split.has_affinity()
    }

    /// The revision that takes the request: of the tag, or else drawn by `dice` in `0..DICE`. `None` if
    /// no revision serves.
    pub fn pick(&self, dice: u32) -> Option<&'t Arc<InstanceSpec>> {
        match self.tag {
            Some(tag) => self.route.tags.get(tag),
            None => self.route.split.pick(dice),
        }
    }

    /// The revision that takes the request of `client`. It is to keep its cookie if the revision has
    /// `session_affinity`. `None` if [`Self::has_affinity`] does not hold.
    pub fn pick_for(&self, client: Client) -> Option<&'t Arc<InstanceSpec>> {
        if self.tag.is_some() { None } else { self.route.split.pick_for(client) }
    }
}

#[cfg(test)]
mod every_url;
#[cfg(test)]
pub(crate) mod tests;
