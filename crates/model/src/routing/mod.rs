//! Which service, and which of its revisions, does a host name lead to?
//!
//! A [`RoutingTable`] is a value: the engine publishes a new one after every change, and the data plane
//! sees nothing else of the world.

pub mod access;
pub mod split;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::audience::AudienceSet;
use crate::instance::InstanceSpec;
use crate::name::ServiceId;
use crate::url::{HostStems, UrlConfig};

pub use crate::service::values::Ingress;
pub use access::{Access, AccessFacts, Grantees, Public};
pub use split::{DICE, Split};
pub use table::RoutingTable;

/// From where a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// From a client outside.
    External,
    /// From an instance of a service, or whatever else counts as inside.
    Internal,
}

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
    /// Whether the host is a domain that is mapped to the service, and not one of its own.
    pub is_mapped: bool,
}

impl<'t> HostMatch<'t> {
    /// Whether the service hides from a request from `origin` to this host, and why. A mapped domain is
    /// there also where the URLs under run.app are off.
    pub fn closed_to(&self, origin: Origin) -> Option<Closed> {
        if self.route.default_url_disabled && !self.is_mapped {
            return Some(Closed::DefaultUrlDisabled);
        }
        match (self.route.ingress, origin) {
            (Ingress::All, _)
            | (Ingress::Internal | Ingress::InternalAndCloudLoadBalancing, Origin::Internal) => None,
            (ingress, _) => Some(Closed::Ingress(ingress)),
        }
    }

    /// The revision that takes the request: of the tag, or else drawn by `dice` in `0..DICE`. `None` if
    /// no revision serves.
    pub fn pick(&self, dice: u32) -> Option<&'t Arc<InstanceSpec>> {
        match self.tag {
            Some(tag) => self.route.tags.get(tag),
            None => self.route.split.pick(dice),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
