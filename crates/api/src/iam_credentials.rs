//! Tokens and signatures for service accounts: the IAM Service Account Credentials API.

use axum::extract::{Path, State as FromState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundrun_model::{Error, Result};
use serde::Deserialize;
use serde_json::json;

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// The path: the project, which the service account's name makes superfluous, and that name.
type Account = Path<(String, String)>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GenerateIdToken {
    audience: String,
    include_email: bool,
    #[serde(rename = "organizationNumberIncluded")]
    _organization_number_included: bool,
    #[serde(rename = "delegates")]
    _delegates: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GenerateAccessToken {
    scope: Vec<String>,
    lifetime: Option<String>,
    #[serde(rename = "delegates")]
    _delegates: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Sign {
    payload: String,
    #[serde(rename = "delegates")]
    _delegates: Option<Vec<String>>,
}

pub(crate) async fn generate_id_token(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: GenerateIdToken = body.read()?;
    let token = state.engine.generate_id_token(&caller, &email, &asked.audience, asked.include_email).await?;
    Ok(Json(json!({ "token": token })))
}

pub(crate) async fn generate_access_token(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: GenerateAccessToken = body.read()?;
    let seconds = lifetime(asked.lifetime.as_deref())?;
    let minted = state.engine.generate_access_token(&caller, &email, &asked.scope, seconds).await?;
    let expires = minted.expires.to_rfc3339_seconds();
    Ok(Json(json!({ "accessToken": minted.token, "expireTime": expires })))
}

pub(crate) async fn sign_blob(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: Sign = body.read()?;
    let bytes = STANDARD
        .decode(&asked.payload)
        .map_err(|problem| Error::field("payload", format!("must be base64: {problem}")))?;
    let (key_id, signature) = state.engine.sign_blob(&caller, &email, &bytes).await?;
    Ok(Json(json!({ "keyId": key_id, "signedBlob": STANDARD.encode(signature) })))
}

pub(crate) async fn sign_jwt(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: Sign = body.read()?;
    let (key_id, jwt) = state.engine.sign_jwt(&caller, &email, &asked.payload).await?;
    Ok(Json(json!({ "keyId": key_id, "signedJwt": jwt })))
}

/// Reads a duration such as `3600s`; an hour where none is given.
fn lifetime(text: Option<&str>) -> Result<i64> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(3600) };
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.split('.').next()?.parse().ok());
    seconds
        .ok_or_else(|| Error::field("lifetime", format!("must be a duration such as '3600s', not '{text}'")))
}
