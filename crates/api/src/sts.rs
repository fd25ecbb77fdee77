//! Tokens of other identity providers for tokens of this one: the Security Token Service.

use axum::extract::{Request, State as FromState};
use axum::response::{IntoResponse as _, Response};
use groundrun_engine::Exchange;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::State;
use crate::call::read_body;
use crate::oauth::{OAuthError, parts_of};
use crate::reply::Json;

/// The only grant of the service.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// What every type of a token begins with.
const TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:";

/// Exchanges a token.
pub(crate) async fn token(FromState(state): FromState<State>, request: Request) -> Response {
    match exchange(&state, request).await {
        Ok(body) => Json(body).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn exchange(state: &State, request: Request) -> Result<Value, OAuthError> {
    let fields = read(request).await?;
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let invalid = |text: String| OAuthError("invalid_request", text);
    match field("grant_type") {
        TOKEN_EXCHANGE => {}
        "" => return Err(invalid("Missing required parameter: grant_type".to_owned())),
        other => {
            let text = format!("Unsupported grant_type '{other}': must be {TOKEN_EXCHANGE}.");
            return Err(OAuthError("unsupported_grant_type", text));
        }
    }
    let requested = format!("{TOKEN_TYPE}access_token");
    if field("requested_token_type") != requested {
        return Err(invalid(format!("Invalid requested_token_type: must be {requested}.")));
    }
    match field("subject_token_type").strip_prefix(TOKEN_TYPE) {
        Some("jwt" | "id_token") => {}
        Some("access_token") => {
            return Err(invalid("groundrun does not emulate credential access boundaries.".to_owned()));
        }
        Some("saml2") => {
            return Err(invalid("groundrun does not emulate providers that speak SAML.".to_owned()));
        }
        _ => {
            let given = field("subject_token_type");
            return Err(invalid(format!("Invalid subject_token_type '{given}': use {TOKEN_TYPE}jwt.")));
        }
    }
    let subject_token = field("subject_token").to_owned();
    let unreadable = || OAuthError("invalid_grant", "Unable to parse the ID Token.".to_owned());
    let (header, claims) = parts_of(&subject_token).ok_or_else(unreadable)?;
    let scopes = field("scope").split_whitespace().map(str::to_owned).collect();
    let asked = Exchange { audience: field("audience").to_owned(), header, claims, subject_token, scopes };
    let minted = state.engine.exchange(&asked).await?;
    Ok(json!({
        "access_token": minted.token,
        "issued_token_type": requested,
        "token_type": "Bearer",
        "expires_in": state.engine.seconds_until(minted.expires),
    }))
}

/// The fields of the request as the form spells them. The JSON of the API's own clients has them in
/// camel case.
pub(crate) async fn read(request: Request) -> Result<Map<String, Value>, OAuthError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    let body = read_body(request).await?;
    if !is_json {
        let pairs = form_urlencoded::parse(&body).into_owned();
        return Ok(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    let fields: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|problem| OAuthError("invalid_request", format!("The body is no JSON object: {problem}")))?;
    Ok(fields.into_iter().map(|(name, value)| (snake_case(&name), value)).collect())
}

fn snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, letter| {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
        text
    })
}
