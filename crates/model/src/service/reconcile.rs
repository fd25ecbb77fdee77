//! What becomes of a service when its revisions move on?

use std::collections::BTreeMap;

use super::{Failure, Service, ServiceStatus, traffic};
use crate::name::RevisionName;
use crate::revision::RevisionPhase;
use crate::time::Timestamp;

/// Of each revision that matters: its number and how far it came.
pub type Phases = BTreeMap<String, (u64, RevisionPhase)>;

/// The status of the service, given the phases of its newest and of its latest ready revision, of those
/// that the traffic names, and of the one that has just moved. `None` if nothing changes.
///
/// LATEST means the ready revision with the highest number. While the traffic cannot be routed as asked,
/// what was routed before stays: a failed deployment leaves the old revision serving.
pub fn reconcile(service: &Service, phases: &Phases, now: Timestamp) -> Option<ServiceStatus> {
    let before = &service.status;
    let newest = before.latest_created.as_ref()?;
    let (_, newest_phase) = phases.get(newest.as_str())?;
    let configuration_failure = match newest_phase {
        RevisionPhase::Pending | RevisionPhase::Ready => None,
        RevisionPhase::Failed(failure) => Some(not_ready(newest, failure)),
    };
    let latest_ready = latest_ready(phases).or_else(|| before.latest_ready.clone());
    let ready = |name: &str| phases.get(name).map(|(_, phase)| *phase == RevisionPhase::Ready);
    let (serving, route_failure) = match traffic::resolve(&service.spec.traffic, latest_ready.as_ref(), ready)
    {
        Ok(serving) => (serving, None),
        Err(problem) => {
            let own = Failure { reason: problem.reason.to_owned(), message: problem.message };
            // Where nothing was ever routed, the cause is the revision that did not come up.
            let failure =
                if latest_ready.is_none() { configuration_failure.clone().unwrap_or(own) } else { own };
            (before.serving.clone(), Some(failure))
        }
    };
    let moved = ServiceStatus { latest_ready, serving, ..before.clone() };
    if *newest_phase == RevisionPhase::Pending {
        return (moved != *before).then_some(moved);
    }
    let observed_generation = service.generation;
    let after = ServiceStatus { observed_generation, configuration_failure, route_failure, ..moved };
    (after != *before).then_some(ServiceStatus { settled: now, ..after })
}

/// The ready revision with the highest number.
fn latest_ready(phases: &Phases) -> Option<RevisionName> {
    let ready = phases.iter().filter(|(_, (_, phase))| *phase == RevisionPhase::Ready);
    ready.max_by_key(|(_, (number, _))| *number).and_then(|(name, _)| RevisionName::lookup(name))
}

fn not_ready(revision: &RevisionName, failure: &Failure) -> Failure {
    Failure {
        reason: failure.reason.clone(),
        message: format!("Revision '{revision}' is not ready and cannot serve traffic. {}", failure.message),
    }
}
