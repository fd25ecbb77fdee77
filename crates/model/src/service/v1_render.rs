//! How does a service answer through v1: itself, its configuration and its route?

use serde_json::{Map as JsonMap, Value, json};
use uuid::Uuid;

use super::conditions::{self, Condition, Severity, Truth};
use super::defaults::has_default_startup_probe;
use super::{Map, RevisionTemplate, RoutedTarget, Service, ServiceId, TrafficRevision, v1};
use crate::error::Result;
use crate::field::V1Parts;
use crate::kind::write;
use crate::message::Kept;
use crate::url::{ServiceHosts, UrlConfig};

/// The label that every object carries: gcloud reads the region from it.
const LOCATION_LABEL: &str = "cloud.googleapis.com/location";

/// The service as v1 shows it.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn service(service: &Service, urls: &UrlConfig) -> Result<Value> {
    let hosts = ServiceHosts::new(&service.id);
    let disabled = service.spec.settings.default_uri_disabled == Some(true);
    let mut metadata = metadata(&service.id, "services", service.id.name.as_str(), service.created);
    let labels = with_location(&service.id, service.spec.labels.clone());
    metadata.insert("labels".to_owned(), write(&labels)?);
    metadata.insert("annotations".to_owned(), write(&annotations(service, &hosts, urls, disabled))?);
    metadata.insert("uid".to_owned(), json!(service.uid));
    metadata.insert("generation".to_owned(), json!(service.generation));
    metadata.insert("resourceVersion".to_owned(), json!(v1::resource_version(service.updated)));
    let spec = json!({ "template": template(&service.spec.template)?, "traffic": traffic(service) });
    let status = status(service, &hosts, urls, disabled);
    Ok(object("Service", metadata, spec, status))
}

/// The configuration of the service, which owns its revisions.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn configuration(service: &Service) -> Result<Value> {
    let metadata = child_metadata(service, "configurations", configuration_uid(service.uid))?;
    let spec = json!({ "template": template(&service.spec.template)? });
    let mut status = observed(service, &[with_kind(conditions::configurations_ready(service))]);
    names(service, &mut status);
    Ok(object("Configuration", metadata, spec, status))
}

/// The route of the service, which sends requests to its revisions.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn route(service: &Service, urls: &UrlConfig) -> Result<Value> {
    let hosts = ServiceHosts::new(&service.id);
    let disabled = service.spec.settings.default_uri_disabled == Some(true);
    let metadata = child_metadata(service, "routes", Uuid::from_u128(service.uid.as_u128() ^ 2))?;
    let spec = json!({ "traffic": traffic(service) });
    let mut status = observed(service, &[with_kind(conditions::routes_ready(service))]);
    addresses(service, &hosts, urls, disabled, &mut status);
    Ok(object("Route", metadata, spec, status))
}

/// The specification of a template, as the service and its configuration show it.
fn template(template: &RevisionTemplate) -> Result<Value> {
    let mut parts = V1Parts { annotations: template.annotations.clone(), ..V1Parts::default() };
    let spec = template_parts(template, &mut parts)?;
    let mut metadata = JsonMap::new();
    if let Some(name) = &template.name {
        metadata.insert("name".to_owned(), json!(name));
    }
    metadata.insert("labels".to_owned(), write(&template_labels(template))?);
    metadata.insert("annotations".to_owned(), write(&parts.annotations)?);
    Ok(json!({ "metadata": metadata, "spec": spec }))
}

/// The spec of a template; the annotations of its settings go into `parts`.
pub(crate) fn template_parts(template: &RevisionTemplate, parts: &mut V1Parts) -> Result<Kept> {
    parts.spec = template.other.clone();
    template.settings.put_v1(parts);
    let mut spec = std::mem::take(&mut parts.spec);
    spec.insert("containers".to_owned(), write(&template.containers)?);
    if !template.volumes.is_empty() {
        spec.insert("volumes".to_owned(), write(&template.volumes)?);
    }
    Ok(spec)
}

/// The labels of a template with the one that the server adds.
pub(crate) fn template_labels(template: &RevisionTemplate) -> Map {
    let mut labels = template.labels.clone();
    let kind = if has_default_startup_probe(template) { "Default" } else { "Custom" };
    labels.insert("run.googleapis.com/startupProbeType".to_owned(), kind.to_owned());
    labels
}

/// Adds the label of the region.
pub(crate) fn with_location(id: &ServiceId, mut labels: Map) -> Map {
    labels.insert(LOCATION_LABEL.to_owned(), id.region.to_string());
    labels
}

/// The metadata that every v1 object has.
pub(crate) fn metadata(id: &ServiceId, plural: &str, name: &str, created: crate::Timestamp) -> Kept {
    let number = id.project.number.to_string();
    let link = format!("/apis/serving.knative.dev/v1/namespaces/{number}/{plural}/{name}");
    let mut metadata = JsonMap::new();
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(number));
    metadata.insert("selfLink".to_owned(), json!(link));
    metadata.insert("creationTimestamp".to_owned(), json!(created.to_string()));
    metadata
}

/// A v1 object of the serving API.
pub(crate) fn object(kind: &str, metadata: Kept, spec: impl Into<Value>, status: impl Into<Value>) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec.into(),
        "status": status.into(),
    })
}

/// A condition as v1 spells it.
pub(crate) fn condition(condition: &Condition) -> Value {
    let mut json = JsonMap::new();
    json.insert("type".to_owned(), json!(condition.kind));
    let status = match condition.status {
        Truth::True => "True",
        Truth::False => "False",
        Truth::Unknown => "Unknown",
    };
    json.insert("status".to_owned(), json!(status));
    json.insert("lastTransitionTime".to_owned(), json!(condition.changed.to_string()));
    if condition.severity == Severity::Info {
        json.insert("severity".to_owned(), json!("Info"));
    }
    for (key, text) in [("reason", &condition.reason), ("message", &condition.message)] {
        if let Some(text) = text {
            json.insert(key.to_owned(), json!(text));
        }
    }
    Value::Object(json)
}

