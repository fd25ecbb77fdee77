//! What can be done with services?

use std::sync::Arc;

use groundrun_model::field::Api;
use groundrun_model::iam::Resource;
use groundrun_model::kind::{Key, Kind, Resource as _, Write};
use groundrun_model::operation::{Operation, Target, Verb};
use groundrun_model::revision::Revision;
use groundrun_model::service::plan::{self, Current, Plan, Writer};
use groundrun_model::service::{Service, ServiceSpec};
use groundrun_model::{Error, Result, RevisionName, ServiceId, ServiceName, Timestamp};
use groundrun_store::{Cursor, Known, Query};

use crate::listing::{Listing, Page, Scope, Walk};
use crate::{Allowed, Caller, Engine, refused};

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

impl Engine {
    /// The service. While it is about to settle, this waits a moment for it.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn get_service(&self, caller: &Caller, id: &ServiceId) -> Result<Arc<Service>> {
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
        let view = |service| ServiceView { service, deleted: None };
        let mut views: Vec<ServiceView> = services.into_iter().map(view).collect();
        for operation in self.operations_of(scope, &Page::default()).await? {
            let Some(deleted) = operation.deleted().filter(|(_, expires)| *expires > self.now()) else {
                continue;
            };
            let Target::Service(service) = operation.target else { continue };
            let is_gone = self.stored_service(&service.id).await?.is_none();
            if is_gone && page.selector.matches(&service.labels()) {
                views.push(ServiceView { service: *service, deleted: Some(deleted) });
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse((view.service.created, view.service.id.name.to_string())));
        Ok(page.cut(views, |view| place(&view.service)))
    }

    async fn services_of(&self, scope: &Scope, page: &Page) -> Result<Vec<Service>> {
        let mut walk = Walk::new(Kind::Service, scope, page);
        let mut services = Vec::new();
        while let Some(records) = walk.next(self.store(), services.len()).await? {
            for record in records {
                let service = Service::from_record(record)?;
                if page.selector.is_empty() || page.selector.matches(&service.labels()) {
                    services.push(service);
                }
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
        // Every service has a route. What has none need not be looked for: the database refuses a second
        // one of this name, in the same words.
        let may_exist = self.0.table.load().get(id).is_some();
        if may_exist && self.stored_service(id).await?.is_some() {
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
        let spec = change(current.as_deref())?;
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
        let service = Arc::unwrap_or_clone(service);
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
        self.0.retained.forget(id);
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
        current: Option<Arc<Service>>,
        spec: ServiceSpec,
        how: WriteOptions,
    ) -> Result<Written> {
        let named = self.named_revision(id, spec.template.name.as_deref()).await?;
        let current = current.as_deref().map(|service| Current { service, named: named.as_deref() });
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
        let mut known = vec![
            Known::new(id.key(), Arc::new(service.clone())),
            Known::new(operation.own_key(), Arc::new(operation.clone())),
        ];
        if let Some(revision) = &revision {
            known.push(Known::new(id.revision_key(&revision.name), Arc::new(revision.clone())));
        }
        self.store().commit_known(writes, known).await.map_err(refused)?;
        self.0.running.add(id, operation.clone());
        // What holds at service level holds from the answer on; the new revision follows when it is up.
        self.publish(id).await?;
        self.roll_out_in_background(id.clone(), revision);
        Ok(Written { service, operation })
    }

    /// The revision of the service that already has the name which the template asks for.
    async fn named_revision(&self, id: &ServiceId, name: Option<&str>) -> Result<Option<Arc<Revision>>> {
        let Some(name) = name.and_then(RevisionName::lookup) else { return Ok(None) };
        self.store().find(&id.revision_key(&name)).await
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
