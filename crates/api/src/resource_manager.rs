//! Projects, as the Resource Manager API shows them.

use axum::extract::State as FromState;
use groundrun_model::Project;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Target, Who};
use crate::reply::{Json, Reply};

pub(crate) async fn get(_caller: Who, target: Target) -> Reply {
    Ok(Json(render(&target.scope.project)))
}

pub(crate) async fn list_all(FromState(state): FromState<State>, Who(caller): Who) -> Reply {
    let projects: Vec<Value> = state.engine.list_projects(&caller).await?.iter().map(render).collect();
    Ok(Json(json!({ "projects": projects })))
}

fn render(project: &Project) -> Value {
    json!({
        "projectId": project.id,
        "projectNumber": project.number.to_string(),
        "name": project.id,
        "lifecycleState": "ACTIVE",
        "createTime": "2024-01-01T00:00:00Z",
    })
}
