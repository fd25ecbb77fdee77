//! What does the request log say?
//!
//! One line a request, target `groundrun::request`; never a token, and never a query, which may hold one.
//! Beside it an entry of the log that the API shows, as the hosted service has it: its URL has the query.

use std::net::IpAddr;
use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::invoke::Caller;
use groundrun_model::log::{LogEntry, Payload, RequestEntry, RequestLine, Source, refusal_message};
use groundrun_runtime::Body;
use http::header::USER_AGENT;
use http::{Method, Response, StatusCode, Version};
use hyper::body::Body as _;
use tracing::{debug, info, warn};

use crate::arrival::{Arrival, Scheme};
use crate::data_plane::Admission;
use crate::explain;
use crate::head::RequestHead;
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

/// What the entry of a request will say, noted before the request is changed for its instance.
pub(crate) struct Arrived {
    at: Timestamp,
    remote: IpAddr,
    line: RequestLine,
}

impl Arrived {
    /// Notes what a client sent. It is copied: a piece of the buffer that it stands in would keep all of
    /// that.
    pub(crate) fn new(at: Timestamp, head: &impl RequestHead, arrival: &Arrival<'_>) -> Self {
        let scheme = match arrival.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let target = head.path_and_query();
        let user_agent = head.text(&USER_AGENT);
        let line = RequestLine::new(
            head.method(),
            [scheme, arrival.authority, target],
            protocol(head.version()),
            user_agent.unwrap_or_default(),
        );
        Self { at, remote: arrival.peer.ip(), line }
    }

    /// The entry of a request that an instance answered.
    pub(crate) fn answered(
        self,
        admission: &Admission,
        response: &Response<Body>,
        now: Timestamp,
    ) -> LogEntry {
        let source = Source::Instance(Arc::clone(&admission.instance));
        self.entry(source, response, now, Some(admission.trace.id()), None)
    }

    /// The entry of a request that was not forwarded, if the hosted service has one for it.
    pub(crate) fn refused(
        self,
        rejection: &Rejection,
        response: &Response<Body>,
        now: Timestamp,
    ) -> Option<LogEntry> {
        let service = explain::logged_service(rejection)?;
        let (source, message) = match rejection {
            Rejection::Denied { denial, .. } => (None, Some(refusal_message(denial))),
            Rejection::Instance { instance, failure, .. } => {
                (Some(Source::Instance(Arc::clone(instance))), Some(failure.log_message()))
            }
            _ => (None, None),
        };
        let source = source.unwrap_or_else(|| Source::Service(Box::new(service.clone())));
        Some(self.entry(source, response, now, None, message))
    }

    fn entry(
        self,
        source: Source,
        response: &Response<Body>,
        now: Timestamp,
        trace: Option<u128>,
        message: Option<&'static str>,
    ) -> LogEntry {
        let payload = Payload::Request(RequestEntry {
            line: self.line,
            status: response.status().as_u16(),
            response_size: response.body().size_hint().exact(),
            // A clock may go back.
            latency: now.micros().saturating_sub(self.at.micros()).max(0),
            remote: self.remote,
            trace,
            message,
        });
        LogEntry { sequence: 0, timestamp: self.at, source, payload }
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}
