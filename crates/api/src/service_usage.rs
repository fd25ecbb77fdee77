//! Which APIs a project has enabled: all that groundrun emulates, always.

use serde_json::{Value, json};

use crate::call::{Body, Target, Who};
use crate::reply::{Json, Reply};

pub(crate) async fn get(_caller: Who, target: Target) -> Reply {
    Ok(Json(enabled(&target, target.param("api"))))
}

/// Enables nothing that is not enabled already, and says so at once.
pub(crate) async fn batch_enable(_caller: Who, target: Target, Body(body): Body) -> Reply {
    let ids = body.get("serviceIds").and_then(Value::as_array).cloned().unwrap_or_default();
    let services: Vec<Value> = ids.iter().filter_map(Value::as_str).map(|id| enabled(&target, id)).collect();
    Ok(Json(json!({
        "name": "operations/noop.DONE_OPERATION",
        "done": true,
        "response": {
            "@type": "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse",
            "services": services,
        },
    })))
}

fn enabled(target: &Target, api: &str) -> Value {
    let project = &target.scope.project;
    json!({
        "name": format!("projects/{}/services/{api}", project.number),
        "parent": format!("projects/{}", project.number),
        "config": { "name": api },
        "state": "ENABLED",
    })
}
