//! How is a rejection explained to the developer?
//!
//! The pages say as little as those of the hosted service; this is what they do not say. Nothing here
//! shows a token.

use groundrun_model::ServiceId;
use groundrun_model::failure::Failure;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::routing::{Closed, Ingress};

use crate::reject::Rejection;

/// The longest that a request may take, in seconds. <https://cloud.google.com/run/docs/configuring/request-timeout>.
const MAX_TIMEOUT: u32 = 3600;

/// The longest explanation in a header, in bytes: clients take 8 KiB of headers and more.
const MAX_HEADER_BYTES: usize = 4000;

/// What was wrong, in one line.
pub(crate) fn why(rejection: &Rejection) -> String {
    match rejection {
        Rejection::NoSuchHost => "no service and no tag has this host".to_owned(),
        Rejection::Method => "TRACE and CONNECT never reach a service".to_owned(),
        Rejection::ReservedPath => "the path is reserved and never reaches a service".to_owned(),
        Rejection::Closed(closed) => hides(*closed).to_owned(),
        Rejection::PlainHttp { .. } => "the request came by http and is redirected to https".to_owned(),
        Rejection::Denied { denial, .. } => denial.explanation(),
        Rejection::TooLarge { .. } => {
            "the body has more than the 32 MiB that an HTTP/1 server may be sent".to_owned()
        }
        Rejection::NoRevision { .. } => "no ready revision receives traffic".to_owned(),
        Rejection::Instance { problem, .. } => problem.clone(),
        Rejection::UpgradeWithBody => "a WebSocket begins with a request without a body".to_owned(),
        Rejection::BrokenBody => "the body of the request broke off".to_owned(),
        Rejection::Malformed(why) => (*why).to_owned(),
        Rejection::HeadTooLarge => "the head of the request has more than 64 KiB or 100 headers".to_owned(),
    }
}

/// The command or change that would help, if there is one.
pub(crate) fn fix(rejection: &Rejection) -> Option<String> {
    match rejection {
        Rejection::Denied { denial, route } => Some(denial.remedy(route)),
        Rejection::TooLarge { service } => Some(gcloud("update", service, " --use-http2")),
        Rejection::NoRevision { service } => Some(gcloud("describe", service, "")),
        Rejection::Instance { instance, failure, .. } => failure_fix(*failure, instance),
        Rejection::ReservedPath => Some("use another path, such as /healthz/".to_owned()),
        _ => None,
    }
}

/// The service whose request log a rejection belongs in. `None` is one that is not logged as a request:
/// the hosted service has no entry for it either.
pub(crate) fn logged_service(rejection: &Rejection) -> Option<&ServiceId> {
    match rejection {
        Rejection::Denied { route, .. } => Some(&route.id),
        Rejection::TooLarge { service } | Rejection::NoRevision { service } => Some(service),
        Rejection::Instance { instance, .. } => Some(&instance.service),
        _ => None,
    }
}

/// Reason and remedy as the value of a header: visible ASCII and spaces, not too long.
pub(crate) fn header(rejection: &Rejection) -> String {
    let text = match fix(rejection) {
        Some(fix) => format!("{}; fix: {fix}", why(rejection)),
        None => why(rejection),
    };
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => ascii.push(c),
            _ => ascii.extend(c.escape_default()),
        }
    }
    if ascii.len() > MAX_HEADER_BYTES {
        ascii.truncate(MAX_HEADER_BYTES);
        ascii.push_str("...");
    }
    ascii
}

/// What would keep an instance from failing so again.
fn failure_fix(failure: Failure, instance: &InstanceSpec) -> Option<String> {
    let update = |flags: &str| Some(gcloud("update", &instance.service, flags));
    match failure {
        Failure::Unreachable => Some("start the server that the rule of its image names".to_owned()),
        Failure::TimedOut if instance.timeout_seconds < MAX_TIMEOUT => update(" --timeout=3600"),
        Failure::ResponseTooLarge => Some("send the response in chunks, or speak HTTP/2".to_owned()),
        Failure::NoInstance { at_limit: true } => update(" --max-instances=N"),
        _ => None,
    }
}

fn hides(closed: Closed) -> &'static str {
    match closed {
        Closed::DefaultUrlDisabled => "the default URL of the service is disabled",
        Closed::Ingress(Ingress::None) => "the service has ingress none: nobody may call it",
        Closed::Ingress(_) => {
            "the service has an internal ingress setting, and the request came from outside"
        }
    }
}

fn gcloud(verb: &str, id: &ServiceId, flags: &str) -> String {
    format!(
        "gcloud run services {verb} {} --region={} --project={}{flags}",
        id.name, id.region, id.project.id
    )
}
