//! What does a server cost that does nothing but answer?

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;

use super::{json, serve};
use crate::Outcome;

/// Answers every request with the bytes of the file `body`.
pub(crate) fn run(listen: SocketAddr, body: Option<&Path>) -> Outcome<()> {
    let body = body.map(std::fs::read).transpose()?.map(Bytes::from).unwrap_or_default();
    serve(listen, move |_| json(body.clone()))
}
