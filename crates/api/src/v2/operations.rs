//! Long-running operations through v2.

use std::time::Duration;

use groundrun_engine::Caller;
use groundrun_model::{Error, Result, operation_json};
use serde_json::{Map, Value};

use super::asked::Asked;
use super::services::{listed, page};
use crate::State;
use crate::paging::write_token;

/// The most operations of a page, and how many it has unless the caller says so.
pub(crate) const LARGEST_PAGE: usize = 100;

/// How long a caller waits that does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);

pub(super) async fn get(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, id) = asked.operation(state, "name").await?;
    let operation = state.engine.get_operation(caller, &scope, &id).await?;
    operation_json::v2(&operation, &state.engine.config().urls)
}

pub(super) async fn wait(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, id) = asked.operation(state, "name").await?;
    let timeout = read_timeout(asked.text("timeout")?)?;
    let operation = state.engine.wait_operation(caller, &scope, &id, timeout).await?;
    operation_json::v2(&operation, &state.engine.config().urls)
}

pub(super) async fn list(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let scope = asked.location(state, "name").await?;
    let filter = asked.text("filter")?.unwrap_or_default();
    let done = read_filter(filter)?;
    let list = format!("operations {} {filter}", asked.text("name")?.unwrap_or_default());
    let page = page(&asked, &list, LARGEST_PAGE)?;
    let found = state.engine.list_operations(caller, &scope, done, &page).await?;
    let urls = state.engine.config().urls;
    let items: Result<Vec<Value>> =
        found.items.iter().map(|operation| operation_json::v2(operation, &urls)).collect();
    Ok(listed("operations", items?, found.next.map(|next| write_token(&list, &next))))
}

pub(super) async fn delete(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, id) = asked.operation(state, "name").await?;
    state.engine.delete_operation(caller, &scope, &id).await?;
    Ok(Value::Object(Map::new()))
}

/// Reads `"30s"`, as proto3 JSON spells a duration.
///
/// # Errors
/// 400 if it is none.
pub(crate) fn read_timeout(text: Option<&str>) -> Result<Duration> {
    let Some(text) = text else { return Ok(DEFAULT_WAIT) };
    let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        Error::wrong_type("timeout", "type.googleapis.com/google.protobuf.Duration", &text.into())
    })
}

/// Reads `done:true` or `done:false`, the only filters of the API; `=` means the same.
pub(crate) fn read_filter(filter: &str) -> Result<Option<bool>> {
    let plain: String = filter.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace('=', ":");
    match plain.as_str() {
        "" => Ok(None),
        "done:true" => Ok(Some(true)),
        "done:false" => Ok(Some(false)),
        _ => Err(Error::field("filter", format!("'{filter}' is not supported: use done:true or done:false"))),
    }
}
