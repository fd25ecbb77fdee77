//! How does a service answer through v2?

use serde_json::{Value, json};

use super::container::ContainerV2;
use super::target::TargetV2;
use super::template_wide::TemplateWide;
use super::volume::{CLOUDSQL, VolumeV2};
use super::{MULTI_REGION_LABEL, etag, is_system, sandbox};
use crate::error::Result;
use crate::field::is_default;
use crate::kind::write;
use crate::message::{Kept, put_at};
use crate::name::{RevisionName, ServiceId};
use crate::service::conditions::{self, Condition, Severity, Truth};
use crate::service::{Container, Map, RevisionTemplate, Service, ServiceSpec};
use crate::url::{ServiceHosts, UrlConfig};

/// The name by which v2 knows a service.
pub fn full_name(id: &ServiceId) -> String {
    id.to_string()
}

/// The service as v2 shows it.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn service(service: &Service, urls: &UrlConfig) -> Result<Value> {
    let id = &service.id;
    let mut json = spec(&service.spec)?;
    let mut set = |name: &str, value: Value| {
        if !is_default(&value) {
            json.insert(name.to_owned(), value);
        }
    };
    set("name", json!(full_name(id)));
    set("uid", json!(service.uid));
    set("generation", json!(service.generation.to_string()));
    set("createTime", json!(service.created.to_string()));
    set("updateTime", json!(service.updated.to_string()));
    set("creator", json!(service.creator));
    set("lastModifier", json!(service.last_modifier));
    set("etag", json!(etag(service.updated, &full_name(id))));
    set("reconciling", json!(!service.is_settled()));
    let status = &service.status;
    // A service that never settled has observed nothing.
    let observed = Some(status.observed_generation).filter(|observed| *observed > 0);
    set("observedGeneration", json!(observed.map(|observed| observed.to_string())));
    let revision = |name: &RevisionName| format!("{}/revisions/{name}", full_name(id));
    set("latestCreatedRevision", json!(status.latest_created.as_ref().map(revision)));
    set("latestReadyRevision", json!(status.latest_ready.as_ref().map(revision)));
    let mut conditions = conditions::of_service(service).into_iter();
    set("terminalCondition", conditions.next().map_or(Value::Null, |ready| condition(&ready)));
    // The hosted service lists them in this order.
    set("conditions", conditions.rev().map(|one| condition(&one)).collect());
    let disabled = service.spec.settings.default_uri_disabled == Some(true);
    let routed = status.serving.iter().map(|target| TargetV2::routed(target, id, urls, disabled));
    set("trafficStatuses", write(&routed.collect::<Vec<_>>())?);
    if !disabled {
        let all = urls.urls(&ServiceHosts::new(id));
        let settled_empty = service.is_settled() && status.serving.is_empty();
        // A first deployment that failed has the deterministic address only, as in v1.
        let shown = all.all.len().min(if settled_empty { 1 } else { usize::MAX });
        set("urls", json!(all.all[..shown]));
        set("uri", json!(Some(all.status_url).filter(|_| !status.serving.is_empty())));
    }
    Ok(Value::Object(json))
}

/// The fields of a service that a user writes, as v2 shows them.
///
/// # Errors
/// 500 if they cannot be written as JSON.
pub fn spec(spec: &ServiceSpec) -> Result<Kept> {
    let mut json = Kept::new();
    spec.settings.put_v2(&mut json);
    json.entry("launchStage").or_insert_with(|| json!("GA"));
    match spec.settings.binary_authorization.as_deref() {
        Some("default") => put_at(&mut json, "binaryAuthorization.useDefault", json!(true)),
        Some(policy) => put_at(&mut json, "binaryAuthorization.policy", json!(policy)),
        None => {}
    }
    if let Some(id) = spec.labels.get(MULTI_REGION_LABEL) {
        put_at(&mut json, "multiRegionSettings.multiRegionId", json!(id));
    }
    put_map(&mut json, "labels", &spec.labels)?;
    put_map(&mut json, "annotations", &spec.annotations)?;
    let mut template = template_fields(&spec.template, &spec.template.containers)?;
    if let Some(name) = &spec.template.name {
        template.insert("revision".to_owned(), json!(name));
    }
    json.insert("template".to_owned(), Value::Object(template));
    let traffic: Vec<TargetV2> = spec.traffic.iter().map(TargetV2::of).collect();
    if !traffic.is_empty() {
        json.insert("traffic".to_owned(), write(&traffic)?);
    }
    Ok(json)
}

