//! How does a domain mapping arrive and answer through v1?

use serde_json::{Value, json};

use crate::domain_mapping::{CertificateMode, DomainMapping, DomainMappingSpec, DomainName};
use crate::domain_mapping::{ResourceRecord, Standing};
use crate::error::{Error, Result, Violations};
use crate::kind::write;
use crate::message::{Kept, from_json, message, message_field};
use crate::name::ServiceName;
use crate::service::Map;
use crate::service::v1::{ObjectMeta, SERVER_ANNOTATIONS, SERVER_LABELS, expect, own, resource_version};
use crate::service::v1_render::condition;

/// The version of the API that domain mappings belong to.
pub const API_VERSION: &str = "domains.cloudrun.com/v1";

/// What a v1 DomainMapping says, read and checked by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainMappingBody {
    /// The domain.
    pub domain: DomainName,
    /// The id or number of the project, if one is given.
    pub namespace: Option<String>,
    /// What is asked for.
    pub spec: DomainMappingSpec,
}

message! {
    /// The outer object.
    pub struct DomainMappingMessage {
        /// `domains.cloudrun.com/v1`.
        api_version: Option<String>,
        /// `DomainMapping`.
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
    /// `spec` of a domain mapping.
    pub struct SpecMessage {
        /// The service.
        route_name: Option<String>,
        /// `AUTOMATIC` or `NONE`.
        certificate_mode: Option<String>,
        /// Whether the domain is taken from a mapping that has it.
        force_override: Option<bool>,
    }
}

message_field!(SpecMessage);

/// Reads a v1 DomainMapping. Everything that is wrong with its fields is reported at once.
///
/// # Errors
/// 400 naming the fields that are unknown, missing, of the wrong type or unreadable.
pub fn parse(body: Value) -> Result<DomainMappingBody> {
    let message: DomainMappingMessage = from_json(body, "")?;
    let mut violations = Violations::default();
    expect("apiVersion", message.api_version.as_deref(), API_VERSION, &mut violations);
    expect("kind", message.kind.as_deref(), "DomainMapping", &mut violations);
    let metadata = message.metadata.unwrap_or_default();
    let spec = message.spec.unwrap_or_default();
    let domain = required("metadata.name", metadata.name, "the domain that is mapped", DomainName::parse);
    let route = required("spec.routeName", spec.route_name, "the name of a service", ServiceName::parse);
    let certificate_mode = match spec.certificate_mode.as_deref() {
        None | Some("CERTIFICATE_MODE_UNSPECIFIED" | "AUTOMATIC") => CertificateMode::Automatic,
        Some("NONE") => CertificateMode::None,
        Some(other) => {
            let description = format!("must be AUTOMATIC or NONE, not '{other}'");
            violations.add("spec.certificateMode", description);
            CertificateMode::Automatic
        }
    };
    violations.note(domain.as_ref().map(drop).map_err(Clone::clone));
    violations.note(route.as_ref().map(drop).map_err(Clone::clone));
    violations.into_result()?;
    Ok(DomainMappingBody {
        domain: domain?,
        namespace: metadata.namespace,
        spec: DomainMappingSpec {
            route: route?,
            certificate_mode,
            force_override: spec.force_override == Some(true),
            labels: own(metadata.labels, SERVER_LABELS),
            annotations: own(metadata.annotations, SERVER_ANNOTATIONS),
        },
    })
}

/// The labels of a mapping, as a client selects by them.
pub fn labels(mapping: &DomainMapping) -> Map {
    let mut labels = mapping.spec.labels.clone();
    labels.insert("cloud.googleapis.com/location".to_owned(), mapping.region.to_string());
    labels
}

/// The mapping as v1 shows it, given how it stands.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn domain_mapping(mapping: &DomainMapping, standing: Standing) -> Result<Value> {
    let mut spec = json!({
        "routeName": mapping.spec.route,
        "certificateMode": mapping.spec.certificate_mode,
    });
    if mapping.spec.force_override {
        spec["forceOverride"] = json!(true);
    }
    Ok(json!({
        "apiVersion": API_VERSION,
        "kind": "DomainMapping",
        "metadata": metadata(mapping)?,
        "spec": spec,
        "status": status(mapping, standing),
    }))
}

fn metadata(mapping: &DomainMapping) -> Result<Value> {
    let (name, number) = (mapping.domain.as_str(), mapping.project.number.to_string());
    let mut annotations = mapping.spec.annotations.clone();
    for key in ["creator", "lastModifier"] {
        annotations.insert(format!("serving.knative.dev/{key}"), mapping.creator.clone());
    }
    Ok(json!({
        "name": name,
        "namespace": number,
        "selfLink": format!("/apis/{API_VERSION}/namespaces/{number}/domainmappings/{name}"),
        "uid": mapping.uid,
        "generation": 1,
        "resourceVersion": resource_version(mapping.created),
        "creationTimestamp": mapping.created.to_string(),
        "labels": write(&labels(mapping))?,
        "annotations": write(&annotations)?,
    }))
}

/// The status. A mapping that leads nowhere has no records: gcloud takes their absence for its failure.
fn status(mapping: &DomainMapping, standing: Standing) -> Value {
    let conditions: Vec<Value> = mapping.conditions(standing).iter().map(condition).collect();
    let mut status = json!({ "observedGeneration": 1, "conditions": conditions });
    if let Standing::Mapped(_) = standing {
        let records: Vec<Value> = mapping.domain.records().iter().map(record).collect();
        status["mappedRouteName"] = json!(mapping.spec.route);
        status["resourceRecords"] = json!(records);
    }
    status
}

fn record(record: &ResourceRecord<'_>) -> Value {
    let mut json = json!({ "type": record.kind, "rrdata": record.data });
    if let Some(name) = record.name {
        json["name"] = json!(name);
    }
    json
}

/// A field that must be there, and that `read` understands.
fn required<T>(
    field: &str,
    given: Option<String>,
    what: &str,
    read: impl Fn(&str, &str) -> Result<T>,
) -> Result<T> {
    match given {
        Some(text) => read(&text, field),
        None => Err(Error::field(field, format!("must be {what}"))),
    }
}

#[cfg(test)]
mod tests;
