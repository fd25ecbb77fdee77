//! How does an operation answer through v1 and v2?

use serde_json::{Value, json};

use crate::error::Result;
use crate::message::Kept;
use crate::operation::{Operation, State, Target};
use crate::service::{v1_render, v2};
use crate::time::Timestamp;
use crate::url::UrlConfig;
use crate::{revision_v1, revision_v2};

/// The operation as v2 shows it: metadata and response are the resource.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn v2(operation: &Operation, urls: &UrlConfig) -> Result<Value> {
    let (kind, mut resource) = match &operation.target {
        Target::Service(service) => ("Service", v2::service(service, urls)?),
        Target::Revision(revision) => ("Revision", revision_v2::revision(revision, false)?),
    };
    mark_deleted(&mut resource, operation.deleted());
    Ok(operation_json(operation, &format!("google.cloud.run.v2.{kind}"), resource))
}

/// The operation as v1 shows it, with a resource of v1.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn v1(operation: &Operation, urls: &UrlConfig) -> Result<Value> {
    let (kind, resource) = match &operation.target {
        Target::Service(service) => ("Service", v1_render::service(service, urls)?),
        Target::Revision(revision) => ("Revision", revision_v1::revision(revision, false)?),
    };
    Ok(operation_json(operation, &format!("google.cloud.run.v1.{kind}"), resource))
}

/// Adds to a resource of v2 when it was deleted and until when it can be listed.
pub fn mark_deleted(resource: &mut Value, deleted: Option<(Timestamp, Timestamp)>) {
    if let (Some((deleted, expires)), Some(fields)) = (deleted, resource.as_object_mut()) {
        fields.insert("deleteTime".to_owned(), json!(deleted.to_string()));
        fields.insert("expireTime".to_owned(), json!(expires.to_string()));
    }
}

fn operation_json(operation: &Operation, kind: &str, mut resource: Value) -> Value {
    if let Some(fields) = resource.as_object_mut() {
        fields.insert("@type".to_owned(), json!(format!("type.googleapis.com/{kind}")));
    }
    let mut json = Kept::new();
    json.insert("name".to_owned(), json!(operation.full_name()));
    if operation.is_done() {
        json.insert("done".to_owned(), json!(true));
    }
    match &operation.state {
        State::Running => {}
        State::Succeeded => {
            json.insert("response".to_owned(), resource.clone());
        }
        State::Failed { code, message } => {
            json.insert("error".to_owned(), json!({ "code": code, "message": message }));
        }
    }
    json.insert("metadata".to_owned(), resource);
    Value::Object(json)
}
