//! How is a value put into etcd?
//!
//! By `etcdserverpb.KV/Put` over gRPC, as its own clients do.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::grpc::Caller;
use super::{alone, burst};
use crate::Outcome;
use crate::load::Burst;
use crate::peer::grpc::framed;

const PUT: &str = "/etcdserverpb.KV/Put";

/// Puts values of `size` bytes for `duration`, from `clients` with a connection each. Keys are counted in `last`.
///
/// # Errors
/// A put fails.
pub(crate) fn press(
    address: SocketAddr,
    clients: usize,
    size: usize,
    duration: Duration,
    last: &mut u64,
) -> Outcome<Burst> {
    let counter = Rc::new(Cell::new(*last));
    let done = alone(async {
        let mut callers = Vec::new();
        for _ in 0..clients {
            callers.push(Caller::connect(address, &address.to_string()).await?);
        }
        let start = Instant::now();
        let tasks: Vec<_> = callers
            .into_iter()
            .map(|caller| tokio::task::spawn_local(put(caller, size, start + duration, Rc::clone(&counter))))
            .collect();
        let mut latency = Vec::new();
        for task in tasks {
            latency.extend(task.await??);
        }
        Ok(burst(start, latency))
    });
    *last = counter.get();
    done
}

async fn put(mut caller: Caller, size: usize, end: Instant, counter: Rc<Cell<u64>>) -> Outcome<Vec<f64>> {
    let value = vec![b'v'; size];
    let (mut latency, mut sent) = (Vec::new(), Instant::now());
    while sent < end {
        counter.set(counter.get() + 1);
        let key = format!("/services/service-{}", counter.get());
        caller.send(PUT, framed(&message(key.as_bytes(), &value))).await?;
        let answered = Instant::now();
        latency.push((answered - sent).as_secs_f64() * 1e3);
        sent = answered;
    }
    Ok(latency)
}

/// A `PutRequest`: its key is field 1 and its value field 2, both bytes (wire type 2).
fn message(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(key.len() + value.len() + 8);
    for (tag, bytes) in [(0x0a, key), (0x12, value)] {
        message.push(tag);
        let mut length = bytes.len();
        while length >= 0x80 {
            message.push(length as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(bytes);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn lengths_are_written_seven_bits_at_a_time() {
        assert_eq!(message(b"k", b"v"), [0x0a, 1, b'k', 0x12, 1, b'v']);
        assert_eq!(message(b"", &[0; 300])[2..5], [0x12, 0xac, 0x02]);
    }
}
