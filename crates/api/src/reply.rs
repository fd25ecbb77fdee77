//! How does JSON leave?

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::error::Refusal;

/// A JSON answer with status 200. Indented, as Google's APIs answer.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) Value);

const KIND: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");

/// What a handler returns.
pub(crate) type Reply = Result<Json, Refusal>;

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, KIND)], json_text(body)).into_response()
}

/// JSON that is text already, with status 200.
pub(crate) fn json_bytes(text: Bytes) -> Response {
    ([(header::CONTENT_TYPE, KIND)], text).into_response()
}

/// JSON as it is answered.
pub(crate) fn json_text(body: &Value) -> String {
    format!("{body:#}\n")
}
