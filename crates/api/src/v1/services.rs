//! Services, their configurations and their routes through v1.

use axum::extract::State as FromState;
use groundrun_engine::{WriteOptions, Written};
use groundrun_model::field::Api;
use groundrun_model::service::v1::parse;
use groundrun_model::service::{Service, v1_render};
use groundrun_model::{Error, Result, ServiceName};
use serde_json::{Value, json};

use super::list::{list, page};
use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::error::Refusal;
use crate::rendered::JsonText;
use crate::reply::{Json, Reply};

impl State {
    fn render(&self, service: &Service) -> Result<Value> {
        v1_render::service(service, &self.engine.config().urls)
    }
}

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
    Body(body): Body,
) -> Reply {
    let body = parse(body)?;
    same_project(&state, &target, body.namespace.as_deref()).await?;
    let name = match (&body.name, &body.generate_name) {
        (Some(name), _) => ServiceName::parse(name, "metadata.name")?,
        (None, beginning) => state.engine.generate_service_name(beginning.as_deref())?,
    };
    let id = target.service_named(name);
    let how = WriteOptions { dry_run: query.dry_run()?, ..WriteOptions::through(Api::V1) };
    let written = state.engine.create_service(&caller, &id, body.spec, how).await?;
    Ok(Json(state.render(&written.service)?))
}

pub(crate) async fn get(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
) -> Result<JsonText, Refusal> {
    let service = state.engine.get_service(&caller, &target.service()?).await?;
    Ok(state.rendered.of(&service, |service| state.render(service))?)
}

pub(crate) async fn replace(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
    Body(body): Body,
) -> Reply {
    let id = target.service()?;
    let body = parse(body)?;
    same_project(&state, &target, body.namespace.as_deref()).await?;
    if body.name.as_deref().is_some_and(|name| name != id.name.as_str()) {
        return Err(Error::field("metadata.name", "must be the name of the service in the URL").into());
    }
    let how =
        WriteOptions { dry_run: query.dry_run()?, expected: body.version, ..WriteOptions::through(Api::V1) };
    let written = state.engine.update_service(&caller, &id, |_| Ok(body.spec), how).await?;
    Ok(Json(state.render(&written.service)?))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let any = |_: &Service| Ok(());
    let id = target.service()?;
    let Written { service, .. } = state.engine.delete_service(&caller, &id, any, query.dry_run()?).await?;
    Ok(Json(deleted("services", service.id.name.as_str(), &service.uid.to_string())))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let found = state.engine.list_services(&caller, &target.scope, &page(&query, "ServiceList")?).await?;
    let items: Result<Vec<Value>> = found.items.iter().map(|service| state.render(service)).collect();
    Ok(Json(list("ServiceList", &query, items?, found.next.as_ref())))
}

pub(crate) async fn get_configuration(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
) -> Reply {
    let service = state.engine.get_service(&caller, &target.service()?).await?;
    Ok(Json(v1_render::configuration(&service)?))
}

pub(crate) async fn list_configurations(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let found =
        state.engine.list_services(&caller, &target.scope, &page(&query, "ConfigurationList")?).await?;
    let items: Result<Vec<Value>> = found.items.iter().map(v1_render::configuration).collect();
    Ok(Json(list("ConfigurationList", &query, items?, found.next.as_ref())))
}

pub(crate) async fn get_route(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let service = state.engine.get_service(&caller, &target.service()?).await?;
    Ok(Json(v1_render::route(&service, &state.engine.config().urls)?))
}

pub(crate) async fn list_routes(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let found = state.engine.list_services(&caller, &target.scope, &page(&query, "RouteList")?).await?;
    let urls = state.engine.config().urls;
    let items: Result<Vec<Value>> =
        found.items.iter().map(|service| v1_render::route(service, &urls)).collect();
    Ok(Json(list("RouteList", &query, items?, found.next.as_ref())))
}

/// What v1 answers to a deletion.
pub(crate) fn deleted(plural: &str, name: &str, uid: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Success",
        "details": { "name": name, "group": "serving.knative.dev", "kind": plural, "uid": uid },
    })
}

/// The namespace of the body is the project of the URL, by its id or by its number.
pub(crate) async fn same_project(state: &State, target: &Target, namespace: Option<&str>) -> Result<()> {
    let Some(namespace) = namespace else { return Ok(()) };
    if state.engine.project(namespace).await.is_ok_and(|project| project == target.scope.project) {
        return Ok(());
    }
    let project = &target.scope.project;
    Err(Error::field(
        "metadata.namespace",
        format!(
            "must be the project of the URL, '{}' or '{}', not '{namespace}'",
            project.id, project.number
        ),
    ))
}
