//! How much may clients take of the emulator?
//!
//! What is read of HTTP/1.1 without hyper has its limits in `groundrun_proxy::http1`; these are the others, and
//! that of connections.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a client may take to send the first byte, and the head of a request.
pub(super) const HEAD: Duration = Duration::from_secs(30);

/// How many connections are served at once, if the system allows as many.
const CONNECTIONS: u64 = 10_000;

/// How many file descriptors are left to what is no connection: the database, listeners, the log.
const OTHER_FILES: u64 = 64;

/// The most headers that a request may have.
const HEADERS: usize = 100;

/// The most that the head of a request may have, in bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// How many streams a client may have open over one HTTP/2 connection:
/// <https://cloud.google.com/run/quotas#request_limits>.
const STREAMS: u32 = 100;

/// How many streams that the client reset may wait until they are forgotten, lest somebody open and reset
/// streams faster than they can be handled; one more ends the connection.
const RESET_STREAMS: usize = 20;

/// How many streams may have been reset for faults of the client; one more ends the connection.
const FAULTY_STREAMS: usize = 1024;

/// What one over the limit of connections is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 38\r\nconnection: close\r\n\r\ngroundrun serves too many connections\n";

/// How many connections are served at once. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    /// As many as the limit of open files leaves room for, each with one to an instance.
    pub(super) fn new() -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let places = (files.saturating_sub(OTHER_FILES) / 2).clamp(1, CONNECTIONS);
        Self::of(usize::try_from(places).unwrap_or(Semaphore::MAX_PERMITS))
    }

    fn of(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// A place, until it is dropped. Who finds none is told so and turned away.
    pub(super) fn take(&self, stream: &TcpStream) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.0).try_acquire_owned().ok();
        if place.is_none() {
            tracing::warn!("turning away a connection: as many are open as the limit of open files allows");
            // It fits into the buffer of a new connection; who is gone already need not be told.
            let _ = stream.try_write(FULL);
        }
        place
    }
}

/// What serves HTTP/1 and HTTP/2 within these limits.
pub(super) fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(HEADERS)
        .max_buf_size(2 * HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(FAULTY_STREAMS);
    builder
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn one_too_many_is_told_so_and_a_place_that_is_left_is_given_again() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let connect = async || {
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        };
        let places = Places::of(1);
        let (_first, server) = connect().await;
        let place = places.take(&server).unwrap();
        let (mut second, server) = connect().await;
        assert!(places.take(&server).is_none());
        drop(server);
        let mut told = String::new();
        second.read_to_string(&mut told).await.unwrap();
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 503 ") && head.contains(&format!("content-length: {}", body.len()))
        );
        drop(place);
        let (_third, server) = connect().await;
        assert!(places.take(&server).is_some());
    }
}
