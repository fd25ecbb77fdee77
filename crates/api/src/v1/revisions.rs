//! Revisions through v1.

use axum::extract::State as FromState;
use groundrun_engine::RevisionView;
use groundrun_model::{Result, revision_v1};
use serde_json::Value;

use super::list::{list, page};
use super::services::deleted;
use crate::State;
use crate::call::{Query, Target, Who};
use crate::reply::{Json, Reply};

pub(crate) async fn get(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let view = state.engine.get_revision(&caller, &target.regional(), target.param("revision")).await?;
    Ok(Json(render(&view)?))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let found = state.engine.list_revisions(&caller, &target.scope, &page(&query, "RevisionList")?).await?;
    let items: Result<Vec<Value>> = found.items.iter().map(render).collect();
    Ok(Json(list("RevisionList", &query, items?, found.next.as_ref())))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let name = target.param("revision");
    let (scope, dry_run) = (target.regional(), query.dry_run()?);
    let (view, _) = state.engine.delete_revision(&caller, &scope, name, |_| Ok(()), dry_run).await?;
    Ok(Json(deleted("revisions", name, &view.revision.uid.to_string())))
}

fn render(view: &RevisionView) -> Result<Value> {
    revision_v1::revision(&view.revision, view.routed)
}
