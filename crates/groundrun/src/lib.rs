//! What is groundrun as a program: flags, files, signals and wiring. No rule of Cloud Run lives here.

pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod environment;
pub mod print;
pub mod server;
pub mod trust;
