//! Projects, as the Resource Manager API shows them.

use axum::extract::State as FromState;
use groundrun_engine::{Caller, Cursor};
use groundrun_model::{Error, Project, Result, Timestamp};
use serde_json::{Value, json};

use crate::State;
use crate::call::{Query, Target, Who};
use crate::paging::{read_token, write_token};
use crate::reply::{Json, Reply};
use crate::service_accounts::page_size;

/// How many projects a page has that does not say, and the most that it may have.
const PAGE: (usize, usize) = (500, 1000);

pub(crate) async fn get(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    Ok(Json(render(&state.engine.get_project(&caller, &target.scope.project).await?)))
}

pub(crate) async fn get_v3(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    Ok(Json(render_v3(&state.engine.get_project(&caller, &target.scope.project).await?)))
}

pub(crate) async fn list_all(FromState(state): FromState<State>, Who(caller): Who, query: Query) -> Reply {
    Ok(Json(list(&state, &caller, &query, "filter", render).await?))
}

/// Looks for projects, by the newer API.
pub(crate) async fn search(FromState(state): FromState<State>, Who(caller): Who, query: Query) -> Reply {
    Ok(Json(list(&state, &caller, &query, "query", render_v3).await?))
}

/// A page of the projects that the parameter `filter` selects.
async fn list(
    state: &State,
    caller: &Caller,
    query: &Query,
    filter: &str,
    render: impl Fn(&Project) -> Value,
) -> Result<Value> {
    let text = query.get(filter).unwrap_or_default();
    let list = format!("projects {text}");
    let after = query.get("pageToken").map(|token| read_token(&list, token, "pageToken")).transpose()?;
    let limit = page_size(query.get("pageSize"), PAGE)?;
    let mut found = Vec::new();
    for project in state.engine.list_projects(caller).await? {
        let is_behind = after.as_ref().is_none_or(|after| project.id.as_str() > after.name.as_str());
        if selects(text, &project, filter)? && is_behind {
            found.push(project);
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let mut body = json!({ "projects": found.iter().map(render).collect::<Vec<_>>() });
    if let Some(last) = found.last().filter(|_| more) {
        let name = last.id.to_string();
        let place = Cursor { created: Timestamp::default(), location: "global".to_owned(), name };
        body["nextPageToken"] = json!(write_token(&list, &place));
    }
    Ok(body)
}

/// Whether a filter selects the project: terms such as `id:demo*`, joined by blanks or `AND`. A value
/// matches without case, and `*` at its end stands for anything.
fn selects(filter: &str, project: &Project, field: &str) -> Result<bool> {
    let mut all = true;
    for term in filter.split_whitespace().filter(|term| *term != "AND") {
        let (key, value) = term.split_once([':', '=']).unwrap_or(("name", term));
        let have = match key {
            "id" | "projectId" | "name" | "displayName" => project.id.to_string(),
            "projectNumber" => project.number.to_string(),
            "lifecycleState" | "state" => "ACTIVE".to_owned(),
            _ => {
                let text = format!("groundrun does not know how to filter projects by '{key}'.");
                return Err(Error::field(field, text));
            }
        };
        let value = value.trim_matches('"').to_ascii_lowercase();
        let have = have.to_ascii_lowercase();
        all &= match value.strip_suffix('*') {
            Some(beginning) => have.starts_with(beginning),
            None => have == value,
        };
    }
    Ok(all)
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

fn render_v3(project: &Project) -> Value {
    json!({
        "name": format!("projects/{}", project.number),
        "projectId": project.id,
        "displayName": project.id,
        "state": "ACTIVE",
        "createTime": "2024-01-01T00:00:00Z",
        "updateTime": "2024-01-01T00:00:00Z",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_selects_by_all_of_its_terms() {
        let project = Project::parse("demo-project").unwrap();
        let number = format!("projectNumber={}", project.number);
        for (filter, expected) in [
            ("", true),
            ("lifecycleState:ACTIVE", true),
            ("state:DELETE_REQUESTED", false),
            ("id:demo-project AND lifecycleState=active", true),
            ("id:demo*", true),
            ("name:\"demo-project\"", true),
            ("demo-project", true),
            ("id:demo", false),
            ("id:other* lifecycleState:ACTIVE", false),
            (&number, true),
        ] {
            assert_eq!(selects(filter, &project, "filter"), Ok(expected), "{filter}");
        }
        let refused = selects("labels.a:b", &project, "filter").unwrap_err();
        assert_eq!(refused.violations[0].field, "filter");
    }
}
