//! How does a server answer that runs already?
//!
//! In the protocol that its revision asks for, over a connection of the pool of its address, and within the
//! timeout of the revision.

mod answer;
mod connect;
mod h2c;
mod http1;
mod outgoing;
mod websocket;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use groundrun_model::instance::{InstanceSpec, Protocol};
use groundrun_model::rule::Upstream;
use http::header::{CONTENT_TYPE, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::backend::{Body, BoxError, RespondError};

use self::answer::{Answer, Lease};
use self::outgoing::Sent;

/// The servers that run already, and the connections to each.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    /// Grows by one when an address is called for the first time.
    targets: RwLock<HashMap<Upstream, Arc<Target>>>,
}

/// One server, in each protocol that it may be spoken to.
#[derive(Debug)]
struct Target {
    http1: Arc<http1::Pool>,
    h2c: h2c::Pool,
}

/// The head of a response, its body to come, and what the connection is held by meanwhile.
type Leased = (Response<Incoming>, Lease);

impl Upstreams {
    /// The response of the server at `upstream` to a request for a revision.
    ///
    /// Dropping the future, or the body of the response before its end, takes the request back: a
    /// connection of HTTP/1.1 is closed, a stream of HTTP/2 is reset.
    ///
    /// # Errors
    /// The server cannot be reached, breaks off or is silent until the timeout, or what it says is no
    /// response; or the body of the request broke off.
    pub(crate) async fn respond<B>(
        &self,
        upstream: &Upstream,
        spec: &InstanceSpec,
        request: Request<B>,
    ) -> Result<Response<Body>, RespondError>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let timeout = Duration::from_secs(spec.timeout_seconds.into());
        let deadline = Instant::now() + timeout;
        let target = self.target(upstream);
        let came_by_http2 = request.version() == Version::HTTP_2;
        let content_type = request.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let protocol = spec.protocol.for_request(came_by_http2, content_type);
        match tokio::time::timeout_at(deadline, target.send(protocol, request, deadline)).await {
            Ok(answer) => answer.map(|(response, lease)| finish(response, lease, deadline)),
            Err(_) => Err(RespondError::TimedOut { seconds: spec.timeout_seconds }),
        }
    }

    fn target(&self, upstream: &Upstream) -> Arc<Target> {
        let known = self.targets.read().unwrap_or_else(PoisonError::into_inner).get(upstream).cloned();
        known.unwrap_or_else(|| {
            let mut targets = self.targets.write().unwrap_or_else(PoisonError::into_inner);
            let target = || {
                let authority = upstream.authority();
                let http1 = Arc::new(http1::Pool::new(authority));
                Arc::new(Target { http1, h2c: h2c::Pool::new(authority) })
            };
            Arc::clone(targets.entry(upstream.clone()).or_insert_with(target))
        })
    }
}

impl Target {
    async fn send<B>(
        &self,
        protocol: Protocol,
        mut request: Request<B>,
        deadline: Instant,
    ) -> Result<Leased, RespondError>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let client = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
        // What else the server has noted of the request is of the client's connection.
        request.extensions_mut().clear();
        let (head, body) = request.into_parts();
        let (body, fault) = outgoing::watched(body);
        let request = Request::from_parts(head, body);
        let sent = match protocol {
            Protocol::Http1 => self.http1.send(request).await,
            Protocol::H2c => self.h2c.send(request).await,
        };
        // A body that broke off is why the rest failed.
        let (mut response, lease) = sent
            .map_err(|error| fault.and_then(|fault| fault.take()).map_or(error, RespondError::RequestBody))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client =
                client.ok_or_else(|| RespondError::Malformed("a 101 that nobody asked for".into()))?;
            websocket::join(client, &mut response, deadline);
            return Ok((response, Lease::default()));
        }
        Ok((response, lease))
    }
}

fn finish(response: Response<Incoming>, lease: Lease, deadline: Instant) -> Response<Body> {
    response.map(|incoming| Answer::new(incoming, lease, deadline).boxed_unsync())
}

/// The error of a response that did not come.
fn broken(error: hyper::Error) -> RespondError {
    if is_parse(&error) {
        RespondError::Malformed(error.into())
    } else {
        RespondError::BrokenOff(error.into())
    }
}

/// Whether something came that is no response: then the request was read, and is not sent again.
fn is_parse(error: &hyper::Error) -> bool {
    error.is_parse() || error.is_parse_too_large() || error.is_parse_status()
}

/// What is needed to send a request once more, if it may be: RFC 9110, section 9.2.2, allows an intermediary
/// to repeat what is idempotent, and a body that was sent is gone.
fn repeatable(request: &Request<Sent>) -> Option<Request<Sent>> {
    let is_safe = request.method().is_idempotent() && hyper::body::Body::is_end_stream(request.body());
    is_safe.then(|| {
        let mut copy = Request::new(outgoing::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        copy
    })
}
