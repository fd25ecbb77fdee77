//! IAM policies of services and projects.

use axum::extract::State as FromState;
use groundrun_model::iam::Policy;
use groundrun_model::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::reply::{Json, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SetIamPolicy {
    policy: Value,
    #[serde(default)]
    update_mask: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GetIamPolicy {
    options: Option<GetPolicyOptions>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct GetPolicyOptions {
    requested_policy_version: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TestIamPermissions {
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
}

pub(crate) async fn get_of_service(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let requested = requested_version(&query)?;
    let policy = state.engine.get_service_policy(&caller, &target.service()?, requested).await?;
    Ok(Json(policy.to_json()))
}

pub(crate) async fn set_of_service(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let (policy, mask) = SetIamPolicy::read(body)?;
    let id = target.service()?;
    let written = state.engine.set_service_policy(&caller, &id, policy, mask.as_deref()).await?;
    Ok(Json(written.to_json()))
}

pub(crate) async fn test_of_service(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: TestIamPermissions = body.read()?;
    let held = state.engine.test_service_permissions(&caller, &target.service()?, asked.permissions).await?;
    Ok(Json(permissions(&held)))
}

pub(crate) async fn get_of_project(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: GetIamPolicy = body.read()?;
    let requested = asked.options.unwrap_or_default().requested_policy_version;
    let policy = state.engine.get_project_policy(&caller, &target.scope.project, requested).await?;
    Ok(Json(policy.to_json()))
}

pub(crate) async fn set_of_project(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let (policy, mask) = SetIamPolicy::read(body)?;
    let project = &target.scope.project;
    let written = state.engine.set_project_policy(&caller, project, policy, mask.as_deref()).await?;
    Ok(Json(written.to_json()))
}

pub(crate) async fn test_of_project(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: TestIamPermissions = body.read()?;
    let project = &target.scope.project;
    let held = state.engine.test_project_permissions(&caller, project, asked.permissions).await?;
    Ok(Json(permissions(&held)))
}

/// The version that the query asks for.
///
/// # Errors
/// 400 if it is no number.
pub(crate) fn requested_version(query: &Query) -> Result<i32> {
    let name = "options.requestedPolicyVersion";
    let wrong = |text: &str| Error::field(name, format!("must be a number, not '{text}'"));
    query.get(name).map_or(Ok(0), |text| text.parse().map_err(|_| wrong(text)))
}

impl SetIamPolicy {
    /// The policy and the mask of a request.
    ///
    /// # Errors
    /// 400 for what is no policy.
    pub(crate) fn read(body: Body) -> Result<(Policy, Option<String>)> {
        let asked: Self = body.read()?;
        Ok((Policy::from_json(&asked.policy, "policy")?, asked.update_mask))
    }
}

/// Proto3 JSON leaves an empty list out.
pub(crate) fn permissions(held: &[String]) -> Value {
    if held.is_empty() { json!({}) } else { json!({ "permissions": held }) }
}
