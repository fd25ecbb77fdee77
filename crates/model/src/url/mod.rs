//! At which hosts does a service answer, and which URLs does it report?
//!
//! Every form routes and every form is an accepted audience; [`UrlConfig`] only chooses the form that is
//! reported. The hosted forms and their limits:
//! <https://cloud.google.com/run/docs/triggering/https-request>.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name::{ProjectNumber, Region, ServiceId, ServiceName, is_dns_label, stable_hash};

/// What stands between a tag and the host of its service.
pub const TAG_SEPARATOR: &str = "---";

/// The suffix of the hosts that only Google can serve.
pub const HOSTED_SUFFIX: &str = ".run.app";

/// The same hosts on this machine: browsers and curl resolve `*.localhost` without DNS.
pub const LOCAL_SUFFIX: &str = ".run.localhost";

/// The longest tag and service name together: a DNS label of 63 without `---`, `-HASH` and `-CC`.
const TAG_AND_SERVICE_MAX: usize = 46;

/// The longest DNS label.
const LABEL_MAX: usize = 63;

/// The region codes of hash URLs, as observed. Sorted by region.
const REGION_CODES: &[(&str, &str)] = &[
    ("africa-south1", "bq"),
    ("asia-east1", "de"),
    ("asia-east2", "df"),
    ("asia-northeast1", "an"),
    ("asia-northeast2", "dt"),
    ("asia-northeast3", "du"),
    ("asia-south1", "el"),
    ("asia-south2", "em"),
    ("asia-southeast1", "as"),
    ("asia-southeast2", "et"),
    ("asia-southeast3", "eu"),
    ("australia-southeast1", "ts"),
    ("australia-southeast2", "km"),
    ("europe-central2", "lm"),
    ("europe-north1", "lz"),
    ("europe-north2", "ma"),
    ("europe-southwest1", "no"),
    ("europe-west1", "ew"),
    ("europe-west10", "oe"),
    ("europe-west12", "og"),
    ("europe-west2", "nw"),
    ("europe-west3", "ey"),
    ("europe-west4", "ez"),
    ("europe-west6", "oa"),
    ("europe-west8", "oc"),
    ("europe-west9", "od"),
    ("me-central1", "ww"),
    ("me-central2", "wx"),
    ("me-west1", "zf"),
    ("northamerica-northeast1", "nn"),
    ("northamerica-northeast2", "pd"),
    ("northamerica-south1", "pv"),
    ("southamerica-east1", "rj"),
    ("southamerica-west1", "tl"),
    ("us-central1", "uc"),
    ("us-east1", "ue"),
    ("us-east4", "uk"),
    ("us-east5", "ul"),
    ("us-south1", "vp"),
    ("us-west1", "uw"),
    ("us-west2", "wl"),
    ("us-west3", "wm"),
    ("us-west4", "wn"),
];

/// The part of every hash URL that names the project: 10 characters of `[a-z2-7]`, the same for all its
/// services and regions. How Google computes it is not public; this is a stable function of the number.
pub fn project_hash(number: ProjectNumber) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits = stable_hash("url-project-hash", &number.to_string());
    (0..10).map(|i| char::from(ALPHABET[(bits >> (5 * i) & 31) as usize])).collect()
}

/// The two letters of a hash URL that name the region. A region outside the table has a stable code that
/// no region of the table has; two such regions may share one.
pub fn region_code(region: &Region) -> String {
    if let Ok(found) = REGION_CODES.binary_search_by_key(&region.as_str(), |row| row.0) {
        return REGION_CODES[found].1.to_owned();
    }
    let start = stable_hash("url-region-code", region.as_str()) % 676;
    let letter = |n: u64| char::from(b'a' + (n % 26) as u8);
    (start..start + 676)
        .map(|n| String::from_iter([letter(n / 26), letter(n)]))
        .find(|code| REGION_CODES.iter().all(|row| row.1 != code))
        .unwrap_or_default()
}

/// The hosts of one service, lower case and without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHosts {
    /// `hello-HASH-uc.a.run.app`: always there.
    pub hash: Arc<str>,
    /// `hello-NUMBER.us-central1.run.app`; `None` if the first label would exceed 63 characters.
    pub deterministic: Option<Arc<str>>,
    /// `hello-HASH-uc.a.run.localhost`.
    pub local_hash: Arc<str>,
    /// `hello-NUMBER.us-central1.run.localhost`, under the same condition.
    pub local_deterministic: Option<Arc<str>>,
}

impl ServiceHosts {
    /// The hosts of the service with this id.
    pub fn new(id: &ServiceId) -> Self {
        HostStems::new(id).hosts()
    }

    /// Every host, hash forms first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        [
            Some(&self.hash),
            Some(&self.local_hash),
            self.deterministic.as_ref(),
            self.local_deterministic.as_ref(),
        ]
        .into_iter()
        .flatten()
    }
}

/// The hosts of one service without their suffixes, of which each stem has both: what is kept of them for
/// every service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostStems {
    /// `hello-HASH-uc.a`: always there.
    pub hash: Arc<str>,
    /// `hello-NUMBER.us-central1`; `None` if the first label would exceed 63 characters.
    pub deterministic: Option<Arc<str>>,
}

impl HostStems {
    /// The stems of the service with this id.
    pub fn new(id: &ServiceId) -> Self {
        let number = id.project.number;
        let hash = format!("{}-{}-{}.a", id.name, project_hash(number), region_code(&id.region));
        let label = format!("{}-{number}", id.name);
        let deterministic = (label.len() <= LABEL_MAX).then(|| format!("{label}.{}", id.region).into());
        Self { hash: hash.into(), deterministic }
    }

