//! What does groundrun promise to those who use it over HTTP? One file a story.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that meets what it does not expect ends there"
)]

mod bad_input;
mod bad_input_v2;
#[path = "../clients/mod.rs"]
mod clients;
mod coverage;
mod custom_audiences;
mod documents;
mod doors;
mod invoker;
mod openapi;
mod policies;
mod program;
mod replace_yaml;
mod restart;
mod revisions;
mod tidy;
mod tokens;
mod traffic;
mod wrong_types;
