//! What does the Admin API v2 answer?

use groundrun_engine::Caller;
use groundrun_model::{Error, Result};
use serde_json::Value;

use crate::State;

/// The answer of a method, in proto3 JSON.
///
/// # Errors
/// Whatever the method refuses; a method that is not known here is refused by its name.
pub(crate) async fn answer(
    _state: &State,
    _caller: &Caller,
    method: &str,
    _request: Value,
    _view: fn(Value) -> Value,
) -> Result<Value> {
    Err(Error::unimplemented(method))
}
