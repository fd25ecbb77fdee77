//! How does the control plane speak on the wire?
//!
//! A handler parses, calls one method of the engine, and renders. `error` alone knows HTTP statuses and
//! the JSON of `google.rpc.Status`; `routes` is the list of all that is answered.

mod account_keys;
mod call;
mod emulator;
mod error;
mod grpc;
mod health;
mod iam_credentials;
mod iam_policy;
mod logging;
mod login;
mod metadata;
mod oauth;
mod openapi;
mod overview;
mod paging;
mod partial;
mod public_keys;
mod rendered;
mod reply;
mod resource_manager;
mod roles;
mod routes;
mod service_accounts;
mod service_usage;
mod shape;
mod signing_keys;
mod sts;
mod token_info;
mod unimplemented;
mod v1;
mod v2;
mod verb;

use axum::Router;
use groundrun_engine::Engine;
use groundrun_model::Region;

pub use error::refusal;
pub use grpc::grpc_methods;
pub use metadata::MetadataServer;
pub use routes::ROUTES;
pub use unimplemented::{NOT_EMULATED, not_emulated};

/// The largest body that the API reads, in bytes.
pub const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// What the front door learnt from the host of a request; it stands in the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The region that the host names.
    pub region: Option<Region>,
}

/// What handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) engine: Engine,
    /// The address of this emulator as clients write it: `http://127.0.0.1:8786`.
    pub(crate) base: std::sync::Arc<str>,
    pub(crate) rendered: rendered::Rendered,
}

/// The APIs and the overview as one service. `base` is the URL at which clients reach the emulator,
/// without a final slash.
pub fn router(engine: Engine, base: &str) -> Router {
    routes::router(State { engine, base: base.into(), rendered: rendered::Rendered::default() })
}
