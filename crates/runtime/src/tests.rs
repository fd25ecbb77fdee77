//! What does an echo show of a request, and when does it fail?

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use groundrun_model::instance::{InstanceSpec, Protocol};
use groundrun_model::rule::Runs;
use groundrun_model::{Project, Region, RevisionName, ServiceId, ServiceName, Timestamp};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Frame;
use serde_json::{Value, json};

use crate::{Backend, Body, BoxError, EchoCaller, Logs, RespondError};

fn spec() -> InstanceSpec {
    let env = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    InstanceSpec {
        service: ServiceId {
            project: Project::parse("demo-project").unwrap(),
            region: Region::parse("us-central1").unwrap(),
            name: ServiceName::parse("hello", "name").unwrap(),
        },
        revision: RevisionName::lookup("hello-00001-abc").unwrap(),
        image: "image@sha256:00".to_owned(),
        service_account: "sa@demo-project.iam.gserviceaccount.com".to_owned(),
        env: vec![env("MODE", "test"), env("PORT", "1"), env("EMPTY", "")],
        port: 9090,
        concurrency: 80,
        timeout_seconds: 300,
        runs: Runs::Echo,
        protocol: Protocol::Http1,
        session_affinity: false,
    }
}

fn request(method: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri("/a/b?c=d&e").body(Full::from(body)).unwrap()
}

async fn echo(request: Request<Full<Bytes>>, caller: Option<EchoCaller<'_>>) -> Response<Body> {
    Backend::new().respond(&spec(), request, caller).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn an_echo_is_ready_at_once() {
    let logs = Logs::new(|| Timestamp::from_seconds(7));
    assert_eq!(Backend::new().start(spec(), &logs).await, Ok(()));
    Backend::new().stop(&spec()).await;
    let entries = logs.read(|service| *service == spec().service);
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((entry.text(), entry.log_id()), (Some("listening on port 9090"), "stdout"));
    assert_eq!(entry.timestamp, Timestamp::from_seconds(7));
}

#[tokio::test]
async fn an_echo_shows_everything_that_a_container_would_see() {
    let mut request = request("POST", "12345");
    let headers = request.headers_mut();
    headers.append("x-many", HeaderValue::from_static("1"));
    headers.append("x-many", HeaderValue::from_static("2"));
    headers.append("host", HeaderValue::from_static("hello.example"));
    let caller = EchoCaller { email: Some("dev@example.com"), sub: "123", audience: "aud1" };
    let response = echo(request, Some(caller)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let length = response.headers()["content-length"].clone();
    let text = text(response).await;
    assert_eq!(length, text.len().to_string().as_str());
    assert!(
        text.starts_with("{\n  \"service\": \"hello\",\n  \"revision\"") && text.ends_with("\n}\n"),
        "{text}"
    );
    let expected = json!({
        "service": "hello",
        "revision": "hello-00001-abc",
        "configuration": "hello",
        "project": "demo-project",
        "region": "us-central1",
        "image": "image@sha256:00",
        "env": {
            "K_SERVICE": "hello", "K_REVISION": "hello-00001-abc", "K_CONFIGURATION": "hello",
            "PORT": "9090", "MODE": "test", "EMPTY": "",
        },
        "request": {
            "method": "POST",
            "path": "/a/b",
            "query": "c=d&e",
            "headers": {"x-many": ["1", "2"], "host": "hello.example"},
            "bodyBytes": 5,
        },
        "caller": {"email": "dev@example.com", "sub": "123", "audience": "aud1"},
        "backend": "echo",
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[tokio::test]
async fn without_query_and_caller_they_are_null() {
    let mut request = request("GET", "");
    *request.uri_mut() = "/".parse().unwrap();
    let json: Value = serde_json::from_str(&text(echo(request, None).await).await).unwrap();
    assert_eq!((&json["request"]["query"], &json["caller"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let get = echo(request("GET", ""), None).await;
    let head = echo(request("HEAD", ""), None).await;
    assert_eq!(head.headers()["content-type"], "application/json");
    let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(length, text(get).await.len() + "HEAD".len() - "GET".len());
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn odd_bytes_in_headers_are_shown() {
    let mut request = request("GET", "");
    request.headers_mut().append("x-latin", HeaderValue::from_bytes(b"\xe4\xff\t").unwrap());
    request.headers_mut().append("x-utf8", HeaderValue::from_bytes("\u{e4}\u{20ac}".as_bytes()).unwrap());
    let json: Value = serde_json::from_str(&text(echo(request, None).await).await).unwrap();
    assert_eq!(json["request"]["headers"], json!({"x-latin": "\u{e4}\u{ff}\t", "x-utf8": "\u{e4}\u{20ac}"}));
}

/// A body of these pieces.
struct Pieces(VecDeque<Result<Frame<Bytes>, BoxError>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.0.pop_front())
    }
}

async fn echo_pieces<const N: usize>(
    pieces: [Result<Frame<Bytes>, BoxError>; N],
) -> Result<Response<Body>, RespondError> {
    let request = request("POST", "").map(|_| Pieces(pieces.into()));
    Backend::new().respond(&spec(), request, None).await
}

fn data(text: &'static str) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from(text)))
}

#[tokio::test]
async fn trailers_do_not_count() {
    let response =
        echo_pieces([data("123"), data("45"), Ok(Frame::trailers(HeaderMap::new()))]).await.unwrap();
    let json: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(json["request"]["bodyBytes"], 5);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let error = echo_pieces([data("123"), Err("gone".into())]).await.unwrap_err();
    assert_eq!(error.to_string(), "the body of the request broke off: gone");
}
