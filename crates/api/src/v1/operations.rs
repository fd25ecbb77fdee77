//! Long-running operations through v1: gcloud waits for the one that a service names.

use axum::extract::State as FromState;
use groundrun_model::message::from_json;
use groundrun_model::{Error, Result, operation_json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::paging::{read_token, write_token};
use crate::reply::{Json, Reply};
use crate::v2::operations::{LARGEST_PAGE, read_filter, read_timeout};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WaitOperation {
    timeout: Option<String>,
}

pub(crate) async fn get(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let operation =
        state.engine.get_operation(&caller, &target.regional(), target.param("operation")).await?;
    Ok(Json(operation_json::v1(&operation, &state.engine.config().urls)?))
}

pub(crate) async fn wait(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    Body(body): Body,
) -> Reply {
    let asked: WaitOperation = from_json(body, "")?;
    let timeout = read_timeout(asked.timeout.as_deref())?;
    let id = target.param("operation");
    let operation = state.engine.wait_operation(&caller, &target.regional(), id, timeout).await?;
    Ok(Json(operation_json::v1(&operation, &state.engine.config().urls)?))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let filter = query.get("filter").unwrap_or_default();
    let done = read_filter(filter)?;
    let list = format!("operations {filter}");
    let size = query.get("pageSize").map_or(Ok(0), str::parse::<usize>);
    let size = size.map_err(|_| Error::field("pageSize", "must be a number of items"))?;
    let after = query.get("pageToken").map(|token| read_token(&list, token, "pageToken")).transpose()?;
    let limit = Some(if size == 0 { LARGEST_PAGE } else { size.min(LARGEST_PAGE) });
    let page = groundrun_engine::Page { limit, after, ..Default::default() };
    let found = state.engine.list_operations(&caller, &target.scope, done, &page).await?;
    let urls = state.engine.config().urls;
    let items: Result<Vec<Value>> =
        found.items.iter().map(|operation| operation_json::v1(operation, &urls)).collect();
    let mut answer = json!({ "operations": items? });
    if let Some(next) = found.next {
        answer["nextPageToken"] = json!(write_token(&list, &next));
    }
    Ok(Json(answer))
}

pub(crate) async fn delete(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    state.engine.delete_operation(&caller, &target.regional(), target.param("operation")).await?;
    Ok(Json(json!({})))
}
