//! Tokens and public keys as Google's sign-in hosts give them out.

use axum::extract::{Path, Request, State as FromState};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_engine::{TokenGrant, TokenReply};
use groundrun_model::account::Account;
use groundrun_model::{Code, Error, token};
use http::StatusCode;
use serde_json::{Value, json};

use crate::State;
use crate::call::read_body;
use crate::reply::{Json, Reply, json_response};

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
        let kind = match error.code {
            Code::Internal => "server_error",
            Code::InvalidArgument => "invalid_request",
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
    let body = read_body(request).await?;
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let grant = match field("grant_type") {
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            assertion(field("assertion").unwrap_or_default())?
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

/// What an assertion claims. Its signature is not checked: the keys of service accounts made elsewhere
/// are not known here.
fn assertion(jwt: &str) -> Result<TokenGrant, OAuthError> {
    let invalid = |text: &str| OAuthError("invalid_grant", text.to_owned());
    let claims = claims_of(jwt).ok_or_else(|| invalid("Invalid JWT: the assertion is no JWT."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(TokenGrant::Assertion {
        issuer: text("iss").ok_or_else(|| invalid("Invalid JWT: it has no claim 'iss'."))?,
        target_audience: text("target_audience"),
        scopes: text("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    })
}

/// The claims of a JWT, of which nothing is proven.
pub(crate) fn claims_of(jwt: &str) -> Option<Value> {
    let payload = jwt.split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
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

/// The public keys of ID tokens as a JSON Web Key Set.
pub(crate) async fn jwks(FromState(state): FromState<State>) -> Reply {
    Ok(Json(state.engine.keys().jwks().await.map_err(Error::internal)?))
}

/// The public keys of ID tokens as X.509 certificates by key id.
pub(crate) async fn certificates(FromState(state): FromState<State>) -> Reply {
    Ok(Json(state.engine.keys().pem_certificates().await.map_err(Error::internal)?))
}

/// The public keys with which a service account signs, as a JSON Web Key Set.
pub(crate) async fn account_jwks(FromState(state): FromState<State>, Path(email): Path<String>) -> Reply {
    let account = Account::new(&email);
    Ok(Json(state.engine.keys().service_account_jwks(&account).await.map_err(Error::internal)?))
}

/// The public keys with which a service account signs, as X.509 certificates by key id.
pub(crate) async fn account_certificates(
    FromState(state): FromState<State>,
    Path(email): Path<String>,
) -> Reply {
    let account = Account::new(&email);
    Ok(Json(state.engine.keys().service_account_certificates(&account).await.map_err(Error::internal)?))
}

/// The OpenID discovery document; its addresses are this emulator's.
pub(crate) async fn discovery(FromState(state): FromState<State>) -> Reply {
    let base = &state.base;
    Ok(Json(json!({
        "issuer": token::ISSUER,
        "jwks_uri": format!("{base}/oauth2/v3/certs"),
        "token_endpoint": format!("{base}/token"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["aud", "azp", "email", "email_verified", "exp", "hd", "iat", "iss", "sub"],
        "grant_types_supported": ["refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
    })))
}
