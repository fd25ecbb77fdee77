//! How does a new revision come up and take over?

use std::sync::Arc;
use std::time::Duration;

use groundrun_model::kind::{Kind, Resource as _, Write};
use groundrun_model::operation::Operation;
use groundrun_model::revision::{Revision, RevisionEvent, RevisionPhase};
use groundrun_model::service::reconcile::{Phases, reconcile};
use groundrun_model::service::{Failure, Service, TrafficRevision, retention};
use groundrun_model::{Result, RevisionName, ServiceId};
use groundrun_store::Known;
use uuid::Uuid;

use crate::services::revisions_of;
use crate::{Engine, refused};

/// How long a reader waits for a service that is about to settle.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);

/// What became of the start of a revision.
type Start = (RevisionName, RevisionEvent);

impl Engine {
    /// Starts the revision that a write cut, if it did, and lets the service follow, while the caller
    /// goes on.
    pub(crate) fn roll_out_in_background(&self, id: ServiceId, revision: Option<Revision>) {
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(problem) = engine.roll_out(&id, revision).await {
                tracing::error!(service = %id, %problem, "cannot roll the service out");
            }
        });
    }

    /// Goes on with what was under way when the engine ended: every revision that is still pending,
    /// since each of them may be named by the traffic.
    pub(crate) fn resume_in_background(&self, service: &Service) {
        if service.is_settled() && service.status.route_failure.is_none() {
            return;
        }
        let (engine, id) = (self.clone(), service.id.clone());
        tokio::spawn(async move {
            let resumed = async {
                for record in engine.store().list(&revisions_of(&id)).await? {
                    engine.roll_out(&id, Some(Revision::from_record(record)?)).await?;
                }
                engine.settle(&id, None).await
            };
            if let Err(problem) = resumed.await {
                tracing::error!(service = %id, %problem, "cannot go on with the rollout of the service");
            }
        });
    }

    async fn roll_out(&self, id: &ServiceId, revision: Option<Revision>) -> Result<()> {
        let pending = revision.filter(|revision| revision.phase == RevisionPhase::Pending);
        let start = match pending {
            Some(revision) => Some(self.start(revision).await),
            None => None,
        };
        self.settle(id, start).await
    }

    /// Starts the first instance of a revision. This may take minutes, and holds nobody up.
    async fn start(&self, revision: Revision) -> Start {
        let event =
            match self.0.parts.backend.start(revision.instance_spec(&self.0.config.rules), self.logs()).await
            {
                Ok(()) => RevisionEvent::Started,
                Err(failure) => RevisionEvent::StartFailed(Failure {
                    reason: failure.reason.to_string(),
                    message: failure.message.to_string(),
                }),
            };
        (revision.name, event)
    }

    /// Notes what became of the start of a revision, derives the status of the service from the phases
    /// of its revisions, and publishes it; all in one commit.
    async fn settle(&self, id: &ServiceId, start: Option<Start>) -> Result<()> {
        let _turn = self.0.locks.lock(id).await;
        let Some(service) = self.stored_service(id).await? else { return Ok(()) };
        let (mut writes, mut known) = (Vec::new(), Vec::new());
        let mut phases = self.phases(&service).await?;
        if let Some((revision, expected)) = self.moved(id, start).await? {
            phases.insert(revision.name.to_string(), progress(&revision));
            let record = revision.to_record()?;
            known.push(Known::new(record.key.clone(), Arc::new(revision)));
            writes.push(Write::Update { record, expected });
        }
        let reconciled = reconcile(&service, &phases, self.now());
        let mut over = Vec::new();
        if let Some(status) = reconciled {
            let settled = Arc::new(Service { status, ..Arc::unwrap_or_clone(service) });
            // Routed first and noted then: whoever reads that the service is ready can call it.
            self.publish_as(&settled).await?;
            let record = settled.to_record()?;
            let (key, uid, expected) = (record.key, record.uid, record.version);
            known.push(Known::new(key.clone(), Arc::clone(&settled)));
            writes.push(Write::Status { key, uid, expected, status: record.status });
            writes.extend(self.removals(&settled).await?);
            over = self.over(&settled, &mut writes, &mut known)?;
        }
        if writes.is_empty() {
            return Ok(());
        }
        if let Err(problem) = self.store().commit_known(writes, known).await {
            self.0.retained.forget(id);
            self.publish(id).await?;
            return Err(refused(problem));
        }
        self.0.running.finish(id, &over);
        self.0.settled.send_modify(|count| *count += 1);
        Ok(())
    }

    /// The operations that are over now that the service is as it is; adds what writes it down, and what
    /// that leaves.
    fn over(&self, service: &Service, writes: &mut Vec<Write>, known: &mut Vec<Known>) -> Result<Vec<Uuid>> {
        let mut over = Vec::new();
        for running in self.0.running.of(&service.id) {
            if let Some(done) = running.settle(service, self.now()) {
                let record = done.to_record()?;
                over.push(done.id);
                known.push(Known::new(record.key.clone(), Arc::new(done)));
                writes.push(Write::Update { record, expected: running.updated.micros() });
            }
        }
        Ok(over)
    }

    /// Remembers the operations that were under way on the service when the engine ended.
    pub(crate) async fn recall_operations(&self, service: &Service) -> Result<()> {
        let names = self.store().children(Kind::Operation, &service.id.key(), usize::MAX).await?;
        let key = |name: &String| Operation::key(&service.id.project, &service.id.region, name);
        let keys: Vec<_> = names.iter().map(key).collect();
        let mut operations = Vec::new();
        for record in self.store().get_many(Kind::Operation, &keys).await? {
            operations.push(Operation::from_record(record)?);
        }
        operations.sort_by_key(|operation| operation.created);
        for operation in operations {
            self.0.running.add(&service.id, operation);
        }
        Ok(())
    }

    /// The service, once it has settled or has had [`PATIENCE`] to do so. gcloud asks for the first time
    /// 5 to 12 ms after the answer to its write, and then once a second: without patience a revision that
    /// comes up a moment later would cost a whole second.
    pub(crate) async fn settled_service(&self, id: &ServiceId) -> Result<Option<Arc<Service>>> {
        let mut settled = self.0.settled.subscribe();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.stored_service(id).await?;
            if found.as_ref().is_none_or(|service| service.is_settled()) {
                return Ok(found);
            }
            // The sender lives as long as the engine: only the time can run out.
            if tokio::time::timeout_at(deadline, settled.changed()).await.is_err() {
                return Ok(found);
            }
        }
    }

    /// The removal of the revisions that the service has too many.
    async fn removals(&self, service: &Service) -> Result<Vec<Write>> {
        // Numbers are never used twice: with fewer numbers than the limit there is nothing to count.
        let number = service.status.configuration_generation;
        if number <= retention::LIMIT as u64 {
            return Ok(Vec::new());
        }
        let service_key = service.id.key();
        let count = match self.0.retained.get(&service.id, number) {
            Some(count) => count,
            None => self.store().child_count(Kind::Revision, &service_key).await?,
        };
        let candidates = retention::candidates(service, count);
        let oldest = match candidates {
            0 => Vec::new(),
            _ => self.store().children(Kind::Revision, &service_key, candidates).await?,
        };
        let oldest = oldest.iter().filter_map(|name| RevisionName::lookup(name));
        let excess = retention::excess(service, oldest, count);
        self.0.retained.set(&service.id, number, count - excess.len());
        let removal = |name| Write::Delete { key: service.id.revision_key(&name), expected: None };
        Ok(excess.into_iter().map(removal).collect())
    }

    /// The revision after its start, and the version that it is stored at; `None` if it was deleted
    /// meanwhile, or somebody else has started it.
    async fn moved(&self, id: &ServiceId, start: Option<Start>) -> Result<Option<(Revision, i64)>> {
        let Some((name, event)) = start else { return Ok(None) };
        let found = self.store().find::<Revision>(&id.revision_key(&name)).await?;
        let Some(revision) = found.map(Arc::unwrap_or_clone) else { return Ok(None) };
        if revision.phase != RevisionPhase::Pending {
            return Ok(None);
        }
        let expected = revision.updated.micros();
        let updated = revision.updated.advance(self.now());
        Ok(Some((Revision { phase: revision.phase.next(event), updated, ..revision }, expected)))
    }

    /// The phases of the revisions that the status depends on.
    async fn phases(&self, service: &Service) -> Result<Phases> {
        let named = service.spec.traffic.iter().filter_map(|target| match &target.revision {
            TrafficRevision::Named(name) => RevisionName::lookup(name),
            TrafficRevision::Latest => None,
        });
        let own = [&service.status.latest_created, &service.status.latest_ready];
        let mut phases = Phases::new();
        for name in named.chain(own.into_iter().flatten().cloned()) {
            let found = self.store().find::<Revision>(&service.id.revision_key(&name)).await?;
            let Some(revision) = found else { continue };
            // A revision of another service may have the name that the traffic asks for.
            if revision.service == service.id {
                phases.insert(name.to_string(), progress(&revision));
            }
        }
        Ok(phases)
    }

    pub(crate) async fn stored_service(&self, id: &ServiceId) -> Result<Option<Arc<Service>>> {
        self.store().find(&id.key()).await
    }
}

fn progress(revision: &Revision) -> (u64, RevisionPhase) {
    (revision.configuration_generation, revision.phase.clone())
}
