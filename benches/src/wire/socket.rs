//! How is a connection made?

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Outcome;

/// How long a connection may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Connects, so that what is written leaves at once.
///
/// # Errors
/// Nothing listens at `address`.
pub(crate) async fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    let stream = timeout(DEADLINE, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
