//! How does JSON leave?

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::error::Refusal;

/// A JSON answer with status 200. Indented, as Google's APIs answer.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) Value);

/// What a handler returns.
pub(crate) type Reply = Result<Json, Refusal>;

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let text = format!("{body:#}\n");
    let kind = HeaderValue::from_static("application/json; charset=UTF-8");
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}
