//! What a token says, and whose it is, as Google's sign-in hosts tell.

use axum::extract::{Request, State as FromState};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_engine::AccessTokenInfo;
use groundrun_model::Result;
use groundrun_model::account::Account;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::State;
use crate::call::{bearer, read_body};
use crate::oauth::OAuthError;
use crate::reply::{Json, Reply};

/// What a token says. Every value is text, as in Google's answer.
pub(crate) async fn token_info(FromState(state): FromState<State>, request: Request) -> Response {
    answer(&state, request, Style::Newer).await
}

/// The same as the older versions of the method spell it.
pub(crate) async fn older_token_info(FromState(state): FromState<State>, request: Request) -> Response {
    answer(&state, request, Style::Older).await
}

/// How an answer is spelled.
#[derive(Clone, Copy)]
enum Style {
    Older,
    Newer,
}

async fn answer(state: &State, request: Request, style: Style) -> Response {
    match told(state, request, style).await {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn told(state: &State, request: Request, style: Style) -> Result<Value, OAuthError> {
    let shown = bearer(request.headers()).map(str::to_owned);
    let query = request.uri().query().unwrap_or_default().as_bytes().to_vec();
    let body = read_body(request).await?;
    let pairs = [&query[..], &body[..]].into_iter().flat_map(form_urlencoded::parse);
    let fields: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let invalid = |_| OAuthError("invalid_token", "Invalid Value".to_owned());
    if let Some(token) = field("id_token") {
        let claims = state.engine.id_token_info(&token).map_err(invalid)?;
        let mut all = header_of(&token);
        if let Ok(Value::Object(claims)) = serde_json::to_value(&claims) {
            all.extend(claims);
        }
        return Ok(Value::Object(all.into_iter().map(|(name, value)| (name, text(value))).collect()));
    }
    let token = field("access_token").or(shown).ok_or_else(|| {
        OAuthError("invalid_request", "Missing parameter: access_token or id_token".to_owned())
    })?;
    let info = state.engine.access_token_info(&token).map_err(invalid)?;
    let seconds = state.engine.seconds_until(info.expires);
    Ok(match style {
        Style::Newer => newer(&info, seconds),
        Style::Older => older(&info, seconds),
    })
}

fn newer(AccessTokenInfo { account, scopes, expires }: &AccessTokenInfo, seconds: i64) -> Value {
    let mut body = json!({
        "azp": account.unique_id,
        "aud": account.unique_id,
        "sub": account.unique_id,
        "scope": scopes.join(" "),
        "exp": expires.seconds().to_string(),
        "expires_in": seconds.to_string(),
        "access_type": "online",
    });
    if !account.is_federated() {
        body["email"] = json!(account.email);
        body["email_verified"] = json!("true");
    }
    body
}

fn older(AccessTokenInfo { account, scopes, .. }: &AccessTokenInfo, seconds: i64) -> Value {
    let mut body = json!({
        "issued_to": account.unique_id,
        "audience": account.unique_id,
        "user_id": account.unique_id,
        "scope": scopes.join(" "),
        "expires_in": seconds,
        "access_type": "online",
    });
    if !account.is_federated() {
        body["email"] = json!(account.email);
        body["verified_email"] = json!(true);
    }
    body
}

/// The header of a JWT that was verified.
fn header_of(token: &str) -> Map<String, Value> {
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    header.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

fn text(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other,
    }
}

/// Who signed in, as OpenID Connect spells it.
pub(crate) async fn user_info(FromState(state): FromState<State>, headers: HeaderMap) -> Reply {
    let account = state.engine.signed_in(bearer(&headers))?;
    Ok(Json(user(&account, "sub", "email_verified")))
}

/// The same as the older versions of the method spell it.
pub(crate) async fn older_user_info(FromState(state): FromState<State>, headers: HeaderMap) -> Reply {
    let account = state.engine.signed_in(bearer(&headers))?;
    Ok(Json(user(&account, "id", "verified_email")))
}

fn user(account: &Account, id: &str, verified: &str) -> Value {
    if account.is_federated() {
        return json!({ id: account.unique_id });
    }
    json!({ id: account.unique_id, "email": account.email, verified: true })
}
