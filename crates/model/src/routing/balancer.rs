//! Which service does a load balancer lead to?
//!
//! A load balancer of the configuration stands for an external Application Load Balancer and its serverless
//! network endpoint groups: a host, and for each beginning of a path the service behind it.
//! <https://cloud.google.com/load-balancing/docs/https/setting-up-https-serverless>

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::mask::{Reading, UrlMask};
use super::table::{Seed, own_stem};
use super::{Entry, HostMatch, Route, RoutingTable};
use crate::domain_mapping::{DomainName, leads_elsewhere};
use crate::name::{Project, Region, ServiceId, ServiceName};
use crate::url::HostStems;

/// What begins the host of a load balancer that takes every host below a domain.
const WILDCARD: &str = "*.";

/// The host of a load balancer: a domain, or `*.` and a domain for all hosts below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BalancerHost {
    domain: String,
    is_wildcard: bool,
}

/// The beginning of a path, by whole segments: `/api` is that of `/api` and `/api/x`, not of `/apix`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix(String);

/// What is behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// A service, or the revision of one of its tags.
    Service {
        /// Its name.
        name: ServiceName,
        /// The tag.
        tag: Option<String>,
    },
    /// The service that the URL names.
    Mask(UrlMask),
}

/// A path of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRule {
    /// With what the paths begin.
    pub path: PathPrefix,
    /// What is behind them.
    pub backend: Backend,
    /// The project of the service.
    pub project: Project,
    /// The regions of the service, the nearest first.
    pub regions: Vec<Region>,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// The host that it answers at.
    pub host: BalancerHost,
    /// Its own address, which services see in `X-Forwarded-For`.
    pub address: IpAddr,
    /// What it leads to; of the paths that fit, the longest counts.
    pub paths: Vec<PathRule>,
}

impl BalancerHost {
    /// Reads a host.
    ///
    /// # Errors
    /// If it is not a domain in lower case, with or without `*.` before it, or takes hosts that lead to
    /// services, to Google's APIs or to this machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (is_wildcard, domain) = match text.strip_prefix(WILDCARD) {
            Some(domain) => (true, domain),
            None => (false, text),
        };
        if DomainName::lookup(domain).is_none() {
            return Err(format!(
                "'{text}' is not a host: write a domain in lower case, such as shop.example.test or *.example.test"
            ));
        }
        if leads_elsewhere(domain, is_wildcard) {
            return Err(format!("'{text}' cannot be the host of a load balancer: it leads elsewhere"));
        }
        Ok(Self { domain: domain.to_owned(), is_wildcard })
    }
}

impl PathPrefix {
    /// Reads the beginning of a path.
    ///
    /// # Errors
    /// If it is not `/`, or segments each of which begins with `/`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let segment = |segment: &str| {
            let good = |b: u8| b.is_ascii_graphic() && !b"*?#<>\"".contains(&b);
            !segment.is_empty() && segment.bytes().all(good)
        };
        let is_good = text == "/" || text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment));
        if is_good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "'{text}' is not the beginning of a path: write / or /api, without * or / at the end; /api is also /api/x"
        ))
    }

    fn fits(&self, path: &str) -> bool {
        if self.0 == "/" {
            return true;
        }
        path.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The load balancers of an emulator, by their hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balancers {
    hosts: HashMap<String, Rules, Seed>,
    /// By the domain that the hosts are below of.
    wildcards: HashMap<String, Rules, Seed>,
}

/// What a load balancer looks up for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    address: IpAddr,
    /// The longest path first.
    paths: Vec<(PathPrefix, Way)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// The service in each region, with a host that only it has: worked out once, not for each request.
    Service {
        stems: Vec<(ServiceId, Arc<str>)>,
        tag: Option<String>,
    },
    Mask {
        mask: UrlMask,
        project: Project,
        regions: Vec<Region>,
    },
}

