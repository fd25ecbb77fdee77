//! Which connections of HTTP/2 are there to an instance, and which of them takes a request?
//!
//! In the clear and with prior knowledge. Requests share a connection up to the number of streams that the
//! instance allows; beyond that there is one more. However many requests come at once, one of them opens a
//! connection and the others wait for it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri, Version};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::answer::Lease;
use super::outgoing::Sent;
use super::{Leased, broken, connect, repeatable};
use crate::backend::RespondError;

/// How many streams share a connection at most, also if the instance would allow more.
const MOST_STREAMS: usize = 200;

/// How many streams are opened before the instance has said how many it allows: it would refuse the others.
const FIRST_STREAMS: usize = 1;

/// How much an instance may send on one stream before it is read, in bytes. Enough that a body is not held
/// up by the way back and forth, and little enough that a client that reads nothing costs no more.
const STREAM_WINDOW: u32 = 1 << 20;

/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 1 << 23;

/// The largest frame, in bytes: fewer of them for large bodies.
const FRAME: u32 = 1 << 16;

/// The most that the fields of a head or of trailers may have, in bytes. gRPC has details of errors there.
const FIELDS: u32 = 1 << 17;

/// The connections to one address.
#[derive(Debug)]
pub(super) struct Pool {
    authority: Box<str>,
    links: Mutex<Vec<Link>>,
    /// Held by the one who opens a connection.
    opening: tokio::sync::Mutex<()>,
}

/// One connection, how many streams are open on it, and how many the instance allows.
#[derive(Debug, Clone)]
struct Link {
    sender: SendRequest<Sent>,
    streams: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// A stream on a connection, which counts until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    sender: SendRequest<Sent>,
    streams: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// No connection yet to `authority`.
    pub(super) fn new(authority: &str) -> Self {
        Self { authority: authority.into(), links: Mutex::default(), opening: tokio::sync::Mutex::default() }
    }

    /// The response to a request. One that a connection did not take, because the instance was closing it,
    /// or that may be repeated, goes over another one.
    ///
    /// # Errors
    /// No response.
    pub(super) async fn send(&self, request: Request<Sent>) -> Result<Leased, RespondError> {
        let mut request = with_target(request)?;
        let (mut place, is_new) = self.place().await?;
        let copy = if is_new { None } else { repeatable(&request) };
        match place.sender.try_send_request(request).await {
            Ok(response) => return Ok((response, Lease::h2c(place))),
            Err(mut error) => match error.take_message().or(copy) {
                Some(again) => request = again,
                None => return Err(broken(error.into_error())),
            },
        }
        drop(place);
        let (mut place, _) = self.place().await?;
        let response = place.sender.send_request(request).await.map_err(broken)?;
        Ok((response, Lease::h2c(place)))
    }

    /// A place on a connection, and whether that was opened for it.
    async fn place(&self) -> Result<(Place, bool), RespondError> {
        if let Some(place) = self.free_place() {
            return Ok((place, false));
        }
        let _turn = self.opening.lock().await;
        if let Some(place) = self.free_place() {
            return Ok((place, false));
        }
        let link = self.connect().await?;
        let place = link.place();
        self.links.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        Ok((place, true))
    }

    fn free_place(&self) -> Option<Place> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| !link.sender.is_closed());
        // Nobody else takes a place meanwhile; they are given back without the lock.
        links.iter().find(|link| link.has_room()).map(Link::place)
    }

    async fn connect(&self) -> Result<Link, RespondError> {
        let stream = connect::open(&self.authority, Duration::ZERO).await?;
        let (sender, mut connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_header_list_size(FIELDS)
            .initial_max_send_streams(FIRST_STREAMS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let most = Arc::new(AtomicUsize::new(MOST_STREAMS));
        let seen = Arc::clone(&most);
        // How it ends, whoever waits for a response learns.
        tokio::spawn(poll_fn(move |cx| {
            let ended = Pin::new(&mut connection).poll(cx);
            // Until it has said so, the others wait for it here, and not for a connection more.
            let allowed = connection.current_max_send_streams();
            if allowed > FIRST_STREAMS {
                seen.store(allowed, Ordering::Relaxed);
            }
            ended
        }));
        Ok(Link { sender, streams: Arc::default(), most })
    }
}

impl Link {
    fn has_room(&self) -> bool {
        // At least one, or an instance that allows none would get a new connection for each request.
        let most = self.most.load(Ordering::Relaxed).clamp(1, MOST_STREAMS);
        self.streams.load(Ordering::Relaxed) < most
    }

    fn place(&self) -> Place {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Place { sender: self.sender.clone(), streams: Arc::clone(&self.streams) }
    }
}

/// The request with the target of HTTP/2, in which the host is part of it: the scheme is http, as nothing
/// is encrypted on this way.
fn with_target(mut request: Request<Sent>) -> Result<Request<Sent>, RespondError> {
    let host = request.headers_mut().remove(HOST);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = authority;
    parts.path_and_query = Some(parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|problem| RespondError::Malformed(problem.into()))?;
    *request.version_mut() = Version::HTTP_2;
    Ok(request)
}
