//! What does the front door know of a request that the request itself does not say?

use std::net::SocketAddr;

use groundrun_model::routing::Origin;

/// By which protocol a client called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// How a request came in.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The authority of the request's target or else its Host header, as sent.
    pub authority: &'a str,
    /// The address that the client called from.
    pub peer: SocketAddr,
    /// By which protocol it called.
    pub scheme: Scheme,
    /// From where it called, as far as ingress settings are concerned.
    pub origin: Origin,
}
