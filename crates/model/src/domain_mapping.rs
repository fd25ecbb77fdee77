//! Which service does a domain of one's own lead to?
//!
//! A mapping is never changed: it is created, and deleted. What becomes of it follows from what else is
//! there, and is derived whenever somebody asks.
//! <https://cloud.google.com/run/docs/mapping-custom-domains>.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::kind::{Key, Kind, Record, Resource, read, write};
use crate::name::{Project, Region, ServiceId, ServiceName, is_rfc1123_label};
use crate::service::Map;
use crate::service::conditions::{Condition, Severity, Truth};
use crate::time::Timestamp;
use crate::url::{HOSTED_SUFFIX, LOCAL_SUFFIX};

/// The longest name in DNS.
const DOMAIN_MAX: usize = 253;

/// What no mapping may take: names that lead elsewhere already, to services, to Google's APIs and to this
/// machine.
const OCCUPIED: &[&str] =
    &[HOSTED_SUFFIX, LOCAL_SUFFIX, ".googleapis.com", "accounts.google.com", ".internal"];

/// Second-level names under which countries sell domains: `example.co.uk` is an apex, and not the `example`
/// of `co.uk`.
const SOLD_BELOW: &[&str] = &["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"];

/// The addresses of Google's front end, which the documentation gives for an apex domain.
const APEX_RECORDS: &[(&str, &str)] = &[
    ("A", "216.239.32.21"),
    ("A", "216.239.34.21"),
    ("A", "216.239.36.21"),
    ("A", "216.239.38.21"),
    ("AAAA", "2001:4860:4802:32::15"),
    ("AAAA", "2001:4860:4802:34::15"),
    ("AAAA", "2001:4860:4802:36::15"),
    ("AAAA", "2001:4860:4802:38::15"),
];

/// The name of a domain, in lower case: two labels or more, and none that is taken for something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(String);

impl DomainName {
    /// Reads the name of a domain; `field` names it in the caller's API.
    ///
    /// # Errors
    /// 400 if it is not the name of a domain, or leads to Google or to this machine.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let Some(name) = Self::lookup(text) else {
            return Err(Error::field(
                field,
                format!("'{text}' is not a domain in lower case, such as www.example.com."),
            ));
        };
        if leads_elsewhere(text, false) {
            return Err(Error::field(field, format!("'{text}' cannot be mapped: it leads elsewhere.")));
        }
        Ok(name)
    }

    /// The name in a URL, where any text may stand: what is not well formed names nothing.
    pub fn lookup(text: &str) -> Option<Self> {
        let labels: Vec<&str> = text.split('.').collect();
        let last_is_a_number = labels.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        let good = text.len() <= DOMAIN_MAX
            && labels.len() > 1
            && labels.iter().all(|label| is_rfc1123_label(label))
            && !last_is_a_number;
        good.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the apex: `www` in `www.example.com`; `None` for an apex.
    pub fn below_apex(&self) -> Option<&str> {
        let labels: Vec<&str> = self.0.split('.').collect();
        let apex = match labels.as_slice() {
            [.., second, country] if country.len() == 2 && SOLD_BELOW.contains(second) => 3,
            _ => 2,
        };
        let cut: usize = labels.iter().rev().take(apex).map(|label| label.len() + 1).sum();
        self.0.len().checked_sub(cut).map(|end| &self.0[..end])
    }

    /// The DNS records that lead the domain to Cloud Run.
    pub fn records(&self) -> Vec<ResourceRecord<'_>> {
        match self.below_apex() {
            Some(name) => {
                vec![ResourceRecord { name: Some(name), kind: "CNAME", data: "ghs.googlehosted.com." }]
            }
            None => {
                let record = |&(kind, data)| ResourceRecord { name: None, kind, data };
                APEX_RECORDS.iter().map(record).collect()
            }
        }
    }
}

/// Whether `domain` is one that leads to services, to Google's APIs or to this machine already;
/// `or_below`: it or anything below it is.
pub(crate) fn leads_elsewhere(domain: &str, or_below: bool) -> bool {
    let below = format!(".{domain}");
    OCCUPIED.iter().any(|suffix| {
        domain.ends_with(suffix) || or_below && (below.ends_with(suffix) || suffix.ends_with(&below))
    })
}

/// A DNS record that the owner of a domain is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRecord<'a> {
    /// Its name relative to the apex; none for the apex itself.
    pub name: Option<&'a str>,
    /// `A`, `AAAA` or `CNAME`.
    pub kind: &'static str,
    /// An address or a name.
    pub data: &'static str,
}

