//! What is a service: what was asked for, and what became of it?

pub mod conditions;
pub mod container;
pub mod defaults;
pub mod documented;
mod field_checks;
pub mod fields;
pub mod form;
pub mod plan;
pub mod probe;
pub(crate) mod quantity;
pub mod reconcile;
pub mod retention;
pub mod routed;
pub mod schema;
pub mod traffic;
pub mod v1;
pub mod v1_render;
pub mod v2;
pub mod validate;
pub mod values;
pub mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::container::Container;
pub use self::fields::{ServiceSettings, TemplateSettings};
pub use self::traffic::{RoutedTarget, TrafficRevision, TrafficTarget};
pub use self::volume::Volume;
use crate::error::{Code, Error, Result};
use crate::instance::InstanceSpec;
use crate::kind::{Key, Kind, Record, Resource, read, write};
use crate::message::Kept;
pub use crate::name::ServiceId;
use crate::name::{Project, Region, RevisionName, ServiceName};
use crate::routing::{AccessFacts, RouteFacts};
use crate::time::Timestamp;
use crate::url::UrlConfig;

/// Labels and annotations.
pub type Map = BTreeMap<String, String>;

/// What a user asks of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// Labels of the user.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub labels: Map,
    /// Annotations that are no setting of the table.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map,
    /// The service-level settings.
    pub settings: ServiceSettings,
    /// What the next revision is made from.
    pub template: RevisionTemplate,
    /// Who gets which share of the requests.
    #[serde(default)]
    pub traffic: Vec<TrafficTarget>,
}

/// What revisions are made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisionTemplate {
    /// The name that the next revision shall have; unset lets the server choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels of the user, gcloud's nonce among them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub labels: Map,
    /// Annotations that are no setting of the table.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map,
    /// The template-level settings.
    pub settings: TemplateSettings,
    /// The containers; the one with a port takes the requests.
    #[serde(default)]
    pub containers: Vec<Container>,
    /// The volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Keys of the spec that are kept as they are.
    #[serde(default, skip_serializing_if = "Kept::is_empty")]
    pub other: Kept,
}

impl RevisionTemplate {
    /// The container that takes the requests: the one with a port, or the only one.
    pub fn ingress_container(&self) -> Option<&Container> {
        let with_port = self.containers.iter().find(|container| !container.ports.is_empty());
        with_port.or_else(|| self.containers.first())
    }

    /// The parts of the configuration in which two templates differ, as v1 spells their paths. The name
    /// and remarks on who wrote are not configuration.
    pub fn changes(&self, other: &Self) -> Vec<String> {
        let rows = self.settings.changes(&other.settings);
        let mut changes: Vec<String> = rows.iter().map(|row| row.path(crate::field::Api::V1)).collect();
        let parts = [
            ("spec.template.metadata.labels", self.labels == other.labels),
            ("spec.template.metadata.annotations", self.annotations == other.annotations),
            ("spec.template.spec.containers", self.containers == other.containers),
            ("spec.template.spec.volumes", self.volumes == other.volumes),
            ("spec.template.spec", self.other == other.other),
        ];
        changes.extend(parts.iter().filter(|(_, same)| !same).map(|(path, _)| (*path).to_owned()));
        changes
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Which service this is.
    pub id: ServiceId,
    /// Made at creation; a service of the same name made later has another.
    pub uid: Uuid,
    /// Counts the accepted changes of the specification, from 1.
    pub generation: i64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last written; what optimistic concurrency compares.
    pub updated: Timestamp,
    /// The email of who created it.
    pub creator: String,
    /// The email of who changed the specification last.
    pub last_modifier: String,
    /// The operation that changed the specification last.
    pub operation: Option<Uuid>,
    /// What was asked for.
    pub spec: ServiceSpec,
    /// What became of it.
    pub status: ServiceStatus,
}

/// Why a part of a service is not as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In upper camel case.
    pub reason: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// The facts that the status of a service is derived from. Only [`plan`] and [`reconcile`] write them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Counts the revisions ever cut.
    pub configuration_generation: u64,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: i64,
    /// The newest revision.
    #[serde(default)]
    pub latest_created: Option<RevisionName>,
    /// The newest revision that became ready.
    #[serde(default)]
    pub latest_ready: Option<RevisionName>,
    /// What is routed now.
    #[serde(default)]
    pub serving: Vec<RoutedTarget>,
    /// Why the newest revision is not ready.
    #[serde(default)]
    pub configuration_failure: Option<Failure>,
    /// Why traffic is not routed as asked.
    #[serde(default)]
    pub route_failure: Option<Failure>,
    /// When the observed generation was reached.
    #[serde(default)]
    pub settled: Timestamp,
}

