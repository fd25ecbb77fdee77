//! How are projects, regions, services and revisions called?
//!
//! A value of these types is well formed: it is parsed once, at the edge.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Hosted Cloud Run's words for a name that breaks the rule, which clients show to their users.
const CHARSET: &str = "only lowercase, digits, and hyphens; must begin with letter, and may not end with \
                       hyphen; must be less than 64 characters.";

/// The characters of generated suffixes, as Kubernetes draws them: no vowels, and no digits that look like
/// letters.
pub const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "shared")] Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_name!(
    /// The id of a project, such as `demo-project` or `example.com:demo`.
    ProjectId
);
text_name!(
    /// A region, such as `us-central1`. Any well-formed name is a region.
    Region
);
text_name!(
    /// The name of a service: letters, digits and hyphens, at most 49 characters.
    ServiceName
);
text_name!(
    /// The name of a revision: letters, digits and hyphens, at most 63 characters.
    RevisionName
);

/// A name as JSON: text. It is shared, because every route, revision and log entry names its service.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

/// The number of a project, which the API shows as the namespace of v1 objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectNumber(u64);

impl ProjectNumber {
    /// Reads a number of a project; `None` if `text` is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok().map(Self)).flatten()
    }
}

impl fmt::Display for ProjectNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A project: its id and its number are one project everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Project {
    /// The id that its owner chose.
    pub id: ProjectId,
    /// The number that follows from the id.
    pub number: ProjectNumber,
}

impl Project {
    /// The project with this id. Its number has 12 digits and is a stable function of the id, so that
    /// exports and audiences survive a new data directory.
    ///
    /// # Errors
    /// 400 if `id` is not the id of a project.
    pub fn parse(id: &str) -> Result<Self> {
        let name = id.rsplit(':').next().unwrap_or_default();
        let domain_is_good =
            id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b));
        if !(is_dns_label(name) && domain_is_good && id.len() <= 94) {
            return Err(Error::field(
                "project",
                format!(
                    "'{id}' is not a project id: use 1 to 63 lowercase letters, digits and hyphens, beginning \
                     with a letter, or the number of a project that is known here."
                ),
            ));
        }
        let number = 100_000_000_000 + stable_hash("project-number", id) % 900_000_000_000;
        Ok(Self { id: ProjectId(id.into()), number: ProjectNumber(number) })
    }
}

/// `id`, for messages and resource names.
impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl Region {
    /// Reads a region.
    ///
    /// # Errors
    /// 400 if it is not a DNS label with a hyphen and a final digit, as every region of Google Cloud is.
    pub fn parse(text: &str) -> Result<Self> {
        let last_is_digit = text.bytes().last().is_some_and(|b| b.is_ascii_digit());
        if is_dns_label(text) && text.contains('-') && last_is_digit {
            Ok(Self(text.into()))
        } else {
            Err(Error::field("location", format!("'{text}' is not a region, such as us-central1.")))
        }
    }
}

impl ServiceName {
    /// Reads the name of a service; `field` names it in the caller's API.
    ///
    /// # Errors
    /// 400 if it is not a DNS label of at most 49 characters.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        if is_dns_label(text) && text.len() < 50 {
            Ok(Self(text.into()))
        } else {
            Err(Error::field(field, CHARSET.replace("64", "50")))
        }
    }
}

impl RevisionName {
    /// Reads the name of a revision of `service`; `field` names it in the caller's API.
    ///
    /// # Errors
    /// 400 if it is not a DNS label of at most 63 characters that begins with `<service>-`.
    pub fn parse(text: &str, service: &ServiceName, field: &str) -> Result<Self> {
        if !text.strip_prefix(service.as_str()).is_some_and(|rest| rest.len() > 1 && rest.starts_with('-')) {
            return Err(Error::field(
                field,
                "The revision name must be prefixed by the name of the enclosing Service with a trailing -",
            ));
        }
        if !is_dns_label(text) {
            return Err(Error::field(field, CHARSET));
        }
        Ok(Self(text.into()))
    }

    /// The name that the server gives: `<service>-<generation of the configuration>-<suffix>`.
    pub fn generated(service: &ServiceName, configuration_generation: u64, suffix: &str) -> Self {
        let tail = format!("-{configuration_generation:05}-{suffix}");
        let keep = 63_usize.saturating_sub(tail.len()).min(service.0.len());
        Self(format!("{}{tail}", &service.0[..keep]).into())
    }

    /// The name in a URL or a filter, where any text may stand: what is not well formed names nothing.
    pub fn lookup(text: &str) -> Option<Self> {
        is_dns_label(text).then(|| Self(text.into()))
    }
}

/// The full identity of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceId {
    /// The project that owns it.
    pub project: Project,
    /// Where it runs.
    pub region: Region,
    /// Its name, unique in the project and region.
    pub name: ServiceName,
}

/// The full resource name: `projects/p/locations/l/services/s`.
impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/locations/{}/services/{}", self.project.id, self.region, self.name)
    }
}

/// Whether `text` is an RFC 1035 label: `[a-z]([a-z0-9-]*[a-z0-9])?`, at most 63 characters.
pub fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let good = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last() != Some(&b'-')
        && bytes.iter().all(good)
}

/// A number that follows from `text` alone, the same on every machine and in every version. `domain`
/// keeps the numbers of different things apart.
pub(crate) fn stable_hash(domain: &str, text: &str) -> u64 {
    let digest = Sha256::new().chain_update(domain).chain_update([0]).chain_update(text).finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Whether `text` is an RFC 1123 label: as RFC 1035, and it may begin with a digit.
pub fn is_rfc1123_label(text: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|b| ends(Some(b)) || *b == b'-')
}

#[cfg(test)]
mod tests;
