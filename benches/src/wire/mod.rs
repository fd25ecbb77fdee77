//! How is a server pressed so cheaply that the server is what is measured?
//!
//! Sockets and HTTP/1.1 by hand on one thread: a request is written from memory as it is, an answer is read
//! no further than it must be to know that it is right.

mod answer;
pub(crate) mod etcd;
pub(crate) mod grpc;
mod reader;
mod socket;
pub(crate) mod websocket;

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::LocalSet;

use crate::Outcome;
use crate::load::Burst;
use crate::statistics::Sample;

pub(crate) use reader::Reader;
pub(crate) use socket::connect;

/// How many connections are kept busy.
pub(crate) const CONNECTIONS: usize = 32;

/// When there has been enough.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// After this long.
    For(Duration),
    /// When each request was sent once.
    Once,
}

/// What is sent, and what must come back.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The connections, each of which waits for an answer before its next request.
    pub(crate) connections: usize,
    /// The requests, sent in turn whatever the connection.
    pub(crate) requests: Rc<[Bytes]>,
    /// The bytes that each body must have.
    pub(crate) body: usize,
    /// How long.
    pub(crate) length: Length,
}

impl Load {
    /// These requests on [`CONNECTIONS`], for `duration`, answered by bodies of `body` bytes.
    pub(crate) fn new(requests: Rc<[Bytes]>, body: usize, duration: Duration) -> Self {
        Self { connections: CONNECTIONS, requests, body, length: Length::For(duration) }
    }
}

/// What the connections of one load share.
#[derive(Debug)]
struct Shared {
    load: Load,
    next: Cell<usize>,
    end: Instant,
}

impl Shared {
    /// The next request, unless there has been enough.
    fn next(&self, now: Instant) -> Option<&Bytes> {
        let number = self.next.get();
        let enough = match self.load.length {
            Length::For(_) => now >= self.end,
            Length::Once => number >= self.load.requests.len(),
        };
        if enough {
            return None;
        }
        self.next.set(number + 1);
        self.load.requests.get(number % self.load.requests.len().max(1))
    }
}

/// Presses the server at `address` on the calling thread.
///
/// # Errors
/// It cannot be reached, or an answer is not a 200 with a body of the right length.
pub(crate) fn press(address: SocketAddr, load: &Load) -> Outcome<Burst> {
    alone(async {
        let mut connected = Vec::new();
        for _ in 0..load.connections {
            connected.push(Reader::new(connect(address).await?));
        }
        let start = Instant::now();
        let length = if let Length::For(length) = load.length { length } else { Duration::ZERO };
        let shared = Rc::new(Shared { load: load.clone(), next: Cell::new(0), end: start + length });
        let tasks: Vec<_> = connected
            .into_iter()
            .map(|connection| tokio::task::spawn_local(keep_busy(connection, Rc::clone(&shared))))
            .collect();
        let mut latency = Vec::new();
        for task in tasks {
            latency.extend(task.await??);
        }
        Ok(burst(start, latency))
    })
}

/// How long the body is that answers the first of these requests.
///
/// # Errors
/// It is not answered by a 200.
pub(crate) fn length_of(address: SocketAddr, requests: &[Bytes]) -> Outcome<usize> {
    let request = requests.first().ok_or("nothing to ask for")?;
    alone(async {
        let mut connection = Reader::new(connect(address).await?);
        connection.write(request).await?;
        connection.answer().await
    })
}

/// What a load that began at `start` amounts to, whose answers took so many milliseconds each.
pub(crate) fn burst(start: Instant, latency: Vec<f64>) -> Burst {
    let count = latency.len();
    Burst { rate: count as f64 / start.elapsed().as_secs_f64(), latency: Sample::new(latency), count }
}

/// Runs `work` and the tasks that it spawns on this thread alone.
pub(crate) fn alone<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, work)
}

async fn keep_busy(mut connection: Reader, shared: Rc<Shared>) -> Outcome<Vec<f64>> {
    let mut latency = Vec::new();
    let mut sent = Instant::now();
    while let Some(request) = shared.next(sent) {
        connection.write(request).await?;
        let body = connection.answer().await?;
        if body != shared.load.body {
            return Err(format!("a body of {body} bytes instead of {}", shared.load.body).into());
        }
        let answered = Instant::now();
        latency.push((answered - sent).as_secs_f64() * 1e3);
        sent = answered;
    }
    Ok(latency)
}