impl Service {
    /// Whether the status speaks of the present generation.
    pub const fn is_settled(&self) -> bool {
        self.status.observed_generation == self.generation
    }

    /// The labels that a selector sees: the user's, and the one of the region.
    pub fn labels(&self) -> Map {
        v1_render::with_location(&self.id, self.spec.labels.clone())
    }

    /// Whether the revision may be deleted: not if it is the latest, not if requests can reach it.
    ///
    /// # Errors
    /// 400 FAILED_PRECONDITION in the words of the hosted service.
    pub fn check_deletable(&self, revision: &RevisionName) -> Result<()> {
        let message = if self.status.latest_created.as_ref() == Some(revision) {
            format!("The latest created Revision '{revision}' cannot be directly deleted.")
        } else if self.routes_to(revision) {
            format!("Revision \"{revision}\" cannot be directly deleted because it is actively serving.")
        } else {
            return Ok(());
        };
        Err(Error::new(Code::FailedPrecondition, message))
    }

    /// What the data plane must know of the service; `instance` tells what a revision runs.
    pub fn route_facts<'a>(
        &self,
        urls: UrlConfig,
        access: AccessFacts<'a>,
        instance: impl Fn(&RevisionName) -> Option<Arc<InstanceSpec>>,
    ) -> RouteFacts<'a> {
        routed::facts(&self.id, &self.spec.settings, &self.status.serving, urls, access, instance)
    }

    /// Whether requests are routed to the revision, by a share or by a tag.
    pub fn routes_to(&self, revision: &RevisionName) -> bool {
        let routed = |target: &RoutedTarget| target.percent.unwrap_or(0) > 0 || target.tag.is_some();
        self.status.serving.iter().any(|target| target.revision == *revision && routed(target))
    }
}

/// What a service keeps besides specification and status.
#[derive(Serialize, Deserialize)]
struct Meta {
    creator: String,
    last_modifier: String,
    #[serde(default)]
    operation: Option<Uuid>,
}

impl Resource for Service {
    const KIND: Kind = Kind::Service;

    fn to_record(&self) -> Result<Record> {
        Ok(Record {
            key: self.id.key(),
            uid: self.uid,
            parent: None,
            generation: self.generation,
            version: self.updated.micros(),
            created: self.created,
            updated: self.updated,
            spec: write(&self.spec)?,
            status: write(&self.status)?,
            meta: write(&Meta {
                creator: self.creator.clone(),
                last_modifier: self.last_modifier.clone(),
                operation: self.operation,
            })?,
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        let key = record.key;
        let meta: Meta = read(record.meta, &key)?;
        Ok(Self {
            id: ServiceId {
                project: Project::parse(&key.project)?,
                region: Region::parse(&key.location)?,
                name: ServiceName::parse(&key.name, "metadata.name")?,
            },
            uid: record.uid,
            generation: record.generation,
            created: record.created,
            updated: record.updated,
            creator: meta.creator,
            last_modifier: meta.last_modifier,
            operation: meta.operation,
            spec: read(record.spec, &key)?,
            status: read(record.status, &key)?,
        })
    }
}

impl ServiceId {
    /// The key under which the service is stored.
    pub fn key(&self) -> Key {
        Key {
            kind: Kind::Service,
            project: self.project.id.to_string(),
            location: self.region.to_string(),
            name: self.name.to_string(),
        }
    }

    /// The key under which a revision of the service is stored.
    pub fn revision_key(&self, revision: &RevisionName) -> Key {
        Key { kind: Kind::Revision, name: revision.to_string(), ..self.key() }
    }
}

#[cfg(test)]
mod tests;
