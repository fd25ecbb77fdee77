//! What does it cost to carry bytes and nothing else, if haproxy is not installed?

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;

/// Carries each connection to one of its own at `to`, until it is killed.
pub(crate) fn run(listen: SocketAddr, to: SocketAddr) -> Outcome<()> {
    crate::wire::alone(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (mut near, _) = listener.accept().await?;
            tokio::task::spawn_local(async move {
                let Ok(mut far) = TcpStream::connect(to).await else { return };
                // A connection that cannot be set up so is only slower.
                let _ = near.set_nodelay(true).and(far.set_nodelay(true));
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    })
}
