//! How much does a server do for many clients at once?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::Outcome;
use crate::client::Client;
use crate::statistics::Sample;

/// What a server did under load.
#[derive(Debug)]
pub(crate) struct Burst {
    /// Answers a second.
    pub(crate) rate: f64,
    /// How long each took, in milliseconds.
    pub(crate) latency: Sample,
    /// How many there were.
    pub(crate) count: usize,
}

/// Lets `clients` send for `duration`, each on a connection of its own, each the next request when the
/// last one is answered. `request` makes the request of a client by the numbers of both.
///
/// # Errors
/// A request fails.
pub(crate) async fn press<F>(
    address: SocketAddr,
    clients: u64,
    duration: Duration,
    request: F,
) -> Outcome<Burst>
where
    F: Fn(u64, u64) -> Outcome<Request<Full<Bytes>>> + Clone + Send + 'static,
{
    let mut connected = Vec::new();
    for _ in 0..clients {
        connected.push(Client::connect(address).await?);
    }
    let start = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .zip(connected)
        .map(|(number, client)| {
            let request = request.clone();
            tokio::spawn(one(client, start + duration, move |count| request(number, count)))
        })
        .collect();
    let mut latency = Vec::new();
    for task in tasks {
        latency.extend(task.await??);
    }
    let count = latency.len();
    Ok(Burst { rate: count as f64 / start.elapsed().as_secs_f64(), latency: Sample::new(latency), count })
}

async fn one(
    mut client: Client,
    end: Instant,
    request: impl Fn(u64) -> Outcome<Request<Full<Bytes>>>,
) -> Outcome<Vec<f64>> {
    let mut latency = Vec::new();
    for count in 0.. {
        let request = request(count)?;
        let start = Instant::now();
        if start >= end {
            break;
        }
        client.send(request).await?;
        latency.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(latency)
}
