//! Public keys as Google's sign-in hosts give them out.

use axum::extract::{Path, State as FromState};
use groundrun_engine::{PublishedKey, certificates as certificates_of, jwk_set, raw_keys};
use groundrun_model::{Result, token};
use serde_json::json;

use crate::State;
use crate::reply::{Json, Reply};

/// The keys that vouch for ID tokens now.
async fn published(state: &State) -> Result<Vec<PublishedKey>> {
    Ok(state.engine.id_token_keys().await?.into_iter().map(|key| key.key).collect())
}

/// The public keys of ID tokens as a JSON Web Key Set.
pub(crate) async fn jwks(FromState(state): FromState<State>) -> Reply {
    Ok(Json(jwk_set(&published(&state).await?)))
}

/// The public keys of ID tokens as X.509 certificates by key id.
pub(crate) async fn certificates(FromState(state): FromState<State>) -> Reply {
    Ok(Json(certificates_of(&published(&state).await?)))
}

/// The public keys with which a service account signs, as a JSON Web Key Set.
pub(crate) async fn account_jwks(FromState(state): FromState<State>, Path(email): Path<String>) -> Reply {
    Ok(Json(jwk_set(&state.engine.published_account_keys(&email).await?)))
}

/// The public keys with which a service account signs, as X.509 certificates by key id.
pub(crate) async fn account_certificates(
    FromState(state): FromState<State>,
    Path(email): Path<String>,
) -> Reply {
    Ok(Json(certificates_of(&state.engine.published_account_keys(&email).await?)))
}

/// The public keys with which a service account signs, bare, by key id.
pub(crate) async fn account_raw_keys(FromState(state): FromState<State>, Path(email): Path<String>) -> Reply {
    Ok(Json(raw_keys(&state.engine.published_account_keys(&email).await?)))
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
