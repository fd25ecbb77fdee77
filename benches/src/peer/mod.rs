//! With what is groundrun compared, and what stands behind it? Servers that do the least that can be done.

pub(crate) mod backend;
pub(crate) mod bare;
pub(crate) mod grpc;
pub(crate) mod instant;
pub(crate) mod relay;

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Outcome;

/// Serves with `answer` until it is killed.
fn serve<A>(listen: SocketAddr, answer: A) -> Outcome<()>
where
    A: Fn(&Parts) -> Response<Full<Bytes>> + Clone + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let (head, body) = request.into_parts();
                let answer = answer.clone();
                async move {
                    // As any server must that uses the body: gcloud sends it 40 ms after the head.
                    body.collect().await?;
                    Ok::<_, hyper::Error>(answer(&head))
                }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away ends its connection.
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}

/// An answer of JSON.
fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
