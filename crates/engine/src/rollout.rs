//! How does a new revision come up and take over?

use std::collections::HashMap;

use groundrun_model::kind::{Resource as _, Write};
use groundrun_model::revision::{Revision, RevisionEvent, RevisionPhase};
use groundrun_model::service::{Failure, Service, TrafficRevision, reconcile::reconcile};
use groundrun_model::{Result, ServiceId};

use crate::services::revisions_of;
use crate::{Engine, refused};

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
                    engine.start(Revision::from_record(record)?).await?;
                }
                engine.settle(&id).await
            };
            if let Err(problem) = resumed.await {
                tracing::error!(service = %id, %problem, "cannot go on with the rollout of the service");
            }
        });
    }

    async fn roll_out(&self, id: &ServiceId, revision: Option<Revision>) -> Result<()> {
        if let Some(revision) = revision {
            self.start(revision).await?;
        }
        self.settle(id).await
    }

    /// Starts the first instance of a pending revision and notes what became of it.
    async fn start(&self, revision: Revision) -> Result<()> {
        if revision.phase != RevisionPhase::Pending {
            return Ok(());
        }
        let event = match self.0.parts.backend.start(&revision.instance_spec()).await {
            Ok(()) => RevisionEvent::Started,
            Err(failure) => RevisionEvent::StartFailed(Failure {
                reason: failure.reason.to_string(),
                message: failure.message.to_string(),
            }),
        };
        let expected = revision.updated.micros();
        let updated = revision.updated.advance(self.now());
        let revision = Revision { phase: revision.phase.next(event), updated, ..revision };
        let write = Write::Update { record: revision.to_record()?, expected };
        match self.store().commit(vec![write]).await {
            // It was deleted meanwhile, or another rollout of the same service was faster.
            Err(
                groundrun_store::CommitError::Gone { .. } | groundrun_store::CommitError::Conflict { .. },
            ) => Ok(()),
            outcome => outcome.map_err(refused),
        }
    }

    /// Derives the status of the service from the phases of its revisions, and publishes it.
    async fn settle(&self, id: &ServiceId) -> Result<()> {
        let _turn = self.0.locks.lock(id).await;
        let Some(service) = self.stored_service(id).await? else { return Ok(()) };
        let phases = self.phases(&service).await?;
        if let Some(status) = reconcile(&service, |name| phases.get(name).cloned(), self.now()) {
            let settled = Service { status, ..service };
            // Routed first and noted then: whoever reads that the service is ready can call it.
            self.publish_as(&settled).await?;
            let record = settled.to_record()?;
            let (key, uid, expected) = (record.key, record.uid, record.version);
            let write = Write::Status { key, uid, expected, status: record.status };
            if let Err(problem) = self.store().commit(vec![write]).await {
                self.publish(id).await?;
                return Err(refused(problem));
            }
        }
        Ok(())
    }

    /// The phases of the revisions that the status depends on.
    async fn phases(&self, service: &Service) -> Result<HashMap<String, RevisionPhase>> {
        let named = service.spec.traffic.iter().filter_map(|target| match &target.revision {
            TrafficRevision::Named(name) => Some(name.clone()),
            TrafficRevision::Latest => None,
        });
        let newest = service.status.latest_created.iter().map(ToString::to_string);
        let mut phases = HashMap::new();
        for name in named.chain(newest) {
            let Some(key) =
                groundrun_model::RevisionName::lookup(&name).map(|name| service.id.revision_key(&name))
            else {
                continue;
            };
            let Some(record) = self.store().get(&key).await? else { continue };
            let revision = Revision::from_record(record)?;
            // A revision of another service may have the name that the traffic asks for.
            if revision.service == service.id {
                phases.insert(name, revision.phase);
            }
        }
        Ok(phases)
    }

    pub(crate) async fn stored_service(&self, id: &ServiceId) -> Result<Option<Service>> {
        self.store().get(&id.key()).await?.map(Service::from_record).transpose()
    }
}
