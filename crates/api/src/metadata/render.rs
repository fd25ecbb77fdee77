//! How is an answer of the metadata server written?

use axum::body::Body;
use groundrun_model::Error;
use groundrun_model::metadata::{self, FLAVOR, Found, Refusal};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

/// The name of the server. That of Cloud Run is not known; this is what Compute Engine says.
const SERVER: HeaderValue = HeaderValue::from_static("Metadata Server for VM");

/// The type of a value, as the hosted server calls it.
const TEXT: &str = "application/text";

const JSON: &str = "application/json";

const PLAIN: &str = "text/plain; charset=utf-8";

const HTML: &str = "text/html; charset=UTF-8";

/// What an answer holds that stays the same until something changes; `None` of a token or a refusal.
pub(super) fn content(found: &Found) -> Option<String> {
    match found {
        Found::Listing(text) | Found::Text(text) => Some(text.clone()),
        Found::Json(value) => Some(value.to_string()),
        Found::Token { .. } | Found::Identity { .. } | Found::Redirect(_) | Found::Refused(_) => None,
    }
}

/// A value or a directory.
pub(super) fn value(found: &Found) -> Response<Body> {
    let content = content(found).unwrap_or_default();
    let etag = HeaderValue::from_str(&metadata::etag(&content));
    let kind = if matches!(found, Found::Json(_)) { JSON } else { TEXT };
    let mut response = answer(StatusCode::OK, kind, content);
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// An access token.
pub(super) fn token(body: &Value) -> Response<Body> {
    answer(StatusCode::OK, JSON, body.to_string())
}

/// An ID token.
pub(super) fn id_token(token: String) -> Response<Body> {
    answer(StatusCode::OK, TEXT, token)
}

/// The way to a directory. The query goes along.
pub(super) fn redirect(path: &str, query: Option<&str>) -> Response<Body> {
    let mut target = percent_encoding::utf8_percent_encode(path, PATH).to_string();
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    let mut response = answer(StatusCode::MOVED_PERMANENTLY, HTML, String::new());
    if let Ok(target) = HeaderValue::from_str(&target) {
        response.headers_mut().insert(header::LOCATION, target);
    }
    response
}

/// What stands in the path of a directory as it is.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'@').remove(b'.').remove(b'-').remove(b'_');

/// A refusal. The words are those of the hosted server where clients show them.
pub(super) fn refusal(refusal: Refusal, path: &str) -> Response<Body> {
    let page = |status: StatusCode, why: &str| answer(status, HTML, page(status, why));
    match refusal {
        Refusal::NotFound => {
            let why =
                format!("The requested URL <code>{}</code> was not found on this server.", escaped(path));
            page(StatusCode::NOT_FOUND, &why)
        }
        Refusal::BadRequest(why) => answer(StatusCode::BAD_REQUEST, PLAIN, format!("{why}\n")),
        Refusal::Flavor => {
            page(StatusCode::FORBIDDEN, "Missing required header \"Metadata-Flavor\": \"Google\"")
        }
        Refusal::Forwarded => page(
            StatusCode::FORBIDDEN,
            "The header X-Forwarded-For says that this request came through a proxy; ask without one.",
        ),
        Refusal::Method => {
            let mut response =
                page(StatusCode::METHOD_NOT_ALLOWED, "Nothing can be written to the metadata server.");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    }
}

/// groundrun itself failed: clients try again.
pub(super) fn failure(error: &Error) -> Response<Body> {
    tracing::error!(%error, "the metadata server failed");
    answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{}\n", error.message))
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // Clients take an answer without it for that of somebody else.
    headers.insert(metadata::FLAVOR_HEADER, HeaderValue::from_static(FLAVOR));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::SERVER, SERVER);
    response
}

fn page(status: StatusCode, why: &str) -> String {
    let title = status.canonical_reason().unwrap_or_default();
    let code = status.as_u16();
    format!(
        "<!doctype html>\n<html lang=en>\n<title>Error {code} ({title})</title>\n<p><b>{code}.</b> {why}\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
