//! How do instances of a revision run, and how do they answer?
//!
//! A [`Backend`] starts and stops instances and hands them requests. It decides nothing: which revision
//! runs, who may call it and what of the request it sees were decided before.

mod backend;
mod echo;
mod logs;
mod sockets;
mod upstream;

#[cfg(test)]
mod tests;

pub use backend::{Backend, Body, BoxError, RespondError, StartFailure};
pub use echo::EchoCaller;
pub use logs::Logs;
pub use sockets::{SocketPool, SocketPools, is_silent};
