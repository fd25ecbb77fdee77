//! How does a service arrive through v1 (Knative JSON)?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use super::{Map, RevisionTemplate, ServiceSettings, ServiceSpec, TemplateSettings};
use super::{TrafficRevision, TrafficTarget};
use crate::error::{Error, Result, Violations};
use crate::field::V1Parts;
use crate::message::{Kept, from_json, message, message_field};
use crate::time::Timestamp;

/// Annotations that only the server writes: clients send back what they read, and it is left out.
pub(crate) const SERVER_ANNOTATIONS: &[&str] = &[
    "run.googleapis.com/creatorEmail",
    "run.googleapis.com/ingress-status",
    "run.googleapis.com/lastModifierEmail",
    "run.googleapis.com/operation-id",
    "run.googleapis.com/urls",
    "serving.knative.dev/creator",
    "serving.knative.dev/lastModifier",
];

/// Labels that only the server writes. gcloud's `--update-labels` copies them onto the template.
pub(crate) const SERVER_LABELS: &[&str] =
    &["cloud.googleapis.com/location", "run.googleapis.com/startupProbeType"];

/// Keys of a revision's spec that have no effect in Cloud Run and are kept as they are.
pub(super) const KEPT_SPEC: &[&str] =
    &["enableServiceLinks", "imagePullSecrets", "nodeSelector", "sandboxes"];

/// What a v1 Service says, read and not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceBody {
    /// The name, if one is given.
    pub name: Option<String>,
    /// The beginning of a name that the server completes.
    pub generate_name: Option<String>,
    /// The id or number of the project, if one is given.
    pub namespace: Option<String>,
    /// The version that the writer read; `None` writes whatever the version is.
    pub version: Option<i64>,
    /// What is asked for.
    pub spec: ServiceSpec,
}

message! {
    /// The outer object.
    pub struct ServiceMessage {
        /// `serving.knative.dev/v1`.
        api_version: Option<String>,
        /// `Service`.
        kind: Option<String>,
        /// Names, labels, annotations.
        metadata: Option<ObjectMeta>,
        /// What is asked for.
        spec: Option<SpecMessage>,
        /// Written by the server; clients send back what they read.
        status: Option<Kept>,
    }
}

message! {
    /// Names, labels and annotations; what the server writes is read and left out.
    pub struct ObjectMeta {
        /// The name.
        name: Option<String>,
        /// The beginning of a name that the server completes.
        generate_name: Option<String>,
        /// The project.
        namespace: Option<String>,
        /// The version that the writer read.
        resource_version: Option<String>,
        /// Labels.
        labels: Map,
        /// Annotations.
        annotations: Map,
        /// Written by the server.
        uid: Option<String>,
        /// Written by the server.
        generation: Option<i32>,
        /// Written by the server.
        self_link: Option<String>,
        /// Written by the server.
        creation_timestamp: Option<String>,
        /// Written by the server.
        deletion_timestamp: Option<String>,
        /// Not supported by Cloud Run.
        deletion_grace_period_seconds: Option<i32>,
        /// Not supported by Cloud Run.
        cluster_name: Option<String>,
        /// Not supported by Cloud Run.
        finalizers: Vec<String>,
        /// Written by the server.
        owner_references: Vec<Kept>,
    }
}

message! {
    /// `spec` of a service.
    pub struct SpecMessage {
        /// What the next revision is made from.
        template: Option<TemplateMessage>,
        /// Who gets which share.
        traffic: Vec<TrafficMessage>,
    }
}

message! {
    /// `spec.template`.
    pub struct TemplateMessage {
        /// Name, labels, annotations.
        metadata: Option<ObjectMeta>,
        /// Containers, volumes and the settings that the table keeps in the spec.
        spec: Option<Kept>,
    }
}

message! {
    /// An entry of `spec.traffic`.
    pub struct TrafficMessage {
        /// Must be empty.
        configuration_name: Option<String>,
        /// The revision, unless the target follows the latest one.
        revision_name: Option<String>,
        /// Whether the target follows the latest ready revision.
        latest_revision: Option<bool>,
        /// The share.
        percent: Option<i32>,
        /// The tag.
        tag: Option<String>,
        /// Written by the server.
        url: Option<String>,
    }
}

message_field!(ObjectMeta, SpecMessage, TemplateMessage);

