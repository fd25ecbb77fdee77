//! Does a client of gRPC get what it asks for, over a connection without TLS?

use groundrun_model::{Code, Error, Violation};
use prost::Message as _;
use serde_json::json;
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::server::Canned;
use crate::grpc::json::Json as _;
use crate::grpc::messages::run::jobs_client::JobsClient;
use crate::grpc::messages::run::services_client::ServicesClient;
use crate::grpc::messages::{longrunning, rpc, run};

fn create() -> run::CreateServiceRequest {
    run::CreateServiceRequest {
        parent: "projects/p/locations/us-central1".to_owned(),
        service: Some(run::Service { custom_audiences: vec!["a".to_owned()], ..Default::default() }),
        service_id: "hello".to_owned(),
        validate_only: false,
    }
}

#[tokio::test]
async fn a_service_is_created_and_an_operation_comes_back() {
    let operation = json!({
        "name": "projects/p/locations/us-central1/operations/o",
        "metadata": { "@type": "type.googleapis.com/google.cloud.run.v2.Service", "uid": "u" },
    });
    let canned = Canned::new(Ok(operation.clone()));
    let (client, origin) = canned.serve().await;
    let mut request = Request::new(create());
    request.metadata_mut().insert("authorization", "Bearer secret".parse().unwrap());
    let answer =
        ServicesClient::with_origin(client, origin).create_service(request).await.unwrap().into_inner();
    assert_eq!(answer, longrunning::Operation::from_json(&operation).unwrap());
    let metadata = run::Service::decode(answer.metadata.unwrap().value.as_slice()).unwrap();
    assert_eq!(metadata.uid, "u");
    let expect = json!({
        "parent": "projects/p/locations/us-central1",
        "serviceId": "hello",
        "service": { "customAudiences": ["a"] },
    });
    let method = "google.cloud.run.v2.Services/CreateService";
    assert_eq!(canned.asked(), [(Some("secret".to_owned()), method, expect)]);
}

#[tokio::test]
async fn a_refusal_brings_its_details() {
    let violation = Violation { field: "service.template".to_owned(), description: "is bad".to_owned() };
    let error = Error::violations(vec![violation]).hint("make it good");
    let (client, origin) = Canned::new(Err(error)).serve().await;
    let status = ServicesClient::with_origin(client, origin).create_service(create()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert_eq!(status.message(), "service.template: is bad");
    let details = rpc::Status::decode(status.details()).unwrap().to_json();
    assert_eq!(
        details,
        json!({
            "code": 3,
            "message": "service.template: is bad",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{ "field": "service.template", "description": "is bad" }],
                },
                {
                    "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                    "locale": "en-US",
                    "message": "make it good",
                },
            ],
        })
    );
}

#[tokio::test]
async fn a_missing_resource_is_not_found_with_its_reason() {
    let (client, origin) = Canned::new(Err(Error::not_found("SERVICE", "s", "r", "p"))).serve().await;
    let status = ServicesClient::with_origin(client, origin).create_service(create()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    let details = rpc::Status::decode(status.details()).unwrap().details;
    let info = rpc::ErrorInfo::decode(details[0].value.as_slice()).unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("RESOURCE_NOT_FOUND", "run.googleapis.com"));
}

#[tokio::test]
async fn every_code_has_its_number() {
    let codes = [
        (Code::InvalidArgument, 3),
        (Code::NotFound, 5),
        (Code::AlreadyExists, 6),
        (Code::PermissionDenied, 7),
        (Code::ResourceExhausted, 8),
        (Code::FailedPrecondition, 9),
        (Code::Aborted, 10),
        (Code::Unimplemented, 12),
        (Code::Internal, 13),
        (Code::Unavailable, 14),
        (Code::Unauthenticated, 16),
    ];
    for (code, number) in codes {
        assert_eq!(crate::error::grpc_status(&Error::new(code, "")).code(), tonic::Code::from_i32(number));
    }
}

#[tokio::test]
async fn a_method_that_is_not_emulated_is_refused_by_its_full_name() {
    let canned = Canned::new(Ok(json!({})));
    let (client, origin) = canned.serve().await;
    let request = run::GetJobRequest { name: "projects/p/locations/l/jobs/j".to_owned() };
    let status = JobsClient::with_origin(client, origin).get_job(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert_eq!(status.message(), "google.cloud.run.v2.Jobs/GetJob is not emulated by groundrun.");
    assert_eq!(canned.asked(), []);
}

#[tokio::test]
async fn who_asks_for_health_is_told_that_all_is_served() {
    let (client, origin) = Canned::new(Ok(json!({}))).serve().await;
    let mut health = HealthClient::with_origin(client, origin);
    for service in ["", "google.cloud.run.v2.Services", "google.longrunning.Operations"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let status = health.check(HealthCheckRequest { service: "x.Y".to_owned() }).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(status.message(), "'x.Y' is not a service that groundrun knows.");
}

#[tokio::test]
async fn who_watches_health_is_told_and_stays_until_the_server_stops() {
    let canned = Canned::new(Ok(json!({})));
    let (client, origin) = canned.serve().await;
    let mut health = HealthClient::with_origin(client, origin);
    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let first = watched.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    // Another call goes there and back on the same connection, and nothing more has come by then.
    tokio::select! {
        biased;
        more = watched.message() => panic!("the stream went on: {more:?}"),
        other = health.check(HealthCheckRequest::default()) => assert!(other.is_ok()),
    }
    canned.stop();
    let last = watched.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
    assert_eq!(watched.message().await.unwrap(), None, "the stream has ended");
}
