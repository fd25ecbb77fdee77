//! Revisions through v2.

use groundrun_engine::{Caller, Page, RevisionView, Scope};
use groundrun_model::revision::Revision;
use groundrun_model::selector::Selector;
use groundrun_model::service::v2;
use groundrun_model::{Error, Result, operation_json, revision_v2};
use serde_json::Value;

use super::asked::Asked;
use super::services::{LARGEST_PAGE, listed, page};
use crate::State;
use crate::paging::write_token;

pub(super) async fn get(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, service, revision) = asked.revision(state, "name").await?;
    let view = state.engine.get_revision(caller, &scope, &revision).await?;
    check_service(&view.revision, &service, &scope)?;
    render(&view)
}

pub(super) async fn list(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, service) = asked.parent_service(state, "parent").await?;
    // Nothing of a deleted service stays: there are no deleted revisions to show.
    asked.flag("showDeleted")?;
    let list = format!("revisions {}", asked.text("parent")?.unwrap_or_default());
    let selector = match &service {
        Some(service) => Selector::parse(&format!("serving.knative.dev/service={service}"))?,
        None => Selector::default(),
    };
    let page = Page { selector, ..page(&asked, &list, LARGEST_PAGE)? };
    let found = state.engine.list_revisions(caller, &scope, &page).await?;
    let items: Result<Vec<Value>> = found.items.iter().map(render).collect();
    Ok(listed("revisions", items?, found.next.map(|next| write_token(&list, &next))))
}

pub(super) async fn delete(state: &State, caller: &Caller, asked: Asked) -> Result<Value> {
    let (scope, service, name) = asked.revision(state, "name").await?;
    let etag = asked.text("etag")?;
    let check = |revision: &Revision| {
        check_service(revision, &service, &scope)?;
        let full = revision_v2::full_name(revision);
        v2::check_etag(etag, revision.updated, &full, revision.name.as_str())
    };
    let dry_run = asked.flag("validateOnly")?;
    let (_, operation) = state.engine.delete_revision(caller, &scope, &name, check, dry_run).await?;
    operation_json::v2(&operation, &state.engine.config().urls)
}

/// The path names the service, too: `-` stands for any.
fn check_service(revision: &Revision, service: &str, scope: &Scope) -> Result<()> {
    if service == "-" || revision.service.name.as_str() == service {
        return Ok(());
    }
    let id = &revision.service;
    Err(Error::not_found("REVISION", revision.name.as_str(), id.region.as_str(), scope.project.id.as_str()))
}

fn render(view: &RevisionView) -> Result<Value> {
    revision_v2::revision(&view.revision, view.routed)
}
