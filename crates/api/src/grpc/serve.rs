//! How is a gRPC call served?

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
use groundrun_model::{Code, Error};
use http::{HeaderValue, Request, Response, Version, header};
use prost::Message;
use tokio::sync::OnceCell;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code as GrpcCode, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tonic_prost::ProstCodec;
use tower::ServiceExt as _;

use super::json::Json;
use super::methods;
use crate::call::bearer;
use crate::error::{refusal, status};
use crate::{BODY_LIMIT, State, v2};

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Serves a request that speaks gRPC.
pub(crate) async fn serve(state: State, request: Request<Body>) -> Response<Body> {
    if request.version() != Version::HTTP_2 {
        let message = "gRPC needs HTTP/2: connect without TLS, by prior knowledge (h2c).";
        return refusal(&Error::new(Code::InvalidArgument, message));
    }
    let name = request.uri().path().trim_start_matches('/').to_owned();
    if name.starts_with("grpc.health.v1.Health/") {
        return state.health.serve(request).await;
    }
    let call = Call { state, method: name.clone() };
    let served = methods::serve(&name, call, request).await;
    served.unwrap_or_else(|| refuse(&Error::unimplemented(&name)))
}

/// An answer without a message: its status travels in the headers.
fn refuse(error: &Error) -> Response<Body> {
    status(error).into_http::<Body>()
}

/// A call of a method.
#[derive(Clone)]
pub(super) struct Call {
    state: State,
    /// The full name of the method.
    method: String,
}

impl Call {
    async fn answer<Asked: Json, Answer: Json>(
        self,
        request: tonic::Request<Asked>,
    ) -> Result<Answer, Status> {
        let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let caller = self.state.engine.caller(bearer(header)).map_err(|error| status(&error))?;
        let asked = request.into_inner().to_json();
        let answer = v2::answer(&self.state, &caller, &self.method, asked, held_by_service).await;
        answer.and_then(Answer::from_json).map_err(|error| status(&error))
    }
}

/// What of a service the published messages can hold.
fn held_by_service(service: serde_json::Value) -> serde_json::Value {
    run::Service::from_json(service).map(|service| service.to_json()).unwrap_or_default()
}

impl<Asked, Answer> UnaryService<Asked> for Served<Answer>
where
    Asked: Json + Send + 'static,
    Answer: Json + Send + 'static,
{
    type Response = Answer;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Answer>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Asked>) -> Self::Future {
        let call = self.call.clone();
        Box::pin(async move { call.answer(request).await.map(tonic::Response::new) })
    }
}

/// A call whose answer is of a known type.
struct Served<Answer> {
    call: Call,
    answer: PhantomData<Answer>,
}

/// Serves a method of one message and one answer.
pub(super) async fn unary<Asked, Answer>(call: Call, request: Request<Body>) -> Response<Body>
where
    Asked: Message + Default + Json + 'static,
    Answer: Message + Default + Json + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<Answer, Asked>::default())
        .apply_max_message_size_config(Some(BODY_LIMIT), None);
    let served = Served { call, answer: PhantomData };
    let mut response = grpc.unary(served, request).await.map(Body::new);
    // Google's servers say so of a message that is too large; tonic has another code for it.
    if response.headers().get("grpc-status").is_some_and(|code| code == OUT_OF_RANGE) {
        response.headers_mut().insert("grpc-status", HeaderValue::from(GrpcCode::ResourceExhausted as i32));
    }
    response
}

/// [`GrpcCode::OutOfRange`], which no method answers with.
const OUT_OF_RANGE: &str = "11";

/// The standard health service. Each service is serving as long as the emulator answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health(Arc<OnceCell<HealthServer<HealthService>>>);

impl Health {
    async fn serve(&self, request: Request<Body>) -> Response<Body> {
        let service = self.0.get_or_init(|| async {
            let reporter = HealthReporter::new();
            // The name of a method begins with that of its service; the server itself is the empty name.
            for method in methods::METHODS {
                let service = method.split('/').next().unwrap_or_default();
                reporter.set_service_status(service, ServingStatus::Serving).await;
            }
            HealthServer::new(HealthService::from_health_reporter(reporter))
        });
        match service.await.clone().oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}
