//! Is the emulator there, for those who ask over gRPC? The standard health service.

use groundrun_model::{Code, Error};
use http::Request;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::Service as _;
use tonic::{Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::methods::grpc_methods;
use crate::error::grpc_status;

/// The service of the methods below.
const SERVICE: &str = "grpc.health.v1.Health";

/// Whether `method` is one of the health service.
pub(crate) fn knows(method: &str) -> bool {
    method
        .split_once('/')
        .is_some_and(|(service, name)| service == SERVICE && matches!(name, "Check" | "Watch"))
}

/// The answer to a request of a method that this service knows.
pub(crate) async fn answer(
    request: Request<axum::body::Body>,
    stopping: watch::Receiver<bool>,
) -> http::Response<tonic::body::Body> {
    match HealthServer::new(Serving { stopping }).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Who answers serves, until it is about to stop.
#[derive(Debug)]
struct Serving {
    stopping: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl Health for Serving {
    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(status_of(&request.get_ref().service)?))
    }

    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let status = status_of(&request.get_ref().service)?;
        let (told, answers) = mpsc::channel(2);
        let mut stopping = self.stopping.clone();
        tokio::spawn(async move {
            // What cannot be sent is of no use to a client that has gone.
            let _ = told.send(Ok(status)).await;
            // The stream stays open, so that a client need not ask again, and ends with the server.
            tokio::select! {
                _ = async { stopping.wait_for(|stopping| *stopping).await.is_ok() } => {
                    let ended = HealthCheckResponse { status: ServingStatus::NotServing.into() };
                    let _ = told.send(Ok(ended)).await;
                }
                () = told.closed() => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}

/// The status of a service, or of the whole emulator if `service` is empty.
fn status_of(service: &str) -> Result<HealthCheckResponse, Status> {
    let mut services = grpc_methods().filter_map(|method| method.split_once('/')).map(|(service, _)| service);
    if service.is_empty() || service == SERVICE || services.any(|known| known == service) {
        return Ok(HealthCheckResponse { status: ServingStatus::Serving.into() });
    }
    Err(grpc_status(&Error::new(
        Code::NotFound,
        format!("'{service}' is not a service that groundrun knows."),
    )))
}
