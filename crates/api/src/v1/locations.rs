//! The regions through v1.

use groundrun_model::url;
use serde_json::{Value, json};

use crate::call::{Target, Who};
use crate::reply::{Json, Reply};

pub(crate) async fn list_all(_caller: Who, target: Target) -> Reply {
    let project = &target.scope.project.id;
    let location = |region: &str| {
        json!({
            "name": format!("projects/{project}/locations/{region}"),
            "locationId": region,
            "displayName": region,
            "labels": { "cloud.googleapis.com/region": region },
        })
    };
    let locations: Vec<Value> = url::regions().map(location).collect();
    Ok(Json(json!({ "locations": locations })))
}
