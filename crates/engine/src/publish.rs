//! How does the data plane learn what changed?

use std::collections::HashMap;
use std::sync::Arc;

use groundrun_model::domain_mapping::{self, DomainMapping};
use groundrun_model::instance::InstanceSpec;
use groundrun_model::kind::Key;
use groundrun_model::revision::Revision;
use groundrun_model::routing::{AccessFacts, Route};
use groundrun_model::service::Service;
use groundrun_model::{Result, RevisionName, ServiceId};

use crate::Engine;

/// What revisions run, by their keys.
type Instances = HashMap<Key, Arc<InstanceSpec>>;

impl Engine {
    /// Replaces the route of the service by what is stored now. Returns when the next request is routed
    /// by it. The caller holds the lock of the service.
    pub(crate) async fn publish(&self, id: &ServiceId) -> Result<()> {
        // One at a time: reading and replacing must not be overtaken by an older reading.
        let _turn = self.0.publishing.lock().await;
        let service = self.stored_service(id).await?;
        let table = self.0.table.load();
        let next = match service {
            None => table.without(id),
            Some(service) => table.with(self.route(&service).await?),
        };
        self.0.table.store(Arc::new(next));
        Ok(())
    }

    /// Replaces the route of the service by what `service` says, which is about to be stored.
    pub(crate) async fn publish_as(&self, service: &Service) -> Result<()> {
        let _turn = self.0.publishing.lock().await;
        let next = self.0.table.load().with(self.route(service).await?);
        self.0.table.store(Arc::new(next));
        Ok(())
    }

    /// Replaces what mapped domains lead to by what is stored now.
    pub(crate) async fn publish_domains(&self) -> Result<()> {
        let _turn = self.0.publishing.lock().await;
        let next = self.0.table.load().with_domains(self.domains().await?);
        self.0.table.store(Arc::new(next));
        Ok(())
    }

    /// Every mapped domain, and the service that it leads to.
    pub(crate) async fn domains(&self) -> Result<HashMap<String, ServiceId>> {
        let mut by_domain: HashMap<String, Vec<DomainMapping>> = HashMap::new();
        for mapping in self.store().find_all::<DomainMapping>().await? {
            by_domain.entry(mapping.domain.as_str().to_owned()).or_default().push(mapping);
        }
        let leads = |(domain, mappings): (String, Vec<DomainMapping>)| {
            Some((domain, domain_mapping::holder(&mappings)?.service()))
        };
        Ok(by_domain.into_iter().filter_map(leads).collect())
    }

    async fn route(&self, service: &Service) -> Result<Route> {
        let own = self.policy_history(&service.id.to_string()).await?;
        let realm = self.0.realm.load_full();
        let inherited = self.inherited(&service.id.project, &realm).await?;
        let instances = self.instances(service).await?;
        let instance = |name: &RevisionName| instances.get(&service.id.revision_key(name)).cloned();
        let access = AccessFacts {
            policies: &[&own],
            inherited: Some(inherited),
            propagation_seconds: self.0.config.iam_propagation_seconds,
            realm,
        };
        Ok(Route::build(service.route_facts(self.0.config.urls, access, instance)))
    }

    /// What the routed revisions of the service run.
    async fn instances(&self, service: &Service) -> Result<Instances> {
        let mut instances = Instances::new();
        for target in &service.status.serving {
            let key = service.id.revision_key(&target.revision);
            if instances.contains_key(&key) {
                continue;
            }
            if let Some(revision) = self.store().find::<Revision>(&key).await? {
                instances.insert(key, Arc::new(revision.instance_spec(&self.0.config.rules)));
            }
        }
        Ok(instances)
    }
}
