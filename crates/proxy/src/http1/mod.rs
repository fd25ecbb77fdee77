//! How is a connection served whose requests need nothing but HTTP/1.1?
//!
//! [`serve`] reads the heads of requests itself. One that it knows and that is for an instance that speaks
//! HTTP/1.1 goes there over a connection from a pool, in the bytes in which it came as far as they may stay.
//! With the first that is something else the connection is handed over, to be served by hyper, which knows
//! everything. What could be read in two ways is refused either way.

mod body;
mod buffer;
mod chunked;
mod connection;
mod exchange;
mod judge;
mod patience;
pub mod reading;
mod request;
mod response;
mod upstream;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use bytes::Bytes;
use groundrun_model::routing::Origin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::arrival::Scheme;
use crate::data_plane::DataPlane;

/// Whose connection it is.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The address that it calls from.
    pub peer: SocketAddr,
    /// By which protocol it calls.
    pub scheme: Scheme,
    /// From where it calls, as far as ingress settings are concerned.
    pub origin: Origin,
}

/// What became of a connection.
#[derive(Debug)]
pub enum Outcome<I> {
    /// It has ended, or does when it is dropped.
    Done,
    /// The next request is not one for this.
    HandOver {
        /// The connection, over which nothing is on its way.
        io: I,
        /// What was read of the request and behind it.
        read: Bytes,
    },
}

/// Serves a connection until it ends, the emulator stops (`stop` turns true, or nobody can say it any more) or
/// a request comes that is not for this.
///
/// The first head may take 30 s from now, every other one 30 s from its first byte; between two requests it may
/// be silent for 610 s. A client that neither sends nor takes a byte of a body for 30 s to 60 s is given up.
pub async fn serve<I>(io: I, plane: &DataPlane, client: Client, stop: watch::Receiver<bool>) -> Outcome<I>
where
    I: AsyncRead + AsyncWrite + Unpin + Send,
{
    connection::Connection::new(io, client, stop).serve(plane).await
}
