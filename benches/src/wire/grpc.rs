//! How many unary calls of gRPC does a server take?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{CONNECTIONS, alone, burst, connect};
use crate::Outcome;
use crate::load::Burst;
use crate::peer::grpc::framed;

/// How many connections share the calls.
const SHARED_BY: usize = 4;

/// What is sent in a call.
const MESSAGE: [u8; 64] = [b'm'; 64];

/// What is read ahead.
const WINDOW: u32 = 1 << 20;

/// A connection to a service.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// Calls for `duration`, [`CONNECTIONS`] calls at a time on four connections.
///
/// # Errors
/// A call fails, or another message comes back.
pub(crate) fn press(address: SocketAddr, host: &str, duration: Duration) -> Outcome<Burst> {
    alone(async {
        let mut callers = Vec::new();
        for _ in 0..SHARED_BY {
            callers.push(Caller::connect(address, host).await?);
        }
        let start = Instant::now();
        let tasks: Vec<_> = callers
            .iter()
            .cycle()
            .take(CONNECTIONS)
            .map(|caller| tokio::task::spawn_local(call(caller.clone(), start + duration)))
            .collect();
        let mut latency = Vec::new();
        for task in tasks {
            latency.extend(task.await??);
        }
        Ok(burst(start, latency))
    })
}

/// Sends one body to `/upload`, and says how long it took.
///
/// # Errors
/// Not all of it arrives.
pub(crate) fn upload(address: SocketAddr, host: &str, body: Bytes) -> Outcome<Duration> {
    let size = body.len().to_string();
    alone(async {
        let mut caller = Caller::connect(address, host).await?;
        let start = Instant::now();
        let arrived = caller.send("/upload", body).await?;
        if arrived != size {
            return Err(format!("{arrived:?} bytes arrived of {size}").into());
        }
        Ok(start.elapsed())
    })
}

async fn call(mut caller: Caller, end: Instant) -> Outcome<Vec<f64>> {
    let message = framed(&MESSAGE);
    let (mut latency, mut sent) = (Vec::new(), Instant::now());
    while sent < end {
        let answer = caller.send("/bench.Echo/Unary", message.clone()).await?;
        if answer != message {
            return Err("another message came back".into());
        }
        let answered = Instant::now();
        latency.push((answered - sent).as_secs_f64() * 1e3);
        sent = answered;
    }
    Ok(latency)
}

impl Caller {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr, host: &str) -> Outcome<Self> {
        let stream = TokioIo::new(connect(address).await?);
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await?;
        // A broken connection shows at the next call.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, host: host.to_owned() })
    }

    /// Sends a body, and reads one, which must come with 200 and, if it is of gRPC, end in success.
    pub(super) async fn send(&mut self, path: &str, body: Bytes) -> Outcome<Bytes> {
        let uri = Uri::builder().scheme("http").authority(self.host.as_str()).path_and_query(path).build()?;
        let request = Request::post(uri).header(CONTENT_TYPE, "application/grpc").header(TE, "trailers");
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let (status, grpc) = (response.status(), response.headers().contains_key(CONTENT_TYPE));
        let whole = response.into_body().collect().await?;
        let succeeded = whole.trailers().and_then(|trailers| trailers.get("grpc-status"));
        if status != StatusCode::OK || (grpc && path != "/upload" && succeeded.is_none_or(|code| code != "0"))
        {
            return Err(format!("a call answered {status}, {succeeded:?}").into());
        }
        Ok(whole.to_bytes())
    }
}
