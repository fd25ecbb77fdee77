//! What Cloud Logging answers about services: the list of entries.

use axum::extract::State as FromState;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_engine::LogQuery;
use groundrun_model::log::{Filter, Place};
use groundrun_model::{Error, Project, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// How many entries a page has if the caller does not say.
const PAGE: usize = 50;

/// How many entries a page has at most.
const LARGEST_PAGE: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ListEntries {
    resource_names: Option<Vec<String>>,
    /// The older way to name projects.
    project_ids: Option<Vec<String>>,
    filter: Option<String>,
    order_by: Option<String>,
    page_size: Option<i64>,
    page_token: Option<String>,
}

pub(crate) async fn list_entries(FromState(state): FromState<State>, Who(caller): Who, body: Body) -> Reply {
    let asked: ListEntries = body.read()?;
    let query = LogQuery {
        projects: projects(&state, &asked).await?,
        filter: Filter::parse(asked.filter.as_deref().unwrap_or_default())?,
        descending: is_descending(asked.order_by.as_deref().unwrap_or_default())?,
        limit: page_size(asked.page_size.unwrap_or(0))?,
        after: asked.page_token.as_deref().filter(|text| !text.is_empty()).map(read_token).transpose()?,
    };
    let page = state.engine.list_log_entries(&caller, &query).await?;
    let entries: Vec<Value> = page.entries.iter().map(|entry| entry.to_json()).collect();
    let mut answer = json!({});
    if !entries.is_empty() {
        answer["entries"] = json!(entries);
    }
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(write_token(next));
    }
    Ok(Json(answer))
}

/// The projects that are asked for, by id or number.
async fn projects(state: &State, asked: &ListEntries) -> Result<Vec<Project>> {
    let mut projects = Vec::new();
    for name in asked.resource_names.iter().flatten() {
        let id = name.strip_prefix("projects/").filter(|id| !id.contains('/')).ok_or_else(|| {
            Error::field(
                "resourceNames",
                format!("'{name}' is not projects/PROJECT: logs of nothing else are kept"),
            )
        })?;
        projects.push(state.engine.project(id).await?);
    }
    for id in asked.project_ids.iter().flatten() {
        projects.push(state.engine.project(id).await?);
    }
    if projects.is_empty() {
        return Err(Error::field("resourceNames", "must name a project, as projects/PROJECT"));
    }
    Ok(projects)
}

fn is_descending(order: &str) -> Result<bool> {
    match order.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] | ["timestamp"] | ["timestamp", "asc"] => Ok(false),
        ["timestamp", "desc"] => Ok(true),
        _ => Err(Error::field(
            "orderBy",
            format!("must be 'timestamp asc' or 'timestamp desc', not '{order}'"),
        )),
    }
}

/// 0 is the default, and what is too large is made smaller, as to every Google API.
fn page_size(asked: i64) -> Result<usize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(PAGE),
        Ok(size) => Ok(size.min(LARGEST_PAGE)),
        Err(_) => Err(Error::field("pageSize", format!("must not be negative: {asked}"))),
    }
}

fn write_token(place: Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", place.timestamp.micros(), place.sequence))
}

fn read_token(text: &str) -> Result<Place> {
    let read = || {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (moment, sequence) = plain.split_once(' ')?;
        let timestamp = Timestamp::from_micros(moment.parse().ok()?);
        Some(Place { timestamp, sequence: sequence.parse().ok()? })
    };
    read().ok_or_else(|| Error::field("pageToken", "is not a continuation of a list of this server"))
}
