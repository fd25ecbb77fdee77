//! How is a refusal of the engine spelled in HTTP and in gRPC? The only place that knows.

use axum::response::{IntoResponse, Response};
use googleapis_tonic_google_cloud_run_v2::google::rpc;
use groundrun_model::{Code, Error};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::grpc;
use crate::reply::json_response;

/// A refusal on its way to the client. `?` in a handler makes one.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refusal(&self.0)
    }
}

/// The answer to a request that is refused with `error`.
pub fn refusal(error: &Error) -> Response {
    refusal_as(spell(error.code).0, error)
}

/// The same with another HTTP status than that of its code.
pub(crate) fn refusal_as(status: StatusCode, error: &Error) -> Response {
    let (_, word) = spell(error.code);
    note(error);
    let body = json!({ "error": {
        "code": status.as_u16(),
        "message": error.message,
        "status": word,
        "details": details(error),
    }});
    let mut response = json_response(status, &body);
    if error.code == Code::Unauthenticated {
        let challenge = HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The most bytes of a message in a gRPC status. It travels in a header, and clients take 8 KiB of those.
const STATUS_MESSAGE: usize = 2 * 1024;

/// The most bytes of the details of a gRPC status, for the same reason.
const STATUS_DETAILS: usize = 4 * 1024;

/// The gRPC status of a call that is refused with `error`, with the details of the JSON. Of more details
/// than a client takes the last ones are left out.
pub(crate) fn grpc_status(error: &Error) -> tonic::Status {
    note(error);
    let (_, word) = spell(error.code);
    let code = rpc::Code::from_str_name(word).unwrap_or(rpc::Code::Unknown) as i32;
    let end = error.message.floor_char_boundary(STATUS_MESSAGE);
    let message = error.message.get(..end).unwrap_or_default();
    let mut details = details(error);
    let bytes = loop {
        let status = json!({ "code": code, "message": message, "details": details });
        let bytes = grpc::status_message(&status);
        if bytes.len() <= STATUS_DETAILS || details.pop().is_none() {
            break bytes;
        }
    };
    tonic::Status::with_details(code.into(), message, bytes)
}

/// A failure of groundrun's own is for its log.
fn note(error: &Error) {
    let (status, _) = spell(error.code);
    if status.is_server_error() && error.code != Code::Unimplemented {
        tracing::error!(%error, "request failed");
    }
}

/// The HTTP status and the word of each code, as google.rpc.Code defines them.
const fn spell(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::FailedPrecondition => (StatusCode::BAD_REQUEST, "FAILED_PRECONDITION"),
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
        Code::Aborted => (StatusCode::CONFLICT, "ABORTED"),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Code::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
    }
}

fn details(error: &Error) -> Vec<Value> {
    let mut details = Vec::new();
    if !error.violations.is_empty() {
        let violations: Vec<Value> = error
            .violations
            .iter()
            .map(|violation| json!({ "field": violation.field, "description": violation.description }))
            .collect();
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": violations,
        }));
    }
    if let Some(reason) = &error.reason {
        let mut info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason.reason,
            "domain": reason.domain,
        });
        if let Some((name, value)) = reason.metadata.as_deref() {
            info["metadata"] = json!({ *name: value });
        }
        details.push(info);
    }
    if let Some(hint) = &error.hint {
        // gcloud prints the message of this detail on a line of its own.
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": hint,
        }));
    }
    details
}