/// Reads a v1 Service. Everything that is wrong with its fields is reported at once.
///
/// # Errors
/// 400 naming the fields that are unknown, of the wrong type or unreadable.
pub fn parse(body: Value) -> Result<ServiceBody> {
    let message: ServiceMessage = from_json(body, "")?;
    let mut violations = Violations::default();
    expect("apiVersion", message.api_version.as_deref(), "serving.knative.dev/v1", &mut violations);
    expect("kind", message.kind.as_deref(), "Service", &mut violations);
    let metadata = message.metadata.unwrap_or_default();
    let spec = message.spec.unwrap_or_default();
    let version = read_version(metadata.resource_version.as_deref(), &mut violations);
    let mut parts =
        V1Parts { annotations: own(metadata.annotations, SERVER_ANNOTATIONS), ..V1Parts::default() };
    let settings = ServiceSettings::take_v1(&mut parts, &mut violations);
    let traffic = read_traffic(spec.traffic, &mut violations);
    let template = read_template(spec.template.unwrap_or_default(), &mut violations)?;
    violations.into_result()?;
    Ok(ServiceBody {
        name: metadata.name,
        generate_name: metadata.generate_name,
        namespace: metadata.namespace,
        version,
        spec: ServiceSpec {
            labels: own(metadata.labels, SERVER_LABELS),
            annotations: parts.annotations,
            settings,
            template,
            traffic,
        },
    })
}

fn read_template(message: TemplateMessage, violations: &mut Violations) -> Result<RevisionTemplate> {
    let metadata = message.metadata.unwrap_or_default();
    let annotations = own(metadata.annotations, SERVER_ANNOTATIONS);
    let mut parts = V1Parts { annotations, spec: message.spec.unwrap_or_default() };
    let settings = TemplateSettings::take_v1(&mut parts, violations);
    let mut part = |name: &str| parts.spec.remove(name).unwrap_or(Value::Null);
    let containers: Option<_> = from_json(part("containers"), "spec.template.spec.containers")?;
    let volumes: Option<_> = from_json(part("volumes"), "spec.template.spec.volumes")?;
    let mut other = parts.spec;
    if let Some(name) = other.keys().find(|name| !KEPT_SPEC.contains(&name.as_str())) {
        return Err(Error::unknown_field("spec.template.spec", name));
    }
    let selector: Option<Map> =
        from_json(other.remove("nodeSelector").unwrap_or_default(), "spec.template.spec.nodeSelector")?;
    other.extend(selector.map(|selector| ("nodeSelector".to_owned(), selector.into_iter().collect())));
    other.retain(|_, value| !is_empty(value));
    Ok(RevisionTemplate {
        name: metadata.name,
        labels: own(metadata.labels, SERVER_LABELS),
        annotations: parts.annotations,
        settings,
        containers: containers.unwrap_or_default(),
        volumes: volumes.unwrap_or_default(),
        other,
    })
}

fn read_traffic(traffic: Vec<TrafficMessage>, violations: &mut Violations) -> Vec<TrafficTarget> {
    let mut read = |(index, target): (usize, TrafficMessage)| {
        let at = format!("spec.traffic[{index}]");
        violations.check(
            target.configuration_name.is_none(),
            format!("{at}.configurationName"),
            "must be empty",
        );
        let latest = target.latest_revision.unwrap_or(false);
        let revision = match (latest, target.revision_name) {
            (true, None) => TrafficRevision::Latest,
            (false, Some(name)) => TrafficRevision::Named(name),
            (true, Some(_)) | (false, None) => {
                violations.add(
                    format!("{at}.revisionName"),
                    "must be specified if and only if traffic type is REVISION, that is if latestRevision is not true",
                );
                TrafficRevision::Latest
            }
        };
        TrafficTarget { revision, percent: target.percent, tag: target.tag }
    };
    traffic.into_iter().enumerate().map(&mut read).collect()
}

/// Notes `field` unless it is absent or what it can only be.
pub(crate) fn expect(field: &str, given: Option<&str>, wanted: &str, violations: &mut Violations) {
    violations.check(given.is_none_or(|given| given == wanted), field, format!("must be {wanted}"));
}

/// Leaves out the keys that only the server writes.
pub(crate) fn own(mut map: Map, servers: &[&str]) -> Map {
    map.retain(|key, _| !servers.contains(&key.as_str()));
    map
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The `resourceVersion` of v1: the unpadded base64 of the 8-byte big-endian microseconds of the last
/// write, as the hosted service was seen to make it.
pub fn resource_version(updated: Timestamp) -> String {
    STANDARD_NO_PAD.encode(updated.micros().to_be_bytes())
}

fn read_version(text: Option<&str>, violations: &mut Violations) -> Option<i64> {
    let text = text?;
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let version = bytes.and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes);
    violations.check(
        version.is_some(),
        "metadata.resourceVersion",
        format!("'{text}' is not a resource version of this service."),
    );
    version
}
