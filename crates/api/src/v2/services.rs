//! Services through v2.

use groundrun_engine::{Caller, Page, ServiceView, WriteOptions, Written};
use groundrun_model::field::Api;
use groundrun_model::service::Service;
use groundrun_model::service::v2::{self, Mask, ServiceBody, View};
use groundrun_model::{Error, Result, ServiceId, ServiceName, operation_json};
use serde_json::{Map, Value, json};

use super::asked::{Asked, service_id};
use crate::State;
use crate::paging::{read_token, write_token};

/// The most items of a page.
pub(super) const LARGEST_PAGE: usize = 1_000;

const CREATE: &str = "CreateServiceRequest";
const UPDATE: &str = "UpdateServiceRequest";

pub(super) async fn create(state: &State, caller: &Caller, mut asked: Asked) -> Result<Value> {
    let body = ServiceBody::read(asked.take("service"))?;
    let body = body.without_name().map_err(|error| error.within(CREATE))?;
    let scope = asked.location(state, "parent").await?;
    let Some(region) = scope.region else { return Err(Error::field("parent", "must name one location")) };
    let name = match asked.text("serviceId")? {
        Some(id) => ServiceName::parse(id, "service_id")?,
        None => state.engine.generate_service_name(None)?,
    };
    let id = ServiceId { project: scope.project, region, name };
    let how = WriteOptions { dry_run: asked.flag("validateOnly")?, ..WriteOptions::through(Api::V2) };
    let spec =
        body.into_spec(&Mask::Everything, None, |service| service).map_err(|error| error.within(CREATE))?;
    let written = state.engine.create_service(caller, &id, spec, how).await;
    operation(state, &written.map_err(|error| error.within(CREATE))?)
}

pub(super) async fn update(state: &State, caller: &Caller, mut asked: Asked, view: View) -> Result<Value> {
    let body = ServiceBody::read(asked.take("service"))?;
    let id = service_id(state, body.name.as_deref().unwrap_or_default(), "service.name").await?;
    let mask = Mask::parse(asked.text("updateMask")?.unwrap_or_default())?;
    let how = WriteOptions {
        dry_run: asked.flag("validateOnly")?,
        allow_missing: asked.flag("allowMissing")?,
        force_new_revision: asked.flag("forceNewRevision")?,
        ..WriteOptions::through(Api::V2)
    };
    let strict = state.engine.config().strict_etags;
    let change = |current: Option<&Service>| {
        if let (true, Some(current)) = (strict, current) {
            check_etag(body.etag.as_deref(), current)?;
        }
        body.into_spec(&mask, current.map(|current| &current.spec), view)
    };
    let written = state.engine.update_service(caller, &id, change, how).await;
    operation(state, &written.map_err(|error| error.within(UPDATE))?)
}

pub(super) async fn get(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let id = asked.service(state, "name").await?;
    let service = state.engine.get_service(caller, &id).await?;
    v2::service(&service, &state.engine.config().urls)
}

pub(super) async fn list(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let scope = asked.location(state, "parent").await?;
    let deleted = asked.flag("showDeleted")?;
    let list = format!("services {} {deleted}", asked.text("parent")?.unwrap_or_default());
    let page = page(&asked, &list, LARGEST_PAGE)?;
    let found = if deleted {
        state.engine.list_services_with_deleted(caller, &scope, &page).await?
    } else {
        let found = state.engine.list_services(caller, &scope, &page).await?;
        let view = |service| ServiceView { service, deleted: None };
        groundrun_engine::Listing { items: found.items.into_iter().map(view).collect(), next: found.next }
    };
    let urls = state.engine.config().urls;
    let mut items = Vec::with_capacity(found.items.len());
    for view in &found.items {
        let mut json = v2::service(&view.service, &urls)?;
        operation_json::mark_deleted(&mut json, view.deleted);
        items.push(json);
    }
    Ok(listed("services", items, found.next.map(|next| write_token(&list, &next))))
}

pub(super) async fn delete(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let id = asked.service(state, "name").await?;
    let etag = asked.text("etag")?;
    let check = |service: &Service| check_etag(etag, service);
    let written = state.engine.delete_service(caller, &id, check, asked.flag("validateOnly")?).await?;
    operation(state, &written)
}

fn check_etag(given: Option<&str>, service: &Service) -> Result<()> {
    v2::check_etag(given, service.updated, &v2::full_name(&service.id), service.id.name.as_str())
}

fn operation(state: &State, written: &Written) -> Result<Value> {
    operation_json::v2(&written.operation, &state.engine.config().urls)
}

/// The page that a request asks for; `list` names the list that its token must be of.
pub(super) fn page(asked: &Asked, list: &str, most: usize) -> Result<Page> {
    let token = asked.text("pageToken")?;
    Ok(Page {
        limit: Some(asked.count("pageSize")?.unwrap_or(most).min(most)),
        after: token.map(|token| read_token(list, token, "page_token")).transpose()?,
        ..Page::default()
    })
}

/// The answer to a list: empty lists and tokens are left out, as in proto3 JSON.
pub(super) fn listed(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut json = Map::new();
    if !items.is_empty() {
        json.insert(name.to_owned(), json!(items));
    }
    if let Some(next) = next {
        json.insert("nextPageToken".to_owned(), json!(next));
    }
    Value::Object(json)
}
