//! How are the routes of thousands of services built at once?
//!
//! At the start, and when something changes that all policies refer to. Few large readings, each of which
//! becomes routes on any core while the next one is on its way; what is not a part of a route is gone before
//! much of it has come together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use groundrun_model::iam::{PolicyHistory, Realm};
use groundrun_model::instance::InstanceSpec;
use groundrun_model::revision::stored_instance_spec;
use groundrun_model::routing::{AccessFacts, Grantees, Route, RoutingTable};
use groundrun_model::service::routed::RoutedService;
use groundrun_model::{Error, Project, Region, Result, RevisionName, ServiceId, ServiceName};
use groundrun_store::{BULK, Place, ServiceRow, ServiceRows};
use tokio::task::JoinSet;

use crate::Engine;

/// How many readings become routes at the same time: what is read is bounded, and two cores are kept busy.
const AT_ONCE: usize = 2;

/// What the services of one place have in common. Names are shared, as thousands of routes have them.
#[derive(Debug, Clone)]
struct Common {
    place: Place,
    project: Project,
    region: Region,
    /// The policy of the project.
    inherited: Arc<Grantees>,
    realm: Arc<Realm>,
}

/// The routes of one reading.
#[derive(Debug, Default)]
struct Routes {
    /// With the moments at which the services were created.
    routes: Vec<(i64, Route)>,
    /// Those for which something is left to do.
    restless: Vec<ServiceId>,
}

impl Engine {
    /// Publishes every stored service, and goes on with rollouts that were under way.
    pub(crate) async fn publish_all(&self) -> Result<()> {
        let _turn = self.0.publishing.lock().await;
        let mut loaded = Routes::default();
        let mut building = JoinSet::new();
        for place in self.store().service_places().await? {
            let common = self.common(place).await?;
            let mut end = None;
            loop {
                let rows = self.store().service_page(&common.place, end.as_ref()).await?;
                end = rows.end()?;
                if building.len() >= AT_ONCE {
                    loaded.take(building.join_next().await)?;
                }
                let (engine, common) = (self.clone(), common.clone());
                building.spawn(async move { engine.build(&common, &rows).await });
                if end.is_none() {
                    break;
                }
            }
        }
        while !building.is_empty() {
            loaded.take(building.join_next().await)?;
        }
        // As if they were published one after the other: of two services with one host the newer has it.
        loaded.routes.sort_by_key(|(created, _)| *created);
        let table = RoutingTable::default().with_all(loaded.routes.into_iter().map(|(_, route)| route));
        self.0.table.store(Arc::new(table.with_domains(self.domains().await?)));
        self.go_on_with(&loaded.restless).await
    }

    /// Replaces the routes of all services, after what all policies refer to has changed.
    pub(crate) async fn republish(&self) -> Result<()> {
        self.republish_those(|_| true).await
    }

    /// Replaces the routes of all services of the project.
    pub(crate) async fn publish_project(&self, project: &Project) -> Result<()> {
        self.republish_those(|id| id.project == *project).await
    }

    async fn republish_those(&self, are: impl Fn(&ServiceId) -> bool) -> Result<()> {
        let mut done: HashSet<ServiceId> = HashSet::new();
        // Whoever publishes a new service meanwhile may have read what has changed since. It holds the lock
        // of its service: once every lock was taken, its route is in the table, and the second turn sees it.
        for takes_every_lock in [true, false] {
            let mut by_lock: Vec<Vec<ServiceId>> = vec![Vec::new(); self.0.locks.count()];
            for route in self.0.table.load_full().routes() {
                if are(&route.id) && !done.contains(&route.id) {
                    by_lock[self.0.locks.of(&route.id)].push(route.id.clone());
                }
            }
            for (lock, ids) in by_lock.into_iter().enumerate() {
                if takes_every_lock || !ids.is_empty() {
                    let _turn = self.0.locks.lock_at(lock).await;
                    self.publish_many(&ids).await?;
                }
                done.extend(ids);
            }
        }
        Ok(())
    }

