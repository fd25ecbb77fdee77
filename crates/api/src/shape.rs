//! How does a client bend a request, and the answer to it, without the method knowing?
//!
//! Every JSON method of Google's APIs takes `fields` (a part of the answer), `prettyPrint` and `alt`, and
//! a method in the header `X-HTTP-Method-Override`: clients send a query that is too long for a URL as
//! the body of a POST.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use groundrun_model::{Error, Result};
use http::{HeaderValue, Method, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::call::{Query, read_body};
use crate::error::Refusal;
use crate::partial::Selected;

const OVERRIDE: &str = "x-http-method-override";

/// Carries the request out as it was meant, and answers in the form that was asked for.
pub(crate) async fn shape(request: Request, next: Next) -> Response {
    match shaped(request, next).await {
        Ok(response) => response,
        Err(error) => Refusal(error).into_response(),
    }
}

async fn shaped(request: Request, next: Next) -> Result<Response> {
    let request = overridden(request).await?;
    let Some(form) = Form::of(request.uri())? else { return Ok(next.run(request).await) };
    let response = next.run(request).await;
    form.apply(response).await
}

/// The form of an answer, where it is not the usual one.
struct Form {
    fields: Option<Selected>,
    compact: bool,
}

impl Form {
    /// What the query asks for; `None` is the usual form.
    fn of(uri: &Uri) -> Result<Option<Self>> {
        if uri.query().is_none() {
            return Ok(None);
        }
        let query = Query::read(uri)?;
        let given = |name: &str| query.get(name).or_else(|| query.get(&format!("${name}")));
        if let Some(alt) = given("alt")
            && alt.split(';').next() != Some("json")
        {
            return Err(Error::in_words(format!(
                "Invalid value \"{alt}\" for alt: this server answers with json."
            )));
        }
        let fields = given("fields").map(Selected::parse).transpose()?;
        let compact = given("prettyPrint").is_some_and(|value| value == "false");
        Ok((fields.is_some() || compact).then_some(Self { fields, compact }))
    }

    async fn apply(self, response: Response) -> Result<Response> {
        let is_json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if !is_json {
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
        let mut value: Value = serde_json::from_slice(&bytes).map_err(Error::internal)?;
        if let (Some(fields), true) = (&self.fields, parts.status.is_success()) {
            value = fields.of(value).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        }
        let text = if self.compact { value.to_string() } else { format!("{value:#}\n") };
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Body::from(text)))
    }
}

/// The request with the method that its header names; a GET takes its query from the body.
async fn overridden(mut request: Request) -> Result<Request> {
    let Some(name) = request.headers_mut().remove(OVERRIDE).filter(|_| request.method() == Method::POST)
    else {
        return Ok(request);
    };
    let known = [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::POST];
    let method =
        known.into_iter().find(|method| name.as_bytes().eq_ignore_ascii_case(method.as_str().as_bytes()));
    let Some(method) = method else {
        return Err(Error::in_words(format!("Invalid method in X-HTTP-Method-Override: {}", visible(&name))));
    };
    *request.method_mut() = method.clone();
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if method != Method::GET || !is_form {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let form = read_body(Request::from_parts(parts.clone(), body)).await?;
    let form =
        std::str::from_utf8(&form).map_err(|_| Error::in_words("The query in the body is not UTF-8."))?;
    let query = [parts.uri.query().unwrap_or_default(), form].into_iter().filter(|part| !part.is_empty());
    let query = query.collect::<Vec<_>>().join("&");
    let target = format!("{}?{query}", parts.uri.path());
    parts.uri = target.parse().map_err(|_| Error::in_words("The body is not a query."))?;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    Ok(Request::from_parts(parts, Body::empty()))
}

fn visible(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().filter(char::is_ascii_graphic).take(40).collect()
}
