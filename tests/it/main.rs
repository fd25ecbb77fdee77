//! What does groundrun promise to those who use it over HTTP? One file a story.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that meets what it does not expect ends there"
)]

mod accounts;
mod admin_api;
mod affinity;
mod attacks;
mod bad_input;
mod bad_input_v2;
mod balancers;
mod both_ways;
mod broken_instances;
#[path = "../clients/mod.rs"]
mod clients;
mod contract;
mod contract_limits;
mod coverage;
mod custom_audiences;
mod documents;
mod domain_mappings;
mod doors;
mod federation;
mod grpc;
mod h2;
mod h2_requests;
mod http1;
mod http1_bodies;
mod http1_faults;
mod iam;
mod ingress;
mod invoker;
mod keys;
mod logs;
mod metadata;
mod minting;
mod openapi;
mod operations;
mod permissions;
mod policies;
mod program;
mod protocols;
mod replace_yaml;
mod restart;
mod revisions;
mod same_through_every_edge;
mod secrets;
mod smuggling;
mod smuggling_heads;
mod tidy;
mod tls;
mod tokens;
mod traffic;
mod under_change;
mod websockets;
mod workload_commands;
mod wrong_types;
