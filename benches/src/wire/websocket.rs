//! How long does a message take through a WebSocket and back?

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{CONNECTIONS, Reader, alone, burst, connect};
use crate::Outcome;
use crate::load::Burst;

/// The key of the example in RFC 6455 section 1.3, and what a server must answer to it.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The bytes of a message: few enough for a header of two bytes.
pub(crate) const MESSAGE: usize = 32;

/// A final frame of binary data, and its length: with the bit of the mask from a client (RFC 6455 section 5.2).
const FINAL_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [7, 77, 177, 227];

/// The bytes of a frame of the server, and of one of the client.
const FRAME: usize = 2 + MESSAGE;
pub(crate) const MASKED_FRAME: usize = FRAME + 4;

/// Sends messages for `duration` on [`CONNECTIONS`], each when the one before has come back.
///
/// # Errors
/// The server does not switch, or another message comes back.
pub(crate) fn press(address: SocketAddr, host: &str, duration: Duration) -> Outcome<Burst> {
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
    );
    alone(async {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = Reader::new(connect(address).await?);
            connection.write(request.as_bytes()).await?;
            connection.switched().await?;
            open.push(connection);
        }
        let (start, counter) = (Instant::now(), Rc::new(Cell::new(0_u64)));
        let tasks: Vec<_> = open
            .into_iter()
            .map(|connection| {
                tokio::task::spawn_local(echo(connection, start + duration, Rc::clone(&counter)))
            })
            .collect();
        let mut latency = Vec::new();
        for task in tasks {
            latency.extend(task.await??);
        }
        Ok(burst(start, latency))
    })
}

async fn echo(mut connection: Reader, end: Instant, counter: Rc<Cell<u64>>) -> Outcome<Vec<f64>> {
    let (mut latency, mut sent) = (Vec::new(), Instant::now());
    // One at least.
    while latency.is_empty() || sent < end {
        let message = message(counter.replace(counter.get() + 1));
        connection.write(&masked(&message)).await?;
        let frame = connection.exactly(FRAME).await?;
        if frame != framed(&message) {
            return Err("another message came back".into());
        }
        let answered = Instant::now();
        latency.push((answered - sent).as_secs_f64() * 1e3);
        sent = answered;
    }
    Ok(latency)
}

/// A message like no other.
fn message(number: u64) -> [u8; MESSAGE] {
    let mut message = [b'.'; MESSAGE];
    message.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    message
}

/// The frame of a server.
pub(crate) fn framed(message: &[u8; MESSAGE]) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    let head = [FINAL_BINARY, MESSAGE as u8];
    frame.iter_mut().zip(head.iter().chain(message)).for_each(|(to, from)| *to = *from);
    frame
}

/// The frame of a client.
fn masked(message: &[u8; MESSAGE]) -> [u8; MASKED_FRAME] {
    let mut frame = [0; MASKED_FRAME];
    let hidden = message.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let bytes = [FINAL_BINARY, MASKED | MESSAGE as u8].into_iter().chain(MASK).chain(hidden);
    frame.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    frame
}

/// The message in the frame of a client.
pub(crate) fn unmasked(frame: &[u8]) -> Option<[u8; MESSAGE]> {
    let (head, rest) = frame.split_first_chunk::<2>()?;
    let (mask, hidden) = rest.split_first_chunk::<4>()?;
    if *head != [FINAL_BINARY, MASKED | MESSAGE as u8] || hidden.len() != MESSAGE {
        return None;
    }
    let mut message = [0; MESSAGE];
    let shown = hidden.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    message.iter_mut().zip(shown).for_each(|(to, from)| *to = from);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_masks_a_server_reads() {
        let sent = message(1 << 40 | 7);
        let frame = masked(&sent);
        assert_ne!(frame[6..], sent);
        assert_eq!(unmasked(&frame), Some(sent));
        assert_eq!(unmasked(&frame[1..]), None);
        assert_eq!(framed(&sent)[2..], sent);
    }
}
