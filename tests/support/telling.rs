//! What does a container see of a request? An answer that tells it.

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::upstream::{UpstreamBody, bytes_body};

/// Tells what it was sent: the request line, each header with its values in Latin-1, and how many bytes.
pub async fn tell(request: Request<Incoming>) -> Response<UpstreamBody> {
    let (head, mut body) = request.into_parts();
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    let text =
        |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect::<String>();
    let values = |name| head.headers.get_all(name).iter().map(text).collect::<Vec<_>>();
    let headers: serde_json::Map<String, Value> =
        head.headers.keys().map(|name| (name.to_string(), json!(values(name)))).collect();
    let told = json!({
        "method": head.method.as_str(),
        "target": head.uri.path_and_query().map(ToString::to_string),
        "authority": head.uri.authority().map(ToString::to_string),
        "version": format!("{:?}", head.version),
        "headers": headers,
        "bytes": bytes,
    });
    Response::new(bytes_body(told.to_string()))
}
