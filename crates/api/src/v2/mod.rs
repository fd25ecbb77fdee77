//! How do services and what belongs to them speak through v2?
//!
//! REST and gRPC meet here: each turns its request into the JSON of the request message, and the JSON of
//! the answer into its wire. A method is written once.

mod asked;
pub(crate) mod locations;
pub(crate) mod operations;
mod policies;
pub(crate) mod rest;
mod revisions;
mod services;

use groundrun_engine::Caller;
use groundrun_model::service::v2::View;
use groundrun_model::{Error, Result};
use serde_json::Value;

use self::asked::Asked;
use crate::State;

/// Answers a call of v2. `method` is its full name in gRPC; `request` and the answer are the JSON of its
/// messages; `view` is what of a service the messages of the client can hold.
///
/// # Errors
/// Whatever the method refuses; UNIMPLEMENTED by name for a method that is not known.
pub(crate) async fn answer(
    state: &State,
    caller: &Caller,
    method: &str,
    request: Value,
    view: View,
) -> Result<Value> {
    let asked = Asked::new(request)?;
    match method {
        "google.cloud.run.v2.Services/CreateService" => services::create(state, caller, asked).await,
        "google.cloud.run.v2.Services/GetService" => services::get(state, caller, asked).await,
        "google.cloud.run.v2.Services/ListServices" => services::list(state, caller, asked).await,
        "google.cloud.run.v2.Services/UpdateService" => services::update(state, caller, asked, view).await,
        "google.cloud.run.v2.Services/DeleteService" => services::delete(state, caller, asked).await,
        "google.cloud.run.v2.Services/GetIamPolicy" => policies::get(state, caller, asked).await,
        "google.cloud.run.v2.Services/SetIamPolicy" => policies::set(state, caller, asked).await,
        "google.cloud.run.v2.Services/TestIamPermissions" => policies::test(state, caller, asked).await,
        "google.cloud.run.v2.Revisions/GetRevision" => revisions::get(state, caller, asked).await,
        "google.cloud.run.v2.Revisions/ListRevisions" => revisions::list(state, caller, asked).await,
        "google.cloud.run.v2.Revisions/DeleteRevision" => revisions::delete(state, caller, asked).await,
        "google.longrunning.Operations/GetOperation" => operations::get(state, caller, asked).await,
        "google.longrunning.Operations/ListOperations" => operations::list(state, caller, asked).await,
        "google.longrunning.Operations/WaitOperation" => operations::wait(state, caller, asked).await,
        "google.longrunning.Operations/DeleteOperation" => operations::delete(state, caller, asked).await,
        "google.cloud.location.Locations/ListLocations" => locations::list(state, asked).await,
        "google.cloud.location.Locations/GetLocation" => locations::get(state, asked).await,
        _ => Err(Error::unimplemented(method)),
    }
}
