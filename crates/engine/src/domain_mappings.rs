//! What can be done with domain mappings?

use groundrun_model::domain_mapping::{DomainMapping, DomainMappingSpec, DomainName, Standing, holder, key};
use groundrun_model::iam::Resource;
use groundrun_model::kind::{Kind, Resource as _, Write};
use groundrun_model::{Error, Project, Region, Result, domain_mapping_v1};
use groundrun_store::{Cursor, Query};

use crate::listing::{Listing, Page, Scope};
use crate::{Caller, Engine, refused};

/// A mapping, and how it stands among all that is there.
#[derive(Debug, Clone)]
pub struct DomainMappingView {
    /// The mapping.
    pub mapping: DomainMapping,
    /// How it stands.
    pub standing: Standing,
}

impl Engine {
    /// Maps a domain to a service; `dry_run` tells what would come of it and stores nothing. The service
    /// need not be there, and the domain may be mapped elsewhere: the standing tells.
    ///
    /// # Errors
    /// 409 if the domain is mapped in this project and region.
    pub async fn create_domain_mapping(
        &self,
        caller: &Caller,
        scope: &Scope,
        domain: DomainName,
        spec: DomainMappingSpec,
        dry_run: bool,
    ) -> Result<DomainMappingView> {
        let allowed =
            self.allow(caller, "run.domainmappings.create", Resource::Project(&scope.project)).await?;
        let (project, region) = (scope.project.clone(), self.region(scope).clone());
        if self.store().get(&key(&project, &region, &domain)).await?.is_some() {
            return Err(Error::already_exists(domain.as_str()));
        }
        // Who was first decides who has a domain: no two are made at the same moment.
        let latest = self.store().find_all::<DomainMapping>().await?.iter().map(|it| it.created).max();
        let created = latest.map_or(self.now(), |latest| latest.advance(self.now()));
        let mapping = DomainMapping {
            project,
            region,
            domain,
            uid: self.0.parts.draw.uuid(),
            created,
            creator: allowed.email().to_owned(),
            spec,
        };
        if !dry_run {
            let write = Write::Insert(mapping.to_record()?);
            self.store().commit(vec![write]).await.map_err(refused)?;
            self.publish_domains().await?;
        }
        self.view(mapping).await
    }

    /// The mapping of a domain in one region.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn get_domain_mapping(
        &self,
        caller: &Caller,
        scope: &Scope,
        domain: &str,
    ) -> Result<DomainMappingView> {
        let _allowed = self.allow(caller, "run.domainmappings.get", part(scope, domain)).await?;
        let mapping = self.stored_mapping(scope, domain).await?;
        self.view(mapping).await
    }

    /// The mappings of a scope that the page selects, newest first.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_domain_mappings(
        &self,
        caller: &Caller,
        scope: &Scope,
        page: &Page,
    ) -> Result<Listing<DomainMappingView>> {
        let _allowed =
            self.allow(caller, "run.domainmappings.list", Resource::Project(&scope.project)).await?;
        let mut query = Query::new(Kind::DomainMapping, scope.project.id.to_string());
        query.location = scope.region.as_ref().map(ToString::to_string);
        let mut mappings = Vec::new();
        for record in self.store().list(&query).await? {
            let mapping = DomainMapping::from_record(record)?;
            if page.selector.matches(&domain_mapping_v1::labels(&mapping)) {
                mappings.push(mapping);
            }
        }
        let Listing { items, next } = page.cut(mappings, |mapping| Cursor {
            created: mapping.created,
            name: mapping.domain.as_str().to_owned(),
            location: mapping.region.to_string(),
        });
        let mut views = Vec::with_capacity(items.len());
        for mapping in items {
            views.push(self.view(mapping).await?);
        }
        Ok(Listing { items: views, next })
    }

    /// Deletes a mapping: its host is unknown again, or leads to what another mapping of it says.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn delete_domain_mapping(
        &self,
        caller: &Caller,
        scope: &Scope,
        domain: &str,
        dry_run: bool,
    ) -> Result<DomainMapping> {
        let _allowed = self.allow(caller, "run.domainmappings.delete", part(scope, domain)).await?;
        let mapping = self.stored_mapping(scope, domain).await?;
        if !dry_run {
            let write = Write::Delete { key: mapping.key(), expected: Some(mapping.created.micros()) };
            self.store().commit(vec![write]).await.map_err(refused)?;
            self.publish_domains().await?;
        }
        Ok(mapping)
    }

    /// The domains of which mappings may be made. Nobody owns a domain here: `.`, the root of DNS, which
    /// every domain is below, stands for all.
    ///
    /// # Errors
    /// 403 if the caller may not list them.
    pub async fn list_authorized_domains(
        &self,
        caller: &Caller,
        project: &Project,
    ) -> Result<Vec<&'static str>> {
        let _allowed = self.allow(caller, "run.domainmappings.list", Resource::Project(project)).await?;
        Ok(vec!["."])
    }

    async fn stored_mapping(&self, scope: &Scope, domain: &str) -> Result<DomainMapping> {
        let region = self.region(scope);
        let record = match DomainName::lookup(domain) {
            Some(name) => self.store().get(&key(&scope.project, region, &name)).await?,
            None => None,
        };
        let missing =
            || Error::not_found("DOMAIN_MAPPING", domain, region.as_str(), scope.project.id.as_str());
        DomainMapping::from_record(record.ok_or_else(missing)?)
    }

    async fn view(&self, mapping: DomainMapping) -> Result<DomainMappingView> {
        let others = self.store().find_all::<DomainMapping>().await?;
        let rivals = others.iter().filter(|other| other.domain == mapping.domain);
        // Itself too: one that is only tried is not stored.
        let holder = holder(rivals.chain([&mapping])).unwrap_or(&mapping);
        let service = self.store().get(&mapping.service().key()).await?;
        let standing = mapping.standing(holder, service.map(|record| record.created));
        Ok(DomainMappingView { mapping, standing })
    }

    fn region<'r>(&'r self, scope: &'r Scope) -> &'r Region {
        scope.region.as_ref().unwrap_or(&self.0.config.region)
    }
}

fn part<'a>(scope: &'a Scope, name: &'a str) -> Resource<'a> {
    Resource::Part { project: &scope.project, collection: "domainmappings", name }
}
