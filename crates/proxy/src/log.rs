//! What does the request log say?
//!
//! One line a request, target `groundrun::request`; never a token, and never a query, which may hold one.

use groundrun_model::invoke::Caller;
use http::{Method, StatusCode};
use tracing::{debug, info, warn};

use crate::data_plane::Admission;
use crate::explain;
use crate::reject::Rejection;

const TARGET: &str = "groundrun::request";

/// A request that an instance answered.
pub(crate) fn admitted(admission: &Admission, method: &Method, path: &str, status: StatusCode) {
    let instance = &*admission.instance;
    info!(
        target: TARGET,
        service = %instance.service.name,
        revision = %instance.revision,
        %method,
        path,
        status = status.as_u16(),
        caller = admission.permit.caller().map_or("anonymous", name),
        "admitted"
    );
}

/// A request that was not forwarded. What has no entry in the hosted request log is told to whoever looks
/// at the debug level.
pub(crate) fn rejected(rejection: &Rejection, method: &Method, path: &str, authority: &str) {
    let status = rejection.status().as_u16();
    match explain::logged_service(rejection) {
        Some(service) => warn!(
            target: TARGET,
            service = %service.name,
            %method,
            path,
            status,
            why = explain::why(rejection),
            fix = explain::fix(rejection),
            "denied"
        ),
        None => debug!(
            target: TARGET,
            authority,
            %method,
            path,
            status,
            why = explain::why(rejection),
            "not forwarded"
        ),
    }
}

fn name(caller: &Caller) -> &str {
    caller.email.as_deref().unwrap_or(&caller.unique_id)
}
