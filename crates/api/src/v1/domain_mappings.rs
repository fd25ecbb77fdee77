//! Domain mappings through v1.

use axum::extract::State as FromState;
use groundrun_engine::DomainMappingView;
use groundrun_model::domain_mapping_v1::{self, API_VERSION};
use groundrun_model::{Result, domain_mapping_v1::parse};
use serde_json::{Value, json};

use super::list::{list, page};
use super::services::same_project;
use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::reply::{Json, Reply};

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
    Body(body): Body,
) -> Reply {
    let body = parse(body)?;
    same_project(&state, &target, body.namespace.as_deref()).await?;
    let (scope, dry_run) = (target.regional(), query.dry_run()?);
    let view = state.engine.create_domain_mapping(&caller, &scope, body.domain, body.spec, dry_run).await?;
    Ok(Json(render(&view)?))
}

pub(crate) async fn get(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let view = state.engine.get_domain_mapping(&caller, &target.regional(), target.param("domain")).await?;
    Ok(Json(render(&view)?))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let found = state
        .engine
        .list_domain_mappings(&caller, &target.scope, &page(&query, "DomainMappingList")?)
        .await?;
    let items: Result<Vec<Value>> = found.items.iter().map(render).collect();
    let mut list = list("DomainMappingList", &query, items?, found.next.as_ref());
    list["apiVersion"] = json!(API_VERSION);
    Ok(Json(list))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let (scope, domain) = (target.regional(), target.param("domain"));
    let mapping = state.engine.delete_domain_mapping(&caller, &scope, domain, query.dry_run()?).await?;
    Ok(Json(json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Success",
        "details": {
            "name": domain,
            "group": "domains.cloudrun.com",
            "kind": "domainmappings",
            "uid": mapping.uid,
        },
    })))
}

/// The domains of which the caller may make mappings. gcloud asks before it creates one.
pub(crate) async fn list_authorized(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
) -> Reply {
    let project = &target.scope.project;
    let domains = state.engine.list_authorized_domains(&caller, project).await?;
    let name = |domain: &str| format!("projects/{}/authorizedDomains/{domain}", project.id);
    let domains: Vec<Value> =
        domains.iter().map(|domain| json!({ "id": domain, "name": name(domain) })).collect();
    Ok(Json(json!({ "domains": domains })))
}

fn render(view: &DomainMappingView) -> Result<Value> {
    domain_mapping_v1::domain_mapping(&view.mapping, view.standing)
}
