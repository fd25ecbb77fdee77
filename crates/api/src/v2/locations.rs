//! The regions through v2 (`google.cloud.location.Locations`) and through v1.

use groundrun_model::{Code, Error, Project, Result, url};
use serde_json::{Value, json};

use super::asked::Asked;
use crate::State;

pub(super) async fn list(state: &State, asked: Asked) -> Result<Value> {
    let project = asked.project(state, "name").await?;
    Ok(all(&project))
}

pub(super) async fn get(state: &State, asked: Asked) -> Result<Value> {
    let scope = asked.location(state, "name").await?;
    let region = scope.region.ok_or_else(|| Error::field("name", "must name one location"))?;
    one(&scope.project, region.as_str())
}

/// All regions.
pub(crate) fn all(project: &Project) -> Value {
    let locations: Vec<Value> = url::regions().map(|region| location(project, region)).collect();
    json!({ "locations": locations })
}

/// One region.
///
/// # Errors
/// 404 if Cloud Run is not there.
pub(crate) fn one(project: &Project, region: &str) -> Result<Value> {
    let known = url::regions().find(|known| *known == region);
    known.map(|region| location(project, region)).ok_or_else(|| {
        Error::new(Code::NotFound, format!("Location '{region}' is not found or access is unauthorized."))
    })
}

fn location(project: &Project, region: &str) -> Value {
    json!({
        "name": format!("projects/{}/locations/{region}", project.id),
        "locationId": region,
        "displayName": region,
        "labels": { "cloud.googleapis.com/region": region },
    })
}
