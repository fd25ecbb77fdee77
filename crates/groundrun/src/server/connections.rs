//! How do connections come in, and how do they end?

use std::convert::Infallible;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::front::Front;

/// How long requests in flight may take when the emulator stops; it is what Cloud Run gives an instance.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// How long to wait when no connection can be accepted, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections of an emulator.
#[derive(Debug)]
pub(super) struct Connections {
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Connections {
    /// Takes connections and serves them.
    pub(super) fn accept(listener: TcpListener, front: Front) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, accepting: tokio::spawn(accept(listener, front, stopped)) }
    }

    /// Takes no more connections, and waits for the requests in flight.
    pub(super) async fn stop(self) {
        // Neither can fail: the task ends only after the message, and does not panic.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, front: Front, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => serve(stream, front.clone().from(peer), &graceful),
            Err(problem) => {
                tracing::warn!(%problem, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopping with requests in flight after {} s", DRAIN.as_secs());
    }
}

fn serve(stream: TcpStream, front: Front, graceful: &GracefulShutdown) {
    // A request is small and its answer is waited for: do not wait to fill a packet.
    if let Err(problem) = stream.set_nodelay(true) {
        tracing::debug!(%problem, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let front = front.clone();
        async move { Ok::<Response<axum::body::Body>, Infallible>(front.answer(request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(problem) = connection.await {
            tracing::debug!(%problem, "a connection broke off");
        }
    });
}
