//! How is gRPC answered?
//!
//! The JSON of the Admin API v2 is the pivot: a request message becomes proto3 JSON, `v2` answers it, and
//! the answer becomes a message again. So a rule of v2 exists once. Message types are those that Google's
//! protos were published as; `messages` says how each is spelled in JSON, `methods` which methods there are.

mod health;
mod json;
mod message;
mod messages;
mod methods;
mod raw;
mod serve;
#[cfg(test)]
mod tests;
mod well_known;

pub use methods::grpc_methods;
pub(crate) use serve::{door, status_message};
