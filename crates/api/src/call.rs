//! What does a request say before its handler looks at it: who calls, about what, with which body?

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use groundrun_engine::{Caller, Scope};
use groundrun_model::iam::Naming;
use groundrun_model::message::{depth, from_json};
use groundrun_model::{Error, Region, ServiceId, ServiceName};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Refusal;
use crate::{BODY_LIMIT, Origin, State};

/// How deep a body may be nested, in levels, as in protocol buffers.
const DEEPEST: usize = 100;

/// Who calls.
#[derive(Debug)]
pub(crate) struct Who(pub(crate) Caller);

impl FromRequestParts<State> for Who {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let caller = state.engine.caller(bearer(&parts.headers)).await?;
        let is_knative = parts.uri.path().starts_with("/apis/");
        let naming = if is_knative { Naming::Namespaces } else { Naming::Projects };
        Ok(Self(caller.spelling(naming)))
    }
}

/// The bearer token of a request, if it has one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// What the path names.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The project and the region, of the path or else of the host.
    pub(crate) scope: Scope,
    params: BTreeMap<String, String>,
    default_region: Region,
}

impl Target {
    /// A parameter of the path; empty if the route does not have it.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The scope of a resource that is in one region, even where the caller named none.
    pub(crate) fn regional(&self) -> Scope {
        let region = self.scope.region.clone().unwrap_or_else(|| self.default_region.clone());
        Scope { project: self.scope.project.clone(), region: Some(region) }
    }

    /// The service of this name in the target's project and region.
    pub(crate) fn service_named(&self, name: ServiceName) -> ServiceId {
        let region = self.scope.region.clone().unwrap_or_else(|| self.default_region.clone());
        ServiceId { project: self.scope.project.clone(), region, name }
    }

    /// The service that the path names.
    ///
    /// # Errors
    /// 404: what cannot be the name of a service names none.
    pub(crate) fn service(&self) -> Result<ServiceId, Error> {
        let text = self.param("service");
        let region = self.scope.region.as_ref().unwrap_or(&self.default_region);
        let missing = || Error::not_found("SERVICE", text, region.as_str(), self.scope.project.id.as_str());
        Ok(self.service_named(ServiceName::parse(text, "metadata.name").map_err(|_| missing())?))
    }
}

impl FromRequestParts<State> for Target {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let raw = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|problem| Error::field("path", problem.to_string()))?;
        let params: BTreeMap<String, String> =
            raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let project = params.get("namespace").or_else(|| params.get("project"));
        let project = project.map(String::as_str).unwrap_or_default();
        let region = match params.get("location").map(String::as_str) {
            Some("-") => None,
            Some(location) => Some(Region::parse(location)?),
            None => parts.extensions.get::<Origin>().and_then(|origin| origin.region.clone()),
        };
        let scope = Scope { project: state.engine.project(project).await?, region };
        Ok(Self { scope, params, default_region: state.engine.config().region.clone() })
    }
}

/// The parameters of the query; the last one of a name counts.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// The parameters of a URL.
    ///
    /// # Errors
    /// 400 if they are not encoded as a query is.
    pub(crate) fn read(uri: &http::Uri) -> Result<Self, Error> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|problem| Error::field("query", problem.body_text()))?;
        Ok(Self(pairs.0.into_iter().collect()))
    }

    /// A parameter; `None` if it is absent or empty, which mean the same to Google's clients.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The fields of a request message that the query holds, of those that it may hold: in either
    /// spelling, `updateMask` or `update_mask`.
    ///
    /// # Errors
    /// 400 in Google's words for a field that the message does not have.
    pub(crate) fn message_fields(self, known: &[&str]) -> Result<Vec<(String, String)>, Error> {
        let mut fields = Vec::new();
        for (given, value) in self.0 {
            if is_of_every_method(&given) {
                continue;
            }
            let camel = |part: &str| {
                let mut words = part.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                words.fold(first, |text, word| {
                    let (head, tail) = word.split_at(word.len().min(1));
                    text + &head.to_ascii_uppercase() + tail
                })
            };
            let name = if given.is_ascii() { camel(&given) } else { given.clone() };
            if !known.contains(&name.as_str()) {
                let description = format!(
                    "Invalid JSON payload received. Unknown name \"{given}\": Cannot bind query parameter. \
                     Field '{given}' could not be found in request message."
                );
                return Err(Error::in_words(description));
            }
            fields.push((name, value));
        }
        Ok(fields)
    }

    /// Whether the request asks to be tried and not carried out.
    ///
    /// # Errors
    /// 400 if `dryRun` is anything but `all`.
    pub(crate) fn dry_run(&self) -> Result<bool, Error> {
        match self.get("dryRun") {
            None => Ok(false),
            Some("all") => Ok(true),
            Some(other) => Err(Error::field("dryRun", format!("must be empty or 'all', not '{other}'"))),
        }
    }
}

/// Parameters that every method of Google's APIs takes. Those that shape the answer are looked at by
/// [`crate::shape`].
fn is_of_every_method(name: &str) -> bool {
    let name = name.strip_prefix('$').unwrap_or(name);
    const ALL: &[&str] = &[
        "access_token",
        "alt",
        "callback",
        "fields",
        "key",
        "oauth_token",
        "prettyPrint",
        "quotaUser",
        "upload_protocol",
        "uploadType",
        ".xgafv",
        "userProject",
    ];
    ALL.contains(&name)
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        Ok(Self::read(&parts.uri)?)
    }
}

/// The JSON of the body; an empty body is an empty object.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Value);

impl Body {
    /// The body as a message.
    ///
    /// # Errors
    /// 400 naming the key that is unknown or of the wrong type.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        if !self.0.is_object() {
            // serde would read a list as the values of the fields in their order.
            return Err(Error::invalid_value("", "an object is expected"));
        }
        from_json(self.0, "")
    }
}

impl FromRequest<State> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &State) -> Result<Self, Refusal> {
        let bytes = read_body(request).await?;
        if bytes.is_empty() {
            return Ok(Self(Value::Object(serde_json::Map::new())));
        }
        let value = serde_json::from_slice(&bytes)
            .map_err(|problem| Error::field("", format!("Invalid JSON payload received. {problem}")))?;
        // What is stored and answered stands inside of other JSON, and must be readable there.
        if depth(&value) > DEEPEST {
            let message = format!("Message too deep. At most {DEEPEST} levels are accepted.");
            return Err(Error::field("", format!("Invalid JSON payload received. {message}")).into());
        }
        Ok(Self(value))
    }
}

/// The body, up to the limit of the API.
///
/// # Errors
/// 400 in Google's words if it is larger, or if it did not arrive whole.
pub(crate) async fn read_body(request: Request) -> Result<bytes::Bytes, Error> {
    match Limited::new(request.into_body(), BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(problem) if problem.is::<LengthLimitError>() => {
            Err(Error::field("", format!("Request payload size exceeds the limit: {BODY_LIMIT} bytes.")))
        }
        Err(problem) => Err(Error::field("", format!("The request body did not arrive whole: {problem}"))),
    }
}
