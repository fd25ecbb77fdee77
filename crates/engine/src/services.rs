//! What can be done with services?

use std::collections::HashSet;

use groundrun_model::field::Api;
use groundrun_model::iam::Resource;
use groundrun_model::kind::{Key, Kind, Resource as _, Write};
use groundrun_model::operation::{Operation, Target, Verb};
use groundrun_model::revision::Revision;
use groundrun_model::selector::Selector;
use groundrun_model::service::plan::{self, Current, Plan, Writer};
use groundrun_model::service::{Service, ServiceSpec};
use groundrun_model::{Error, Project, Region, Result, RevisionName, ServiceId, ServiceName, Timestamp};
use groundrun_store::{Cursor, Query};

use crate::{Allowed, Caller, Engine, refused};

/// Where to list: one region of a project, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The project.
    pub project: Project,
    /// The region; `None` for all.
    pub region: Option<Region>,
}

/// Which part of a list a caller wants.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// By labels.
    pub selector: Selector,
    /// How many at most; `None` for all.
    pub limit: Option<usize>,
    /// Where the page before this one ended.
    pub after: Option<Cursor>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// What is on this page, newest first.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// How a service is written.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions {
    /// The API that the request came through.
    pub api: Api,
    /// Whether to tell what would come of it, and to store nothing.
    pub dry_run: bool,
    /// The version that the writer read, if it says so.
    pub expected: Option<i64>,
    /// Whether a revision is cut even if nothing has changed.
    pub force_new_revision: bool,
    /// Whether an update may create the service.
    pub allow_missing: bool,
}

impl WriteOptions {
    /// A plain write through `api`.
    pub const fn through(api: Api) -> Self {
        Self { api, dry_run: false, expected: None, force_new_revision: false, allow_missing: false }
    }
}

/// What a write came to.
#[derive(Debug, Clone)]
pub struct Written {
    /// The service after the write; before it, where it was deleted.
    pub service: Service,
    /// The operation that the write is.
    pub operation: Operation,
}

/// A service that is there, or was.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// The service.
    pub service: Service,
    /// When it was deleted and until when it can be listed, if it was.
    pub deleted: Option<(Timestamp, Timestamp)>,
}

/// The place of a service in a list.
fn place(service: &Service) -> Cursor {
    Cursor {
        created: service.created,
        name: service.id.name.to_string(),
        location: service.id.region.to_string(),
    }
}

impl Page {
    /// Cuts this page out of all that there is, newest first.
    pub(crate) fn cut<T>(&self, all: Vec<T>, place: impl Fn(&T) -> Cursor) -> Listing<T> {
        let behind = |cursor: &Cursor, after: &Cursor| {
            (cursor.created, &cursor.name, &cursor.location) < (after.created, &after.name, &after.location)
        };
        let mut rest = all
            .into_iter()
            .filter(|item| self.after.as_ref().is_none_or(|after| behind(&place(item), after)))
            .peekable();
        let items: Vec<T> = rest.by_ref().take(self.limit.unwrap_or(usize::MAX)).collect();
        let next = rest.peek().and(items.last()).map(&place);
        Listing { items, next }
    }
}

