//! How does a new revision come up and take over?

use std::collections::HashMap;

use groundrun_model::kind::{Resource as _, Write};
use groundrun_model::revision::{Revision, RevisionEvent, RevisionPhase};
use groundrun_model::service::{Failure, Service, TrafficRevision, reconcile::reconcile};
use groundrun_model::{Result, ServiceId};

use crate::{Engine, refused};

impl Engine {
    /// Brings the service to what was asked for, while the caller goes on.
    pub(crate) fn roll_out_in_background(&self, id: ServiceId) {
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(problem) = engine.roll_out(&id).await {
                tracing::error!(service = %id, %problem, "cannot roll the service out");
            }
        });
    }

    /// Starts the newest revision if it is pending, and lets the service follow.
    async fn roll_out(&self, id: &ServiceId) -> Result<()> {
        let Some(service) = self.stored_service(id).await? else { return Ok(()) };
        if let Some(name) = &service.status.latest_created
            && let Some(record) = self.store().get(&id.revision_key(name)).await?
        {
            self.start(Revision::from_record(record)?).await?;
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
            let settled = Service { status, ..service }.to_record()?;
            let write = Write::Status {
                key: settled.key,
                uid: settled.uid,
                expected: settled.version,
                status: settled.status,
            };
            self.store().commit(vec![write]).await.map_err(refused)?;
        }
        self.publish(id).await
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
