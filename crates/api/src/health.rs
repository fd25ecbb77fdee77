//! Is the emulator up, and can it answer?

use axum::extract::State as FromState;
use groundrun_model::Error;
use serde_json::json;

use crate::State;
use crate::reply::{Json, Reply};

/// Answers as soon as the port is open. `groundrun exec` knows an emulator by it.
pub(crate) async fn healthz() -> Reply {
    Ok(Json(json!({ "status": "ok", "server": "groundrun", "version": env!("CARGO_PKG_VERSION") })))
}

/// Answers 200 once the database can be read and the signing key exists.
pub(crate) async fn readyz(FromState(state): FromState<State>) -> Reply {
    state.engine.ready().await?;
    state.engine.keys().kid().await.map_err(Error::internal)?;
    Ok(Json(json!({ "status": "ready", "server": "groundrun", "version": env!("CARGO_PKG_VERSION") })))
}
