//! Which connections of HTTP/1.1 are there to an instance, and which of them takes a request?
//!
//! The one that was used last, if it is free; else a new one. A connection is given back when the response
//! on it has ended, and not before: what is left of a body would be taken for the next response.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use groundrun_model::request;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::answer::Lease;
use super::outgoing::Sent;
use super::{Leased, broken, connect, is_parse, repeatable};
use crate::backend::RespondError;

/// How many connections are kept that nobody uses. More come and go with their requests.
const MOST_IDLE: usize = 128;

/// The most headers that a response may have.
const MAX_HEADERS: usize = request::MAX_RESPONSE_HEADERS;

/// How long a connection is kept that nobody uses.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// The connections to one address.
#[derive(Debug)]
pub(super) struct Pool {
    authority: Box<str>,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// Each with the moment from which nobody used it; the latest stand last.
    connections: Vec<(Instant, SendRequest<Sent>)>,
    /// Whether somebody looks after those that nobody uses any more.
    is_watched: bool,
}

impl Pool {
    /// No connection yet to `authority`.
    pub(super) fn new(authority: &str) -> Self {
        Self { authority: authority.into(), idle: Mutex::default() }
    }

    /// The response to a request. The server may close a connection just when it is used again: then the
    /// request is sent once more over a new one, if it was not sent at all or may be repeated.
    ///
    /// # Errors
    /// No response.
    pub(super) async fn send(self: &Arc<Self>, mut request: Request<Sent>) -> Result<Leased, RespondError> {
        *request.version_mut() = Version::HTTP_11;
        let method = request.method().clone();
        if let Some(mut sender) = self.take() {
            let copy = repeatable(&request);
            match sender.try_send_request(request).await {
                Ok(response) => return self.lease(&method, response, sender),
                Err(mut error) => match error.take_message().or(copy.filter(|_| !is_parse(error.error()))) {
                    Some(again) => request = again,
                    None => return Err(broken(error.into_error())),
                },
            }
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(request).await.map_err(broken)?;
        self.lease(&method, response, sender)
    }

    fn lease(
        self: &Arc<Self>,
        method: &Method,
        response: Response<Incoming>,
        sender: SendRequest<Sent>,
    ) -> Result<Leased, RespondError> {
        check_framing(response.headers())?;
        check_size(method, &response)?;
        Ok((response, Lease::http1(Arc::clone(self), sender)))
    }

    async fn connect(&self) -> Result<SendRequest<Sent>, RespondError> {
        let stream = connect::open(&self.authority, Duration::ZERO).await?;
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // How it ends, whoever waits for a response learns.
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }

    /// A connection that nobody uses.
    fn take(&self) -> Option<SendRequest<Sent>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = &mut idle.connections;
        // From the latest on; one whose request is still on its way is passed over.
        for at in (0..connections.len()).rev() {
            if connections[at].1.is_closed() {
                connections.remove(at);
            } else if connections[at].1.is_ready() {
                return Some(connections.remove(at).1);
            }
        }
        None
    }

    /// Takes a connection back whose response has ended.
    pub(super) fn put(self: &Arc<Self>, sender: SendRequest<Sent>) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.connections.len() < MOST_IDLE {
            idle.connections.push((Instant::now(), sender));
        }
        if !idle.is_watched {
            idle.is_watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Closes what nobody used for [`LONGEST_IDLE`]; whether any is left.
    fn close_idle(&self) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.connections.retain(|(since, sender)| since.elapsed() < LONGEST_IDLE && !sender.is_closed());
        idle.is_watched = !idle.connections.is_empty();
        idle.is_watched
    }

    /// How many connections nobody uses.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).connections.len()
    }
}

/// Looks after the idle connections of a pool until there are none.
async fn watch(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(LONGEST_IDLE / 2).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_idle()) {
            return;
        }
    }
}

/// Two lengths, or a length and chunks, mean different things to different readers: RFC 9112, section 6.3.
fn check_framing(headers: &HeaderMap) -> Result<(), RespondError> {
    let lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    if lengths > 1 || lengths == 1 && headers.contains_key(TRANSFER_ENCODING) {
        return Err(RespondError::Malformed("the response has more than one length".into()));
    }
    Ok(())
}

fn check_size(method: &Method, response: &Response<Incoming>) -> Result<(), RespondError> {
    let announced =
        response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match announced {
        Some(bytes) if !request::may_announce(bytes, method.as_str(), response.status().as_u16()) => {
            Err(RespondError::ResponseTooLarge { bytes })
        }
        _ => Ok(()),
    }
}
