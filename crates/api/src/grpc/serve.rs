//! How does a gRPC request become a call of the API, and the answer a gRPC response?

use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use groundrun_model::{Code, Error, Result};
use http::{Version, header};
use serde_json::Value;
use tokio::sync::watch;
use tonic::Status;
use tonic::server::{Grpc, UnaryService};

use super::health;
use super::json::Json as _;
use super::message::{Wire, unreadable};
use super::messages::{rpc, run};
use super::methods::{self, Method};
use super::raw::Raw;
use crate::call::bearer;
use crate::error::{grpc_status, refusal};
use crate::{BODY_LIMIT, State, v2};

/// Who carries out methods whose requests and responses are proto3 JSON.
pub(crate) trait Callee: Clone + Send + Sync + 'static {
    /// The answer of `method` to whom `bearer` stands for.
    fn call(
        self,
        bearer: Option<String>,
        method: &'static str,
        request: Value,
    ) -> impl Future<Output = Result<Value>> + Send;

    /// Tells when the server is about to stop.
    fn stopping(&self) -> watch::Receiver<bool>;
}

impl Callee for State {
    async fn call(self, bearer: Option<String>, method: &'static str, request: Value) -> Result<Value> {
        let caller = self.engine.caller(bearer.as_deref()).await?;
        v2::answer(&self, &caller, method, request, as_published).await
    }

    fn stopping(&self) -> watch::Receiver<bool> {
        self.engine.stopping()
    }
}

/// What of a service the published protos can say: what a client of gRPC cannot have seen, it has not
/// meant to change.
fn as_published(service: Value) -> Value {
    run::Service::from_json(&service).map_or(service, |service| service.to_json())
}

/// Answers what is gRPC, and passes on what is not.
pub(crate) async fn door<C: Callee>(
    axum::extract::State(callee): axum::extract::State<C>,
    request: Request,
    next: Next,
) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_vec());
    match kind.filter(|kind| kind.starts_with(b"application/grpc")) {
        None => next.run(request).await,
        Some(kind) => answer(callee, &kind, request).await,
    }
}

async fn answer<C: Callee>(callee: C, kind: &[u8], request: Request) -> Response {
    let subtype = kind.strip_prefix(b"application/grpc").unwrap_or_default();
    if !(subtype.is_empty() || subtype.starts_with(b";") || subtype.starts_with(b"+proto")) {
        return refusal(&Error::unimplemented(&format!("gRPC as {}", String::from_utf8_lossy(kind))));
    }
    if request.version() < Version::HTTP_2 {
        return refusal(
            &Error::new(
                Code::FailedPrecondition,
                format!("gRPC needs HTTP/2; this is {:?}.", request.version()),
            )
            .hint("a client of gRPC without TLS speaks HTTP/2 from the first byte (h2c, prior knowledge)"),
        );
    }
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let response = if health::knows(&name) {
        blame_client(health::answer(request, callee.stopping()).await)
    } else if let Some(method) = methods::find(&name) {
        unary(callee, method, request).await
    } else {
        grpc_status(&Error::unimplemented(&name)).into_http()
    };
    response.map(Body::new)
}

async fn unary<C: Callee>(
    callee: C,
    method: &'static Method,
    request: Request,
) -> http::Response<tonic::body::Body> {
    let mut grpc = Grpc::new(Raw).max_decoding_message_size(BODY_LIMIT);
    let mut arrived = false;
    let call = Call { callee, method, arrived: &mut arrived };
    let response = grpc.unary(call, request).await;
    if arrived { response } else { blame_client(response) }
}

/// tonic calls a message that is cut short or too large a fault of the server's; it is the client's.
fn blame_client(response: http::Response<tonic::body::Body>) -> http::Response<tonic::body::Body> {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    let error = match status.code() {
        tonic::Code::OutOfRange => Error::new(
            Code::ResourceExhausted,
            format!("Received message larger than max ({BODY_LIMIT} bytes)."),
        ),
        tonic::Code::Internal | tonic::Code::Unknown => {
            Error::field("", format!("The request message did not arrive whole: {}", status.message()))
        }
        _ => return response,
    };
    grpc_status(&error).into_http()
}

/// One call of a method.
struct Call<'c, C> {
    callee: C,
    method: &'static Method,
    /// Whether a whole message came in.
    arrived: &'c mut bool,
}

impl<C: Callee> UnaryService<Bytes> for Call<'_, C> {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        *self.arrived = true;
        let (callee, method) = (self.callee.clone(), self.method);
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let bearer = bearer(&metadata.into_headers()).map(str::to_owned);
            let response = carry_out(callee, method, bearer, &message).await;
            response.map(tonic::Response::new).map_err(|error| grpc_status(&error))
        })
    }
}

async fn carry_out<C: Callee>(
    callee: C,
    method: &'static Method,
    bearer: Option<String>,
    message: &[u8],
) -> Result<Bytes> {
    let request = method.request.read(message).map_err(|problem| unreadable(method.name, &problem))?;
    let answer = callee.call(bearer, method.name, request).await?;
    let bytes = method.response.write(&answer);
    bytes.map(Bytes::from).map_err(|mismatch| Error::internal(format!("{}: {mismatch}", method.name)))
}

/// The `google.rpc.Status` of this JSON as the bytes that accompany a gRPC status.
pub(crate) fn status_message(status: &Value) -> Bytes {
    // What does not fit the message, which only a fault here could make, would be left out.
    Wire::of::<rpc::Status>().write(status).map(Bytes::from).unwrap_or_default()
}