    /// The stem of `host` (lower case, no port); `None` if no service can have such a host.
    pub fn of(host: &str) -> Option<&str> {
        host.strip_suffix(HOSTED_SUFFIX).or_else(|| host.strip_suffix(LOCAL_SUFFIX))
    }

    /// Both, hash form first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        std::iter::once(&self.hash).chain(&self.deterministic)
    }

    /// The hosts with these stems.
    pub fn hosts(&self) -> ServiceHosts {
        let host = |stem: &str, suffix: &str| -> Arc<str> { [stem, suffix].concat().into() };
        let deterministic = self.deterministic.as_deref();
        ServiceHosts {
            hash: host(&self.hash, HOSTED_SUFFIX),
            deterministic: deterministic.map(|stem| host(stem, HOSTED_SUFFIX)),
            local_hash: host(&self.hash, LOCAL_SUFFIX),
            local_deterministic: deterministic.map(|stem| host(stem, LOCAL_SUFFIX)),
        }
    }

    /// Whether `host` (lower case, no port) is one of the hosts or a tag host of one of them. Which tags
    /// exist is not asked. Allocates nothing.
    pub fn covers(&self, host: &str) -> bool {
        let own = |stem: &str| self.iter().any(|own| **own == *stem);
        Self::of(host).is_some_and(|stem| own(stem) || tag_splits(stem).any(|(_, rest)| own(rest)))
    }
}

/// Which form of its URLs a service reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UrlStyle {
    /// `http://….run.localhost:PORT`
    #[default]
    Local,
    /// `https://….run.app`
    Hosted,
}

/// How URLs are built: from configuration, never from a Host header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlConfig {
    /// The form that is reported.
    pub style: UrlStyle,
    /// The port that local URLs name; 80 is left out.
    pub port: u16,
}

/// The URLs that a service reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    /// `status.url` and `status.address.url`: the hash form.
    pub status_url: String,
    /// The annotation `run.googleapis.com/urls`: the deterministic form, if there is one, then the hash form.
    pub all: Vec<String>,
}

impl UrlConfig {
    /// The URLs that the service with these hosts reports.
    pub fn urls(&self, hosts: &ServiceHosts) -> Urls {
        let (hash, deterministic) = self.reported(hosts);
        let status_url = self.url(format_args!("{hash}"));
        let all = deterministic.map(|host| self.url(format_args!("{host}")));
        Urls { all: all.into_iter().chain([status_url.clone()]).collect(), status_url }
    }

    /// The URL of a tag of that service, in the hash form, whose label always fits.
    pub fn tag_url(&self, hosts: &ServiceHosts, tag: &str) -> String {
        self.url(format_args!("{tag}{TAG_SEPARATOR}{}", self.reported(hosts).0))
    }

    fn reported<'a>(&self, hosts: &'a ServiceHosts) -> (&'a Arc<str>, Option<&'a Arc<str>>) {
        match self.style {
            UrlStyle::Local => (&hosts.local_hash, hosts.local_deterministic.as_ref()),
            UrlStyle::Hosted => (&hosts.hash, hosts.deterministic.as_ref()),
        }
    }

    fn url(&self, host: fmt::Arguments<'_>) -> String {
        match (self.style, self.port) {
            (UrlStyle::Hosted, _) => format!("https://{host}"),
            (UrlStyle::Local, 80) => format!("http://{host}"),
            (UrlStyle::Local, port) => format!("http://{host}:{port}"),
        }
    }
}

/// Every reading of `host` as `TAG---HOST` with a well-formed tag. There can be several, because the names
/// of tags and services may contain `---` themselves.
pub fn tag_splits(host: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = (0..host.len()).filter(|at| host.as_bytes()[*at..].starts_with(TAG_SEPARATOR.as_bytes()));
    ends.map(|at| (&host[..at], &host[at + TAG_SEPARATOR.len()..])).filter(|(tag, _)| is_dns_label(tag))
}

/// Reads `host` as `TAG---HOST`, at the first `---` that ends a well-formed tag.
pub fn split_tag(host: &str) -> (Option<&str>, &str) {
    match tag_splits(host).next() {
        Some((tag, rest)) => (Some(tag), rest),
        None => (None, host),
    }
}

/// Checks a tag of `service`; `field` names it in the caller's API, for example `spec.traffic.tag`.
///
/// # Errors
/// 400 if it is not a DNS label, or if tag and service name together exceed 46 characters.
pub fn check_tag(tag: &str, service: &ServiceName, field: &str) -> Result<()> {
    if tag.len() + service.as_str().len() > TAG_AND_SERVICE_MAX {
        return Err(Error::field(
            field,
            format!(
                "traffic tag '{tag}' and service name '{service}' together are too long. Combined traffic tag and \
                 service name cannot exceed {TAG_AND_SERVICE_MAX} characters."
            ),
        ));
    }
    if is_dns_label(tag) {
        return Ok(());
    }
    Err(Error::field(
        field,
        format!(
            "traffic tag '{tag}' may have only lowercase letters, digits, and hyphens; must begin with letter, \
             and may not end with hyphen."
        ),
    ))
}

/// The regions of Cloud Run, by name.
pub fn regions() -> impl Iterator<Item = &'static str> {
    REGION_CODES.iter().map(|row| row.0)
}

/// Whether the code table knows this region, and so whether a host that begins with it means it.
pub(crate) fn is_known_region(name: &str) -> bool {
    REGION_CODES.binary_search_by_key(&name, |row| row.0).is_ok()
}

#[cfg(test)]
mod tests;