fn annotations(service: &Service, hosts: &ServiceHosts, urls: &UrlConfig, disabled: bool) -> Map {
    let mut parts = V1Parts { annotations: service.spec.annotations.clone(), ..V1Parts::default() };
    service.spec.settings.put_v1(&mut parts);
    let mut annotations = parts.annotations;
    let mut set = |key: &str, value: String| annotations.insert(key.to_owned(), value);
    set("serving.knative.dev/creator", service.creator.clone());
    set("serving.knative.dev/lastModifier", service.last_modifier.clone());
    if let Some(operation) = service.operation {
        // gcloud waits for this operation instead of asking again and again.
        set("run.googleapis.com/operation-id", operation.to_string());
    }
    if let Some(ingress) = service.spec.settings.ingress {
        set("run.googleapis.com/ingress-status", crate::field::Setting::to_text(&ingress));
    }
    if !disabled {
        let mut all = urls.urls(hosts).all;
        if service.is_settled() && service.status.serving.is_empty() {
            // A first deployment that failed: as in `status.url`, the hash form is not there yet.
            all.truncate(1);
        }
        set("run.googleapis.com/urls", json!(all).to_string());
    }
    annotations
}

fn status(service: &Service, hosts: &ServiceHosts, urls: &UrlConfig, disabled: bool) -> Kept {
    let mut status = observed(service, &conditions::of_service(service));
    names(service, &mut status);
    addresses(service, hosts, urls, disabled, &mut status);
    status
}

fn observed(service: &Service, conditions: &[Condition]) -> Kept {
    let mut status = JsonMap::new();
    status.insert("observedGeneration".to_owned(), json!(service.status.observed_generation));
    let conditions: Vec<Value> = conditions.iter().map(condition).collect();
    status.insert("conditions".to_owned(), json!(conditions));
    status
}

fn names(service: &Service, status: &mut Kept) {
    let names = [
        ("latestCreatedRevisionName", &service.status.latest_created),
        ("latestReadyRevisionName", &service.status.latest_ready),
    ];
    for (key, name) in names {
        if let Some(name) = name {
            status.insert(key.to_owned(), json!(name));
        }
    }
}

/// What is routed, and where. A service that never became ready has no address yet.
fn addresses(service: &Service, hosts: &ServiceHosts, urls: &UrlConfig, disabled: bool, status: &mut Kept) {
    let serving = &service.status.serving;
    if serving.is_empty() {
        return;
    }
    let targets: Vec<Value> = serving.iter().map(|target| routed(target, hosts, urls, disabled)).collect();
    status.insert("traffic".to_owned(), json!(targets));
    if !disabled {
        let url = urls.urls(hosts).status_url;
        status.insert("address".to_owned(), json!({ "url": url }));
        status.insert("url".to_owned(), json!(url));
    }
}

fn routed(target: &RoutedTarget, hosts: &ServiceHosts, urls: &UrlConfig, disabled: bool) -> Value {
    let mut json = JsonMap::new();
    json.insert("revisionName".to_owned(), json!(target.revision));
    if target.latest {
        json.insert("latestRevision".to_owned(), json!(true));
    }
    if let Some(percent) = target.percent {
        json.insert("percent".to_owned(), json!(percent));
    }
    if let Some(tag) = &target.tag {
        json.insert("tag".to_owned(), json!(tag));
        if !disabled {
            json.insert("url".to_owned(), json!(urls.tag_url(hosts, tag)));
        }
    }
    Value::Object(json)
}

fn traffic(service: &Service) -> Vec<Value> {
    let target = |target: &super::TrafficTarget| {
        let mut json = JsonMap::new();
        match &target.revision {
            TrafficRevision::Latest => json.insert("latestRevision".to_owned(), json!(true)),
            TrafficRevision::Named(name) => json.insert("revisionName".to_owned(), json!(name)),
        };
        if let Some(percent) = target.percent {
            json.insert("percent".to_owned(), json!(percent));
        }
        if let Some(tag) = &target.tag {
            json.insert("tag".to_owned(), json!(tag));
        }
        Value::Object(json)
    };
    service.spec.traffic.iter().map(target).collect()
}

/// The uid of a service's configuration, which is one with the service here but has an identity of its
/// own in the API: its revisions name it as their owner.
pub(crate) fn configuration_uid(service: Uuid) -> Uuid {
    Uuid::from_u128(service.as_u128() ^ 1)
}

/// The metadata of the configuration or the route, which bear the service's name.
fn child_metadata(service: &Service, plural: &str, uid: Uuid) -> Result<Kept> {
    let mut metadata = metadata(&service.id, plural, service.id.name.as_str(), service.created);
    let mut labels = with_location(&service.id, Map::new());
    labels.insert("serving.knative.dev/service".to_owned(), service.id.name.to_string());
    metadata.insert("labels".to_owned(), write(&labels)?);
    let annotations = json!({
        "serving.knative.dev/creator": service.creator,
        "serving.knative.dev/lastModifier": service.last_modifier,
    });
    metadata.insert("annotations".to_owned(), annotations);
    metadata.insert("uid".to_owned(), json!(uid));
    metadata.insert("generation".to_owned(), json!(service.generation));
    metadata.insert("resourceVersion".to_owned(), json!(v1::resource_version(service.updated)));
    Ok(metadata)
}

fn with_kind(condition: Condition) -> Condition {
    Condition { kind: "Ready", ..condition }
}
