//! Tokens as Google's sign-in hosts give them out.

use axum::extract::{Request, State as FromState};
use axum::response::{IntoResponse, Response};
use groundrun_engine::{TokenGrant, TokenReply};
use groundrun_model::error::Reason;
use groundrun_model::{Code, Error, assertion};
use http::StatusCode;
use serde_json::{Value, json};

use crate::reply::{Json, json_response};
use crate::{State, sts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A refusal of the token endpoint, as RFC 6749 spells it.
pub(crate) struct OAuthError(pub(crate) &'static str, pub(crate) String);

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.0, "error_description": self.1 });
        json_response(StatusCode::BAD_REQUEST, &body)
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let kind = match error.reason {
            Some(Reason { reason, domain: assertion::OAUTH, .. }) => reason,
            _ if error.code == Code::Internal => "server_error",
            _ if error.code == Code::InvalidArgument => "invalid_request",
            _ => "invalid_grant",
        };
        Self(kind, error.message)
    }
}

/// The token endpoint.
pub(crate) async fn token(FromState(state): FromState<State>, request: Request) -> Response {
    match grant(&state, request).await {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn grant(state: &State, request: Request) -> Result<Value, OAuthError> {
    let fields = sts::read(request).await?;
    let field = |name: &str| fields.get(name).and_then(Value::as_str);
    let grant = match field("grant_type") {
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            let Some(jwt) = field("assertion").filter(|jwt| !jwt.is_empty()) else {
                let text = "Missing required parameter: assertion";
                return Err(OAuthError("invalid_request", text.to_owned()));
            };
            TokenGrant::Assertion { jwt: jwt.to_owned(), base: state.base.to_string() }
        }
        Some("refresh_token") => TokenGrant::Refresh {
            client_id: field("client_id").unwrap_or_default().to_owned(),
            refresh_token: field("refresh_token").unwrap_or_default().to_owned(),
        },
        Some("authorization_code") => {
            let text = "There is no page to sign in on here: use `groundrun login --as EMAIL`, which \
                        writes a file of credentials.";
            return Err(OAuthError("unsupported_grant_type", text.to_owned()));
        }
        Some(other) => {
            let text = format!("groundrun does not emulate the grant '{other}'.");
            return Err(OAuthError("unsupported_grant_type", text));
        }
        None => {
            return Err(OAuthError("invalid_request", "Missing required parameter: grant_type".to_owned()));
        }
    };
    Ok(render(state, &state.engine.token(grant).await?))
}

/// The header and the claims of a JWT, of which nothing is proven.
pub(crate) fn parts_of(jwt: &str) -> Option<(Value, Value)> {
    let part =
        |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?).ok();
    match jwt.split('.').collect::<Vec<_>>().as_slice() {
        [header, claims, _] => Some((part(header)?, part(claims)?)),
        _ => None,
    }
}

fn render(state: &State, reply: &TokenReply) -> Value {
    let mut body = json!({});
    if let Some(access) = &reply.access_token {
        body["access_token"] = json!(access.token);
        body["expires_in"] = json!(state.engine.seconds_until(access.expires));
        body["token_type"] = json!("Bearer");
        if !access.scopes.is_empty() {
            body["scope"] = json!(access.scopes.join(" "));
        }
    }
    if let Some(id_token) = &reply.id_token {
        body["id_token"] = json!(id_token);
    }
    body
}
