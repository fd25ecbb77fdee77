//! What happens to a request for a service?
//!
//! [`DataPlane::handle`] takes it through the phases of Cloud Run: find the service, authenticate,
//! authorize, pick a revision, forward. The world is an immutable [`RoutingTable`], read without a lock;
//! the rules are those of the model; what a rejected client sees, only `reject` knows.
//!
//! [`RoutingTable`]: groundrun_model::routing::RoutingTable

mod arrival;
mod data_plane;
mod explain;
mod forward;
mod head;
mod headers;
pub mod http1;
mod log;
mod phase;
mod reject;

#[cfg(test)]
mod tests;

pub use arrival::{Arrival, Scheme};
pub use data_plane::{Clock, DataPlane, Names, Options, Random, Setup};
pub use reject::EXPLAIN_HEADER;
