//! The keys that vouch for ID tokens, as the command line lists and changes them. No answer holds a private
//! key.

use axum::extract::State as FromState;
use groundrun_engine::{Caller, KeyState, RingKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// A key to trust.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportKey {
    /// A public key, an X.509 certificate or a private key.
    pem: String,
    /// The id by which tokens name it.
    kid: String,
}

pub(crate) async fn list_all(FromState(state): FromState<State>, Who(caller): Who) -> Reply {
    list(&state, &caller).await
}

pub(crate) async fn import(FromState(state): FromState<State>, Who(caller): Who, body: Body) -> Reply {
    let asked: ImportKey = body.read()?;
    state.engine.import_key(&caller, &asked.pem, &asked.kid).await?;
    list(&state, &caller).await
}

pub(crate) async fn rotate(FromState(state): FromState<State>, Who(caller): Who) -> Reply {
    state.engine.rotate_keys(&caller).await?;
    list(&state, &caller).await
}

async fn list(state: &State, caller: &Caller) -> Reply {
    let keys = state.engine.administered_keys(caller).await?;
    Ok(Json(json!({ "keys": keys.iter().map(render).collect::<Vec<_>>() })))
}

fn render(key: &RingKey) -> Value {
    let name = match key.state {
        KeyState::Current => "current",
        KeyState::Published => "published",
        KeyState::Imported => "imported",
    };
    let mut json = json!({ "kid": key.key.kid(), "state": name });
    if let Some(until) = key.until {
        json["until"] = json!(until.to_rfc3339_seconds());
    }
    json
}
