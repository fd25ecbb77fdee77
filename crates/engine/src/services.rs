//! What can be done with services?

use groundrun_model::field::Api;
use groundrun_model::kind::{Key, Kind, Resource as _};
use groundrun_model::revision::Revision;
use groundrun_model::selector::Selector;
use groundrun_model::service::plan::{self, Current, Plan, Writer};
use groundrun_model::service::{Service, ServiceSpec};
use groundrun_model::{Error, Project, Region, Result, RevisionName, ServiceId, ServiceName};
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
        let _allowed = self.allow(caller, "run.services.get", &id.to_string())?;
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
        let _allowed = self.allow(caller, "run.services.list", scope.project.id.as_str())?;
        let mut query = Query::new(Kind::Service, scope.project.id.to_string());
        query.location = scope.region.as_ref().map(ToString::to_string);
        let mut services = Vec::new();
        for record in self.store().list(&query).await? {
            let service = Service::from_record(record)?;
            if page.selector.matches(&service.labels()) {
                services.push(service);
            }
        }
        Ok(page.cut(services, |service| Cursor {
            created: service.created,
            name: service.id.name.to_string(),
            location: service.id.region.to_string(),
        }))
    }

    /// Creates a service; `dry_run` tells what would come of it and stores nothing.
    ///
    /// # Errors
    /// 400 for fields that are wrong, 409 if there is a service of this name.
    pub async fn create_service(
        &self,
        caller: &Caller,
        id: &ServiceId,
        spec: ServiceSpec,
        api: Api,
        dry_run: bool,
    ) -> Result<Service> {
        let allowed = self.allow(caller, "run.services.create", &id.to_string())?;
        let _turn = self.0.locks.lock(id).await;
        if self.store().get(&id.key()).await?.is_some() {
            return Err(Error::already_exists(id.name.as_str()));
        }
        self.write_service(allowed, id, None, spec, None, api, dry_run).await
    }

    /// Replaces what is asked of a service. `version` is the one that the writer read, if it says so.
    ///
    /// # Errors
    /// 404 if there is none, 400 for fields that are wrong, 409 if another writer was faster or if the
    /// name of the revision is taken.
    pub async fn replace_service(
        &self,
        caller: &Caller,
        id: &ServiceId,
        spec: ServiceSpec,
        version: Option<i64>,
        api: Api,
        dry_run: bool,
    ) -> Result<Service> {
        let allowed = self.allow(caller, "run.services.update", &id.to_string())?;
        let _turn = self.0.locks.lock(id).await;
        let current = self.stored_service(id).await?.ok_or_else(|| missing(id))?;
        self.write_service(allowed, id, Some(current), spec, version, api, dry_run).await
    }

    /// Deletes a service, its revisions and its policy.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn delete_service(&self, caller: &Caller, id: &ServiceId, dry_run: bool) -> Result<Service> {
        let _allowed = self.allow(caller, "run.services.delete", &id.to_string())?;
        let _turn = self.0.locks.lock(id).await;
        let service = self.stored_service(id).await?.ok_or_else(|| missing(id))?;
        let children = self.store().children(Kind::Revision, &id.key(), usize::MAX).await?;
        let revision = |name| Key { kind: Kind::Revision, name, ..id.key() };
        let revisions: Vec<Key> = children.into_iter().map(revision).collect();
        let policy = self.store().policy(&id.to_string()).await?.map(|(_, etag)| etag);
        if !dry_run {
            let writes = plan::delete(&service, revisions, policy);
            self.store().commit(writes).await.map_err(refused)?;
            self.publish(id).await?;
        }
        Ok(service)
    }

    /// Makes a name for a service that was asked for with the beginning of one only, or with none.
    ///
    /// # Errors
    /// 400 if the beginning is not one of a service's name.
    pub fn generate_service_name(&self, beginning: Option<&str>) -> Result<ServiceName> {
        let beginning = beginning.unwrap_or("service-");
        ServiceName::parse(&format!("{beginning}{}", self.0.parts.draw.suffix(5)), "metadata.generateName")
    }

    #[expect(clippy::too_many_arguments, reason = "one place brings together all that a write depends on")]
    async fn write_service(
        &self,
        allowed: Allowed<'_>,
        id: &ServiceId,
        current: Option<Service>,
        spec: ServiceSpec,
        expected: Option<i64>,
        api: Api,
        dry_run: bool,
    ) -> Result<Service> {
        let named = self.named_revision(id, spec.template.name.as_deref()).await?;
        let current = current.as_ref().map(|service| Current { service, named: named.as_ref() });
        let draw = &self.0.parts.draw;
        let suffix = draw.suffix(3);
        let writer = Writer {
            email: allowed.email(),
            now: self.now(),
            api,
            policy: self.0.config.revision_policy,
            expected,
            service_uid: draw.uuid(),
            revision_uid: draw.uuid(),
            suffix: &suffix,
        };
        let Plan { service, revision, writes } = plan::plan(id, current, spec, &writer)?;
        if dry_run || writes.is_empty() {
            return Ok(service);
        }
        self.store().commit(writes).await.map_err(refused)?;
        // What holds at service level holds from the answer on; the new revision follows when it is up.
        self.publish(id).await?;
        self.roll_out_in_background(id.clone(), revision);
        Ok(service)
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
