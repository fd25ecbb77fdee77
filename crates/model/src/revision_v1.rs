//! How does a revision answer through v1?

use serde_json::{Value, json};

use crate::error::Result;
use crate::field::V1Parts;
use crate::kind::write;
use crate::message::Kept;
use crate::revision::Revision;
use crate::service::v1::resource_version;
use crate::service::v1_render::{
    condition, configuration_uid, metadata, object, template_labels, template_parts, with_location,
};
use crate::service::{Map, conditions};

/// The revision as v1 shows it; `routed` tells whether requests can reach it.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn revision(revision: &Revision, routed: bool) -> Result<Value> {
    let mut parts = V1Parts { annotations: revision.inherited.clone(), ..V1Parts::default() };
    parts.annotations.extend(revision.template.annotations.clone());
    let mut spec = template_parts(&revision.template, &mut parts)?;
    spec.insert("containers".to_owned(), write(&revision.resolved_containers())?);
    let mut metadata = metadata(&revision.service, "revisions", revision.name.as_str(), revision.created);
    metadata.insert("labels".to_owned(), write(&labels(revision, routed))?);
    parts.annotations.insert("serving.knative.dev/creator".to_owned(), revision.creator.clone());
    metadata.insert("annotations".to_owned(), write(&parts.annotations)?);
    metadata.insert("uid".to_owned(), json!(revision.uid));
    metadata.insert("generation".to_owned(), json!(1));
    metadata.insert("resourceVersion".to_owned(), json!(resource_version(revision.updated)));
    metadata.insert("ownerReferences".to_owned(), json!([owner(revision)]));
    Ok(object("Revision", metadata, spec, status(revision, routed)))
}

/// The labels by which gcloud and Knative find a revision. A client selects with the same ones.
pub fn labels(revision: &Revision, routed: bool) -> Map {
    let service = revision.service.name.as_str();
    let mut labels = with_location(&revision.service, template_labels(&revision.template));
    let mut set = |key: &str, value: String| labels.insert(format!("serving.knative.dev/{key}"), value);
    set("configuration", service.to_owned());
    set("configurationGeneration", revision.configuration_generation.to_string());
    set("service", service.to_owned());
    set("serviceUid", revision.service_uid.to_string());
    if routed {
        set("route", service.to_owned());
    }
    labels
}

fn owner(revision: &Revision) -> Value {
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Configuration",
        "name": revision.service.name,
        "uid": configuration_uid(revision.service_uid),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

fn status(revision: &Revision, routed: bool) -> Kept {
    let mut status = Kept::new();
    status.insert("observedGeneration".to_owned(), json!(1));
    let conditions: Vec<Value> = conditions::of_revision(revision, routed).iter().map(condition).collect();
    status.insert("conditions".to_owned(), json!(conditions));
    status.insert("imageDigest".to_owned(), json!(revision.image_digest()));
    let containers: Vec<Value> = revision
        .resolved_containers()
        .iter()
        .map(|container| json!({ "name": container.name, "imageDigest": container.image }))
        .collect();
    status.insert("containerStatuses".to_owned(), json!(containers));
    status
}
