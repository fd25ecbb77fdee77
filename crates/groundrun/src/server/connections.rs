//! How do connections come in, and how do they end?
//!
//! The first byte of a connection tells TLS from plain HTTP; it is looked at once, before anything is read.
//! What a client says through a tunnel (CONNECT) is taken like a connection of its own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use groundrun_identity::{Ca, LeafName};
use groundrun_proxy::Scheme;
use groundrun_proxy::http1::{self, Outcome};
use http::Method;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::front::Front;
use super::limits::{HEAD, Places, builder};
use super::replay::Replay;
use super::{neighbour, tls, tunnel};

/// How long requests in flight may take when the emulator stops; it is what Cloud Run gives an instance.
const DRAIN: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be accepted, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections of an emulator.
#[derive(Debug)]
pub(super) struct Connections {
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// What serves one connection, or one tunnel in it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) front: Front,
    pub(super) ca: Ca,
    /// Whose certificate a client gets that names no host in its hello.
    pub(super) name: LeafName,
    /// The port of the emulator.
    pub(super) port: u16,
    /// Turns true when the emulator stops; whoever holds it is waited for.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Connections {
    /// Takes connections and serves them; `ca` vouches for those over TLS.
    pub(super) fn accept(listener: TcpListener, front: Front, ca: Ca) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, accepting: tokio::spawn(accept(listener, front, ca, stopped)) }
    }

    /// Takes no more connections, and waits for the requests in flight.
    pub(super) async fn stop(self) {
        // Neither can fail: the task ends only after the message, and does not panic.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, front: Front, ca: Ca, mut stopped: oneshot::Receiver<()>) {
    let (stop, stopping) = watch::channel(false);
    let port = listener.local_addr().map_or(0, |address| address.port());
    let places = Places::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = places.take(&stream) else { continue };
                let name = local_name(&stream);
                let front = front.clone().from(peer);
                let line = Line { front, ca: ca.clone(), name, port, stopping: stopping.clone() };
                tokio::spawn(async move {
                    take(stream, line).await;
                    drop(place);
                });
            }
            Err(problem) => {
                tracing::warn!(%problem, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, stopping));
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, stop.closed()).await.is_err() {
        tracing::warn!("stopping with requests in flight after {} s", DRAIN.as_secs());
    }
}

/// Over TLS a client that calls an address names no host: it must find that address in the certificate.
pub(super) fn local_name(stream: &TcpStream) -> LeafName {
    let local =
        stream.local_addr().map_or_else(|_| [127, 0, 0, 1].into(), |address: SocketAddr| address.ip());
    LeafName::Address(local.to_canonical())
}

/// Serves a connection, in whichever protocol it begins.
pub(super) async fn take(stream: TcpStream, line: Line) {
    // A request is small and its answer is waited for: do not wait to fill a packet.
    if let Err(problem) = stream.set_nodelay(true) {
        tracing::debug!(%problem, "cannot set TCP_NODELAY");
    }
    let mut first = [0];
    match line.soon(HEAD, stream.peek(&mut first)).await {
        Some(1..) if tls::begins_with(first[0]) => tls::serve(stream, line).await,
        Some(1..) => line.speak(stream).await,
        _ => (),
    }
}

/// Waits until the emulator stops.
async fn until_stop(mut stopping: watch::Receiver<bool>) {
    // An error would say that whoever could stop is gone, which is a stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

impl Line {
    /// The line inside a tunnel to `host`, in which requests are for `host` unless they say otherwise.
    pub(super) fn inside(&self, host: &str) -> Self {
        let name = LeafName::parse(host).unwrap_or_else(|| self.name.clone());
        Self { front: self.front.clone().inside(host), name, ..self.clone() }
    }

    /// The line behind a handshake.
    pub(super) fn secured(self) -> Self {
        Self { front: self.front.over(Scheme::Https), ..self }
    }

    /// What a client does before it asks anything; `None` if it takes longer than `patience` or goes away,
    /// or the emulator stops meanwhile.
    pub(super) async fn soon<T>(
        &self,
        patience: Duration,
        opening: impl Future<Output = io::Result<T>>,
    ) -> Option<T> {
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(patience, opening) => outcome,
            () = until_stop(self.stopping.clone()) => return None,
        };
        match outcome {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(problem)) => tracing::debug!(%problem, "a connection was not opened"),
            Err(_) => tracing::debug!("a connection was not opened within {patience:?}"),
        }
        None
    }

    /// Serves HTTP/1 and HTTP/2 until the client goes away or the emulator stops.
    pub(super) async fn speak<I>(self, io: I)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Some((plane, client)) = self.front.services() else {
            return self.speak_by_hyper(io).await;
        };
        match http1::serve(io, plane, client, self.stopping.clone()).await {
            Outcome::HandOver { io, read } => self.speak_by_hyper(Replay::new(read, io)).await,
            Outcome::Done => (),
        }
    }

    async fn speak_by_hyper<I>(self, io: I)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stop = until_stop(self.stopping.clone());
        let line = Arc::new(self);
        let service = service_fn(move |request: Request<Incoming>| {
            let line = Arc::clone(&line);
            async move { Ok::<Response<Body>, Infallible>(line.answer(request).await) }
        });
        let builder = builder();
        let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), service));
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = stop => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(problem) = ended {
            tracing::debug!(%problem, "a connection broke off");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if let Some(neighbour) = self.neighbour(&request).await {
            return neighbour::answer(neighbour, request).await;
        }
        if request.method() == Method::CONNECT {
            return tunnel::open(self, request);
        }
        self.front.answer(request).await
    }

    /// A server of this machine for which the request was sent here as to a proxy, by a program of this
    /// machine.
    async fn neighbour(&self, request: &Request<Incoming>) -> Option<TcpStream> {
        let port = neighbour::port_of(request, self.port)?;
        if !self.front.is_local() {
            return None;
        }
        neighbour::connect(port).await
    }
}