    /// Replaces the routes of the services by what is stored now. The caller holds their locks.
    async fn publish_many(&self, ids: &[ServiceId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut by_place: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
        for id in ids {
            let (project, location) = (id.project.id.to_string(), id.region.to_string());
            by_place.entry(Place { project, location }).or_default().push(id.name.as_str());
        }
        let mut loaded = Routes::default();
        for (place, names) in by_place {
            let common = self.common(place).await?;
            for names in names.chunks(BULK) {
                let rows = self.store().services_named(&common.place, names).await?;
                loaded.add(self.build(&common, &rows).await?);
            }
        }
        let _turn = self.0.publishing.lock().await;
        let there: HashSet<&ServiceId> = loaded.routes.iter().map(|(_, route)| &route.id).collect();
        let gone = ids.iter().filter(|id| !there.contains(id));
        let table = gone.fold(RoutingTable::clone(&self.0.table.load()), |table, id| table.without(id));
        drop(there);
        let routes = loaded.routes.into_iter().map(|(_, route)| route);
        self.0.table.store(Arc::new(table.refreshed(routes)));
        Ok(())
    }

    async fn common(&self, place: Place) -> Result<Common> {
        let project = Project::parse(&place.project)?;
        let realm = self.0.realm.load_full();
        Ok(Common {
            region: Region::parse(&place.location)?,
            inherited: self.inherited(&project, &realm).await?,
            project,
            place,
            realm,
        })
    }

    /// The routes of the services in `rows`.
    async fn build(&self, common: &Common, rows: &ServiceRows) -> Result<Routes> {
        let mut services = Vec::with_capacity(BULK);
        for row in rows.iter() {
            let row = row?;
            services.push((common.read(&row)?, row));
        }
        let names: Vec<&str> =
            services.iter().flat_map(|(service, _)| service.revisions()).map(RevisionName::as_str).collect();
        let revisions = self.store().revisions_named(&common.place, &names).await?;
        let mut specs: HashMap<&str, &str> = HashMap::with_capacity(names.len());
        for row in revisions.iter() {
            let row = row?;
            specs.insert(row.name, row.spec);
        }
        let mut built = Routes::default();
        for (service, row) in services {
            let route = self.routed(common, &service, row.policy, &specs)?;
            built.routes.push((row.created, route));
            if !service.is_at_rest {
                built.restless.push(service.id);
            }
        }
        Ok(built)
    }

    fn routed(
        &self,
        common: &Common,
        service: &RoutedService,
        policy: Option<&str>,
        specs: &HashMap<&str, &str>,
    ) -> Result<Route> {
        let mut instances: BTreeMap<&RevisionName, Arc<InstanceSpec>> = BTreeMap::new();
        for name in service.revisions() {
            if let Some(spec) = specs.get(name.as_str()) {
                let spec = stored_instance_spec(&service.id, name.as_str(), spec, &self.0.config.rules)?;
                instances.insert(name, Arc::new(spec));
            }
        }
        let own = policy.map(|policy| stored_policy(policy, &service.id.to_string())).transpose()?;
        let policies: Vec<&PolicyHistory> = own.iter().collect();
        let access = AccessFacts {
            policies: &policies,
            inherited: Some(Arc::clone(&common.inherited)),
            propagation_seconds: self.0.config.iam_propagation_seconds,
            realm: Arc::clone(&common.realm),
        };
        let instance = |name: &RevisionName| instances.get(name).cloned();
        Ok(Route::build(service.route_facts(self.0.config.urls, access, instance)))
    }

    /// Goes on with what was under way when the engine ended.
    async fn go_on_with(&self, restless: &[ServiceId]) -> Result<()> {
        for id in restless {
            let Some(service) = self.stored_service(id).await? else { continue };
            if !service.is_settled() {
                self.recall_operations(&service).await?;
            }
            self.resume_in_background(&service);
        }
        Ok(())
    }
}

impl Common {
    fn read(&self, row: &ServiceRow<'_>) -> Result<RoutedService> {
        let id = ServiceId {
            project: self.project.clone(),
            region: self.region.clone(),
            name: ServiceName::parse(row.name, "metadata.name")?,
        };
        RoutedService::read(id, row.generation, row.spec, row.status)
    }
}

impl Routes {
    fn add(&mut self, other: Self) {
        self.routes.extend(other.routes);
        self.restless.extend(other.restless);
    }

    /// # Errors
    /// What kept the routes from being built.
    fn take(
        &mut self,
        built: Option<std::result::Result<Result<Self>, tokio::task::JoinError>>,
    ) -> Result<()> {
        match built {
            Some(Ok(built)) => self.add(built?),
            Some(Err(broken)) => return Err(Error::internal(broken)),
            None => {}
        }
        Ok(())
    }
}

/// Reads the IAM policy that is stored for `resource`.
///
/// # Errors
/// 500 that names the resource.
fn stored_policy(text: &str, resource: &str) -> Result<PolicyHistory> {
    let damaged = |problem: &dyn std::fmt::Display| {
        Error::internal(format!("the stored IAM policy of '{resource}' is damaged: {problem}"))
    };
    let json = serde_json::from_str(text).map_err(|problem| damaged(&problem))?;
    PolicyHistory::from_json(json).map_err(|problem| damaged(&problem))
}
