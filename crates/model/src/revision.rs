//! What is a revision: an immutable template, and how far it came?

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Result;
use crate::instance::{InstanceSpec, Protocol};
use crate::kind::{Kind, Record, Resource, read, read_text, write};
use crate::name::{Project, Region, RevisionName, ServiceName};
use crate::rule::Rules;
use crate::service::defaults::DEFAULT_PORT;
use crate::service::{Container, Failure, Map, RevisionTemplate, ServiceId};
use crate::time::Timestamp;

/// A revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The service that owns it.
    pub service: ServiceId,
    /// Its name.
    pub name: RevisionName,
    /// Made at creation.
    pub uid: Uuid,
    /// The uid of the service that owns it.
    pub service_uid: Uuid,
    /// When it was cut.
    pub created: Timestamp,
    /// When its phase changed last.
    pub updated: Timestamp,
    /// The number of the configuration that it was cut from.
    pub configuration_generation: u64,
    /// The email of who caused it.
    pub creator: String,
    /// The template as the user gave it, with defaults filled in.
    pub template: RevisionTemplate,
    /// Annotations of service-level settings that were in force when it was cut.
    pub inherited: Map,
    /// The settings whose change cut it, by their paths in v1; empty for a first revision.
    pub causes: Vec<String>,
    /// How far it came.
    pub phase: RevisionPhase,
}

/// How far a revision came. Only [`RevisionPhase::next`] moves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
pub enum RevisionPhase {
    /// Its first instance is on the way up.
    Pending,
    /// It takes requests.
    Ready,
    /// It did not come up.
    Failed(Failure),
}

/// What happens to a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionEvent {
    /// Its first instance is up.
    Started,
    /// Its first instance did not come up.
    StartFailed(Failure),
}

impl RevisionPhase {
    /// The phase after `event`. A revision that is ready or has failed stays so.
    #[must_use]
    pub fn next(self, event: RevisionEvent) -> Self {
        match (self, event) {
            (Self::Pending, RevisionEvent::Started) => Self::Ready,
            (Self::Pending, RevisionEvent::StartFailed(failure)) => Self::Failed(failure),
            (settled @ (Self::Ready | Self::Failed(_)), _) => settled,
        }
    }
}

impl Revision {
    /// The containers as the revision runs them: images by digest, and each with a name.
    pub fn resolved_containers(&self) -> Vec<Container> {
        let resolve = |(index, container): (usize, &Container)| {
            let image = container.image.as_deref().unwrap_or_default();
            let name = container.name.clone().unwrap_or_else(|| default_container_name(image, index + 1));
            Container { image: Some(resolve_digest(image)), name: Some(name), ..container.clone() }
        };
        self.template.containers.iter().enumerate().map(resolve).collect()
    }

    /// The image of the container that takes the requests, by digest.
    pub fn image_digest(&self) -> String {
        image_digest(&self.template)
    }

    /// What a backend must be told in order to run the revision; `rules` say what its image stands for here.
    pub fn instance_spec(&self, rules: &Rules) -> InstanceSpec {
        instance_spec(self.service.clone(), self.name.clone(), &self.template, rules)
    }
}

fn instance_spec(
    service: ServiceId,
    revision: RevisionName,
    template: &RevisionTemplate,
    rules: &Rules,
) -> InstanceSpec {
    let container = template.ingress_container();
    let image = container.and_then(|container| container.image.as_deref()).unwrap_or_default();
    let port = container.and_then(|container| container.ports.first());
    let env = container.map(|container| container.env.as_slice()).unwrap_or_default();
    let settings = &template.settings;
    let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let plain = env.iter().filter(|variable| variable.value_from.is_none());
    let mut env: Vec<(String, String)> = plain
        .filter_map(|variable| Some((variable.name.clone()?, variable.value.clone().unwrap_or_default())))
        .collect();
    // There is one for every service: nothing is added to it any more.
    env.shrink_to_fit();
    InstanceSpec {
        service,
        revision,
        image: image_digest(template),
        runs: rules.claim(image),
        service_account: settings.service_account.clone().unwrap_or_default(),
        env,
        port: u16::try_from(port.and_then(|port| port.container_port).unwrap_or(DEFAULT_PORT)).unwrap_or(0),
        protocol: Protocol::of_port(port.and_then(|port| port.name.as_deref())),
        concurrency: number(settings.max_instance_request_concurrency),
        timeout_seconds: number(settings.timeout),
        session_affinity: settings.session_affinity.unwrap_or_default(),
    }
}