impl Balancers {
    /// These load balancers; of two at one host the last.
    pub fn new(all: impl IntoIterator<Item = LoadBalancer>) -> Self {
        let mut balancers = Self::default();
        for balancer in all {
            let domain = balancer.host.domain.clone();
            let hosts =
                if balancer.host.is_wildcard { &mut balancers.wildcards } else { &mut balancers.hosts };
            hosts.insert(domain, Rules::new(balancer));
        }
        balancers
    }

    /// The load balancer with exactly this host.
    pub(super) fn at(&self, host: &str) -> Option<&Rules> {
        self.hosts.get(host)
    }

    /// The load balancer that takes every host below a domain of this one: of several the nearest.
    pub(super) fn above(&self, host: &str) -> Option<&Rules> {
        if self.wildcards.is_empty() {
            return None;
        }
        host.match_indices('.').find_map(|(at, _)| self.wildcards.get(&host[at + 1..]))
    }
}

impl Rules {
    fn new(balancer: LoadBalancer) -> Self {
        let mut paths: Vec<_> =
            balancer.paths.into_iter().map(|rule| (rule.path.clone(), Way::new(rule))).collect();
        paths.sort_by_key(|(path, _)| Reverse(path.0.len()));
        Self { address: balancer.address, paths }
    }

    /// The service behind a request.
    fn route<'t>(&'t self, table: &'t RoutingTable, host: &str, path: &str) -> Option<HostMatch<'t>> {
        let (_, way) = self.paths.iter().find(|(prefix, _)| prefix.fits(path))?;
        match way {
            Way::Service { stems, tag } => {
                let route = stems.iter().find_map(|(id, stem)| table.find_as(id, stem))?;
                self.found(route, tag.as_deref())
            }
            Way::Mask { mask, project, regions } => {
                let nearest = |name: &ServiceName| {
                    regions.iter().find_map(|region| {
                        let (project, region) = (project.clone(), region.clone());
                        table.get(&ServiceId { project, region, name: name.clone() })
                    })
                };
                let found = |it: Reading<'_>| self.found(nearest(&it.service)?, it.tag);
                mask.readings(host, path).into_iter().find_map(found)
            }
        }
    }

    /// The match of a route, if it has the tag.
    fn found<'t>(&self, route: &'t Arc<Route>, tag: Option<&str>) -> Option<HostMatch<'t>> {
        let tag = match tag {
            Some(tag) => Some(route.tags.get_key_value(tag)?.0.as_str()),
            None => None,
        };
        Some(HostMatch { route, tag, entry: Entry::Balancer(self.address) })
    }
}

impl Way {
    /// The regions are tried in their order. The hosted load balancer takes the one that is nearest to the
    /// client; here every client is at the same place, and the list says what is near.
    fn new(rule: PathRule) -> Self {
        let PathRule { backend, project, regions, .. } = rule;
        match backend {
            Backend::Mask(mask) => Self::Mask { mask, project, regions },
            Backend::Service { name, tag } => {
                let stem = |region| {
                    let id = ServiceId { project: project.clone(), region, name: name.clone() };
                    let stem = Arc::clone(own_stem(&HostStems::new(&id)));
                    (id, stem)
                };
                Self::Service { stems: regions.into_iter().map(stem).collect(), tag }
            }
        }
    }
}

impl RoutingTable {
    /// The service that a request for `path` at `host` (lower case, no port) leads to: at a host of the
    /// service or of a load balancer, or at a mapped domain.
    pub fn route_at(&self, host: &str, path: &str) -> Option<HostMatch<'_>> {
        if let Some(found) = self.route_own(host) {
            return Some(found);
        }
        let balancers = self.balancers();
        if let Some(balancer) = balancers.at(host) {
            return balancer.route(self, host, path);
        }
        let mapped = self.route_mapped(host);
        if mapped.is_some() || self.is_mapped(host) {
            return mapped;
        }
        balancers.above(host)?.route(self, host, path)
    }

    /// Whether `host` (lower case, no port) is one of a load balancer, whatever that leads to.
    pub fn is_balanced(&self, host: &str) -> bool {
        let balancers = self.balancers();
        balancers.at(host).is_some() || (balancers.above(host).is_some() && !self.is_mapped(host))
    }
}

#[cfg(test)]
mod tests;