impl Engine {
    /// The service. While it is about to settle, this waits a moment for it.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn get_service(&self, caller: &Caller, id: &ServiceId) -> Result<Service> {
        let _allowed = self.allow(caller, "run.services.get", Resource::Service(id)).await?;
        self.settled_service(id).await?.ok_or_else(|| missing(id))
    }

    /// The services of a scope, newest first.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_services(
        &self,
        caller: &Caller,
        scope: &Scope,
        page: &Page,
    ) -> Result<Listing<Service>> {
        let _allowed = self.allow(caller, "run.services.list", Resource::Project(&scope.project)).await?;
        let services = self.services_of(scope, page).await?;
        Ok(page.cut(services, place))
    }

    /// The services of a scope with those that were deleted and have not expired, newest first.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_services_with_deleted(
        &self,
        caller: &Caller,
        scope: &Scope,
        page: &Page,
    ) -> Result<Listing<ServiceView>> {
        let _allowed = self.allow(caller, "run.services.list", Resource::Project(&scope.project)).await?;
        let services = self.services_of(scope, page).await?;
        let there: HashSet<ServiceId> = services.iter().map(|service| service.id.clone()).collect();
        let view = |service| ServiceView { service, deleted: None };
        let mut views: Vec<ServiceView> = services.into_iter().map(view).collect();
        for operation in self.operations_of(scope).await? {
            let Some(deleted) = operation.deleted().filter(|(_, expires)| *expires > self.now()) else {
                continue;
            };
            let Target::Service(service) = operation.target else { continue };
            if !there.contains(&service.id) && page.selector.matches(&service.labels()) {
                views.push(ServiceView { service: *service, deleted: Some(deleted) });
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse((view.service.created, view.service.id.name.to_string())));
        Ok(page.cut(views, |view| place(&view.service)))
    }

    async fn services_of(&self, scope: &Scope, page: &Page) -> Result<Vec<Service>> {
        let mut query = Query::new(Kind::Service, scope.project.id.to_string());
        query.location = scope.region.as_ref().map(ToString::to_string);
        let mut services = Vec::new();
        for record in self.store().list(&query).await? {
            let service = Service::from_record(record)?;
            if page.selector.matches(&service.labels()) {
                services.push(service);
            }
        }
        Ok(services)
    }

    /// Creates a service.
    ///
    /// # Errors
    /// 400 for fields that are wrong, 409 if there is a service of this name.
    pub async fn create_service(
        &self,
        caller: &Caller,
        id: &ServiceId,
        spec: ServiceSpec,
        how: WriteOptions,
    ) -> Result<Written> {
        let allowed = self.allow(caller, "run.services.create", Resource::Service(id)).await?;
        let _turn = self.0.locks.lock(id).await;
        if self.store().get(&id.key()).await?.is_some() {
            return Err(Error::already_exists(id.name.as_str()));
        }
        self.write_service(allowed, id, None, spec, how).await
    }

    /// Replaces what is asked of a service with what `change` makes of it. Where `how` allows that it is
    /// missing, it is created.
    ///
    /// # Errors
    /// 404 if there is none, 400 for fields that are wrong, 409 if another writer was faster or if the
    /// name of the revision is taken.
    pub async fn update_service(
        &self,
        caller: &Caller,
        id: &ServiceId,
        change: impl FnOnce(Option<&Service>) -> Result<ServiceSpec>,
        how: WriteOptions,
    ) -> Result<Written> {
        let allowed = self.allow(caller, "run.services.update", Resource::Service(id)).await?;
        let _turn = self.0.locks.lock(id).await;
        let current = self.stored_service(id).await?;
        if current.is_none() {
            if !how.allow_missing {
                return Err(missing(id));
            }
            self.allow(caller, "run.services.create", Resource::Service(id)).await?;
        }
        let spec = change(current.as_ref())?;
        self.write_service(allowed, id, current, spec, how).await
    }

    /// Deletes a service, its revisions and its policy, unless `check` refuses it.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn delete_service(
        &self,
        caller: &Caller,
        id: &ServiceId,
        check: impl FnOnce(&Service) -> Result<()>,
        dry_run: bool,
    ) -> Result<Written> {
        let _allowed = self.allow(caller, "run.services.delete", Resource::Service(id)).await?;
        let _turn = self.0.locks.lock(id).await;
        let service = self.stored_service(id).await?.ok_or_else(|| missing(id))?;
        check(&service)?;
        let operation = self.0.parts.draw.uuid();
        let operation = Operation::on_service(operation, Verb::Delete, &service, self.now()).done();
        if dry_run {
            return Ok(Written { service, operation });
        }
        let children = self.store().children(Kind::Revision, &id.key(), usize::MAX).await?;
        let revision = |name| Key { kind: Kind::Revision, name, ..id.key() };
        let revisions: Vec<Key> = children.into_iter().map(revision).collect();
        let policy = self.store().policy(&id.to_string()).await?.map(|(_, etag)| etag);
        let writes = plan::delete(&service, revisions, policy, self.0.running.of(id), &operation)?;
        self.store().commit(writes).await.map_err(refused)?;
        self.0.running.forget(id);
        self.publish(id).await?;
        self.0.settled.send_modify(|count| *count += 1);
        Ok(Written { service, operation })
    }

    /// Makes a name for a service that was asked for with the beginning of one only, or with none.
    ///
    /// # Errors
    /// 400 if the beginning is not one of a service's name.
    pub fn generate_service_name(&self, beginning: Option<&str>) -> Result<ServiceName> {
        let beginning = beginning.unwrap_or("service-");
        ServiceName::parse(&format!("{beginning}{}", self.0.parts.draw.suffix(5)), "metadata.generateName")
    }

    async fn write_service(
        &self,
        allowed: Allowed<'_>,
        id: &ServiceId,
        current: Option<Service>,
        spec: ServiceSpec,
        how: WriteOptions,
    ) -> Result<Written> {
        let named = self.named_revision(id, spec.template.name.as_deref()).await?;
        let current = current.as_ref().map(|service| Current { service, named: named.as_ref() });
        let draw = &self.0.parts.draw;
        let suffix = draw.suffix(3);
        let writer = Writer {
            email: allowed.email(),
            now: self.now(),
            api: how.api,
            policy: self.0.config.revision_policy,
            expected: how.expected,
            service_uid: draw.uuid(),
            revision_uid: draw.uuid(),
            operation: draw.uuid(),
            force_new_revision: how.force_new_revision,
            suffix: &suffix,
        };
        let Plan { service, revision, operation, mut writes } = plan::plan(id, current, spec, &writer)?;
        self.allow_deployment(allowed.caller(), current, &service, revision.is_some()).await?;
        if how.dry_run {
            return Ok(Written { service, operation: operation.done() });
        }
        if writes.is_empty() {
            // v1 has no use for the operation of a write that changed nothing.
            if how.api == Api::V2 {
                self.store().commit(vec![Write::Insert(operation.to_record()?)]).await.map_err(refused)?;
            }
            return Ok(Written { service, operation });
        }
        writes.extend(self.0.running.pruning(id));
        self.store().commit(writes).await.map_err(refused)?;
        self.0.running.add(id, operation.clone());
        // What holds at service level holds from the answer on; the new revision follows when it is up.
        self.publish(id).await?;
        self.roll_out_in_background(id.clone(), revision);
        Ok(Written { service, operation })
    }

    /// The revision of the service that already has the name which the template asks for.
    async fn named_revision(&self, id: &ServiceId, name: Option<&str>) -> Result<Option<Revision>> {
        let Some(name) = name.and_then(RevisionName::lookup) else { return Ok(None) };
        self.store().get(&id.revision_key(&name)).await?.map(Revision::from_record).transpose()
    }
}

/// 404 for a service.
pub(crate) fn missing(id: &ServiceId) -> Error {
    Error::not_found("SERVICE", id.name.as_str(), id.region.as_str(), id.project.id.as_str())
}

/// All revisions of a service.
pub(crate) fn revisions_of(id: &ServiceId) -> Query {
    Query {
        location: Some(id.region.to_string()),
        parent: Some(id.name.to_string()),
        ..Query::new(Kind::Revision, id.project.id.to_string())
    }
}
