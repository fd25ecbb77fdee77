//! What answers a unary call of gRPC behind the proxies?
//!
//! HTTP/2 with prior knowledge. The message of a call is sent back, with the trailer of success.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::Outcome;

/// What is read ahead on a stream and a connection: enough for a large body at full rate.
const WINDOW: u32 = 1 << 20;

/// Serves until it is killed.
pub(crate) fn run(listen: SocketAddr) -> Outcome<()> {
    crate::wire::alone(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection = http2::Builder::new(TokioExecutor::new())
                .initial_stream_window_size(WINDOW)
                .initial_connection_window_size(WINDOW)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A proxy that goes away ends its connection.
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}

/// Sends a message back; of what is sent to `/upload` only the size.
async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let upload = request.uri().path() == "/upload";
    let mut body = request.into_body();
    if upload {
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            size += frame?.data_ref().map_or(0, Bytes::len);
        }
        return Ok(Response::new(Full::from(size.to_string()).boxed()));
    }
    let message = if body.is_end_stream() { Bytes::new() } else { body.collect().await?.to_bytes() };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let echo = Full::new(message).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(echo.boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(response)
}

/// A message as gRPC frames it: not compressed, its length, its bytes.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0][..], &length, message].concat().into()
}