/// The fields that templates and revisions have in common.
pub(crate) fn template_fields(template: &RevisionTemplate, containers: &[Container]) -> Result<Kept> {
    let wide = TemplateWide::of(&template.settings);
    let mut json = Kept::new();
    template.settings.put_v2(&mut json);
    put_map(&mut json, "labels", &template.labels)?;
    put_map(&mut json, "annotations", &template.annotations)?;
    let containers: Vec<ContainerV2> =
        containers.iter().map(|container| ContainerV2::of(container, &wide)).collect();
    json.insert("containers".to_owned(), write(&containers)?);
    let mut volumes: Vec<VolumeV2> =
        template.volumes.iter().map(|volume| VolumeV2::of(volume, &wide)).collect();
    if !wide.cloudsql.is_empty() && !volumes.iter().any(|volume| volume.name.as_deref() == Some(CLOUDSQL)) {
        volumes.push(VolumeV2::cloud_sql(wide.cloudsql.clone()));
    }
    if !volumes.is_empty() {
        json.insert("volumes".to_owned(), write(&volumes)?);
    }
    if let Some(sandboxes) = template.other.get("sandboxes")
        && let Some(sandboxes) = sandbox::to_v2(sandboxes, &wide.secrets)?
    {
        json.insert("sandboxes".to_owned(), sandboxes);
    }
    Ok(json)
}

fn put_map(json: &mut Kept, name: &str, map: &Map) -> Result<()> {
    let own: Map =
        map.iter().filter(|(key, _)| !is_system(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if !own.is_empty() {
        json.insert(name.to_owned(), write(&own)?);
    }
    Ok(())
}

/// Reasons of a condition that are about revisions; the others are common to all resources.
const REVISION_REASONS: &[&str] = &[
    "PENDING",
    "RESERVE",
    "RETIRED",
    "RETIRING",
    "RECREATING",
    "HEALTH_CHECK_CONTAINER_ERROR",
    "CUSTOMIZED_PATH_RESPONSE_PENDING",
    "MIN_INSTANCES_NOT_PROVISIONED",
    "ACTIVE_REVISION_LIMIT_REACHED",
    "NO_DEPLOYMENT",
    "HEALTH_CHECK_SKIPPED",
    "MIN_INSTANCES_WARMING",
];

/// Reasons that any resource can have.
const COMMON_REASONS: &[&str] = &[
    "UNKNOWN",
    "REVISION_FAILED",
    "PROGRESS_DEADLINE_EXCEEDED",
    "CONTAINER_MISSING",
    "CONTAINER_PERMISSION_DENIED",
    "CONTAINER_IMAGE_UNAUTHORIZED",
    "CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED",
    "ENCRYPTION_KEY_PERMISSION_DENIED",
    "ENCRYPTION_KEY_CHECK_FAILED",
    "SECRETS_ACCESS_CHECK_FAILED",
    "WAITING_FOR_OPERATION",
    "IMMEDIATE_RETRY",
    "POSTPONED_RETRY",
    "INTERNAL",
    "VPC_NETWORK_NOT_FOUND",
];

/// A condition as v2 spells it. One that holds carries no reason.
pub(crate) fn condition(condition: &Condition) -> Value {
    let mut json = Kept::new();
    let mut set = |name: &str, value: &str| json.insert(name.to_owned(), json!(value));
    set("type", condition.kind);
    let state = match condition.status {
        Truth::True => "CONDITION_SUCCEEDED",
        Truth::False => "CONDITION_FAILED",
        Truth::Unknown if condition.reason.is_some() => "CONDITION_PENDING",
        Truth::Unknown => "CONDITION_RECONCILING",
    };
    set("state", state);
    set("lastTransitionTime", &condition.changed.to_string());
    if condition.severity == Severity::Info {
        set("severity", "INFO");
    }
    if let Some(message) = &condition.message {
        set("message", message);
    }
    let reason = condition.reason.as_deref().filter(|_| condition.status != Truth::True).map(upper_snake);
    match reason.as_deref() {
        Some(reason) if REVISION_REASONS.contains(&reason) => set("revisionReason", reason),
        Some(reason) if COMMON_REASONS.contains(&reason) => set("reason", reason),
        // v2 has no word of its own for it; the message says what it is.
        Some(_) if condition.status == Truth::False => set("reason", "UNKNOWN"),
        _ => None,
    };
    Value::Object(json)
}

/// `HealthCheckContainerError` as v2 spells it: `HEALTH_CHECK_CONTAINER_ERROR`.
fn upper_snake(reason: &str) -> String {
    let mut text = String::with_capacity(reason.len() + 8);
    for (index, letter) in reason.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            text.push('_');
        }
        text.extend(letter.to_uppercase());
    }
    text
}
