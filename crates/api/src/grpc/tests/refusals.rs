//! What becomes of requests that are no calls, or too large, and of errors that are too large for a client?

use axum::body::Body;
use groundrun_model::{Error, Violation};
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use super::server::Canned;
use crate::BODY_LIMIT;
use crate::grpc::messages::run;
use crate::grpc::messages::run::services_client::ServicesClient;

const METHOD: &str = "/google.cloud.run.v2.Services/GetService";

fn request(version: Version, kind: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(METHOD).version(version).header("content-type", kind);
    request.body(body.into()).unwrap()
}

/// The status that answers these bytes in place of a framed message; nobody is called.
async fn status(bytes: impl Into<Body>) -> Status {
    let canned = Canned::new(Ok(json!({})));
    let request = request(Version::HTTP_2, "application/grpc+proto", bytes);
    let response = canned.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(canned.asked(), []);
    Status::from_header_map(response.headers()).unwrap()
}

async fn refused_as_json(version: Version, kind: &str) -> (StatusCode, String) {
    let router = Canned::new(Ok(json!({}))).router();
    let response = router.oneshot(request(version, kind, Body::empty())).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    (status, body["error"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_message_that_does_not_arrive_whole_is_the_fault_of_the_client() {
    for bytes in [&b""[..], b"\0", b"\0\0\0\0\x05abc", b"\x07\0\0\0\0"] {
        let status = status(bytes).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{bytes:?}: {status:?}");
    }
}

#[tokio::test]
async fn bytes_that_hold_no_such_message_are_refused() {
    let canned = Canned::new(Ok(json!({})));
    let request = request(Version::HTTP_2, "application/grpc", &b"\0\0\0\0\x02\x0a\xff"[..]);
    let response = canned.router().oneshot(request).await.unwrap();
    let status = Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("google.cloud.run.v2.Services/GetService"), "{status:?}");
    assert_eq!(canned.asked(), []);
}

#[tokio::test]
async fn a_compressed_message_is_refused() {
    let router = Canned::new(Ok(json!({}))).router();
    let mut request = request(Version::HTTP_2, "application/grpc", &b"\x01\0\0\0\0"[..]);
    request.headers_mut().insert("grpc-encoding", "gzip".parse().unwrap());
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_message_over_the_limit_reaches_nobody() {
    let canned = Canned::new(Ok(json!({})));
    let (client, origin) = canned.serve().await;
    let mut services = ServicesClient::with_origin(client, origin);
    let name = |length| run::GetServiceRequest { name: "x".repeat(length) };
    let status = services.get_service(name(BODY_LIMIT)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(canned.asked(), []);
    // Five bytes are the key and the length of the field.
    services.get_service(name(BODY_LIMIT - 5)).await.unwrap();
    assert_eq!(canned.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_a_failure() {
    let (client, origin) = Canned::new(Ok(json!({ "uri": 1 }))).serve().await;
    let request = run::GetServiceRequest::default();
    let status = ServicesClient::with_origin(client, origin).get_service(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert!(status.message().contains("'uri': a string is expected"), "{status:?}");
}

#[tokio::test]
async fn an_error_that_is_longer_than_headers_may_be_still_arrives() {
    let violation = |at| Violation { field: format!("field{at}"), description: "ü".repeat(1000) };
    for count in [1, 100] {
        let error = Error::violations((0..count).map(violation).collect());
        let (client, origin) = Canned::new(Err(error)).serve().await;
        let request = run::GetServiceRequest::default();
        let status = ServicesClient::with_origin(client, origin).get_service(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.details().len() <= 4096 && status.message().len() <= 2048, "{status:?}");
        assert!(status.details().len() > 20);
    }
}

#[tokio::test]
async fn grpc_over_http_1_and_in_other_formats_is_refused_in_plain_words() {
    let (status, words) = refused_as_json(Version::HTTP_11, "application/grpc").await;
    assert_eq!((status, words.as_str()), (StatusCode::BAD_REQUEST, "gRPC needs HTTP/2; this is HTTP/1.1."));
    for kind in ["application/grpc-web+proto", "application/grpc+json"] {
        let (status, words) = refused_as_json(Version::HTTP_2, kind).await;
        assert_eq!(status, StatusCode::NOT_IMPLEMENTED);
        assert_eq!(words, format!("gRPC as {kind} is not emulated by groundrun."));
    }
}

#[tokio::test]
async fn what_is_not_grpc_passes() {
    let router = Canned::new(Ok(json!({}))).router();
    let response = router.oneshot(request(Version::HTTP_2, "application/json", Body::empty())).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "not gRPC");
}
