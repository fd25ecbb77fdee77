//! What happens behind a CONNECT?
//!
//! Nothing is passed on. A client that asks for a tunnel to a host that is emulated is told that it has one
//! and talks to this process: over TLS, as that host, or in the clear.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::connections::Line;
use super::tls;

/// How long a client may take until it says something through its tunnel.
const FIRST_BYTE: Duration = Duration::from_secs(30);

/// Answers a CONNECT, and serves what comes through the tunnel.
pub(super) fn open(line: &Line, request: Request<Incoming>) -> Response<Body> {
    match line.front.tunnel(&request) {
        Err(refusal) => *refusal,
        Ok(host) => {
            let line = line.inside(&host);
            tokio::spawn(serve(hyper::upgrade::on(request), line));
            Response::new(Body::empty())
        }
    }
}

/// Boxed, because a tunnel is served like the connection that it is in.
fn serve(upgrade: OnUpgrade, line: Line) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let opening = async {
            let upgraded = upgrade.await.map_err(io::Error::other)?;
            let mut io = BufReader::new(TokioIo::new(upgraded));
            let first = io.fill_buf().await?.first().copied();
            Ok((io, first))
        };
        match line.soon(FIRST_BYTE, opening).await {
            Some((io, Some(first))) if tls::begins_with(first) => tls::serve(io, line).await,
            Some((io, Some(_))) => line.speak(io).await,
            _ => (),
        }
    })
}
