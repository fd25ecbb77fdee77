//! What becomes of a service when its revisions move on?

use super::{Failure, Service, ServiceStatus, traffic};
use crate::name::RevisionName;
use crate::revision::RevisionPhase;
use crate::time::Timestamp;

/// The status of the service, given the phase of each of its revisions. `None` if it is settled and
/// nothing changes, or if the newest revision is still on its way up.
///
/// While the traffic cannot be routed as asked, what was routed before stays: a failed deployment leaves
/// the old revision serving.
pub fn reconcile(
    service: &Service,
    phase: impl Fn(&str) -> Option<RevisionPhase>,
    now: Timestamp,
) -> Option<ServiceStatus> {
    let before = &service.status;
    let newest = before.latest_created.as_ref()?;
    let newest_phase = phase(newest.as_str())?;
    let configuration_failure = match &newest_phase {
        RevisionPhase::Pending => return None,
        RevisionPhase::Ready => None,
        RevisionPhase::Failed(failure) => Some(not_ready(newest, failure)),
    };
    let latest_ready = match &newest_phase {
        RevisionPhase::Ready => Some(newest.clone()),
        RevisionPhase::Pending | RevisionPhase::Failed(_) => before.latest_ready.clone(),
    };
    let ready = |name: &str| phase(name).map(|phase| phase == RevisionPhase::Ready);
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
    let after = ServiceStatus {
        observed_generation: service.generation,
        latest_ready,
        serving,
        configuration_failure,
        route_failure,
        ..before.clone()
    };
    (after != *before).then_some(ServiceStatus { settled: now, ..after })
}

fn not_ready(revision: &RevisionName, failure: &Failure) -> Failure {
    Failure {
        reason: failure.reason.clone(),
        message: format!("Revision '{revision}' is not ready and cannot serve traffic. {}", failure.message),
    }
}
