//! What can be done with revisions?

use std::sync::Arc;

use groundrun_model::iam::Resource;
use groundrun_model::kind::{Key, Kind, Resource as _, Write};
use groundrun_model::operation::Operation;
use groundrun_model::revision::Revision;
use groundrun_model::service::Service;
use groundrun_model::{Error, Result, RevisionName};
use groundrun_store::Cursor;

use crate::listing::{Listing, Page, Scope, Walk};
use crate::{Caller, Engine, refused};

/// A revision as its service sees it.
#[derive(Debug, Clone)]
pub struct RevisionView {
    /// The revision.
    pub revision: Revision,
    /// Whether requests can reach it, by a share or by a tag.
    pub routed: bool,
}

impl Engine {
    /// The revision of this name in one region.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn get_revision(&self, caller: &Caller, scope: &Scope, name: &str) -> Result<RevisionView> {
        let _allowed = self.allow(caller, "run.revisions.get", part(scope, name)).await?;
        let revision = self.stored_revision(scope, name).await?;
        let service = self.stored_service(&revision.service).await?;
        Ok(view(revision, service.as_deref()))
    }

    /// The revisions of a scope that the page selects, newest first.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_revisions(
        &self,
        caller: &Caller,
        scope: &Scope,
        page: &Page,
    ) -> Result<Listing<RevisionView>> {
        let _allowed = self.allow(caller, "run.revisions.list", Resource::Project(&scope.project)).await?;
        // The database finds the revisions of one service; the selector decides.
        let service = page.selector.required("serving.knative.dev/service");
        let mut walk = Walk::new(Kind::Revision, scope, page).of(service);
        let mut views = Vec::new();
        while let Some(records) = walk.next(self.store(), views.len()).await? {
            for record in records {
                let revision = Revision::from_record(record)?;
                let service = self.stored_service(&revision.service).await?;
                let view = view(revision, service.as_deref());
                let labels = groundrun_model::revision_v1::labels(&view.revision, view.routed);
                if page.selector.matches(&labels) {
                    views.push(view);
                }
            }
        }
        Ok(page.cut(views, |view| Cursor {
            created: view.revision.created,
            name: view.revision.name.to_string(),
            location: view.revision.service.region.to_string(),
        }))
    }

    /// Deletes a revision that gets no requests and is not the latest, unless `check` refuses it.
    ///
    /// # Errors
    /// 404 if there is none, 400 FAILED_PRECONDITION if it is in use.
    pub async fn delete_revision(
        &self,
        caller: &Caller,
        scope: &Scope,
        name: &str,
        check: impl FnOnce(&Revision) -> Result<()>,
        dry_run: bool,
    ) -> Result<(RevisionView, Operation)> {
        let _allowed = self.allow(caller, "run.revisions.delete", part(scope, name)).await?;
        let revision = self.stored_revision(scope, name).await?;
        check(&revision)?;
        let id = revision.service.clone();
        let _turn = self.0.locks.lock(&id).await;
        let service = self.stored_service(&id).await?;
        if let Some(service) = &service {
            service.check_deletable(&revision.name)?;
        }
        let operation = Operation::on_deleted_revision(self.0.parts.draw.uuid(), &revision, self.now());
        if !dry_run {
            let key = id.revision_key(&revision.name);
            let delete = Write::Delete { key, expected: Some(revision.updated.micros()) };
            let writes = vec![delete, Write::Insert(operation.to_record()?)];
            self.store().commit(writes).await.map_err(refused)?;
            self.0.retained.forget(&id);
        }
        Ok((view(revision, service.as_deref()), operation))
    }

    async fn stored_revision(&self, scope: &Scope, name: &str) -> Result<Revision> {
        let region = scope.region.as_ref().unwrap_or(&self.0.config.region);
        let (project, location) = (scope.project.id.to_string(), region.to_string());
        let key = RevisionName::lookup(name).map(|name| Key {
            kind: Kind::Revision,
            project,
            location,
            name: name.to_string(),
        });
        let found = match key {
            Some(key) => self.store().find::<Revision>(&key).await?,
            None => None,
        };
        found
            .map(Arc::unwrap_or_clone)
            .ok_or_else(|| Error::not_found("REVISION", name, region.as_str(), scope.project.id.as_str()))
    }
}

fn view(revision: Revision, service: Option<&Service>) -> RevisionView {
    let routed = service.is_some_and(|service| service.routes_to(&revision.name));
    RevisionView { revision, routed }
}

fn part<'a>(scope: &'a Scope, name: &'a str) -> Resource<'a> {
    Resource::Part { project: &scope.project, collection: "revisions", name }
}
