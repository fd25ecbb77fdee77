//! Which fields does each message have? One list a message.

mod container;
mod policy;
mod request;
mod service;
