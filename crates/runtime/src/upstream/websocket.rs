//! What happens behind a 101?
//!
//! Bytes go both ways until both sides have ended, one of them breaks off, or the timeout of the request is
//! reached: it bounds a WebSocket as it does any request.
//! <https://cloud.google.com/run/docs/triggering/websockets>.

use http::Response;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::time::Instant;

/// How much is read at once, in bytes, in each direction.
const BUFFER: usize = 32 * 1024;

/// Joins the connection of a client with that of the instance which answered 101, as soon as both are free.
pub(super) fn join(client: OnUpgrade, response: &mut Response<Incoming>, deadline: Instant) {
    let instance = hyper::upgrade::on(response);
    tokio::spawn(tokio::time::timeout_at(deadline, async move {
        // A client that is gone meanwhile takes the connection of the instance with it.
        let (client, instance) = tokio::try_join!(client, instance).ok()?;
        let (mut client, mut instance) = (TokioIo::new(client), TokioIo::new(instance));
        copy_bidirectional_with_sizes(&mut client, &mut instance, BUFFER, BUFFER).await.ok()
    }));
}