/// Whether a certificate is to be provisioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateMode {
    /// One by Google.
    #[default]
    Automatic,
    /// None.
    None,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainMappingSpec {
    /// The service, in the project and region of the mapping.
    pub route: ServiceName,
    /// Whether a certificate is to be provisioned.
    pub certificate_mode: CertificateMode,
    /// Whether the domain is taken from a mapping that has it.
    pub force_override: bool,
    /// Labels of the user.
    pub labels: Map,
    /// Annotations of the user.
    pub annotations: Map,
}

/// A mapping of a domain to a service.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainMapping {
    /// The project that owns it.
    pub project: Project,
    /// The region that it is in.
    pub region: Region,
    /// Its name, which is the domain.
    pub domain: DomainName,
    /// Made at creation.
    pub uid: Uuid,
    /// When it was created.
    pub created: Timestamp,
    /// The email of who created it.
    pub creator: String,
    /// What was asked for.
    pub spec: DomainMappingSpec,
}

/// How a mapping stands among all that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It leads the domain to its service, which has been there since the moment given.
    Mapped(Timestamp),
    /// It has the domain, and its service is not there.
    RouteMissing,
    /// Another mapping has had the domain since the moment given.
    Taken(Timestamp),
}

impl DomainMapping {
    /// The service that it leads to.
    pub fn service(&self) -> ServiceId {
        let (project, region) = (self.project.clone(), self.region.clone());
        ServiceId { project, region, name: self.spec.route.clone() }
    }

    /// The key under which it is stored.
    pub fn key(&self) -> Key {
        key(&self.project, &self.region, &self.domain)
    }

    /// How it stands, if `has_domain` has its domain and `service` is when the service that it leads to was
    /// created.
    pub fn standing(&self, has_domain: &Self, service: Option<Timestamp>) -> Standing {
        match service {
            _ if has_domain.uid != self.uid => Standing::Taken(has_domain.created),
            Some(created) => Standing::Mapped(created),
            None => Standing::RouteMissing,
        }
    }

    /// Its conditions. Neither certificates nor DNS are emulated: what leads to a service does so at once.
    pub fn conditions(&self, standing: Standing) -> Vec<Condition> {
        let (status, reason, message, since) = match standing {
            Standing::Mapped(service) => (Truth::True, None, None, service),
            Standing::RouteMissing => {
                let message = format!("Service '{}' does not exist.", self.spec.route);
                (Truth::False, Some("RouteMissing"), Some(message), self.created)
            }
            Standing::Taken(since) => {
                let message = format!("Domain '{}' is already mapped elsewhere.", self.domain.as_str());
                (Truth::False, Some("MappingAlreadyExists"), Some(message), since)
            }
        };
        let condition = |kind| Condition {
            kind,
            status,
            severity: Severity::Error,
            reason: reason.map(str::to_owned),
            message: message.clone(),
            changed: since.max(self.created),
        };
        let certificate = self.spec.certificate_mode == CertificateMode::Automatic;
        let kinds = [Some("Ready"), certificate.then_some("CertificateProvisioned"), Some("DomainRoutable")];
        kinds.into_iter().flatten().map(condition).collect()
    }
}

/// Which of the mappings of one domain has it: the latest that overrides, or else the first one.
pub fn holder<'m>(mappings: impl IntoIterator<Item = &'m DomainMapping>) -> Option<&'m DomainMapping> {
    // At the same microsecond the uid decides: some order, and always the same.
    let rank = |mapping: &&DomainMapping| match mapping.spec.force_override {
        true => (true, mapping.created.micros(), mapping.uid),
        false => (false, -mapping.created.micros(), mapping.uid),
    };
    mappings.into_iter().max_by_key(rank)
}

/// The key under which a mapping is stored.
pub fn key(project: &Project, region: &Region, domain: &DomainName) -> Key {
    Key {
        kind: Kind::DomainMapping,
        project: project.id.to_string(),
        location: region.to_string(),
        name: domain.0.clone(),
    }
}

impl Resource for DomainMapping {
    const KIND: Kind = Kind::DomainMapping;

    fn to_record(&self) -> Result<Record> {
        Ok(Record {
            key: self.key(),
            uid: self.uid,
            parent: None,
            generation: 1,
            version: self.created.micros(),
            created: self.created,
            updated: self.created,
            spec: write(&self.spec)?,
            // Derived, never stored.
            status: write(&Map::new())?,
            meta: write(&self.creator)?,
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        let key = record.key;
        Ok(Self {
            project: Project::parse(&key.project)?,
            region: Region::parse(&key.location)?,
            domain: DomainName::parse(&key.name, "metadata.name")?,
            uid: record.uid,
            created: record.created,
            creator: read(record.meta, &key)?,
            spec: read(record.spec, &key)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
