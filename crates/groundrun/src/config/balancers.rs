//! Which load balancers does `groundrun.yaml` list, and in which line is one wrong?

use std::net::IpAddr;

use groundrun_model::routing::balancer::{Backend, BalancerHost, LoadBalancer, PathPrefix, PathRule};
use groundrun_model::routing::mask::UrlMask;
use groundrun_model::routing::origin::BALANCER_ADDRESS;
use groundrun_model::{Project, Region, ServiceName, url};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;

/// A load balancer as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BalancerEntry {
    /// The host that it answers at, such as `shop.example.test` or `*.example.test`.
    pub host: Text,
    /// Its own address, which services see in `X-Forwarded-For`.
    pub address: Option<Text>,
    /// What it leads to.
    pub paths: Vec<PathEntry>,
}

/// A path of a load balancer as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathEntry {
    /// The beginning of the path.
    pub path: Text,
    /// The service behind it.
    pub service: Option<Text>,
    /// The tag of that service.
    pub tag: Option<Text>,
    /// What finds the service in the URL.
    pub url_mask: Option<Text>,
    /// The project of the service, unless it is that of commands that name none.
    pub project: Option<Text>,
    /// The regions of the service, the nearest first, unless it is that of requests that name none.
    pub regions: Option<Vec<Text>>,
}

/// A text, and the line that it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Text {
    text: String,
    line: u64,
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.text
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), text: spanned.value })
    }
}

/// What is wrong, and in which line.
pub(super) type Refusal = (u64, String);

impl Text {
    fn refuse(&self, why: impl Into<String>) -> Refusal {
        (self.line, why.into())
    }

    fn read<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Refusal> {
        parse(&self.text).map_err(|why| self.refuse(why))
    }
}

/// Reads the entries; paths that name no project or region have these.
///
/// # Errors
/// The first that is none, or is there twice.
pub(super) fn read(
    entries: &[BalancerEntry],
    project: &Project,
    region: &Region,
) -> Result<Vec<LoadBalancer>, Refusal> {
    let mut all: Vec<LoadBalancer> = Vec::new();
    for entry in entries {
        let host = entry.host.read(BalancerHost::parse)?;
        if all.iter().any(|other| other.host == host) {
            return Err(entry
                .host
                .refuse(format!("the host '{}' has a load balancer already", entry.host.text)));
        }
        if entry.paths.is_empty() {
            return Err(entry.host.refuse("a load balancer needs paths"));
        }
        let address = entry.address.as_ref().map_or(Ok(BALANCER_ADDRESS), |address| address.read(ip))?;
        let mut paths: Vec<PathRule> = Vec::new();
        for path in &entry.paths {
            let rule = path.read(&entry.host.text, project, region)?;
            if paths.iter().any(|other| other.path == rule.path) {
                return Err(path.path.refuse(format!("the path '{}' is there already", path.path.text)));
            }
            paths.push(rule);
        }
        all.push(LoadBalancer { host, address, paths });
    }
    Ok(all)
}

impl PathEntry {
    fn read(&self, host: &str, project: &Project, region: &Region) -> Result<PathRule, Refusal> {
        let regions = match &self.regions {
            None => vec![region.clone()],
            Some(named) if named.is_empty() => return Err(self.path.refuse("regions are one or more")),
            Some(named) => named
                .iter()
                .map(|name| name.read(|text| Region::parse(text).map_err(told)))
                .collect::<Result<_, _>>()?,
        };
        let project = match &self.project {
            None => project.clone(),
            Some(name) => name.read(|text| Project::parse(text).map_err(told))?,
        };
        let path = self.path.read(PathPrefix::parse)?;
        Ok(PathRule { path, backend: self.backend(host)?, project, regions })
    }

    fn backend(&self, host: &str) -> Result<Backend, Refusal> {
        match (&self.service, &self.url_mask, &self.tag) {
            (Some(service), None, tag) => {
                let name = service.read(|text| {
                    let refuse = |error| format!("'{text}' is not the name of a service: {}", told(error));
                    ServiceName::parse(text, "service").map_err(refuse)
                })?;
                let check = |tag: &Text| tag.read(|text| url::check_tag(text, &name, "tag").map_err(told));
                tag.as_ref().map_or(Ok(()), check)?;
                Ok(Backend::Service { name, tag: tag.clone().map(String::from) })
            }
            (None, Some(mask), None) => {
                let read = mask.read(UrlMask::parse)?;
                // At a wildcard only a request can tell.
                if !host.starts_with('*') && !read.fits_host(host) {
                    return Err(mask.refuse(format!("the mask '{read}' fits no URL of '{host}'")));
                }
                Ok(Backend::Mask(read))
            }
            (None, Some(_), Some(tag)) => Err(tag.refuse("a mask finds the tag by <tag>; leave out tag")),
            (Some(_), Some(mask), _) => Err(mask.refuse("a path has a service or a urlMask, not both")),
            (None, None, _) => Err(self.path.refuse("a path needs a service or a urlMask")),
        }
    }
}

fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("'{text}' is not an IP address"))
}

fn told(error: groundrun_model::Error) -> String {
    let first = error.violations.first().map(|one| one.description.clone());
    first.unwrap_or(error.message)
}

#[cfg(test)]
mod tests;
