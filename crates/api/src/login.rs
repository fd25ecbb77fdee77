//! A person signs in at this machine: there is no page of Google's to do it on.

use axum::extract::State as FromState;
use serde::Deserialize;
use serde_json::json;

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Login {
    email: String,
}

pub(crate) async fn login(FromState(state): FromState<State>, Who(caller): Who, body: Body) -> Reply {
    let asked: Login = body.read()?;
    let (account, refresh_token) = state.engine.login(&caller, &asked.email).await?;
    Ok(Json(json!({ "email": account.email, "refreshToken": refresh_token })))
}
