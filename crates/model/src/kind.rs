//! What does every stored resource have, whatever its kind?
//!
//! The store keeps [`Record`]s and knows nothing of services or revisions; a kind supplies the two
//! functions of [`Resource`]. A new field or a new kind needs no migration.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The kinds of resource that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A service.
    Service,
    /// A revision of a service; its parent is the service's name.
    Revision,
    /// A mapping of a domain to a service.
    DomainMapping,
    /// A long-running operation; while it is under way its parent is the service's name.
    Operation,
    /// A user-managed key of a service account; its parent is the account's address.
    ServiceAccountKey,
    /// A custom role of a project; its location is `global`.
    Role,
}

impl Kind {
    /// The word that stands in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Revision => "revision",
            Self::DomainMapping => "domain-mapping",
            Self::Operation => "operation",
            Self::ServiceAccountKey => "service-account-key",
            Self::Role => "role",
        }
    }
}

/// Which resource: unique in the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// The id of the project that owns it.
    pub project: String,
    /// The region that it is in.
    pub location: String,
    /// Its short name.
    pub name: String,
}

/// A resource as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which resource this is.
    pub key: Key,
    /// Made once, at creation; a resource of the same name made later has another.
    pub uid: Uuid,
    /// The short name of the resource that owns it, in the same project and location.
    pub parent: Option<String>,
    /// Counts the accepted changes of the specification, from 1.
    pub generation: i64,
    /// What optimistic concurrency compares: moves at every write, never back.
    pub version: i64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last written.
    pub updated: Timestamp,
    /// What was asked for.
    pub spec: Value,
    /// What became of it.
    pub status: Value,
    /// Everything else: creator, last modifier.
    pub meta: Value,
}

/// What a kind supplies in order to be stored.
pub trait Resource: Sized {
    /// Its kind.
    const KIND: Kind;

    /// The resource as it is stored.
    ///
    /// # Errors
    /// 500 if it cannot be written as JSON.
    fn to_record(&self) -> Result<Record>;

    /// The resource that `record` holds.
    ///
    /// # Errors
    /// 500 if the record was not written by [`Resource::to_record`].
    fn from_record(record: Record) -> Result<Self>;
}

/// One change of the database. All writes of a plan are committed together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A resource that must not be there yet: otherwise 409 ALREADY_EXISTS.
    Insert(Record),
    /// A resource that must be there at version `expected`: otherwise 409 ABORTED.
    Update {
        /// The new state.
        record: Record,
        /// The version that the writer read.
        expected: i64,
    },
    /// What became of a resource that must be there at version `expected`, which stays: a client that has
    /// just written may write again with the version that it was told.
    Status {
        /// Which resource.
        key: Key,
        /// The uid that the writer read.
        uid: Uuid,
        /// The version that the writer read.
        expected: i64,
        /// The new status.
        status: Value,
    },
    /// Removes a resource that must be there at version `expected`, if one is given.
    Delete {
        /// Which resource.
        key: Key,
        /// The version that the writer read.
        expected: Option<i64>,
    },
    /// Removes what nobody owns of a kind in one region, but for the newest `keep`.
    Prune {
        /// The kind.
        kind: Kind,
        /// The id of the project.
        project: String,
        /// The region.
        location: String,
        /// How many stay.
        keep: u32,
    },
    /// Replaces the IAM policy of `resource`, whose etag must be `expected`.
    SetPolicy {
        /// The full resource name.
        resource: String,
        /// The policy's JSON; `None` removes it.
        policy: Option<Value>,
        /// The etag that the writer read; `None` where there was no policy yet.
        expected: Option<Vec<u8>>,
        /// The etag of the new policy.
        etag: Vec<u8>,
    },
}

/// Reads one JSON part of a record.
pub(crate) fn read<T: serde::de::DeserializeOwned>(part: Value, key: &Key) -> Result<T> {
    serde_path_to_error::deserialize(part).map_err(|problem| {
        Error::internal(format!("the stored {} '{}' cannot be read: {problem}", key.kind.as_str(), key.name))
    })
}

/// Reads one JSON part of the record of this kind and name, as it is stored: several times as fast as by way
/// of a [`Record`].
pub(crate) fn read_text<T: serde::de::DeserializeOwned>(text: &str, kind: Kind, name: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|problem| {
        // Once more, to tell where.
        let mut reader = serde_json::Deserializer::from_str(text);
        let problem = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(at) => at.to_string(),
            Ok(_) => problem.to_string(),
        };
        Error::internal(format!("the stored {} '{name}' cannot be read: {problem}", kind.as_str()))
    })
}

/// Writes one JSON part of a record.
pub(crate) fn write<T: Serialize>(part: &T) -> Result<Value> {
    serde_json::to_value(part).map_err(Error::internal)
}
