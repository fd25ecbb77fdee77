//! IAM policies of services through v2.

use groundrun_engine::Caller;
use groundrun_model::iam::Policy;
use groundrun_model::message::from_json;
use groundrun_model::{Error, Result};
use serde_json::{Map, Value, json};

use super::asked::Asked;
use crate::State;

pub(super) async fn get(state: &State, caller: &Caller, mut asked: Asked) -> Result<Value> {
    let id = asked.service(state, "resource").await?;
    let requested = match asked.take("options") {
        Value::Object(mut options) => match options.remove("requestedPolicyVersion").unwrap_or_default() {
            Value::Null => 0,
            Value::String(text) if text.is_empty() => 0,
            given => version(&given)?,
        },
        _ => 0,
    };
    Ok(state.engine.get_service_policy(caller, &id, requested).await?.to_json())
}

/// A version in JSON, or in a query.
fn version(given: &Value) -> Result<i32> {
    let number = match given {
        Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Error::wrong_type("options.requested_policy_version", "TYPE_INT32", given))
}

pub(super) async fn set(state: &State, caller: &Caller, mut asked: Asked) -> Result<Value> {
    let id = asked.service(state, "resource").await?;
    let policy = match asked.take("policy") {
        Value::Null => return Err(Error::field("policy", "must be given")),
        policy => Policy::from_json(&policy, "policy")?,
    };
    let mask = asked.text("updateMask")?;
    Ok(state.engine.set_service_policy(caller, &id, policy, mask).await?.to_json())
}

pub(super) async fn test(state: &State, caller: &Caller, mut asked: Asked) -> Result<Value> {
    let id = asked.service(state, "resource").await?;
    let permissions: Option<Vec<String>> = from_json(asked.take("permissions"), "permissions")?;
    let permissions = permissions.unwrap_or_default();
    let held = state.engine.test_service_permissions(caller, &id, permissions).await?;
    let list = (!held.is_empty()).then(|| ("permissions".to_owned(), json!(held)));
    Ok(Value::Object(Map::from_iter(list)))
}
