//! What does a revision answer that has no container?
//!
//! JSON that shows which revision took the request, its environment, the request as a container would
//! have seen it, and the caller that the data plane recognised.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use groundrun_model::instance::InstanceSpec;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use serde::Serialize;

use crate::backend::{Body, BoxError, RespondError, StartFailure};

/// Who calls, by a verified ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EchoCaller<'a> {
    /// The address, if the token has it.
    pub email: Option<&'a str>,
    /// The unique id.
    pub sub: &'a str,
    /// The audience of the token.
    pub audience: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Echo<'a> {
    service: &'a str,
    revision: &'a str,
    configuration: &'a str,
    project: &'a str,
    region: &'a str,
    image: &'a str,
    env: BTreeMap<&'a str, Cow<'a, str>>,
    request: EchoRequest<'a>,
    caller: Option<EchoCaller<'a>>,
    backend: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EchoRequest<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    headers: BTreeMap<&'a str, Values<'a>>,
    body_bytes: u64,
}

/// The values of one header: a string, or a list of strings if the header was there more than once.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

/// Starts an echo. An image of a registry under `.invalid`, a domain that RFC 2606 keeps from ever being
/// there, cannot be pulled anywhere: it is how a deployment that fails is shown without a container.
///
/// # Errors
/// In the words of the hosted service for an image that is not there.
pub(crate) fn start(spec: &InstanceSpec) -> Result<(), StartFailure> {
    let image = spec.image.split('@').next().unwrap_or_default();
    let registry = image.split_once('/').map_or("", |(registry, _)| registry);
    let host = registry.split(':').next().unwrap_or_default();
    if host.ends_with(".invalid") {
        let message = format!("Image '{image}' not found.");
        return Err(StartFailure { reason: "ContainerMissing".to_owned(), message });
    }
    Ok(())
}

/// The echo of a request to a revision.
///
/// # Errors
/// The body of the request broke off. It is counted, not kept.
pub(crate) async fn respond<B>(
    spec: &InstanceSpec,
    request: Request<B>,
    caller: Option<EchoCaller<'_>>,
) -> Result<Response<Body>, RespondError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (head, body) = request.into_parts();
    let body_bytes = count(body).await.map_err(RespondError::RequestBody)?;
    let service = spec.service.name.as_str();
    let echo = Echo {
        service,
        revision: spec.revision.as_str(),
        configuration: service,
        project: spec.service.project.id.as_str(),
        region: spec.service.region.as_str(),
        image: &spec.image,
        env: environment(spec),
        request: EchoRequest {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query(),
            headers: headers(&head.headers),
            body_bytes,
        },
        caller,
        backend: "echo",
    };
    let mut json = serde_json::to_vec_pretty(&echo).expect("strings and numbers are always JSON");
    json.push(b'\n');
    Ok(response(&head.method, json))
}

/// A HEAD is answered with the headers that a GET gets, the length among them.
fn response(method: &Method, json: Vec<u8>) -> Response<Body> {
    let length = HeaderValue::from(json.len());
    let body = match *method {
        Method::HEAD => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        _ => Full::from(json).map_err(|never| match never {}).boxed_unsync(),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// How many bytes a body has: each piece is dropped once it is counted.
async fn count<B>(body: B) -> Result<u64, BoxError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(frame) = body.as_mut().frame().await {
        bytes += frame.map_err(Into::into)?.data_ref().map_or(0, Bytes::len) as u64;
    }
    Ok(bytes)
}

/// What the container would find in its environment. The contract's own variables win: a container
/// cannot set them. <https://cloud.google.com/run/docs/container-contract#env-vars>.
fn environment(spec: &InstanceSpec) -> BTreeMap<&str, Cow<'_, str>> {
    let service = spec.service.name.as_str();
    let own = spec.env.iter().map(|(name, value)| (name.as_str(), Cow::from(value)));
    let contract = [
        ("K_CONFIGURATION", service.into()),
        ("K_REVISION", spec.revision.as_str().into()),
        ("K_SERVICE", service.into()),
        ("PORT", spec.port.to_string().into()),
    ];
    own.chain(contract).collect()
}

fn headers(map: &HeaderMap) -> BTreeMap<&str, Values<'_>> {
    let values = |name| {
        let mut values: Vec<_> = map.get_all(name).iter().map(text).collect();
        match values.len() {
            1 => Values::One(values.swap_remove(0)),
            _ => Values::Many(values),
        }
    };
    map.keys().map(|name| (name.as_str(), values(name))).collect()
}

/// A value as text. What is not UTF-8 is read as Latin-1, as HTTP did: no byte is lost.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    }
}
