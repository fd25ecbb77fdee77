//! What stands behind the proxies?
//!
//! A server that costs next to nothing: sockets and HTTP/1.1 by hand on one thread. `/` answers with
//! 13 bytes that name it, `/bytes/N` with N bytes, anything that is sent is read and dropped, and `/ws` is a
//! WebSocket that sends each message back.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Outcome;
use crate::wire::websocket::{ACCEPT, MASKED_FRAME, framed, unmasked};

/// The most bytes of an answer that are said beforehand: Cloud Run lets no more through unless it is streamed.
const STREAMED_FROM: usize = 32 << 20;

/// What is read and written at once.
const BLOCK: usize = 64 * 1024;

/// A request, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    /// The bytes of its head.
    head: usize,
    /// The bytes of its body, or that it comes in chunks.
    body: Body,
    /// What is to be answered.
    answer: Answer,
}

#[derive(Debug, PartialEq, Eq)]
enum Body {
    Bytes(usize),
    Chunked,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Name,
    Bytes(usize),
    WebSocket,
}

/// A connection of a proxy.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    /// The answer to `/`.
    name: Vec<u8>,
    block: Vec<u8>,
}

/// Serves until it is killed, and answers `/` with the 13 bytes of `name`.
pub(crate) fn run(listen: SocketAddr, name: &str) -> Outcome<()> {
    let name = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{name}",
        name.len()
    );
    crate::wire::alone(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let connection = Connection {
                stream,
                buffer: vec![0; BLOCK],
                filled: 0,
                name: name.clone().into(),
                block: vec![b'x'; BLOCK],
            };
            // A proxy that goes away ends its connection.
            tokio::task::spawn_local(async move { drop(connection.serve().await) });
        }
    })
}

impl Connection {
    async fn serve(mut self) -> Outcome<()> {
        loop {
            let Some(asked) = self.unread().and_then(asked) else {
                self.fill().await?;
                continue;
            };
            self.drop_first(asked.head);
            match asked.body {
                Body::Bytes(count) => self.sink(count).await?,
                Body::Chunked => self.sink_chunks().await?,
            }
            match asked.answer {
                Answer::Name => self.stream.write_all(&self.name).await?,
                Answer::Bytes(count) => self.send(count).await?,
                Answer::WebSocket => return self.echo().await,
            }
        }
    }

    fn unread(&self) -> Option<&[u8]> {
        self.buffer.get(..self.filled)
    }

    async fn fill(&mut self) -> Outcome<()> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(room).await? {
            0 => Err("closed".into()),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }

    fn drop_first(&mut self, count: usize) {
        self.buffer.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    async fn sink(&mut self, count: usize) -> Outcome<()> {
        let mut left = count;
        loop {
            let taken = left.min(self.filled);
            self.drop_first(taken);
            left -= taken;
            if left == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn sink_chunks(&mut self) -> Outcome<()> {
        loop {
            let line = self.unread().and_then(|bytes| bytes.iter().position(|byte| *byte == b'\n'));
            let Some(line) = line else {
                self.fill().await?;
                continue;
            };
            let digits = self.buffer.get(..line).map(|line| String::from_utf8_lossy(line).into_owned());
            let length = usize::from_str_radix(digits.unwrap_or_default().trim(), 16)?;
            self.drop_first(line + 1);
            self.sink(length + 2).await?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Sends bytes, in chunks if they are too many for Cloud Run otherwise.
    async fn send(&mut self, count: usize) -> Outcome<()> {
        let streamed = count > STREAMED_FROM;
        let framing = if streamed {
            "transfer-encoding: chunked".to_owned()
        } else {
            format!("content-length: {count}")
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n{framing}\r\n\r\n");
        let mut written = head.into_bytes();
        let mut left = count;
        while left > 0 {
            let size = left.min(BLOCK);
            left -= size;
            let block = self.block.get(..size).unwrap_or_default();
            if streamed {
                written.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            }
            written.extend_from_slice(block);
            if streamed {
                written.extend_from_slice(if left == 0 { b"\r\n0\r\n\r\n" } else { b"\r\n" });
            }
            self.stream.write_all(&written).await?;
            written.clear();
        }
        Ok(())
    }

    async fn echo(&mut self) -> Outcome<()> {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {ACCEPT}\r\n\r\n"
        );
        self.stream.write_all(head.as_bytes()).await?;
        loop {
            while self.filled < MASKED_FRAME {
                self.fill().await?;
            }
            let message =
                self.buffer.get(..MASKED_FRAME).and_then(unmasked).ok_or("a frame of another kind")?;
            self.drop_first(MASKED_FRAME);
            self.stream.write_all(&framed(&message)).await?;
        }
    }
}

/// The request at the beginning of `bytes`, if its head is whole.
fn asked(bytes: &[u8]) -> Option<Asked> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let path = text.split(' ').nth(1)?;
    let field = |name: &str| {
        let named =
            |line: &&str| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name));
        text.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    };
    // A GET has no body, and is what most are.
    let body = match (text.starts_with("GET "), field("content-length"), field("transfer-encoding")) {
        (true, ..) | (_, None, None) => Body::Bytes(0),
        (_, _, Some(_)) => Body::Chunked,
        (_, Some(length), None) => Body::Bytes(length.parse().ok()?),
    };
    let answer = match path.strip_prefix("/bytes/").map(str::parse) {
        Some(Ok(count)) => Answer::Bytes(count),
        _ if path == "/ws" => Answer::WebSocket,
        _ => Answer::Name,
    };
    Some(Asked { head: head + 4, body, answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_to_answer_and_what_to_drop() {
        let of = |text: &str| asked(text.as_bytes()).map(|asked| (asked.body, asked.answer));
        assert_eq!(of("GET / HTTP/1.1\r\nhost: h\r\n\r\nrest"), Some((Body::Bytes(0), Answer::Name)));
        assert_eq!(of("GET /bytes/77 HTTP/1.1\r\n\r\n"), Some((Body::Bytes(0), Answer::Bytes(77))));
        assert_eq!(of("GET /ws HTTP/1.1\r\n\r\n"), Some((Body::Bytes(0), Answer::WebSocket)));
        let posted = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(of(posted), Some((Body::Bytes(5), Answer::Name)));
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(of(chunked), Some((Body::Chunked, Answer::Name)));
        assert_eq!(of("GET / HTTP/1.1\r\nhost: h\r\n"), None);
    }
}
