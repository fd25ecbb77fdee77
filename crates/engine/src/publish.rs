//! How does the data plane learn what changed?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use groundrun_model::domain_mapping::{self, DomainMapping};
use groundrun_model::iam::PolicyHistory;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::kind::{Key, Kind, Resource as _};
use groundrun_model::revision::Revision;
use groundrun_model::routing::{AccessFacts, Route, RoutingTable};
use groundrun_model::service::Service;
use groundrun_model::{Project, Result, RevisionName, ServiceId};

use crate::Engine;
use crate::policies::project_resource;

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

    /// Replaces the routes of all services of the project.
    pub(crate) async fn publish_project(&self, project: &Project) -> Result<()> {
        for id in self.0.table.load().routes().map(|route| route.id.clone()) {
            if id.project == *project {
                let _turn = self.0.locks.lock(&id).await;
                self.publish(&id).await?;
            }
        }
        Ok(())
    }

    /// Replaces the routes of all services, after what all policies refer to has changed.
    pub(crate) async fn republish(&self) -> Result<()> {
        for id in self.0.table.load().routes().map(|route| route.id.clone()) {
            let _turn = self.0.locks.lock(&id).await;
            self.publish(&id).await?;
        }
        Ok(())
    }

    /// Publishes every stored service, and goes on with rollouts that were under way.
    pub(crate) async fn publish_all(&self) -> Result<()> {
        let _turn = self.0.publishing.lock().await;
        // Few large readings instead of some for each service: this is what a start waits for.
        let mut policies = HashMap::new();
        for stored in self.store().policies().await? {
            policies.insert(stored.resource, PolicyHistory::from_json(stored.policy)?);
        }
        let services = self.store().find_all::<Service>().await?;
        let instances = self.instances(&services).await?;
        let mut table = RoutingTable::default();
        for service in &services {
            let own = policies.get(&service.id.to_string()).cloned().unwrap_or_default();
            let project = &service.id.project;
            let inherited = policies.get(&project_resource(project)).cloned();
            let inherited = inherited.unwrap_or_else(|| self.default_project_policy().into());
            table = table.with(self.route_of(service, &[&own, &inherited], &instances));
            if !service.is_settled() {
                self.recall_operations(service).await?;
            }
            self.resume_in_background(service);
        }
        let table = table.with_domains(self.domains().await?);
        self.0.table.store(Arc::new(table));
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
    async fn domains(&self) -> Result<HashMap<String, ServiceId>> {
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
        let inherited = self.project_policy_history(&service.id.project).await?;
        let mut instances = Instances::new();
        for target in &service.status.serving {
            let key = service.id.revision_key(&target.revision);
            if let Some(revision) = self.store().find::<Revision>(&key).await? {
                instances.insert(key, Arc::new(revision.instance_spec(&self.0.config.rules)));
            }
        }
        Ok(self.route_of(service, &[&own, &inherited], &instances))
    }

    fn route_of(&self, service: &Service, policies: &[&PolicyHistory], instances: &Instances) -> Route {
        let instance = |name: &RevisionName| instances.get(&service.id.revision_key(name)).cloned();
        let access = AccessFacts {
            policies,
            propagation_seconds: self.0.config.iam_propagation_seconds,
            realm: self.0.realm.load_full(),
        };
        Route::build(service.route_facts(self.0.config.urls, access, instance))
    }

    /// What the routed revisions of the services run.
    async fn instances(&self, services: &[Service]) -> Result<Instances> {
        let routed = |service: &Service| {
            let keys = service.status.serving.iter().map(|target| service.id.revision_key(&target.revision));
            keys.collect::<HashSet<Key>>()
        };
        let keys: Vec<Key> = services.iter().flat_map(routed).collect();
        let mut instances = Instances::new();
        for record in self.store().get_many(Kind::Revision, &keys).await? {
            let key = record.key.clone();
            instances
                .insert(key, Arc::new(Revision::from_record(record)?.instance_spec(&self.0.config.rules)));
        }
        Ok(instances)
    }
}
