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
use http::{Response, StatusCode, Version};
use hyper::body::Body as _;
use tracing::{debug, info, warn};

use crate::arrival::{Arrival, Scheme};
use crate::data_plane::Admission;
use crate::explain;
use crate::head::RequestHead;
use crate::reject::Rejection;

const TARGET: &str = "groundrun::request";

/// A request that an instance answered.
pub(crate) fn admitted(admission: &Admission, arrived: &Arrived, status: StatusCode) {
    let instance = &*admission.instance;
    info!(
        target: TARGET,
        service = %instance.service.name,
        revision = %instance.revision,
        method = %arrived.method(),
        path = arrived.path(),
        status = status.as_u16(),
        caller = admission.permit.caller().map_or("anonymous", name),
        "admitted"
    );
}

/// A request that was not forwarded. What has no entry in the hosted request log is told to whoever looks
/// at the debug level.
pub(crate) fn rejected(rejection: &Rejection, arrived: &Arrived) {
    let status = rejection.status().as_u16();
    match explain::logged_service(rejection) {
        Some(service) => warn!(
            target: TARGET,
            service = %service.name,
            method = %arrived.method(),
            path = arrived.path(),
            status,
            why = explain::why(rejection),
            fix = explain::fix(rejection),
            "denied"
        ),
        None => debug!(
            target: TARGET,
            authority = arrived.authority(),
            method = %arrived.method(),
            path = arrived.path(),
            status,
            why = explain::why(rejection),
            "not forwarded"
        ),
    }
}

/// What is no request.
pub(crate) fn no_request(rejection: &Rejection) {
    debug!(target: TARGET, why = explain::why(rejection), "not a request");
}

fn name(caller: &Caller) -> &str {
    caller.email.as_deref().unwrap_or(&caller.unique_id)
}

/// What the entry of a request will say, noted before the request is changed for its instance.
pub(crate) struct Arrived {
    at: Timestamp,
    remote: IpAddr,
    line: RequestLine,
    /// Where the path begins in the URL of the line.
    path: usize,
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
        let path = scheme.len() + 3 + arrival.authority.len();
        Self { at, remote: arrival.peer.ip(), line, path }
    }

    /// The method.
    pub(crate) fn method(&self) -> &str {
        self.line.method()
    }

    /// The host and the port, as sent.
    fn authority(&self) -> &str {
        let url = self.line.url().get(..self.path).unwrap_or_default();
        url.split_once("://").map_or(url, |(_, authority)| authority)
    }

    /// The path, as sent.
    pub(crate) fn path(&self) -> &str {
        let target = self.line.url().get(self.path..).unwrap_or_default();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The entry of a request that an instance answered, with this status and so many bytes, if that is known.
    pub(crate) fn answered(
        self,
        admission: &Admission,
        (status, size): (StatusCode, Option<u64>),
        now: Timestamp,
    ) -> LogEntry {
        let source = Source::Instance(Arc::clone(&admission.instance));
        self.entry(source, (status, size), now, Some(admission.trace.id()), None)
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
        let answer = (response.status(), response.body().size_hint().exact());
        Some(self.entry(source, answer, now, None, message))
    }

    fn entry(
        self,
        source: Source,
        (status, response_size): (StatusCode, Option<u64>),
        now: Timestamp,
        trace: Option<u128>,
        message: Option<&'static str>,
    ) -> LogEntry {
        let payload = Payload::Request(RequestEntry {
            line: self.line,
            status: status.as_u16(),
            response_size,
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
