//! Which of the doors behind the one port does a request knock at?
//!
//! Callers are told apart by what they send: the host, the path, and whether the target is in absolute
//! form, as a client of a forward proxy sends it.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::metadata;
use crate::name::Region;
use crate::request;
use crate::routing::{HostMatch, RoutingTable};
use crate::url::{HOSTED_SUFFIX, LOCAL_SUFFIX, is_known_region};

/// The hosts of the metadata server.
const METADATA_HOSTS: [&str; 2] = ["metadata.google.internal", "169.254.169.254"];

/// Where every path of the metadata server begins.
const METADATA_PATH: &str = "/computeMetadata";

/// The suffix of Google's API hosts.
const GOOGLE_SUFFIX: &str = ".googleapis.com";

/// The host of sign-in, which serves discovery documents and an older token endpoint.
const ACCOUNTS_HOST: &str = "accounts.google.com";

/// Who answers a request.
#[derive(Debug, Clone)]
pub enum Door<'t> {
    /// A service, at its own host, at the host of one of its tags, at a mapped domain or at a load balancer.
    DataPlane(HostMatch<'t>),
    /// Nobody: the host is one of run.app, a mapped domain or one of a load balancer, and leads to no service
    /// or tag. The data plane's 404 page.
    NoSuchService {
        /// The host, in lower case and without a port.
        host: String,
    },
    /// The APIs and the console, by path.
    Api {
        /// The region that the host names.
        region: Option<Region>,
        /// As what groundrun was addressed.
        host: ApiHost,
    },
    /// The metadata server.
    Metadata,
    /// Nobody: a request for a host elsewhere was sent here as to a proxy. Refused, never passed on.
    Foreign {
        /// The host, in lower case and without a port.
        host: String,
    },
    /// Nobody: the authority is not one; the text says why. A 400.
    InvalidAuthority(&'static str),
}

/// As what the APIs were addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiHost {
    /// As Google: `run.googleapis.com`, `accounts.google.com` and so on.
    Google,
    /// As this machine: `127.0.0.1`, `localhost`, `us-central1-127.0.0.1` and so on.
    Loopback,
    /// By a name that says nothing, or by none.
    Unknown,
}

/// Decides who answers. `authority` is that of the request's target or else the Host header, `path` that of
/// the target, and `absolute_form` whether the target was a full URL, as to a forward proxy (or a CONNECT).
pub fn classify<'t>(
    table: &'t RoutingTable,
    authority: Option<&str>,
    path: &str,
    absolute_form: bool,
) -> Door<'t> {
    // An empty Host header is as good as none.
    let Some(authority) = authority.filter(|text| !text.is_empty()) else {
        return api_or_metadata(path, None, ApiHost::Unknown);
    };
    let host = match host_of(authority) {
        Ok(host) => host,
        Err(why) => return Door::InvalidAuthority(why),
    };
    if let Some(found) = table.route_at(&host, &request::without_needless_escapes(path)) {
        return Door::DataPlane(found);
    }
    let is_of_services = host.ends_with(HOSTED_SUFFIX) || host.ends_with(LOCAL_SUFFIX);
    if is_of_services || table.is_mapped(&host) || table.is_balanced(&host) {
        return Door::NoSuchService { host: host.into_owned() };
    }
    if METADATA_HOSTS.contains(&&*host) {
        return Door::Metadata;
    }
    let (region, kind) = api_host(&host);
    if absolute_form && kind == ApiHost::Unknown {
        return Door::Foreign { host: host.into_owned() };
    }
    api_or_metadata(path, region, kind)
}

fn api_or_metadata<'t>(path: &str, region: Option<Region>, host: ApiHost) -> Door<'t> {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    let is_metadata = path.strip_prefix(METADATA_PATH).is_some_and(is_below);
    if is_metadata { Door::Metadata } else { Door::Api { region, host } }
}

