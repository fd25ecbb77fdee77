//! How long does gcloud itself take to deploy, against a server that takes no time?
//!
//! gcloud asks whether the API is enabled and whether the service exists, creates it, and then asks until
//! it is ready. Here it is ready when it is first asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::serve;
use crate::Outcome;

/// A service that is ready.
const SERVICE: &str = include_str!("instant-service.json");

/// The answers, made once.
#[derive(Debug, Clone)]
struct Answers {
    created: Arc<AtomicBool>,
    ready: Bytes,
    pending: Bytes,
}

/// Answers a deployment.
pub(crate) fn run(listen: SocketAddr) -> Outcome<()> {
    let answers = Answers::new()?;
    serve(listen, move |request| answers.to(&request.method, request.uri.path()))
}

impl Answers {
    fn new() -> Outcome<Self> {
        let ready: Value = serde_json::from_str(SERVICE)?;
        let pending = pending(ready.clone()).to_string();
        Ok(Self { created: Arc::default(), ready: ready.to_string().into(), pending: pending.into() })
    }

    fn to(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if !path.contains("/namespaces/") {
            // The state of an API, and whether the server runs.
            return super::json(Bytes::from_static(br#"{"state":"ENABLED"}"#));
        }
        match *method {
            Method::POST => {
                self.created.store(true, Ordering::Relaxed);
                super::json(self.pending.clone())
            }
            Method::DELETE => {
                self.created.store(false, Ordering::Relaxed);
                super::json(Bytes::from_static(b"{}"))
            }
            _ if self.created.load(Ordering::Relaxed) => super::json(self.ready.clone()),
            _ => not_found(),
        }
    }
}

/// The service as the write answers it: its conditions are unknown, and no revision is ready.
fn pending(mut service: Value) -> Value {
    let conditions = service.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition["status"] = json!("Unknown");
    }
    if let Some(status) = service["status"].as_object_mut() {
        status.remove("latestReadyRevisionName");
    }
    service
}

fn not_found() -> Response<Full<Bytes>> {
    let error =
        json!({ "error": { "code": 404, "message": "There is no such service.", "status": "NOT_FOUND" } });
    let mut response = super::json(error.to_string().into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "/apis/serving.knative.dev/v1/namespaces/p/services/hello";

    #[test]
    fn a_deployment_finds_nothing_then_waits_then_is_ready() {
        let answers = Answers::new().unwrap();
        let status = |method| answers.to(&method, HELLO).status();
        assert_eq!(status(Method::GET), StatusCode::NOT_FOUND);
        assert_eq!(status(Method::POST), StatusCode::OK);
        assert_eq!(status(Method::GET), StatusCode::OK);
        assert_eq!(status(Method::DELETE), StatusCode::OK);
        assert_eq!(status(Method::GET), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_is_pending_is_not_ready() {
        let answers = Answers::new().unwrap();
        let of = |bytes: &Bytes| -> Value { serde_json::from_slice(bytes).unwrap() };
        let (ready, pending) = (of(&answers.ready), of(&answers.pending));
        assert_eq!(ready["status"]["conditions"][0]["status"], "True");
        assert_eq!(pending["status"]["conditions"][0]["status"], "Unknown");
        assert_eq!(pending["status"]["latestReadyRevisionName"], Value::Null);
        assert_eq!(pending["status"]["conditions"].as_array().unwrap().len(), 3);
    }
}
