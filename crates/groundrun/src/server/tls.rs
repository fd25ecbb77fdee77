//! How does a client come to speak HTTP over TLS?

use std::time::Duration;

use groundrun_identity::LeafName;
use groundrun_model::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;

use super::connections::Line;

/// How long a client may take for the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The type of the record in which a hello comes. No method of HTTP begins with it.
const HANDSHAKE_RECORD: u8 = 0x16;

/// Whether what begins with this byte is a hello.
pub(super) fn begins_with(first: u8) -> bool {
    first == HANDSHAKE_RECORD
}

/// Serves a connection that begins with a hello.
pub(super) async fn serve<I>(io: I, line: Line)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if let Some(stream) = line.soon(HANDSHAKE, handshake(io, &line)).await {
        line.secured().speak(stream).await;
    }
}

/// Shows the certificate of the host that the client names, or else of the one that the line stands for.
async fn handshake<I>(io: I, line: &Line) -> std::io::Result<tokio_rustls::server::TlsStream<I>>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let started = LazyConfigAcceptor::new(Acceptor::default(), io).await?;
    let named = started.client_hello().server_name().and_then(LeafName::parse);
    let leaf = line.ca.leaf(named.as_ref().unwrap_or(&line.name), now()).map_err(std::io::Error::other)?;
    started.into_stream(leaf).await
}

/// Clients judge a certificate by the time of their machine, whatever the clock of the emulator says.
pub(super) fn now() -> Timestamp {
    groundrun_engine::Clock::system().now()
}