impl Door<'_> {
    /// The door when the request shows the header `Metadata-Flavor`, of this value: at the root of this
    /// machine a client asks so whether a metadata server is here.
    #[must_use]
    pub fn with_flavor(self, flavor: Option<&str>, path: &str) -> Self {
        match self {
            Self::Api { host: ApiHost::Loopback | ApiHost::Unknown, .. }
                if path == "/" && flavor == Some(metadata::FLAVOR) =>
            {
                Self::Metadata
            }
            other => other,
        }
    }
}

/// The host of an authority: without a port and a final dot, in lower case. IPv6 keeps its brackets.
///
/// # Errors
/// What is wrong with the port or the host.
pub fn host_of(authority: &str) -> Result<Cow<'_, str>, &'static str> {
    let (host, port) = match authority.rfind(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    // A colon with nothing behind it is the default port.
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|b| b.is_ascii_digit()) && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    if !port_is_good {
        return Err("the port in the authority is not a number up to 65535");
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_good = match inner {
        Some(address) => matches!(address.parse(), Ok(IpAddr::V6(_))),
        None => is_plain_name(host) || regional_ipv6(host).is_some(),
    };
    if !is_good {
        return Err("the host in the authority is not a host name or address");
    }
    let has_capitals = host.bytes().any(|b| b.is_ascii_uppercase());
    Ok(if has_capitals { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) })
}

fn is_plain_name(host: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    // No empty label, which a second final dot would be too: `a..` is no spelling of `a`.
    host.len() <= 253 && host.split('.').all(|label| !label.is_empty() && label.bytes().all(good))
}

/// Splits the name that gcloud makes of an override to `http://[::1]:PORT/`: `us-central1-[::1]`.
fn regional_ipv6(host: &str) -> Option<(&str, &str)> {
    let (region, address) = host.split_once("-[")?;
    let address = address.strip_suffix(']')?;
    (is_plain_name(region) && matches!(address.parse(), Ok(IpAddr::V6(_)))).then_some((region, address))
}

/// Which of groundrun's own names `host` is, and the region in it.
fn api_host(host: &str) -> (Option<Region>, ApiHost) {
    if let Some(region) = host.strip_prefix("run.").and_then(|rest| rest.strip_suffix(".rep.googleapis.com"))
    {
        return (Region::parse(region).ok(), ApiHost::Google);
    }
    // A region has hyphens itself, so every cut is tried: first for a rest that is a known name.
    let cuts = || host.match_indices('-').map(|(at, _)| (&host[..at], &host[at + 1..]));
    let known = cuts().find_map(|(region, rest)| match own_name(rest) {
        ApiHost::Unknown => None,
        kind => Some((Region::parse(region).ok()?, kind)),
    });
    if let Some((region, kind)) = known {
        return (Some(region), kind);
    }
    // Any other rest means a region only if the region is one of Google's: `build-agent-7-lan` is a name.
    let region =
        cuts().find(|(region, _)| is_known_region(region)).and_then(|(region, _)| Region::parse(region).ok());
    (region, own_name(host))
}

/// What a host is without regard to a region in it.
fn own_name(host: &str) -> ApiHost {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let is_this_machine =
        address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified());
    if is_this_machine || host == "localhost" || host.ends_with(".localhost") {
        ApiHost::Loopback
    } else if host == ACCOUNTS_HOST || host.ends_with(GOOGLE_SUFFIX) {
        ApiHost::Google
    } else {
        ApiHost::Unknown
    }
}

/// Whether a page of this origin (the `Origin` header of a browser) may use the APIs: only one of this
/// machine may. Any page that a developer visits can send requests to a port of the developer's machine,
/// and here they would be made by the local owner.
pub fn is_own_origin(origin: &str) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority
        .and_then(|authority| host_of(authority).ok())
        .is_some_and(|host| own_name(&host) == ApiHost::Loopback)
}

#[cfg(test)]
mod tests;