/// What a backend must be told in order to run the revision `name` of `service`, from the `spec` that is
/// stored of it: a start reads one for each service, and nothing else of them. `rules` as there.
///
/// # Errors
/// 500 that names the revision if it was not written by [`Revision::to_record`].
pub fn stored_instance_spec(
    service: &ServiceId,
    name: &str,
    spec: &str,
    rules: &Rules,
) -> Result<InstanceSpec> {
    #[derive(Deserialize)]
    struct Stored {
        template: RevisionTemplate,
    }
    let stored: Stored = read_text(spec, Kind::Revision, name)?;
    let name = RevisionName::parse(name, &service.name, "metadata.name")?;
    Ok(instance_spec(service.clone(), name, &stored.template, rules))
}

/// The image of the container that takes the requests, by digest.
fn image_digest(template: &RevisionTemplate) -> String {
    let container = template.ingress_container();
    resolve_digest(container.and_then(|container| container.image.as_deref()).unwrap_or_default())
}

/// The image by digest. There is no registry to ask, so the digest follows from the reference itself:
/// the same reference always has the same one, and a reference that has one keeps it.
pub fn resolve_digest(image: &str) -> String {
    if image.contains("@sha256:") {
        return image.to_owned();
    }
    let after_host = image.rfind('/').map_or(0, |slash| slash + 1);
    let tag = image[after_host..].find(':').map_or(image.len(), |colon| after_host + colon);
    let digest = Sha256::digest(image.as_bytes());
    let digit = |bits: u8| char::from(b"0123456789abcdef"[usize::from(bits)]);
    let hex = digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let mut resolved = String::with_capacity(tag + "@sha256:".len() + 2 * digest.len());
    resolved.push_str(&image[..tag]);
    resolved.push_str("@sha256:");
    resolved.extend(hex);
    resolved
}

/// The name that a revision gives to a container without one: the last part of the image's path and the
/// number of the container.
fn default_container_name(image: &str, number: usize) -> String {
    let path = image.split('@').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    format!("{}-{number}", last.split(':').next().unwrap_or_default())
}

#[derive(Serialize, Deserialize)]
struct Spec {
    template: RevisionTemplate,
    #[serde(default)]
    inherited: Map,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    service_uid: Uuid,
    creator: String,
    #[serde(default)]
    causes: Vec<String>,
}

impl Resource for Revision {
    const KIND: Kind = Kind::Revision;

    fn to_record(&self) -> Result<Record> {
        let spec = Spec { template: self.template.clone(), inherited: self.inherited.clone() };
        let meta = Meta {
            service_uid: self.service_uid,
            creator: self.creator.clone(),
            causes: self.causes.clone(),
        };
        Ok(Record {
            key: self.service.revision_key(&self.name),
            uid: self.uid,
            parent: Some(self.service.name.to_string()),
            generation: i64::try_from(self.configuration_generation).unwrap_or(i64::MAX),
            version: self.updated.micros(),
            created: self.created,
            updated: self.updated,
            spec: write(&spec)?,
            status: write(&self.phase)?,
            meta: write(&meta)?,
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        let key = record.key;
        let spec: Spec = read(record.spec, &key)?;
        let meta: Meta = read(record.meta, &key)?;
        let service = ServiceName::parse(record.parent.as_deref().unwrap_or_default(), "metadata.name")?;
        Ok(Self {
            name: RevisionName::parse(&key.name, &service, "metadata.name")?,
            service: ServiceId {
                project: Project::parse(&key.project)?,
                region: Region::parse(&key.location)?,
                name: service,
            },
            uid: record.uid,
            service_uid: meta.service_uid,
            created: record.created,
            updated: record.updated,
            configuration_generation: u64::try_from(record.generation).unwrap_or(0),
            creator: meta.creator,
            template: spec.template,
            inherited: spec.inherited,
            causes: meta.causes,
            phase: read(record.status, &key)?,
        })
    }
}
