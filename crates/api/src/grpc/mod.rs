//! How does the control plane speak gRPC?
//!
//! A request becomes the JSON of its message, is answered as one of REST is, and the answer becomes a
//! message again: [`json`] knows how a message is spelled, `messages` which fields it has, [`methods`]
//! which messages belong to a method.

mod any;
mod json;
mod messages;
mod methods;
mod serve;

pub(crate) use json::Json;
pub use methods::METHODS;
pub(crate) use serve::{Health, is_grpc, serve};
