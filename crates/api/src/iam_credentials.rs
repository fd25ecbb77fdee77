//! Tokens and signatures for service accounts: the IAM Service Account Credentials API.

use axum::extract::{Path, State as FromState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundrun_engine::{Included, Target};
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
    organization_number_included: bool,
    use_email_azp: bool,
    delegates: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GenerateAccessToken {
    scope: Vec<String>,
    lifetime: Option<String>,
    delegates: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Sign {
    payload: String,
    delegates: Option<Vec<String>>,
}

/// The account in the path, and the delegates in the body: gcloud sends null for none.
fn target<'a>(account: &'a str, delegates: &'a Option<Vec<String>>) -> Target<'a> {
    Target { account, delegates: delegates.as_deref().unwrap_or_default() }
}

pub(crate) async fn generate_id_token(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: GenerateIdToken = body.read()?;
    let included = Included {
        email: asked.include_email,
        organization_number: asked.organization_number_included,
        email_as_azp: asked.use_email_azp,
    };
    let target = target(&email, &asked.delegates);
    let token = state.engine.generate_id_token(&caller, target, &asked.audience, included).await?;
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
    let target = target(&email, &asked.delegates);
    let minted = state.engine.generate_access_token(&caller, target, &asked.scope, seconds).await?;
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
    let target = target(&email, &asked.delegates);
    let (key_id, signature) = state.engine.sign_blob(&caller, target, &bytes).await?;
    Ok(Json(json!({ "keyId": key_id, "signedBlob": STANDARD.encode(signature) })))
}

pub(crate) async fn sign_jwt(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
    body: Body,
) -> Reply {
    let asked: Sign = body.read()?;
    let target = target(&email, &asked.delegates);
    let (key_id, jwt) = state.engine.sign_jwt(&caller, target, &asked.payload).await?;
    Ok(Json(json!({ "keyId": key_id, "signedJwt": jwt })))
}

/// Where the credentials of an account may be used: anywhere, as of every account outside of a trust
/// boundary. `0x0` is how that is written.
pub(crate) async fn allowed_locations(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, email)): Account,
) -> Reply {
    let _found = state.engine.get_service_account(&caller, &email).await?;
    Ok(Json(json!({ "encodedLocations": "0x0" })))
}

/// Reads a duration such as `3600s`; an hour where none is given.
fn lifetime(text: Option<&str>) -> Result<i64> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(3600) };
    let seconds = text.strip_suffix('s').and_then(|seconds| seconds.split('.').next()?.parse().ok());
    seconds
        .ok_or_else(|| Error::field("lifetime", format!("must be a duration such as '3600s', not '{text}'")))
}
