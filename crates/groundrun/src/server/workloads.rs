//! How does each workload get a metadata server of its own?

use std::convert::Infallible;
use std::time::Duration;

use groundrun_api::MetadataServer;
use groundrun_engine::{Engine, WorkloadDoor};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// How long to wait when no connection can be accepted, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What serves the ports of workloads.
#[derive(Debug)]
pub(super) struct Workloads(JoinHandle<()>);

impl Workloads {
    /// Serves every workload that `engine` opens, each until it is gone.
    pub(super) fn serve(engine: &Engine) -> Self {
        let (engine, doors) = (engine.clone(), engine.workload_doors());
        Self(tokio::spawn(async move {
            let Some(mut doors) = doors else { return };
            // Ends with this task: dropped, it ends the tasks in it.
            let mut serving = JoinSet::new();
            loop {
                tokio::select! {
                    door = doors.recv() => match door {
                        Some(door) => drop(serving.spawn(serve(engine.clone(), door))),
                        None => return,
                    },
                    Some(_) = serving.join_next() => {}
                }
            }
        }))
    }

    /// Closes all ports. Requests in flight break off: who asks for a token of an emulator that stops has no
    /// use for it.
    pub(super) fn stop(self) {
        self.0.abort();
    }
}

async fn serve(engine: Engine, door: WorkloadDoor) {
    let WorkloadDoor { listener, workload, mut gone } = door;
    tracing::debug!(address = ?listener.local_addr().ok(), account = workload.account, "a workload is here");
    let metadata = MetadataServer::new(engine, workload);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, metadata.clone()))),
                Err(problem) => {
                    tracing::warn!(%problem, "cannot accept a connection of a workload");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            // Its sender is the handle, which sends nothing.
            _ = &mut gone => return,
        }
    }
}

async fn converse(stream: TcpStream, metadata: MetadataServer) {
    let service = service_fn(move |request: Request<Incoming>| {
        let metadata = metadata.clone();
        async move { Ok::<Response<axum::body::Body>, Infallible>(metadata.answer(&request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new());
    if let Err(problem) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%problem, "a connection of a workload broke off");
    }
}
